//! The command line: one file per command. stdout is data, stderr is talk.

mod announcer;
mod audit;
mod command;
mod completions;
mod connectors;
mod doctor;
mod done;
mod exit;
mod fault;
mod fleet;
mod global;
mod init;
mod log;
mod man;
mod named;
mod notices;
mod notify;
mod one_shot;
mod operator;
mod pasted;
mod plan;
mod process;
mod remedy;
mod report;
mod rotate;
mod run;
mod seal;
mod secret;
mod session;
mod status;
#[cfg(feature = "postgres")]
mod store;
mod target_name;
mod terminal;
mod traced;
mod trial;
mod trials;
mod undo;
mod verify;
mod walk;
mod way;
mod who;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, FromArgMatches, Parser};
use rotate_providers::Connector;
use tracing::Instrument;

use command::Command;
pub use exit::Exit;
use global::{Form, Global, LogFormat, Output};
use traced::Traced;

use crate::config::{self, Unusable};
use crate::delivery;
use crate::state_folder::StateFolder;

/// Runs one command line and gives the process's exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let hardened = process::harden();
    fault::tell_and_exit();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    pasted::remember(&arguments);
    let mut cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() {
                terminal::usage(&error.render().to_string());
                return Exit::Usage.into();
            }
            // A closed pipe is nobody's fault.
            let _ = error.print();
            return Exit::Ok.into();
        }
    };
    if let Err(error) = cli.check_form().and_then(|()| cli.global_mut().complete()) {
        terminal::error(&error, &[]);
        return Exit::Usage.into();
    }
    let cli = match cli.at_its_place() {
        Ok(cli) => cli,
        Err(error) => return fleet::unusable(&error).into(),
    };
    keep_our_own(cli.global());
    let traced = Traced::begin(cli.traced_as());
    if let Err(error) = log::start(cli.global(), traced.layer()) {
        terminal::error(&error, &[]);
        return Exit::Usage.into();
    }
    if !hardened {
        tracing::warn!("core dumps could not be switched off");
    }
    if let Err((why, remedy)) = process::check() {
        terminal::error(&why, &remedy);
        return Exit::Error.into();
    }
    let span = traced.span(cli.global().run);
    let exit = process::block_on(cli.threads(), cli.run().instrument(span.clone()));
    traced.end(span, exit).into()
}

/// Whether the program understands this command line, whose first word is its own name. Nothing is done; what a page of the
/// documentation shows is held to it.
#[cfg(feature = "test-hooks")]
pub fn understand(arguments: impl IntoIterator<Item = OsString>) -> Result<(), String> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match parse(&arguments) {
        Err(error) if error.use_stderr() => Err(error.render().to_string()),
        _ => Ok(()),
    }
}

/// No key is delivered to the files of this very process, whatever they are called.
fn keep_our_own(global: &Global) {
    let state = session::locate(global).ok();
    let config = config::locate(global.config.as_deref());
    delivery::keep(state.as_ref().map(StateFolder::path), config.as_deref());
}

/// A command line: one that is the same for every connector, or one that a connector's data has made.
enum Line {
    Fixed(Box<Cli>),
    OfConnector(Box<Global>, &'static Connector, ArgMatches),
}

fn parse(arguments: &[OsString]) -> Result<Line, clap::Error> {
    let matches = rotate::command_line(arguments).try_get_matches_from(arguments)?;
    if let Some((name, asked)) = matches.subcommand()
        && let Some(connector) = rotate_providers::connector(name)
    {
        let global = Global::from_arg_matches(&matches)?;
        return Ok(Line::OfConnector(Box::new(global), connector, asked.clone()));
    }
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let (Command::Verify(command), Some((_, told))) = (&mut cli.command, matches.subcommand()) {
        command.take(told);
    }
    Ok(Line::Fixed(Box::new(cli)))
}

impl Line {
    fn global(&self) -> &Global {
        match self {
            Self::Fixed(cli) => &cli.global,
            Self::OfConnector(global, ..) => global,
        }
    }

