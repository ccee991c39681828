//! Sealing anew what waits.

use rotate_providers::secret::Secret;

use crate::seal::{Keyring, SealError, Sealer};
use crate::store::{Lease, Sealed, Store, StoreError};

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

/// Seals all that waits as it is sealed from now on, one after the other. Each is opened, sealed and opened again before it takes the
/// place of the old one, in one transaction: a kill leaves each as it was or as it is to be. A repeat does what is left.
pub async fn reseal(store: &dyn Store, lease: &Lease, sealer: &Keyring) -> Result<Resealed, StoreError> {
    let mut resealed = Resealed::default();
    for sealed in store.all_sealed().await? {
        match anew(sealer, &sealed).await {
            Ok(None) => resealed.already += 1,
            Ok(Some(bytes)) => {
                store.reseal(lease, &sealed, &bytes).await?;
                resealed.done += 1;
            }
            Err(error) => resealed.left.push((sealed, error)),
        }
    }
    // Whoever could open what is left has a machine of its own for it: it is sealed anew there.
    store.seal_by(lease, &sealer.remembered_as()).await?;
    Ok(resealed)
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
