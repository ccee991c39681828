//! The plan of a guided rotation: the guide with the person's own values in it, and what is behind.

use std::collections::BTreeMap;

use rotate_providers::guide::{Actor, Guide, Language, Overlap, Phase, Procedure, Step, Template};
use serde::Serialize;

use super::{GuidedStep, Planned};
use crate::machine::Walk;

/// What a person has to know before the first step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Guidance {
    /// What is rotated.
    pub title: String,
    /// Who made the other side.
    pub vendor: String,
    /// Which procedure.
    pub procedure: &'static str,
    /// What the credential is.
    pub credential: String,
    /// How many can exist at once.
    pub coexist: String,
    /// When it expires by itself.
    pub expires: String,
    /// Whether old and new work at the same time.
    pub overlap: bool,
    /// How long nothing works, where they do not.
    pub gap: Option<String>,
    /// The roles that are needed.
    pub roles: Vec<String>,
    /// What else stops with the credential.
    pub affects: Vec<String>,
    /// What has to be ready.
    pub prepare: Vec<String>,
    /// What the plan would be more exact with.
    pub missing: Vec<Missing>,
    /// Where this differs from the source documents, and why.
    pub corrections: Vec<String>,
    /// How to see that the old credential is dead.
    pub dead: String,
    /// What still works for a while.
    pub residue: Option<String>,
    /// Where the facts are from.
    pub sources: Vec<String>,
}

/// A value that was not given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The option that gives it.
    pub option: String,
    /// What it is.
    pub help: String,
    /// Whether the plan is of little use without it.
    pub required: bool,
}

type Values = BTreeMap<String, String>;

impl Guidance {
    /// What a guide says to whoever begins this procedure with these values.
    pub fn of(guide: &Guide, procedure: Procedure, given: &Values) -> Self {
        let values = &with_defaults(guide, given);
        let missing = guide.inputs.iter().filter(|input| !values.contains_key(&input.name));
        let credential = &guide.credential;
        let negative = &guide.negative;
        Self {
            title: guide.title.clone(),
            vendor: guide.vendor.clone(),
            procedure: procedure.name(),
            credential: credential.what.clone(),
            coexist: credential.coexist.clone(),
            expires: credential.expires.clone(),
            overlap: credential.overlap == Overlap::Yes,
            gap: credential.gap.clone(),
            roles: guide.roles.clone(),
            affects: guide.affects.clone(),
            prepare: guide.prepare.clone(),
            missing: missing
                .map(|input| Missing {
                    option: format!("--{}", input.name.replace('_', "-")),
                    help: input.help.clone(),
                    required: input.required,
                })
                .collect(),
            corrections: guide
                .corrections
                .iter()
                .map(|correction| format!("The source says: {} Here: {}", correction.says, correction.instead))
                .collect(),
            dead: format!(
                "{}: {} Expect: {}",
                negative.actor.title(&guide.vendor),
                negative.action.fill(values),
                negative.expect.fill(values)
            ),
            residue: negative.residue.clone(),
            sources: guide.sources.iter().map(|source| source.url.clone()).collect(),
        }
    }
}

/// The steps of a procedure, with what is behind of them.
pub fn lead(guide: &Guide, procedure: Procedure, given: &Values, walk: Option<&Walk>) -> Vec<Planned> {
    let values = with_defaults(guide, given);
    let steps = guide.steps(procedure).iter();
    steps.map(|step| planned(guide, step, &values, walk)).collect()
}

fn planned(guide: &Guide, step: &Step, values: &Values, walk: Option<&Walk>) -> Planned {
    let fill = |template: &Option<Template>| template.as_ref().map(|template| template.fill(values));
    let command = step.command.as_ref();
    let ticks = walk.map(|walk| walk.ticks.as_slice()).unwrap_or_default();
    Planned {
        phase: step.phase.name(),
        who: step.actor.title(&guide.vendor),
        what: step.action.fill(values),
        effect: step.phase != Phase::Opened && step.actor != Actor::Operator,
        reversible: step.reversible,
        at: None,
        guided: Some(GuidedStep {
            step: step.id.clone(),
            place: fill(&step.place),
            command: command.map(|command| command.text.fill(values)),
            language: command.map(|command| match command.language {
                Language::Shell => "shell",
                Language::Sql => "sql",
            }),
            expect: fill(&step.expect),
            evidence: step.evidence.clone(),
            caution: fill(&step.caution),
            link: step.link.clone(),
            tick: ticks.iter().find(|tick| tick.step == step.id).cloned(),
        }),
    }
}

fn with_defaults(guide: &Guide, given: &Values) -> Values {
    let defaults = guide
        .inputs
        .iter()
        .filter_map(|input| Some((input.name.clone(), input.default.clone()?)));
    defaults.chain(given.clone()).collect()
}
