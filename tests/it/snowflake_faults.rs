//! A call that breaks, on either side of its effect, loses no key, makes no second one, and cuts nobody off; a key of
//! someone else is neither replaced nor removed, however the calls break.
//!
//! Leans on the strict fake: only it can break a call on either side of its effect, let a colleague change a slot
//! between two calls, and show the slots late.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

mod calls;
mod new_key;
mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rotate_fixtures::snowflake::{Action, Effect, Fault, Slot, TestKey};
use rotate_fixtures::{FakeSnowflake, Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 6] = ["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "5s"];

/// What passes by itself.
pub(crate) const PASSING: [Fault; 9] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::StatusBefore(500),
    Fault::StatusAfter(500),
    Fault::StatusBefore(503),
    Fault::StatusBefore(429),
    Fault::MalformedAfter,
    Fault::TruncatedAfter,
    Fault::HangAfter(Duration::from_millis(300)),
];

/// Every change of a slot is looked at in the moment in which it happens.
pub(crate) struct Watch(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    slots: BTreeMap<Slot, String>,
    new: BTreeSet<String>,
    complaints: Vec<String>,
}

impl Watch {
    /// Before the first command: the old key is in the first slot.
    pub(crate) fn new(place: &SnowflakeWorkplace) -> Self {
        let old = place.old.fingerprint().to_owned();
        let seen = Arc::new(Mutex::new(Seen {
            slots: BTreeMap::from([(Slot::One, old.clone())]),
            ..Seen::default()
        }));
        let (shared, delivered) = (Arc::clone(&seen), place.delivered());
        // No handle on the account: it would live for ever.
        place.cloud.on_effect(move |effect| {
            let mut seen = shared.lock().unwrap();
            seen.take(effect, &old, delivered.exists());
        });
        Self(seen)
    }

    #[track_caller]
    fn expect_nothing_wrong(&self, context: &str) {
        assert_eq!(self.complaints(), [""; 0], "{context}");
    }

    /// What was wrong so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        let several = (seen.new.len() > 1).then(|| format!("several new keys: {:?}", seen.new));
        seen.complaints.iter().cloned().chain(several).collect()
    }
}

impl Seen {
    fn take(&mut self, effect: &Effect, old: &str, is_delivered: bool) {
        let key = effect.fingerprint.clone().unwrap_or_default();
        match effect.action {
            Action::SetKey => {
                if key != old {
                    self.new.insert(key.clone());
                }
                if let Some(held) = self.slots.insert(effect.slot, key.clone())
                    && held != key
                {
                    self.complaints.push(format!("{held} was replaced with {key}"));
                }
            }
            Action::UnsetKey => {
                self.slots.remove(&effect.slot);
                if key == old && !is_delivered {
                    self.complaints.push("the old key went before the delivery".to_owned());
                }
            }
            other => self.complaints.push(format!("{other} is no effect")),
        }
        if self.slots.is_empty() {
            self.complaints.push("both slots are empty".to_owned());
        }
    }
}

/// A place on a disk that is not waited for.
fn place() -> SnowflakeWorkplace {
    SnowflakeWorkplace::in_memory(ROTATE)
}

fn at_once(place: &SnowflakeWorkplace) -> Ran {
    Ran::of(place.rotate(AT_ONCE))
}

/// A rotation that waits for a person.
fn delivered() -> SnowflakeWorkplace {
    let place = place();
    Ran::of(place.rotate([""; 0])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    place
}

/// The new key works and is the only one, and the fake understood all that was asked.
#[track_caller]
pub(crate) fn assert_rotated(place: &SnowflakeWorkplace, context: &str) {
    let new = place.holder_of(&place.delivered());
    assert!(new.works(), "{context}: the new key does not work");
    let held: Vec<String> = place.fingerprints().into_iter().flatten().collect();
    assert_eq!(held, [new.fingerprint()], "{context}");
    place.cloud.expect_all_understood();
}

/// A key that a colleague sets by hand.
fn theirs() -> TestKey {
    TestKey::numbered(6)
}

#[derive(Clone, Copy)]
enum Moment {
    Before,
    After,
}

/// Does something right before a call is looked at, or right after it happened: the worst moments for it.
fn meanwhile(
    cloud: &FakeSnowflake,
    moment: Moment,
    action: Action,
    nth: usize,
    deed: impl Fn(&FakeSnowflake) + Send + Sync + 'static,
) {
    let (handle, count) = (cloud.clone(), AtomicUsize::new(0));
    let met = move |called: Action| {
        if called == action && count.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            deed(&handle);
        }
    };
    match moment {
        Moment::Before => cloud.before_call(met),
        Moment::After => cloud.after_call(move |call| call.action.into_iter().for_each(&met)),
    }
}

fn holds(place: &SnowflakeWorkplace, fingerprint: &str) -> bool {
    place
        .fingerprints()
        .into_iter()
        .flatten()
        .any(|held| held == fingerprint)
}

/// A place where a whole rotation asks everything that it ever asks.
pub(crate) fn asked_for_everything() -> SnowflakeWorkplace {
    let place = place();
    place.cloud.slot_keys_in_show(false);
    place.cloud.account_usage(true);
    place
}

/// Sessions are left to end by themselves, and some questions are asked only where a rotation is looked at beforehand.
const NOT_MADE: [Action; 4] = [Action::Logout, Action::Time, Action::Grants, Action::NetworkPolicy];

/// Every call of a whole rotation, by its kind and its number among its kind.
pub(crate) fn calls() -> Vec<(Action, u32)> {
    let place = asked_for_everything();
    at_once(&place).expect(0);
    let mut counts = BTreeMap::new();
    let calls = place.cloud.calls();
    let counted = calls.iter().filter_map(|call| call.action).map(|action| {
        let count = counts.entry(action).or_insert(0);
        *count += 1;
        (action, *count)
    });
    let counted: Vec<(Action, u32)> = counted.collect();
    for action in Action::ALL {
        let is_made = counted.contains(&(action, 1));
        assert!(
            is_made || NOT_MADE.contains(&action),
            "a rotation makes no call {action}"
        );
    }
    counted
}
