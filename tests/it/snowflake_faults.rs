//! A call that breaks, on either side of its effect, loses no key, makes no second one, and cuts nobody off; a key of
//! someone else is neither replaced nor removed, however the calls break.
//!
//! Leans on the strict fake: only it can break a call on either side of its effect, let a colleague change a slot
//! between two calls, and show the slots late.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use rotate_fixtures::snowflake::{Action, Effect, Fault, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{FakeSnowflake, Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 6] = ["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "5s"];

/// What a network, a proxy and a busy vendor do, and a repeat mends.
const PASSING: [Fault; 9] = [
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
struct Watch(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    slots: BTreeMap<Slot, String>,
    new: BTreeSet<String>,
    complaints: Vec<String>,
}

impl Watch {
    /// Before the first command: the old key is in the first slot.
    fn new(place: &SnowflakeWorkplace) -> Self {
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
        let seen = self.0.lock().unwrap();
        assert!(seen.complaints.is_empty(), "{context}: {:#?}", seen.complaints);
        assert!(seen.new.len() <= 1, "{context}: several new keys: {:?}", seen.new);
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
    assert_eq!(place.state_name(), "awaiting-cutover");
    place
}

/// The new key works and is the only one, and the fake understood all that was asked.
#[track_caller]
fn assert_rotated(place: &SnowflakeWorkplace, context: &str) {
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

fn set_theirs(slot: Slot) -> impl Fn(&FakeSnowflake) + Send + Sync + 'static {
    move |cloud| cloud.set_key(USER, slot, theirs().public_base64())
}

/// The keys change their places.
fn swap(cloud: &FakeSnowflake) {
    let [one, two] = cloud.slots(USER).map(Option::unwrap);
    cloud.unset_key(USER, Slot::Two);
    cloud.set_key(USER, Slot::One, &two.public);
    cloud.set_key(USER, Slot::Two, &one.public);
}

fn holds(place: &SnowflakeWorkplace, fingerprint: &str) -> bool {
    place
        .fingerprints()
        .into_iter()
        .flatten()
        .any(|held| held == fingerprint)
}

/// Runs the scenarios beside each other: they wait more than they compute.
fn beside_each_other<T: Sync>(scenarios: &[T], run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::SeqCst)) {
                    run(scenario);
                }
            });
        }
    });
}

/// A place where a whole rotation asks everything that it ever asks.
fn asked_for_everything() -> SnowflakeWorkplace {
    let place = place();
    place.cloud.slot_keys_in_show(false);
    place.cloud.account_usage(true);
    place
}

/// Sessions are left to end by themselves, and some questions are asked only where a rotation is looked at beforehand.
const NOT_MADE: [Action; 4] = [Action::Logout, Action::Time, Action::Grants, Action::NetworkPolicy];

