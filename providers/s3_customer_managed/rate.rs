//! How often an account's IAM is called. AWS throttles whole accounts, so all targets of one account share one rate.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// The rates of one run, by account.
pub(super) struct Rates {
    calls_per_second: Option<NonZeroU32>,
    accounts: Mutex<HashMap<String, Arc<Limit>>>,
}

/// The rate of one account.
pub(super) struct Rate(Option<Arc<Limit>>);

struct Limit {
    limiter: DefaultDirectRateLimiter,
    /// Those who wait for the limiter would all try at once, and luck would decide.
    queue: tokio::sync::Mutex<()>,
}

impl Rates {
    pub(super) fn new(calls_per_second: Option<NonZeroU32>) -> Self {
        Self {
            calls_per_second,
            accounts: Mutex::default(),
        }
    }

    pub(super) fn are_limited(&self) -> bool {
        self.calls_per_second.is_some()
    }

    pub(super) fn of_account(&self, account: &str) -> Rate {
        let Some(calls) = self.calls_per_second else {
            return Rate::unlimited();
        };
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = accounts.entry(account.to_owned()).or_insert_with(|| {
            Arc::new(Limit {
                limiter: RateLimiter::direct(Quota::per_second(calls)),
                queue: tokio::sync::Mutex::default(),
            })
        });
        Rate(Some(Arc::clone(limit)))
    }
}

impl Rate {
    pub(super) fn unlimited() -> Self {
        Self(None)
    }

    /// Waits for this call's turn.
    pub(super) async fn turn(&self) {
        if let Some(limit) = &self.0 {
            let _first = limit.queue.lock().await;
            limit.limiter.until_ready().await;
        }
    }
}
