//! Names of targets.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a name keeps in a target's name, so that it can be pasted into a shell.
const KEPT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'-')
    .remove(b'.')
    .remove(b'@')
    .remove(b'+')
    .remove(b'=')
    .remove(b',');

/// `connector/name`, or the connector alone where nothing names the target.
pub(super) fn target_name(connector: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{connector}/{}", utf8_percent_encode(name, &KEPT)),
        None => connector.to_owned(),
    }
}
