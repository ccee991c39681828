//! What a connector is told, as configuration files and command lines write it.

use serde_json::Value;

use crate::untrusted::is_harmful;

/// One thing that a connector is told. Never a secret.
pub struct Field {
    /// Its name, which is also its option: `key_bits` is `--key-bits`.
    pub name: &'static str,
    /// Whether there is no rotation without it.
    pub required: bool,
    /// What it is.
    pub help: &'static str,
    /// What it must look like; gives it in the form in which it is journaled.
    pub read: fn(&str) -> Result<Value, String>,
    /// What it is written as.
    pub form: Form,
}

/// How a value is written in a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In quotes.
    Text,
    /// As one of these numbers.
    Number(&'static [i64]),
}

impl Field {
    /// Text that has to be given.
    pub(crate) const fn required(
        name: &'static str,
        help: &'static str,
        read: fn(&str) -> Result<Value, String>,
    ) -> Self {
        Self {
            name,
            required: true,
            help,
            read,
            form: Form::Text,
        }
    }

    /// The same text, where it is one that this field takes.
    pub fn checked(&self, text: &str) -> Result<String, String> {
        (self.read)(text).map(|_| text.to_owned())
    }

    /// Text that may be given.
    pub(crate) const fn optional(
        name: &'static str,
        help: &'static str,
        read: fn(&str) -> Result<Value, String>,
    ) -> Self {
        Self {
            name,
            required: false,
            help,
            read,
            form: Form::Text,
        }
    }
}

/// No name and no path is longer.
const LONGEST: usize = 2048;

/// Any text but none, on one visible line.
pub(crate) fn text(text: &str) -> Result<Value, String> {
    if text.is_empty() || text.chars().any(is_harmful) {
        Err("it should be text, on one line and without invisible letters".to_owned())
    } else if text.len() > LONGEST {
        Err(format!("it is longer than {LONGEST} bytes"))
    } else {
        Ok(Value::from(text))
    }
}

/// An endpoint that keys may be sent to.
pub(crate) fn endpoint(text: &str) -> Result<Value, String> {
    crate::endpoint::check_endpoint(text)
        .map(|()| Value::from(text))
        .map_err(|error| error.to_string())
}
