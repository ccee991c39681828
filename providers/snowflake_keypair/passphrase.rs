//! Where the passphrase of a private key comes from. Configuration names the place and never the passphrase.

use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use super::told::Inputs;
use crate::secret::Secret;
use crate::secret_from::SecretFrom;
use crate::shell::quoted;

/// Where a passphrase comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PassphraseFrom {
    /// A file, without the line break at its end.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A file in the service manager's credentials folder.
    Credential(String),
}

impl PassphraseFrom {
    /// The place that the inputs name; the first, if they name several.
    pub(super) fn of(inputs: &Inputs) -> Option<Self> {
        let file = inputs.passphrase_file.as_ref().map(|path| Self::File(path.into()));
        let variable = || inputs.passphrase_env.clone().map(Self::Variable);
        let credential = || inputs.passphrase_credential.clone().map(Self::Credential);
        file.or_else(variable).or_else(credential)
    }

    /// The same, of inputs as they are journaled; `None` too where they are no inputs at all.
    pub(super) fn of_inputs(inputs: &Value) -> Option<Self> {
        Self::of(&serde_json::from_value(inputs.clone()).ok()?)
    }

    /// Reads it.
    pub(super) fn read(&self) -> Result<Secret, String> {
        self.look().map_err(|why| format!("{self}: {why}"))
    }

    /// The same, for whoever names the place.
    pub(super) fn look(&self) -> Result<Secret, String> {
        let passphrase = self.text()?;
        // OpenSSL would take the first line of it, and nobody could type it in.
        if passphrase.expose().iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            return Err("it has several lines, and a passphrase is one".to_owned());
        }
        Ok(passphrase)
    }

    fn text(&self) -> Result<Secret, String> {
        let place = match self {
            Self::File(path) => SecretFrom::File(path.clone()),
            Self::Variable(name) => SecretFrom::Variable(name.clone()),
            Self::Credential(name) => SecretFrom::Credential(name.clone()),
        };
        place.read()
    }

    /// The input that names it.
    pub(super) fn input(&self) -> &'static str {
        match self {
            Self::File(_) => "passphrase_file",
            Self::Variable(_) => "passphrase_env",
            Self::Credential(_) => "passphrase_credential",
        }
    }

    /// What makes it readable.
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::File(path) => {
                let (path, word) = (path.display(), quoted(&path.display().to_string()));
                format!("write the passphrase of the new key to {path}, and run: chmod 600 {word}")
            }
            Self::Variable(name) => format!("set ${name} to the passphrase of the new key wherever rotate runs"),
            Self::Credential(name) => format!("add LoadCredential={name}:PATH to the service that runs rotate"),
        }
    }
}

impl fmt::Display for PassphraseFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "passphrase file {}", path.display()),
            Self::Variable(name) => write!(f, "passphrase in ${name}"),
            Self::Credential(name) => write!(f, "passphrase credential {name}"),
        }
    }
}
