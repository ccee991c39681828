//! Where the store is and how to log in there: as the `vault` command finds both, or as the options say. No option is a secret.

use std::path::PathBuf;

use rotate_providers::endpoint::{check_endpoint, host_elsewhere};
use rotate_providers::secret::Secret;
use rotate_providers::secret_from::SecretFrom;

use super::answer::{denied, unfit};
use crate::delivery::Fault;
use crate::delivery::options::Options;
use crate::delivery::path::home;

/// Where the `vault` command looks if nobody says anything.
const USUAL_ADDRESS: &str = "https://127.0.0.1:8200";

/// Where a pod finds the token of its own account.
const ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

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

/// How to log in.
pub(super) enum Login {
    /// With the token that the `vault` command would take.
    Found,
    /// With this token.
    Token(SecretFrom),
    /// As an AppRole.
    AppRole {
        mount: String,
        role_id: String,
        secret_id: SecretFrom,
    },
    /// With the token of a Kubernetes service account.
    Kubernetes {
        mount: String,
        role: String,
        account: SecretFrom,
    },
}

/// Where it is, for now.
pub(super) struct Server {
    /// Without a slash at its end.
    pub(super) address: String,
    /// What has named it.
    pub(super) named_by: &'static str,
    pub(super) namespace: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
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

    /// What tells two stores apart, as far as the options say it.
    pub(super) fn whose(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        format!("{} {}", part(&self.address), part(&self.namespace))
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

impl Login {
    fn read(options: &mut Options) -> Result<Self, Fault> {
        let token = secret(options, "token")?;
        let role_id = options.take("role_id");
        let secret_id = secret(options, "secret_id")?;
        let role = options.take("kubernetes_role");
        let account = file(options, "account_token_file")?;
        let mount = options.take("auth_mount").map(|it| it.trim_matches('/').to_owned());
        if mount.as_deref().is_some_and(|mount| !is_name(mount)) {
            return wrong("auth_mount", "write where the login is mounted: approle");
        }
        let is_told = |told: bool| usize::from(told);
        if is_told(token.is_some()) + is_told(role_id.is_some()) + is_told(role.is_some()) > 1 {
            return wrong("kubernetes_role, role_id or token_…", "one way to log in is enough");
        }
        if secret_id.is_some() && role_id.is_none() {
            return wrong("role_id", "it is missing: a secret id goes with it");
        }
        if account.is_some() && role.is_none() {
            return wrong("kubernetes_role", "it is missing: account_token_file goes with it");
        }
        if mount.is_some() && role_id.is_none() && role.is_none() {
            return wrong("auth_mount", "it goes with role_id or kubernetes_role");
        }
        Ok(match (token, role_id, role) {
            (Some(token), ..) => Self::Token(token),
            (None, Some(role_id), _) => Self::AppRole {
                mount: mount.unwrap_or_else(|| "approle".to_owned()),
                role_id,
                secret_id: match secret_id {
                    Some(secret_id) => secret_id,
                    None => {
                        return wrong(
                            "role_id",
                            "its secret id is missing: name secret_id_file or secret_id_env",
                        );
                    }
                },
            },
            (None, None, Some(role)) => Self::Kubernetes {
                mount: mount.unwrap_or_else(|| "kubernetes".to_owned()),
                role,
                account: SecretFrom::File(account.unwrap_or_else(|| ACCOUNT_TOKEN.into())),
            },
            (None, None, None) => Self::Found,
        })
    }
}

/// A secret of a login, with where it is from in the error.
pub(super) fn read(from: &SecretFrom, what: &str) -> Result<Secret, Fault> {
    from.read().map_err(|why| {
        denied(
            format!("{what} cannot be read from {from}: {why}"),
            "put it there; nobody else may read the file",
        )
    })
}

/// The token that the `vault` command would take.
pub(super) fn token_found() -> Result<Secret, Fault> {
    // Told if both are there and differ; its value is in the environment anyway.
    if variable("TOKEN")?.is_some() {
        let name = ["VAULT_TOKEN", "BAO_TOKEN"].into_iter().find(|name| is_set(name));
        return read(
            &SecretFrom::Variable(name.unwrap_or("VAULT_TOKEN").to_owned()),
            "the token",
        );
    }
    let home = home()?;
    let settings = match variable("CONFIG_PATH")? {
        Some(path) => PathBuf::from(path),
        None => home.join(".vault"),
    };
    let text = std::fs::metadata(&settings)
        .ok()
        .filter(|found| found.is_file() && found.len() < 1 << 20);
    let text = text
        .and_then(|_| std::fs::read_to_string(&settings).ok())
        .unwrap_or_default();
    if text.contains("token_helper") {
        return Err(denied(
            format!("{} names a token helper, and rotate starts none", settings.display()),
            "name a file that holds the token: token_file=, or set VAULT_TOKEN",
        ));
    }
    let file = home.join(".vault-token");
    if !file.exists() {
        return Err(denied(
            "there is no token: VAULT_TOKEN is not set, and ~/.vault-token is not there".to_owned(),
            "log in (vault login), set VAULT_TOKEN, or say how to log in: token_file=, role_id= or kubernetes_role=",
        ));
    }
    read(&SecretFrom::File(file), "the token")
}

/// A variable of the `vault` command, or of `bao`.
fn variable(name: &str) -> Result<Option<String>, Fault> {
    let said = |prefix: &str| {
        std::env::var(format!("{prefix}_{name}"))
            .ok()
            .filter(|value| !value.is_empty())
    };
    match (said("VAULT"), said("BAO")) {
        (Some(one), Some(other)) if one != other => Err(unfit(
            format!("VAULT_{name} and BAO_{name} say different things"),
            &format!("unset VAULT_{name} or BAO_{name}"),
        )),
        (Some(value), _) | (None, Some(value)) => Ok(Some(value)),
        (None, None) => Ok(None),
    }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn is_address(address: &str) -> bool {
    check_endpoint(address).is_ok() && !address.contains(['?', '#'])
}

/// A path of names, as mounts and namespaces have them.
fn is_name(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_part = |part: &str| !part.is_empty() && part.chars().all(fits) && ![".", ".."].contains(&part);
    text.split('/').all(is_part)
}

fn wrong<T>(option: &str, why: &'static str) -> Result<T, Fault> {
    Err(Fault::Option(option.to_owned(), why))
}

fn file(options: &mut Options, key: &str) -> Result<Option<PathBuf>, Fault> {
    match options.take(key) {
        Some(path) if !path.starts_with('/') && !path.starts_with("~/") => {
            wrong(key, "write the whole path, beginning with / or ~/")
        }
        path => Ok(path.map(PathBuf::from)),
    }
}

/// `…_file` or `…_env`.
fn secret(options: &mut Options, what: &str) -> Result<Option<SecretFrom>, Fault> {
    let (of_file, of_variable) = (format!("{what}_file"), format!("{what}_env"));
    let variable = options.take(&of_variable);
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if variable
        .as_deref()
        .is_some_and(|name| name.is_empty() || !name.chars().all(fits))
    {
        return wrong(&of_variable, "write the name of a variable");
    }
    match (file(options, &of_file)?, variable) {
        (Some(_), Some(_)) => wrong(&of_file, "one place is enough"),
        (Some(path), None) => Ok(Some(SecretFrom::File(path))),
        (None, Some(name)) => Ok(Some(SecretFrom::Variable(name))),
        (None, None) => Ok(None),
    }
}
