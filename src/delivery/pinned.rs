//! The name of a destination as it is written, and what of it is pinned to what it was once.

#[cfg(feature = "remote")]
use super::Fault;
use super::options::{ABSENT, Options};

/// The place, and what stands behind its question mark.
#[cfg(feature = "remote")]
pub(super) fn options_behind(rest: &str) -> Result<(&str, Options), Fault> {
    match rest.split_once('?') {
        Some((place, options)) => Ok((place, Options::parse(options)?)),
        None => Ok((rest, Options::default())),
    }
}

/// The name of a destination whose options stand elsewhere.
pub fn named(place: &str, options: &Options) -> String {
    let options = options.written();
    match place.split_once(':') {
        Some((kind @ "exec", rest)) if !options.is_empty() => format!("{kind}:{options} {rest}"),
        _ => format!("{place}{options}"),
    }
}

/// Whether two names are of one destination, of which one or both may be pinned to what it was once.
pub fn same_place(one: &str, other: &str) -> bool {
    one == other || unpinned(one) == unpinned(other)
}

/// The options with which a rotation fixes a destination to what it was when it opened.
const PINS: [&str; 9] = [
    "arn",
    "created",
    "mount",
    "uid",
    REPOSITORY,
    OWNER,
    ENVIRONMENT,
    OPENED,
    ABSENT,
];
pub(super) const REPOSITORY: &str = "repository_id";
pub(super) const OWNER: &str = "owner_id";
pub(super) const ENVIRONMENT: &str = "environment_id";
pub(super) const OPENED: &str = "opened";

fn unpinned(name: &str) -> String {
    match name.split_once('?') {
        Some((place, options)) if !place.starts_with("exec:") => match Options::parse(options) {
            Ok(options) => named(place, &PINS.iter().fold(options, |options, pin| options.without(pin))),
            Err(_) => name.to_owned(),
        },
        _ => name.to_owned(),
    }
}
