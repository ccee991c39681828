//! Where an endpoint is: scheme, host and port, as requests name them.

use std::fmt;

use hyper::http::uri::Scheme;
use hyper::{Method, Uri};
use url::Url;

use crate::endpoint::place;

/// One endpoint.
pub(super) struct Origin {
    is_https: bool,
    host: String,
    port: u16,
}

impl Origin {
    pub(super) fn of(endpoint: &Url) -> Option<Self> {
        Some(Self {
            is_https: endpoint.scheme() == "https",
            host: endpoint.host_str()?.to_owned(),
            port: endpoint.port_or_known_default()?,
        })
    }

    /// Whether a request to a proxy is for this endpoint: a tunnel to it, or where it is plain http a whole address there.
    pub(super) fn is_meant_by(&self, method: &Method, uri: &Uri) -> bool {
        let (is_way, standard) = match (self.is_https, method == Method::CONNECT) {
            (true, true) => (uri.scheme().is_none(), 443),
            (false, false) => (uri.scheme() == Some(&Scheme::HTTP), 80),
            _ => return false,
        };
        is_way
            && uri.host().is_some_and(|host| host.eq_ignore_ascii_case(&self.host))
            && uri.port_u16().unwrap_or(standard) == self.port
    }

    /// The endpoint as a connector takes it.
    pub(super) fn uri(&self) -> Option<Uri> {
        self.to_string().parse().ok()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// The other place that a request is for: a vendor's answer led there.
pub(super) fn place_of(method: &Method, uri: &Uri) -> String {
    match uri.authority() {
        Some(authority) if method == Method::CONNECT => place(&format!("https://{authority}")),
        _ => place(&uri.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::of(&Url::parse(url).unwrap()).unwrap()
    }

    fn is_meant(endpoint: &str, method: &Method, uri: &str) -> bool {
        origin(endpoint).is_meant_by(method, &uri.parse().unwrap())
    }

    #[test]
    fn a_tunnel_leads_to_the_host_and_port_of_the_endpoint_alone() {
        let endpoint = "https://xy12345.snowflakecomputing.com";
        for good in [
            "xy12345.snowflakecomputing.com:443",
            "XY12345.Snowflakecomputing.com:443",
        ] {
            assert!(is_meant(endpoint, &Method::CONNECT, good), "{good}");
        }
        for bad in [
            "xy12345.snowflakecomputing.com:8443",
            "xy12345.snowflakecomputing.com.evil.example:443",
            "evil.example:443",
            "xy12345.snowflakecomputing.com@evil.example:443",
            "127.0.0.1:443",
            "[::1]:443",
        ] {
            assert!(!is_meant(endpoint, &Method::CONNECT, bad), "{bad}");
        }
        assert!(!is_meant(
            endpoint,
            &Method::POST,
            "http://xy12345.snowflakecomputing.com/"
        ));
        assert!(!is_meant(
            endpoint,
            &Method::POST,
            "http://xy12345.snowflakecomputing.com:443/"
        ));
        assert!(!is_meant(
            endpoint,
            &Method::POST,
            "https://xy12345.snowflakecomputing.com/"
        ));
    }

    #[test]
    fn a_plain_request_is_for_the_endpoint_alone() {
        let endpoint = "http://127.0.0.1:4566";
        assert!(is_meant(
            endpoint,
            &Method::POST,
            "http://127.0.0.1:4566/session/v1/login-request"
        ));
        for bad in [
            "http://127.0.0.1:4567/",
            "http://127.0.0.1/",
            "http://localhost:4566/",
            "http://evil.example:4566/",
            "http://127.0.0.1:4566@evil.example/",
            "/session/v1/login-request",
        ] {
            assert!(!is_meant(endpoint, &Method::POST, bad), "{bad}");
        }
        assert!(!is_meant(endpoint, &Method::CONNECT, "127.0.0.1:4566"));
        assert!(is_meant("http://[::1]:80", &Method::GET, "http://[::1]/"));
    }

    #[test]
    fn of_another_place_only_its_name_is_told() {
        let told = |method: &Method, uri: &str| place_of(method, &uri.parse().unwrap());
        assert_eq!(told(&Method::CONNECT, "evil.example:443"), "https://evil.example");
        assert_eq!(told(&Method::CONNECT, "evil.example:8443"), "https://evil.example:8443");
        assert_eq!(
            told(&Method::POST, "http://user:word@evil.example/a?b"),
            "http://evil.example"
        );
    }
}
