//! Texts with a person's own values in them, quoted so that no value can become more than a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::untrusted::sanitized;

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
    /// The number of another step of the same procedure, by its name.
    Step(String),
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
    /// As a SQL string, in single quotes, where a backslash is a letter like others.
    SqlLiteral,
    /// As a SQL string, in single quotes, where a backslash has to be written twice.
    SqlEscaped,
    /// As a part of a URL.
    Url,
}

impl Template {
    /// Reads `text with {input}, {input|quoting} and {step:its-name}`; a brace of the text itself is written twice.
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

    /// The inputs that it has places for.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value { input, .. } => Some(input.as_str()),
            Piece::Text(_) | Piece::Step(_) => None,
        })
    }

    /// The steps that it refers to.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Step(id) => Some(id.as_str()),
            Piece::Text(_) | Piece::Value { .. } => None,
        })
    }

    /// The text with these values in it. A value that is missing stays visible as its place, and nothing in a value can
    /// end the quotes around it or move the cursor of a terminal.
    pub fn fill(&self, values: &BTreeMap<String, String>) -> String {
        self.fill_numbered(values, &|_| None)
    }

    /// The same, with the numbers that the steps of its plan have. A step that the plan leaves out is called by its name.
    pub fn fill_numbered(&self, values: &BTreeMap<String, String>, number: &dyn Fn(&str) -> Option<usize>) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Value { input, quoting } => match values.get(input) {
                    Some(value) => quoting.quote(&sanitized(value)),
                    None => format!("<{}>", input.to_uppercase().replace('_', " ")),
                },
                Piece::Step(id) => match number(id) {
                    Some(number) => format!("step {number}"),
                    None => format!("step {id}"),
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
            // Where a setting of the session gives the backslash another meaning, this form keeps it.
            Self::SqlLiteral if value.contains('\\') => format!("E{}", Self::SqlEscaped.quote(value)),
            Self::SqlLiteral => format!("'{}'", value.replace('\'', "''")),
            Self::SqlEscaped => format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''")),
            Self::Url => url::form_urlencoded::byte_serialize(value.as_bytes())
                .collect::<String>()
                .replace('+', "%20"),
        }
    }
}

fn place(inner: &str) -> Result<Piece, String> {
    if let Some(id) = inner.strip_prefix("step:") {
        return Ok(Piece::Step(id.to_owned()));
    }
    let (input, quoting) = match inner.split_once('|') {
        None => (inner, Quoting::Plain),
        Some((input, "sh")) => (input, Quoting::Shell),
        Some((input, "ident")) => (input, Quoting::SqlIdentifier),
        Some((input, "literal")) => (input, Quoting::SqlLiteral),
        Some((input, "escaped")) => (input, Quoting::SqlEscaped),
        Some((input, "url")) => (input, Quoting::Url),
        Some((_, other)) => {
            return Err(format!(
                "`{other}` is no way to quote: write sh, ident, literal, escaped or url"
            ));
        }
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
            ("{x|literal}", "back\\slash", "E'back\\\\slash'"),
            ("{x|literal}", "\\'", "E'\\\\'''"),
            ("{x|escaped}", "\\'", "'\\\\'''"),
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
    fn a_step_is_called_by_its_number_in_the_plan() {
        let template = Template::parse("run {step:look} again").unwrap();
        let filled = template.fill_numbered(&BTreeMap::new(), &|id| (id == "look").then_some(7));
        assert_eq!(filled, "run step 7 again");
        assert_eq!(template.fill(&BTreeMap::new()), "run step look again");
        assert_eq!(template.steps().collect::<Vec<_>>(), ["look"]);
    }

    #[test]
    fn broken_templates_are_refused() {
        for bad in ["{", "{}", "}", "{X}", "{x|html}", "{a b}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
