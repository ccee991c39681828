//! Vendors that cannot disable a key, only remove it.

use super::*;

fn resting(since: Timestamp) -> Rotation {
    let phase = Phase::CutOver(switch(since)).with(issued(Some(NOW)));
    going(Retirement::RemoveForGood, rotation(phase))
}

fn week() -> i64 {
    i64::try_from(WEEK).expect("it is small")
}

fn both() -> Vec<Key> {
    vec![key(OLD, true), key(NEW, true)]
}

#[test]
fn what_nothing_brings_back_rests_before_it_is_removed_to_the_second() {
    let idle = uses(&[(OLD, LastUse::NeverSeen)]);
    let wait = waits(
        &resting(ago(week() - 1)),
        &idle,
        &[OLD, "rests before it is removed for good"],
    );
    assert_eq!(
        (wait.on, wait.until),
        (Waiting::Soak, Some(NOW + SignedDuration::from_secs(1)))
    );
    assert_eq!(decide(&resting(ago(week())), &idle), Ok(Step::Delete));
    let mut at_once = resting(NOW);
    at_once.spec.soak_seconds = 0;
    assert_eq!(decide(&at_once, &idle), Ok(Step::Delete));
    let mut forever = resting(ago(week()));
    forever.spec.soak_seconds = u64::MAX;
    assert_eq!(waits(&forever, &idle, &["rests"]).until, Some(Timestamp::MAX));
}

#[test]
fn what_nothing_brings_back_is_never_disabled_and_never_removed_before_its_rest() {
    let lists = [
        None,
        Some(vec![]),
        Some(vec![key(NEW, true)]),
        Some(both()),
        Some(vec![key(OLD, true)]),
        Some(vec![key(OLD, false), key(NEW, true)]),
    ];
    let records = [
        None,
        Some(LastUse::NeverSeen),
        Some(LastUse::NotReported),
        Some(used(NOW)),
        Some(used(ago(week() * 3))),
    ];
    let mut deleted = 0;
    for since in [0, 1, week() - 1, week(), week() + 1, week() * 2] {
        for proved in [None, Some(ago(301)), Some(ago(300)), Some(NOW)] {
            for (list, record) in lists
                .iter()
                .flat_map(|list| records.iter().map(move |record| (list, record)))
            {
                let facts = Facts {
                    keys: list.clone().map(|keys| listing(keys, 2)),
                    ..uses(
                        &record
                            .clone()
                            .map(|record| (OLD, record))
                            .into_iter()
                            .collect::<Vec<_>>(),
                    )
                };
                let mut rotation = resting(ago(since));
                Phase::CutOver(switch(ago(since)))
                    .with(issued(proved))
                    .of(&mut rotation);
                match next(&rotation, &facts, NOW) {
                    Step::Deactivate => panic!("it is disabled, with {facts:?}"),
                    Step::Delete => {
                        assert!(since >= week(), "it has rested {since} s");
                        assert!(proved.is_some_and(|at| at >= ago(300)), "the new key is not proven");
                        deleted += 1;
                    }
                    step => assert!(
                        since >= week() || matches!(step, Step::Wait(_)),
                        "{step:?} after {since} s"
                    ),
                }
            }
        }
    }
    assert!(deleted > 0);
}

#[test]
fn what_was_used_since_the_cut_over_is_not_removed_for_good_and_rests_anew_once_a_person_has_looked() {
    let late = ago(86_400);
    let facts = uses(&[(OLD, used(late))]);
    let rested = resting(ago(week()));
    blocked(
        &rested,
        &facts,
        &[OLD, "after the cut-over", "s3", "eu-west-1", &late.to_string()],
    );
    let after = |rotation, event| Rotation::after(Some(rotation), &Record { at: NOW, event }).expect("it fits");
    let why = "someone uses it".to_owned();
    let stopped = after(rested, Event::Blocked { why });
    let by = "someone".to_owned();
    let resumed = after(stopped, Event::Resumed { by });
    let wait = waits(&resumed, &facts, &["rests"]);
    assert_eq!(wait.until, Some(NOW + SignedDuration::from_secs(week())));
}

