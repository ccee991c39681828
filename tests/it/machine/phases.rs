//! What is said of a phase, phase by phase, and which events it does not take: decided here, and relied on everywhere.

use std::collections::BTreeSet;

use rotate::machine::{Issued, Replacement, Retired, Switch};

use super::*;

fn issued() -> Issued {
    Issued {
        key: KeyId::parse(NEW).expect("the name of a key"),
        public: None,
        proved_at: Some(NOW),
        reached: BTreeSet::new(),
        delivered: BTreeSet::new(),
    }
}

fn replacement() -> Replacement {
    Replacement {
        way_back: true,
        sent: true,
    }
}

/// Every phase, in the order of a rotation's life; the one in which the old key is off, before and after the second proof.
fn phases() -> Vec<Phase> {
    let switch = || Switch {
        at: NOW,
        by: SwitchedBy::Delivery,
    };
    let retired = |proved| Retired {
        at: NOW,
        proved,
        used: false,
    };
    vec![
        Phase::Opened,
        Phase::Creating,
        Phase::Discarding(KeyId::parse(NEW).expect("the name of a key")),
        Phase::Minted,
        Phase::Prepared(replacement()),
        Phase::Replacing(replacement()),
        Phase::Replaced(replacement()),
        Phase::Reverting(replacement()),
        Phase::Reverted(replacement()),
        Phase::Created,
        Phase::Verified,
        Phase::Delivered(NOW),
        Phase::CutOver(switch()),
        Phase::Deactivating(switch()),
        Phase::Deactivated(switch(), retired(false)),
        Phase::Deactivated(switch(), retired(true)),
        Phase::Reactivating(switch(), "why".to_owned()),
        Phase::Soaking(switch(), retired(true)),
        Phase::Deleting(switch(), retired(true)),
        Phase::Deleted,
        Phase::Withdrawing,
        Phase::Withdrawn,
        Phase::Done,
        Phase::Aborted,
        Phase::RolledBack,
    ]
}

/// The names of the phases of which something holds.
fn those(holds: impl Fn(&Phase) -> bool) -> Vec<String> {
    let named = |phase: &Phase| match phase {
        Phase::Deactivated(_, retired) if retired.proved => "deactivated and proven".to_owned(),
        phase => phase.name().to_owned(),
    };
    phases().iter().filter(|phase| holds(phase)).map(named).collect()
}

#[test]
fn nothing_follows_the_three_ends() {
    assert_eq!(those(Phase::is_closed), ["done", "aborted", "rolled-back"]);
}

#[test]
fn nobody_stops_while_the_old_key_may_be_off_and_the_new_one_is_not_proven_since() {
    assert_eq!(
        those(Phase::is_delicate),
        [
            "replacing",
            "replaced",
            "reverting",
            "reverted",
            "deactivating",
            "deactivated",
            "reactivating"
        ]
    );
}

#[test]
fn the_program_goes_on_with_its_own_new_key_once_the_old_one_may_be_gone() {
    assert_eq!(
        those(Phase::trusts_new_key),
        [
            "cut-over",
            "deactivating",
            "deactivated",
            "deactivated and proven",
            "reactivating",
            "soaking",
            "deleting",
            "deleted"
        ]
    );
}

/// The rotation after these events, or the event that it does not take.
fn after(kind: &Kind, events: &[Event]) -> Result<Rotation, Illegal> {
    let records: Vec<Record> = [kind.opened()]
        .into_iter()
        .chain(events.iter().cloned().map(record))
        .collect();
    Ok(Rotation::replay(&records)?.expect("it was opened"))
}

fn refused(kind: &Kind, events: &[Event]) {
    let (last, before) = events.split_last().expect("there is an event");
    after(kind, before).expect("all but the last fit");
    let illegal = after(kind, events).expect_err("the last does not fit");
    assert_eq!(illegal.event, last.name());
}

#[test]
fn only_the_key_that_was_to_be_discarded_is() {
    let kind = &kinds()[0];
    let intent = Event::CreateIntended {
        ids_before: [KeyId::parse(OLD).expect("the name of a key")].into(),
        made_within: None,
    };
    let discard = Event::DiscardIntended {
        key: KeyId::parse(NEW).expect("the name of a key"),
        why: "nobody has it".to_owned(),
    };
    let discarded = |key| Event::Discarded {
        key: KeyId::parse(key).expect("the name of a key"),
        request: None,
    };
    let taken = after(kind, &[intent.clone(), discard.clone(), discarded(NEW)]).expect("it fits");
    assert_eq!(taken.phase, Phase::Opened);
    assert_eq!(taken.discarded, [KeyId::parse(NEW).expect("the name of a key")].into());
    refused(kind, &[intent, discard, discarded(OLD)]);
}

#[test]
fn a_key_is_made_where_the_spec_says_and_registered_as_it_was_made() {
    let minted = |key| Event::Minted {
        key: KeyId::parse(key).expect("the name of a key"),
        public: PublicHalf::new(NEW_PUBLIC),
    };
    let created = |key| Event::Created {
        key: KeyId::parse(key).expect("the name of a key"),
        request: None,
    };
    let intent = Event::CreateIntended {
        ids_before: [KeyId::parse(OLD).expect("the name of a key")].into(),
        made_within: None,
    };
    for kind in kinds() {
        if kind.mints_locally {
            let made = after(&kind, &[minted(NEW), created(NEW)]).expect("it fits");
            assert_eq!(made.phase.name(), "created");
            refused(&kind, &[minted(NEW), created("another")]);
            refused(&kind, std::slice::from_ref(&intent));
        } else {
            let made = after(&kind, &[intent.clone(), created(NEW)]).expect("it fits");
            assert_eq!(made.phase.name(), "created");
            refused(&kind, &[minted(NEW)]);
        }
    }
}

#[test]
fn the_rest_begins_once_what_the_proof_rests_on_is_there() {
    let retired = |proved, used| Retired { at: NOW, proved, used };
    for (prove, retired, begins) in [
        (Prove::Login, retired(false, false), false),
        (Prove::Login, retired(true, false), true),
        (Prove::Identity, retired(true, false), false),
        (Prove::Identity, retired(false, true), false),
        (Prove::Identity, retired(true, true), true),
        (Prove::Consumer, retired(true, false), false),
        (Prove::Consumer, retired(true, true), true),
    ] {
        let by = SwitchedBy::Person("someone".to_owned());
        let mut rotation = Rotation::after(None, &opened()).unwrap();
        rotation.spec.prove = prove;
        rotation.new_key = Some(issued());
        rotation.phase = Phase::Deactivated(Switch { at: NOW, by }, retired);
        let after = Rotation::after(Some(rotation), &record(Event::Soaking));
        assert_eq!(after.is_ok(), begins, "{prove:?}");
    }
}

#[test]
fn a_key_that_its_consumer_proves_is_listed_and_any_other_is_logged_in_with() {
    for prove in [Prove::Login, Prove::Identity, Prove::Consumer] {
        let mut rotation = Rotation::after(None, &opened()).unwrap();
        rotation.spec.prove = prove;
        rotation.new_key = Some(issued());
        rotation.phase = Phase::Created;
        let takes = |event| Rotation::after(Some(rotation.clone()), &record(event)).is_ok();
        assert_eq!(takes(Event::Listed), prove == Prove::Consumer, "{prove:?}");
        assert_eq!(takes(Event::Proved), prove != Prove::Consumer, "{prove:?}");
    }
}
