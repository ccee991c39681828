//! The files that the SDK opens by itself, which would wait for a pipe without end: looked at before it does.

use std::path::{Path, PathBuf};

use crate::environment::variable;
use crate::fault::Fault;
use crate::inputs::expanded;
use crate::regular;

pub(super) const FIND: &str = "find AWS credentials";

/// Whoever has a profile for every account of a large company has half a megabyte of them.
const LARGEST: u64 = 4 << 20;

/// The two files of profiles, and the files that variables name.
pub(super) fn check_named() -> Result<(), Fault> {
    for (variable, name) in [
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ("AWS_CONFIG_FILE", "config"),
    ] {
        check(&file(variable, name), "the credentials are looked for there")?;
    }
    for name in ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
        if let Some(path) = variable(name) {
            check(Path::new(&path), name)?;
        }
    }
    Ok(())
}

/// The tokens of sessions that were signed in to.
pub(super) fn check_tokens() -> Result<(), Fault> {
    for cache in ["~/.aws/sso/cache", "~/.aws/login/cache"] {
        regular::check_folder(&expanded(Path::new(cache)), LARGEST)
            .map_err(|(path, refused)| Fault::new(FIND, format!("{}: {refused}", path.display())))?;
    }
    Ok(())
}

/// One file, and what names it.
pub(super) fn check(path: &Path, named_by: &str) -> Result<(), Fault> {
    regular::check(&expanded(path), LARGEST)
        .map_err(|refused| Fault::new(FIND, format!("{}: {refused} ({named_by})", path.display())))
}

pub(super) fn file(variable_name: &str, name: &str) -> PathBuf {
    match variable(variable_name) {
        Some(path) => path.into(),
        None => Path::new("~/.aws").join(name),
    }
}
