//! What every command is told: where the journal and the fleet are, how vendors are reached, and how it speaks.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rotate_providers::{Access, CredentialsFrom, Paces};
use uuid::Uuid;

use super::terminal;
use crate::config::AllowedHosts;
use crate::duration;
use crate::engine::driver::Pace;
use crate::seal::SealWith;
use crate::store::{Anchor, Server};

#[derive(Args, Clone)]
#[command(next_help_heading = "Options of every command")]
pub(super) struct Global {
    /// Where the journal is kept [default: $ROTATE_STATE_DIR, else $XDG_STATE_HOME/rotate, else ~/.local/state/rotate]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(super) state_dir: Option<PathBuf>,
    /// The fleet [default: $ROTATE_CONFIG, else ./rotate.toml if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where the configuration keeps the journal.
    #[arg(skip)]
    pub(super) configured_state: Option<PathBuf>,
    /// Where the configuration has the head of the journal noted down.
    #[arg(skip)]
    pub(super) configured_anchor: Option<PathBuf>,
    /// The configuration in which it could not be made out whether there is an anchor.
    #[arg(skip)]
    pub(super) anchor_unknown: Option<PathBuf>,
    /// The configuration in which it could not be made out whether it names a server.
    #[arg(skip)]
    pub(super) server_unknown: Option<PathBuf>,
    /// The configuration in which it could not be made out what seals.
    #[arg(skip)]
    pub(super) seal_unknown: Option<PathBuf>,
    /// The server that keeps it, where the configuration names one.
    #[arg(skip)]
    pub(super) server: Option<Server>,
    /// Which run this is, for those who hear of it elsewhere.
    #[arg(skip = Uuid::now_v7())]
    pub(super) run: Uuid,
    /// What seals, where the configuration says so.
    #[arg(skip)]
    pub(super) seal: Option<SealWith>,
    /// Where the administrators' credentials are: where the target says (its profile or connection), or in the environment
    /// alone, as in CI [default: $ROTATE_CREDENTIALS, else configured]
    #[arg(long, global = true, value_enum, value_name = "WHERE")]
    pub(super) credentials: Option<Credentials>,
    /// Lets secrets go to this host, which an endpoint_url of the configuration names and which is not the vendor's own;
    /// repeatable [default: $ROTATE_ALLOW_ENDPOINT, separated by commas]
    #[arg(long, global = true, value_name = "HOST")]
    pub(super) allow_endpoint: Vec<String>,
    /// The same, understood.
    #[arg(skip)]
    pub(super) allowed: AllowedHosts,
    /// What stdout gets
    #[arg(id = "output", long = "output", global = true, value_enum, value_name = "OUTPUT", default_value_t = Form::Text)]
    pub(super) form: Form,
    /// The same, of every command but `report`, which has forms of its own.
    #[arg(skip)]
    pub(super) output: Output,
    /// Say more on stderr; twice: still more ($RUST_LOG is more exact)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// How diagnostics on stderr are written
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
    #[command(flatten)]
    pub(super) pace: PaceArgs,
}

impl Global {
    /// Takes from the environment what the command line leaves open; an empty variable says nothing.
    pub(super) fn complete(&mut self) -> Result<(), String> {
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
    pub(super) fn anchor(&self) -> Option<Anchor> {
        self.configured_anchor.as_deref().map(Anchor::of)
    }

    /// How vendors are reached.
    pub(super) fn access(&self, paces: Paces) -> Access {
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
pub(super) struct PaceArgs {
    /// How many probes in a row a new key has to pass
    #[arg(long, global = true, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(super) verify_successes: u32,
    /// The time between two probes of a new key
    #[arg(long, global = true, value_name = "TIME", default_value = "2s", value_parser = duration::wait)]
    pub(super) verify_spacing: Duration,
    /// How long a new key may be refused before that is believed
    #[arg(long, global = true, value_name = "TIME", default_value = "2m", value_parser = duration::wait)]
    pub(super) verify_deadline: Duration,
    /// The time between two readings of a list of keys that lags
    #[arg(long, global = true, value_name = "TIME", default_value = "5s", value_parser = duration::wait)]
    pub(super) list_spacing: Duration,
}

impl PaceArgs {
    pub(super) fn pace(&self) -> Pace {
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
pub(super) enum Form {
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
pub(super) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For tickets.
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Credentials {
    /// The target's profile or connection, else the environment's
    Configured,
    /// The environment's; the profile or connection of the target is for other machines
    Environment,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}
