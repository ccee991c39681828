//! Rules that auditors ask for, as data: which connectors each is about, and what would be beyond it.

use std::sync::LazyLock;

use serde::Deserialize;

static ALL: LazyLock<Vec<Control>> = LazyLock::new(|| {
    // A test reads it: a file that cannot be read would be found there.
    let file: Option<File> = toml::from_str(include_str!("controls.toml")).ok();
    file.map(|file| file.control).unwrap_or_default()
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    control: Vec<Control>,
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Who has written it, and in which edition.
    pub framework: String,
    /// Its number there.
    pub id: String,
    /// What it asks for, in our words.
    pub asks: String,
    /// What of a report answers it.
    pub answered_by: String,
    /// The connectors that it is about; none: all of them.
    #[serde(default)]
    connectors: Vec<String>,
    /// How old a credential may be, where it sets that.
    pub max_days: Option<i64>,
    /// Whether a user may have one active key only.
    #[serde(default)]
    pub one_key: bool,
    /// Where that stands.
    pub source: String,
}

impl Control {
    /// Whether it is about credentials of this connector.
    pub fn applies_to(&self, connector: &str) -> bool {
        self.connectors.is_empty() || self.connectors.iter().any(|id| id == connector)
    }
}

/// All of them, in the order of their file.
pub fn controls() -> &'static [Control] {
    &ALL
}

#[cfg(test)]
mod tests {
    use super::controls;

    #[test]
    fn every_control_names_its_source_and_connectors_that_exist() {
        assert!(controls().len() > 5, "only {} were read", controls().len());
        for control in controls() {
            let shown = format!("{} {}", control.framework, control.id);
            assert!(control.source.starts_with("https://"), "{shown}");
            for text in [&control.framework, &control.id, &control.asks, &control.answered_by] {
                assert!(!text.is_empty(), "{shown}");
            }
            for id in &control.connectors {
                assert!(crate::connector(id).is_some(), "{shown}: {id}");
            }
        }
    }
}
