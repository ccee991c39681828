//! How the administrator proves who it is.

use super::FIND;
use super::key_fault::KeyFault;
use super::key_pair::KeyPair;
use super::sources::{Found, Sources, secret_file, variable};
use crate::contract::KeyId;
use crate::fault::Fault;
use crate::secret::Secret;

const KEY_FILE: &str = "private_key_file";
const KEY_TEXT: &str = "private_key_raw";
const KEY: &[&str] = &[KEY_FILE, "private_key_path", KEY_TEXT];

/// What is longer is no path: the shortest key in base64 has some 1,600 letters.
const LONGEST_PATH: usize = 1024;

/// What opens a session.
pub(super) enum Login {
    Password(Secret),
    KeyPair {
        key: KeyId,
        pem: Secret,
        passphrase: Option<Secret>,
    },
    Token(Secret),
}

impl Login {
    pub(super) fn find(sources: &Sources) -> Result<Self, Fault> {
        let authenticator = sources.text("authenticator").unwrap_or_default().to_ascii_lowercase();
        let has_key = sources.has(KEY);
        match authenticator.as_str() {
            "snowflake_jwt" => key_pair(sources),
            // A key beside a password is the better of the two, and what Snowflake's own connector takes.
            "" if has_key => key_pair(sources),
            "snowflake" if has_key && !sources.has(&["password"]) => key_pair(sources),
            "" | "snowflake" => Ok(Self::Password(
                sources.needed("password", "$SNOWFLAKE_PASSWORD, or a private_key_file")?,
            )),
            // Snowflake takes such a token wherever it takes a password.
            "programmatic_access_token" => Ok(Self::Password(token(sources)?)),
            "oauth" => Ok(Self::Token(token(sources)?)),
            other => {
                let detail = format!(
                    "authenticator `{}` needs a person at a browser or is not known; use snowflake_jwt, snowflake, oauth or \
                     programmatic_access_token",
                    other.escape_debug()
                );
                Err(Fault::new(FIND, detail))
            }
        }
    }
}

fn token(sources: &Sources) -> Result<Secret, Fault> {
    match sources.found(&["token", "token_file_path"]) {
        Some(found) if found.key == "token" => Ok(found.secret()),
        Some(found) => secret_file("token file", &found.text()),
        None => Err(sources.missing("token", "$SNOWFLAKE_TOKEN, token_file_path")),
    }
}

fn key_pair(sources: &Sources) -> Result<Login, Fault> {
    let found = sources.found(KEY);
    let found = found.ok_or_else(|| sources.missing(KEY_FILE, "$SNOWFLAKE_PRIVATE_KEY_FILE"))?;
    let (name, value) = (found.key, found.text());
    // A key's own text is never shown, wherever it was put by mistake.
    let is_text = name == KEY_TEXT || value.contains("-----BEGIN") || value.len() > LONGEST_PATH;
    let (text, what, file) = if is_text {
        (Secret::new(value), format!("the private key in {name}"), None)
    } else {
        let text = secret_file("private key", &value)?;
        (text, format!("private key {value}"), Some(value))
    };
    let passphrase = sources
        .found(&["private_key_passphrase", "private_key_file_pwd"])
        .map(Found::secret)
        .or_else(|| variable("PRIVATE_KEY_PASSPHRASE").map(Secret::new));
    let pair = KeyPair::read(text, passphrase.as_ref()).map_err(|fault| {
        let how = match fault {
            KeyFault::Encrypted => ": give one with private_key_passphrase or $PRIVATE_KEY_PASSPHRASE".to_owned(),
            _ => fault.conversion(file.as_deref()),
        };
        Fault::new(FIND, format!("{what}: {fault}{how}"))
    })?;
    Ok(Login::KeyPair {
        key: pair.key,
        pem: pair.pem,
        passphrase,
    })
}