/// Every call of a whole rotation, by its kind and its number among its kind.
fn calls() -> Vec<(Action, u32)> {
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

#[test]
fn each_call_may_break_once_on_either_side_of_its_effect() {
    let calls = calls();
    let faults = |call| PASSING.map(|fault| (call, fault));
    let scenarios: Vec<((Action, u32), Fault)> = calls.into_iter().flat_map(faults).collect();
    beside_each_other(&scenarios, |&((action, nth), fault)| {
        let context = format!("{action} {nth} {fault:?}");
        let place = asked_for_everything();
        let watch = Watch::new(&place);
        place.cloud.break_call(action, nth, fault);
        let ran = at_once(&place);
        assert_eq!(ran.code, Some(0), "{context}: {ran:#?}");
        watch.expect_nothing_wrong(&context);
        assert_rotated(&place, &context);
    });
}

#[test]
fn a_call_that_a_proxy_refuses_stops_the_rotation_and_the_same_command_goes_on() {
    beside_each_other(&calls(), |&(action, nth)| {
        let context = format!("{action} {nth}");
        let place = asked_for_everything();
        let watch = Watch::new(&place);
        place.cloud.break_call(action, nth, Fault::StatusBefore(403));
        let ran = at_once(&place);
        // A login of the new key is tried again by itself.
        if ran.code != Some(0) {
            assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
            ran.says(&["HTTP status 403", "127.0.0.1"]);
            at_once(&place).expect(0);
        }
        watch.expect_nothing_wrong(&context);
        assert_rotated(&place, &context);
    });
}

#[test]
fn a_session_may_expire_before_any_statement() {
    let calls = calls();
    let logins = calls.iter().filter(|(action, _)| *action == Action::Login).count();
    let scenarios: Vec<usize> = (2..=calls.len()).collect();
    beside_each_other(&scenarios, |&nth| {
        let context = format!("call {nth}");
        let place = asked_for_everything();
        let watch = Watch::new(&place);
        let (handle, calls) = (place.cloud.clone(), AtomicUsize::new(0));
        place.cloud.before_call(move |_| {
            if calls.fetch_add(1, Ordering::SeqCst) + 1 == nth {
                handle.expire_sessions();
            }
        });
        let ran = at_once(&place);
        assert_eq!(ran.code, Some(0), "{context}: {ran:#?}");
        // The opening reads are the second and the third call, and share a session.
        if nth <= 3 {
            assert_eq!(place.cloud.count_of(Action::Login), logins + 1, "{context}");
        }
        watch.expect_nothing_wrong(&context);
        assert_rotated(&place, &context);
    });
}

#[test]
fn a_call_that_always_breaks_is_given_up_with_a_message_and_goes_on_once_it_is_mended() {
    let faults = [
        (Fault::DropBefore, "was not reached, or its answer was lost"),
        (Fault::DropAfter, "was not reached, or its answer was lost"),
        (Fault::StatusBefore(503), "answered with HTTP status 503"),
        (Fault::StatusAfter(503), "answered with HTTP status 503"),
        (Fault::MalformedAfter, "could not be understood"),
    ];
    let scenarios: Vec<(Action, Fault, &str)> = Action::ALL
        .into_iter()
        .filter(|action| !NOT_MADE.contains(action))
        .flat_map(|action| faults.map(|(fault, words)| (action, fault, words)))
        .collect();
    beside_each_other(&scenarios, |&(action, fault, words)| {
        let context = format!("{action} {fault:?}");
        let place = asked_for_everything();
        let watch = Watch::new(&place);
        place.cloud.break_every(action, fault);
        let ran = at_once(&place);
        watch.expect_nothing_wrong(&context);
        // The effect of a change shows in the slots, whatever became of its answer.
        let shows = matches!(action, Action::SetKey | Action::UnsetKey) && !fault.is_before();
        if !shows {
            assert_eq!(ran.code, Some(1), "{context}: {ran:#?}");
            ran.says(&[words, "rotate: error: failed to"]);
            // Somebody has a key that works: the old one, or the delivered one. A login would be a use.
            let new = place.delivered().exists().then(|| place.holder_of(&place.delivered()));
            let has_new = new.is_some_and(|new| holds(&place, new.fingerprint()));
            assert!(
                has_new || holds(&place, place.old.fingerprint()),
                "{context}: nobody has a key"
            );
        }
        place.cloud.mend();
        at_once(&place).expect(0);
        watch.expect_nothing_wrong(&context);
        assert_rotated(&place, &context);
    });
}

/// The answers are lost, and so is the sight of what they were about.
#[test]
fn a_change_that_is_neither_answered_nor_seen_is_found_by_the_next_run() {
    for (action, phase) in [(Action::SetKey, "`minted`"), (Action::UnsetKey, "`deactivating`")] {
        let place = place();
        let watch = Watch::new(&place);
        meanwhile(&place.cloud, Moment::After, action, 1, |cloud| {
            cloud.break_every(Action::Describe, Fault::DropBefore);
        });
        place.cloud.break_every(action, Fault::DropAfter);
        at_once(&place).expect(1).says(&[phase, " run"]);
        watch.expect_nothing_wrong(phase);
        place.cloud.mend();
        place.run(["run"]).expect(0);
        watch.expect_nothing_wrong(phase);
        assert_rotated(&place, phase);
        assert!(place.cloud.count_of(Action::SetKey) == 1, "{phase}");
    }
}

#[test]
fn a_proof_that_learns_nothing_moves_nothing() {
    let place = place();
    // The administrator is in; the new key's logins are not answered.
    meanwhile(&place.cloud, Moment::After, Action::SetKey, 1, |cloud| {
        cloud.break_every(Action::Login, Fault::StatusBefore(503));
    });
    let ran = Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "0s"]));
    ran.expect(1)
        .says(&["could not be found out", "HTTP status 503", "`created`"]);
    assert_eq!(place.state_name(), "created");
    assert!(!place.delivered().exists());
    place.cloud.mend();
    assert!(place.consumer().works());
    place.run(["run"]).expect(0);
    assert_rotated(&place, "run");
    assert_eq!(place.cloud.count_of(Action::SetKey), 1, "the same key goes on");
}

