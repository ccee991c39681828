//! The administrator's connection, found the way Snowflake's own tools find it.
//!
//! What a flag says wins, then the environment, then `connections.toml` or `config.toml`. Source:
//! <https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections>.

use std::path::{Path, PathBuf};

use toml::Table;
use url::Url;

use super::Inputs;
use super::file::{self, ConnectionFile};
use super::key_pair::{KeyFault, KeyPair};
use crate::call::local;
use crate::contract::{Error, KeyId, Kind};
use crate::endpoint::check_endpoint;
use crate::secret::Secret;

/// Why there is no connection.
pub(super) struct Fault {
    kind: Kind,
    detail: String,
}

impl Fault {
    fn configuration(detail: impl Into<String>) -> Self {
        Self {
            kind: Kind::Configuration,
            detail: detail.into(),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        local(
            fault.kind,
            "find the administrator's Snowflake connection",
            fault.detail,
        )
    }
}

/// Everything that a login needs.
pub(super) struct Settings {
    pub(super) account: String,
    pub(super) user: String,
    pub(super) login: Login,
    pub(super) role: Option<String>,
    pub(super) warehouse: Option<String>,
    pub(super) base_url: Url,
}

/// How the administrator proves who it is.
pub(super) enum Login {
    Password(Secret),
    KeyPair {
        key: KeyId,
        pem: Secret,
        passphrase: Option<Secret>,
    },
    Token(Secret),
}

impl Settings {
    /// Where the login was found, as a phrase.
    pub(super) fn found_in(&self) -> String {
        "its connection".to_owned()
    }

    pub(super) fn find(inputs: &Inputs) -> Result<Self, Fault> {
        let sources = Sources::read(inputs.connection.as_deref())?;
        let account = match &inputs.account {
            Some(account) => account.clone(),
            None => sources.needed("account", "--account, $SNOWFLAKE_ACCOUNT")?,
        };
        if !account.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) || account.is_empty() {
            let detail = format!("`{}` is not an account identifier", account.escape_debug());
            return Err(Fault::configuration(detail));
        }
        Ok(Self {
            user: sources.needed("user", "$SNOWFLAKE_USER")?,
            login: sources.login()?,
            role: inputs.role.clone().or_else(|| sources.text("role")),
            warehouse: sources.text("warehouse"),
            base_url: sources.base_url(inputs, &account)?,
            account,
        })
    }
}

/// The environment and one table of a file.
struct Sources {
    name: String,
    table: Table,
    /// The file that the table is from, as errors name it.
    from: Option<PathBuf>,
}

impl Sources {
    fn read(asked: Option<&str>) -> Result<Self, Fault> {
        let file = ConnectionFile::read().map_err(Fault::configuration)?;
        let asked = asked
            .map(str::to_owned)
            .or_else(|| variable("SNOWFLAKE_DEFAULT_CONNECTION_NAME"))
            .or_else(|| file.as_ref().and_then(|file| file.default.clone()));
        let name = asked.clone().unwrap_or_else(|| "default".to_owned());
        let (table, from) = match file {
            Some(file) => (file.connections.get(&name).cloned(), Some(file)),
            None => (None, None),
        };
        let Some(table) = table else {
            return match asked {
                Some(name) => Err(Fault::configuration(unknown(&name, from.as_ref()))),
                // Everything may come from the environment.
                None => Ok(Self {
                    name,
                    table: Table::new(),
                    from: None,
                }),
            };
        };
        Ok(Self {
            name,
            table,
            from: from.map(|file| file.path),
        })
    }

    /// A value by its name.
    fn text(&self, key: &str) -> Option<String> {
        self.first(&[key])
    }

    fn first(&self, keys: &[&str]) -> Option<String> {
        self.found(keys).map(|(_, value)| value)
    }

