//! What stands before a new key is taken back.

use rotate::policy::used_by_others;
use rotate::store::Stored;
use rotate::view::{Speaker, TargetView};

use super::*;

#[test]
fn what_others_use_is_not_taken_away_unless_a_person_insists() {
    let proved = ago(3600);
    let new = issued(Some(proved));
    let after = |seconds| used(proved + SignedDuration::from_secs(seconds));
    for quiet in [LastUse::NeverSeen, after(-900), after(60)] {
        assert_eq!(used_by_others(&new, &quiet), None);
    }
    // "Unknown" is not "unused": a vendor without a record cannot say that nobody uses it.
    let told = used_by_others(&new, &LastUse::NotReported).expect("it may be someone else's");
    assert!(told.contains("perhaps") && told.contains("does not report"), "{told}");
    let told = used_by_others(&new, &after(61)).expect("it is someone else's");
    assert!(told.contains("s3 in eu-west-1"), "{told}");
    assert!(
        used_by_others(&issued(None), &used(proved)).is_some(),
        "we never used it ourselves"
    );

    let delivered = |forced| undone(Phase::Delivered(ago(3500)).with(new.clone()), UndoKind::Abort, forced);
    let both = listed(&[key(OLD, true), key(NEW, true)], 1);
    let uses = |readings: &[(&str, LastUse)]| Facts {
        keys: both.keys.clone(),
        ..uses(readings)
    };
    let first = Step::ReadKeys { again: false };
    assert_eq!(decide(&delivered(false), &Facts::default()), Ok(first));
    assert_eq!(decide(&delivered(false), &uses(&[])), Ok(Step::ReadUse(id(NEW))));
    blocked(
        &delivered(false),
        &uses(&[(NEW, after(61))]),
        &[NEW, "used by others", "s3 in eu-west-1"],
    );
    assert_eq!(
        decide(&delivered(false), &uses(&[(NEW, LastUse::NeverSeen)])),
        Ok(Step::Withdraw)
    );
    blocked(
        &delivered(false),
        &uses(&[(NEW, LastUse::NotReported)]),
        &[NEW, "perhaps used by others", "move them back to the old key first"],
    );
    for last_use in [after(61), LastUse::NotReported] {
        assert_eq!(decide(&delivered(true), &uses(&[(NEW, last_use)])), Ok(Step::Withdraw));
    }
    // Nobody uses a key that is gone.
    let gone = Facts {
        keys: listed(&[key(OLD, true)], 1).keys,
        ..Facts::default()
    };
    assert_eq!(decide(&delivered(false), &gone), Ok(Step::Withdraw));
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
        for retirement in retirements() {
            for rotation in [
                undone(Phase::Delivered(ago(50)).with(new.clone()), UndoKind::Abort, true),
                undone(
                    Phase::CutOver(switch(ago(40))).with(new.clone()),
                    UndoKind::Rollback,
                    true,
                ),
            ] {
                let step = decide(&going(retirement.clone(), rotation.clone()), &facts);
                let at = rotation.phase.name();
                assert!(
                    !matches!(step, Ok(Step::Withdraw | Step::Restore(_))),
                    "{retirement:?} at `{at}` with {keys:?}: {step:?}"
                );
            }
        }
    }
}

