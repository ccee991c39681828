//! What the machine promises, for any journal at all.
//!
//! The promises about order are not sampled: every state that legal events can lead to is visited, and every kind of
//! event is tried on it. The rest is properties of random journals, and walks through a world that plays along badly.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

#[path = "machine/random.rs"]
mod random;
#[path = "machine/world.rs"]
mod world;

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use rotate::machine::{
    Charter, Cutover, Event, Illegal, Phase, Record, Restored, Rotation, SwitchedBy, Undo, UndoKind,
};
use rotate_providers::contract::{KeyId, Principal};

use world::World;

/// Some moment; the promises about order do not depend on it.
const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const OLD: &str = "AKIAOLD";
const NEW: &str = "AKIANEW";

fn charter(cutover: Cutover, destinations: &[&str], soak_seconds: u64) -> Charter {
    Charter {
        connector: "s3-customer-managed".to_owned(),
        inputs: serde_json::json!({ "user": "u", "bucket": "b" }),
        destinations: destinations.iter().map(|&name| name.to_owned()).collect(),
        cutover,
        soak_seconds,
        observe_seconds: 86_400,
        allowance_seconds: 14 * 86_400,
        owner: Principal {
            account: "111122223333".to_owned(),
            name: "u".to_owned(),
            id: "AIDAEXAMPLE".to_owned(),
        },
        old_key: KeyId::new(OLD),
    }
}

fn record(event: Event) -> Record {
    Record { at: NOW, event }
}

fn opened() -> Record {
    record(Event::Opened {
        charter: charter(Cutover::Confirm, &["d"], 0),
    })
}

/// Every kind of event.
fn catalogue() -> Vec<Event> {
    let (key, why, by) = (KeyId::new(NEW), "why".to_owned(), "by".to_owned());
    let destination = "d".to_owned();
    let undo = |kind| Event::UndoRequested {
        kind,
        why: why.clone(),
        by: by.clone(),
        forced: false,
    };
    let restored = |outcome| Event::Restored {
        destination: destination.clone(),
        outcome,
    };
    vec![
        opened().event,
        Event::CreateIntended {
            ids_before: BTreeSet::from([KeyId::new(OLD)]),
        },
        Event::CreateFailed { why: why.clone() },
        Event::Created { key: key.clone() },
        Event::DiscardIntended {
            key: key.clone(),
            why: why.clone(),
        },
        Event::Discarded { key },
        Event::Proved,
        Event::DeliverIntended {
            destination: destination.clone(),
        },
        Event::Delivered {
            destination: destination.clone(),
        },
        Event::CutOver {
            by: SwitchedBy::Person(by.clone()),
        },
        Event::CutOver {
            by: SwitchedBy::Delivery,
        },
        Event::DeactivateIntended,
        Event::Deactivated,
        Event::Soaking,
        Event::ReactivateIntended { why: why.clone() },
        Event::Reactivated,
        Event::DeleteIntended,
        Event::Deleted,
        Event::Done,
        undo(UndoKind::Abort),
        undo(UndoKind::Rollback),
        restored(Restored::PutBack),
        restored(Restored::ChangedSince),
        Event::WithdrawIntended,
        Event::Withdrawn,
        Event::Aborted,
        Event::RolledBack,
        Event::Blocked { why: why.clone() },
        Event::Resumed { by: by.clone() },
    ]
}

/// What a journal has held so far, as far as the promises speak of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Past {
    cut_over: bool,
    proved_since_deactivated: bool,
    proved_before_delete: bool,
    done: bool,
}

impl Past {
    fn with(mut self, event: &Event) -> Self {
        match event {
            Event::CutOver { .. } => self.cut_over = true,
            Event::Deactivated => self.proved_since_deactivated = false,
            Event::Proved => self.proved_since_deactivated = true,
            Event::DeleteIntended => self.proved_before_delete = self.proved_since_deactivated,
            Event::Done => self.done = true,
            _ => {}
        }
        self
    }
}

/// Tries every event on every state that legal events lead to, and says how many states there are.
fn explore(mut check: impl FnMut(&Rotation, Past, &Event, &Result<Rotation, Illegal>)) -> usize {
    let first = Rotation::after(None, &opened()).expect("a journal begins with its opening");
    let mut open = vec![(first, Past::default())];
    let mut seen = HashSet::new();
    while let Some((rotation, past)) = open.pop() {
        let state = serde_json::to_string(&rotation).expect("a rotation can be written down");
        if !seen.insert((state, past)) {
            continue;
        }
        for event in catalogue() {
            let after = Rotation::after(Some(rotation.clone()), &record(event.clone()));
            check(&rotation, past, &event, &after);
            if let Ok(mut after) = after {
                // Lists that only grow, and that no transition looks at: without them the states are finitely many.
                after.attempts.clear();
                after.discarded.clear();
                open.push((after, past.with(&event)));
            }
        }
    }
    seen.len()
}

#[test]
fn every_phase_is_reachable_or_this_file_proves_nothing() {
    let mut phases = BTreeSet::new();
    let states = explore(|rotation, _, _, _| {
        phases.insert(rotation.phase.name());
    });
    assert_eq!(phases.len(), 18, "{phases:?}");
    assert!(states > 200, "only {states} states");
}

#[test]
fn no_old_key_is_disabled_or_deleted_before_the_cut_over() {
    explore(|rotation, past, event, after| {
        if matches!(event, Event::Deactivated | Event::Deleted) && after.is_ok() {
            assert!(past.cut_over, "{} in {rotation:#?}", event.name());
        }
    });
}

