//! How many spans there were and how many were taken: the library tells neither.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

/// The counts, and why something was not taken that was not taken first.
#[derive(Debug, Default)]
pub(super) struct Tally {
    ended: AtomicUsize,
    sent: AtomicUsize,
    why: OnceLock<String>,
    first: OnceLock<SpanId>,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Tally {
    /// The trace begins with this span, and is over once that has ended.
    pub(super) fn begins_with(&self, first: SpanId) {
        let _ = self.first.set(first);
    }

    /// Waits until the first span has ended, so long at most; says whether it has.
    pub(super) fn wait_for_the_first(&self, most: Duration) -> bool {
        if self.first.get().is_none() {
            return true;
        }
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.over.wait_timeout_while(is_over, most, |is_over| !*is_over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn ended(&self, span: SpanId) {
        self.ended.fetch_add(1, Ordering::AcqRel);
        if self.first.get() == Some(&span) {
            *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.over.notify_all();
        }
    }

    /// How many spans have ended, and how many of them were taken.
    pub(super) fn counts(&self) -> (usize, usize) {
        let sent = self.sent.load(Ordering::Acquire);
        (self.ended.load(Ordering::Acquire), sent)
    }

    /// Why some were not taken.
    pub(super) fn why(&self) -> Option<&str> {
        self.why.get().map(String::as_str)
    }

    /// Notes why some were not taken; the first reason is kept.
    pub(super) fn failed(&self, why: &str) {
        let _ = self.why.set(why.to_owned());
    }
}

/// Counts the spans that end.
#[derive(Debug)]
pub(super) struct CountedProcessor {
    inner: BatchSpanProcessor,
    tally: Arc<Tally>,
}

impl CountedProcessor {
    pub(super) fn of(inner: BatchSpanProcessor, tally: &Arc<Tally>) -> Self {
        let tally = Arc::clone(tally);
        Self { inner, tally }
    }
}

impl SpanProcessor for CountedProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            let id = span.span_context.span_id();
            self.inner.on_end(span);
            self.tally.ended(id);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, time: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(time)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Counts the spans that are taken.
#[derive(Debug)]
pub(super) struct CountedExporter<E> {
    inner: E,
    tally: Arc<Tally>,
}

impl<E: SpanExporter> CountedExporter<E> {
    pub(super) fn of(inner: E, tally: &Arc<Tally>) -> Self {
        let tally = Arc::clone(tally);
        Self { inner, tally }
    }
}

impl<E: SpanExporter> SpanExporter for CountedExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let taken = self.inner.export(batch).await;
        if taken.is_ok() {
            self.tally.sent.fetch_add(spans, Ordering::AcqRel);
        }
        taken
    }

    fn shutdown_with_timeout(&self, time: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(time)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
