//! Where a request may go: https, or this machine.

use std::error::Error as StdError;
use std::fmt;

use url::{Host, Url};

/// Accepts an https URL, or a plain http one of the loopback interface.
pub fn check_endpoint(endpoint: &str) -> Result<(), ForbiddenEndpoint> {
    let refused = |why| ForbiddenEndpoint { why };
    // The parser of URLs would leave them out, and whoever is called with the same text would not.
    if endpoint
        .chars()
        .any(|letter| letter.is_control() || letter.is_whitespace())
    {
        return Err(refused("has a line break, a blank or a control character in it"));
    }
    let url = Url::parse(endpoint).map_err(|_| refused("is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("carries a user name or a password"));
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        _ => Err(refused("is neither https nor http on the loopback interface")),
    }
}

/// The host of a URL, in lower case and without its port; `None` where it is this machine.
pub(crate) fn remote_host(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|_| !is_loopback(url))?;
    Some(host.to_ascii_lowercase())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An endpoint that keys must not be sent to.
#[derive(Debug)]
pub struct ForbiddenEndpoint {
    why: &'static str,
}

impl fmt::Display for ForbiddenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the endpoint {}", self.why)
    }
}

impl StdError for ForbiddenEndpoint {}

#[cfg(test)]
mod tests {
    use super::check_endpoint;

    #[test]
    fn https_and_loopback_only() {
        for good in [
            "https://iam.amazonaws.com",
            "http://127.0.0.1:4566",
            "http://localhost:1/x?y",
            "http://[::1]:80",
            "http://127.9.9.9",
        ] {
            assert!(check_endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "http://iam.amazonaws.com",
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example",
            "https://user:password@iam.amazonaws.com",
            "ftp://localhost",
            "http://10.0.0.1",
            "https://iam.amazonaws.com\n",
            "https://iam.ama\tzonaws.com",
            " https://iam.amazonaws.com",
            "localhost:4566",
            "",
        ] {
            assert!(check_endpoint(bad).is_err(), "{bad}");
        }
    }
}
