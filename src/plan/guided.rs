//! The plan of a guided rotation: the guide with the person's own values in it, and what is done.

use std::collections::BTreeMap;

use rotate_providers::PhaseName;
use rotate_providers::guide::{
    Certainty, Command, Guide, Negative, Only, Overlap, PLATFORM, Procedure, Source, Step, Template,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{GuidedStep, Planned, StepState, Typed, WayBack};
use crate::machine::{GuidedRotation, GuidedSpec, StepRecord};

/// What a person has to know before the first step.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Guidance {
    /// What is rotated.
    pub title: String,
    /// Who made the other side.
    pub vendor: String,
    /// Which procedure.
    pub procedure: Procedure,
    /// What the credential is.
    pub credential: String,
    /// How many can exist at once.
    pub coexist: String,
    /// When it expires by itself.
    pub expires: String,
    /// Whether old and new work at the same time: `yes`, `none` or `depends`; of a rotation only.
    pub overlap: Option<Overlap>,
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
    /// What to type for that.
    pub dead_typed: Option<Typed>,
    /// What still works for a while.
    pub residue: Option<String>,
    /// Where the facts are from.
    pub sources: Vec<Cited>,
    /// The month in which they were looked at last.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}$"))]
    pub checked: String,
}

/// Where a fact is from.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Cited {
    /// The page.
    #[schemars(regex(pattern = "^https://"))]
    pub url: String,
    /// What it says that is used here.
    pub says: String,
    /// `seen` in the source, or `unchecked`.
    pub certainty: Certainty,
}

/// A value that was not given.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Missing {
    /// The option that gives it.
    #[schemars(regex(pattern = "^--[a-z0-9-]+$"))]
    pub option: String,
    /// What it is.
    pub help: String,
    /// Whether the plan is of little use without it.
    pub required: bool,
    /// Whether nobody can know it before one of the steps is taken.
    pub late: bool,
}

type Values = BTreeMap<String, String>;

/// The guide of a guided rotation, as it is today, and which of its procedures is walked; `None` where this version has none.
pub fn procedure_of(itinerary: &GuidedSpec) -> Option<(Guide, Procedure)> {
    let guide = rotate_providers::connector(&itinerary.connector)?.guide().ok()?;
    Some((guide, Procedure::named(&itinerary.procedure)?))
}

impl Guidance {
    /// What a guide says to whoever begins this procedure with these values.
    pub fn of(guide: &Guide, procedure: Procedure, given: &Values) -> Self {
        let values = &guide.with_defaults(given);
        let steps = guide.steps_for(procedure, given);
        let filling = Filling::of(values, steps.iter().map(|step| step.id.as_str()).collect());
        let inputs = guide.inputs_of(procedure).into_iter();
        let missing = inputs.filter(|input| !values.contains_key(&*input.name));
        let credential = &guide.credential;
        let ends = guide.negative.ways_for(values);
        let rotates = procedure == Procedure::Rotate;
        let exception = credential.exception(values).filter(|_| rotates);
        let of_rotation = |text: &Option<String>| text.clone().filter(|_| rotates);
        Self {
            title: guide.title.clone(),
            vendor: guide.vendor.clone(),
            procedure,
            credential: credential.what.clone(),
            coexist: credential.coexist.clone(),
            expires: credential.expires.clone(),
            overlap: rotates.then(|| credential.overlap_with(values)),
            depends: of_rotation(&credential.depends),
            gap: exception.map(str::to_owned).or_else(|| of_rotation(&credential.gap)),
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
            dead: rotates.then(|| filling.either(&ends, |way| filling.end(guide, way))),
            dead_typed: ends
                .iter()
                .find_map(|way| way.command.as_ref())
                .filter(|_| rotates)
                .map(|command| filling.typed(command)),
            residue: rotates.then(|| filling.either(&ends, |way| way.residue.clone())),
            sources: guide.sources.iter().map(Cited::of).collect(),
            checked: guide.checked.clone(),
        }
    }

