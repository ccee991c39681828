//! How a person sees that the old credential is dead, and what works on for a while all the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Actor, Command, Only, Template};

/// How to see that the old credential is dead.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Negative {
    /// The answers with which alone it is done like this.
    #[serde(default)]
    pub only: Vec<Only>,
    /// Who looks.
    pub actor: Actor,
    /// What they do. Never a series of logins with an old password: that locks accounts.
    #[serde(rename = "do")]
    pub action: Template,
    /// What to type.
    pub command: Option<Command>,
    /// What they should see.
    pub expect: Template,
    /// What still works after a revocation, and how long: with the vendor's figure, or with the word that there is none.
    pub residue: String,
    /// Other ways, for credentials that this one is not for.
    #[serde(default)]
    pub or: Vec<Negative>,
}

impl Negative {
    /// All ways.
    pub fn ways(&self) -> impl Iterator<Item = &Self> {
        [self].into_iter().chain(&self.or)
    }

    /// The way of a plan with these values, defaults included; all that may become it, while that is not answered.
    pub fn ways_for(&self, values: &BTreeMap<String, String>) -> Vec<&Self> {
        let fits = |way: &&Self| way.only.iter().all(|only| only.fits(values));
        self.ways().filter(fits).collect()
    }

    /// What still works with these values.
    pub fn residue_for(&self, values: &BTreeMap<String, String>) -> &str {
        self.ways_for(values).first().map_or(&self.residue, |way| &way.residue)
    }

    /// Every text of this way that values go into.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        let command = self.command.as_ref().map(|command| &command.text);
        [&self.action, &self.expect].into_iter().chain(command)
    }
}
