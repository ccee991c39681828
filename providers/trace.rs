//! Spans: what a command does, for whoever asks afterwards where the time went, and what failed first.
//!
//! Where nobody collects them a span costs a look at a number. What is in one leaves this machine, so it has names that people have
//! given and words of ours: no secret, and nothing of what a vendor answers but a number.

use tracing::{Instrument, Span};

/// Does it within the span, which says how it failed.
pub async fn traced<T, E>(
    span: Span,
    done: impl Future<Output = Result<T, E>>,
    class: impl FnOnce(&E) -> &'static str,
) -> Result<T, E> {
    // Put elsewhere: where a future is moved into another one there is room for both.
    let done = Box::pin(done).instrument(span.clone()).await;
    if let Err(error) = &done {
        failed(&span, class(error));
    }
    done
}

/// What the span is about has failed. Its class is one of a few words that stay.
pub fn failed(span: &Span, class: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", class);
}
