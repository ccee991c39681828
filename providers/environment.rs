//! Variables of the environment, as a machine hands them over: a secret that was mounted often has a line break at its end,
//! which nobody meant. That is left out, and told once.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroize;

/// A variable; an empty one counts as none, and so does one that is no text.
pub(crate) fn variable(name: &str) -> Option<String> {
    match std::env::var_os(name)?.into_string() {
        Ok(text) => Some(trimmed(name, text)).filter(|text| !text.is_empty()),
        Err(other) => {
            wipe(other);
            tell(name, "is no text (UTF-8), and was left out");
            None
        }
    }
}

/// A text without the line breaks at its end.
pub(crate) fn trimmed(what: &str, mut text: String) -> String {
    let length = text.trim_end_matches(['\r', '\n']).len();
    if length < text.len() {
        text.truncate(length);
        tell(what, "ends with a line break, which was left out");
    }
    text
}

/// Says that more was left out of a file than the one line break that every editor writes.
pub(crate) fn tell_left_out(what: &str) {
    tell(what, "ends with several line breaks, which were left out");
}

/// Says so once for each thing: fleets ask for the same one again and again.
fn tell(what: &str, why: &str) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.insert(what.to_owned()) {
        tracing::warn!("{what} {why}");
    }
}

fn wipe(text: OsString) {
    text.into_encoded_bytes().zeroize();
}

#[cfg(test)]
mod tests {
    use super::trimmed;

    #[test]
    fn line_breaks_at_the_end_are_left_out_and_nothing_else_is() {
        for (text, left) in [
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            ("secret\n\n\r\n", "secret"),
            ("secret", "secret"),
            (" secret ", " secret "),
            ("\nsec\nret", "\nsec\nret"),
            ("\n", ""),
        ] {
            assert_eq!(trimmed("a test", text.to_owned()), left, "{text:?}");
        }
    }
}
