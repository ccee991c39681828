//! The gate before a key is created, and whose a key is that appeared.

use rotate::policy::{Suspect, may_create, suspect};

use super::*;

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
        match (may_create(&id(OLD), &keys, &retired, 2, |_| false), expected) {
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
        held: Some(BTreeSet::from([id(OLD)])),
        ..listed(keys, 1)
    };
    let ours = [key(OLD, true), made("AKIALOST", at)];
    let unread = Facts {
        held: None,
        ..with(&ours, None)
    };
    assert_eq!(decide(&creating, &unread), Ok(Step::ReadDestinations));
    let held = Facts {
        held: Some([id("AKIALOST")].into()),
        ..with(&ours, Some(LastUse::NeverSeen))
    };
    blocked(
        &creating,
        &held,
        &["AKIALOST", "a destination of this rotation holds it", "abort --force"],
    );
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

/// A call of ours that never left, and a person who rotates by hand in the same minute.
#[test]
fn a_key_that_appeared_is_left_alone_unless_the_old_one_works_as_the_journal_left_it() {
    let at = rotation(Phase::Creating).attempts[0].at;
    let creating = rotation(Phase::Creating);
    let discarding = rotation(Phase::Discarding(id("AKIALOST")));
    let lost = || made("AKIALOST", at);
    let facts = |keys: &[Key]| Facts {
        uses: uses(&[("AKIALOST", LastUse::NeverSeen)]).uses,
        held: Some(BTreeSet::new()),
        ..listed(keys, 2)
    };
    let works = facts(&[key(OLD, true), lost()]);
    for rotation in [&creating, &discarding] {
        assert!(matches!(decide(rotation, &works), Ok(Step::Discard { key, .. }) if key == id("AKIALOST")));
    }
    for keys in [vec![lost()], vec![key(OLD, false), lost()]] {
        for rotation in [&creating, &discarding] {
            blocked(
                rotation,
                &facts(&keys),
                &[
                    "AKIALOST",
                    OLD,
                    "rotated by hand",
                    "abort --force ends the rotation and touches no key",
                ],
            );
        }
    }
    // What was to be deleted may be gone, and only the list be late: the same holds.
    assert!(matches!(
        decide(&discarding, &facts(&[key(OLD, true)])),
        Ok(Step::Discard { .. })
    ));
    blocked(&discarding, &facts(&[]), &["AKIALOST", OLD]);
    // Where a person is always to be asked, they are.
    let mut asking = creating;
    asking.spec.lost_key = LostKey::Ask;
    blocked(&asking, &works, &["AKIALOST", "a person is to decide"]);
}

#[test]
fn by_the_vendors_own_clock_a_key_is_ours_only_if_it_was_made_within_the_call() {
    let listing = Listing {
        read_at: ago(3),
        vendor_time: Some(ago(103)),
        ..listing(vec![key(OLD, true)], 1)
    };
    let call = SignedDuration::from_secs(30);
    let span = rotate::policy::made_within(&listing, NOW, call).expect("the vendor has told its time");
    // Its clock is 100 seconds behind ours.
    assert_eq!(
        (span.from, span.to),
        (ago(101), ago(100) + SignedDuration::from_secs(32))
    );
    let attempts = [Attempt {
        at: NOW,
        ids_before: BTreeSet::from([id(OLD)]),
        made_within: Some(span),
    }];
    for (made_at, expected) in [
        (ago(102), Suspect::Foreign),
        (ago(101), Suspect::Ours),
        (ago(68), Suspect::Ours),
        (ago(67), Suspect::Foreign),
        // By our own clock it would be.
        (NOW, Suspect::Foreign),
    ] {
        assert_eq!(suspect(&made("AKIALOST", made_at), &attempts), expected, "{made_at}");
    }
    let silent = Listing {
        vendor_time: None,
        ..listing
    };
    assert_eq!(rotate::policy::made_within(&silent, NOW, call), None);
}

