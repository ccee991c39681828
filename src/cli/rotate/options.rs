//! Options, from what connectors are told and from what every rotation may be told.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ValueEnum};
use rotate_providers::guide::{Guide, Procedure};
use rotate_providers::inputs::{Form, InputSpec};
use rotate_providers::{Automation, Connector, connectors};

use crate::config::Defaults;
use crate::delivery;
use crate::duration::{self, written};
use crate::machine::{Cutover, LostKey, Prove};

/// The command of a connector that a person rotates, with the inputs of its guide as options.
pub(super) fn guided_command(connector: &'static Connector, guide: &Guide) -> clap::Command {
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
            "Prints the plan for the {} ({how}). With --begin it also begins: a guided rotation is opened in the journal. \
             StepRecord its steps with `rotate done`, or walk through them with `rotate walk`. The same command again shows what \
             is done.\n\nWhere rotate.toml names the same credential, the rotation is the one of its target there, and the \
             values that it gives need not be given again.",
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
        .arg(flag(
            "begin",
            "Begin: open the rotation in the journal; refused while a value that the plan needs is not given",
        ))
        .arg(flag("dry_run", "Only print the plan, as without --begin").conflicts_with("begin"))
        .arg(flag(
            "strict",
            "Refuse also while another value is not given, unless a step of the plan is what gives it",
        ))
        .arg(flag("brief", "Print the plan as a checklist of one line a step"))
        .arg(flag("again", "Begin another one, although the last one ended within the last day"))
        .arg(flag("manual", "By hand; automated connectors only need it").hide(connector.automation.is_none()));
    guide
        .inputs
        .iter()
        .fold(command, |command, input| command.arg(of_guide(input)))
}

