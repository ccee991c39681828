//! `rotate <connector>` for connectors that a person rotates, and for the others with `--manual`.
//!
//! Each has the inputs of its own guide as options, so these commands are built from the guides.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, CommandFactory};
use rotate_providers::guide::{Guide, Input, Procedure};
use rotate_providers::{CONNECTORS, Connector};

use super::one_shot::ALLOWANCE_SECONDS;
use super::session::{Session, locate, show, speaker, tell, tell_folder};
use super::target::target_name;
use super::{Exit, Global, terminal};
use crate::driver::{DriveError, Refusal};
use crate::evidence::value_looks_secret;
use crate::hooks::now;
use crate::machine::{Itinerary, Walk};
use crate::plan::{Guidance, lead};
use crate::render::Report;
use crate::state_folder::FolderError;
use crate::store::{Guided, Store, Stored};

/// The option that asks for the guide of an automated connector.
pub(super) const MANUAL: &str = "--manual";

/// The commands of all guided connectors; and, where asked for, those of the automated ones as guides too. A guide is read
/// only if the command line names it.
pub(super) fn commands(arguments: &[OsString]) -> Vec<clap::Command> {
    let named = |text: &str| arguments.iter().any(|argument| argument == text);
    let manual = named(MANUAL);
    let offered = CONNECTORS
        .iter()
        .filter(|connector| connector.automation.is_none() || (manual && named(connector.id)));
    offered
        .map(|connector| match named(connector.id).then(|| connector.guide()) {
            Some(Ok(guide)) => command(connector, &guide),
            _ => clap::Command::new(connector.id).hide(true),
        })
        .collect()
}

/// The whole command line, every guide read: for completions and manual pages.
pub(super) fn whole_command() -> clap::Command {
    let guided = CONNECTORS.iter().filter(|connector| connector.automation.is_none());
    let commands = guided.filter_map(|connector| Some(command(connector, &connector.guide().ok()?)));
    commands.fold(super::Cli::command(), clap::Command::subcommand)
}