#[test]
fn no_old_key_is_deleted_unless_the_new_one_was_proven_while_it_was_disabled() {
    explore(|rotation, past, event, after| {
        if matches!(event, Event::Deleted) && after.is_ok() {
            assert!(past.proved_before_delete, "{rotation:#?}");
        }
    });
}

#[test]
fn no_new_key_is_withdrawn_after_the_end() {
    explore(|rotation, past, event, after| {
        if matches!(event, Event::WithdrawIntended | Event::Withdrawn) && after.is_ok() {
            assert!(!past.done, "{rotation:#?}");
        }
    });
}

#[test]
fn a_closed_rotation_accepts_nothing() {
    explore(|rotation, _, event, after| {
        if rotation.phase.is_closed() {
            assert!(after.is_err(), "`{}` was accepted in {rotation:#?}", event.name());
        }
    });
}

#[test]
fn a_blocked_rotation_accepts_only_a_persons_word() {
    explore(|rotation, _, event, after| {
        let word = matches!(event, Event::Resumed { .. } | Event::UndoRequested { .. });
        if rotation.blocked.is_some() && !word {
            assert!(after.is_err(), "`{}` was accepted in {rotation:#?}", event.name());
        }
        if rotation.blocked.is_some() && matches!(event, Event::Resumed { .. }) {
            assert!(after.as_ref().is_ok_and(|after| after.blocked.is_none()));
        }
    });
}

#[test]
fn a_reactivated_old_key_blocks_by_itself_unless_it_is_being_undone() {
    explore(|rotation, _, event, after| {
        if let (Event::Reactivated, Ok(after)) = (event, after) {
            assert_eq!(after.blocked.is_some(), rotation.undo.is_none(), "{rotation:#?}");
            assert!(matches!(after.phase, Phase::CutOver(..)));
        }
    });
}

#[test]
fn an_illegal_event_is_reported_with_its_name_and_the_phase() {
    let mut refused = 0;
    explore(|rotation, _, event, after| {
        if let Err(illegal) = after {
            assert_eq!((illegal.event, illegal.phase), (event.name(), rotation.phase.name()));
            refused += 1;
        }
    });
    assert!(refused > 1000);
    for event in catalogue().into_iter().skip(1) {
        let illegal = Rotation::after(None, &record(event)).expect_err("a journal begins with its opening");
        assert_eq!(illegal.phase, "idle");
    }
}

#[test]
fn a_rotation_that_is_being_undone_is_never_cut_over() {
    explore(|rotation, _, event, after| {
        if rotation.undo.is_some() && matches!(event, Event::CutOver { .. }) {
            assert!(after.is_err(), "{rotation:#?}");
        }
    });
}

#[test]
fn an_unknown_field_in_an_event_is_refused() {
    let accepted: Vec<&str> = catalogue()
        .iter()
        .filter(|event| {
            let mut value = serde_json::to_value(event).expect("an event can be written down");
            // An event that has nothing but its name cannot hold anything wrong: the store compares the whole line.
            if value.as_object().is_some_and(|fields| fields.len() == 1) {
                return false;
            }
            value["surprise"] = true.into();
            serde_json::from_value::<Event>(value).is_ok()
        })
        .map(Event::name)
        .collect();
    assert!(accepted.is_empty(), "accepted in: {accepted:?}");
}

#[test]
fn an_unknown_field_inside_a_charter_is_refused() {
    for place in ["/charter", "/charter/owner"] {
        let mut value = serde_json::to_value(opened().event).expect("an event can be written down");
        value.pointer_mut(place).expect("it is there")["surprise"] = true.into();
        assert!(serde_json::from_value::<Event>(value).is_err(), "accepted in {place}");
    }
}

#[test]
fn walks_end_in_all_three_ways_or_they_prove_nothing() {
    let mut ends = BTreeSet::new();
    let mut blocked = 0;
    for seed in 1..400_u32 {
        // Any spread of numbers will do.
        let rolls = (1..100_u32).map(|n| (seed.wrapping_mul(n).wrapping_mul(2_654_435_761) >> 24) as u8);
        let mut world = World::new(charter(Cutover::Confirm, &["d"], 0), NOW, rolls.collect());
        let played = world.play();
        assert!(played.is_ok(), "{played:?}\n{}", world.story());
        ends.insert(world.rotation().phase.name());
        blocked += usize::from(world.story().contains("Blocked"));
    }
    assert_eq!(ends, BTreeSet::from(["aborted", "done", "rolled-back"]));
    assert!(blocked > 20, "only {blocked} walks were ever blocked");
}

#[test]
fn an_undo_that_was_asked_for_twice_keeps_what_was_put_back_already() {
    let records = ["d"].map(|_| opened()).into_iter().chain(
        catalogue()
            .into_iter()
            .filter(|event| {
                matches!(
                    event.name(),
                    "create-intended" | "created" | "proved" | "deliver-intended" | "delivered"
                )
            })
            .map(record),
    );
    let delivered = Rotation::replay(&records.collect::<Vec<_>>()).expect("this is how it begins");
    let mut rotation = delivered.expect("there are events");
    let undo = catalogue()
        .into_iter()
        .find(|event| event.name() == "undo-requested")
        .expect("it is there");
    let restored = catalogue()
        .into_iter()
        .find(|event| event.name() == "restored")
        .expect("it is there");
    for event in [undo.clone(), restored, undo] {
        rotation = Rotation::after(Some(rotation), &record(event)).expect("it fits");
    }
    let kept = rotation.undo.map(|Undo { restored, .. }| restored);
    assert_eq!(kept.expect("it is being undone").get("d"), Some(&Restored::PutBack));
}
