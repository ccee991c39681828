//! What does not go together among the inputs of a target.

use super::InputSpec;

/// Two inputs that do not go together, or one that lacks another.
pub struct Clash {
    /// The one that is to be looked at.
    pub name: String,
    /// What is wrong with it.
    pub what: String,
    /// What fixes it.
    pub remedy: String,
}

/// What does not go together among the inputs that were given.
pub fn clashes(inputs: &[InputSpec], is_given: impl Fn(&str) -> bool) -> Vec<Clash> {
    let given: Vec<&InputSpec> = inputs.iter().filter(|input| is_given(&input.name)).collect();
    let mut clashes = Vec::new();
    for (at, input) in given.iter().enumerate() {
        let rival = |other: &&&InputSpec| input.one_of.is_some() && other.one_of == input.one_of;
        if let (Some(other), Some(what)) = (given[..at].iter().find(rival), input.one_of) {
            clashes.push(Clash {
                name: input.name.to_string(),
                what: format!("{} names another {what}", other.name),
                remedy: "leave one of them out".to_owned(),
            });
        }
        if let Some(needed) = input.needs.filter(|needed| !is_given(needed)) {
            clashes.push(Clash {
                name: input.name.to_string(),
                what: format!("it means nothing without {needed}"),
                remedy: format!("write {needed}, or leave it out"),
            });
        }
    }
    clashes
}
