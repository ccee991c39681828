//! The command line: one file per command. stdout is data, stderr is talk.

mod announcer;
mod audit;
mod completions;
mod connectors;
mod doctor;
mod done;
mod exit;
mod fault;
mod fleet;
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
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use rotate_providers::{Access, Connector, CredentialsFrom, Paces};
use tracing::Instrument;
use uuid::Uuid;

pub use exit::Exit;
use traced::Traced;

use crate::config::{self, AllowedHosts, Unusable};
use crate::engine::driver::Pace;
use crate::seal::SealWith;
use crate::state_folder::StateFolder;
use crate::store::{Anchor, Server};
use crate::{delivery, duration};

/// Runs one command line and gives the process's exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let hardened = process::harden();
    fault::tell_and_exit();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    pasted::remember(&arguments);
    let cli = match parse(&arguments) {
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
    let mut cli = cli;
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
            Self::Fixed(cli) => cli.run().await,
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

#[derive(Args, Clone)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Where the journal is kept [default: $ROTATE_STATE_DIR, else $XDG_STATE_HOME/rotate, else ~/.local/state/rotate]
    #[arg(long, global = true, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// The fleet [default: $ROTATE_CONFIG, else ./rotate.toml if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the configuration keeps the journal.
    #[arg(skip)]
    configured_state: Option<PathBuf>,
    /// Where the configuration has the head of the journal noted down.
    #[arg(skip)]
    configured_anchor: Option<PathBuf>,
    /// The configuration in which it could not be made out whether there is an anchor.
    #[arg(skip)]
    anchor_unknown: Option<PathBuf>,
    /// The configuration in which it could not be made out whether it names a server.
    #[arg(skip)]
    server_unknown: Option<PathBuf>,
    /// The configuration in which it could not be made out what seals.
    #[arg(skip)]
    seal_unknown: Option<PathBuf>,
    /// The server that keeps it, where the configuration names one.
    #[arg(skip)]
    server: Option<Server>,
    /// Which run this is, for those who hear of it elsewhere.
    #[arg(skip = Uuid::now_v7())]
    run: Uuid,
    /// What seals, where the configuration says so.
    #[arg(skip)]
    seal: Option<SealWith>,
    /// Where the administrators' credentials are: where the target says (its profile or connection), or in the environment
    /// alone, as in CI [default: $ROTATE_CREDENTIALS, else configured]
    #[arg(long, global = true, value_enum, value_name = "WHERE")]
    credentials: Option<Credentials>,
    /// Lets secrets go to this host, which an endpoint_url of the configuration names and which is not the vendor's own;
    /// repeatable [default: $ROTATE_ALLOW_ENDPOINT, separated by commas]
    #[arg(long, global = true, value_name = "HOST")]
    allow_endpoint: Vec<String>,
    /// The same, understood.
    #[arg(skip)]
    allowed: AllowedHosts,
    /// What stdout gets
    #[arg(id = "output", long = "output", global = true, value_enum, value_name = "OUTPUT", default_value_t = Form::Text)]
    form: Form,
    /// The same, of every command but `report`, which has forms of its own.
    #[arg(skip)]
    output: Output,
    /// Say more on stderr; twice: still more ($RUST_LOG is more exact)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// How diagnostics on stderr are written
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    #[command(flatten)]
    pace: PaceArgs,
}

impl Global {
    /// Takes from the environment what the command line leaves open; an empty variable says nothing.
    fn complete(&mut self) -> Result<(), String> {
        self.output = match self.form {
            Form::Json => Output::Json,
            Form::Markdown => Output::Markdown,
            Form::Text | Form::Html | Form::Csv => Output::Text,
        };
        let said = std::env::var("ROTATE_CREDENTIALS").unwrap_or_default();
        if self.credentials.is_none() && !said.is_empty() {
            let meant = Credentials::from_str(&said, false);
            self.credentials =
                Some(meant.map_err(|_| "ROTATE_CREDENTIALS: write configured or environment".to_owned())?);
        }
        let (named, hosts) = if self.allow_endpoint.is_empty() {
            let said = std::env::var("ROTATE_ALLOW_ENDPOINT").unwrap_or_default();
            ("ROTATE_ALLOW_ENDPOINT", vec![said])
        } else {
            ("--allow-endpoint", self.allow_endpoint.clone())
        };
        let allowed = AllowedHosts::parse(hosts.iter().map(String::as_str));
        self.allowed = allowed.map_err(|remedy| format!("{named}: {remedy}"))?;
        Ok(())
    }

    /// Where the head of the journal is noted down, if anywhere.
    fn anchor(&self) -> Option<Anchor> {
        self.configured_anchor.as_deref().map(Anchor::of)
    }