#[test]
fn a_throttled_registration_is_waited_out() {
    let place = place();
    let watch = Watch::new(&place);
    for nth in 1..=3 {
        place.cloud.break_call(Action::SetKey, nth, Fault::StatusBefore(429));
    }
    at_once(&place).expect(0).says(&["slow down; trying again"]);
    watch.expect_nothing_wrong("throttled");
    assert_rotated(&place, "throttled");
}

/// Half a minute of silence is as long as a login is waited for, and a minute as long as a statement is.
fn hangs_longer_than_the_patience(action: Action, length: Duration) {
    let place = asked_for_everything();
    let watch = Watch::new(&place);
    place.cloud.break_call(action, 1, Fault::HangAfter(length));
    let ran = at_once(&place);
    if ran.code != Some(0) {
        assert_eq!(ran.code, Some(1), "{action}: {ran:#?}");
        ran.says(&["no answer from 127.0.0.1"]);
        at_once(&place).expect(0);
    }
    watch.expect_nothing_wrong(action.as_str());
    assert_rotated(&place, action.as_str());
}

#[test]
fn a_call_that_hangs_longer_than_the_patience_is_like_one_whose_answer_is_lost() {
    let hangs = [
        (Action::Login, Duration::from_secs(30)),
        (Action::Identity, Duration::from_secs(70)),
        (Action::Describe, Duration::from_secs(70)),
        (Action::SetKey, Duration::from_secs(70)),
        (Action::UnsetKey, Duration::from_secs(70)),
        (Action::Show, Duration::from_secs(70)),
        (Action::Credentials, Duration::from_secs(70)),
    ];
    beside_each_other(&hangs, |&(action, length)| {
        hangs_longer_than_the_patience(action, length)
    });
}

// Keys of others.

#[test]
fn a_slot_that_was_taken_while_the_new_key_was_made_is_left_alone_and_named() {
    let place = place();
    // The last look at the slots before the key would be set.
    meanwhile(&place.cloud, Moment::Before, Action::Describe, 2, set_theirs(Slot::Two));
    let ran = at_once(&place);
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:#?}");
    ran.says(&["both slots", theirs().fingerprint(), place.old.fingerprint()]);
    assert!(holds(&place, theirs().fingerprint()), "their key is gone");
    assert_eq!(place.cloud.count_of(Action::SetKey), 0);
    // Cron meets it too, and calls a person.
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains(theirs().fingerprint()), "{ran:#?}");
    assert!(holds(&place, theirs().fingerprint()) && place.consumer().works());
    // Its owner has taken it out, and the person says so.
    place.cloud.unset_key(USER, Slot::Two);
    place.run(["confirm", TARGET]).expect(0);
    assert_rotated(&place, "confirm");
}

