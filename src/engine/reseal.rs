//! Sealing anew what waits.

use std::collections::BTreeSet;

use rotate_providers::secret::Secret;

use super::driver::DriveError;
use super::journal::Journal;
use crate::machine::{Event, Sealing};
use crate::seal::{Keyring, SealError, Sealer, sealer_of};
use crate::store::{SEALING, Sealed, Stored};

/// What became of what waits.
#[derive(Default)]
pub struct Resealed {
    /// How many were sealed anew.
    pub done: usize,
    /// How many were sealed so already, and can be opened.
    pub already: usize,
    /// Those that this machine cannot open or seal, which stay as they are.
    pub left: Vec<(Sealed, SealError)>,
}

impl Resealed {
    /// Whether something waits, and nothing of it can be opened here: then nothing was changed.
    pub fn is_refused(&self) -> bool {
        !self.left.is_empty() && self.done + self.already == 0
    }
}

/// Seals all that waits as it is sealed from now on, by this person's order. Each is opened, sealed and opened again before anything is
/// changed; where none can be opened, nothing is. Then the store says that it is being changed, each takes the place of the old one in a
/// transaction of its own, the journal says what was done, and last the store says by what it is sealed. A kill leaves each as it was or as
/// it is to be, and where several machines share the journal, none of them works until a repeat has done what is left.
pub async fn reseal(journal: Journal<'_>, sealer: &Keyring, by: &str) -> Result<Resealed, DriveError> {
    let Journal { store, lease } = journal;
    let mut resealed = Resealed::default();
    let mut due = Vec::new();
    for sealed in store.all_sealed().await? {
        match anew(sealer, &sealed).await {
            Ok(None) => resealed.already += 1,
            Ok(Some(bytes)) => due.push((sealed, bytes)),
            Err(error) => resealed.left.push((sealed, error)),
        }
    }
    resealed.done = due.len();
    if resealed.is_refused() {
        return Ok(resealed);
    }
    let to = sealer.remembered_as();
    store.changes_to(lease, &to).await?;
    for (sealed, bytes) in &due {
        store.reseal(lease, sealed, bytes).await?;
    }
    let known = store.sealing().await?;
    let last = known.as_ref().map(|known| known.rotation.sealed_with.clone());
    // What a repeat finds done was said already.
    if !due.is_empty() || last.as_ref() != Some(&to) {
        let rekeyed = Event::Rekeyed {
            by: by.to_owned(),
            from: before(due.iter().map(|(sealed, _)| sealed)).or(last),
            to: to.clone(),
            sealed: resealed.done,
            already: resealed.already,
            left: resealed.left.len(),
        };
        record(journal, known, rekeyed).await?;
    }
    // Whoever could open what is left has a machine of its own for it: it is sealed anew there.
    store.seal_by(lease, &to).await?;
    Ok(resealed)
}

/// By what these say that they were sealed.
fn before<'s>(due: impl Iterator<Item = &'s Sealed>) -> Option<String> {
    let all: BTreeSet<String> = due.filter_map(|sealed| sealer_of(&sealed.bytes)).collect();
    let all: Vec<String> = all.into_iter().collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

async fn record(journal: Journal<'_>, known: Option<Stored<Sealing>>, event: Event) -> Result<(), DriveError> {
    match &known {
        Some(known) => journal.append(known, event, None).await,
        None => journal.open::<Sealing>(SEALING, event).await,
    }?;
    Ok(())
}

/// The same secret as it is sealed now; `None` where it is sealed so already.
async fn anew(sealer: &Keyring, sealed: &Sealed) -> Result<Option<Vec<u8>>, SealError> {
    let purpose = sealed.purpose();
    let secret: Secret = sealer.open(&purpose, &sealed.bytes).await?;
    if sealer.has_sealed(&sealed.bytes) {
        return Ok(None);
    }
    let bytes = sealer.seal(&purpose, &secret).await?;
    match sealer.open(&purpose, &bytes).await?.expose() == secret.expose() {
        true => Ok(Some(bytes)),
        false => Err(SealError::Seal),
    }
}
