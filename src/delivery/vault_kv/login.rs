//! How to log in there. No option is a secret: each names where one is.

use std::path::PathBuf;

use rotate_providers::secret::Secret;
use rotate_providers::secret_from::SecretFrom;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::answer::no_login;
use super::faults::denied;
use super::given::{file, is_name, variable, wrong};
use super::wire::{Call, Repeat, Wire};
use crate::delivery::Fault;
use crate::delivery::options::Options;
use crate::delivery::path::home;

/// Where a pod finds the token of its own account.
const ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

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

#[derive(Deserialize)]
struct LoggedIn<'a> {
    #[serde(borrow)]
    auth: Token<'a>,
}

#[derive(Deserialize)]
struct Token<'a> {
    client_token: &'a str,
}

impl Login {
    /// Takes its options.
    pub(super) fn read(options: &mut Options) -> Result<Self, Fault> {
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

/// The token to call with.
pub(super) async fn token(wire: &Wire, login: &Login) -> Result<Secret, Fault> {
    match login {
        Login::Found => token_found(),
        Login::Token(from) => read(from, "the token"),
        Login::AppRole {
            mount,
            role_id,
            secret_id,
        } => {
            let secret_id = read(secret_id, "the secret id")?;
            log_in(
                wire,
                mount,
                &[("role_id", role_id.as_bytes()), ("secret_id", secret_id.expose())],
            )
            .await
        }
        Login::Kubernetes { mount, role, account } => {
            let account = read(account, "the service account's token")?;
            log_in(wire, mount, &[("role", role.as_bytes()), ("jwt", account.expose())]).await
        }
    }
}

async fn log_in(wire: &Wire, mount: &str, said: &[(&str, &[u8])]) -> Result<Secret, Fault> {
    let path = format!("auth/{mount}/login");
    let mut parts: Vec<Zeroizing<String>> = Vec::new();
    for (name, value) in said {
        let text = std::str::from_utf8(value).map_err(|_| Fault::Content("what it logs in with is no text"))?;
        let quoted = serde_json::to_string(text).map_err(|_| Fault::Content("what it logs in with is no text"))?;
        let quoted = Zeroizing::new(quoted);
        parts.push(Zeroizing::new(format!("\"{name}\":{}", quoted.as_str())));
    }
    let mut body = Zeroizing::new(String::with_capacity(
        parts.iter().map(|part| part.len() + 2).sum::<usize>() + 2,
    ));
    body.push('{');
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        body.push_str(part);
    }
    body.push('}');
    // A secret id may be good for one login.
    let call = Call::send("log in at", &path, body, Repeat::Never);
    let reply = wire.send(&call, None).await?;
    if reply.status != 200 {
        return Err(no_login(&call, &reply, &wire.server.address));
    }
    let told: LoggedIn<'_> = reply.parsed()?;
    Ok(Secret::new(told.auth.client_token.as_bytes()))
}

/// A secret of a login, with where it is from in the error.
fn read(from: &SecretFrom, what: &str) -> Result<Secret, Fault> {
    from.read().map_err(|why| {
        denied(
            format!("{what} cannot be read from {from}: {why}"),
            "put it there; nobody else may read the file",
        )
    })
}

/// The token that the `vault` command would take.
fn token_found() -> Result<Secret, Fault> {
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

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
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
