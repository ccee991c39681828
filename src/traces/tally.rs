//! How many spans there were and how many were taken: the library tells neither.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

/// The counts, and why something was not taken that was not taken first.
#[derive(Debug, Default)]
pub(super) struct Tally {
    ended: AtomicUsize,
    sent: AtomicUsize,
    why: OnceLock<String>,
}

impl Tally {
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
            self.tally.ended.fetch_add(1, Ordering::AcqRel);
            self.inner.on_end(span);
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