/// The options of whatever can be tried. Those of the connector that is named are shown, and the others are taken all the same:
/// which connector a target of rotate.toml has is not known before that file is read.
pub(super) fn of_probes(arguments: &[OsString]) -> Vec<Arg> {
    let mut options: BTreeMap<String, Arg> = BTreeMap::new();
    for connector in connectors() {
        let Some(guide) = connector.guide().ok().filter(|guide| guide.probe.is_some()) else {
            continue;
        };
        let is_named = arguments
            .iter()
            .filter_map(|argument| argument.to_str())
            .any(|argument| {
                argument
                    .strip_prefix(connector.id)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
        for input in &guide.inputs {
            let name = input.name.to_string();
            if is_named {
                options.insert(name, of_guide(input).help_heading("What is tried"));
            } else {
                options.entry(name).or_insert_with(|| of_guide(input).hide(true));
            }
        }
    }
    options.into_values().collect()
}

/// What connectors are told whose credential can be tried.
pub(in crate::cli) fn inputs_of_probes() -> BTreeSet<String> {
    let guides = connectors().filter_map(|connector| connector.guide().ok().filter(|guide| guide.probe.is_some()));
    guides
        .flat_map(|guide| guide.inputs.into_iter().map(|input| input.name.to_string()))
        .collect()
}

/// The option of an input of a guide: its value is looked at later, because somebody may have pasted a secret where none
/// belongs, and the parser would repeat it.
fn of_guide(input: &InputSpec) -> Arg {
    let default = input
        .default
        .as_ref()
        .map(|text| format!(" [default: {text}]"))
        .unwrap_or_default();
    named(input)
        .help_heading("What the plan is about")
        .help(format!("{}{default}", sentence(&input.help)))
}

/// The options of a connector's inputs. What does not fit is told by the parser.
pub(super) fn of_program(inputs: &'static [InputSpec]) -> impl Iterator<Item = Arg> {
    inputs.iter().map(move |input| {
        let otherwise = input
            .otherwise
            .map(|words| format!(" [default: {words}]"))
            .unwrap_or_default();
        let mut option = named(input)
            .required(input.required)
            .help(format!("{}{otherwise}", sentence(&input.help)));
        if let Some(default) = &input.default {
            option = option.default_value(default.to_string());
        }
        if let Some(needed) = input.needs {
            option = option.requires(needed);
        }
        if input.one_of.is_some() {
            let others = inputs
                .iter()
                .filter(|other| other.one_of == input.one_of && other.name != input.name);
            option = option.conflicts_with_all(others.map(|other| other.name.to_string()));
        }
        match input.form {
            Form::Text => option.value_parser(move |text: &str| input.read(text)),
            Form::Path => option.value_parser(move |text: &str| input.read_from_here(text)),
            Form::Number(numbers) => {
                let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
                option.value_parser(PossibleValuesParser::new(texts).try_map(move |text| input.read(&text)))
            }
        }
    })
}

fn named(input: &InputSpec) -> Arg {
    let name = input
        .value_name
        .map_or_else(|| input.name.to_uppercase(), str::to_owned);
    Arg::new(input.name.to_string())
        .long(input.name.replace('_', "-"))
        .value_name(name)
}

/// What every rotation by the program may be told. Its defaults are those of a configuration.
pub(super) fn of_rotation(automation: &Automation) -> Vec<Arg> {
    let defaults = Defaults::default();
    let can = automation.capabilities;
    let mut all = Vec::new();
    if let Some(shown) = &automation.shown_key {
        let option = Arg::new("current_key").long("current-key").value_name("FILE");
        all.push(
            option
                .value_parser(clap::value_parser!(std::path::PathBuf))
                .help(sentence(shown.help)),
        );
    }
    let default = automation
        .default_destination
        .map(|name| format!(" [default: {name}]"))
        .unwrap_or_default();
    all.extend([Arg::new("deliver")
        .long("deliver")
        .value_name("DESTINATION")
        .action(ArgAction::Append)
        .required(automation.default_destination.is_none())
        .help(format!("{}{default}", delivery::offered(automation.secret)))]);
    let what = "A program that runs once every destination holds the new key, and again where that is undone: a restart; repeatable. \
                It gets no secret, and is never run twice by itself";
    let option = Arg::new("after_delivery").long("after-delivery");
    all.push(
        option
            .value_name("PROGRAM ARG\u{2026}")
            .action(ArgAction::Append)
            .help(what),
    );
    if !can.replaces {
        all.extend(of_overlap(automation, &defaults));
    }
    if can.rotates_itself {
        all.push(flag(
            "allow_self",
            "Rotate the key even if rotate itself runs as this user; after the cut-over it logs in with the new one",
        ));
    }
    all.extend([
        flag("dry_run", "Print the plan; call nothing that writes"),
        flag(
            "manual",
            "Print the steps by hand instead, with the guide's own options; see `rotate connectors ID`",
        ),
        flag("yes", "Do not ask before beginning"),
        flag(
            "again",
            "Rotate once more, although a rotation ended within the last day",
        ),
    ]);
    all
}

/// What may be told where the old key and the new one work side by side for a while.
fn of_overlap(automation: &Automation, defaults: &Defaults) -> Vec<Arg> {
    let can = automation.capabilities;
    let mut all = vec![
        chosen("cutover", defaults.cutover).help("How it becomes known that every consumer uses the new key"),
        chosen("prove", defaults.prove)
            .help("What the proofs of the new key rest on, where this machine cannot log in as its consumer does"),
    ];
    if can.makes_keys {
        let what = "What becomes of a new key whose secret was lost with a crash, before anybody had it";
        all.push(chosen("lost_key", defaults.lost_key).help(what));
    }
    let soak = if can.disables {
        "How long the old key stays disabled before it is deleted"
    } else {
        "How long the old key can still be brought back"
    };
    all.extend([
        time("observe", defaults.observe).help(format!(
            "How long {}'s record of use is watched at least, with --cutover observed: it is hours late, and many consumers \
             run once a day",
            automation.vendor
        )),
        time("soak", defaults.soak).help(soak),
    ]);
    all
}

/// An option without a value.
fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name.replace('_', "-"))
        .action(ArgAction::SetTrue)
        .help(help)
}

fn chosen<T: ValueEnum + Clone + Send + Sync + 'static>(name: &'static str, default: T) -> Arg {
    let default = default.to_possible_value();
    let default = default.map(|value| value.get_name().to_owned()).unwrap_or_default();
    let option = Arg::new(name).long(name.replace('_', "-"));
    option
        .value_name(name.to_uppercase())
        .default_value(default)
        .value_parser(clap::builder::EnumValueParser::<T>::new())
}

fn time(name: &'static str, default: jiff::SignedDuration) -> Arg {
    let option = Arg::new(name).long(name).value_name("TIME");
    option
        .default_value(written(default))
        .value_parser(duration::seconds)
        .allow_hyphen_values(true)
}

impl ValueEnum for Cutover {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            Self::Confirm => "A person says so with `rotate confirm`",
            Self::Observed => "The vendor has seen the new key in use, and the old one idle since the delivery",
            Self::Immediate => "At once: every consumer reads the destination each time it needs the key",
        }))
    }
}

impl ValueEnum for Prove {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            Self::Login => "A login from here, with the permission that the consumer needs",
            Self::Identity => "A login from here; the permission is the consumer's to prove, by using the key",
            Self::Consumer => "The vendor's list; all else is the consumer's to prove, by using the key",
        }))
    }
}

impl ValueEnum for LostKey {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            Self::Delete => "Delete it, once it is certain that it is that key",
            Self::Ask => "Ask a person, always",
        }))
    }
}

/// The fragment as a sentence begins.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
