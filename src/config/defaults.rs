//! What holds for every target that says nothing else.

use std::num::NonZeroU32;

use jiff::SignedDuration;
use rotate_providers::{Automation, Paces, VendorPace, connectors};

use super::reader::{Reader, Section};
use super::value::{duration, flag, number, one_of, window};
use crate::machine::{Cutover, LostKey, Prove, Window};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The schedule of a target, or of all. Its defaults are those of the command line, the schema and the starter as well.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    pub(crate) max_age: SignedDuration,
    pub(crate) warn_before: SignedDuration,
    pub(crate) cutover: Cutover,
    pub(crate) prove: Prove,
    pub(crate) lost_key: LostKey,
    pub(crate) cutover_allowance: SignedDuration,
    pub(crate) observe: SignedDuration,
    pub(crate) soak: SignedDuration,
    pub(crate) run_every: SignedDuration,
    pub(crate) window: Option<Window>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            max_age: DAY * 180,
            warn_before: DAY * 14,
            cutover: Cutover::Confirm,
            prove: Prove::default(),
            lost_key: LostKey::default(),
            cutover_allowance: DAY * 14,
            observe: DAY,
            soak: DAY * 7,
            run_every: DAY,
            window: None,
        }
    }
}

impl Defaults {
    /// How long a cut-over may take before a person is called, in seconds.
    pub(crate) fn allowance_seconds(&self) -> u64 {
        self.cutover_allowance.as_secs().unsigned_abs()
    }

    /// What of it holds for a target of this connector.
    pub(super) fn of(&self, automation: &Automation) -> Self {
        match automation.capabilities.replaces {
            true => Self {
                cutover: Cutover::Immediate,
                observe: SignedDuration::ZERO,
                soak: SignedDuration::ZERO,
                lost_key: LostKey::default(),
                ..self.clone()
            },
            false => self.clone(),
        }
    }

    /// The `[defaults]` of a file.
    pub(super) fn read<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>) -> Self {
        let mut all = Self::default().overridden(reader, section);
        if let Some(time) = duration(reader, section, "run_every") {
            all.run_every = time;
        }
        all
    }

    /// The same, but for what this table says.
    pub(super) fn overridden<'t>(&self, reader: &mut Reader<'t>, section: &mut Section<'t>) -> Self {
        let mut time = |key: &str, else_: SignedDuration| duration(reader, section, key).unwrap_or(else_);
        Self {
            max_age: time("max_age", self.max_age),
            warn_before: time("warn_before", self.warn_before),
            cutover_allowance: time("cutover_allowance", self.cutover_allowance),
            observe: time("observe", self.observe),
            soak: time("soak", self.soak),
            run_every: self.run_every,
            cutover: one_of(reader, section, "cutover", &Cutover::ALL, Cutover::name)
                .map_or(self.cutover, |taken| taken.value),
            prove: one_of(reader, section, "prove", &Prove::ALL, Prove::name).map_or(self.prove, |taken| taken.value),
            lost_key: one_of(reader, section, "lost_key", &LostKey::ALL, LostKey::name)
                .map_or(self.lost_key, |taken| taken.value),
            window: window(reader, section, "window").or_else(|| self.window.clone()),
        }
    }
}

/// The connectors whose vendors are called at a set pace.
pub(super) fn paced() -> impl Iterator<Item = (&'static Automation, &'static VendorPace)> {
    let automated = connectors().filter_map(|connector| connector.automation);
    automated.filter_map(|automation| Some((automation, automation.pace.as_ref()?)))
}

/// What holds where nobody says otherwise.
fn paces() -> Paces {
    let mut paces = Paces::default();
    for (automation, pace) in paced() {
        paces.set(automation.id, NonZeroU32::new(pace.calls_per_second));
    }
    paces
}

/// No vendor is called more often.
pub(super) const MOST_CALLS: u32 = 1000;

/// How much is done at once, how fast, how often the vendors are looked at, and what has to be there.
pub(super) struct Limits {
    pub(super) concurrency: usize,
    pub(super) paces: Paces,
    pub(super) look_every: SignedDuration,
    /// Whether `run` demands a journal.
    pub(super) require_state: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 8,
            paces: paces(),
            look_every: DAY * 7,
            require_state: false,
        }
    }
}

impl Limits {
    /// What `[defaults]` says of them.
    pub(super) fn read(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Self {
        let otherwise = Self::default();
        let mut paces = otherwise.paces;
        for (automation, pace) in paced() {
            if let Some(calls) = number(reader, section, pace.key, 0..=MOST_CALLS) {
                paces.set(automation.id, NonZeroU32::new(calls));
            }
        }
        Self {
            concurrency: number(reader, section, "concurrency", 1..=256)
                .map_or(otherwise.concurrency, |number| number as usize),
            paces,
            look_every: duration(reader, section, "look_every").unwrap_or(otherwise.look_every),
            require_state: flag(reader, section, "require_state"),
        }
    }
}
