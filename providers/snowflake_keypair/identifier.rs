//! Names as Snowflake compares them.
//!
//! What a name means is that of its SQL text; whatever it was, it is sent in quotes. Source:
//! <https://docs.snowflake.com/en/sql-reference/identifiers-syntax>.

use crate::sql_name;
use crate::untrusted::is_harmful;

/// Snowflake's own limit.
const LONGEST: usize = 255;

/// A user's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserName(String);

/// Not a name, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadName(&'static str);

impl UserName {
    /// Reads a name as a person writes it in SQL.
    pub(super) fn parse(text: &str) -> Result<Self, BadName> {
        let name = sql_name::meant(text).map_err(BadName)?;
        Self::exact(&name)
    }

    /// Takes the name as it is.
    pub(super) fn exact(name: &str) -> Result<Self, BadName> {
        if name.is_empty() {
            return Err(BadName("a name cannot be empty"));
        }
        if name.chars().count() > LONGEST {
            return Err(BadName("a name has at most 255 characters"));
        }
        if name.chars().any(char::is_control) {
            return Err(BadName("a name cannot have line breaks or other control characters"));
        }
        if name.chars().any(is_harmful) {
            return Err(BadName(
                "a name cannot have letters that hide others, or turn the writing around",
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name, without quotes.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a part of a statement. Nothing in it can end the quotes.
    pub(super) fn quoted(&self) -> String {
        quote(&self.0)
    }
}

/// Whether a user or a role can be called so.
pub(super) fn is_name(text: &str) -> bool {
    UserName::exact(text).is_ok()
}

/// An identifier as a part of a statement.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a part of a statement. In a string literal Snowflake knows backslash escapes as well.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_they_mean_to_snowflake() {
        for (written, meant, sent) in [
            ("gs_gainsight_user", "GS_GAINSIGHT_USER", "\"GS_GAINSIGHT_USER\""),
            ("\"gs user\"", "gs user", "\"gs user\""),
            (
                "\"na\u{ef}ve \"\"user\"\"\"",
                "na\u{ef}ve \"user\"",
                "\"na\u{ef}ve \"\"user\"\"\"",
            ),
            ("_a$1", "_A$1", "\"_A$1\""),
            (
                "\"x\"\" SET PASSWORD='p\"",
                "x\" SET PASSWORD='p",
                "\"x\"\" SET PASSWORD='p\"",
            ),
        ] {
            let name = UserName::parse(written).unwrap();
            assert_eq!((name.as_str(), name.quoted().as_str()), (meant, sent));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "x".repeat(256);
        let null = "\"a\0b\"";
        for bad in [
            "",
            "\"\"",
            "\"",
            "1a",
            "x\" SET PASSWORD='p",
            "na\u{ef}ve \"user\"",
            "\"a\"b\"",
            "\"a\"; DROP USER b",
            "\"line\nbreak\"",
            null,
            "a b",
            "\"a\u{202e}b\"",
            "\"a\u{200b}b\"",
            &long,
        ] {
            assert!(UserName::parse(bad).is_err(), "{bad}");
        }
        assert!(UserName::parse(&"x".repeat(255)).is_ok());
    }

    #[test]
    fn a_literal_cannot_be_left() {
        assert_eq!(literal("a'b\\"), "'a''b\\\\'");
    }
}