    /// How vendors are reached.
    fn access(&self, paces: Paces) -> Access {
        Access {
            paces,
            credentials: match self.credentials {
                Some(Credentials::Environment) => CredentialsFrom::Environment,
                Some(Credentials::Configured) | None => CredentialsFrom::Configured,
            },
            ask: terminal::is_attended().then_some(terminal::answer),
        }
    }
}

/// Waits that are seconds long.
#[derive(Args, Clone)]
#[command(next_help_heading = "Waits of seconds")]
struct PaceArgs {
    /// How many probes in a row a new key has to pass
    #[arg(long, global = true, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    verify_successes: u32,
    /// The time between two probes of a new key
    #[arg(long, global = true, value_name = "TIME", default_value = "2s", value_parser = duration::wait)]
    verify_spacing: Duration,
    /// How long a new key may be refused before that is believed
    #[arg(long, global = true, value_name = "TIME", default_value = "2m", value_parser = duration::wait)]
    verify_deadline: Duration,
    /// The time between two readings of a list of keys that lags
    #[arg(long, global = true, value_name = "TIME", default_value = "5s", value_parser = duration::wait)]
    list_spacing: Duration,
}

impl PaceArgs {
    fn pace(&self) -> Pace {
        Pace {
            verify_successes: self.verify_successes,
            verify_spacing: self.verify_spacing,
            verify_deadline: self.verify_deadline,
            list_spacing: self.list_spacing,
        }
    }
}

/// What `--output` may say.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Text,
    /// For programs: one document, with a schema_version
    Json,
    /// For tickets: plans and tables that paste well
    Markdown,
    /// Of `report` alone.
    #[value(hide = true)]
    Html,
    /// Of `report` alone.
    #[value(hide = true)]
    Csv,
}

/// How a command prints.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For tickets.
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Credentials {
    /// The target's profile or connection, else the environment's
    Configured,
    /// The environment's; the profile or connection of the target is for other machines
    Environment,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Subcommand)]
enum Command {
    Connectors(connectors::Command),
    Done(done::Command),
    Undo(undo::Command),
    Walk(walk::Command),
    Verify(verify::Command),
    Status(status::Command),
    Confirm(operator::Confirm),
    Abort(operator::Abort),
    Rollback(operator::Rollback),
    Run(run::Command),
    Plan(plan::Command),
    Doctor(doctor::Command),
    Init(init::Command),
    Completions(completions::Command),
    Man(man::Command),
    Audit(audit::Command),
    Report(report::Command),
    Notify(notify::Command),
    Seal(seal::Command),
    #[cfg(feature = "postgres")]
    Store(store::Command),
}

impl Command {
    /// Whether it looks at the journal or writes there.
    fn needs_the_journal(&self) -> bool {
        match self {
            Self::Init(command) => command.needs_the_journal(),
            Self::Connectors(_) | Self::Completions(_) | Self::Man(_) => false,
            _ => true,
        }
    }
}

impl Command {
    /// Its name, where it does something.
    fn traced_as(&self) -> Option<&'static str> {
        Some(match self {
            Self::Done(_) => "done",
            Self::Undo(_) => "undo",
            Self::Walk(_) => "walk",
            Self::Verify(_) => "verify",
            Self::Confirm(_) => "confirm",
            Self::Abort(_) => "abort",
            Self::Rollback(_) => "rollback",
            Self::Run(_) => "run",
            Self::Notify(_) => "notify",
            Self::Seal(_) => "seal",
            #[cfg(feature = "postgres")]
            Self::Store(_) => "store",
            Self::Connectors(_)
            | Self::Status(_)
            | Self::Plan(_)
            | Self::Doctor(_)
            | Self::Init(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Audit(_)
            | Self::Report(_) => return None,
        })
    }
}

impl Cli {
    async fn run(self) -> Exit {
        let global = &self.global;
        match self.command {
            Command::Connectors(command) => command.run(global).await,
            Command::Done(command) => command.run(global).await,
            Command::Undo(command) => command.run(global).await,
            Command::Walk(command) => command.run(global).await,
            Command::Verify(command) => command.run(global).await,
            Command::Status(command) => command.run(global).await,
            Command::Confirm(command) => command.run(global).await,
            Command::Abort(command) => command.run(global).await,
            Command::Rollback(command) => command.run(global).await,
            Command::Run(command) => command.run(global).await,
            Command::Plan(command) => command.run(global).await,
            Command::Doctor(command) => command.run(global).await,
            Command::Init(command) => command.run(global).await,
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
            Command::Audit(command) => command.run(global).await,
            Command::Report(command) => command.run(global).await,
            Command::Notify(command) => command.run(global).await,
            Command::Seal(command) => command.run(global).await,
            #[cfg(feature = "postgres")]
            Command::Store(command) => command.run(global).await,
        }
    }
}
