//! Where the proof is the consumer's: the vendor's list and its record of use, and never a login of our own.

use rotate::machine::Prove;
use rotate::policy::Refusals;
use rotate_providers::contract::RefusedLogin;

use super::*;

fn by(prove: Prove, mut rotation: Rotation) -> Rotation {
    rotation.spec.prove = prove;
    rotation
}

/// A key that we have never used ourselves.
fn unproven() -> Issued {
    issued(None)
}

fn both() -> [Key; 2] {
    [key(OLD, true), key(NEW, true)]
}

/// The old key is off since then, and so much is known of the new one's use.
fn waiting(off_since: Timestamp, used_at: Option<Timestamp>, refused: Option<Timestamp>) -> (Rotation, Facts) {
    let rotation = by(
        Prove::Consumer,
        rotation(Phase::Deactivated(switch(off_since), retired(off_since)).with(unproven())),
    );
    let use_ = used_at.map_or(LastUse::NeverSeen, used);
    let facts = Facts {
        uses: uses(&[(NEW, use_)]).uses,
        refused: Refusals::Read(refused.map(|at| RefusedLogin {
            at,
            why: "a network policy".into(),
        })),
        ..listed(&[key(OLD, false), key(NEW, true)], 2)
    };
    (rotation, facts)
}

#[test]
fn a_key_is_delivered_once_it_is_listed_as_active_and_never_logged_in_with() {
    let created = by(Prove::Consumer, rotation(Phase::Created.with(unproven())));
    assert_eq!(decide(&created, &Facts::default()), Ok(Step::ReadKeys { again: false }));
    assert_eq!(decide(&created, &listed(&both(), 1)), Ok(Step::Record(Event::Listed)));
    for missing in [[key(OLD, true)].as_slice(), &[key(OLD, true), key(NEW, false)]] {
        assert_eq!(
            decide(&created, &listed(missing, 1)),
            Ok(Step::ReadKeys { again: true })
        );
    }
    let mut nowhere = unproven();
    nowhere.reached.clear();
    nowhere.delivered.clear();
    let verified = by(Prove::Consumer, rotation(Phase::Verified.with(nowhere)));
    assert_eq!(
        decide(&verified, &listed(&both(), 1)),
        Ok(Step::Deliver(vec!["d".to_owned()]))
    );
}

#[test]
fn the_old_key_is_disabled_only_while_the_new_one_is_listed_as_active() {
    let cut_over = by(
        Prove::Consumer,
        rotation(Phase::CutOver(switch(ago(60))).with(unproven())),
    );
    let idle = |keys: &[Key], agreeing| Facts {
        uses: uses(&[(OLD, LastUse::NeverSeen)]).uses,
        ..listed(keys, agreeing)
    };
    assert_eq!(decide(&cut_over, &idle(&both(), 1)), Ok(Step::Deactivate));
    let off = [key(OLD, true), key(NEW, false)];
    assert_eq!(decide(&cut_over, &idle(&off, 1)), Ok(Step::ReadKeys { again: true }));
    for gone in [off.as_slice(), &[key(OLD, true)]] {
        let why = decide(&cut_over, &idle(gone, 6)).expect_err("it is blocked");
        assert!(why.contains("is not listed as active"), "{why}");
    }
}

#[test]
fn after_the_disabling_only_later_use_ends_the_wait() {
    let hour = ago(3600);
    for (used_at, ends) in [
        (None, false),
        (Some(ago(7200)), false),
        (Some(hour), false),
        (Some(ago(60)), true),
    ] {
        let (rotation, facts) = waiting(hour, used_at, None);
        let step = decide(&rotation, &facts);
        let waits = matches!(&step, Ok(Step::Wait(wait)) if wait.on == Waiting::Evidence);
        assert_eq!(
            matches!(step, Ok(Step::Record(Event::Used { .. }))),
            ends,
            "{used_at:?}: {step:?}"
        );
        assert_eq!(waits, !ends, "{used_at:?}: {step:?}");
        assert!(!rotation.phase.is_delicate());
    }
}

