//! `rotate audit --follow json`: the journal as it grows, one event a line, for whoever collects it elsewhere.

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;

use super::super::session::{locate, tell_folder};
use super::super::{Exit, Global, Output, process, terminal};
use crate::engine::driver::Interrupt;
use crate::state_folder::FolderError;
use crate::store::{Head, StoreError};
use crate::view::json;

/// How the lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// One JSON object a line, with a schema_version
    Json,
}

/// How often it is looked whether something was added.
const LOOKS: Duration = Duration::from_millis(500);

/// No more is held at once, however long the journal is.
const AT_ONCE: u32 = 500;

/// Prints what is behind this event, and what is added, by whatever process, until it is asked to stop or nobody reads any more.
pub(super) async fn follow(global: &Global, after: i64) -> Exit {
    let interrupt = Arc::<Interrupt>::default();
    process::listen_quietly(&interrupt);
    let mut position = Position::Before(after);
    loop {
        let more = tokio::select! {
            more = more(global, &mut position) => more,
            () = interrupt.wait() => return Exit::Ok,
        };
        match more {
            Ok(More::There) => continue,
            Ok(More::NobodyReads) => return Exit::Ok,
            Ok(More::None) if !terminal::somebody_reads() => return Exit::Ok,
            Ok(More::None) => {}
            Err(error) => {
                // Whoever reads lines gets no other document between them.
                let output = Output::Text;
                return tell_folder(
                    &Global {
                        output,
                        ..global.clone()
                    },
                    &error,
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOKS) => {}
            () = interrupt.wait() => return Exit::Ok,
        }
    }
}

/// How far it has come.
enum Position {
    /// The number that was asked for, whose head nobody has seen yet.
    Before(i64),
    /// The last line that was printed.
    At(Head),
}

/// What was found behind it.
enum More {
    There,
    None,
    NobodyReads,
}

/// The journal is opened anew each time: it may be begun later than this, or put back to another copy meanwhile.
async fn more(global: &Global, position: &mut Position) -> Result<More, FolderError> {
    let store = locate(global)?.open_journal().await?;
    let head = match (&*position, &store) {
        (Position::At(head), _) => head.clone(),
        (Position::Before(0), _) => Head::beginning(),
        (Position::Before(seq), Some(store)) => match store.head_at(*seq).await? {
            Some(head) => head,
            None => return Err(StoreError::NoSuchEvent { seq: *seq }.into()),
        },
        (Position::Before(seq), None) => return Err(StoreError::NoSuchEvent { seq: *seq }.into()),
    };
    let Some(store) = store else {
        return match head.seq {
            0 => Ok(More::None),
            _ => Err(StoreError::NotAhead { head: head.hash }.into()),
        };
    };
    let lines = store.after(&head, AT_ONCE).await?;
    *position = Position::At(head);
    if lines.is_empty() {
        return Ok(More::None);
    }
    if let Some(last) = lines.last() {
        *position = Position::At(last.head());
    }
    let printed: Vec<String> = lines.iter().map(json::followed).collect();
    // A thread of its own: whoever reads may stop for long, and the program is to be stopped all the same.
    let printing = tokio::task::spawn_blocking(move || printed.iter().all(|line| terminal::print_line(line)));
    match printing.await {
        Ok(true) => Ok(More::There),
        _ => Ok(More::NobodyReads),
    }
}
