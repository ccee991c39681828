//! A fleet as numbers for Prometheus' collector of text files: gauges alone, which both of its text formats know.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use rotate_providers::PhaseName;
use rotate_providers::untrusted::sanitized;
use sha2::{Digest, Sha256};

use super::{State, TargetView};

/// One run and what it left.
pub struct Metrics<'a> {
    /// When it ended.
    pub at: Timestamp,
    /// When it began.
    pub began_at: Timestamp,
    /// The number that it ends with.
    pub exit: u8,
    /// When a run last ended in which nothing failed; `None`: nobody knows of one.
    pub succeeded_at: Option<Timestamp>,
    /// Where the fleet stands; `None` where the journal could not be read.
    pub fleet: Option<Fleet<'a>>,
}

/// Where a fleet stands.
pub struct Fleet<'a> {
    /// Its targets.
    pub targets: &'a [TargetView],
    /// How many events the journal holds.
    pub events: i64,
}

impl Metrics<'_> {
    /// The file's text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Gauges(self.gauges())));
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    fn gauges(&self) -> Vec<Gauge> {
        let mut gauges = vec![
            Gauge::of("rotate_build_info", "The version of rotate; always 1")
                .labelled(&[("version", env!("CARGO_PKG_VERSION"))], 1.0),
            Gauge::of("rotate_last_run_timestamp_seconds", "When the last run ended").plain(seconds(self.at)),
            Gauge::of("rotate_last_run_duration_seconds", "How long it took")
                .plain(self.at.duration_since(self.began_at).as_secs_f64().max(0.0)),
            Gauge::of(
                "rotate_last_run_exit_status",
                "How it ended: 0 well, 1 something failed, 3 a person is needed, 130 it was interrupted",
            )
            .plain(f64::from(self.exit)),
            Gauge::of(
                LAST_SUCCESS,
                "When a run last ended in which nothing failed, with exit status 0 or 3; 0: nobody knows of one",
            )
            .plain(self.succeeded_at.map_or(0.0, seconds)),
        ];
        if let Some(fleet) = &self.fleet {
            gauges.extend(fleet.gauges(self.at));
        }
        gauges
    }
}

const LAST_SUCCESS: &str = "rotate_last_success_timestamp_seconds";

/// What an earlier file says of the last success. A time that is yet to come was told by a clock that was wrong, and is none.
pub fn last_success(text: &str, now: Timestamp) -> Option<Timestamp> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(LAST_SUCCESS)?.strip_prefix(' '))?;
    let seconds: f64 = value.trim().parse().ok()?;
    let is_time = seconds.is_finite() && seconds > 0.0 && seconds < 1e12;
    let at = Timestamp::from_second(is_time.then_some(seconds)? as i64).ok()?;
    (at <= now).then_some(at)
}

impl Fleet<'_> {
    fn gauges(&self, now: Timestamp) -> Vec<Gauge> {
        let mut events = Gauge::of(
            "rotate_journal_events",
            "How many events the journal holds; it never shrinks",
        );
        events = events.plain(self.events as f64);
        let mut by_connector: BTreeMap<&str, f64> = BTreeMap::new();
        for target in self.targets.iter().filter(|target| is_kept(target)) {
            *by_connector.entry(&target.connector).or_default() += 1.0;
        }
        let mut keys = Gauge::of("rotate_connector_keys", "How many keys of this connector are kept");
        for (connector, count) in by_connector {
            keys = keys.labelled(&[("connector", connector)], count);
        }
        let mut state = Gauge::of(
            "rotate_target_state",
            "Where its rotation stands, as the label says; always 1",
        );
        let mut blocked = Gauge::of(
            "rotate_target_blocked",
            "1 where a person has to look, and nothing is touched until then",
        );
        let mut waiting = Gauge::of("rotate_target_waits_for_person", "1 where a person has to act");
        let mut age = Gauge::of(
            "rotate_target_age_seconds",
            "How old its key was when the last run ended",
        );
        let mut limit = Gauge::of("rotate_target_age_limit_seconds", "How old its key may become");
        let mut due = Gauge::of(
            "rotate_target_next_due_timestamp_seconds",
            "When its rotation has to begin",
        );
        let mut gone_by = Gauge::of(
            "rotate_target_gone_by_timestamp_seconds",
            "When its key has to be gone; overdue from then on",
        );
        for target in self.targets {
            let labels = labels(target);
            state.add(with_state(&labels, target), 1.0);
            blocked.add(labels.clone(), flag(target.is_blocked()));
            waiting.add(labels.clone(), flag(target.waits_for_person()));
            if let Some(view) = &target.age {
                let between = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64().max(0.0);
                age.add(labels.clone(), between(view.born_at, now));
                limit.add(labels.clone(), between(view.born_at, view.gone_by));
                due.add(labels.clone(), seconds(view.begins_at));
                gone_by.add(labels, seconds(view.gone_by));
            }
        }
        vec![events, keys, state, blocked, waiting, age, limit, due, gone_by]
    }
}

/// Whether its key is one that is kept: the file names it, or a rotation of it is open. What only was rotated once is not.
fn is_kept(target: &TargetView) -> bool {
    let has_ended = matches!(
        target.state,
        State::At(PhaseName::Done | PhaseName::Aborted | PhaseName::RolledBack)
    );
    target.action.is_some() || !has_ended
}

type Labels = Vec<(&'static str, String)>;

fn labels(target: &TargetView) -> Labels {
    let owner = target.owner.as_deref().unwrap_or_default();
    vec![
        ("target", bounded(&target.name)),
        ("connector", bounded(&target.connector)),
        ("owner", bounded(owner)),
    ]
}

fn with_state(labels: &Labels, target: &TargetView) -> Labels {
    let mut labels = labels.clone();
    labels.push(("state", target.state.name().to_owned()));
    labels
}

/// A name without what cannot be seen, and no longer than this. Where that changes it, its hash keeps it apart from others: two
/// lines with the same labels would make the whole file useless.
fn bounded(text: &str) -> String {
    const LONGEST: usize = 128;
    let clean = sanitized(text);
    if clean == text && text.chars().count() <= LONGEST {
        return clean;
    }
    let hash = Sha256::digest(text.as_bytes());
    let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = clean.chars().take(LONGEST).collect();
    format!("{kept}~{hash}")
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// One metric and its values.
#[derive(Debug)]
struct Gauge {
    name: &'static str,
    help: &'static str,
    values: Vec<(Labels, f64)>,
}

impl Gauge {
    fn of(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            values: Vec::new(),
        }
    }

    fn plain(self, value: f64) -> Self {
        self.labelled(&[], value)
    }

    fn labelled(mut self, labels: &[(&'static str, &str)], value: f64) -> Self {
        self.add(
            labels.iter().map(|(name, text)| (*name, bounded(text))).collect(),
            value,
        );
        self
    }

    fn add(&mut self, labels: Labels, value: f64) {
        self.values.push((labels, value));
    }
}

#[derive(Debug)]
struct Gauges(Vec<Gauge>);

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for gauge in self.0.iter().filter(|gauge| !gauge.values.is_empty()) {
            let mut metric = encoder.encode_descriptor(gauge.name, gauge.help, None, MetricType::Gauge)?;
            for (labels, value) in &gauge.values {
                let value = ConstGauge::new(*value);
                value.encode(metric.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}
