//! What people give in the place of something else.

use regex::Regex;
use serde::{Deserialize, Deserializer};

/// Something that is given in the place of something else, and is known by its form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistaken {
    /// What that looks like, from beginning to end.
    #[serde(deserialize_with = "whole")]
    pub pattern: Regex,
    /// What it is, and what is meant: `this is the ID of the secret; its value is in the column Value`.
    pub is: String,
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
    let text = String::deserialize(deserializer)?;
    Regex::new(&format!("^(?:{text})$")).map_err(serde::de::Error::custom)
}
