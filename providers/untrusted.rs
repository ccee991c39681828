//! Text from outside: from a vendor, a file, the environment, a person. It is made harmless where it comes in, so that no
//! place that shows it has to think of that: one visible line, which moves no cursor, hides nothing, and has an end.

use std::fmt;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is longer is cut: a sentence with a path in it is shorter.
const LONGEST: usize = 4_000;

/// What a vendor calls something is shorter than this.
const LONGEST_LABEL: usize = 128;

/// A text without line breaks and escape sequences: whatever it was, it is one visible line now.
pub fn sanitized(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let visible = |letter: char| if is_harmful(letter) { '\u{fffd}' } else { letter };
    text.chars().map(visible).collect()
}

/// Whether there is nothing in it but the visible letters of ASCII, as in almost every text: then no letter has to be looked at.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether a letter moves the cursor, breaks a line, turns the direction of writing around, or cannot be seen, and so hides
/// what is there. Those that join letters, as in emoji, are left alone.
pub fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A sentence that may have text from outside in it. There is no other way to make one than through [`sanitized`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Sanitized(String);

impl Sanitized {
    /// Makes it one visible line that has an end.
    pub fn of(text: &str) -> Self {
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => Self(format!("{}\u{2026}", sanitized(&text[..end]))),
            None => Self(sanitized(text)),
        }
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sanitized {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

impl From<&str> for Sanitized {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<Sanitized> for String {
    fn from(text: Sanitized) -> Self {
        text.0
    }
}

impl Deref for Sanitized {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sanitized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a vendor calls something, in one word: an error's code, a request's id, a service, a region. Whatever is not of this
/// form is not repeated at all: an answer may hold what was sent.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// Not what a vendor calls something. It is not repeated: it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a label has 1 to 128 letters, digits or -_./=+: and this has not")]
pub struct NotALabel;

impl Label {
    /// Letters, digits and `-_./=+:`, up to 128 of them.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_./=+:".contains(letter);
        let is_one = (1..=LONGEST_LABEL).contains(&text.len()) && text.chars().all(fits);
        is_one.then(|| Self(text.to_owned()))
    }

    /// A number of 36 hexadecimal digits and dashes, as vendors give one to each request. No secret has this form, so that an answer
    /// that holds what was sent can be kept.
    pub fn uuid(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        let is_one = text.len() == 36 && text.bytes().all(fits);
        is_one.then(|| Self(text.to_owned()))
    }

    /// The same, as text; what is no label is called unknown.
    pub fn or_unknown(text: &str) -> Sanitized {
        Sanitized(Self::parse(text).map_or_else(|| "unknown".to_owned(), |label| label.0))
    }
}

impl TryFrom<String> for Label {
    type Error = NotALabel;

    fn try_from(text: String) -> Result<Self, NotALabel> {
        Self::parse(&text).ok_or(NotALabel)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl Deref for Label {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What moves a cursor, forges a line, hides text or never ends.
    const HARM: &[&str] = &[
        "\u{1b}[2J",
        "\u{1b}]0;title\u{7}",
        "\u{9b}2J",
        "a\r\nrotate: all is well",
        "a\u{85}b",
        "a\u{2028}b\u{2029}",
        "\u{202e}txt.exe",
        "\u{2066}a\u{2069}",
        "a\u{200b}b\u{feff}",
        "a\u{ad}b\u{34f}",
        "a\u{e0041}\u{e007f}",
        "a\0b",
    ];

    #[test]
    fn whatever_comes_in_is_one_visible_line_with_an_end() {
        for harm in HARM {
            let line = Sanitized::of(harm);
            assert!(!line.chars().any(is_harmful), "{harm:?}");
            assert_eq!(line.chars().count(), harm.chars().count(), "{harm:?}");
        }
        let long = Sanitized::of(&"\u{fc}".repeat(20_000_000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('\u{2026}'));
    }

    #[test]
    fn a_journal_cannot_bring_it_in_either() {
        for harm in HARM {
            let text = serde_json::to_string(harm).unwrap();
            let line: Sanitized = serde_json::from_str(&text).unwrap();
            assert_eq!(line, Sanitized::of(harm));
        }
    }

    #[test]
    fn what_is_no_label_is_not_repeated() {
        for label in ["AccessDenied", "390144", "8c1fA/x+=", "us-east-1", "N/A", "arn:aws"] {
            assert_eq!(Label::parse(label).as_deref(), Some(label));
        }
        let long = "a".repeat(LONGEST_LABEL + 1);
        for harm in HARM
            .iter()
            .copied()
            .chain(["", "two words", "@team", "<b>", "a|b", "`id`", "$(id)", "a;b", &long])
        {
            assert_eq!(Label::parse(harm), None, "{harm:?}");
            assert_eq!(&*Label::or_unknown(harm), "unknown");
            let text = serde_json::to_string(harm).unwrap();
            assert!(serde_json::from_str::<Label>(&text).is_err(), "{harm:?}");
        }
    }

    #[test]
    fn the_number_of_a_request_has_the_form_of_one_and_no_secret_has() {
        for id in [
            "7a62c49f-347e-4fc4-9331-6e8e5a1b2c3d",
            "01B2C3D4-0000-1A2B-0000-000500080001",
        ] {
            assert_eq!(Label::uuid(id).as_deref(), Some(id));
        }
        for text in [
            "",
            "7a62c49f-347e-4fc4-9331-6e8e5a1b2c3",
            "7a62c49f-347e-4fc4-9331-6e8e5a1b2c3dd",
            "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE0",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "<b>7a62c49f-347e-4fc4-9331-6e8e5</b>",
        ] {
            assert_eq!(Label::uuid(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["na\u{ef}ve \u{2013} \u{65e5}\u{672c}", "\u{1f642}\u{fe0f}", "a\u{301}"] {
            assert_eq!(&*Sanitized::of(text), text);
        }
    }
}
