//! The options of a guided connector's command, which are the inputs of its guide.

use std::ffi::OsString;

use clap::{Arg, ArgAction, CommandFactory};
use rotate_providers::guide::{Guide, Input, Procedure};
use rotate_providers::{CONNECTORS, Connector};

use crate::cli::Cli;

/// The option that asks for the guide of an automated connector.
pub(in crate::cli) const MANUAL: &str = "--manual";

/// The commands of all guided connectors; and, where asked for, those of the automated ones as guides too. A guide is read
/// only if the command line names it.
pub(in crate::cli) fn commands(arguments: &[OsString]) -> Vec<clap::Command> {
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
pub(in crate::cli) fn whole_command() -> clap::Command {
    let guided = CONNECTORS.iter().filter(|connector| connector.automation.is_none());
    let commands = guided.filter_map(|connector| Some(command(connector, &connector.guide().ok()?)));
    commands.fold(Cli::command(), clap::Command::subcommand)
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
            "Prints the plan for the {} ({how}). With --begin it also begins: a guided rotation is opened in the journal. \
             Tick its steps with `rotate done`, or walk through them with `rotate walk`. The same command again shows what \
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
        .arg(flag("dry-run", "Only print the plan, as without --begin").conflicts_with("begin"))
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
