//! What this connector is told: the user, the administrator's login, and how the new key is made. Never a secret.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identifier::UserName;
use crate::inputs::{self, Form, InputSpec};

/// The lengths that a new key may have.
const KEY_BITS: [i64; 3] = [2048, 3072, 4096];

pub(super) const INPUTS: &[InputSpec] = &[
    InputSpec::required(
        "user",
        "the user whose key is rotated: upper case unless in double quotes of its own, as in SQL",
        user,
    )
    .identifies(),
    InputSpec::optional("account", "the account identifier", account)
        .otherwise("the connection's")
        .identifies()
        .shared(),
    InputSpec::optional(
        "connection",
        "the administrator's connection in Snowflake's own configuration",
        inputs::text,
    )
    .called("NAME")
    .otherwise("$SNOWFLAKE_DEFAULT_CONNECTION_NAME, else the one that is the default there")
    .identifies()
    .shared(),
    InputSpec::optional("role", "the administrator's role", inputs::text)
        .otherwise("the connection's, else the user's own")
        .shared(),
    InputSpec::optional(
        "passphrase_file",
        "the passphrase that the new private key is encrypted with; it also opens --current-key",
        inputs::text,
    )
    .called("FILE")
    .form(Form::Path)
    .one_of(PASSPHRASE),
    InputSpec::optional(
        "passphrase_env",
        "the same, in an environment variable of this name",
        variable,
    )
    .called("VARIABLE")
    .one_of(PASSPHRASE),
    InputSpec::optional(
        "passphrase_credential",
        "the same, by this name in the service manager's credentials folder",
        credential,
    )
    .called("NAME")
    .one_of(PASSPHRASE),
    InputSpec::optional("key_bits", "the length of the new key", key_bits)
        .called("BITS")
        .or("2048")
        .form(Form::Number(&KEY_BITS)),
    InputSpec::optional(
        "endpoint_url",
        "another endpoint than the account's own: https, or http on the loopback interface",
        inputs::endpoint,
    )
    .called("URL")
    .identifies()
    .shared(),
];

const PASSPHRASE: &str = "place for the same passphrase";

/// What this connector has to be told. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// The user whose key is rotated, as Snowflake keeps its name.
    pub(super) user: String,
    /// The length of the new key.
    #[serde(default = "default_key_bits")]
    pub(super) key_bits: usize,
    /// The account, where it is not the connection's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    /// The connection of the administrator in Snowflake's own files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) connection: Option<String>,
    /// The administrator's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    /// The file with the passphrase of the new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) passphrase_file: Option<String>,
    /// The environment variable with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) passphrase_env: Option<String>,
    /// Its name in the service manager's credentials folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) passphrase_credential: Option<String>,
    /// Another endpoint than the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) endpoint_url: Option<String>,
}

fn default_key_bits() -> usize {
    2048
}

fn user(text: &str) -> Result<Value, String> {
    UserName::parse(text)
        .map(|name| Value::from(name.as_str()))
        .map_err(|bad| bad.to_string())
}

fn key_bits(text: &str) -> Result<Value, String> {
    text.parse::<i64>()
        .ok()
        .filter(|bits| KEY_BITS.contains(bits))
        .map(Value::from)
        .ok_or_else(|| "a key has 2048, 3072 or 4096 bits".to_owned())
}

/// An account identifier: <https://docs.snowflake.com/en/user-guide/admin-account-identifier>.
fn account(text: &str) -> Result<Value, String> {
    if is_account(text) {
        inputs::word(text)
    } else {
        Err(
            "an account identifier is like MYORG-MYACCOUNT or xy12345.eu-central-1, without https:// and without \
             .snowflakecomputing.com"
                .to_owned(),
        )
    }
}

pub(super) fn is_account(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    // A host that is taken for an account leads to one that nobody has.
    let is_host = text.to_ascii_lowercase().contains(".snowflakecomputing.");
    (1..=255).contains(&text.len()) && text.chars().all(fits) && !is_host
}

fn variable(text: &str) -> Result<Value, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !text.is_empty() && text.chars().all(fits) && !text.starts_with(|letter: char| letter.is_ascii_digit()) {
        Ok(Value::from(text))
    } else {
        Err("write the variable's name, without $ and never the passphrase itself".to_owned())
    }
}

fn credential(text: &str) -> Result<Value, String> {
    if text.contains('/') || text == "." || text == ".." {
        return Err("write the credential's name, as in LoadCredential=NAME:PATH".to_owned());
    }
    inputs::text(text)
}
