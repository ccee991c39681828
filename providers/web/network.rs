//! How a vendor is reached: which hosts a credential may be sent to, by which addresses, and how long that may take.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use url::{Host as UrlHost, Url};

use super::Unanswered;
use super::address::{Kind, kind_of};
use crate::authorities;
use crate::endpoint::{check_endpoint, is_loopback};

/// How vendors are reached.
#[derive(Clone, Debug)]
pub struct Network {
    /// Whether addresses of a private network are called, where a vendor's name leads to one.
    pub allow_private: bool,
    /// Hosts that are the vendor's although their names are not: custom domains.
    pub allow_hosts: Vec<String>,
    /// Authorities that are trusted beside the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// How long one try may take.
    pub time_out: Duration,
}

/// What a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// A vendor's, on the public network.
    Vendor,
    /// A database's, which is mostly on a private one.
    Database,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            allow_private: false,
            allow_hosts: Vec::new(),
            ca_file: None,
            time_out: Duration::from_secs(20),
        }
    }
}

impl Network {
    /// An address that a credential may be sent to: https or this machine, and a host of the vendor's, or one that a person has
    /// named. Where the guide knows none, whoever gave the address has.
    pub(super) fn place(&self, url: &str, hosts: &[String]) -> Result<Url, Unanswered> {
        let refused = |why: String| Unanswered::new("address", why);
        check_endpoint(url).map_err(|error| refused(error.to_string()))?;
        let url = Url::parse(url).map_err(|_| refused("the address is no URL".to_owned()))?;
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let named = self.allow_hosts.iter().any(|allowed| bare(allowed) == bare(&host));
        if hosts.is_empty() || named || hosts.iter().any(|rule| follows(&host, rule)) {
            return Ok(url);
        }
        Err(Unanswered::new(
            "host",
            format!(
                "{host} is no host of the vendor's ({}): nothing was sent; if it is a custom domain of theirs, add --allow-host {host}",
                hosts
                    .iter()
                    .map(|rule| format!("{}{rule}", if rule.starts_with('.') { "*" } else { "" }))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        ))
    }

    /// The addresses of a host, looked up once; none of them is one that a credential may not be sent to.
    pub async fn addresses(&self, host: &str, port: u16, what: Host) -> Result<Vec<SocketAddr>, Unanswered> {
        let bare = bare(host);
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => {
                let lookup = tokio::time::timeout(self.time_out, tokio::net::lookup_host((bare, port))).await;
                let unknown = || {
                    Unanswered::new(
                        "dns",
                        format!("the name {bare} could not be looked up: check it, and the way out"),
                    )
                    .repeatable()
                };
                lookup.map_err(|_| unknown())?.map_err(|_| unknown())?.collect()
            }
        };
        if found.is_empty() {
            return Err(Unanswered::new("dns", format!("the name {bare} has no address")));
        }
        // A name that leads to good places and to one that is not is no vendor's.
        for address in &found {
            self.check_address(bare, address.ip(), what)?;
        }
        Ok(found)
    }

    fn check_address(&self, host: &str, address: IpAddr, what: Host) -> Result<(), Unanswered> {
        let is_private_welcome = self.allow_private || what == Host::Database;
        // Who writes the address of this machine means it; a vendor's name that leads here is something else.
        let is_meant = host.parse::<IpAddr>().is_ok() || host == "localhost";
        match kind_of(address) {
            Kind::Public => Ok(()),
            Kind::Loopback if is_meant || is_private_welcome => Ok(()),
            Kind::Private if is_private_welcome => Ok(()),
            Kind::Never => Err(Unanswered::new(
                "address",
                format!(
                    "{host} leads to {address}, which serves this machine alone (metadata, link-local): nothing was sent"
                ),
            )),
            Kind::Private | Kind::Loopback => Err(Unanswered::new(
                "private-address",
                format!("{host} leads to {address}, which is on a private network: nothing was sent"),
            )),
        }
    }

    /// The same of the host of a URL.
    pub(super) async fn addresses_of(&self, url: &Url) -> Result<Vec<SocketAddr>, Unanswered> {
        let port = url.port_or_known_default().unwrap_or(443);
        let host = match url.host() {
            Some(UrlHost::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        };
        let what = if is_loopback(url) { Host::Database } else { Host::Vendor };
        self.addresses(&host, port, what).await
    }

    /// TLS that trusts the system's authorities and those of the file.
    pub(crate) fn authorities(&self) -> Result<ClientConfig, Unanswered> {
        authorities::trusted(self.ca_file.as_deref()).map_err(|why| Unanswered::new("authorities", why))
    }

    /// The authorities of the file.
    pub(crate) fn own_authorities(&self) -> Result<Vec<CertificateDer<'static>>, Unanswered> {
        let found = self
            .ca_file
            .as_deref()
            .map_or_else(|| Ok(Vec::new()), authorities::of_file);
        found.map_err(|why| Unanswered::new("authorities", why))
    }
}

/// Whether a host is the one of a rule, or below it.
fn follows(host: &str, rule: &str) -> bool {
    match rule.strip_prefix('.') {
        Some(parent) => host
            .strip_suffix(parent)
            .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        None => host == rule,
    }
}

/// A host without the brackets of a URL, and without the dot that ends a whole name.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::{Network, follows};

    #[test]
    fn a_credential_goes_over_https_or_to_this_machine_alone_whoever_has_named_the_host() {
        let network = Network {
            allow_hosts: vec!["cs.acme.example".to_owned(), "127.0.0.1".to_owned()],
            ..Network::default()
        };
        let class = |url: &str, hosts: &[String]| match network.place(url, hosts) {
            Ok(_) => "taken".to_owned(),
            Err(unanswered) => unanswered.class.to_owned(),
        };
        let vendors = [".vendor.example".to_owned()];
        for hosts in [&vendors[..], &[]] {
            assert_eq!(class("https://cs.acme.example/me", hosts), "taken");
            assert_eq!(class("http://127.0.0.1:8080/me", hosts), "taken");
            for plain in [
                "http://cs.acme.example/me",
                "ftp://cs.acme.example/me",
                "http://10.0.0.1/",
            ] {
                assert_eq!(class(plain, hosts), "address", "{plain}");
            }
        }
        assert_eq!(class("http://api.vendor.example/me", &vendors), "address");
        assert_eq!(class("https://api.vendor.example/me", &vendors), "taken");
        assert_eq!(class("https://api.other.example/me", &vendors), "host");
    }

    #[test]
    fn a_rule_is_a_whole_name_or_all_names_below_one() {
        for (host, rule, does) in [
            ("a.vendor.example", ".vendor.example", true),
            ("a.b.vendor.example", ".vendor.example", true),
            ("vendor.example", ".vendor.example", false),
            (".vendor.example", ".vendor.example", false),
            ("evilvendor.example", ".vendor.example", false),
            ("a.vendor.example.evil.example", ".vendor.example", false),
            ("vendor.example", "vendor.example", true),
            ("a.vendor.example", "vendor.example", false),
        ] {
            assert_eq!(follows(host, rule), does, "{host} {rule}");
        }
    }
}
