//! The gates, one table each, and the plan that is nothing but the gates looked at beforehand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rotate::machine::{
    Attempt, Charter, Cutover, Event, Issued, Phase, Record, Restored, Retired, Rotation, Switch, SwitchedBy, Undo,
    UndoKind,
};
use rotate::plan::{NEW_KEY, foresee};
use rotate::policy::{
    Facts, Listing, Step, Suspect, Use, Wait, Waiting, may_create, next, overdue_at, suspect, used_by_others,
};
use rotate::render::{Report, Speaker, text};
use rotate_providers::contract::{Key, KeyId, LastUse, Principal};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const OLD: &str = "AKIAOLD";
const NEW: &str = "AKIANEW";
const WEEK: u64 = 7 * 86_400;

fn id(name: &str) -> KeyId {
    KeyId::new(name)
}

fn ago(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

fn key(name: &str, active: bool) -> Key {
    Key {
        id: id(name),
        active,
        created_at: None,
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
        service: "s3".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

fn issued(proved_at: Option<Timestamp>) -> Issued {
    Issued {
        key: id(NEW),
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
    Retired { at, proved: true }
}

fn rotation(phase: Phase) -> Rotation {
    Rotation {
        charter: Charter {
            connector: "s3-customer-managed".to_owned(),
            inputs: serde_json::json!({ "user": "u", "bucket": "b" }),
            destinations: vec!["d".to_owned()],
            cutover: Cutover::Confirm,
            soak_seconds: WEEK,
            allowance_seconds: 2 * WEEK,
            owner: Principal {
                account: "111122223333".to_owned(),
                name: "u".to_owned(),
                id: "AIDAEXAMPLE".to_owned(),
            },
            old_key: id(OLD),
        },
        opened_at: ago(3600),
        attempts: vec![Attempt {
            at: ago(600),
            ids_before: BTreeSet::from([id(OLD)]),
        }],
        discarded: BTreeSet::new(),
        phase,
        undo: None,
        blocked: None,
    }
}

fn undone(phase: Phase, kind: UndoKind, forced: bool) -> Rotation {
    Rotation {
        undo: Some(Undo {
            kind,
            why: "someone asked for it".to_owned(),
            forced,
            restored: BTreeMap::from([("d".to_owned(), Restored::PutBack)]),
        }),
        ..rotation(phase)
    }
}

fn listed(keys: &[Key], agreeing: u32) -> Facts {
    Facts {
        keys: Some(Listing {
            keys: keys.to_vec(),
            agreeing,
        }),
        ..Facts::default()
    }
}

fn uses(readings: &[(&str, LastUse)]) -> Facts {
    let reading = |(name, last_use): &(&str, LastUse)| Use {
        key: id(name),
        read_at: NOW,
        last_use: last_use.clone(),
    };
    Facts {
        uses: readings.iter().map(reading).collect(),
        ..Facts::default()
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
fn a_key_is_created_only_beside_the_old_one() {
    let (old, off, other) = (key(OLD, true), key("AKIAOFF", false), key("AKIAOTHER", true));
    let third = key("AKIATHIRD", false);
    let nothing: Result<Option<KeyId>, &[&str]> = Ok(None);
    for (what, keys, retired, expected) in [
        ("the old key alone", vec![old.clone()], vec![], nothing),
        ("no key", vec![], vec![], Err(&[OLD, "no longer there"][..])),
        (
            "the old key switched off",
            vec![key(OLD, false)],
            vec![],
            Err(&["no longer active"]),
        ),
        (
            "another key alone",
            vec![other.clone()],
            vec![],
            Err(&[OLD, "no longer there"]),
        ),
        (
            "a second live key",
            vec![old.clone(), other.clone()],
            vec![],
            Err(&["both slots", OLD, "AKIAOTHER"]),
        ),
        (
            "a second dead key",
            vec![old.clone(), off.clone()],
            vec![],
            Err(&["both slots", "AKIAOFF"]),
        ),
        (
            "a dead key of ours",
            vec![off.clone(), old.clone()],
            vec![off.id.clone()],
            Ok(Some(off.id.clone())),
        ),
        (
            "a live key once ours",
            vec![old.clone(), other.clone()],
            vec![other.id.clone()],
            Err(&["both slots"]),
        ),
        (
            "three keys",
            vec![old, off.clone(), third],
            vec![off.id],
            Err(&["both slots", "AKIATHIRD"]),
        ),
    ] {
        match (may_create(&id(OLD), &keys, &retired, |_| false), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{what}"),
            (Err(why), Err(words)) => assert!(words.iter().all(|word| why.contains(word)), "{what}: {why}"),
            (found, _) => panic!("{what}: {found:?}"),
        }
    }
}

#[test]
fn the_create_gate_reads_the_list_first_and_forgets_keys_that_it_discarded() {
    let mut opened = rotation(Phase::Opened);
    assert_eq!(decide(&opened, &Facts::default()), Ok(Step::ReadKeys { again: false }));
    let both = listed(&[key(OLD, true), key("AKIALOST", true)], 1);
    blocked(&opened, &both, &["both slots are full", OLD, "AKIALOST"]);
    opened.discarded.insert(id("AKIALOST"));
    assert_eq!(decide(&opened, &both), Ok(Step::Create));
    // One that an earlier rotation retired goes first.
    let mut facts = listed(&[key(OLD, true), key("AKIARETIRED", false)], 1);
    facts.retired = vec![id("AKIARETIRED")];
    let step = decide(&opened, &facts);
    assert!(matches!(step, Ok(Step::Discard { key, .. }) if key == id("AKIARETIRED")));
}

#[test]
fn a_key_is_ours_only_if_it_was_made_around_an_attempt() {
    let attempts = rotation(Phase::Creating).attempts;
    let at = attempts[0].at;
    for (seconds, expected) in [
        (-121, Suspect::Foreign),
        (-120, Suspect::Ours),
        (0, Suspect::Ours),
        (300, Suspect::Ours),
        (301, Suspect::Foreign),
    ] {
        let key = made("AKIALOST", at + SignedDuration::from_secs(seconds));
        assert_eq!(suspect(&key, &attempts), expected, "{seconds} s after the attempt");
    }
    // It was there before, or nobody knows when it was made.
    assert_eq!(suspect(&made(OLD, at), &attempts), Suspect::Foreign);
    assert_eq!(suspect(&key("AKIALOST", true), &attempts), Suspect::Foreign);
}

#[test]
fn a_key_that_appeared_is_discarded_only_if_it_is_ours_and_nobody_uses_it() {
    let creating = rotation(Phase::Creating);
    let at = creating.attempts[0].at;
    assert_eq!(
        decide(&creating, &Facts::default()),
        Ok(Step::ReadKeys { again: false })
    );
    let with = |keys: &[Key], last_use: Option<LastUse>| Facts {
        uses: last_use
            .map(|last_use| uses(&[("AKIALOST", last_use)]).uses)
            .unwrap_or_default(),
        ..listed(keys, 1)
    };
    let ours = [key(OLD, true), made("AKIALOST", at)];
    assert_eq!(decide(&creating, &with(&ours, None)), Ok(Step::ReadUse(id("AKIALOST"))));
    let step = decide(&creating, &with(&ours, Some(LastUse::NeverSeen)));
    assert!(matches!(step, Ok(Step::Discard { key, .. }) if key == id("AKIALOST")));
    blocked(
        &creating,
        &with(&ours, Some(used(ago(60)))),
        &["AKIALOST", "s3", "eu-west-1", "someone uses it"],
    );

    let foreign = [key(OLD, true), made("AKIALOST", at - SignedDuration::from_hours(1))];
    blocked(
        &creating,
        &with(&foreign, Some(LastUse::NeverSeen)),
        &["AKIALOST", "cannot be attributed", "created"],
    );
    let several = [key(OLD, true), made("AKIALOST", at), made("AKIAMORE", at)];
    blocked(
        &creating,
        &with(&several, None),
        &["several keys", "AKIALOST", "AKIAMORE"],
    );
}

#[test]
fn that_no_key_appeared_takes_two_readings_that_agree() {
    let creating = rotation(Phase::Creating);
    let old = [key(OLD, true)];
    assert_eq!(decide(&creating, &listed(&old, 1)), Ok(Step::ReadKeys { again: true }));
    let step = decide(&creating, &listed(&old, 2));
    assert!(matches!(step, Ok(Step::Record(Event::CreateFailed { .. }))));
}

#[test]
fn a_cut_over_is_observed_only_by_someone_elses_use_of_the_new_key_and_an_idle_old_one() {
    let (delivered, proved) = (ago(7200), ago(7100));
    let mut waiting = rotation(Phase::Delivered(issued(Some(proved)), delivered));
    waiting.charter.cutover = Cutover::Observed;
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
            &uses(&[(NEW, new), (OLD, LastUse::NeverSeen)]),
            &["nobody but rotate", NEW],
        );
        assert_eq!(wait.on, Waiting::Evidence);
        assert!(wait.until.is_some_and(|until| until > NOW));
    }
    let in_use = after(901);
    assert_eq!(
        decide(&waiting, &uses(&[(NEW, in_use.clone())])),
        Ok(Step::ReadUse(id(OLD)))
    );
    for old in [LastUse::NeverSeen, used(delivered), used(ago(86_400))] {
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
    let delivered = rotation(Phase::Delivered(issued(Some(ago(60))), ago(50)));
    let wait = waits(&delivered, &Facts::default(), &["a person confirms", NEW]);
    let overdue = ago(50) + SignedDuration::from_hours(14 * 24);
    assert_eq!((wait.on, wait.until), (Waiting::Cutover, Some(overdue)));
    assert_eq!(overdue_at(&delivered), Some(overdue));
    assert_eq!(overdue_at(&rotation(Phase::Opened)), None);
    let mut immediate = delivered;
    immediate.charter.cutover = Cutover::Immediate;
    let by = SwitchedBy::Delivery;
    assert_eq!(
        decide(&immediate, &Facts::default()),
        Ok(Step::Record(Event::CutOver { by }))
    );
}

#[test]
fn nothing_is_retired_without_a_fresh_proof_and_a_fresh_look_at_the_old_key() {
    let idle = uses(&[(OLD, LastUse::NeverSeen)]);
    let at = |proved| rotation(Phase::CutOver(issued(proved), switch(ago(3600))));
    assert_eq!(decide(&at(None), &idle), Ok(Step::Prove));
    assert_eq!(decide(&at(Some(ago(301))), &idle), Ok(Step::Prove));
    assert_eq!(decide(&at(Some(ago(300))), &idle), Ok(Step::Deactivate));
    assert_eq!(decide(&at(Some(ago(1))), &Facts::default()), Ok(Step::ReadUse(id(OLD))));
    let mut earlier = idle;
    earlier.uses[0].read_at = ago(301);
    assert_eq!(decide(&at(Some(ago(1))), &earlier), Ok(Step::ReadUse(id(OLD))));
}

#[test]
fn an_old_key_that_was_used_after_the_cut_over_blocks_by_service_region_and_time() {
    let late = ago(3599);
    let words = [OLD, "after the cut-over", "s3", "eu-west-1", &late.to_string()];
    let facts = uses(&[(OLD, used(late))]);
    let (new, cut) = (issued(Some(NOW)), switch(ago(3600)));
    let long_ago = retired(ago(8 * 86_400));
    for phase in [
        Phase::CutOver(new.clone(), cut.clone()),
        Phase::Soaking(new.clone(), cut.clone(), long_ago.clone()),
        Phase::Deleting(new.clone(), cut.clone(), long_ago),
    ] {
        blocked(&rotation(phase), &facts, &words);
    }
    // It may be disabled already: then it is switched on again.
    let step = decide(&rotation(Phase::Deactivating(new.clone(), cut.clone())), &facts);
    assert!(matches!(step, Ok(Step::Reactivate(why)) if words.iter().all(|word| why.contains(word))));
    for earlier in [
        used(ago(3600)),
        used(ago(86_400)),
        LastUse::NeverSeen,
        LastUse::NotReported,
    ] {
        let step = decide(
            &rotation(Phase::CutOver(new.clone(), cut.clone())),
            &uses(&[(OLD, earlier)]),
        );
        assert_eq!(step, Ok(Step::Deactivate));
    }
}

#[test]
fn a_new_key_that_is_the_old_one_blocks() {
    let mut same = issued(Some(NOW));
    same.key = id(OLD);
    blocked(
        &rotation(Phase::CutOver(same, switch(ago(60)))),
        &Facts::default(),
        &["the journal is damaged"],
    );
}

#[test]
fn an_old_key_rests_only_once_the_list_shows_it_disabled_and_nobody_elses_beside_it() {
    let phase = Phase::Deactivated(issued(Some(NOW)), switch(ago(60)), retired(ago(30)));
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
        issued(None),
        switch(ago(60)),
        Retired {
            at: ago(30),
            proved: false,
        },
    );
    assert_eq!(decide(&rotation(unproven), &listed(&list(false), 1)), Ok(Step::Prove));
}

#[test]
fn the_soak_ends_to_the_second_and_only_then_is_the_old_key_deleted() {
    let week = i64::try_from(WEEK).expect("it is small");
    let soaking = |since| {
        rotation(Phase::Soaking(
            issued(Some(NOW)),
            switch(ago(8 * 86_400)),
            retired(since),
        ))
    };
    let idle = uses(&[(OLD, LastUse::NeverSeen)]);
    let wait = waits(&soaking(ago(week - 1)), &idle, &[OLD, "rests"]);
    assert_eq!(
        (wait.on, wait.until),
        (Waiting::Soak, Some(NOW + SignedDuration::from_secs(1)))
    );
    assert_eq!(decide(&soaking(ago(week)), &idle), Ok(Step::Delete));
    let mut forever = soaking(ago(week));
    forever.charter.soak_seconds = u64::MAX;
    assert_eq!(waits(&forever, &idle, &["rests"]).until, Some(Timestamp::MAX));
}

#[test]
fn a_deleted_key_has_to_be_gone_from_the_list_before_the_end() {
    let deleted = rotation(Phase::Deleted(issued(Some(NOW))));
    assert_eq!(decide(&deleted, &Facts::default()), Ok(Step::ReadKeys { again: false }));
    let still = listed(&[key(OLD, false), key(NEW, true)], 5);
    assert_eq!(decide(&deleted, &still), Ok(Step::ReadKeys { again: true }));
    assert_eq!(
        decide(&deleted, &listed(&[key(NEW, true)], 1)),
        Ok(Step::Record(Event::Done))
    );
}

#[test]
fn what_others_use_is_not_taken_away_unless_a_person_insists() {
    let proved = ago(3600);
    let new = issued(Some(proved));
    let after = |seconds| used(proved + SignedDuration::from_secs(seconds));
    for quiet in [LastUse::NeverSeen, LastUse::NotReported, after(-900), after(60)] {
        assert_eq!(used_by_others(&new, &quiet), None);
    }
    let told = used_by_others(&new, &after(61)).expect("it is someone else's");
    assert!(told.contains("s3 in eu-west-1"), "{told}");
    assert!(
        used_by_others(&issued(None), &used(proved)).is_some(),
        "we never used it ourselves"
    );

    let delivered = |forced| undone(Phase::Delivered(new.clone(), ago(3500)), UndoKind::Abort, forced);
    assert_eq!(decide(&delivered(false), &Facts::default()), Ok(Step::ReadUse(id(NEW))));
    blocked(
        &delivered(false),
        &uses(&[(NEW, after(61))]),
        &[NEW, "used by others", "s3 in eu-west-1"],
    );
    assert_eq!(
        decide(&delivered(false), &uses(&[(NEW, LastUse::NeverSeen)])),
        Ok(Step::Withdraw)
    );
    assert_eq!(decide(&delivered(true), &uses(&[(NEW, after(61))])), Ok(Step::Withdraw));
    let mut left = delivered(false);
    left.undo
        .iter_mut()
        .for_each(|undo| undo.restored = BTreeMap::from([("d".to_owned(), Restored::ChangedSince)]));
    blocked(&left, &uses(&[(NEW, after(61))]), &["left alone: d"]);
}

#[test]
fn no_new_key_is_withdrawn_while_the_old_one_is_seen_not_to_work() {
    // Someone finished the job by hand, and then the rotation is undone: the new key is the only one that works.
    let new = issued(Some(ago(60)));
    for keys in [vec![key(NEW, true)], vec![key(OLD, false), key(NEW, true)]] {
        let mut facts = uses(&[(NEW, LastUse::NeverSeen)]);
        facts.keys = listed(&keys, 2).keys;
        for rotation in [
            undone(Phase::Delivered(new.clone(), ago(50)), UndoKind::Abort, true),
            undone(Phase::CutOver(new.clone(), switch(ago(40))), UndoKind::Rollback, true),
        ] {
            let step = decide(&rotation, &facts);
            assert_ne!(step, Ok(Step::Withdraw), "at `{}` with {keys:?}", rotation.phase.name());
        }
    }
}

#[path = "policy/plan.rs"]
mod plan;
