//! The hosts to which secrets may go because whoever starts the program says so, and not the file.

use std::net::Ipv6Addr;

/// Hosts that are no vendor's own.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Exact hosts, several of them separated by commas.
    pub fn parse<'a>(lists: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let names = lists.into_iter().flat_map(|list| list.split(',')).map(str::trim);
        let hosts = names.filter(|name| !name.is_empty()).map(host);
        hosts.collect::<Result<_, _>>().map(Self)
    }

    /// All of them.
    pub fn hosts(&self) -> &[String] {
        &self.0
    }

    /// Whether this host is among them.
    pub(super) fn have(&self, host: &str) -> bool {
        self.0.iter().any(|allowed| allowed == host)
    }
}

/// What is written as a URL, a port or a pattern would allow something else than is meant.
fn host(name: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_name = name.chars().all(fits) && !name.starts_with('.') && !name.ends_with('.');
    let in_brackets = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_ipv6 = in_brackets.is_some_and(|name| name.parse::<Ipv6Addr>().is_ok());
    if is_name || is_ipv6 {
        Ok(name.to_ascii_lowercase())
    } else {
        Err("write the host alone, without https://, port and *: gateway.example.com".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::AllowedHosts;

    #[test]
    fn only_exact_hosts_are_allowed() {
        let allowed = AllowedHosts::parse(["Gateway.Example.com, vault.example.com", "[2001:db8::1]", ""]).unwrap();
        for host in ["gateway.example.com", "vault.example.com", "[2001:db8::1]"] {
            assert!(allowed.have(host), "{host}");
        }
        for host in [
            "example.com",
            "evil.gateway.example.com",
            "gateway.example.com.evil.example",
            "",
        ] {
            assert!(!allowed.have(host), "{host}");
        }
        for wrong in [
            "https://gateway.example.com",
            "gateway.example.com:443",
            "*.example.com",
            ".example.com",
            "gateway.example.com.",
            "a b",
            "[::1",
            "user@gateway.example.com",
        ] {
            assert!(AllowedHosts::parse([wrong]).is_err(), "{wrong}");
        }
    }
}
