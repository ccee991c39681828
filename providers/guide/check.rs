//! What every guide has to keep, beyond its form.

use std::collections::BTreeSet;

use super::flaw::{Flaw, require};
use super::{
    Form, Guide, Negative, Only, Overlap, Piece, Probe, Procedure, Step, Template, commands, references, told,
};
use crate::PhaseName;
use crate::inputs::Rule;

/// Names the first thing that is wrong.
pub(super) fn check(guide: &Guide) -> Result<(), Flaw> {
    inputs(guide)?;
    for procedure in Procedure::ALL {
        steps(guide, procedure)?;
    }
    overlap(guide)?;
    choices(guide)?;
    references::check(guide)?;
    told::check(guide)?;
    corrections(guide)?;
    links(guide)?;
    checked(guide)?;
    super::probe::check::check(guide)?;
    commands::check(guide)?;
    let mut used: BTreeSet<String> = decided(guide).map(|(_, only)| only.input.clone()).collect();
    for (place, template) in templates(guide) {
        for piece in template.pieces() {
            if let Piece::Value { input, .. } = piece {
                require(guide.inputs.iter().any(|declared| declared.name == *input), || {
                    format!("{place} names `{{{input}}}`, which is no input")
                })?;
                used.insert(input.clone());
            }
        }
    }
    for input in &guide.inputs {
        require(used.contains(&*input.name), || {
            format!("input {} is used nowhere", input.name)
        })?;
    }
    require(!guide.sources.is_empty(), || "no source is given".to_owned())?;
    require(!guide.roles.is_empty(), || "no role is given".to_owned())
}

fn inputs(guide: &Guide) -> Result<(), Flaw> {
    let mut names = BTreeSet::new();
    for input in &guide.inputs {
        require(names.insert(&input.name), || {
            format!("input {} is declared twice", input.name)
        })?;
        let fits = match (&input.default, &input.rule) {
            (Some(default), Rule::Pattern(pattern, _)) => pattern.is_match(default),
            _ => true,
        };
        require(fits, || {
            format!("the default of input {} does not fit its pattern", input.name)
        })?;
        require(!(input.late && (input.required || input.identifies)), || {
            format!(
                "input {} can only be known later, so it can neither be required nor name the target",
                input.name
            )
        })?;
    }
    let identities = guide.inputs.iter().filter(|input| input.identifies).count();
    require(identities <= 1, || "more than one input names the target".to_owned())
}

fn steps(guide: &Guide, procedure: Procedure) -> Result<(), Flaw> {
    let steps = guide.steps(procedure);
    require(procedure != Procedure::Rotate || !steps.is_empty(), || {
        "there are no steps to rotate".to_owned()
    })?;
    let mut ids = BTreeSet::new();
    for step in steps {
        let place = format!("{} step {}", procedure.name(), step.id);
        require(ids.insert(&step.id), || format!("{place} exists twice"))?;
        let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        require(
            !step.id.is_empty() && step.id.chars().all(is_id) && !step.id.chars().all(|c| c.is_ascii_digit()),
            || format!("{place}: an id is made of small letters, digits and hyphens, and is not a number"),
        )?;
        require(step.phase.has_steps(), || {
            format!("{place}: no step belongs to the phase {}", step.phase)
        })?;
        require(step.effect != Some(step.phase.changes()), || {
            format!("{place}: its phase says already whether it changes anything")
        })?;
        evidence(&place, step)?;
    }
    for pair in steps.windows(2) {
        let in_order = procedure != Procedure::Rotate || pair[0].phase <= pair[1].phase;
        require(in_order, || {
            format!(
                "step {} belongs before step {}: {} comes first",
                pair[1].id, pair[0].id, pair[1].phase
            )
        })?;
    }
    Ok(())
}

/// What is noted down has a form that can be held against it.
fn evidence(place: &str, step: &Step) -> Result<(), Flaw> {
    let chooses = step.form == Form::Choice;
    require(step.form == Form::Text || step.evidence.is_some(), || {
        format!("{place} has a form for what is noted down, and nothing is")
    })?;
    require(chooses == (step.choices.len() > 1), || {
        format!("{place}: a choice is between two answers or more, and nothing else has answers")
    })
}

/// An answer that decides can be given.
fn choices(guide: &Guide) -> Result<(), Flaw> {
    for (place, only) in decided(guide) {
        let input = guide.inputs.iter().find(|input| input.name == only.input);
        let known = input.is_some_and(|input| input.choices().contains(&only.is.as_str()));
        require(known, || {
            format!(
                "{place} belongs to the plan where {} is {}, which nobody can answer",
                only.input, only.is
            )
        })?;
    }
    Ok(())
}

fn decided(guide: &Guide) -> impl Iterator<Item = (String, &Only)> {
    let ends = guide.negative.ways().flat_map(|way| &way.only);
    let ends = ends.map(|only| ("the negative check".to_owned(), only));
    let steps = Procedure::ALL.into_iter().flat_map(|procedure| {
        let steps = guide.steps(procedure).iter();
        steps.flat_map(move |step| {
            let place = format!("{} step {}", procedure.name(), step.id);
            step.only.iter().map(move |only| (place.clone(), only))
        })
    });
    let exceptions = guide.credential.unless.iter().flat_map(|one| &one.only);
    let exceptions = exceptions.map(|only| ("an exception to the overlap".to_owned(), only));
    steps.chain(ends).chain(exceptions)
}

