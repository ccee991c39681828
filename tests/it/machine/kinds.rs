//! What sets one kind of vendor apart from another, and what that changes in the promises.

use super::*;

#[test]
fn only_a_key_that_nothing_brings_back_is_deleted_from_the_cut_over() {
    let mut deleted = 0;
    explore(|rotation, _, event, after| {
        if let (Phase::CutOver(..), Event::DeleteIntended, Ok(_)) = (&rotation.phase, event, after) {
            assert_eq!(rotation.spec.retirement, Retirement::RemoveForGood);
            deleted += 1;
        }
    });
    assert!(deleted > 0);
}

#[test]
fn a_key_that_nothing_brings_back_is_never_disabled() {
    // It would be gone, without its rest and without a way back.
    explore(|rotation, _, event, after| {
        if rotation.spec.retirement == Retirement::RemoveForGood {
            let disables = matches!(event, Event::DeactivateIntended | Event::Deactivated { .. });
            assert!(!disables || after.is_err(), "{} in {rotation:#?}", event.name());
        }
    });
}

#[test]
fn a_key_is_made_here_only_where_keys_are_made_here() {
    let mut minted = 0;
    explore(|rotation, _, event, after| {
        if matches!(event, Event::Minted { .. }) && after.is_ok() {
            assert!(rotation.spec.mints_locally, "{rotation:#?}");
            assert_eq!(rotation.phase, Phase::Opened);
            assert_eq!(rotation.undo, None);
            minted += 1;
        }
    });
    assert!(minted > 0);
}

#[test]
fn a_vendor_that_is_told_of_keys_is_never_asked_to_make_one() {
    explore(|rotation, _, event, after| {
        if rotation.spec.mints_locally && matches!(event, Event::CreateIntended { .. }) {
            assert!(after.is_err(), "{rotation:#?}");
        }
    });
}

#[test]
fn what_registers_a_key_that_was_made_here_is_kept_as_long_as_the_key() {
    let mut kept = BTreeSet::new();
    explore(|rotation, past, _, _| {
        if let (true, Some(issued)) = (past.minted, rotation.new_key.as_ref()) {
            assert_eq!(issued.public, Some(PublicHalf::new(NEW_PUBLIC)), "{rotation:#?}");
            kept.insert(rotation.phase.name());
        }
    });
    assert!(kept.contains("minted") && kept.contains("done"), "{kept:?}");
}

#[test]
fn a_key_that_was_made_here_exists_under_its_own_name_or_not_at_all() {
    let kind = kinds().pop().expect("there are kinds");
    let events = catalogue();
    let minted = events
        .iter()
        .find(|event| event.name() == "minted")
        .expect("it is there");
    let journal = [kind.opened(), record(minted.clone())];
    let minted = Rotation::replay(&journal).expect("this is how it begins");
    let created = |name| {
        let key = KeyId::parse(name).expect("the name of a key");
        Rotation::after(minted.clone(), &record(Event::Created { key, request: None }))
    };
    assert!(created(NEW).is_ok());
    for other in [OLD, "AKIAOTHER", "A"] {
        assert!(created(other).is_err(), "`{other}` was accepted");
    }
}

#[test]
fn a_key_that_was_made_here_and_is_not_known_to_exist_goes_nowhere_but_back() {
    let fitting = ["created", "undo-requested", "withdraw-intended", "blocked", "resumed"];
    let mut accepted = BTreeSet::new();
    explore(|rotation, _, event, after| {
        if let (Phase::Minted, Some(issued), Ok(after)) = (&rotation.phase, &rotation.new_key, after) {
            assert!(issued.proved_at.is_none() && issued.reached.is_empty());
            let undo = after.undo.as_ref().map(|undo| undo.kind);
            assert_ne!(undo, Some(UndoKind::Rollback), "no consumer has moved: {rotation:#?}");
            accepted.insert(event.name());
        }
    });
    assert_eq!(accepted, BTreeSet::from(fitting));
}

#[test]
fn a_spec_names_only_what_sets_its_vendor_apart() {
    let written = |spec: RotationSpec| serde_json::to_value(spec).expect("a spec can be written down");
    let plain = spec(Cutover::Confirm, &["d"], 0);
    let apart = ["retirement", "mints_locally", "own_identity"];
    let first = written(plain.clone());
    for name in apart {
        assert!(
            first.get(name).is_none(),
            "{name} is written although it goes without saying"
        );
    }
    let other = |retirement| RotationSpec {
        retirement,
        mints_locally: true,
        own_identity: true,
        ..plain.clone()
    };
    let both = [
        (removable(), serde_json::json!({ "remove": { "public": OLD_PUBLIC } })),
        (Retirement::RemoveForGood, serde_json::json!("remove-for-good")),
    ];
    for (retirement, told) in both {
        let value = written(other(retirement.clone()));
        assert_eq!(value["retirement"], told);
        assert_eq!(
            (&value["mints_locally"], &value["own_identity"]),
            (&true.into(), &true.into())
        );
        let read: RotationSpec = serde_json::from_value(value).expect("and read again");
        assert_eq!(read, other(retirement));
    }
}
