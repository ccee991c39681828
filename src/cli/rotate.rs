//! `rotate <connector>`: the command of every connector, whoever rotates it, made from the connector's own data.

mod automated;
mod guided;
mod options;
mod story;

use std::ffi::OsString;

use clap::{ArgMatches, Args};
use rotate_providers::{Connector, connectors};

pub(super) use options::inputs_of_probes;
pub(super) use story::{ending, story};

use super::target_name::MANUAL;
use super::{Cli, Exit, Global};

/// The whole command line for these arguments. A guide is read only if they name its connector.
pub(super) fn command_line(arguments: &[OsString]) -> clap::Command {
    let named = |text: &str| arguments.iter().any(|argument| argument == text);
    let manual = named(MANUAL);
    let whole = before_the_others(connectors().map(|connector| match connector.automation {
        Some(automation) if !(manual && named(connector.id)) => automated::command(automation),
        _ => match named(connector.id).then(|| connector.guide()) {
            Some(Ok(guide)) => options::guided_command(connector, &guide),
            _ => clap::Command::new(connector.id).hide(true),
        },
    }));
    if named("verify") {
        return whole.mut_subcommand("verify", |verify| verify.args(options::of_probes(arguments)));
    }
    whole
}

/// The whole command line, every guide read: for completions and manual pages.
pub(super) fn whole_command() -> clap::Command {
    before_the_others(connectors().filter_map(|connector| match connector.automation {
        Some(automation) => Some(automated::command(automation)),
        None => Some(options::guided_command(connector, &connector.guide().ok()?)),
    }))
}

/// The commands of the connectors come first in the help.
fn before_the_others(commands: impl Iterator<Item = clap::Command>) -> clap::Command {
    Cli::augment_args(clap::Command::new("rotate").subcommands(commands))
}

/// Whether its command does anything but show a plan.
pub(super) fn acts(connector: &'static Connector, matches: &ArgMatches) -> bool {
    match connector.automation {
        Some(_) if !matches.get_flag("manual") => !matches.get_flag("dry_run"),
        _ => matches.get_flag("begin"),
    }
}

/// Runs the command of a connector.
pub(super) async fn run(global: &Global, connector: &'static Connector, matches: &ArgMatches) -> Exit {
    match connector.automation {
        Some(automation) if !matches.get_flag("manual") => automated::run(global, automation, matches).await,
        _ => guided::run(global, connector, matches).await,
    }
}
