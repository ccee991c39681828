//! Who tells people what a command does, where the configuration names anybody.

use std::sync::Arc;

use crate::config::Config;
use crate::notify::Announcer;
use crate::store::{Store, StoreError};
use crate::view::Speaker;
use crate::view::notice::Words;

/// Whoever tells; `None` where nobody is to be told.
pub(super) async fn announcer(
    config: &Config,
    here: Speaker,
    anywhere: Speaker,
    store: &dyn Store,
) -> Result<Option<(Announcer, Arc<Words>)>, StoreError> {
    if config.notifiers.is_empty() {
        return Ok(None);
    }
    let words = Arc::new(Words::new(here, anywhere, config));
    let announcer = Announcer::begin(config.notifiers.clone(), Arc::clone(&words) as Arc<_>, store).await?;
    Ok(Some((announcer, words)))
}