/// A repeat of `SET` is harmless only while the slot is still free: it has to be looked at again.
#[test]
fn a_slot_that_was_taken_before_a_broken_registration_is_repeated_is_left_alone_and_named() {
    for fault in [Fault::StatusBefore(429), Fault::StatusBefore(503), Fault::DropBefore] {
        let place = place();
        place.cloud.break_call(Action::SetKey, 1, fault);
        meanwhile(&place.cloud, Moment::After, Action::SetKey, 1, set_theirs(Slot::Two));
        let ran = at_once(&place);
        assert!(
            holds(&place, theirs().fingerprint()),
            "{fault:?}: their key was replaced: {:#?}",
            place.cloud.effects()
        );
        assert!(matches!(ran.code, Some(1 | 3)), "{fault:?}: {ran:#?}");
        let said = ran.stdout + &ran.stderr;
        assert!(said.contains(theirs().fingerprint()), "{fault:?}: {said}");
        assert!(place.consumer().works());
    }
}

#[test]
fn a_slot_that_was_taken_before_an_expired_session_is_renewed_is_left_alone_and_named() {
    let place = place();
    meanwhile(
        &place.cloud,
        Moment::Before,
        Action::SetKey,
        1,
        FakeSnowflake::expire_sessions,
    );
    // The administrator logs in once more.
    meanwhile(&place.cloud, Moment::After, Action::Login, 2, set_theirs(Slot::Two));
    let ran = at_once(&place);
    assert!(holds(&place, theirs().fingerprint()), "their key was replaced");
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:#?}");
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains(theirs().fingerprint()), "{said}");
}

/// What `DESC USER` shows of a slot in place of the truth; `None`: not even a row.
type Distortion = (&'static str, Option<&'static str>);

#[test]
fn a_key_whose_fingerprint_is_not_shown_fills_its_slot_all_the_same_and_is_named() {
    for shown in [None, Some("null"), Some(""), Some("SHA256:short")] {
        let place = place();
        place.cloud.set_key(USER, Slot::Two, theirs().public_base64());
        place.cloud.distort(USER, "RSA_PUBLIC_KEY_2_FP", shown);
        let ran = at_once(&place).expect(3);
        assert!(holds(&place, theirs().fingerprint()), "{shown:?}: their key is gone");
        assert!(
            place.cloud.effects().is_empty(),
            "{shown:?}: {:#?}",
            place.cloud.effects()
        );
        ran.says(&["both slots", theirs().fingerprint(), place.old.fingerprint()]);
    }
}

#[test]
fn a_slot_of_which_too_little_is_shown_is_never_taken_for_free() {
    let distortions: [&[Distortion]; 6] = [
        &[("RSA_PUBLIC_KEY_2", Some("null")), ("RSA_PUBLIC_KEY_2_FP", None)],
        &[("RSA_PUBLIC_KEY_2", None), ("RSA_PUBLIC_KEY_2_FP", Some("null"))],
        &[("RSA_PUBLIC_KEY_2", None), ("RSA_PUBLIC_KEY_2_FP", None)],
        &[
            ("RSA_PUBLIC_KEY_2", Some("null")),
            ("RSA_PUBLIC_KEY_2_FP", Some("SHA256:short")),
        ],
        &[
            ("RSA_PUBLIC_KEY_2", Some("********")),
            ("RSA_PUBLIC_KEY_2_FP", Some("null")),
        ],
        &[("RSA_PUBLIC_KEY_2", Some("********")), ("RSA_PUBLIC_KEY_2_FP", None)],
    ];
    for distorted in distortions {
        let place = place();
        place.cloud.set_key(USER, Slot::Two, theirs().public_base64());
        for (property, shown) in distorted {
            place.cloud.distort(USER, property, *shown);
        }
        at_once(&place)
            .expect(1)
            .says(&["does not name what is in RSA_PUBLIC_KEY_2", "nothing was changed"]);
        assert!(
            place.cloud.effects().is_empty(),
            "{distorted:?}: {:#?}",
            place.cloud.effects()
        );
        assert!(holds(&place, theirs().fingerprint()) && place.consumer().works());
    }
}

