//! What the machine promises, for any journal at all.
//!
//! The promises about order are not sampled: every state that legal events can lead to is visited, for every kind of
//! vendor, and every kind of event is tried on it. The rest is properties of random journals, and walks through a world
//! that plays along badly.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

mod guided;
mod in_place;
mod kinds;
mod phases;
mod random;
mod world;

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use rotate::machine::{
    Cutover, Event, Illegal, LostKey, Phase, Prove, Record, Restored, Retirement, Rotation, RotationSpec, SwitchedBy,
    Undo, UndoKind,
};
use rotate_providers::contract::{KeyId, Principal, PublicHalf};

use world::World;

/// Some moment; the promises about order do not depend on it.
const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const OLD: &str = "AKIAOLD";
const NEW: &str = "AKIANEW";
const OLD_PUBLIC: &str = "public half of AKIAOLD";
const NEW_PUBLIC: &str = "public half of AKIANEW";

/// A kind of vendor, as a spec has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    retirement: Retirement,
    mints_locally: bool,
}

fn removable() -> Retirement {
    Retirement::Remove {
        public: PublicHalf::new(OLD_PUBLIC),
    }
}

/// Every kind of vendor at which two keys work side by side. The first makes keys and disables them, the last two are told of them and only remove them; what
/// is between does not exist yet, and the promises hold for it all the same.
fn kinds() -> Vec<Kind> {
    let kind = |mints_locally, retirement| Kind {
        retirement,
        mints_locally,
    };
    vec![
        kind(false, Retirement::Disable),
        kind(false, removable()),
        kind(false, Retirement::RemoveForGood),
        kind(true, Retirement::Disable),
        kind(true, removable()),
        kind(true, Retirement::RemoveForGood),
    ]
}

impl Kind {
    fn spec(&self, cutover: Cutover, destinations: &[&str], soak_seconds: u64) -> RotationSpec {
        RotationSpec {
            retirement: self.retirement.clone(),
            mints_locally: self.mints_locally,
            ..spec(cutover, destinations, soak_seconds)
        }
    }

    fn opened(&self) -> Record {
        let spec = self.spec(Cutover::Confirm, &["d"], 0);
        record(Event::Opened {
            spec: spec.into(),
            begun: None,
        })
    }
}

fn spec(cutover: Cutover, destinations: &[&str], soak_seconds: u64) -> RotationSpec {
    RotationSpec {
        connector: "s3-customer-managed".to_owned(),
        inputs: serde_json::json!({ "user": "u", "bucket": "b" }),
        after_delivery: Vec::new(),
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
        old_key: KeyId::parse(OLD).expect("the name of a key"),
        retirement: Retirement::Disable,
        mints_locally: false,
        own_identity: false,
        host: None,
        prove: Prove::Login,
        window: None,
        lost_key: LostKey::Delete,
    }
}

fn record(event: Event) -> Record {
    Record { at: NOW, event }
}

fn opened() -> Record {
    record(Event::Opened {
        spec: spec(Cutover::Confirm, &["d"], 0).into(),
        begun: None,
    })
}

/// Every kind of event of a rotation that the program takes.
pub(crate) fn catalogue() -> Vec<Event> {
    let (key, why, by) = (
        KeyId::parse(NEW).expect("the name of a key"),
        "why".to_owned(),
        "by".to_owned(),
    );
    let destination = "d".to_owned();
    let undo = |kind| Event::UndoRequested {
        kind,
        why: why.clone(),
        by: by.clone().into(),
        forced: false,
    };
    let restored = |outcome| Event::Restored {
        destination: destination.clone(),
        outcome,
    };
    let mut all = vec![
        opened().event,
        Event::CreateIntended {
            ids_before: BTreeSet::from([KeyId::parse(OLD).expect("the name of a key")]),
            made_within: None,
        },
        Event::Disowned {
            keys: BTreeSet::from([key.clone()]),
        },
        Event::CreateFailed { why: why.clone() },
        Event::Minted {
            key: key.clone(),
            public: PublicHalf::new(NEW_PUBLIC),
        },
        Event::Created {
            key: key.clone(),
            request: None,
        },
        Event::DiscardIntended {
            key: key.clone(),
            why: why.clone(),
        },
        Event::Discarded { key, request: None },
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
        Event::Deactivated { request: None },
        Event::Soaking,
        Event::ReactivateIntended { why: why.clone() },
        Event::Reactivated { request: None },
        Event::DeleteIntended,
        Event::Deleted { request: None },
        Event::Done,
        undo(UndoKind::Abort),
        undo(UndoKind::Rollback),
        restored(Restored::PutBack),
        restored(Restored::ChangedSince),
        Event::WithdrawIntended,
        Event::Withdrawn { request: None },
        Event::Aborted,
        Event::RolledBack,
        Event::Blocked { why: why.clone() },
        Event::Resumed { by: by.clone() },
    ];
    all.extend(in_place::events());
    all
}

/// What a journal has held so far, as far as the promises speak of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Past {
    minted: bool,
    cut_over: bool,
    proved_since_deactivated: bool,
    proved_before_delete: bool,
    done: bool,
}

