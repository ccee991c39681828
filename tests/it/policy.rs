//! The gates, one table each, and the plan that is nothing but the gates looked at beforehand.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

mod creation;
mod plan;
mod remainder;
mod removal;
mod undoing;
mod vouching;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rotate::machine::{
    Attempt, Cutover, Event, Issued, LostKey, Phase, Prove, Record, Restored, Retired, Retirement, Rotation,
    RotationSpec, Switch, SwitchedBy, Undo, UndoKind,
};
use rotate::policy::{Facts, Listing, Step, Use, Wait, Waiting, is_removed_already, next, overdue_at, use_beside};
use rotate_providers::contract::{Key, KeyId, LastUse, Principal, PublicHalf};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const OLD: &str = "AKIAOLD";
const NEW: &str = "AKIANEW";
const WEEK: u64 = 7 * 86_400;

fn id(name: &str) -> KeyId {
    KeyId::parse(name).expect("the name of a key")
}

fn ago(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

fn key(name: &str, active: bool) -> Key {
    Key {
        id: id(name),
        active,
        created_at: None,
        public: None,
        delete_by_hand: String::new(),
    }
}

fn made(name: &str, at: Timestamp) -> Key {
    Key {
        created_at: Some(at),
        ..key(name, true)
    }
}

fn used(at: Timestamp) -> LastUse {
    LastUse::At {
        at,
        service: "s3".into(),
        region: "eu-west-1".into(),
    }
}

fn issued(proved_at: Option<Timestamp>) -> Issued {
    Issued {
        key: id(NEW),
        public: None,
        proved_at,
        reached: BTreeSet::from(["d".to_owned()]),
        delivered: BTreeSet::from(["d".to_owned()]),
    }
}

fn switch(at: Timestamp) -> Switch {
    let by = SwitchedBy::Person("someone".to_owned());
    Switch { at, by }
}

fn retired(at: Timestamp) -> Retired {
    Retired {
        at,
        proved: true,
        used: false,
    }
}

/// A phase with the new key that there is by then.
#[derive(Clone)]
struct Standing(Phase, Option<Issued>);

trait Stand {
    fn with(self, new_key: Issued) -> Standing;
    fn without(self) -> Standing;
}

impl Stand for Phase {
    fn with(self, new_key: Issued) -> Standing {
        Standing(self, Some(new_key))
    }

    fn without(self) -> Standing {
        Standing(self, None)
    }
}

impl From<Phase> for Standing {
    fn from(phase: Phase) -> Self {
        phase.without()
    }
}

impl Standing {
    fn of(self, rotation: &mut Rotation) {
        (rotation.phase, rotation.new_key) = (self.0, self.1);
    }
}

fn rotation(standing: impl Into<Standing>) -> Rotation {
    let Standing(phase, new_key) = standing.into();
    Rotation {
        spec: RotationSpec {
            connector: "s3-customer-managed".to_owned(),
            inputs: serde_json::json!({ "user": "u", "bucket": "b" }),
            after_delivery: Vec::new(),
            destinations: vec!["d".to_owned()],
            cutover: Cutover::Confirm,
            soak_seconds: WEEK,
            observe_seconds: 86_400,
            allowance_seconds: 2 * WEEK,
            owner: Principal {
                account: "111122223333".to_owned(),
                name: "u".to_owned(),
                id: "AIDAEXAMPLE".to_owned(),
            },
            old_key: id(OLD),
            retirement: Retirement::Disable,
            mints_locally: false,
            own_identity: false,
            host: None,
            prove: Prove::Login,
            window: None,
            lost_key: LostKey::Delete,
        },
        opened_at: ago(3600),
        attempts: vec![Attempt {
            at: ago(600),
            ids_before: BTreeSet::from([id(OLD)]),
            made_within: None,
        }],
        discarded: BTreeSet::new(),
        new_key,
        phase,
        undo: None,
        blocked: None,
        hooks: Default::default(),
    }
}

fn removable() -> Retirement {
    Retirement::Remove {
        public: PublicHalf::new("MIIBOLD"),
    }
}

/// Every way in which an old key goes.
fn retirements() -> [Retirement; 3] {
    [Retirement::Disable, removable(), Retirement::RemoveForGood]
}

/// The same rotation, where the old key goes like this.
fn going(retirement: Retirement, mut rotation: Rotation) -> Rotation {
    rotation.spec.retirement = retirement;
    rotation
}

/// The same rotation, where keys are made on this machine.
fn made_here(mut rotation: Rotation) -> Rotation {
    rotation.spec.mints_locally = true;
    rotation.attempts.clear();
    rotation
}

fn undone(standing: impl Into<Standing>, kind: UndoKind, forced: bool) -> Rotation {
    Rotation {
        undo: Some(Undo {
            kind,
            why: "someone asked for it".to_owned(),
            by: "someone".to_owned().into(),
            forced,
            reactivated: false,
            insisted: false,
            disowns: false,
            restored: BTreeMap::from([("d".to_owned(), Restored::PutBack)]),
        }),
        ..rotation(standing)
    }
}

fn listed(keys: &[Key], agreeing: u32) -> Facts {
    Facts {
        keys: Some(listing(keys.to_vec(), agreeing)),
        ..Facts::default()
    }
}

/// Read just now, from a vendor whose clock is ours.
fn listing(keys: Vec<Key>, agreeing: u32) -> Listing {
    Listing {
        keys,
        agreeing,
        read_at: NOW,
        vendor_time: Some(NOW),
    }
}

/// The list shows both keys, and this is known of their use.
fn uses(readings: &[(&str, LastUse)]) -> Facts {
    let reading = |(name, last_use): &(&str, LastUse)| Use {
        key: id(name),
        read_at: NOW,
        last_use: last_use.clone(),
    };
    Facts {
        uses: readings.iter().map(reading).collect(),
        ..listed(&[key(OLD, true), key(NEW, true)], 1)
    }
}

/// The step, or why it is blocked.
fn decide(rotation: &Rotation, facts: &Facts) -> Result<Step, String> {
    match next(rotation, facts, NOW) {
        Step::Record(Event::Blocked { why }) => Err(why),
        step => Ok(step),
    }
}

#[track_caller]
fn blocked(rotation: &Rotation, facts: &Facts, words: &[&str]) {
    let why = decide(rotation, facts).expect_err("it should be blocked");
    for word in words {
        assert!(why.contains(word), "`{word}` is missing: {why}");
    }
}

#[track_caller]
fn waits(rotation: &Rotation, facts: &Facts, words: &[&str]) -> Wait {
    match decide(rotation, facts) {
        Ok(Step::Wait(wait)) => {
            for word in words {
                assert!(wait.why.contains(word), "`{word}` is missing: {}", wait.why);
            }
            wait
        }
        other => panic!("it should wait, and does: {other:?}"),
    }
}

#[test]
fn a_cut_over_is_observed_only_by_someone_elses_use_of_the_new_key_and_an_idle_old_one() {
    let (delivered, proved) = (ago(2 * 86_400), ago(2 * 86_400 - 100));
    let mut waiting = rotation(Phase::Delivered(delivered).with(issued(Some(proved))));
    waiting.spec.cutover = Cutover::Observed;
    let after = |seconds| used(proved + SignedDuration::from_secs(seconds));
    assert_eq!(decide(&waiting, &Facts::default()), Ok(Step::ReadUse(id(NEW))));

    // The vendor's record shows our own proof too, up to fifteen minutes late.
    for new in [
        LastUse::NeverSeen,
        LastUse::NotReported,
        used(delivered),
        after(0),
        after(900),
    ] {
        let wait = waits(
            &waiting,
            &uses(&[(NEW, new.clone()), (OLD, LastUse::NeverSeen)]),
            match &new {
                LastUse::NotReported => &["does not report", NEW],
                _ => &["nobody but rotate", NEW],
            },
        );
        assert_eq!(wait.on, Waiting::Evidence);
        assert!(wait.until.is_some_and(|until| until > NOW));
    }
    let in_use = after(901);
    assert_eq!(
        decide(&waiting, &uses(&[(NEW, in_use.clone())])),
        Ok(Step::ReadUse(id(OLD)))
    );
    // The first day shows too little of the old key.
    let mut early = waiting.clone();
    Phase::Delivered(ago(86_399))
        .with(issued(Some(ago(86_000))))
        .of(&mut early);
    waits(
        &early,
        &uses(&[(NEW, used(ago(3600))), (OLD, LastUse::NeverSeen)]),
        &["is watched until"],
    );
    for old in [LastUse::NeverSeen, used(delivered), used(ago(3 * 86_400))] {
        let step = decide(&waiting, &uses(&[(NEW, in_use.clone()), (OLD, old.clone())]));
        let by = SwitchedBy::Observed {
            new: in_use.clone(),
            old,
        };
        assert_eq!(step, Ok(Step::Record(Event::CutOver { by })));
    }
    let late = used(delivered + SignedDuration::from_secs(1));
    waits(
        &waiting,
        &uses(&[(NEW, in_use.clone()), (OLD, late)]),
        &[OLD, "after the delivery", "s3", "eu-west-1"],
    );
    // "Unknown" is not "unused".
    waits(
        &waiting,
        &uses(&[(NEW, in_use), (OLD, LastUse::NotReported)]),
        &["does not report", OLD],
    );
}

#[test]
fn a_confirmed_cut_over_waits_for_a_person_and_says_when_it_is_overdue() {
    let delivered = rotation(Phase::Delivered(ago(50)).with(issued(Some(ago(60)))));
    let wait = waits(&delivered, &Facts::default(), &["a person confirms", NEW]);
    let overdue = ago(50) + SignedDuration::from_hours(14 * 24);
    assert_eq!((wait.on, wait.until), (Waiting::Cutover, Some(overdue)));
    assert_eq!(overdue_at(&delivered), Some(overdue));
    assert_eq!(overdue_at(&rotation(Phase::Opened)), None);
    let mut immediate = delivered;
    immediate.spec.cutover = Cutover::Immediate;
    let by = SwitchedBy::Delivery;
    assert_eq!(
        decide(&immediate, &Facts::default()),
        Ok(Step::Record(Event::CutOver { by }))
    );
}

#[test]
fn nothing_is_retired_without_a_fresh_proof_and_a_fresh_look_at_the_old_key() {
    for retirement in retirements() {
        let idle = uses(&[(OLD, LastUse::NeverSeen)]);
        // What is removed for good has rested by now.
        let cut_over = switch(ago(8 * 86_400));
        let at = |proved| {
            let phase = Phase::CutOver(cut_over.clone()).with(issued(proved));
            going(retirement.clone(), rotation(phase))
        };
        let retired = match retirement {
            Retirement::RemoveForGood | Retirement::Replace => Step::Delete,
            Retirement::Disable | Retirement::Remove { .. } => Step::Deactivate,
        };
        assert_eq!(decide(&at(None), &idle), Ok(Step::Prove));
        assert_eq!(decide(&at(Some(ago(301))), &idle), Ok(Step::Prove));
        assert_eq!(decide(&at(Some(ago(300))), &idle), Ok(retired));
        // The list of right before shows the new key: a minute later it is read again.
        assert_eq!(
            decide(&at(Some(ago(1))), &Facts::default()),
            Ok(Step::ReadKeys { again: false })
        );
        let mut stale = idle.clone();
        stale.keys.iter_mut().for_each(|listing| listing.read_at = ago(61));
        assert_eq!(decide(&at(Some(ago(1))), &stale), Ok(Step::ReadKeys { again: false }));
        let both = listed(&[key(OLD, true), key(NEW, true)], 1);
        assert_eq!(decide(&at(Some(ago(1))), &both), Ok(Step::ReadUse(id(OLD))));
        // Whoever has taken it away, or switched it off, within the minutes since its proof, stops this.
        for (keys, enough) in [(vec![key(OLD, true)], 6), (vec![key(OLD, true), key(NEW, false)], 2)] {
            let seen = |agreeing| Facts {
                keys: listed(&keys, agreeing).keys,
                ..idle.clone()
            };
            let again = Ok(Step::ReadKeys { again: true });
            assert_eq!(decide(&at(Some(ago(1))), &seen(enough - 1)), again);
            blocked(&at(Some(ago(1))), &seen(enough), &[NEW, "not listed as active"]);
        }
        let mut earlier = idle;
        earlier.uses[0].read_at = ago(301);
        assert_eq!(decide(&at(Some(ago(1))), &earlier), Ok(Step::ReadUse(id(OLD))));
    }
}

#[test]
fn an_old_key_that_was_used_after_the_cut_over_blocks_by_service_region_and_time() {
    let late = ago(3599);
    let words = [OLD, "after the cut-over", "s3", "eu-west-1", &late.to_string()];
    let facts = Facts {
        keys: listed(&[key(OLD, false), key(NEW, true)], 1).keys,
        ..uses(&[(OLD, used(late))])
    };
    let (new, cut) = (issued(Some(NOW)), switch(ago(3600)));
    let long_ago = retired(ago(8 * 86_400));
    for phase in [
        Phase::CutOver(cut.clone()).with(new.clone()),
        Phase::Soaking(cut.clone(), long_ago.clone()).with(new.clone()),
        Phase::Deleting(cut.clone(), long_ago).with(new.clone()),
    ] {
        blocked(&rotation(phase), &facts, &words);
    }
    // It may be disabled already: then it is switched on again.
    let step = decide(&rotation(Phase::Deactivating(cut.clone()).with(new.clone())), &facts);
    assert!(matches!(step, Ok(Step::Reactivate(why)) if words.iter().all(|word| why.contains(word))));
    for earlier in [
        used(ago(3600)),
        used(ago(86_400)),
        LastUse::NeverSeen,
        LastUse::NotReported,
    ] {
        let step = decide(
            &rotation(Phase::CutOver(cut.clone()).with(new.clone())),
            &uses(&[(OLD, earlier)]),
        );
        assert_eq!(step, Ok(Step::Deactivate));
    }
}

#[test]
fn a_new_key_that_is_the_old_one_blocks() {
    let mut same = issued(Some(NOW));
    same.key = id(OLD);
    for retirement in retirements() {
        let cut_over = Phase::CutOver(switch(ago(8 * 86_400))).with(same.clone());
        blocked(
            &going(retirement, rotation(cut_over)),
            &Facts::default(),
            &["the journal is damaged"],
        );
    }
}

#[test]
fn an_old_key_rests_only_once_the_list_shows_it_disabled_and_nobody_elses_beside_it() {
    let phase = Phase::Deactivated(switch(ago(60)), retired(ago(30))).with(issued(Some(NOW)));
    let resting = rotation(phase);
    assert_eq!(decide(&resting, &Facts::default()), Ok(Step::ReadKeys { again: false }));
    let list = |old| vec![key(OLD, old), key(NEW, true)];
    assert_eq!(
        decide(&resting, &listed(&list(true), 9)),
        Ok(Step::ReadKeys { again: true })
    );
    assert_eq!(
        decide(&resting, &listed(&list(false), 1)),
        Ok(Step::Record(Event::Soaking))
    );
    let mut keys = list(false);
    keys.push(key("AKIASTRANGER", true));
    blocked(&resting, &listed(&keys, 1), &["AKIASTRANGER", "another key"]);
    let unproven = Phase::Deactivated(
        switch(ago(60)),
        Retired {
            at: ago(30),
            proved: false,
            used: false,
        },
    )
    .with(issued(None));
    assert_eq!(decide(&rotation(unproven), &listed(&list(false), 1)), Ok(Step::Prove));
}

#[test]
fn the_soak_ends_to_the_second_and_only_then_is_the_old_key_deleted() {
    let week = i64::try_from(WEEK).expect("it is small");
    let soaking = |since| rotation(Phase::Soaking(switch(ago(8 * 86_400)), retired(since)).with(issued(Some(NOW))));
    let idle = Facts {
        keys: listed(&[key(OLD, false), key(NEW, true)], 1).keys,
        ..uses(&[(OLD, LastUse::NeverSeen)])
    };
    let again = listed(&[key(OLD, true), key(NEW, true)], 1);
    blocked(&soaking(ago(week)), &again, &[OLD, "switched it on again"]);
    let wait = waits(&soaking(ago(week - 1)), &idle, &[OLD, "rests"]);
    assert_eq!(
        (wait.on, wait.until),
        (Waiting::Soak, Some(NOW + SignedDuration::from_secs(1)))
    );
    assert_eq!(decide(&soaking(ago(week)), &idle), Ok(Step::Delete));
    let mut forever = soaking(ago(week));
    forever.spec.soak_seconds = u64::MAX;
    assert_eq!(waits(&forever, &idle, &["rests"]).until, Some(Timestamp::MAX));
}

#[test]
fn a_deleted_key_has_to_be_gone_from_the_list_before_the_end() {
    for retirement in retirements() {
        let deleted = going(retirement, rotation(Phase::Deleted.with(issued(Some(NOW)))));
        assert_eq!(decide(&deleted, &Facts::default()), Ok(Step::ReadKeys { again: false }));
        for active in [true, false] {
            let still = listed(&[key(OLD, active), key(NEW, true)], 5);
            assert_eq!(decide(&deleted, &still), Ok(Step::ReadKeys { again: true }));
        }
        assert_eq!(
            decide(&deleted, &listed(&[key(NEW, true)], 1)),
            Ok(Step::Record(Event::Done))
        );
    }
}
