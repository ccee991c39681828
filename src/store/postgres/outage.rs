//! How long a server that does not answer is asked again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Failure;

/// How long one outage is waited out, and how long between two tries.
const PATIENCE: Duration = Duration::from_secs(40);
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// That patience, which tests shorten.
fn patience() -> Duration {
    #[cfg(feature = "test-hooks")]
    if let Some(said) = std::env::var("ROTATE_TEST_PATIENCE")
        .ok()
        .and_then(|said| said.parse().ok())
    {
        return Duration::from_millis(said);
    }
    PATIENCE
}

/// Since when the server has not answered anybody. A fleet of thousands waits for it once, and not each target anew.
#[derive(Default)]
pub(super) struct Outage {
    began: Mutex<Option<Instant>>,
}

impl Outage {
    /// Waits a little before what was asked first at this time is asked again; `false`, at once, where that is not worth it any more.
    pub(super) async fn wait(&self, asked: Instant, failure: &Failure) -> bool {
        if !failure.is_passing() {
            return false;
        }
        let since = *self.began().get_or_insert_with(Instant::now);
        let is_worth_it = since.min(asked).elapsed() < patience();
        if is_worth_it {
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        is_worth_it
    }

    /// The server has answered.
    pub(super) fn is_over(&self) {
        *self.began() = None;
    }

    fn began(&self) -> MutexGuard<'_, Option<Instant>> {
        self.began.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