#[test]
fn a_key_that_was_made_here_and_delivered_to_nobody_is_taken_back_whatever_the_list_shows() {
    let mut minted = issued(None);
    minted.reached.clear();
    minted.delivered.clear();
    let lists = [
        vec![],
        vec![key(OLD, true)],
        vec![key(NEW, true)],
        vec![key(OLD, true), key(NEW, true)],
        vec![key(OLD, true), key("AKIASTRANGER", true)],
    ];
    let facts: Vec<Facts> = lists.iter().map(|keys| listed(keys, 1)).collect();
    for forced in [true, false] {
        let at = |phase| made_here(undone(phase, UndoKind::Abort, forced));
        for facts in facts.iter().chain([&Facts::default()]) {
            assert_eq!(
                decide(&at(Phase::Minted.with(minted.clone())), facts),
                Ok(Step::Withdraw)
            );
            assert_eq!(
                decide(&at(Phase::Withdrawing.with(minted.clone())), facts),
                Ok(Step::Withdraw)
            );
        }
        // Whether it was ever registered or not: in the end the list lacks it.
        let withdrawn = at(Phase::Withdrawn.with(minted.clone()));
        assert_eq!(
            decide(&withdrawn, &Facts::default()),
            Ok(Step::ReadKeys { again: false })
        );
        assert_eq!(decide(&withdrawn, &facts[3]), Ok(Step::ReadKeys { again: true }));
        // One look is not enough: the call of a killed program may still be on its way to the vendor.
        assert_eq!(decide(&withdrawn, &facts[1]), Ok(Step::ReadKeys { again: true }));
        let lacking = |agreeing| Facts {
            keys: listed(&lists[1], agreeing).keys,
            ..Facts::default()
        };
        assert_eq!(decide(&withdrawn, &lacking(3)), Ok(Step::ReadKeys { again: true }));
        assert_eq!(decide(&withdrawn, &lacking(4)), Ok(Step::Record(Event::Aborted)));
        // It arrived only now: seen twice, it is taken back once more.
        let arrived = Facts {
            keys: listed(&lists[3], 2).keys,
            ..Facts::default()
        };
        assert_eq!(decide(&withdrawn, &arrived), Ok(Step::Withdraw));
    }
}

#[test]
fn a_rollback_brings_the_old_key_back_from_wherever_it_may_be_off() {
    let (new, cut, rest) = (issued(Some(NOW)), switch(ago(60)), retired(ago(30)));
    let unproven = Retired {
        at: ago(30),
        proved: false,
        used: false,
    };
    let asked = || Ok(Step::Reactivate("someone asked for it".to_owned()));
    let lists = [
        None,
        Some(vec![key(NEW, true)]),
        Some(vec![key(OLD, false), key(NEW, true)]),
        Some(vec![key(OLD, true), key(NEW, true)]),
    ];
    for (retirement, list) in retirements()
        .into_iter()
        .flat_map(|way| lists.iter().map(move |list| (way.clone(), list)))
    {
        for forced in [true, false] {
            let at = |phase| going(retirement.clone(), undone(phase, UndoKind::Rollback, forced));
            let facts = Facts {
                keys: list.clone().map(|keys| listing(keys, 2)),
                ..uses(&[(NEW, LastUse::NeverSeen), (OLD, LastUse::NeverSeen)])
            };
            for phase in [
                Phase::Deactivating(cut.clone()).with(new.clone()),
                Phase::Deactivated(cut.clone(), unproven.clone()).with(new.clone()),
                Phase::Deactivated(cut.clone(), rest.clone()).with(new.clone()),
                Phase::Soaking(cut.clone(), rest.clone()).with(new.clone()),
                Phase::Deleting(cut.clone(), rest.clone()).with(new.clone()),
            ] {
                let name = phase.0.name();
                assert_eq!(
                    decide(&at(phase), &facts),
                    asked(),
                    "{retirement:?} at `{name}` with {list:?}"
                );
            }
            let under_way = Phase::Reactivating(cut.clone(), "an earlier reason".to_owned()).with(new.clone());
            let step = decide(&at(under_way), &facts);
            assert_eq!(step, Ok(Step::Reactivate("an earlier reason".to_owned())));
            // Once it is deleted, nothing is left to go back to.
            blocked(
                &at(Phase::Deleted.with(new.clone())),
                &facts,
                &["nothing can be undone"],
            );
        }
    }
}

