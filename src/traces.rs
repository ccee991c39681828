//! What a command did, as a trace, to a collector that the environment names: OTLP, as OpenTelemetry's own variables configure it.
//!
//! It is for people and decides nothing. Whatever becomes of it, the command and its exit code are the same; spans that wait are
//! bounded in number, and the end of the process waits a few seconds for them at most.

mod collector;
mod environment;
mod tally;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use rotate_providers::web::Network;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, Registry};

use collector::Collector;
use environment::{Asked, variable};
use tally::{CountedExporter, CountedProcessor, Tally};

/// How long the end of the process waits for spans that are not sent yet.
const AT_THE_END: Duration = Duration::from_secs(5);

/// How long it waits for the first span to close: what a library does on another thread may hold the spans that it was asked in a
/// moment longer than the one who asked.
const UNTIL_CLOSED: Duration = Duration::from_secs(1);

/// How long it waits where somebody wants the process to end at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How many spans wait to be sent, where the environment says nothing of it: those of some thousand targets.
const MOST_WAITING: usize = 8192;

/// What the thread is called on which the library sends.
const ITS_THREAD: &str = "OpenTelemetry.Traces.BatchProcessor";

/// The trace that is open, for an end that comes from elsewhere.
static OPEN: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The trace of this process.
pub struct Traces {
    provider: SdkTracerProvider,
    tally: Arc<Tally>,
    variable: &'static str,
    root: OnceLock<Context>,
}

impl Traces {
    /// The one that the environment asks for, if it does. The error says why there is none although it does.
    pub fn of_environment() -> Result<Option<Self>, String> {
        match environment::asked(&variable)? {
            Some(asked) => Self::to(asked).map(Some),
            None => Ok(None),
        }
    }

    fn to(asked: Asked) -> Result<Self, String> {
        // The library does not survive it where there can be no more threads.
        let thread = std::thread::Builder::new().spawn(|| {});
        thread.map_err(|error| format!("no thread can be started for it: {error}"))?;
        let tally = Arc::new(Tally::default());
        let collector = Collector {
            network: Network {
                // Who names the collector owns this machine.
                allow_private: true,
                ca_file: asked.ca_file,
                time_out: asked.time_out,
                ..Network::default()
            },
            tally: Arc::clone(&tally),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(collector)
            .with_endpoint(asked.url.as_str())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(asked.time_out)
            .build()
            // What the library says of it repeats the address.
            .map_err(|_| format!("what {} holds is no address of a collector", asked.variable))?;
        let mut batches = BatchConfigBuilder::default();
        if variable("OTEL_BSP_MAX_QUEUE_SIZE").is_none() {
            batches = batches.with_max_queue_size(MOST_WAITING);
        }
        let batched = BatchSpanProcessor::builder(CountedExporter::of(exporter, &tally));
        let batched = batched.with_batch_config(batches.build()).build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_span_processor(CountedProcessor::of(batched, &tally))
            .build();
        let _ = OPEN.set(provider.clone());
        Ok(Self {
            provider,
            tally,
            variable: asked.variable,
            root: OnceLock::new(),
        })
    }

    /// What takes spans. Places in the source, threads and times of waiting stay here.
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("rotate"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .boxed()
    }

    /// Makes this span the first of the trace, or a part of the one that whoever has started the process is in. Gives the id of the
    /// trace.
    pub fn begin(&self, span: &Span) -> String {
        let around = TraceContextPropagator::new().extract(&Environment);
        if around.span().span_context().is_valid() {
            let _ = span.set_parent(around);
        }
        let context = span.context();
        let first = context.span().span_context().clone();
        if first.is_sampled() {
            self.tally.begins_with(first.span_id());
        }
        let _ = self.root.set(context);
        first.trace_id().to_string()
    }

    /// Sends what is not sent yet. The error says what was not taken, and why.
    pub fn end(&self) -> Result<(), String> {
        if !self.tally.wait_for_the_first(UNTIL_CLOSED)
            && let Some(context) = self.root.get()
        {
            context.span().end();
        }
        let is_late = self.provider.shutdown_with_timeout(AT_THE_END).is_err();
        let (ended, sent) = self.tally.counts();
        if sent >= ended {
            return Ok(());
        }
        let why = match self.tally.why() {
            Some(why) => format!("{}: {why}", self.variable),
            None if is_late => format!("{}: the collector is too slow", self.variable),
            None => "they came faster than they were sent; see OTEL_BSP_MAX_QUEUE_SIZE".to_owned(),
        };
        Err(format!(
            "{} of {ended} spans of the trace were not sent: {why}",
            ended - sent
        ))
    }
}

/// Sends what is not sent yet, as far as that takes no time, because the process is about to end.
pub fn flush_at_once() {
    if let Some(provider) = OPEN.get() {
        let _ = provider.shutdown_with_timeout(AT_ONCE);
    }
}

/// Whether this is the thread on which traces are sent: what goes wrong there ends no command.
pub fn is_its_thread() -> bool {
    std::thread::current().name() == Some(ITS_THREAD)
}

/// What the process is, as the environment calls it.
fn resource() -> Resource {
    let name = Key::from_static_str("service.name");
    let named = Resource::builder().build();
    let is_named = named
        .get(&name)
        .is_some_and(|value| !value.as_str().starts_with("unknown_service"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let ours = (!is_named).then(|| KeyValue::new(name, "rotate"));
    Resource::builder()
        .with_attributes(ours.into_iter().chain([version]))
        .build()
}

/// Where whoever has started the process says in which trace it is.
struct Environment;

impl Extractor for Environment {
    fn get(&self, key: &str) -> Option<&str> {
        static SAID: [(&str, OnceLock<Option<String>>); 2] =
            [("TRACEPARENT", OnceLock::new()), ("TRACESTATE", OnceLock::new())];
        let (name, said) = SAID.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        said.get_or_init(|| variable(name)).as_deref()
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}