/// It is found out only when the new key is made, and before that its slot was free.
#[test]
fn a_slot_that_was_taken_unseen_while_the_new_key_was_made_is_left_alone() {
    let place = place();
    meanwhile(&place.cloud, Moment::Before, Action::Describe, 2, |cloud| {
        set_theirs(Slot::Two)(cloud);
        cloud.distort(USER, "RSA_PUBLIC_KEY_2_FP", None);
    });
    let ran = at_once(&place);
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:#?}");
    ran.says(&["both slots", theirs().fingerprint()]);
    assert!(holds(&place, theirs().fingerprint()), "their key is gone");
    assert_eq!(place.cloud.count_of(Action::SetKey), 0);
}

#[test]
fn a_user_whose_fingerprints_are_not_shown_is_rotated_by_its_keys() {
    let place = place();
    for property in ["RSA_PUBLIC_KEY_FP", "RSA_PUBLIC_KEY_2_FP"] {
        place.cloud.distort(USER, property, Some("null"));
    }
    let watch = Watch::new(&place);
    at_once(&place).expect(0);
    watch.expect_nothing_wrong("no fingerprints");
    assert_rotated(&place, "no fingerprints");
}

#[test]
fn keys_that_change_their_places_are_removed_by_their_fingerprints() {
    let place = place();
    // Between the last reading of the rotation and the one of the removal.
    meanwhile(&place.cloud, Moment::After, Action::Show, 1, swap);
    at_once(&place).expect(0);
    assert_rotated(&place, "swapped");
    assert_eq!(place.cloud.count_of(Action::UnsetKey), 1);
}

/// A repeat of `UNSET` names a slot and no key: the slot has to be looked at again.
#[test]
fn keys_that_change_their_places_before_a_broken_removal_is_repeated_are_removed_by_their_fingerprints() {
    for fault in [Fault::StatusBefore(429), Fault::StatusBefore(503), Fault::DropBefore] {
        let place = place();
        place.cloud.break_call(Action::UnsetKey, 1, fault);
        meanwhile(&place.cloud, Moment::After, Action::UnsetKey, 1, swap);
        let ran = at_once(&place);
        let removed: Vec<Option<String>> = place
            .cloud
            .effects()
            .into_iter()
            .filter(|effect| effect.action == Action::UnsetKey)
            .map(|effect| effect.fingerprint)
            .collect();
        assert_eq!(
            removed,
            [Some(place.old.fingerprint().to_owned())],
            "{fault:?}: another key was removed: {ran:#?}"
        );
        ran.expect(0);
        assert_rotated(&place, &format!("{fault:?}"));
    }
}

#[test]
fn a_key_that_takes_the_old_ones_slot_before_the_removal_is_left_alone_and_named() {
    let place = delivered();
    meanwhile(&place.cloud, Moment::After, Action::Show, 1, set_theirs(Slot::One));
    let ran = place.run(["confirm", TARGET]).expect(3);
    assert!(ran.stdout.contains(theirs().fingerprint()), "{ran:#?}");
    assert!(holds(&place, theirs().fingerprint()), "their key is gone");
    assert!(place.holder_of(&place.delivered()).works());
    assert_eq!(place.state_name(), "blocked");
}

#[test]
fn a_key_that_takes_the_old_ones_slot_before_a_lost_removal_is_repeated_is_left_alone_and_named() {
    for fault in [Fault::DropAfter, Fault::StatusAfter(503), Fault::TruncatedAfter] {
        let place = delivered();
        place.cloud.break_call(Action::UnsetKey, 1, fault);
        meanwhile(&place.cloud, Moment::After, Action::UnsetKey, 1, set_theirs(Slot::One));
        let ran = place.run(["confirm", TARGET]);
        assert!(
            holds(&place, theirs().fingerprint()),
            "{fault:?}: their key was removed: {:#?}",
            place.cloud.effects()
        );
        assert_eq!(ran.code, Some(3), "{fault:?}: {ran:#?}");
        assert!(ran.stdout.contains(theirs().fingerprint()), "{fault:?}: {ran:#?}");
    }
}

