//! Where a secret comes from that is at rest on this machine. Who configures it names the place and never the secret.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::environment::{self, variable};
use crate::inputs::expanded;
use crate::secret::Secret;

/// The folder in which systemd hands a service its credentials:
/// <https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Credentials>.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// A file, without the line break at its end.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A file in the service manager's credentials folder.
    Credential(String),
}

impl SecretFrom {
    /// Reads it.
    pub fn read(&self) -> Result<Secret, String> {
        match self {
            Self::File(path) => read_secret(path),
            Self::Variable(name) => match variable(name) {
                Some(value) => Ok(Secret::new(value)),
                None => Err("it is not set".to_owned()),
            },
            Self::Credential(name) => match std::env::var_os(CREDENTIALS_DIRECTORY) {
                Some(folder) => read_secret(&Path::new(&folder).join(name)),
                None => Err(format!(
                    "${CREDENTIALS_DIRECTORY} is not set: the service manager sets it"
                )),
            },
        }
    }
}

impl fmt::Display for SecretFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Credential(name) => write!(f, "the credential {name}"),
        }
    }
}

/// A file with a secret, without the line breaks at its end, whose bytes are wiped.
pub(crate) fn read_secret(path: &Path) -> Result<Secret, String> {
    let path = expanded(path);
    let path = path.canonicalize().map_err(|_| "it cannot be found".to_owned())?;
    let bytes = crate::private_file::read_handed(&path).map_err(|refused| refused.to_string())?;
    let bytes = zeroize::Zeroizing::new(bytes);
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let end = bytes
        .iter()
        .rposition(|byte| !is_break(byte))
        .map_or(0, |last| last + 1);
    let trimmed = &bytes[..end];
    if !matches!(&bytes[end..], b"" | b"\n" | b"\r\n") {
        environment::tell_left_out(&path.display().to_string());
    }
    if trimmed.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(Secret::new(trimmed))
}
