//! Where the store is: as the `vault` command finds it, or as the options say.

use std::path::PathBuf;

use rotate_providers::endpoint::{check_endpoint, host_elsewhere};

use super::faults::unfit;
use super::given::{file, is_name, variable, wrong};
use super::login::Login;
use super::wire::Server;
use crate::delivery::options::Options;
use crate::delivery::{Fault, Occupied};

/// Where the `vault` command looks if nobody says anything.
const USUAL_ADDRESS: &str = "https://127.0.0.1:8200";

/// What the `vault` command would do something else for than is done here.
const NOT_OBEYED: &[(&str, &str)] = &[
    ("AGENT_ADDR", "name the agent with address= or VAULT_ADDR"),
    ("CAPATH", "name one file with ca_file= or VAULT_CACERT"),
    ("CLIENT_CERT", "log in with a token, an AppRole or Kubernetes"),
    ("HTTP_PROXY", "set HTTPS_PROXY"),
    ("PROXY_ADDR", "set HTTPS_PROXY"),
    (
        "SKIP_VERIFY",
        "name the authority of its certificate with ca_file= or VAULT_CACERT",
    ),
    ("SRV_LOOKUP", "name the host itself"),
    ("TLS_SERVER_NAME", "name the host that its certificate is for"),
];

/// What the options say of it.
pub(super) struct Access {
    address: Option<String>,
    namespace: Option<String>,
    ca_file: Option<PathBuf>,
    pub(super) login: Login,
}

impl Access {
    /// Takes its options.
    pub(super) fn read(options: &mut Options) -> Result<Self, Fault> {
        let address = options.take("address");
        if address.as_deref().is_some_and(|address| !is_address(address)) {
            return wrong("address", "write https://HOST:PORT, or http:// on this machine");
        }
        let namespace = options.take("namespace").map(|it| it.trim_matches('/').to_owned());
        if namespace.as_deref().is_some_and(|it| !is_name(it)) {
            return wrong("namespace", "write its path: team/payments");
        }
        Ok(Self {
            address,
            namespace,
            ca_file: file(options, "ca_file")?,
            login: Login::read(options)?,
        })
    }

    /// What tells two stores apart: where each is, and the namespace; any, where the options do not say it.
    pub(super) fn whose(&self) -> String {
        let address = self.address.as_deref().map(|address| address.trim_end_matches('/'));
        let [address, namespace] = [address, self.namespace.as_deref()].map(|part| part.unwrap_or(Occupied::ANY));
        format!("{address}\t{namespace}")
    }

    /// The host that the options alone lead to.
    pub(super) fn host_named(&self) -> Option<String> {
        let host = host_elsewhere(self.address.as_deref()?)?;
        let usual = variable("ADDR").ok().flatten();
        match usual.as_deref().and_then(host_elsewhere) {
            Some(usual) if usual == host => None,
            _ => Some(host),
        }
    }

    /// Where it is.
    pub(super) fn server(&self) -> Result<Server, Fault> {
        for (name, remedy) in NOT_OBEYED {
            if variable(name)?.is_some() {
                return Err(unfit(
                    format!("VAULT_{name} is set, which rotate does not obey"),
                    remedy,
                ));
            }
        }
        let (address, named_by) = match (&self.address, variable("ADDR")?) {
            (Some(address), _) => (address.clone(), "address="),
            (None, Some(address)) => (address, "VAULT_ADDR"),
            (None, None) => (
                USUAL_ADDRESS.to_owned(),
                "the `vault` command, where VAULT_ADDR is not set",
            ),
        };
        if !is_address(&address) {
            return Err(unfit(
                "VAULT_ADDR is neither https://HOST:PORT nor http on this machine, so no token is sent there"
                    .to_owned(),
                "set VAULT_ADDR, or name it with address=",
            ));
        }
        let namespace = match &self.namespace {
            Some(namespace) => Some(namespace.clone()),
            None => variable("NAMESPACE")?.map(|it| it.trim_matches('/').to_owned()),
        };
        if namespace.as_deref().is_some_and(|it| !is_name(it)) {
            return Err(unfit(
                "VAULT_NAMESPACE is no path of a namespace".to_owned(),
                "set VAULT_NAMESPACE",
            ));
        }
        Ok(Server {
            address: address.trim_end_matches('/').to_owned(),
            named_by,
            namespace,
            ca_file: match &self.ca_file {
                Some(path) => Some(path.clone()),
                None => variable("CACERT")?.map(PathBuf::from),
            },
        })
    }
}

fn is_address(address: &str) -> bool {
    check_endpoint(address).is_ok() && !address.contains(['?', '#'])
}