    /// What has to be known first: a warning, where something may stop on the way, and a sentence.
    pub fn opening(&self) -> (Option<&'static str>, String) {
        let (vendor, gap) = (&self.vendor, self.gap.as_deref().unwrap_or_default());
        match (self.procedure, &self.depends, self.gap.is_some(), &self.pause) {
            (Procedure::Disconnect, ..) => {
                let what = format!("This cuts {PLATFORM} off from {vendor}: its jobs stop, and nothing new is made.");
                (None, what)
            }
            (Procedure::Reconnect, ..) => {
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

    /// The pages that the facts are from, each once, with what was read there and what was not.
    pub fn pages(&self) -> Vec<String> {
        let mut pages: Vec<(&str, [Vec<&str>; 2])> = Vec::new();
        for source in &self.sources {
            let at = usize::from(source.certainty == Certainty::Unchecked);
            match pages.iter_mut().find(|(url, _)| *url == source.url) {
                Some((_, says)) => says[at].push(&source.says),
                None => {
                    let mut says = [Vec::new(), Vec::new()];
                    says[at].push(source.says.as_str());
                    pages.push((&source.url, says));
                }
            }
        }
        let told = |name: &str, says: &[&str]| (!says.is_empty()).then(|| format!("{name}: {}", says.join("; ")));
        let line = |(url, [seen, unchecked]): (&str, [Vec<&str>; 2])| {
            let says = [told("seen", &seen), told("UNCHECKED", &unchecked)];
            let says: Vec<String> = says.into_iter().flatten().collect();
            format!("{url} · {}", says.join(". "))
        };
        pages.into_iter().map(line).collect()
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
            certainty: source.certainty,
        }
    }
}

/// The steps of a procedure, with what became of them. Those of a walk are the ones that it was opened with, so that each keeps
/// its number, whatever has become of the guide since.
pub fn lead(guide: &Guide, procedure: Procedure, given: &Values, walk: Option<&GuidedRotation>) -> Vec<Planned> {
    let values = guide.with_defaults(given);
    let steps = guide.steps_for(procedure, given);
    let ids: Vec<&str> = match walk {
        Some(walk) => walk.itinerary.steps.iter().map(String::as_str).collect(),
        None => steps.iter().map(|step| step.id.as_str()).collect(),
    };
    let gap = guide.gap(&steps, &values).filter(|_| procedure == Procedure::Rotate);
    let in_gap = |id: &str| {
        let at = steps.iter().position(|step| step.id == id);
        gap.zip(at)
            .is_some_and(|((first, last), at)| (first..=last).contains(&at))
    };
    let filling = Filling::of(&values, ids.clone());
    let mut phase = PhaseName::Opened;
    let planned = ids.iter().map(|id| {
        let tick = walk.and_then(|walk| walk.tick_of(id));
        let step = guide.steps(procedure).iter().find(|step| step.id == **id);
        let planned = match step {
            Some(step) => planned(guide, step, &filling, tick, in_gap(id)),
            None => dropped(id, phase, tick),
        };
        phase = planned.phase;
        planned
    });
    planned.collect()
}

fn planned(guide: &Guide, step: &Step, filling: &Filling<'_>, tick: Option<&StepRecord>, in_gap: bool) -> Planned {
    let fill = |template: &Option<Template>| template.as_ref().map(|template| filling.text(template));
    let typed = step.command.as_ref().map(|command| filling.typed(command));
    let only = unanswered(&step.only, filling.values);
    let back = step.back.as_ref().map(|back| WayBack {
        what: filling.text(&back.action),
        typed: back.command.as_ref().map(|command| filling.typed(command)),
        finish: filling.text(&back.finish),
        finish_typed: back.finish_command.as_ref().map(|command| filling.typed(command)),
    });
    Planned {
        phase: step.phase,
        who: step.actor.title(&guide.vendor),
        what: filling.text(&step.action),
        effect: step.changes(),
        reversible: step.reversible,
        at: None,
        guided: Some(GuidedStep {
            place: fill(&step.place),
            command: typed.as_ref().map(|typed| typed.command.clone()),
            language: typed.as_ref().map(|typed| typed.language),
            expect: fill(&step.expect),
            evidence: step.evidence.clone(),
            answers: step.choices.clone(),
            only,
            in_gap,
            caution: fill(&step.caution),
            once: typed.and_then(|typed| typed.once),
            back,
            link: step.link.clone(),
            ..GuidedStep::bare(&step.id, tick)
        }),
    }
}

/// A step that the guide had when the walk began, and has no longer.
fn dropped(id: &str, phase: PhaseName, tick: Option<&StepRecord>) -> Planned {
    Planned {
        phase,
        who: "You".to_owned(),
        what: "The guide has this step no longer. If it was not taken, skip it.".to_owned(),
        effect: false,
        reversible: true,
        at: None,
        guided: Some(GuidedStep::bare(id, tick)),
    }
}

impl GuidedStep {
    fn bare(id: &str, tick: Option<&StepRecord>) -> Self {
        Self {
            step: id.to_owned(),
            place: None,
            command: None,
            language: None,
            expect: None,
            evidence: None,
            answers: Vec::new(),
            only: None,
            in_gap: false,
            caution: None,
            once: None,
            back: None,
            link: None,
            state: StepState::of(tick),
            tick: tick.cloned(),
        }
    }
}

/// The answers that decide and are not given yet, as they would be; `None` where all are.
fn unanswered(conditions: &[Only], values: &Values) -> Option<String> {
    let open = conditions.iter().filter(|only| !values.contains_key(&only.input));
    let open: Vec<String> = open
        .map(|only| format!("--{} {}", only.input.replace('_', "-"), only.is))
        .collect();
    (!open.is_empty()).then(|| open.join(" and "))
}

/// What goes into the texts of one plan: the values, and the numbers of its steps.
struct Filling<'a> {
    values: &'a Values,
    ids: Vec<&'a str>,
}

impl<'a> Filling<'a> {
    fn of(values: &'a Values, ids: Vec<&'a str>) -> Self {
        Self { values, ids }
    }

    fn text(&self, template: &Template) -> String {
        let number = |id: &str| self.ids.iter().position(|other| *other == id).map(|at| at + 1);
        template.fill_numbered(self.values, &number)
    }

    /// How the end of the old credential is seen in one way.
    fn end(&self, guide: &Guide, way: &Negative) -> String {
        let (who, action) = (way.actor.title(&guide.vendor), self.text(&way.action));
        format!("{who}: {action} Expect: {}", self.text(&way.expect))
    }

    /// What is said of the one way; or of each, with its answer, while nobody has given that.
    fn either(&self, ways: &[&Negative], says: impl Fn(&Negative) -> String) -> String {
        let said = ways.iter().map(|way| match unanswered(&way.only, self.values) {
            Some(only) => format!("With {only}: {}.", says(way).trim_end_matches('.')),
            None => says(way),
        });
        said.collect::<Vec<_>>().join(" ")
    }

    fn typed(&self, command: &Command) -> Typed {
        Typed {
            command: self.text(&command.text),
            language: command.language,
            once: command.unknown.as_ref().map(|unknown| self.text(unknown)),
        }
    }
}
