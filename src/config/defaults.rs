//! What holds for every target that says nothing else.

use std::num::NonZeroU32;

use jiff::SignedDuration;

use super::reader::{Reader, Section};
use super::value::{cutover, duration, flag, lost_key, number, prove, window};
use crate::machine::{Cutover, LostKey, Prove, Window};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The schedule of a target, or of all.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) max_age: SignedDuration,
    pub(super) warn_before: SignedDuration,
    pub(super) cutover: Cutover,
    pub(super) prove: Prove,
    pub(super) lost_key: LostKey,
    pub(super) cutover_allowance: SignedDuration,
    pub(super) observe: SignedDuration,
    pub(super) soak: SignedDuration,
    pub(super) run_every: SignedDuration,
    pub(super) window: Option<Window>,
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
            cutover: cutover(reader, section, "cutover").map_or(self.cutover, |taken| taken.value),
            prove: prove(reader, section, "prove").map_or(self.prove, |taken| taken.value),
            lost_key: lost_key(reader, section, "lost_key").map_or(self.lost_key, |taken| taken.value),
            window: window(reader, section, "window").or_else(|| self.window.clone()),
        }
    }
}

/// How much is done at once, how fast, how often the vendors are looked at, and what has to be there.
pub(super) struct Limits {
    pub(super) concurrency: usize,
    pub(super) calls_per_second: Option<NonZeroU32>,
    pub(super) look_every: SignedDuration,
    /// Whether `run` demands a journal.
    pub(super) require_state: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 8,
            // IAM's rates are not published; this is a careful beginning.
            calls_per_second: NonZeroU32::new(5),
            look_every: DAY * 7,
            require_state: false,
        }
    }
}

impl Limits {
    /// What `[defaults]` says of them.
    pub(super) fn read(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Self {
        let otherwise = Self::default();
        let calls = number(reader, section, "aws_calls_per_second", 0..=1000);
        Self {
            concurrency: number(reader, section, "concurrency", 1..=256)
                .map_or(otherwise.concurrency, |number| number as usize),
            calls_per_second: calls.map_or(otherwise.calls_per_second, NonZeroU32::new),
            look_every: duration(reader, section, "look_every").unwrap_or(otherwise.look_every),
            require_state: flag(reader, section, "require_state"),
        }
    }
}
