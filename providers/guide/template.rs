//! Texts with a person's own values in them, quoted so that no value can become more than a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::untrusted::inert;

/// A text with places for values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// A place for a value.
    Value {
        /// The input's name.
        input: String,
        /// How the value is quoted.
        quoting: Quoting,
    },
}

/// How a value is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// Not at all: for people.
    Plain,
    /// As one word of a POSIX shell.
    Shell,
    /// As a SQL identifier, in double quotes.
    SqlIdentifier,
    /// As a SQL string, in single quotes.
    SqlLiteral,
    /// As a part of a URL.
    Url,
}

impl Template {
    /// Reads `text with {input} and {input|quoting}`; a brace of the text itself is written twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '{' | '}' if letters.peek() == Some(&letter) => {
                    letters.next();
                    plain.push(letter);
                }
                '}' => return Err(format!("a `}}` without its `{{` in: {text}")),
                '{' => {
                    let mut inner = String::new();
                    loop {
                        match letters.next() {
                            Some('}') => break,
                            Some(letter) => inner.push(letter),
                            None => return Err(format!("a `{{` without its `}}` in: {text}")),
                        }
                    }
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(place(&inner)?);
                }
                _ => plain.push(letter),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// Its parts.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Whether it has a place for this input.
    pub fn names(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Value { input, .. } if input == name))
    }

    /// The text with these values in it. A value that is missing stays visible as its place, and nothing in a value can
    /// end the quotes around it or move the cursor of a terminal.
    pub fn fill(&self, values: &BTreeMap<String, String>) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Value { input, quoting } => match values.get(input) {
                    Some(value) => quoting.quote(&inert(value)),
                    None => format!("<{}>", input.to_uppercase().replace('_', " ")),
                },
            })
            .collect()
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl Quoting {
    fn quote(self, value: &str) -> String {
        match self {
            Self::Plain => value.to_owned(),
            Self::Shell => format!("'{}'", value.replace('\'', "'\\''")),
            Self::SqlIdentifier => format!("\"{}\"", value.replace('"', "\"\"")),
            Self::SqlLiteral => format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''")),
            Self::Url => url::form_urlencoded::byte_serialize(value.as_bytes())
                .collect::<String>()
                .replace('+', "%20"),
        }
    }
}

fn place(inner: &str) -> Result<Piece, String> {
    let (input, quoting) = match inner.split_once('|') {
        None => (inner, Quoting::Plain),
        Some((input, "sh")) => (input, Quoting::Shell),
        Some((input, "ident")) => (input, Quoting::SqlIdentifier),
        Some((input, "literal")) => (input, Quoting::SqlLiteral),
        Some((input, "url")) => (input, Quoting::Url),
        Some((_, other)) => return Err(format!("`{other}` is no way to quote: write sh, ident, literal or url")),
    };
    let is_name = !input.is_empty()
        && input
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_name {
        return Err(format!("`{{{inner}}}` names no input"));
    }
    Ok(Piece::Value {
        input: input.to_owned(),
        quoting,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, value: &str) -> String {
        let values = BTreeMap::from([("x".to_owned(), value.to_owned())]);
        Template::parse(template).unwrap().fill(&values)
    }

    #[test]
    fn a_value_stays_a_value() {
        for (template, value, expected) in [
            ("a {x} b", "c", "a c b"),
            ("{x|literal}", "'; DROP USER a; --", "'''; DROP USER a; --'"),
            ("{x|literal}", "\\'", "'\\\\'''"),
            ("{x|ident}", "a\" SET PASSWORD='p", "\"a\"\" SET PASSWORD='p\""),
            ("{x|sh}", "$(rm -rf /)`id`", "'$(rm -rf /)`id`'"),
            ("{x|sh}", "it's", "'it'\\''s'"),
            ("{x}", "two\nlines\u{1b}[2J", "two\u{fffd}lines\u{fffd}[2J"),
            ("{x}", "\u{202e}txt", "\u{fffd}txt"),
            ("https://h/{x|url}", "a b/c?d", "https://h/a%20b%2Fc%3Fd"),
            ("{{{x}}}", "v", "{v}"),
        ] {
            assert_eq!(filled(template, value), expected, "{template}");
        }
    }

    #[test]
    fn what_is_missing_is_seen() {
        let template = Template::parse("{key_id|sh} {x}").unwrap();
        assert_eq!(template.fill(&BTreeMap::new()), "<KEY ID> <X>");
    }

    #[test]
    fn broken_templates_are_refused() {
        for bad in ["{", "{}", "}", "{X}", "{x|html}", "{a b}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