#[test]
fn a_key_that_takes_the_new_ones_slot_before_a_lost_withdrawal_is_repeated_is_left_alone() {
    let place = delivered();
    place.cloud.break_call(Action::UnsetKey, 1, Fault::DropAfter);
    meanwhile(&place.cloud, Moment::After, Action::UnsetKey, 1, set_theirs(Slot::Two));
    place.run(["abort", TARGET]);
    assert!(
        holds(&place, theirs().fingerprint()),
        "their key was removed: {:#?}",
        place.cloud.effects()
    );
    assert!(place.consumer().works());
}

// Slots and logins that lag.

#[test]
fn a_description_that_lags_delays_and_does_not_mislead() {
    beside_each_other(&[1, 2, 4, 8], |&reads| {
        let place = place();
        let watch = Watch::new(&place);
        place.cloud.lag_describe(reads);
        at_once(&place).expect(0);
        watch.expect_nothing_wrong("lag");
        assert_rotated(&place, &format!("{reads} readings late"));
    });
}

#[test]
fn a_description_that_never_catches_up_is_said_to_lag_and_the_next_run_goes_on() {
    let place = place();
    let watch = Watch::new(&place);
    place.cloud.lag_describe(60);
    at_once(&place)
        .expect(1)
        .says(&["does not show the change yet", "`minted`", " run"]);
    assert!(place.consumer().works());
    // No second key while the first one does not show.
    for _ in 0..3 {
        let _ = place.run(["run"]);
        watch.expect_nothing_wrong("run");
    }
    place.cloud.lag_describe(0);
    for _ in 0..3 {
        let _ = place.run(["run"]);
    }
    at_once(&place).expect(0);
    watch.expect_nothing_wrong("run");
    assert_rotated(&place, "run");
}

#[test]
fn a_new_key_is_believed_only_after_several_successes_in_a_row() {
    let place = place();
    place.cloud.flap_login(vec![false, true, true, false, true, false]);
    let ran = Ran::of(place.rotate(["--verify-successes", "3", "--soak", "7d"]));
    ran.expect(0);
    let new = place.holder_of(&place.delivered());
    let probes = place.cloud.calls();
    let refused = probes.iter().filter(|call| call.code.as_deref() == Some("390144"));
    assert_eq!(refused.count(), 3, "each refusal starts the count again: {probes:#?}");
    assert!(new.works() && place.consumer().works());
}

#[test]
fn a_fresh_key_that_is_refused_for_a_while_is_waited_for() {
    let place = place();
    let watch = Watch::new(&place);
    place.cloud.lag_login(3);
    let ran = at_once(&place).expect(0);
    watch.expect_nothing_wrong("lag");
    assert_rotated(&place, "lag");
    assert_eq!(ran.stderr.matches("error").count(), 0, "{}", ran.stderr);
}

#[test]
fn an_undo_that_does_not_see_the_new_key_yet_leaves_no_orphan() {
    let place = place();
    // The registration worked, and neither its answers nor its effect are seen.
    place.cloud.lag_describe(4);
    place.cloud.break_every(Action::SetKey, Fault::DropAfter);
    at_once(&place).expect(1);
    place.cloud.mend();
    place.run(["abort", TARGET]);
    for _ in 0..5 {
        place.run(["run"]);
    }
    assert_eq!(place.state_name(), "aborted");
    assert_eq!(
        place.fingerprints(),
        [Some(place.old.fingerprint().to_owned()), None],
        "an orphan is left"
    );
}

// New keys that do not work.

#[test]
fn a_new_key_that_is_never_accepted_is_withdrawn() {
    let place = place();
    let watch = Watch::new(&place);
    place.cloud.lag_login(1000);
    let ran = Ran::of(place.rotate(["--verify-deadline", "1s"]));
    ran.expect(1)
        .says(&["it was withdrawn, and the old key was not touched", "390144"]);
    watch.expect_nothing_wrong("withdrawn");
    assert_eq!(place.state_name(), "aborted");
    place.expect_as_before();
}

