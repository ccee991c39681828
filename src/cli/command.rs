//! The commands that are the same for every connector.

use clap::Subcommand;

#[cfg(feature = "postgres")]
use super::store;
use super::{
    Exit, Global, audit, completions, connectors, doctor, done, init, man, notify, operator, plan, report, run, seal,
    status, undo, verify, walk,
};

#[derive(Subcommand)]
pub(super) enum Command {
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
    pub(super) fn needs_the_journal(&self) -> bool {
        match self {
            Self::Init(command) => command.needs_the_journal(),
            Self::Connectors(_) | Self::Completions(_) | Self::Man(_) => false,
            _ => true,
        }
    }

    /// Its name, where it does something.
    pub(super) fn traced_as(&self) -> Option<&'static str> {
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

    pub(super) async fn run(self, global: &Global) -> Exit {
        match self {
            Self::Connectors(command) => command.run(global).await,
            Self::Done(command) => command.run(global).await,
            Self::Undo(command) => command.run(global).await,
            Self::Walk(command) => command.run(global).await,
            Self::Verify(command) => command.run(global).await,
            Self::Status(command) => command.run(global).await,
            Self::Confirm(command) => command.run(global).await,
            Self::Abort(command) => command.run(global).await,
            Self::Rollback(command) => command.run(global).await,
            Self::Run(command) => command.run(global).await,
            Self::Plan(command) => command.run(global).await,
            Self::Doctor(command) => command.run(global).await,
            Self::Init(command) => command.run(global).await,
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
            Self::Audit(command) => command.run(global).await,
            Self::Report(command) => command.run(global).await,
            Self::Notify(command) => command.run(global).await,
            Self::Seal(command) => command.run(global).await,
            #[cfg(feature = "postgres")]
            Self::Store(command) => command.run(global).await,
        }
    }
}
