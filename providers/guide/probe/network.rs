//! How a vendor is reached: which hosts a credential may be sent to, by which addresses, and how long that may take.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Outcome;

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

/// The status of an answer, and as much of its body as is ever looked at. It is kept nowhere.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) through_proxy: bool,
}

impl Network {
    /// The addresses of a host, looked up once; none that a credential may not be sent to.
    pub(super) async fn addresses(&self, _host: &str, _port: u16, _what: Host) -> Result<Vec<SocketAddr>, Outcome> {
        Err(Outcome::inconclusive("not-built", "not built"))
    }

    /// The system's authorities and those of the file.
    pub(super) fn authorities(&self) -> Result<rustls::ClientConfig, Outcome> {
        Err(Outcome::inconclusive("not-built", "not built"))
    }

    /// Sends a form to where tokens are given out. Values may be secret.
    pub(super) async fn post_form(
        &self,
        _url: &str,
        _hosts: &[String],
        _form: &[(&str, &str)],
    ) -> Result<Reply, Outcome> {
        Err(Outcome::inconclusive("not-built", "not built"))
    }
}
