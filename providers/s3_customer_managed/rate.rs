//! How often an account's IAM is called. AWS throttles whole accounts, so all targets of one account share one rate.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// The rates of one run, by account.
pub(super) struct Rates {
    calls_per_second: Option<NonZeroU32>,
    accounts: Mutex<HashMap<String, Arc<DefaultDirectRateLimiter>>>,
}

/// The rate of one account.
pub(super) struct Rate(Option<Arc<DefaultDirectRateLimiter>>);

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
        let limiter = accounts
            .entry(account.to_owned())
            .or_insert_with(|| Arc::new(RateLimiter::direct(Quota::per_second(calls))));
        Rate(Some(Arc::clone(limiter)))
    }
}

impl Rate {
    pub(super) fn unlimited() -> Self {
        Self(None)
    }

    /// Waits for this call's turn.
    pub(super) async fn turn(&self) {
        if let Some(limiter) = &self.0 {
            limiter.until_ready().await;
        }
    }
}
