//! The trace of a command, where the environment asks for one.

use rotate_providers::trace::failed;
use tracing::Span;
use tracing::field::Empty;
use uuid::Uuid;

use super::Exit;
use super::log::Spans;
#[cfg(feature = "otlp")]
use super::{process, terminal};
#[cfg(feature = "otlp")]
use crate::traces::Traces;

/// A command that may be traced.
pub(super) struct Traced {
    /// Its name; `None`: it is not.
    name: Option<String>,
    #[cfg(feature = "otlp")]
    traces: Option<Traces>,
}

impl Traced {
    /// The command with this name, if it may be.
    pub(super) fn begin(name: Option<&str>) -> Self {
        Self {
            name: name.map(str::to_owned),
            #[cfg(feature = "otlp")]
            traces: name.and_then(|_| Traces::of_environment().unwrap_or_else(untraced)),
        }
    }

    /// What takes spans.
    pub(super) fn layer(&self) -> Option<Spans> {
        #[cfg(feature = "otlp")]
        let layer = self.traces.as_ref().map(Traces::layer);
        #[cfg(not(feature = "otlp"))]
        let layer = None;
        layer
    }

    /// The span of the whole command.
    pub(super) fn span(&self, run: Uuid) -> Span {
        let Some(name) = &self.name else {
            return Span::none();
        };
        let span = tracing::info_span!(
            "command",
            otel.name = format!("rotate {name}"),
            otel.status_code = Empty,
            rotate.command = name,
            rotate.run.id = %run,
            process.exit.code = Empty,
            error.type = Empty,
        );
        #[cfg(feature = "otlp")]
        if let Some(traces) = &self.traces {
            let trace = traces.begin(&span);
            tracing::info!("this command is trace {trace}");
        }
        span
    }

    /// The command has ended like this. Gives how the process ends: otherwise where somebody stops it while spans are sent.
    pub(super) fn end(self, span: Span, exit: Exit) -> Exit {
        span.record("process.exit.code", i64::from(exit.code()));
        match exit {
            Exit::Error => failed(&span, "error"),
            Exit::Usage => failed(&span, "usage"),
            Exit::Interrupted => failed(&span, "interrupted"),
            Exit::Ok | Exit::ToDo | Exit::PersonNeeded | Exit::Busy => {}
        }
        drop(span);
        #[cfg(feature = "otlp")]
        if let Some(traces) = self.traces {
            match process::unless_stopped(move || traces.end()) {
                Some(Ok(())) => {}
                Some(Err(why)) => warn(&why),
                None => {
                    warn("stopped before all of the trace was sent");
                    return Exit::Interrupted;
                }
            }
        }
        exit
    }
}

/// What the environment asks for cannot be.
#[cfg(feature = "otlp")]
fn untraced(why: String) -> Option<Traces> {
    warn(&format!("no trace is sent: {why}"));
    None
}

#[cfg(feature = "otlp")]
fn warn(why: &str) {
    terminal::note(&format!("warning: {why}; the command is not affected"));
}