#[test]
fn a_new_key_that_someone_drops_is_withdrawn_and_a_key_in_its_place_is_left_alone() {
    for is_taken in [false, true] {
        let place = place();
        meanwhile(&place.cloud, Moment::Before, Action::Login, 2, move |cloud| {
            cloud.unset_key(USER, Slot::Two);
            if is_taken {
                cloud.set_key(USER, Slot::Two, theirs().public_base64());
            }
        });
        let ran = Ran::of(place.rotate(["--verify-deadline", "1s"]));
        ran.expect(1)
            .says(&["it was withdrawn, and the old key was not touched"]);
        assert_eq!(place.state_name(), "aborted");
        assert!(place.consumer().works() && !place.delivered().exists());
        assert_eq!(holds(&place, theirs().fingerprint()), is_taken);
    }
}

#[test]
fn a_disabled_user_stops_the_rotation_until_it_is_enabled() {
    let place = place();
    place.cloud.set_disabled(USER, true);
    let ran = Ran::of(place.rotate(["--verify-deadline", "0s"]));
    ran.expect(1)
        .says(&[&format!("{USER} is locked or disabled"), "`created`"]);
    // A disabled user says nothing about the key: it is neither withdrawn nor delivered.
    assert_eq!(place.state_name(), "created");
    assert!(!place.delivered().exists());
    place.cloud.set_disabled(USER, false);
    assert!(place.consumer().works());
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "awaiting-cutover");
    assert_eq!(place.cloud.count_of(Action::SetKey), 1);
}

/// Snowflake takes no login token that is more than a minute old or early, and says nothing of clocks.
#[test]
fn a_clock_that_is_off_is_thought_of_where_a_fresh_key_is_refused() {
    for seconds in [300, -300] {
        let place = place();
        place.cloud.clock_offset(seconds);
        let ran = Ran::of(place.rotate(["--verify-deadline", "0s"]));
        let ran = ran.expect(1);
        assert!(!place.delivered().exists());
        place.cloud.clock_offset(0);
        assert!(place.consumer().works());
        ran.says(&["clock"]);
    }
}

#[test]
fn a_network_policy_of_the_user_says_nothing_of_its_key_and_costs_nothing_but_one_login() {
    let place = place();
    place.cloud.network_policy(USER, true);
    let ran = Ran::of(place.rotate([""; 0]));
    ran.expect(1).says(&["network policy", "with --prove consumer"]);
    assert_eq!(place.state_name(), "aborted");
    assert!(!place.delivered().exists());
    place.cloud.network_policy(USER, false);
    assert!(place.consumer().works());
    Ran::of(place.rotate([""; 0])).expect(0);
    assert_eq!(place.state_name(), "awaiting-cutover");
    assert_eq!(place.cloud.count_of(Action::SetKey), 2);
}

// New keys that do not work any more once the old one is removed.

/// Confirms a cut-over; from the removal of the old key on, this is so.
fn confirm_while(place: &SnowflakeWorkplace, from_then_on: impl Fn(&FakeSnowflake) + Send + Sync + 'static) -> Ran {
    meanwhile(&place.cloud, Moment::After, Action::UnsetKey, 1, from_then_on);
    place.run(["--verify-deadline", "1s", "confirm", TARGET])
}

#[track_caller]
fn assert_brought_back(place: &SnowflakeWorkplace, ran: Ran) {
    let ran = ran.expect(3);
    assert!(ran.stdout.contains("switched on again"), "{}", ran.stdout);
    assert_eq!(place.state_name(), "blocked");
    assert!(place.consumer().works(), "the consumers are cut off: {ran:#?}");
    // Blocked is blocked, for cron too.
    place.run(["run"]).expect(3);
    assert!(place.consumer().works());
}

#[test]
fn a_new_key_that_is_dropped_with_the_old_one_brings_the_old_one_back() {
    let place = delivered();
    let ran = confirm_while(&place, |cloud| cloud.unset_key(USER, Slot::Two));
    assert_brought_back(&place, ran);
}