impl Past {
    fn with(mut self, event: &Event) -> Self {
        match event {
            Event::Minted { .. } => self.minted = true,
            Event::CutOver { .. } => self.cut_over = true,
            Event::Deactivated { .. } => self.proved_since_deactivated = false,
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
    let first = |kind: &Kind| Rotation::after(None, &kind.opened()).expect("a journal begins with its opening");
    let all = kinds().into_iter().chain([in_place::kind()]);
    let mut open: Vec<_> = all.map(|kind| (first(&kind), Past::default())).collect();
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
    assert_eq!(phases.len(), 24, "{phases:?}");
    assert!(states > 200 * kinds().len(), "only {states} states");
}

#[test]
fn no_old_key_is_disabled_or_deleted_before_the_cut_over() {
    explore(|rotation, past, event, after| {
        if matches!(event, Event::Deactivated { .. } | Event::Deleted { .. }) && after.is_ok() {
            assert!(past.cut_over, "{} in {rotation:#?}", event.name());
        }
    });
}

#[test]
fn no_old_key_is_deleted_unless_the_new_one_was_proven_while_it_was_disabled() {
    explore(|rotation, past, event, after| {
        // What nothing brings back is removed while the new key is proven, and not before: there is no "while it was off".
        let can_be_off = rotation.spec.retirement != Retirement::RemoveForGood;
        if can_be_off && matches!(event, Event::Deleted { .. }) && after.is_ok() {
            assert!(past.proved_before_delete, "{rotation:#?}");
        }
    });
}

#[test]
fn no_old_key_is_touched_before_the_new_one_was_proven() {
    explore(|rotation, _, event, after| {
        let touches = matches!(event, Event::DeactivateIntended | Event::DeleteIntended);
        if touches && after.is_ok() {
            let proved = rotation.new_key.as_ref().and_then(|issued| issued.proved_at);
            assert!(proved.is_some(), "{} in {rotation:#?}", event.name());
        }
    });
}

#[test]
fn no_new_key_is_withdrawn_after_the_end() {
    explore(|rotation, past, event, after| {
        if matches!(event, Event::WithdrawIntended | Event::Withdrawn { .. }) && after.is_ok() {
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
        if let (Event::Reactivated { .. }, Ok(after)) = (event, after) {
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
    assert!(refused > 1000 * kinds().len());
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
fn an_unknown_field_inside_a_spec_is_refused() {
    let spec = RotationSpec {
        retirement: removable(),
        ..spec(Cutover::Confirm, &["d"], 0)
    };
    let opened = serde_json::to_value(Event::Opened {
        spec: spec.into(),
        begun: None,
    })
    .expect("an event can be written down");
    for place in [
        "/charter",
        "/charter/owner",
        "/charter/retirement",
        "/charter/retirement/remove",
    ] {
        let mut value = opened.clone();
        value.pointer_mut(place).expect("it is there")["surprise"] = true.into();
        assert!(serde_json::from_value::<Event>(value).is_err(), "accepted in {place}");
    }
}

#[test]
fn walks_go_everywhere_and_end_in_all_three_ways_or_they_prove_nothing() {
    for kind in kinds() {
        let mut met = Met::default();
        for seed in 1..8000_u32 {
            let spec = kind.spec(Cutover::Confirm, &["d"], u64::from(seed % 2) * 86_400);
            let mut world = World::new(spec, NOW, seed % 5 != 0, random::rolls_of(seed));
            let played = world.play();
            assert!(played.is_ok(), "{played:?}\n{}", world.story());
            met.add(&world);
        }
        met.check(&kind);
    }
}

/// What a number of walks came across.
#[derive(Debug, Default)]
struct Met {
    ends: BTreeSet<&'static str>,
    undone_in: BTreeSet<&'static str>,
    blocked: usize,
    strangers: usize,
    refused: usize,
    by_hand: usize,
}

impl Met {
    fn add(&mut self, world: &World) {
        self.ends.insert(world.rotation().phase.name());
        self.undone_in.extend(world.undone_in());
        self.blocked += usize::from(world.story().contains("Blocked"));
        self.strangers += usize::from(world.has_met_strangers());
        self.refused += usize::from(world.was_refused());
        self.by_hand += usize::from(world.was_finished_by_hand());
    }

    fn check(&self, kind: &Kind) {
        let told = format!("{kind:?}: {self:#?}");
        assert_eq!(self.ends, BTreeSet::from(["aborted", "done", "rolled-back"]), "{told}");
        // An undo was asked for wherever a rotation of this kind can stand and be undone, and nowhere else.
        let made = match kind.mints_locally {
            true => &["minted"][..],
            false => &["creating", "discarding"],
        };
        let retired = match kind.retirement {
            Retirement::RemoveForGood | Retirement::Replace => &[][..],
            Retirement::Disable | Retirement::Remove { .. } => &["deactivating", "deactivated", "soaking"],
        };
        let always = [
            "opened",
            "created",
            "verified",
            "delivered",
            "cut-over",
            "reactivating",
            "deleting",
            "withdrawing",
            "withdrawn",
        ];
        let all = always.iter().chain(made).chain(retired).copied();
        assert_eq!(self.undone_in, all.collect(), "{told}");
        // Each of these is something that a walk may go without.
        assert!(self.blocked > 100, "{told}");
        assert!(self.strangers > 100, "{told}");
        assert!(self.refused > 20, "{told}");
        assert!(self.by_hand > 50, "{told}");
    }
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