/// Its facts were looked at in a month that there is.
fn checked(guide: &Guide) -> Result<(), Flaw> {
    let is_month = format!("{}-01", guide.checked).parse::<jiff::civil::Date>().is_ok();
    require(is_month && guide.checked.len() == 7, || {
        format!("checked is a month such as 2026-11, and not {}", guide.checked)
    })
}

/// Nothing is revoked before its replacement is seen at work; and where that is not possible, the plan says so.
fn overlap(guide: &Guide) -> Result<(), Flaw> {
    let proven = guide.rotate.iter().position(|step| step.phase == PhaseName::CutOver);
    let revoked = guide.rotate.iter().position(|step| step.phase.revokes());
    require(proven.is_some(), || "no step proves the cut-over".to_owned())?;
    require(
        revoked.is_none_or(|revoked| proven.is_some_and(|proven| proven < revoked)),
        || "the old credential is revoked before the cut-over is proven".to_owned(),
    )?;
    let credential = &guide.credential;
    let overlaps = credential.overlap == Overlap::Yes;
    let depends = credential.overlap == Overlap::Depends;
    require(!depends || credential.depends.is_some(), || {
        "it is not told what the overlap depends on".to_owned()
    })?;
    require(depends || credential.depends.is_none(), || {
        "the overlap depends on nothing, and is told to".to_owned()
    })?;
    require(overlaps || credential.pause.is_none(), || {
        "there is a pause although there may be a gap".to_owned()
    })?;
    require(!overlaps || credential.gap.is_none(), || {
        "there is a gap although old and new overlap".to_owned()
    })?;
    require(credential.unless.is_empty() || overlaps, || {
        "there is an exception to an overlap that there is not".to_owned()
    })?;
    require(credential.unless.iter().all(|one| !one.only.is_empty()), || {
        "an exception to the overlap has no answer that makes it".to_owned()
    })?;
    require(credential.overlap == Overlap::None || revoked.is_some(), || {
        "the old credential is never revoked".to_owned()
    })?;
    match credential.overlap {
        Overlap::Yes => Ok(()),
        Overlap::None => gap(guide, "without overlap"),
        Overlap::Depends => gap(guide, "where the overlap depends"),
    }
}

/// What may be missing for a while is said to be, and kept short.
fn gap(guide: &Guide, why: &str) -> Result<(), Flaw> {
    require(guide.credential.gap.is_some(), || format!("{why}, the gap is not told"))?;
    require(!guide.prepare.is_empty(), || {
        format!("{why}, nothing is said of what has to be ready")
    })?;
    let mut steps = guide.rotate.iter();
    let replaced = steps.any(|step| step.phase <= PhaseName::Delivered && !step.reversible);
    require(replaced, || format!("{why}, no step is told to be final"))
}

fn corrections(guide: &Guide) -> Result<(), Flaw> {
    for correction in &guide.corrections {
        require(!correction.procedures.is_empty(), || {
            format!("a correction is about no procedure: {}", correction.says)
        })?;
        for procedure in &correction.procedures {
            require(!guide.steps(*procedure).is_empty(), || {
                format!("a correction is about {}, which is not there", procedure.name())
            })?;
        }
    }
    Ok(())
}

fn links(guide: &Guide) -> Result<(), Flaw> {
    let steps = Procedure::ALL.into_iter().flat_map(|procedure| guide.steps(procedure));
    let links = steps.filter_map(|step| step.link.as_ref());
    for link in links.chain(guide.sources.iter().map(|source| &source.url)) {
        let good = url::Url::parse(link).is_ok_and(|url| url.scheme() == "https" && url.has_host());
        require(good, || format!("{link} is not an https address"))?;
    }
    Ok(())
}

/// Every text that values go into, with where it is.
fn templates(guide: &Guide) -> Vec<(String, &Template)> {
    let negative = guide.negative.ways().flat_map(Negative::texts);
    let probe = guide.probe.iter().flat_map(Probe::ways).flat_map(Probe::texts);
    let mut all: Vec<(String, &Template)> = negative.map(|text| ("the negative check".to_owned(), text)).collect();
    all.extend(probe.map(|text| ("the probe".to_owned(), text)));
    for procedure in Procedure::ALL {
        for step in guide.steps(procedure) {
            let place = format!("{} step {}", procedure.name(), step.id);
            all.extend(step.texts().map(|text| (place.clone(), text)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_guide_is_sound() {
        let flawed = |connector: &crate::Connector| Some(format!("{}: {}", connector.id, connector.guide().err()?));
        let flaws: Vec<String> = crate::CONNECTORS.iter().filter_map(flawed).collect();
        assert!(flaws.is_empty(), "{}", flaws.join("\n"));
        assert!(!crate::CONNECTORS.is_empty(), "there is no guide");
    }

    #[test]
    fn a_guide_repeats_no_rule_of_the_program() {
        let connector = crate::connector("s3-customer-managed").unwrap();
        let inputs = connector.automation.unwrap().inputs;
        let text = connector
            .guide
            .replacen("name = \"user\"", "name = \"user\"\npattern = \".+\"", 1);
        let told = crate::guide::Guide::read_beside(&text, inputs).unwrap_err().to_string();
        assert!(told.contains("input user has a pattern"), "{told}");
    }
}