#[test]
fn no_key_is_withdrawn_while_that_would_leave_nobody_one_that_works() {
    let (old, off, new) = (key(OLD, true), key(OLD, false), key(NEW, true));
    let other = key("AKIAOTHER", true);
    for phase in [
        Phase::Withdrawing.with(issued(Some(ago(60)))),
        Phase::Delivered(ago(50)).with(issued(Some(ago(60)))),
    ] {
        let mut insisting = undone(phase, UndoKind::Abort, true);
        insisting.undo.iter_mut().for_each(|undo| undo.insisted = true);
        let facts = |keys: &[Key], uses_: &[(&str, LastUse)]| Facts {
            uses: uses(uses_).uses,
            ..listed(keys, 9)
        };
        for (keys, record) in [
            (vec![new.clone()], vec![]),
            (vec![off.clone(), new.clone()], vec![]),
            // It can be switched on again.
            (vec![key(NEW, false)], vec![]),
            (
                vec![new.clone(), other.clone()],
                vec![("AKIAOTHER", LastUse::NeverSeen)],
            ),
            (
                vec![new.clone(), other.clone()],
                vec![("AKIAOTHER", LastUse::NotReported)],
            ),
        ] {
            blocked(
                &insisting,
                &facts(&keys, &record),
                &[NEW, "nobody would have a key", "by hand"],
            );
        }
        assert_eq!(
            decide(&insisting, &facts(&[new.clone(), other.clone()], &[])),
            Ok(Step::ReadUse(id("AKIAOTHER")))
        );
        for (keys, record) in [
            (vec![old.clone(), new.clone()], vec![]),
            // It is gone already.
            (vec![], vec![]),
            (vec![new.clone(), other.clone()], vec![("AKIAOTHER", used(ago(60)))]),
        ] {
            assert_eq!(
                decide(&insisting, &facts(&keys, &record)),
                Ok(Step::Withdraw),
                "{keys:?}"
            );
        }
        // Nobody has it: it may go in any case.
        let mut unreached = insisting;
        let nobodys = Issued {
            reached: BTreeSet::new(),
            delivered: BTreeSet::new(),
            ..issued(Some(ago(60)))
        };
        Phase::Withdrawing.with(nobodys).of(&mut unreached);
        assert_eq!(
            decide(&unreached, &facts(std::slice::from_ref(&new), &[])),
            Ok(Step::Withdraw)
        );
    }
}

#[test]
fn before_anything_is_put_back_the_old_key_is_seen_to_work_or_brought_back() {
    let asked = || Ok(Step::Reactivate("someone asked for it".to_owned()));
    let again = || Ok(Step::ReadKeys { again: true });
    let stands = || Err("does not work any more");
    let goes_on = || Ok(Step::Restore("d".to_owned()));
    let off = || vec![key(OLD, false), key(NEW, true)];
    let gone = || vec![key(NEW, true)];
    let on = || vec![key(OLD, true), key(NEW, true)];
    let (rollback, abort) = (UndoKind::Rollback, UndoKind::Abort);
    let for_good = Retirement::RemoveForGood;
    for (retirement, kind, keys, reactivated, expected) in [
        (Retirement::Disable, rollback, on(), false, goes_on()),
        (Retirement::Disable, rollback, off(), false, asked()),
        (Retirement::Disable, rollback, off(), true, again()),
        (Retirement::Disable, rollback, gone(), false, stands()),
        (Retirement::Disable, rollback, gone(), true, stands()),
        (Retirement::Disable, abort, on(), false, goes_on()),
        (Retirement::Disable, abort, off(), false, stands()),
        (Retirement::Disable, abort, gone(), false, stands()),
        // Where keys are only removed, one that is not listed can be registered again, and the list may be late.
        (removable(), rollback, on(), false, goes_on()),
        // One that was registered again may be removed by a call that is still on its way: two looks are not enough.
        (removable(), rollback, on(), true, again()),
        (removable(), rollback, gone(), false, asked()),
        (removable(), rollback, gone(), true, again()),
        // Before the cut-over nobody has touched it, so whoever removed it knows why.
        (removable(), abort, on(), false, goes_on()),
        (removable(), abort, gone(), false, stands()),
        // Unless nothing is known that would register it.
        (for_good.clone(), rollback, on(), false, goes_on()),
        (for_good.clone(), rollback, on(), true, goes_on()),
        (for_good.clone(), rollback, gone(), false, stands()),
        (for_good.clone(), rollback, gone(), true, stands()),
        (for_good.clone(), abort, on(), false, goes_on()),
        (for_good, abort, gone(), false, stands()),
    ] {
        for forced in [true, false] {
            let new = issued(Some(ago(60)));
            let phase = match kind {
                UndoKind::Abort => Phase::Delivered(ago(50)).with(new),
                UndoKind::Rollback => Phase::CutOver(switch(ago(40))).with(new),
            };
            let mut rotation = going(retirement.clone(), undone(phase, kind, forced));
            rotation.undo.iter_mut().for_each(|undo| {
                undo.reactivated = reactivated;
                undo.restored.clear();
            });
            let told = format!("{retirement:?}, {kind:?}, reactivated: {reactivated}, with {keys:?}");
            assert_eq!(
                decide(&rotation, &Facts::default()),
                Ok(Step::ReadKeys { again: false }),
                "{told}"
            );
            match (decide(&rotation, &listed(&keys, 2)), &expected) {
                (Ok(step), Ok(expected)) => assert_eq!(&step, expected, "{told}"),
                (Err(why), Err(words)) => assert!(why.contains(words), "{told}: {why}"),
                (found, _) => panic!("{told}: {found:?}"),
            }
        }
    }
}