#[test]
fn our_own_probe_is_no_use_by_the_consumer() {
    let (mut rotation, facts) = waiting(ago(3600), Some(ago(60)), None);
    rotation.spec.prove = Prove::Identity;
    Phase::Deactivated(switch(ago(3600)), retired(ago(3600)))
        .with(issued(Some(ago(120))))
        .of(&mut rotation);
    assert!(matches!(decide(&rotation, &facts), Ok(Step::Wait(_))));
    Phase::Deactivated(switch(ago(3600)), retired(ago(3600)))
        .with(issued(Some(ago(1800))))
        .of(&mut rotation);
    assert!(matches!(
        decide(&rotation, &facts),
        Ok(Step::Record(Event::Used { .. }))
    ));
}

#[test]
fn a_new_key_that_is_taken_away_while_its_use_is_waited_for_brings_the_old_one_back_at_once() {
    let (waiting, _) = waiting(ago(30), None, None);
    for keys in [vec![key(OLD, false)], vec![key(OLD, false), key(NEW, false)]] {
        let step = decide(&waiting, &listed(&keys, 1));
        assert!(
            matches!(step, Ok(Step::Reactivate(why)) if why.contains(NEW)),
            "{keys:?}"
        );
    }
}

#[test]
fn a_login_that_was_refused_since_brings_the_old_key_back_unless_a_later_one_worked() {
    let (rotation, facts) = waiting(ago(3600), None, Some(ago(600)));
    assert!(matches!(decide(&rotation, &facts), Ok(Step::Reactivate(why)) if why.contains("a network policy")));
    let (rotation, facts) = waiting(ago(3600), Some(ago(60)), Some(ago(600)));
    assert!(matches!(
        decide(&rotation, &facts),
        Ok(Step::Record(Event::Used { .. }))
    ));
    let (rotation, mut facts) = waiting(ago(3600), Some(ago(60)), None);
    facts.refused = Refusals::Unread;
    assert!(matches!(decide(&rotation, &facts), Ok(Step::ReadRefusals { since, .. }) if since == ago(3600)));
}

#[test]
fn a_wait_that_takes_too_long_calls_a_person_and_begins_anew_with_their_word() {
    let two_weeks = 14 * 86_400;
    let (rotation, facts) = waiting(ago(two_weeks), None, None);
    let why = decide(&rotation, &facts).expect_err("it is blocked");
    assert!(why.contains("no use of new key"), "{why}");
    assert!(rotation.may_undo(UndoKind::Rollback));
    let (rotation, facts) = waiting(ago(two_weeks - 1), None, None);
    assert!(matches!(decide(&rotation, &facts), Ok(Step::Wait(_))));
    let (mut rotation, facts) = waiting(ago(2 * two_weeks), None, None);
    Phase::Deactivated(switch(ago(60)), retired(ago(2 * two_weeks)))
        .with(unproven())
        .of(&mut rotation);
    assert!(matches!(decide(&rotation, &facts), Ok(Step::Wait(_))));
}

#[test]
fn with_a_persons_word_alone_the_old_key_rests_before_it_goes() {
    let attested = |at| Switch {
        at,
        by: SwitchedBy::Attested {
            by: "someone".to_owned(),
            evidence: "a job has run".to_owned(),
        },
    };
    for retirement in retirements() {
        let at = |since| {
            let cut_over = rotation(Phase::CutOver(attested(since)).with(unproven()));
            going(retirement.clone(), by(Prove::Consumer, cut_over))
        };
        let facts = Facts {
            uses: uses(&[(OLD, LastUse::NeverSeen)]).uses,
            ..listed(&both(), 2)
        };
        let waits = decide(&at(ago(60)), &facts);
        assert!(
            matches!(&waits, Ok(Step::Wait(wait)) if wait.on == Waiting::Soak),
            "{waits:?}"
        );
        assert_eq!(decide(&at(ago(8 * 86_400)), &facts), Ok(Step::Delete));
    }
}
