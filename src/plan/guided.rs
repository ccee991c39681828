//! The plan of a guided rotation: the guide with the person's own values in it, and what is done.

use std::collections::BTreeMap;

use rotate_providers::guide::{Certainty, Guide, Language, PLATFORM, Procedure, Source, Step, Template};
use serde::Serialize;

use super::{GuidedStep, Planned, StepState};
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
    /// Whether old and new work at the same time: `yes`, `none` or `depends`; of a rotation only.
    pub overlap: Option<&'static str>,
    /// What decides it, where that depends.
    pub depends: Option<String>,
    /// How long nothing works, where they do not.
    pub gap: Option<String>,
    /// How long the connection stops all the same, where they do.
    pub pause: Option<String>,
    /// The roles that are needed.
    pub roles: Vec<String>,
    /// What else stops with the credential.
    pub affects: Vec<String>,
    /// What has to be ready; of a rotation only.
    pub prepare: Vec<String>,
    /// What the plan would be more exact with.
    pub missing: Vec<Missing>,
    /// Where this differs from the source documents, and why.
    pub corrections: Vec<String>,
    /// How to see that the old credential is dead; of a rotation only.
    pub dead: Option<String>,
    /// What still works for a while.
    pub residue: Option<String>,
    /// Where the facts are from.
    pub sources: Vec<Cited>,
}

/// Where a fact is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cited {
    /// The page.
    pub url: String,
    /// What it says that is used here.
    pub says: String,
    /// `seen` in the source, or `unchecked`.
    pub certainty: &'static str,
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
    /// Whether nobody can know it before one of the steps is taken.
    pub late: bool,
}

type Values = BTreeMap<String, String>;

impl Guidance {
    /// What a guide says to whoever begins this procedure with these values.
    pub fn of(guide: &Guide, procedure: Procedure, given: &Values) -> Self {
        let values = &with_defaults(guide, given);
        let inputs = guide.inputs_of(procedure).into_iter();
        let missing = inputs.filter(|input| !values.contains_key(&*input.name));
        let credential = &guide.credential;
        let negative = &guide.negative;
        let rotates = procedure == Procedure::Rotate;
        let of_rotation = |text: &Option<String>| text.clone().filter(|_| rotates);
        Self {
            title: guide.title.clone(),
            vendor: guide.vendor.clone(),
            procedure: procedure.name(),
            credential: credential.what.clone(),
            coexist: credential.coexist.clone(),
            expires: credential.expires.clone(),
            overlap: rotates.then(|| credential.overlap.name()),
            depends: of_rotation(&credential.depends),
            gap: of_rotation(&credential.gap),
            pause: of_rotation(&credential.pause),
            roles: guide.roles.clone(),
            affects: guide.affects.clone(),
            prepare: if rotates { guide.prepare.clone() } else { Vec::new() },
            missing: missing
                .map(|input| Missing {
                    option: input.option(),
                    help: input.help.to_string(),
                    required: input.required,
                    late: input.late,
                })
                .collect(),
            corrections: guide
                .corrections
                .iter()
                .filter(|correction| correction.procedures.contains(&procedure))
                .map(|correction| format!("In the source: {} Here: {}", correction.says, correction.instead))
                .collect(),
            dead: rotates.then(|| {
                format!(
                    "{}: {} Expect: {}",
                    negative.actor.title(&guide.vendor),
                    negative.action.fill(values),
                    negative.expect.fill(values)
                )
            }),
            residue: of_rotation(&negative.residue),
            sources: guide.sources.iter().map(Cited::of).collect(),
        }
    }

    /// What has to be known first: a warning, where something may stop on the way, and a sentence.
    pub fn opening(&self) -> (Option<&'static str>, String) {
        let (vendor, gap) = (&self.vendor, self.gap.as_deref().unwrap_or_default());
        match (self.procedure, &self.depends, self.gap.is_some(), &self.pause) {
            ("disconnect", ..) => {
                let what = format!("This cuts {PLATFORM} off from {vendor}: its jobs stop, and nothing new is made.");
                (None, what)
            }
            ("reconnect", ..) => {
                let what = format!("This connects {PLATFORM} to {vendor} again, with a new credential.");
                (None, what)
            }
            (_, Some(depends), ..) => {
                let what = format!("on {depends}. Where they do not overlap, the gap: {gap}.");
                (Some("OVERLAP DEPENDS"), what)
            }
            (_, None, true, _) => (Some("NO OVERLAP."), format!("The gap: {gap}.")),
            (_, None, false, Some(pause)) => (
                Some("A PAUSE:"),
                format!("{pause}. Apart from that, both credentials work."),
            ),
            (_, None, false, None) => {
                let what = "Old and new work at the same time until the old one is revoked.";
                (None, what.to_owned())
            }
        }
    }

    /// The pages that the facts are from, each once; those where nothing was read are marked.
    pub fn pages(&self) -> Vec<String> {
        let mut pages: Vec<(&str, bool)> = Vec::new();
        for source in &self.sources {
            let seen = source.certainty == Certainty::Seen.name();
            match pages.iter_mut().find(|(url, _)| *url == source.url) {
                Some((_, known)) => *known |= seen,
                None => pages.push((&source.url, seen)),
            }
        }
        let marked = |(url, seen): (&str, bool)| format!("{url}{}", if seen { "" } else { " (unchecked)" });
        pages.into_iter().map(marked).collect()
    }
}

impl Missing {
    /// How much it is needed, in a word.
    pub fn need(&self) -> &'static str {
        match (self.required, self.late) {
            (true, _) => "needed",
            (false, true) => "later",
            (false, false) => "optional",
        }
    }
}

impl Cited {
    fn of(source: &Source) -> Self {
        Self {
            url: source.url.clone(),
            says: source.says.clone(),
            certainty: source.certainty.name(),
        }
    }
}

/// The steps of a procedure, with what became of them.
pub fn lead(guide: &Guide, procedure: Procedure, given: &Values, walk: Option<&Walk>) -> Vec<Planned> {
    let values = with_defaults(guide, given);
    let steps = guide.steps(procedure).iter();
    steps.map(|step| planned(guide, step, &values, walk)).collect()
}

fn planned(guide: &Guide, step: &Step, values: &Values, walk: Option<&Walk>) -> Planned {
    let fill = |template: &Option<Template>| template.as_ref().map(|template| template.fill(values));
    let command = step.command.as_ref();
    let tick = walk.and_then(|walk| walk.tick_of(&step.id));
    Planned {
        phase: step.phase.name(),
        who: step.actor.title(&guide.vendor),
        what: step.action.fill(values),
        effect: step.changes(),
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
            state: StepState::of(tick),
            tick: tick.cloned(),
        }),
    }
}

fn with_defaults(guide: &Guide, given: &Values) -> Values {
    let defaults = guide
        .inputs
        .iter()
        .filter_map(|input| Some((input.name.to_string(), input.default.as_ref()?.to_string())));
    defaults.chain(given.clone()).collect()
}