#[test]
fn a_key_that_was_registered_again_is_looked_at_longer_before_anyone_relies_on_it() {
    let phase = Phase::CutOver(switch(ago(40))).with(issued(Some(ago(60))));
    let both = [key(OLD, true), key(NEW, true)];
    for (reactivated, looks) in [(false, 1), (true, 4)] {
        for is_put_back in [false, true] {
            let mut rotation = going(removable(), undone(phase.clone(), UndoKind::Rollback, true));
            rotation.undo.iter_mut().for_each(|undo| {
                undo.reactivated = reactivated;
                if !is_put_back {
                    undo.restored.clear();
                }
            });
            let begins = match is_put_back {
                false => Step::Restore("d".to_owned()),
                true => Step::Withdraw,
            };
            for agreeing in 1..=5 {
                let expected = if agreeing < looks {
                    Step::ReadKeys { again: true }
                } else {
                    begins.clone()
                };
                assert_eq!(
                    decide(&rotation, &listed(&both, agreeing)),
                    Ok(expected),
                    "{agreeing} looks"
                );
            }
        }
    }
}

#[test]
fn a_person_who_insists_because_of_users_does_not_lose_the_last_key_that_works() {
    // A vendor that reports no use always asks for this word. It says nothing of an old key that is removed meanwhile.
    let phase = Phase::CutOver(switch(ago(40))).with(issued(Some(ago(60))));
    let mut rotation = going(removable(), undone(phase, UndoKind::Rollback, false));
    let not_reported = Facts {
        keys: listed(&[key(OLD, true), key(NEW, true)], 2).keys,
        ..uses(&[(NEW, LastUse::NotReported)])
    };
    let why = decide(&rotation, &not_reported).expect_err("the vendor reports no use");
    for event in [Event::Blocked { why }, insists()] {
        rotation = after(rotation, event);
    }
    assert_eq!(decide(&rotation, &not_reported), Ok(Step::Withdraw));
    let step = decide(&rotation, &listed(&[key(NEW, true)], 2));
    assert!(
        matches!(step, Ok(Step::Reactivate(_))),
        "it can be registered again: {step:?}"
    );
}

fn after(rotation: Rotation, event: Event) -> Rotation {
    Rotation::after(Some(rotation), &Record { at: NOW, event }).expect("it fits")
}

fn insists() -> Event {
    Event::UndoRequested {
        kind: UndoKind::Rollback,
        why: "someone asked for it".to_owned(),
        by: "someone".to_owned().into(),
        forced: true,
    }
}

