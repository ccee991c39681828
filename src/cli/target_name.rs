//! What a target is called that no configuration names.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The option that asks for the guide of an automated connector.
pub(super) const MANUAL: &str = "--manual";

/// What a name keeps in a target's name, so that it can be pasted into a shell.
const KEPT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'-')
    .remove(b'.')
    .remove(b'@')
    .remove(b'+')
    .remove(b'=')
    .remove(b',');

/// A target that no configuration names: `connector/name`, or the connector alone where nothing names it.
pub(super) fn target_name(connector: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{connector}/{}", utf8_percent_encode(name, &KEPT)),
        None => connector.to_owned(),
    }
}
