//! An input as a guide writes it.

use regex::Regex;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::{Form, InputSpec, Meaning, Mistaken, Rule};

/// One `[[input]]` of a `guide.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    identifies: bool,
    #[serde(default)]
    late: bool,
    default: Option<String>,
    /// What it must look like, from beginning to end; left out where the program has an input of the same name, whose rule
    /// holds.
    #[serde(default, deserialize_with = "whole")]
    pattern: Option<Regex>,
    #[serde(default)]
    meaning: Meaning,
    #[serde(default)]
    mistaken: Vec<Mistaken>,
    help: String,
}

impl<'de> Deserialize<'de> for InputSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let rule = match written.pattern {
            Some(pattern) => Rule::Pattern(pattern, written.meaning),
            None => Rule::OfTheProgram,
        };
        Ok(Self {
            name: written.name.into(),
            help: written.help.into(),
            value_name: None,
            required: written.required,
            identifies: written.identifies,
            shared: false,
            late: written.late,
            default: written.default.map(Into::into),
            otherwise: None,
            one_of: None,
            needs: None,
            form: Form::Text,
            rule,
            mistaken: written.mistaken,
        })
    }
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Regex>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Regex::new(&format!("^(?:{text})$")).map(Some).map_err(D::Error::custom)
}
