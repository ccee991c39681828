//! The command line: one file per command. stdout is data, stderr is talk.

mod audit;
mod connectors;
mod done;
mod duration;
mod exit;
mod guided;
mod log;
mod one_shot;
mod process;
mod remedy;
mod run;
mod s3_customer_managed;
mod session;
mod snowflake_keypair;
mod status;
mod target;
mod terminal;
mod walk;
mod word;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use rotate_providers::Connector;

pub use exit::Exit;

use crate::driver::Pace;

/// Runs one command line and gives the process's exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() {
                terminal::usage(&error.render().to_string(), &arguments);
                return Exit::Usage.into();
            }
            // A closed pipe is nobody's fault.
            let _ = error.print();
            return Exit::Ok.into();
        }
    };
    if let Err(error) = log::start(cli.global()) {
        terminal::error(&error, &[]);
        return Exit::Usage.into();
    }
    process::harden();
    process::block_on(cli.run()).into()
}

/// A command line: one that is the same for every connector, or one that a guide has made.
enum Line {
    Fixed(Box<Cli>),
    Guided(Global, &'static Connector, ArgMatches),
}

fn parse(arguments: &[OsString]) -> Result<Line, clap::Error> {
    let manual = arguments.iter().any(|argument| argument == guided::MANUAL);
    let mut command = Cli::command();
    for mut guided in guided::commands(arguments) {
        let name = guided.get_name().to_owned();
        if command.find_subcommand(&name).is_some() {
            // An automated connector, by hand.
            guided = guided.hide(false);
            command = command.mut_subcommand(name, |_| guided);
        } else {
            command = command.subcommand(guided);
        }
    }
    let matches = command.try_get_matches_from(arguments)?;
    if let Some((name, asked)) = matches.subcommand()
        && let Some(connector) = rotate_providers::connector(name)
        && (manual || connector.automation.is_none())
    {
        let global = Global::from_arg_matches(&matches)?;
        return Ok(Line::Guided(global, connector, asked.clone()));
    }
    Ok(Line::Fixed(Box::new(Cli::from_arg_matches(&matches)?)))
}

impl Line {
    fn global(&self) -> &Global {
        match self {
            Self::Fixed(cli) => &cli.global,
            Self::Guided(global, ..) => global,
        }
    }

    async fn run(self) -> Exit {
        match self {
            Self::Fixed(cli) => cli.run().await,
            Self::Guided(global, connector, asked) => guided::run(&global, connector, &asked).await,
        }
    }
}

/// Rotates the keys behind a company's integrations without ever breaking them.
///
/// A new key is created, proven and delivered; its consumers move; the old key is disabled, rests, and is deleted. Each
/// step is journaled before it is taken. The same command again goes on where a rotation stands.
///
/// Every other connector is rotated by hand: `rotate CONNECTOR` prints the plan, and `rotate done` ticks its steps. `rotate
/// connectors` lists them all.
///
/// Exit codes: 0 done, or waiting within the allowance; 1 error; 3 blocked or overdue, a person is needed; 4 another run
/// is at work; 64 usage; 130 interrupted.
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
    /// What stdout gets
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs: one document, with a schema_version
    Json,
    /// For tickets: plans and tables that paste well
    Markdown,
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
    /// Rotate the AWS access key of the IAM user behind an S3 bucket
    S3CustomerManaged(s3_customer_managed::Command),
    /// Rotate the RSA key pair of a Snowflake user
    SnowflakeKeypair(snowflake_keypair::Command),
    /// Show every connector, or one with what it asks for
    Connectors(connectors::Command),
    /// Say that a step of a guided rotation is done, or that it is left out
    Done(done::Command),
    /// Walk through the open steps of a guided rotation, one by one
    Walk(walk::Command),
    /// Show where rotations stand
    Status(status::Command),
    /// Say that every consumer has moved to the new key, or that you have looked at what blocked a rotation
    Confirm(word::Confirm),
    /// Undo a rotation before its cut-over: put destinations back, delete the new key
    Abort(word::Abort),
    /// Undo a rotation after its cut-over, while the old key lives: switch it on again, put destinations back
    Rollback(word::Rollback),
    /// Move every open rotation as far as it may go; for cron
    Run(run::Command),
    /// Show the journal, or check that nobody has changed it
    Audit(audit::Command),
}

impl Cli {
    async fn run(self) -> Exit {
        let global = &self.global;
        match self.command {
            Command::S3CustomerManaged(command) => command.run(global).await,
            Command::SnowflakeKeypair(command) => command.run(global).await,
            Command::Connectors(command) => command.run(global).await,
            Command::Done(command) => command.run(global).await,
            Command::Walk(command) => command.run(global).await,
            Command::Status(command) => command.run(global).await,
            Command::Confirm(command) => command.run(global).await,
            Command::Abort(command) => command.run(global).await,
            Command::Rollback(command) => command.run(global).await,
            Command::Run(command) => command.run(global).await,
            Command::Audit(command) => command.run(global).await,
        }
    }
}
