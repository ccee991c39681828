//! Where a request may go: https, or this machine.

use std::error::Error as StdError;
use std::fmt;

use url::{Host, Url};

/// A host's name has no more letters.
const LONGEST_HOST: usize = 253;

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

/// The scheme, host and port of a URL, and nothing else of it: somebody's answer led there.
pub fn place(url: &str) -> String {
    let url = Url::parse(url).ok();
    let place = url.as_ref().and_then(|url| {
        let host = url.host_str().filter(|host| (1..=LONGEST_HOST).contains(&host.len()))?;
        let scheme = url.scheme();
        Some(match url.port() {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        })
    });
    // Of others than these not even the scheme is told: any letters may stand there.
    place
        .filter(|place| place.starts_with("http://") || place.starts_with("https://"))
        .unwrap_or_else(|| "what is no address of the web".to_owned())
}

/// The host that an endpoint is at, unless it is this machine: in small letters, without its port.
pub fn host_elsewhere(endpoint: &str) -> Option<String> {
    remote_host(&Url::parse(endpoint).ok()?)
}

/// The host of a URL, in lower case and without its port; `None` where it is this machine.
pub(crate) fn remote_host(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|_| !is_loopback(url))?;
    Some(host.to_ascii_lowercase())
}

/// Whether it is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
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
    use super::{check_endpoint, place};

    #[test]
    fn of_a_place_only_scheme_host_and_port_are_told() {
        for (url, told) in [
            ("https://evil.example/session?token=secret", "https://evil.example"),
            ("http://user:word@Evil.Example:8080/", "http://evil.example:8080"),
            ("https://b\u{fc}cher.example/", "https://xn--bcher-kva.example"),
            ("http://[::1]:80/x", "http://[::1]"),
            ("file:///etc/passwd", "what is no address of the web"),
            ("curl-sh://evil.example/", "what is no address of the web"),
            ("/relative", "what is no address of the web"),
            ("http://evil.example\u{202e}/", "what is no address of the web"),
            ("", "what is no address of the web"),
        ] {
            assert_eq!(place(url), told, "{url}");
        }
        let long = format!("http://{}/", "a.".repeat(200));
        assert_eq!(place(&long), "what is no address of the web");
    }

    #[test]
    fn https_and_loopback_only() {
        for good in [
            "https://iam.amazonaws.com",
            "http://127.0.0.1:4566",
            "http://localhost:1/x?y",
            "http://[::1]:80",
            "http://127.9.9.9",
            "HTTPS://IAM.AMAZONAWS.COM",
            "https://iam.amazonaws.com:443/path?query",
            "http://LOCALHOST:4566",
            // What a browser takes for 127.0.0.1 as well, and so do those who connect: the URL's own parser decides.
            "http://127.1:4566",
            "http://2130706433/",
            "http://0x7f.1/",
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
            "https://iam.amazonaws.com\r\nHost: evil.example",
            "https://iam.amazonaws.com\0",
            "localhost:4566",
            "",
            "//iam.amazonaws.com",
            "iam.amazonaws.com",
            "http://",
            "https://",
            "https://:443",
            "https://[::1",
            "https://iam.amazonaws.com:99999",
            "http://0.0.0.0:4566",
            "http://[::]:4566",
            "http://[::ffff:10.0.0.1]/",
            "http://[fe80::1]/",
            "http://169.254.169.254/",
            "http://192.168.1.1",
            "http://128.0.0.1",
            "http://126.255.255.255",
            "http://127.0.0.1.evil.example",
            "http://localhost.",
            "http://localhost\u{ff0e}evil.example",
            "http://l\u{f6}calhost",
            "http://evil.example#@127.0.0.1",
            "http://evil.example?@localhost",
            "http://evil.example/127.0.0.1",
            "http://@evil.example",
            "http://localhost:80@evil.example",
            "http:\\\\evil.example\\@localhost",
            "file:///etc/passwd",
            "gopher://127.0.0.1",
            "ws://127.0.0.1",
            "unix:///run/socket",
            "data:text/plain,x",
            "javascript:alert(1)",
            "http+unix://localhost",
        ] {
            assert!(check_endpoint(bad).is_err(), "{bad}");
        }
    }
}