fn command(connector: &'static Connector, guide: &Guide) -> clap::Command {
    let how = match connector.automation {
        Some(_) => "by hand, instead of through the vendor's API",
        None => "by hand: the vendor has no way to do it by program that rotate knows",
    };
    let procedures: Vec<&str> = Procedure::ALL
        .into_iter()
        .filter(|procedure| !guide.steps(*procedure).is_empty())
        .map(Procedure::name)
        .collect();
    let command = clap::Command::new(connector.id)
        .about(format!("Rotate the {} by hand, step by step", guide.title))
        .long_about(format!(
            "Prints the plan for the {} ({how}) and opens a guided rotation in the journal.\n\nTick its steps with `rotate \
             done`, or walk through them with `rotate walk`. The same command again shows what is behind.",
            guide.title
        ))
        .hide(true)
        .arg(
            Arg::new("procedure")
                .long("procedure")
                .value_name("PROCEDURE")
                .default_value("rotate")
                .value_parser(procedures)
                .help("Which procedure of the guide"),
        )
        .arg(flag("dry-run", "Print the plan; open nothing"))
        .arg(flag(
            "strict",
            "Refuse to begin while a value of the plan is not given, unless a step of it is what gives it",
        ))
        .arg(flag("again", "Open another one, although the last one ended within the last day"))
        .arg(flag("manual", "By hand; automated connectors only need it").hide(connector.automation.is_none()));
    guide
        .inputs
        .iter()
        .fold(command, |command, input| command.arg(option(input)))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn option(input: &Input) -> Arg {
    let default = input
        .default
        .as_ref()
        .map(|text| format!(" [default: {text}]"))
        .unwrap_or_default();
    Arg::new(input.name.clone())
        .long(input.name.replace('_', "-"))
        .value_name(input.name.to_uppercase())
        .help_heading("What the plan is about")
        .help(format!("{}{default}", sentence(&input.help)))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// What a command line asks for.
struct Asked {
    connector: &'static Connector,
    guide: Guide,
    procedure: Procedure,
    /// As they were typed.
    texts: BTreeMap<String, String>,
    /// As they are meant.
    values: BTreeMap<String, String>,
    target: String,
    dry_run: bool,
    strict: bool,
    again: bool,
}

/// Runs the command of a guided connector.
pub(super) async fn run(global: &Global, connector: &'static Connector, matches: &ArgMatches) -> Exit {
    let asked = match Asked::read(connector, matches) {
        Ok(asked) => asked,
        Err(flaw) => {
            terminal::error(&flaw, &[]);
            return Exit::Error;
        }
    };
    if let Some(refusal) = asked.refusal() {
        let error = DriveError::Refused(refusal);
        tell(&speaker(global), &asked.target, &error, None);
        return Exit::Usage;
    }
    match asked.opened(global).await {
        Ok(Ok(report)) => {
            show(global, &[report]);
            Exit::Ok
        }
        Ok(Err(error)) => {
            tell(&speaker(global), &asked.target, &error, None);
            let mut report = Report::unopened(&asked.target);
            report.fail(&error);
            show(global, &[report]);
            Exit::of_error(&error)
        }
        Err(error) => tell_folder(global, &error),
    }
}

impl Asked {
    fn read(connector: &'static Connector, matches: &ArgMatches) -> Result<Self, String> {
        let guide = connector
            .guide()
            .map_err(|flaw| format!("the guide of {}: {flaw}", connector.id))?;
        let wanted: Option<&String> = matches.get_one("procedure");
        let procedure = Procedure::ALL
            .into_iter()
            .find(|procedure| wanted.is_some_and(|wanted| wanted == procedure.name()))
            .unwrap_or(Procedure::Rotate);
        let texts: BTreeMap<String, String> = guide
            .inputs
            .iter()
            .filter_map(|input| Some((input.name.clone(), matches.get_one::<String>(&input.name)?.clone())))
            .collect();
        let meant = |input: &Input| Some((input.name.clone(), input.read(texts.get(&input.name)?)?));
        let values: BTreeMap<String, String> = guide.inputs.iter().filter_map(meant).collect();
        let identity = guide
            .identity()
            .and_then(|input| values.get(&input.name).or(input.default.as_ref()));
        Ok(Self {
            connector,
            procedure,
            target: target_name(connector.id, identity.map(String::as_str)),
            texts,
            values,
            dry_run: matches.get_flag("dry-run"),
            strict: matches.get_flag("strict"),
            again: matches.get_flag("again"),
            guide,
        })
    }

    /// What was given and cannot be taken; or what was not given and has to be.
    fn refusal(&self) -> Option<Refusal> {
        self.bad_value().or_else(|| self.left_open())
    }

    /// The first value that cannot be taken. The parser of the command line would repeat it; but somebody may have pasted a
    /// secret where none belongs.
    fn bad_value(&self) -> Option<Refusal> {
        self.guide.inputs.iter().find_map(|input| {
            let text = self.texts.get(&input.name)?;
            let option = input.option();
            if let Some(why) = value_looks_secret(&input.name, text) {
                let remedy = "leave it out, or give it without: values are kept in the clear; nothing was opened";
                return Some(Refusal::because(format!("{option} was not taken: {why}"), remedy));
            }
            // What begins with a hyphen is an option that follows one without a value.
            let fits = input.read(text).is_some() && !text.starts_with('-');
            (!fits).then(|| {
                Refusal::because(
                    format!("{option} should be {}, of the form {}", input.help, input.form()),
                    format!("nothing was opened; see: rotate {} --help", self.connector.id),
                )
            })
        })
    }

    /// With `--strict`, nothing may be left open that can be known by now.
    fn left_open(&self) -> Option<Refusal> {
        let guidance = Guidance::of(&self.guide, self.procedure, &self.values);
        let missing = guidance.missing.iter().filter(|missing| !missing.late);
        let missing: Vec<&str> = missing.map(|missing| missing.option.as_str()).collect();
        (self.strict && !missing.is_empty()).then(|| {
            let why = format!("the plan needs values that were not given: {}", missing.join(", "));
            Refusal::because(
                why,
                format!("nothing was opened; see: rotate {} --help", self.connector.id),
            )
        })
    }

    /// The plan with where it stands, which is opened unless this is a dry run.
    async fn opened(&self, global: &Global) -> Result<Result<Report, DriveError>, FolderError> {
        if self.dry_run {
            let latest = match locate(global)?.open_journal().await? {
                Some(store) => store.latest(&self.target).await?,
                None => None,
            };
            return Ok(self
                .standing(latest)
                .map(|standing| self.report(global, standing.as_ref())));
        }
        let session = Session::begin(global).await?;
        Ok(self.open(global, &session).await)
    }

    async fn open(&self, global: &Global, session: &Session) -> Result<Report, DriveError> {
        let latest = session.store.latest(&self.target).await?;
        let guided = match self.standing(latest)? {
            Some(standing) => standing,
            None => session.walker().open(&self.target, self.itinerary()).await?,
        };
        Ok(self.report(global, Some(&guided)))
    }

    /// The guided rotation that this command goes on with; `None` where it opens one.
    fn standing(&self, latest: Option<Stored>) -> Result<Option<Guided>, DriveError> {
        let Some(latest) = latest else { return Ok(None) };
        let ended_now = latest.is_recent();
        let guided = match latest.sort() {
            Err(guided) => *guided,
            Ok(automated) if automated.rotation.phase.is_closed() => return Ok(None),
            Ok(automated) => return Err(DriveError::Refused(Refusal::not_walked(&automated.target))),
        };
        let walk = &guided.rotation;
        let conflict = self.conflict(walk);
        if walk.is_closed() {
            let counts = walk.is_done() && (!walk.rotates() || walk.rotated_at().is_some());
            let repeats = conflict.is_none() && ended_now && counts && !self.again;
            return Ok(repeats.then_some(guided));
        }
        match conflict {
            None => Ok(Some(guided)),
            Some(why) => Err(DriveError::Refused(Refusal::walk(&self.target, &why))),
        }
    }

    /// Why this command cannot be meant for that walk. Values that one of the two lacks are none.
    fn conflict(&self, walk: &Walk) -> Option<String> {
        let itinerary = &walk.itinerary;
        let procedure = &itinerary.procedure;
        if procedure != self.procedure.name() {
            return Some(format!(
                "its `{procedure}` is open: that one ends first, or is given up"
            ));
        }
        let differs = |input: &&Input| {
            let (asked, kept) = (self.values.get(&input.name), itinerary.values.get(&input.name));
            asked.is_some() && kept.is_some() && asked != kept
        };
        let others: Vec<String> = self.guide.inputs.iter().filter(differs).map(Input::option).collect();
        (!others.is_empty()).then(|| {
            let others = others.join(", ");
            format!("another `{procedure}` of it is open, which was begun with other values ({others})")
        })
    }

    /// The values that the plan is filled with: those of the opening, and those that were learned since.
    fn filled(&self, guided: Option<&Guided>) -> BTreeMap<String, String> {
        let mut values = self.values.clone();
        values.extend(
            guided
                .iter()
                .flat_map(|guided| guided.rotation.itinerary.values.clone()),
        );
        values
    }

    /// Says which values are only shown.
    fn tell_unkept(&self, guided: &Guided) {
        let kept = &guided.rotation.itinerary.values;
        let new = |input: &&Input| self.values.contains_key(&input.name) && !kept.contains_key(&input.name);
        let new: Vec<String> = self.guide.inputs.iter().filter(new).map(Input::option).collect();
        if !new.is_empty() {
            terminal::note(&format!(
                "shown in this plan only, as it was begun without: {}; give it again to see it again",
                new.join(", ")
            ));
        }
    }

    fn itinerary(&self) -> Itinerary {
        let id = self.connector.id;
        Itinerary::of(id, &self.guide, self.procedure, &self.values, ALLOWANCE_SECONDS)
    }

    fn report(&self, global: &Global, guided: Option<&Guided>) -> Report {
        let values = self.filled(guided);
        let guidance = Guidance::of(&self.guide, self.procedure, &values);
        let walk = guided.map(|guided| &guided.rotation);
        let steps = lead(&self.guide, self.procedure, &values, walk);
        match guided {
            Some(guided) => {
                self.tell_unkept(guided);
                walking(global, guided).with_guide(guidance, steps)
            }
            None => Report::unwalked(&self.target, guidance, steps),
        }
    }
}

/// Where a guided rotation stands, and whether its end counts.
fn walking(global: &Global, guided: &Guided) -> Report {
    let walk = &guided.rotation;
    let mut report = Report::walking(&guided.target, &guided.id, walk, now(), &speaker(global));
    if walk.rotates() && walk.is_done() && walk.rotated_at().is_none() {
        let behind = report.reason.take().unwrap_or_default();
        report.reason = Some(format!("{NOT_ROTATED}; {behind}"));
    }
    report
}

/// What is said of a walk to the end of which the steps that matter were left out.
const NOT_ROTATED: &str =
    "closed, not rotated: every step was left out that makes the new credential, or delivers it, or proves it";

/// What a walk has come to, once every step is behind.
pub(super) fn ending(walk: &Walk) -> Option<String> {
    walk.is_done().then(|| match walk.rotated_at() {
        Some(at) => format!("every step is behind: rotated on {}", at.strftime("%Y-%m-%d")),
        None if walk.rotates() => NOT_ROTATED.to_owned(),
        None => format!("every step of `{}` is behind", walk.itinerary.procedure),
    })
}

/// The report of a guided rotation with its whole plan, from what the journal keeps.
pub(super) fn story(global: &Global, guided: &Guided) -> Report {
    let walk = &guided.rotation;
    let report = walking(global, guided);
    let itinerary = &walk.itinerary;
    let guide = rotate_providers::connector(&itinerary.connector).and_then(|connector| connector.guide().ok());
    let procedure = Procedure::ALL
        .into_iter()
        .find(|procedure| procedure.name() == itinerary.procedure);
    match (guide, procedure) {
        (Some(guide), Some(procedure)) => {
            let guidance = Guidance::of(&guide, procedure, &itinerary.values);
            let steps = lead(&guide, procedure, &itinerary.values, Some(walk));
            report.with_guide(guidance, steps)
        }
        _ => report,
    }
}
