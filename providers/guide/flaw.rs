//! What is wrong with a guide.

/// A guide that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Flaw(String);

impl Flaw {
    pub(super) fn unreadable(text: &str, error: &toml::de::Error) -> Self {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        Self(format!("line {line}: {}", error.message()))
    }

    pub(super) fn repeated_rule(input: &str) -> Self {
        Self(format!(
            "input {input} has a pattern, and the program has an input of the same name: leave the pattern out, and its rule holds"
        ))
    }

    pub(super) fn no_rule(input: &str) -> Self {
        Self(format!("input {input} has no pattern"))
    }
}

/// A rule of guides, and what is said of one that does not keep it.
pub(crate) fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Flaw> {
    if holds { Ok(()) } else { Err(Flaw(otherwise())) }
}
