//! Whoever reads a plan finds in it every step that it speaks of, and one way to see that the old credential is dead.

use std::collections::{BTreeMap, BTreeSet};

use super::flaw::{Flaw, require};
use super::{Guide, Only, Procedure, Step, Template};

/// Names the first text that speaks of what may not be there.
pub(super) fn check(guide: &Guide) -> Result<(), Flaw> {
    for procedure in Procedure::ALL {
        let steps = guide.steps(procedure);
        for step in steps {
            let place = format!("{} step {}", procedure.name(), step.id);
            for id in step.texts().flat_map(Template::steps) {
                refers(&place, &step.only, id, steps)?;
            }
        }
    }
    for way in guide.negative.ways() {
        for id in way.texts().flat_map(Template::steps) {
            refers("the negative check", &way.only, id, &guide.rotate)?;
        }
        require(std::ptr::eq(way, &guide.negative) || way.or.is_empty(), || {
            "another way of the negative check has ways of its own".to_owned()
        })?;
    }
    one_way(guide)
}

/// A step is left out with the answers that it is not for, and whoever speaks of it has to be left out with them.
fn refers(place: &str, only: &[Only], id: &str, steps: &[Step]) -> Result<(), Flaw> {
    let step = steps.iter().find(|step| step.id == id);
    require(step.is_some(), || {
        format!("{place} refers to step {id}, which is not there")
    })?;
    let mut needed = step.iter().flat_map(|step| &step.only);
    match needed.find(|condition| !only.contains(condition)) {
        None => Ok(()),
        Some(missing) => require(false, || {
            format!(
                "{place} refers to step {id}, which is left out unless {} is {}",
                missing.input, missing.is
            )
        }),
    }
}

/// For every answer there is one way of the negative check, and no second one.
fn one_way(guide: &Guide) -> Result<(), Flaw> {
    let conditions = guide.negative.ways().flat_map(|way| &way.only);
    let asked: BTreeSet<&str> = conditions.map(|only| only.input.as_str()).collect();
    let asked = guide.inputs.iter().filter(|input| asked.contains(&*input.name));
    let combinations = asked.fold(vec![BTreeMap::new()], |all, input| {
        let with = |values: &BTreeMap<String, String>| -> Vec<BTreeMap<String, String>> {
            let answers = input.choices().into_iter();
            let answered = answers.map(|answer| (input.name.to_string(), answer.to_owned()));
            answered
                .map(|one| values.clone().into_iter().chain([one]).collect())
                .collect()
        };
        all.iter().flat_map(with).collect()
    });
    for values in combinations {
        let ways = guide.negative.ways_for(&values).len();
        require(ways == 1, || {
            let answers: Vec<String> = values
                .iter()
                .map(|(input, answer)| format!("{input} is {answer}"))
                .collect();
            format!(
                "where {}, there are {ways} ways of the negative check, and not one",
                answers.join(" and ")
            )
        })?;
    }
    Ok(())
}
