//! The only retries: those of the vendors' libraries are off.

use std::future::Future;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use crate::call::Call;
use crate::contract::{Error, Kind};

/// How long throttling is waited out: vendors publish no rates, and a busy account may stay at its limit for a minute.
const THROTTLING_PATIENCE: Duration = Duration::from_secs(120);
/// How often a call without lasting effect is repeated after a fault on the way.
const FAULT_RETRIES: usize = 3;

/// Repeats a call while that is safe: throttling for a while, faults on the way a few times where a repeat does no harm. Each
/// try has its span.
pub(crate) async fn patiently<T, F>(call: Call, mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    repeatedly(call, || call.traced(attempt())).await
}

/// The same, of a try that consists of several calls, of which each has a span of its own.
pub(crate) async fn repeatedly<T, F>(call: Call, attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut faults = 0;
    attempt
        .retry(
            ExponentialBuilder::default()
                .with_jitter()
                .with_min_delay(Duration::from_millis(200))
                .with_max_delay(Duration::from_secs(10))
                .without_max_times()
                .with_total_delay(Some(THROTTLING_PATIENCE)),
        )
        .when(|error: &Error| match error.kind {
            Kind::Throttled => true,
            Kind::Unreachable | Kind::VendorFault | Kind::Malformed if call.repeatable => {
                faults += 1;
                faults <= FAULT_RETRIES
            }
            _ => false,
        })
        .notify(|error, delay| {
            tracing::warn!(
                call = error.call,
                wait_ms = delay.as_millis(),
                "{}; trying again",
                error.detail
            );
        })
        .await
}
