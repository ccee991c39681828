//! By what the configuration says that secrets are sealed.

use std::path::{Path, PathBuf};

use rotate_providers::regular::Regular;
use rotate_providers::secret_from::SecretFrom;

use super::SealError;
use super::age::{AGE, Recipients};
use super::services::{self, Unknown, WRITTEN};

/// How a file of recipients is named among them.
const FILE: &str = "file=";
/// No such file is larger.
const LARGEST: u64 = 64 * 1024;

/// What the configuration says of sealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealWith {
    /// By what.
    pub method: Method,
    /// Where this machine's identity is, where it is not in the state folder.
    pub identity: Option<SecretFrom>,
}

/// By what secrets are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// To these recipients of age, and to those of these files.
    Age(Option<Recipients>, Vec<PathBuf>),
    /// With a key that a service keeps, as it is spelled.
    Service(String),
}

impl Method {
    /// Understands `age:RECIPIENT,…`, `age:file=PATH`, or what names a key of a service. The error says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((AGE, rest)) => recipients(rest),
            _ => match services::parse(text) {
                Ok(_) => Ok(Self::Service(text.to_owned())),
                Err(Unknown::Key(remedy)) => Err(remedy),
                Err(Unknown::NotBuilt(feature)) => Err(format!(
                    "this build of rotate has none of it: use one that was built with its feature `{feature}`"
                )),
                Err(Unknown::Service) => Err(format!(
                    "write age:RECIPIENT,RECIPIENT with the recipients as age-keygen prints them, age:file=PATH, or {WRITTEN}"
                )),
            },
        }
    }
}

fn recipients(text: &str) -> Result<Method, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let (files, named): (Vec<&str>, Vec<&str>) = parts.partition(|part| part.starts_with(FILE));
    let file = |part: &str| {
        let path = Path::new(part.strip_prefix(FILE).unwrap_or(part));
        match path.is_absolute() {
            true => Ok(path.to_owned()),
            false => {
                Err("write the whole path of the file of recipients: age:file=/etc/rotate/recipients.txt".to_owned())
            }
        }
    };
    let files = files.into_iter().map(file).collect::<Result<Vec<_>, _>>()?;
    let named = match (named.is_empty(), files.is_empty()) {
        (true, false) => None,
        _ => Some(Recipients::of(named)?),
    };
    Ok(Method::Age(named, files))
}

/// All recipients of these files and these others.
pub(super) fn all(named: Option<Recipients>, files: &[PathBuf]) -> Result<Recipients, SealError> {
    let mut all = named;
    for path in files {
        let found = listed(path).map_err(|why| SealError::Recipients {
            path: path.display().to_string(),
            why,
        })?;
        all = Some(match all {
            Some(known) => known.and(found),
            None => found,
        });
    }
    all.ok_or(SealError::Seal)
}

/// One recipient a line, and lines that begin with # beside them, as `age -R` reads them. Whoever writes it decides who can open what
/// is sealed.
fn listed(path: &Path) -> Result<Recipients, String> {
    use std::os::unix::fs::MetadataExt;
    let file = Regular::open(path).map_err(|refused| refused.to_string())?;
    let file = file.ok_or_else(|| "it is not there".to_owned())?;
    let (mode, owner) = (file.metadata().mode() & 0o7777, file.metadata().uid());
    if mode & 0o022 != 0 {
        return Err(format!("other users may write it (mode {mode:04o})"));
    }
    let us = rustix::process::geteuid().as_raw();
    if owner != us && owner != 0 {
        return Err(format!(
            "it belongs to user {owner}, who may write it, and not to user {us}"
        ));
    }
    let bytes = file.bytes(LARGEST).map_err(|refused| refused.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let lines = text.lines().map(str::trim);
    Recipients::of(lines.filter(|line| !line.is_empty() && !line.starts_with('#')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    #[test]
    fn recipients_are_named_or_in_a_file_and_anything_else_is_told_what_to_write() {
        assert!(
            matches!(Method::parse(&format!("age:{ONE}, {ONE}")), Ok(Method::Age(Some(to), files)) if to.count() == 1 && files.is_empty())
        );
        assert!(matches!(Method::parse("age:file=/etc/r"), Ok(Method::Age(None, files)) if files.len() == 1));
        assert!(
            matches!(Method::parse(&format!("age:{ONE},file=/etc/r")), Ok(Method::Age(Some(_), files)) if files.len() == 1)
        );
        for wrong in ["", "age", "age:", "age:,", "age:x", "age:file=r", "gpg:0xABCD", ONE] {
            assert!(Method::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_of_recipients_is_read_as_age_reads_it_unless_others_may_write_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recipients.txt");
        assert!(listed(&path).is_err());
        std::fs::write(&path, format!("# machine one\n{ONE}\n\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(listed(&path).unwrap().count(), 1);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
        assert!(listed(&path).unwrap_err().contains("other users may write it"));
    }
}