#[test]
fn a_removal_for_good_that_may_have_happened_is_finished() {
    let deleting = |proved| {
        let phase = Phase::Deleting(switch(ago(week())), retired(ago(60))).with(issued(proved));
        going(Retirement::RemoveForGood, rotation(phase))
    };
    let fresh = deleting(Some(NOW));
    assert_eq!(decide(&fresh, &Facts::default()), Ok(Step::ReadKeys { again: false }));
    // It has not happened: the key is where it was, and nobody has switched anything on.
    let still_there = |last_use| Facts {
        keys: listed(&both(), 1).keys,
        ..uses(&[(OLD, last_use)])
    };
    assert_eq!(decide(&fresh, &still_there(LastUse::NeverSeen)), Ok(Step::Delete));
    assert_eq!(decide(&fresh, &still_there(LastUse::NotReported)), Ok(Step::Delete));
    assert_eq!(decide(&fresh, &listed(&both(), 1)), Ok(Step::ReadUse(id(OLD))));
    blocked(&fresh, &still_there(used(ago(3600))), &[OLD, "after the cut-over"]);
    assert_eq!(
        decide(&deleting(Some(ago(301))), &still_there(LastUse::NeverSeen)),
        Ok(Step::Prove)
    );
    // It has happened: its record cannot be read any more.
    let gone = |agreeing| listed(&[key(NEW, true)], agreeing);
    assert_eq!(decide(&fresh, &gone(1)), Ok(Step::ReadKeys { again: true }));
    assert_eq!(decide(&fresh, &gone(2)), Ok(Step::Delete));
}

#[test]
fn a_removal_that_may_have_happened_is_repeated_or_undone() {
    let phase = Phase::Deactivating(switch(ago(3600))).with(issued(Some(NOW)));
    let removing = going(removable(), rotation(phase));
    let with = |keys: &[Key], agreeing, last_use| Facts {
        keys: listed(keys, agreeing).keys,
        ..uses(&[(OLD, last_use)])
    };
    let gone = [key(NEW, true)];
    let step = decide(&removing, &with(&gone, 1, LastUse::NeverSeen));
    assert_eq!(step, Ok(Step::ReadKeys { again: true }));
    for last_use in [LastUse::NeverSeen, LastUse::NotReported] {
        assert_eq!(
            decide(&removing, &with(&gone, 2, last_use.clone())),
            Ok(Step::Deactivate)
        );
        assert_eq!(decide(&removing, &with(&both(), 1, last_use)), Ok(Step::Deactivate));
    }
    let step = decide(&removing, &with(&both(), 1, used(ago(60))));
    assert!(matches!(step, Ok(Step::Reactivate(why)) if why.contains("after the cut-over")));
}

#[test]
fn a_removed_key_rests_once_the_list_lacks_it_and_nobody_has_taken_its_place() {
    let phase = |proved| {
        let retired = Retired {
            at: ago(30),
            proved,
            used: false,
        };
        Phase::Deactivated(switch(ago(60)), retired).with(issued(Some(NOW)))
    };
    let removed = going(removable(), rotation(phase(true)));
    assert_eq!(decide(&removed, &Facts::default()), Ok(Step::ReadKeys { again: false }));
    assert_eq!(
        decide(&removed, &listed(&both(), 9)),
        Ok(Step::ReadKeys { again: true })
    );
    assert_eq!(
        decide(&removed, &listed(&[key(NEW, true)], 1)),
        Ok(Step::Record(Event::Soaking))
    );
    // Nobody could register the old key again while someone else's is in its slot.
    blocked(
        &removed,
        &listed(&[key("AKIASTRANGER", true), key(NEW, true)], 1),
        &["AKIASTRANGER", "another key"],
    );
    let unproven = going(removable(), rotation(phase(false)));
    assert_eq!(decide(&unproven, &listed(&[key(NEW, true)], 2)), Ok(Step::Prove));
}

