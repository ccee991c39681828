//! The two files that AWS tools read a profile from: which of them a file is, and what the other says of the profile.

use std::path::{Path, PathBuf};

use rotate_providers::secret::Secret;

use super::assignments::Assignments;
use super::path::{Folders, absolute, home};
use super::profile::{Kind, allows, read};
use super::{Fault, profile};
use crate::private_file::{self, Refused};

/// A profile in a file of this place.
pub(super) struct ProfileIn {
    profile: String,
    /// What the file's place makes of it; elsewhere its content does.
    kind: Option<Kind>,
    /// The file that AWS tools read together with it.
    other: Option<PathBuf>,
}

impl ProfileIn {
    pub(super) fn new(profile: &str, path: &Path) -> Result<Self, Fault> {
        let fits = |letter: char| !letter.is_control() && !matches!(letter, '[' | ']' | '#' | ';');
        if profile.is_empty() || profile.trim() != profile || !profile.chars().all(fits) {
            return Err(Fault::Name(
                "the profile's name is empty or has characters that no profile can have",
            ));
        }
        let (kind, other) = place(path, profile)?;
        Ok(Self {
            profile: profile.to_owned(),
            kind,
            other,
        })
    }

    /// The keys of the profile in the file with this text.
    pub(super) fn assignments<'a>(&self, text: &'a str) -> Result<Assignments<'a>, Fault> {
        let kind = match self.kind {
            Some(kind) => kind,
            None => Kind::of(text)?,
        };
        let is_bare = |letter: char| letter.is_ascii_alphanumeric() || "_-/.%@:+".contains(letter);
        if kind == Kind::Config && !self.profile.chars().all(is_bare) {
            return Err(Fault::Name(
                "in a config file, the SDKs read no profile with such a name: it may have letters, digits and _-/.%@:+, and \
                 `profile` is not a part of it",
            ));
        }
        read(text, kind, &self.profile)
    }

    /// Whether the other file of the pair leaves the profile's keys alone.
    pub(super) fn check_other(&self) -> Result<(), Fault> {
        let (Some(path), Some(kind)) = (&self.other, self.kind) else {
            return Ok(());
        };
        let elsewhere = |fault: Fault| Fault::Elsewhere(path.display().to_string(), Box::new(fault));
        // Only looked at: it may be a link, and others may read it.
        let held = private_file::read_any(path).map_err(|refused: Refused| elsewhere(refused.into()))?;
        let Some(held) = held.map(Secret::new) else {
            return Ok(());
        };
        let text = held
            .expose_text()
            .ok_or(Fault::Content("it is not UTF-8 text"))
            .map_err(elsewhere)?;
        allows(text, kind.other(), &self.profile).map_err(elsewhere)
    }
}

/// The file that the AWS tools read credentials from.
pub(super) fn shared_credentials_file() -> Result<PathBuf, Fault> {
    configured("AWS_SHARED_CREDENTIALS_FILE", "credentials")
}

fn configured(variable: &str, name: &str) -> Result<PathBuf, Fault> {
    match std::env::var(variable) {
        Ok(path) if !path.is_empty() => absolute(&path, &mut Folders::default()),
        _ => absolute_of(&home()?.join(".aws").join(name)),
    }
}

fn absolute_of(path: &Path) -> Result<PathBuf, Fault> {
    absolute(super::path::text(path)?, &mut Folders::default())
}

fn place(path: &Path, profile: &str) -> Result<(Option<Kind>, Option<PathBuf>), Fault> {
    // Who wants no file names this one.
    let is_a_file = |path: &PathBuf| path != Path::new("/dev/null");
    let credentials = shared_credentials_file().ok().filter(is_a_file);
    let config = configured("AWS_CONFIG_FILE", "config").ok().filter(is_a_file);
    let is = |other: &Option<PathBuf>| other.as_deref() == Some(path);
    let (is_credentials, is_config) = (is(&credentials), is(&config));
    // Somebody else's files, in the place where they have them.
    let beside = |name| {
        path.parent()
            .filter(|folder| folder.file_name().is_some_and(|name| name == ".aws"))
            .map(|folder| folder.join(name))
    };
    if is_credentials && is_config {
        return match profile {
            profile::DEFAULT => Ok((Some(Kind::Credentials), None)),
            _ => Err(Fault::Name(
                "AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE are the same file, and each names this profile in another way",
            )),
        };
    }
    Ok(if is_credentials || !is_config && path.ends_with("credentials") {
        let other = if is_credentials { config } else { None };
        (Some(Kind::Credentials), other.or_else(|| beside("config")))
    } else if is_config || path.ends_with("config") {
        let other = if is_config { credentials } else { None };
        (Some(Kind::Config), other.or_else(|| beside("credentials")))
    } else {
        (None, None)
    })
}
