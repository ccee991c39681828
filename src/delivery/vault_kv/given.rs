//! What people give it, by options and by variables of the environment.

use std::path::PathBuf;

use super::faults::unfit;
use crate::delivery::Fault;
use crate::delivery::options::Options;

/// A variable of the `vault` command, or of `bao`.
pub(super) fn variable(name: &str) -> Result<Option<String>, Fault> {
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

/// A path of names, as mounts and namespaces have them.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_part = |part: &str| !part.is_empty() && part.chars().all(fits) && ![".", ".."].contains(&part);
    text.split('/').all(is_part)
}

pub(super) fn wrong<T>(option: &str, why: &'static str) -> Result<T, Fault> {
    Err(Fault::Option(option.to_owned(), why))
}

pub(super) fn file(options: &mut Options, key: &str) -> Result<Option<PathBuf>, Fault> {
    match options.take(key) {
        Some(path) if !path.starts_with('/') && !path.starts_with("~/") => {
            wrong(key, "write the whole path, beginning with / or ~/")
        }
        path => Ok(path.map(PathBuf::from)),
    }
}
