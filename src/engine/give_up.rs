//! The exit from a gap that does not end by itself: nothing is asked of the vendor or of a destination, so nothing can bar it.

use crate::delivery;
use crate::engine::driver::{DriveError, Outcome};
use crate::engine::journal::Journal;
use crate::hooks::now;
use crate::machine::{Event, UndoKind};
use crate::store::Automated as Stored;

/// Whether a rotation is ended by this, and not undone: the vendor may hold another secret than the destinations do.
pub fn is_given_up(stored: &Stored) -> bool {
    stored.rotation.phase.is_in_gap()
}

/// Ends a rotation where it stands, and asks nobody. That erases what is sealed, which may be the only copy of the secret that
/// stands: so where nobody was told yet, it is told, and waits for the same word once more.
pub async fn give_up(journal: Journal<'_>, mut stored: Stored, by: &str) -> Result<Outcome, DriveError> {
    let was_said = |stored: &Stored| stored.rotation.undo.as_ref().is_some_and(|undo| undo.disowns);
    if !was_said(&stored) && stored.rotation.blocked.is_none() {
        let why = format!(
            "{by} asked to give it up while consumers may be cut off: that asks nobody and erases the sealed secrets, one of \
             which may be the only copy of what stands, so whoever has no secret that works then needs another one, set by hand \
             at the vendor; abort --force once more does it, and confirm goes on instead"
        );
        stored = journal.append(&stored, Event::Blocked { why }, None).await?;
    } else {
        sweep(&stored);
        if !was_said(&stored) {
            let asked = Event::UndoRequested {
                kind: UndoKind::Abort,
                why: format!("{by} asked for it"),
                by: by.to_owned().into(),
                forced: true,
            };
            stored = journal.append(&stored, asked, None).await?;
        }
        stored = journal.append(&stored, Event::Aborted, None).await?;
    }
    Ok(Outcome::of(stored, now()))
}

/// A delivery that was killed may have left the secret beside its file, where nobody looks for it later.
fn sweep(stored: &Stored) {
    let spec = &stored.rotation.spec;
    for name in &spec.destinations {
        let secret = rotate_providers::automation(&spec.connector).map(|automation| automation.secret);
        let swept = secret.map(|secret| delivery::parse(secret, name).and_then(|destination| destination.sweep()));
        if let Some(Err(error)) = swept {
            tracing::warn!("{error}");
        }
    }
}