#[test]
fn with_a_clock_that_is_wrong_no_key_is_created() {
    for (seconds, creates) in [(0, true), (300, true), (301, false), (-300, true), (-301, false)] {
        let facts = Facts {
            keys: Some(Listing {
                vendor_time: Some(NOW + SignedDuration::from_secs(seconds)),
                ..listing(vec![key(OLD, true)], 1)
            }),
            ..Facts::default()
        };
        match creates {
            true => assert_eq!(decide(&rotation(Phase::Opened), &facts), Ok(Step::Create)),
            false => blocked(&rotation(Phase::Opened), &facts, &["clock", "5 minutes"]),
        }
    }
}

#[test]
fn a_person_who_was_told_of_a_key_ends_the_rotation_and_no_key_is_touched() {
    let at = rotation(Phase::Creating).attempts[0].at;
    for phase in [Phase::Creating, Phase::Discarding(id("AKIALOST"))] {
        let after = |rotation, event| Rotation::after(Some(rotation), &Record { at: NOW, event }).expect("it fits");
        let abort = |forced| Event::UndoRequested {
            kind: UndoKind::Abort,
            why: "someone asked for it".to_owned(),
            by: "someone".to_owned().into(),
            forced,
        };
        let stopped = after(
            rotation(phase.clone()),
            Event::Blocked {
                why: "whose key is it?".to_owned(),
            },
        );
        for keys in [vec![made("AKIALOST", at)], vec![key(OLD, true), made("AKIALOST", at)]] {
            let facts = Facts {
                held: Some(BTreeSet::new()),
                uses: uses(&[("AKIALOST", LastUse::NeverSeen)]).uses,
                ..listed(&keys, 9)
            };
            let ended = after(stopped.clone(), abort(true));
            let disowned = Event::Disowned {
                keys: [id("AKIALOST")].into(),
            };
            assert_eq!(decide(&ended, &Facts::default()), Ok(Step::ReadKeys { again: false }));
            assert_eq!(decide(&ended, &facts), Ok(Step::Record(disowned.clone())));
            let ended = after(ended, disowned);
            assert_eq!(decide(&ended, &facts), Ok(Step::Record(Event::Aborted)));
            // Without --force, or where nobody was told, the key is judged as ever.
            for undone in [
                after(stopped.clone(), abort(false)),
                after(rotation(phase.clone()), abort(true)),
            ] {
                match keys.len() {
                    1 => blocked(&undone, &facts, &["AKIALOST", OLD]),
                    _ => assert!(matches!(decide(&undone, &facts), Ok(Step::Discard { .. }))),
                }
            }
        }
    }
}

