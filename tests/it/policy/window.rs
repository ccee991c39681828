//! A shut window holds back whatever begins something, and nothing that is under way.

use jiff::ToSpan;
use jiff::tz::TimeZone;
use rotate::machine::{Day, Window};

use super::*;

/// Opens in so many hours from now, for two hours.
fn opening_in(hours: i64) -> Window {
    let now = NOW.to_zoned(TimeZone::UTC).datetime().time();
    Window {
        days: Day::ALL.into(),
        from: now.wrapping_add(hours.hours()),
        to: now.wrapping_add((hours + 2).hours()),
        zone: "UTC".to_owned(),
    }
}

fn with(window: Window, mut rotation: Rotation) -> Rotation {
    rotation.spec.window = Some(Box::new(window));
    rotation
}

/// Each phase in which something is begun, with what would be begun, and the facts that allow it.
fn beginnings() -> Vec<(&'static str, Rotation, Facts, Step)> {
    let mut nowhere = issued(Some(NOW));
    nowhere.reached.clear();
    nowhere.delivered.clear();
    let (new, cut, rested) = (issued(Some(NOW)), switch(ago(60)), switch(ago(2 * 7 * 86_400)));
    let idle = |keys: &[Key]| Facts {
        uses: uses(&[(OLD, LastUse::NeverSeen)]).uses,
        ..listed(keys, 2)
    };
    let both = [key(OLD, true), key(NEW, true)];
    let off = [key(OLD, false), key(NEW, true)];
    vec![
        ("opened", rotation(Phase::Opened), idle(&both[..1]), Step::Create),
        (
            "verified",
            rotation(Phase::Verified.with(nowhere)),
            idle(&both),
            Step::Deliver(vec!["d".to_owned()]),
        ),
        (
            "cut-over",
            rotation(Phase::CutOver(cut).with(new.clone())),
            idle(&both),
            Step::Deactivate,
        ),
        (
            "rested",
            rotation(Phase::Soaking(rested.clone(), retired(ago(2 * 7 * 86_400))).with(new.clone())),
            idle(&off),
            Step::Delete,
        ),
        (
            "rested, for good",
            going(Retirement::RemoveForGood, rotation(Phase::CutOver(rested).with(new))),
            idle(&both),
            Step::Delete,
        ),
    ]
}

#[test]
fn what_begins_something_waits_for_the_window_and_goes_on_in_it() {
    for (what, rotation, facts, begun) in beginnings() {
        assert_eq!(
            decide(&rotation, &facts).as_ref(),
            Ok(&begun),
            "{what}, without a window"
        );
        let open = with(opening_in(-1), rotation.clone());
        assert_eq!(decide(&open, &facts).as_ref(), Ok(&begun), "{what}, in the window");
        let shut = with(opening_in(3), rotation);
        let wait = waits(&shut, &facts, &["the window", "opens at"]);
        assert_eq!(wait.on, Waiting::Window, "{what}");
        assert_eq!(wait.until, Some(NOW + SignedDuration::from_hours(3)), "{what}");
    }
}

#[test]
fn what_is_under_way_is_finished_in_a_shut_window() {
    let (new, cut) = (issued(Some(NOW)), switch(ago(60)));
    // One of two destinations has it already.
    let mut halfway = rotation(Phase::Verified.with(Issued {
        delivered: BTreeSet::new(),
        ..new.clone()
    }));
    halfway.spec.destinations = vec!["d".to_owned(), "e".to_owned()];
    let idle = Facts {
        uses: uses(&[(OLD, LastUse::NeverSeen)]).uses,
        ..listed(&[key(OLD, true), key(NEW, true)], 2)
    };
    for (rotation, step) in [
        (halfway, Step::Deliver(vec!["d".to_owned(), "e".to_owned()])),
        (rotation(Phase::Created.with(new.clone())), Step::Prove),
        (
            rotation(Phase::Deactivating(cut.clone()).with(new.clone())),
            Step::Deactivate,
        ),
        (
            rotation(Phase::Deleting(cut.clone(), retired(ago(60))).with(new.clone())),
            Step::ReadKeys { again: false },
        ),
        (
            rotation(Phase::Reactivating(cut, "why".to_owned()).with(new.clone())),
            Step::Reactivate("why".to_owned()),
        ),
        (
            undone(Phase::Withdrawing.with(new), UndoKind::Abort, false),
            Step::Withdraw,
        ),
    ] {
        let facts = match rotation.phase {
            Phase::Deleting(..) => Facts::default(),
            _ => idle.clone(),
        };
        let shut = with(opening_in(3), rotation);
        assert_eq!(decide(&shut, &facts), Ok(step), "{:?}", shut.phase);
    }
}
