//! Random journals, and random walks through a world.

use proptest::prelude::*;
use rotate_providers::contract::LastUse;

use super::*;

fn text() -> impl Strategy<Value = String> {
    // Anything that a vendor or a person may have written, quotes and control characters included.
    proptest::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter)
}

fn key() -> impl Strategy<Value = KeyId> {
    prop_oneof![Just(OLD.to_owned()), Just(NEW.to_owned()), text()].prop_map(KeyId::new)
}

fn time() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    (first..=last, 0..1_000_000_000_i32).prop_map(|(second, nanosecond)| {
        Timestamp::new(second, nanosecond).unwrap_or(NOW) // At the very edge a fraction may be too much.
    })
}

fn last_use() -> impl Strategy<Value = LastUse> {
    prop_oneof![
        Just(LastUse::NeverSeen),
        Just(LastUse::NotReported),
        (time(), text(), text()).prop_map(|(at, service, region)| LastUse::At { at, service, region }),
    ]
}

/// Any event: one of every kind, or one with anything in it.
fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => proptest::sample::select(catalogue()),
        1 => key().prop_map(|key| Event::Created { key }),
        1 => (key(), text()).prop_map(|(key, why)| Event::DiscardIntended { key, why }),
        1 => key().prop_map(|key| Event::Discarded { key }),
        1 => proptest::collection::btree_set(key(), 0..3).prop_map(|ids_before| Event::CreateIntended { ids_before }),
        1 => text().prop_map(|destination| Event::Delivered { destination }),
        1 => text().prop_map(|why| Event::Blocked { why }),
        1 => (last_use(), last_use()).prop_map(|(new, old)| Event::CutOver { by: SwitchedBy::Observed { new, old } }),
        1 => (text(), text(), any::<bool>()).prop_map(|(why, by, forced)| Event::UndoRequested {
            kind: UndoKind::Rollback, why, by, forced,
        }),
    ]
}

/// A journal that goes deep: each step is any event, or one that fits, chosen by a number.
fn journal() -> impl Strategy<Value = Vec<(Timestamp, Event, Option<usize>)>> {
    let pick = proptest::option::weighted(0.8, 0..1000_usize);
    proptest::collection::vec((time(), event(), pick), 0..60)
}

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(number)
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn whatever_a_journal_holds_folding_it_never_panics_and_what_is_refused_leaves_no_mark(steps in journal()) {
        let mut legal = vec![opened()];
        let mut rotation = Rotation::after(None, &legal[0]).expect("it begins");
        for (at, event, pick) in steps {
            let fits = |event: &Event| Rotation::after(Some(rotation.clone()), &Record { at, event: event.clone() }).is_ok();
            let fitting: Vec<Event> = catalogue().into_iter().filter(fits).collect();
            let event = match pick {
                Some(pick) if !fitting.is_empty() => fitting[pick % fitting.len()].clone(),
                _ => event,
            };
            let record = Record { at, event };
            if let Ok(after) = Rotation::after(Some(rotation.clone()), &record) {
                rotation = after;
                legal.push(record);
            }
        }
        // The journal of the legal events alone leads to the same place, and so does what is written down of it.
        let replayed = Rotation::replay(&legal).expect("all of them were legal");
        prop_assert_eq!(replayed.as_ref(), Some(&rotation));
        let written = serde_json::to_string(&rotation).expect("a rotation can be written down");
        prop_assert_eq!(serde_json::from_str::<Rotation>(&written).expect("and read again"), rotation);
    }

    #[test]
    fn an_event_that_is_written_down_reads_the_same(event in event()) {
        let written = serde_json::to_string(&event).expect("an event can be written down");
        let name = serde_json::json!(event.name()).to_string();
        prop_assert!(written.starts_with(&format!("{{\"event\":{name}")), "{}", written);
        prop_assert_eq!(serde_json::from_str::<Event>(&written).expect("and read again"), event);
    }
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn in_every_walk_the_consumers_key_lives_and_one_key_is_left_at_the_end(
        cutover in prop_oneof![Just(Cutover::Confirm), Just(Cutover::Observed), Just(Cutover::Immediate)],
        two in any::<bool>(),
        soak in prop_oneof![Just(0), Just(7 * 86_400_u64)],
        rolls in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let destinations: &[&str] = if two { &["d1", "d2"] } else { &["d"] };
        let mut world = World::new(charter(cutover, destinations, soak), NOW, rolls);
        if let Err(broken) = world.play() {
            prop_assert!(false, "{broken}\n{}", world.story());
        }
    }
}