#[test]
fn a_key_that_was_made_after_the_journals_end_and_by_no_call_of_it_stops_an_open_rotation() {
    let last = ago(60);
    let newer = |name| made(name, ago(59));
    let delivered = rotation(Phase::Delivered(last).with(issued(Some(ago(90)))));
    let stopped = |rotation: &Rotation, keys: &[Key]| rotate::policy::newcomer(rotation, keys, last);
    let found = stopped(&delivered, &[newer("AKIABYHAND"), newer(NEW)]);
    assert!(matches!(found, Some(Event::Blocked { why }) if why.contains("AKIABYHAND") && why.contains("by hand")));
    for keys in [
        vec![newer(OLD), newer(NEW)],
        vec![made("AKIABEFORE", last)],
        vec![key("AKIATIMELESS", true)],
    ] {
        assert_eq!(stopped(&delivered, &keys), None);
    }
    // While a key is being created, whose it is gets found out; and before that, it is in the way of one.
    for phase in [Phase::Opened, Phase::Creating, Phase::Discarding(id("AKIALOST"))] {
        assert_eq!(stopped(&rotation(phase), &[newer("AKIABYHAND")]), None);
    }
    let mut known = delivered;
    known.discarded.insert(id("AKIALOST"));
    assert_eq!(stopped(&known, &[newer("AKIALOST")]), None);
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
fn where_keys_are_made_here_the_same_gate_stands_before_the_making() {
    let opened = made_here(rotation(Phase::Opened));
    assert_eq!(decide(&opened, &Facts::default()), Ok(Step::ReadKeys { again: false }));
    assert_eq!(decide(&opened, &listed(&[key(OLD, true)], 1)), Ok(Step::Mint));
    blocked(&opened, &listed(&[], 1), &[OLD, "no longer there"]);
    blocked(&opened, &listed(&[key(OLD, false)], 1), &[OLD, "no longer active"]);
    blocked(
        &opened,
        &listed(&[key(OLD, true), key("AKIAOTHER", true)], 1),
        &["both slots are full", OLD, "AKIAOTHER"],
    );
    // What an earlier rotation removed and someone has registered again is theirs now: it works, so it stays.
    let mut facts = listed(&[key(OLD, true), key("AKIARETIRED", true)], 1);
    facts.retired = vec![id("AKIARETIRED")];
    blocked(&opened, &facts, &["both slots are full", "AKIARETIRED"]);
    // Nothing has been made yet, so there is nothing to take back.
    let mut undone = made_here(undone(Phase::Opened, UndoKind::Abort, false));
    undone.attempts.clear();
    assert_eq!(decide(&undone, &Facts::default()), Ok(Step::Record(Event::Aborted)));
}

#[test]
fn a_key_that_was_made_here_is_registered_unless_the_vendor_has_it_already() {
    let minted = Issued {
        public: Some(PublicHalf::new("MIIBNEW")),
        reached: BTreeSet::new(),
        delivered: BTreeSet::new(),
        ..issued(None)
    };
    let (old, new, other) = (key(OLD, true), key(NEW, true), key("AKIAOTHER", true));
    let created = || {
        Ok(Step::Record(Event::Created {
            key: id(NEW),
            request: None,
        }))
    };
    let full = || Err(["both slots are full", "AKIAOTHER"]);
    let gone = || Err([OLD, "no longer there"]);
    for (what, keys, first, after_registering) in [
        (
            "nothing has been read",
            None,
            Ok(Step::ReadKeys { again: false }),
            Ok(Step::ReadKeys { again: false }),
        ),
        // Once it is registered, the list may be late; before that, the program may have died on its way to the vendor.
        (
            "the old key alone",
            Some(vec![old.clone()]),
            Ok(Step::Register),
            Ok(Step::ReadKeys { again: true }),
        ),
        ("both", Some(vec![old.clone(), new.clone()]), created(), created()),
        (
            "the new key, and no old one",
            Some(vec![new.clone()]),
            created(),
            created(),
        ),
        (
            "someone was faster",
            Some(vec![old.clone(), other.clone()]),
            full(),
            Ok(Step::ReadKeys { again: true }),
        ),
        (
            "someone took the old one's place",
            Some(vec![other]),
            gone(),
            Ok(Step::ReadKeys { again: true }),
        ),
        ("no key", Some(vec![]), gone(), Ok(Step::ReadKeys { again: true })),
    ] {
        for (registered, expected) in [(false, first), (true, after_registering)] {
            let facts = Facts {
                keys: keys.clone().map(|keys| listing(keys, 1)),
                registered,
                ..Facts::default()
            };
            for retirement in retirements() {
                let rotation = going(retirement, made_here(rotation(Phase::Minted.with(minted.clone()))));
                match (decide(&rotation, &facts), &expected) {
                    (Ok(step), Ok(expected)) => assert_eq!(&step, expected, "{what}, registered: {registered}"),
                    (Err(why), Err(words)) => assert!(words.iter().all(|word| why.contains(word)), "{what}: {why}"),
                    (found, _) => panic!("{what}, registered: {registered}: {found:?}"),
                }
            }
        }
    }
    // A key that this journal retired is not deleted to make room: that belongs before the making.
    let facts = Facts {
        retired: vec![id("AKIARETIRED")],
        ..listed(&[old, key("AKIARETIRED", false)], 1)
    };
    blocked(
        &made_here(rotation(Phase::Minted.with(minted))),
        &facts,
        &["both slots are full", "AKIARETIRED"],
    );
}
