//! A secret that is replaced where it stands: every order of events, and walks through a world that plays along badly.

mod one_slot;

use one_slot::OneSlot;
use proptest::prelude::*;

use super::*;

/// The kind of vendor that holds one secret.
pub(super) fn kind() -> Kind {
    Kind {
        retirement: Retirement::Replace,
        mints_locally: false,
    }
}

/// What only its rotations have on record, and the word of somebody who insists.
pub(super) fn events() -> Vec<Event> {
    let key = KeyId::parse(NEW).expect("the name of a key");
    let generated = |way_back| Event::Generated {
        key: key.clone(),
        way_back,
    };
    let (why, by) = ("why".to_owned(), "by".to_owned());
    vec![
        Event::OldSealed,
        generated(true),
        generated(false),
        Event::ReplaceIntended,
        Event::ReplaceFailed { why: why.clone() },
        Event::Replaced {
            key: key.clone(),
            request: None,
        },
        Event::RevertIntended,
        Event::Reverted {
            key: KeyId::parse(OLD).expect("the name of a key"),
            request: None,
        },
        Event::UndoRequested {
            kind: UndoKind::Abort,
            why,
            by: by.into(),
            forced: true,
        },
    ]
}

fn is_of_two_keys(event: &Event) -> bool {
    matches!(
        event,
        Event::CreateIntended { .. }
            | Event::Minted { .. }
            | Event::Created { .. }
            | Event::CutOver { .. }
            | Event::DeactivateIntended
            | Event::Deactivated { .. }
            | Event::Soaking
            | Event::ReactivateIntended { .. }
            | Event::Reactivated { .. }
            | Event::DeleteIntended
            | Event::Deleted { .. }
            | Event::WithdrawIntended
            | Event::Withdrawn { .. }
    )
}

fn is_of_one_secret(event: &Event) -> bool {
    matches!(
        event,
        Event::OldSealed
            | Event::Generated { .. }
            | Event::ReplaceIntended
            | Event::ReplaceFailed { .. }
            | Event::Replaced { .. }
            | Event::RevertIntended
            | Event::Reverted { .. }
    )
}

#[test]
fn one_secret_and_two_keys_never_meet_in_a_journal() {
    explore(|rotation, _, event, after| {
        let misplaced = match rotation.spec.replaces() {
            true => is_of_two_keys(event),
            false => is_of_one_secret(event),
        };
        assert!(!misplaced || after.is_err(), "{} in {rotation:#?}", event.name());
    });
}

#[test]
fn after_the_intent_the_end_is_reached_by_a_proven_secret_or_by_somebody_who_was_told() {
    let mut ends = BTreeSet::new();
    explore(|rotation, _, event, after| {
        if !rotation.phase.is_in_gap() || !event.is_final() || after.is_err() {
            return;
        }
        let (Some(way), Some(new), undo) = (rotation.phase.replacement(), &rotation.new_key, &rotation.undo) else {
            panic!("{rotation:#?}")
        };
        match (event, undo) {
            (Event::Done, None) => assert!(new.proved_at.is_some() && new.delivered.contains("d")),
            (Event::RolledBack, Some(undo)) => assert!(way.way_back && undo.kind == UndoKind::Rollback),
            (Event::Aborted, Some(undo)) => assert!(undo.disowns && undo.forced),
            _ => panic!("{} in {rotation:#?}", event.name()),
        }
        ends.insert(event.name());
    });
    assert_eq!(ends, BTreeSet::from(["done", "rolled-back", "aborted"]));
}

#[test]
fn a_second_secret_is_never_made_and_the_old_one_comes_back_only_where_it_is_known() {
    let mut reverted = 0;
    explore(|rotation, _, event, after| {
        if matches!(event, Event::Generated { .. }) && after.is_ok() {
            assert_eq!(rotation.phase, Phase::Opened);
        }
        if matches!(event, Event::RevertIntended | Event::Reverted { .. }) && after.is_ok() {
            assert!(
                rotation.phase.replacement().is_some_and(|new| new.way_back),
                "{rotation:#?}"
            );
            assert!(rotation.undo.is_some(), "{rotation:#?}");
            reverted += 1;
        }
    });
    assert!(reverted > 0);
}

#[test]
fn while_consumers_may_be_cut_off_an_abort_has_to_be_insisted_on_by_somebody_who_was_told() {
    explore(|rotation, _, event, after| {
        let Event::UndoRequested {
            kind: UndoKind::Abort,
            forced,
            ..
        } = event
        else {
            return;
        };
        if rotation.phase.is_in_gap() {
            assert_eq!(after.is_ok(), *forced && rotation.blocked.is_some(), "{rotation:#?}");
        }
    });
}

#[test]
fn walks_with_one_secret_come_to_every_end_or_they_prove_nothing() {
    let (mut ends, mut blocked, mut meddled) = (BTreeSet::new(), 0, 0);
    for seed in 1..4000_u32 {
        let mut world = OneSlot::new(seed % 2 == 0, seed % 3 != 0, random::rolls_of(seed));
        let played = world.play();
        assert!(played.is_ok(), "{played:?}\n{}", world.story);
        ends.insert(world.rotation.phase.name());
        blocked += usize::from(world.story.contains("Blocked"));
        meddled += usize::from(world.meddled);
    }
    assert_eq!(ends, BTreeSet::from(["aborted", "done", "rolled-back"]));
    assert!(blocked > 100 && meddled > 100, "{blocked} {meddled}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6000) })]

    #[test]
    fn in_every_walk_the_one_secret_is_known_and_the_destinations_hold_it_in_the_end(
        tells in any::<bool>(),
        is_held in any::<bool>(),
        rolls in random::rolls(),
    ) {
        let mut world = OneSlot::new(tells, is_held, rolls);
        if let Err(broken) = world.play() {
            prop_assert!(false, "{broken}\n{}", world.story);
        }
    }
}