    fn global_mut(&mut self) -> &mut Global {
        match self {
            Self::Fixed(cli) => &mut cli.global,
            Self::OfConnector(global, ..) => global,
        }
    }

    /// A page and a table are forms of a report.
    fn check_form(&self) -> Result<(), String> {
        let is_report = matches!(self, Self::Fixed(cli) if matches!(cli.command, Command::Report(_)));
        match self.global().form {
            Form::Html | Form::Csv if !is_report => Err(
                "--output html and --output csv are of `rotate report` alone: write text, json or markdown".to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// Whether it seals nothing, whatever it finds.
    fn only_looks(&self) -> bool {
        match self {
            // It makes what seals.
            Self::Fixed(cli) if matches!(cli.command, Command::Init(_)) => false,
            _ => self.traced_as().is_none(),
        }
    }

    /// The command's name, where it does something; what only looks, and may have been told where by somebody else, tells nobody.
    fn traced_as(&self) -> Option<&str> {
        match self {
            Self::Fixed(cli) => cli.command.traced_as(),
            Self::OfConnector(_, connector, asked) => rotate::acts(connector, asked).then_some(connector.id),
        }
    }

    fn threads(&self) -> process::Threads {
        match self {
            Self::Fixed(cli) if matches!(cli.command, Command::Run(_)) => process::Threads::Many,
            _ => process::Threads::One,
        }
    }

    /// Finds where the configuration keeps the journal: every command needs that.
    fn at_its_place(mut self) -> Result<Self, Unusable> {
        let only_looks = self.only_looks();
        let global = match &mut self {
            Self::Fixed(cli) if !cli.command.needs_the_journal() => return Ok(self),
            Self::Fixed(cli) => &mut cli.global,
            Self::OfConnector(global, ..) => global,
        };
        let said = global.state_dir.is_some() || std::env::var_os("ROTATE_STATE_DIR").is_some_and(|it| !it.is_empty());
        if let Some(path) = config::locate(global.config.as_deref()) {
            let (at, fit) = config::journal_at(&path, &global.allowed);
            match fit {
                // Whoever needs the rest of the file reads it, and tells its mistakes. Nothing is sealed otherwise than it says.
                Err(_) if said && (only_looks || !at.seal_unknown) => {}
                fit => fit?,
            }
            // A mistake elsewhere in the file does not switch the anchor off.
            global.anchor_unknown = at.anchor_unknown.then(|| path.clone());
            global.server_unknown = at.server_unknown.then(|| path.clone());
            global.seal_unknown = at.seal_unknown.then_some(path);
            global.configured_anchor = at.anchor;
            global.configured_state = at.state_dir.filter(|_| !said);
            global.server = at.server;
            global.seal = at.seal;
        }
        Ok(self)
    }

    async fn run(self) -> Exit {
        match self {
            Self::Fixed(cli) => cli.command.run(&cli.global).await,
            Self::OfConnector(global, connector, asked) => rotate::run(&global, connector, &asked).await,
        }
    }
}

/// Rotates the keys behind a company's integrations without ever breaking them.
///
/// A new key is created, proven and delivered; its consumers move; the old key is disabled, rests, and is deleted. Each
/// step is journaled before it is taken. The same command again goes on where a rotation stands.
///
/// Every other connector is rotated by hand: `rotate CONNECTOR` prints the plan, with `--begin` it begins, and `rotate done`
/// ticks its steps. `rotate connectors` lists them all.
///
/// A fleet of targets is named in rotate.toml: `rotate init` writes one to begin with, `rotate plan` says what would be done,
/// and `rotate run`, from cron, does it.
///
/// Exit codes: 0 done, nothing due, or waiting within the allowance; 1 error; 2 only from `plan --detailed-exitcode`: there is
/// something to do; 3 blocked or overdue, a person is needed; 4 another run is at work; 64 usage; 130 interrupted.
#[derive(Parser)]
#[command(name = "rotate", version, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}