#[test]
fn a_new_key_whose_logins_are_not_answered_any_more_brings_the_old_one_back() {
    let place = delivered();
    let ran = confirm_while(&place, |cloud| {
        cloud.break_every(Action::Login, Fault::StatusBefore(503));
    });
    place.cloud.mend();
    assert_brought_back(&place, ran);
    // A person has looked.
    place.run(["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "soaking");
    assert!(place.holder_of(&place.delivered()).works() && !place.consumer().works());
}

#[test]
fn a_user_that_is_disabled_with_the_removal_brings_the_old_key_back() {
    let place = delivered();
    let ran = confirm_while(&place, |cloud| cloud.set_disabled(USER, true)).expect(3);
    assert!(ran.stdout.contains("is locked or disabled"), "{}", ran.stdout);
    place.cloud.set_disabled(USER, false);
    assert_brought_back(&place, ran);
}

/// Right after the removal the slots may still be shown as they were: that is no reason to leave the key out.
#[test]
fn an_old_key_is_really_set_again_although_the_description_lags() {
    for reads in [1, 3, 10] {
        let place = delivered();
        place.cloud.lag_describe(reads);
        let ran = confirm_while(&place, |cloud| {
            cloud.lag_describe(0);
            cloud.break_every(Action::Login, Fault::StatusBefore(503));
        });
        place.cloud.mend();
        assert_brought_back(&place, ran);
    }
}

#[test]
fn a_vendor_that_is_gone_right_after_the_removal_brings_the_old_key_back_with_the_next_run() {
    let place = delivered();
    let ran = confirm_while(&place, |cloud| {
        for action in Action::ALL {
            cloud.break_every(action, Fault::DropBefore);
        }
    });
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:#?}");
    // Whoever reads this at night learns which key is off, and that it comes back by the next run.
    ran.says(&[place.old.fingerprint(), "`reactivating`", " run"]);
    place.cloud.mend();
    let ran = place.run(["run"]);
    assert_brought_back(&place, ran);
}

#[test]
fn an_old_key_whose_slot_was_taken_meanwhile_calls_a_person_and_names_the_key_in_it() {
    let place = delivered();
    // A colleague fills the free slot at once, and the new key is not answered for.
    let ran = confirm_while(&place, |cloud| {
        cloud.set_key(USER, Slot::One, theirs().public_base64());
        cloud.break_every(Action::Login, Fault::StatusBefore(503));
    });
    assert!(holds(&place, theirs().fingerprint()), "their key is gone");
    assert_eq!(ran.code, Some(3), "the consumers may be cut off: {ran:#?}");
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains(theirs().fingerprint()), "{said}");
    // The colleague makes room; the person says so, or cron finds it.
    place.cloud.mend();
    place.cloud.unset_key(USER, Slot::One);
    place.run(["rollback", TARGET]).expect(0);
    assert_eq!(place.state_name(), "rolled-back");
    assert!(place.consumer().works());
}

// What the vendor does not say is not what it says.

/// "No record" is an answer of the account; a proxy's refusal is none, and the removal waits for one.
#[test]
fn a_record_of_use_that_could_not_be_read_is_not_taken_for_an_empty_one() {
    for fault in [
        Fault::StatusBefore(403),
        Fault::StatusBefore(503),
        Fault::DropBefore,
        Fault::MalformedAfter,
    ] {
        let place = delivered();
        let used = place.cloud.now() + SignedDuration::from_mins(60);
        place.cloud.set_last_used(USER, place.old.fingerprint(), used);
        place.cloud.break_every(Action::Show, fault);
        let ran = place.run(["confirm", TARGET]);
        // A login would be a use.
        assert!(
            holds(&place, place.old.fingerprint()),
            "{fault:?}: a key in use was removed unseen: {ran:#?}"
        );
        assert_ne!(ran.code, Some(0), "{fault:?}: {ran:#?}");
        place.cloud.mend();
        place.run(["run"]).expect(3);
        assert_eq!(place.state_name(), "blocked", "{fault:?}");
    }
}
