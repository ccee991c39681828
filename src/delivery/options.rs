//! What a destination's name says beside the place: `?region=eu-west-1&access_key_id=AWS_ACCESS_KEY_ID`.
//!
//! The name is all that the journal keeps of a destination, so whatever it has to know later stands in it. No option is a secret.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Fault;
use crate::secret_scan::value_looks_secret;

/// What is written as it is: all that separates nothing.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b',')
    .remove(b'@')
    .remove(b'+')
    .remove(b'{')
    .remove(b'}');

/// Which fields a store does not have, once they were looked for.
pub(super) const ABSENT: &str = "absent";

/// Options whose values look random, and are no secrets.
const IDS: [&str; 2] = ["mount", "role_id"];

/// The options of one destination, each taken once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// Understands what stands behind the question mark.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut all = BTreeMap::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(Fault::Name("what follows its ? is not written as option=value"));
            };
            let value = percent_decode_str(value)
                .decode_utf8()
                .map_err(|_| Fault::Name("what follows its ? is not UTF-8 text"))?;
            set(&mut all, key, &value)?;
        }
        Ok(Self(all))
    }

    /// Of a table.
    pub fn of(told: impl IntoIterator<Item = (String, String)>) -> Result<Self, Fault> {
        let mut all = BTreeMap::new();
        for (key, value) in told {
            set(&mut all, &key, &value)?;
        }
        Ok(Self(all))
    }

    /// Takes one.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        self.0.remove(key)
    }

    /// The same with this one.
    #[cfg(feature = "remote")]
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same without this one.
    pub(super) fn without(mut self, key: &str) -> Self {
        self.0.remove(key);
        self
    }

    /// Whatever nobody has taken is known to nobody.
    pub(super) fn end(self) -> Result<(), Fault> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(key) => Err(Fault::Option(shown(&key), "it is not known here")),
        }
    }

    /// As a name has them: one order, one form; empty where there are none.
    pub(super) fn written(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.0 {
            text.push(if text.is_empty() { '?' } else { '&' });
            text.push_str(key);
            text.push('=');
            text.extend(utf8_percent_encode(value, ENCODED));
        }
        text
    }
}

fn set(all: &mut BTreeMap<String, String>, key: &str, value: &str) -> Result<(), Fault> {
    let is_key = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    if key.is_empty() || !key.chars().all(is_key) {
        return Err(Fault::Name("what follows its ? has an option that cannot be one"));
    }
    if value.chars().any(char::is_control) {
        return Err(Fault::Option(
            key.to_owned(),
            "it has characters that cannot be written down",
        ));
    }
    let said_before = if IDS.contains(&key) { "key ID" } else { "option" };
    if !is_pin(key, value) && value_looks_secret(said_before, value).is_some() {
        return Err(Fault::Option(
            key.to_owned(),
            "it looks like a secret, and none belongs there",
        ));
    }
    match all.insert(key.to_owned(), value.to_owned()) {
        None => Ok(()),
        Some(_) => Err(Fault::Option(key.to_owned(), "it is given twice")),
    }
}

/// What a store calls an object for good is no secret, and looks like one: the number of an account is in an ARN, and six letters
/// by chance at its end; a uid is all chance. What was absent is said by its name, and whoever takes that knows all of them.
fn is_pin(key: &str, value: &str) -> bool {
    ["arn", ABSENT].contains(&key) || key == "uid" && uuid::Uuid::try_parse(value).is_ok()
}

/// What was pasted here by mistake is not shown.
fn shown(key: &str) -> String {
    match value_looks_secret("destination", key) {
        Some(_) => "(not shown)".to_owned(),
        None => key.to_owned(),
    }
}