#[test]
fn a_removed_key_can_be_registered_again_until_its_rest_ends_to_the_second() {
    let soaking = |since, proved| {
        let phase = Phase::Soaking(switch(ago(8 * 86_400)), retired(since)).with(issued(proved));
        going(removable(), rotation(phase))
    };
    let gone = |agreeing| listed(&[key(NEW, true)], agreeing);
    let wait = waits(
        &soaking(ago(week() - 1), Some(NOW)),
        &gone(2),
        &[OLD, "is removed, and can be registered again meanwhile"],
    );
    assert_eq!(
        (wait.on, wait.until),
        (Waiting::Soak, Some(NOW + SignedDuration::from_secs(1)))
    );
    let rested = soaking(ago(week()), Some(NOW));
    assert_eq!(decide(&rested, &Facts::default()), Ok(Step::ReadKeys { again: false }));
    assert_eq!(decide(&rested, &gone(1)), Ok(Step::ReadKeys { again: true }));
    assert_eq!(decide(&rested, &gone(2)), Ok(Step::Delete));
    assert_eq!(decide(&soaking(ago(week()), Some(ago(301))), &gone(2)), Ok(Step::Prove));
    // Someone has registered it again by hand: it is needed, and stays.
    let phase = Phase::Deleting(switch(ago(8 * 86_400)), retired(ago(week()))).with(issued(Some(NOW)));
    for rotation in [rested, going(removable(), rotation(phase))] {
        let facts = Facts {
            keys: listed(&both(), 2).keys,
            ..uses(&[(OLD, LastUse::NeverSeen)])
        };
        blocked(&rotation, &facts, &[OLD, "switched it on again"]);
    }
}

#[test]
fn only_a_list_of_just_now_that_does_not_lag_stands_for_a_deletion() {
    let phase = Phase::Deleting(switch(ago(60)), retired(ago(30))).with(issued(Some(NOW)));
    let mut removed = going(removable(), rotation(phase));
    removed.spec.connector = "snowflake-keypair".to_owned();
    let gone = |at| {
        let mut facts = listed(&[key(NEW, true)], 9);
        facts.keys.iter_mut().for_each(|listing| listing.read_at = at);
        facts
    };
    assert!(is_removed_already(&removed, &gone(ago(60)), NOW));
    assert!(!is_removed_already(&removed, &gone(ago(61)), NOW));
    assert!(!is_removed_already(&removed, &Facts::default(), NOW));
    assert!(!is_removed_already(&removed, &listed(&both(), 9), NOW));
    removed.spec.connector = "s3-customer-managed".to_owned();
    assert!(!is_removed_already(&removed, &gone(NOW), NOW));
}

#[test]
fn the_use_of_the_old_key_is_read_beside_the_list_only_where_it_goes_next_and_is_not_known() {
    let cut_over = rotation(Phase::CutOver(switch(ago(60))).with(issued(Some(NOW))));
    let known = uses(&[(OLD, LastUse::NeverSeen)]);
    assert_eq!(use_beside(&cut_over, &Facts::default(), NOW), Some(id(OLD)));
    assert_eq!(use_beside(&cut_over, &known, NOW), None);
    let undone = undone(cut_over.phase.clone(), UndoKind::Rollback, false);
    assert_eq!(use_beside(&undone, &Facts::default(), NOW), None);
    assert_eq!(use_beside(&rotation(Phase::Opened), &Facts::default(), NOW), None);
    // Whatever was read beside it, the step is decided by the list first.
    let mut unlisted = known;
    unlisted.keys = listed(&[key(OLD, true)], 1).keys;
    assert_eq!(decide(&cut_over, &unlisted), Ok(Step::ReadKeys { again: true }));
}
