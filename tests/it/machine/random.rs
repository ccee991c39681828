//! Random journals, and random walks through a world.

use proptest::prelude::*;
use rotate_providers::contract::LastUse;
use rotate_providers::untrusted::Label;

use super::*;

fn text() -> impl Strategy<Value = String> {
    // Anything that a vendor or a person may have written, quotes and control characters included.
    proptest::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter)
}

fn key() -> impl Strategy<Value = KeyId> {
    // What is no name of a key is refused before it gets here.
    let any = "[A-Za-z0-9:+/=_.-]{1,8}".prop_map(|id| id);
    prop_oneof![Just(OLD.to_owned()), Just(NEW.to_owned()), any]
        .prop_map(|id| KeyId::parse(&id).expect("the name of a key"))
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
        (time(), text(), text()).prop_map(|(at, service, region)| LastUse::At {
            at,
            service: service.into(),
            region: region.into(),
        }),
    ]
}

fn public_half() -> impl Strategy<Value = PublicHalf> {
    text().prop_map(PublicHalf::new)
}

fn kind() -> impl Strategy<Value = Kind> {
    proptest::sample::select(kinds())
}

/// Any spec that sets its vendor apart.
fn opening() -> impl Strategy<Value = Event> {
    let retirement = prop_oneof![
        Just(Retirement::Disable),
        Just(Retirement::RemoveForGood),
        public_half().prop_map(|public| Retirement::Remove { public }),
    ];
    (retirement, any::<bool>(), any::<bool>(), key()).prop_map(|(retirement, mints_locally, own_identity, old_key)| {
        Event::Opened {
            spec: Box::new(RotationSpec {
                retirement,
                mints_locally,
                own_identity,
                host: None,
                old_key,
                ..spec(Cutover::Confirm, &["d"], 0)
            }),
            begun: None,
        }
    })
}

fn request() -> impl Strategy<Value = Option<Label>> {
    proptest::option::of("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}".prop_map(|id| Label::uuid(&id).expect("one")))
}

/// Any event: one of every kind, or one with anything in it.
fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => proptest::sample::select(catalogue()),
        1 => opening(),
        1 => (key(), public_half()).prop_map(|(key, public)| Event::Minted { key, public }),
        1 => (key(), request()).prop_map(|(key, request)| Event::Created { key, request }),
        1 => (key(), text()).prop_map(|(key, why)| Event::DiscardIntended { key, why }),
        1 => (key(), request()).prop_map(|(key, request)| Event::Discarded { key, request }),
        1 => request().prop_map(|request| Event::Deactivated { request }),
        1 => request().prop_map(|request| Event::Deleted { request }),
        1 => proptest::collection::btree_set(key(), 0..3).prop_map(|ids_before| Event::CreateIntended {
            ids_before,
            made_within: None,
        }),
        1 => text().prop_map(|destination| Event::Delivered { destination }),
        1 => text().prop_map(|why| Event::Blocked { why }),
        1 => (last_use(), last_use()).prop_map(|(new, old)| Event::CutOver { by: SwitchedBy::Observed { new, old } }),
        1 => (text(), text(), any::<bool>()).prop_map(|(why, by, forced)| Event::UndoRequested {
            kind: UndoKind::Rollback, why, by: by.into(), forced,
        }),
    ]
}

/// A journal that goes deep: each step is any event, or one that fits, chosen by a number.
fn journal() -> impl Strategy<Value = Vec<(Timestamp, Event, Option<usize>)>> {
    let pick = proptest::option::weighted(0.8, 0..1000_usize);
    proptest::collection::vec((time(), event(), pick), 0..60)
}

/// Dice: more often than not, what one hopes for, so that a walk gets far before it is let down.
pub(super) fn rolls() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![3 => Just(0), 2 => any::<u8>()], 0..160)
}

/// The same without chance: every third walk is a rough one, and every third nearly straight.
pub(super) fn rolls_of(seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let rough = [40, 100, 200][seed as usize % 3];
    let mut roll = || {
        // xorshift64: any spread of numbers will do.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [hope, roll, ..] = state.to_be_bytes();
        if hope < rough { roll } else { 0 }
    };
    (0..160).map(|_| roll()).collect()
}

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(number)
    }
}

proptest! {
    #![proptest_config(cases(1200))]

    #[test]
    fn whatever_a_journal_holds_folding_it_never_panics_and_what_is_refused_leaves_no_mark(
        kind in kind(),
        steps in journal(),
    ) {
        let mut legal = vec![kind.opened()];
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
    #![proptest_config(cases(12_000))]

    #[test]
    fn in_every_walk_the_consumers_key_lives_and_one_key_is_left_at_the_end(
        kind in kind(),
        cutover in prop_oneof![Just(Cutover::Confirm), Just(Cutover::Observed), Just(Cutover::Immediate)],
        two in any::<bool>(),
        soak in prop_oneof![Just(0), Just(7 * 86_400_u64)],
        reports_use in any::<bool>(),
        rolls in rolls(),
    ) {
        let destinations: &[&str] = if two { &["d1", "d2"] } else { &["d"] };
        let mut world = World::new(kind.spec(cutover, destinations, soak), NOW, reports_use, rolls);
        if let Err(broken) = world.play() {
            prop_assert!(false, "{broken}\n{}", world.story());
        }
    }
}
