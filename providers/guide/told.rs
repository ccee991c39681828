//! What a person would have to guess otherwise: the way back, what lives on, and which steps are theirs.

use std::sync::LazyLock;

use regex::Regex;

use super::commands::written;
use super::flaw::{Flaw, require};
use super::{Guide, Negative, Procedure, Step};
use crate::PhaseName;

/// Names the first thing that is left to a guess.
pub(super) fn check(guide: &Guide) -> Result<(), Flaw> {
    for procedure in Procedure::ALL {
        for step in guide.steps(procedure) {
            let place = format!("{} step {}", procedure.name(), step.id);
            back(&place, step)?;
            no_choice_by_hand(&place, step)?;
        }
    }
    guide.negative.ways().try_for_each(residue)
}

/// Whoever takes something away knows beforehand how it is given back, or that it is not.
fn back(place: &str, step: &Step) -> Result<(), Flaw> {
    let takes_away = step.changes() && step.phase.revokes();
    require(!takes_away || !step.reversible || step.back.is_some(), || {
        format!("{place} takes something away: it tells the way back, or that there is none (reversible = false)")
    })?;
    require(step.reversible || step.back.is_none(), || {
        format!("{place} cannot be undone, and has a way back")
    })?;
    let switches_off = takes_away && step.phase == PhaseName::Deactivated;
    require(!switches_off || step.reversible || step.caution.is_some(), || {
        format!("{place} switches something off for good: a caution says why there is no way back")
    })
}

/// A step that is not everybody's has a condition, which is answered once and not by each person who reads it.
fn no_choice_by_hand(place: &str, step: &Step) -> Result<(), Flaw> {
    static SKIP: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)\b(skip|leave this (step )?out)\b").ok());
    let texts = step.texts().map(written).chain(step.evidence.clone());
    for text in texts {
        let skips = SKIP.as_ref().is_none_or(|skip| skip.is_match(&text));
        require(!skips, || {
            format!("{place} is left to the reader to skip; an input and `only` decide that: {text}")
        })?;
    }
    Ok(())
}

/// After a revocation something may live on: for how long is said in figures, or that nobody has one.
fn residue(way: &Negative) -> Result<(), Flaw> {
    const LENGTH: &str = r"\b(\d+|an?|one|two|four|some) (second|minute|hour|day)s?\b|\bfigure\b";
    static TOLD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LENGTH).ok());
    let told = TOLD.as_ref().is_some_and(|told| told.is_match(&way.residue));
    require(told, || {
        format!(
            "the negative check tells neither how long something works on nor that there is no figure: {}",
            way.residue
        )
    })
}