/// What a person says who does what the report names, and how it is named.
fn as_told(rotation: &Rotation) -> (String, Event) {
    let stored = Stored {
        id: "r1".to_owned(),
        target: "snowflake-keypair/U".to_owned(),
        revision: 9,
        updated_at: NOW,
        rotation: rotation.clone().into(),
    };
    let report = TargetView::standing(&stored, NOW, &Speaker::new(None, None));
    let command = report.next.command.expect("a person is told what to do");
    let word = match command.contains(" confirm ") {
        true => Event::Resumed {
            by: "someone".to_owned(),
        },
        false => insists(),
    };
    (command, word)
}

#[test]
fn where_the_old_key_is_gone_for_good_the_command_that_is_named_leads_on() {
    // Its deletion had happened, the program died, and a person asked for a rollback.
    for retirement in [Retirement::Disable, Retirement::RemoveForGood] {
        let phase = Phase::Deleting(switch(ago(8 * 86_400)), retired(ago(60))).with(issued(Some(NOW)));
        let mut rotation = going(retirement.clone(), undone(phase, UndoKind::Rollback, true));
        rotation.undo.iter_mut().for_each(|undo| undo.restored.clear());
        let (why, gone) = ("why".to_owned(), "it is gone".to_owned());
        rotation = after(rotation, Event::ReactivateIntended { why });
        rotation = after(rotation, Event::Blocked { why: gone });
        // The same call would be refused again, and the same command be named again, for ever.
        let (command, word) = as_told(&rotation);
        let step = decide(&after(rotation, word), &listed(&[key(NEW, true)], 2));
        assert!(
            !matches!(step, Ok(Step::Reactivate(_))),
            "{retirement:?}: `{command}` leads to {step:?}"
        );
    }
}

/// Nothing is listed, and the driver knows why.
fn without_owner(owner_is_gone: bool) -> Facts {
    Facts {
        owner_is_gone,
        ..listed(&[], 4)
    }
}

/// A rollback whose owner does not exist any more, by a person who does what is named: whether it ends.
fn ends_without_its_owner(mut rotation: Rotation) -> bool {
    for _ in 0..60 {
        let insisted = rotation.undo.as_ref().is_some_and(|undo| undo.insisted);
        let event = if rotation.blocked.is_some() {
            as_told(&rotation).1
        } else if rotation.undo.is_none() {
            // The program goes no further without the owner, and says that it does not exist.
            insists()
        } else {
            let acknowledged = matches!(rotation.phase, Phase::Withdrawn);
            match next(&rotation, &without_owner(insisted || acknowledged), NOW) {
                Step::Closed => return true,
                Step::Record(event) => event,
                Step::Restore(destination) => Event::Restored {
                    destination,
                    outcome: Restored::PutBack,
                },
                // Only a person may know that it is gone, and not in another account.
                _ if !insisted && !acknowledged => Event::Blocked {
                    why: "the owner does not exist".to_owned(),
                },
                Step::Reactivate(why) if !matches!(rotation.phase, Phase::Reactivating(..)) => {
                    Event::ReactivateIntended { why }
                }
                Step::Reactivate(_) => Event::Blocked {
                    why: "it is gone".to_owned(),
                },
                Step::Withdraw if !matches!(rotation.phase, Phase::Withdrawing) => Event::WithdrawIntended,
                Step::Withdraw => Event::Withdrawn { request: None },
                other => panic!("with nothing listed: {other:?}"),
            }
        };
        rotation = after(rotation, event);
    }
    false
}

#[test]
fn a_rollback_whose_owner_is_gone_can_be_ended_by_a_person_who_insists() {
    let (new, cut, rest) = (issued(Some(NOW)), switch(ago(60)), retired(ago(30)));
    for phase in [
        Phase::CutOver(cut.clone()).with(new.clone()),
        Phase::Soaking(cut.clone(), rest.clone()).with(new.clone()),
        Phase::Deleting(cut, rest).with(new.clone()),
    ] {
        for retirement in retirements() {
            let mut rotation = going(retirement.clone(), undone(phase.clone(), UndoKind::Rollback, true));
            rotation.undo.iter_mut().for_each(|undo| undo.restored.clear());
            let ends = ends_without_its_owner(rotation);
            assert!(ends, "{retirement:?} at `{}`: it never ends", phase.0.name());
        }
    }
}