    /// A value that has several names, and the name that it was found by. Each place is asked for all of them before the
    /// next place is.
    fn found<'k>(&self, keys: &[&'k str]) -> Option<(&'k str, String)> {
        let connection = self.name.to_ascii_uppercase();
        let of_connection = |key: &str| variable(&format!("SNOWFLAKE_CONNECTIONS_{connection}_{}", key.to_uppercase()));
        let generic = |key: &str| variable(&format!("SNOWFLAKE_{}", key.to_uppercase()));
        let named = |place: &dyn Fn(&str) -> Option<String>| keys.iter().find_map(|key| Some((*key, place(key)?)));
        named(&of_connection)
            .or_else(|| named(&generic))
            .or_else(|| named(&|key: &str| self.in_file(key)))
    }

    fn in_file(&self, key: &str) -> Option<String> {
        let text = match self.table.get(key)? {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    fn needed(&self, key: &str, elsewhere: &str) -> Result<String, Fault> {
        self.text(key).ok_or_else(|| {
            let place = match &self.from {
                Some(path) => format!("connection {} of {}", self.name, path.display()),
                None => "a connection in ~/.snowflake/connections.toml".to_owned(),
            };
            let detail = format!("no {key} is set: give it with {elsewhere} or in {place}");
            Fault {
                kind: Kind::NoCredentials,
                detail,
            }
        })
    }

    fn login(&self) -> Result<Login, Fault> {
        let authenticator = self.text("authenticator").unwrap_or_default().to_ascii_lowercase();
        let has_key = self.first(KEY).is_some();
        match authenticator.as_str() {
            "snowflake_jwt" => self.key_pair(),
            // A key beside a password is the better of the two, and what Snowflake's own connector takes.
            "" if has_key => self.key_pair(),
            "snowflake" if has_key && self.text("password").is_none() => self.key_pair(),
            "" | "snowflake" => Ok(Login::Password(Secret::new(
                self.needed("password", "$SNOWFLAKE_PASSWORD, or a private_key_file")?,
            ))),
            // Snowflake takes such a token wherever it takes a password.
            "programmatic_access_token" => Ok(Login::Password(self.token()?)),
            "oauth" => Ok(Login::Token(self.token()?)),
            other => {
                let detail = format!(
                    "authenticator `{}` needs a person at a browser or is not known; use snowflake_jwt, snowflake, oauth or \
                     programmatic_access_token",
                    other.escape_debug()
                );
                Err(Fault::configuration(detail))
            }
        }
    }

    fn token(&self) -> Result<Secret, Fault> {
        match self.found(&["token", "token_file_path"]) {
            Some(("token", token)) => Ok(Secret::new(token)),
            Some((_, path)) => secret_file("token file", &path),
            None => Ok(Secret::new(self.needed("token", "$SNOWFLAKE_TOKEN, token_file_path")?)),
        }
    }

    fn key_pair(&self) -> Result<Login, Fault> {
        let (name, value) = match self.found(KEY) {
            Some(found) => found,
            None => (KEY_FILE, self.needed(KEY_FILE, "$SNOWFLAKE_PRIVATE_KEY_FILE")?),
        };
        // A key's own text is never shown, wherever it was put by mistake.
        let is_text = name == KEY_TEXT || value.contains("-----BEGIN") || value.len() > LONGEST_PATH;
        let (text, what) = if is_text {
            (Secret::new(value), format!("the private key in {name}"))
        } else {
            (secret_file("private key", &value)?, format!("private key {value}"))
        };
        let passphrase = self
            .first(&["private_key_passphrase", "private_key_file_pwd"])
            .or_else(|| variable("PRIVATE_KEY_PASSPHRASE"))
            .map(Secret::new);
        let pair = KeyPair::read(text, passphrase.as_ref()).map_err(|fault| {
            let how = match fault {
                KeyFault::Encrypted => ": give one with private_key_passphrase or $PRIVATE_KEY_PASSPHRASE",
                _ => "",
            };
            Fault::configuration(format!("{what}: {fault}{how}"))
        })?;
        Ok(Login::KeyPair {
            key: pair.key,
            pem: pair.pem,
            passphrase,
        })
    }

    fn base_url(&self, inputs: &Inputs, account: &str) -> Result<Url, Fault> {
        let text = match &inputs.endpoint_url {
            Some(url) => url.clone(),
            None => self.address(account)?,
        };
        check_endpoint(&text).map_err(|forbidden| Fault {
            kind: Kind::ForbiddenEndpoint,
            detail: match Url::parse(&text).ok().as_ref().and_then(origin) {
                Some(origin) => format!("{forbidden}: {origin}"),
                None => forbidden.to_string(),
            },
        })?;
        Url::parse(&text).map_err(|_| Fault::configuration("the endpoint is not a URL"))
    }

    /// The connection's own address, unless another account than the connection's is asked for.
    fn address(&self, account: &str) -> Result<String, Fault> {
        let own = |key: &str| {
            let bare = |name: &str| name.to_ascii_lowercase().replace('_', "-");
            let same = self
                .text("account")
                .is_none_or(|configured| bare(&configured) == bare(account));
            self.text(key).filter(|_| same)
        };
        // A host name has no underscores; an account's name may.
        let host = own("host").unwrap_or_else(|| {
            format!(
                "{}.snowflakecomputing.com",
                account.to_ascii_lowercase().replace('_', "-")
            )
        });
        if host.contains(['/', ':', '@']) {
            let detail = "the connection's host is to be a name alone: protocol and port have their own keys";
            return Err(Fault::configuration(detail));
        }
        let protocol = own("protocol").unwrap_or_else(|| "https".to_owned());
        Ok(match own("port") {
            Some(port) => format!("{protocol}://{host}:{port}"),
            None => format!("{protocol}://{host}"),
        })
    }
}

const KEY_FILE: &str = "private_key_file";
const KEY_TEXT: &str = "private_key_raw";
const KEY: &[&str] = &[KEY_FILE, "private_key_path", KEY_TEXT];

/// What is longer is no path: the shortest key in base64 has some 1,600 letters.
const LONGEST_PATH: usize = 1024;

fn unknown(name: &str, file: Option<&ConnectionFile>) -> String {
    match file {
        Some(file) => {
            let known: Vec<&str> = file.connections.keys().map(String::as_str).collect();
            format!(
                "{} has no connection {}; it has {}",
                file.path.display(),
                name.escape_debug(),
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            )
        }
        None => format!(
            "connection {} is asked for, and there is neither connections.toml nor config.toml in {}",
            name.escape_debug(),
            file::home().map_or_else(|| "$SNOWFLAKE_HOME".to_owned(), |home| home.display().to_string())
        ),
    }
}

/// A file that holds a secret, wherever links lead; without the line break at its end.
pub(super) fn secret_file(what: &str, path: &str) -> Result<Secret, Fault> {
    read_secret(Path::new(path)).map_err(|why| Fault::configuration(format!("{what} {path}: {why}")))
}

/// The same, for whoever says more about it.
pub(super) fn read_secret(path: &Path) -> Result<Secret, String> {
    let path = file::expanded(path);
    let path = path.canonicalize().map_err(|_| "it cannot be found".to_owned())?;
    let bytes = crate::private_file::read_handed(&path).map_err(|refused| refused.to_string())?;
    let bytes = zeroize::Zeroizing::new(bytes);
    let trimmed = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let trimmed = trimmed.strip_suffix(b"\r").unwrap_or(trimmed);
    if trimmed.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(Secret::new(trimmed))
}

/// The scheme and the host of a URL: the whole of it may hold a password.
fn origin(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(format!("{}://{host}", url.scheme()))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
