//! A plan is what really happens, if all goes well.

use rotate::plan::{NEW_KEY, foresee};
use rotate::render::{Report, Speaker, text};

use super::*;

/// The rotation from its opening, driven by `next` with the best outcome of every step: what a person would see.
fn really(mut rotation: Rotation, confirmed_after: SignedDuration) -> Vec<(&'static str, bool)> {
    let (mut now, mut facts, mut seen) = (NOW, Facts::default(), Vec::new());
    for _ in 0..200 {
        let old = rotation.charter.old_key.clone();
        let before = rotation.phase.name();
        let gone = matches!(before, "deleted" | "done");
        let events = match next(&rotation, &facts, now) {
            Step::ReadKeys { .. } => {
                let mut keys = if gone {
                    vec![]
                } else {
                    vec![key(OLD, !["deactivated", "soaking", "deleting"].contains(&before))]
                };
                keys.extend(rotation.issued().map(|issued| key(issued.key.as_str(), true)));
                facts.keys = listed(&keys, 2).keys;
                continue;
            }
            Step::ReadUse(key) => {
                let reading = Use {
                    key,
                    read_at: now,
                    last_use: LastUse::NeverSeen,
                };
                facts.uses.push(reading);
                continue;
            }
            Step::Create => {
                seen.push(("created", true));
                let ids_before = BTreeSet::from([old]);
                vec![Event::CreateIntended { ids_before }, Event::Created { key: id(NEW) }]
            }
            Step::Prove => {
                let phase = match before {
                    "created" | "verified" => "verified",
                    "deactivated" => "deactivated",
                    "soaking" | "deleting" => "deleted",
                    _ => "cut over",
                };
                seen.push((phase, false));
                vec![Event::Proved]
            }
            Step::Deliver(destination) => {
                seen.push(("delivered", true));
                let written = destination.clone();
                vec![
                    Event::DeliverIntended { destination },
                    Event::Delivered { destination: written },
                ]
            }
            Step::Deactivate => {
                seen.push(("deactivated", true));
                vec![Event::DeactivateIntended, Event::Deactivated]
            }
            Step::Delete => {
                seen.push(("deleted", true));
                vec![Event::DeleteIntended, Event::Deleted]
            }
            Step::Record(event) => vec![event],
            Step::Wait(Wait {
                on: Waiting::Soak,
                until,
                ..
            }) => {
                seen.push(("soaked", false));
                now = until.expect("a soak has an end");
                continue;
            }
            Step::Wait(_) => {
                seen.push(("cut over", false));
                now += confirmed_after;
                vec![Event::CutOver { by: switch(now).by }]
            }
            Step::Closed => return seen,
            other => panic!("this does not happen when all goes well: {other:?}"),
        };
        facts.keys = None;
        for event in events {
            let record = Record { at: now, event };
            rotation = Rotation::after(Some(rotation), &record).expect("it fits");
        }
    }
    panic!("it does not end: {seen:?}")
}

fn fresh(cutover: Cutover, soak_seconds: u64, destinations: usize) -> Rotation {
    let mut rotation = rotation(Phase::Opened);
    rotation.attempts.clear();
    rotation.charter.cutover = cutover;
    rotation.charter.soak_seconds = soak_seconds;
    rotation.charter.destinations = (0..destinations).map(|number| format!("d{number}")).collect();
    rotation
}

fn variants() -> Vec<Rotation> {
    let mut all = Vec::new();
    for cutover in [Cutover::Confirm, Cutover::Observed, Cutover::Immediate] {
        for soak in [0, WEEK] {
            all.extend((1..=3).map(|destinations| fresh(cutover, soak, destinations)));
        }
    }
    all
}

#[test]
fn a_plan_lists_what_really_happens_in_that_order() {
    for rotation in variants() {
        let plan = foresee(rotation.clone(), Facts::default(), NOW).expect("a plan can be made");
        let planned: Vec<_> = plan.iter().map(|step| (step.phase, step.effect)).collect();
        assert_eq!(planned, really(rotation, SignedDuration::ZERO));
    }
}

#[test]
fn a_plan_foresees_every_effect_however_long_a_person_takes() {
    for rotation in variants() {
        let plan = foresee(rotation.clone(), Facts::default(), NOW).expect("a plan can be made");
        let planned: Vec<_> = plan.iter().filter(|step| step.effect).map(|step| step.phase).collect();
        let steps = really(rotation, SignedDuration::from_hours(72));
        let real: Vec<_> = steps
            .iter()
            .filter(|(_, effect)| *effect)
            .map(|(phase, _)| *phase)
            .collect();
        assert_eq!(planned, real);
        assert_eq!(planned.last(), Some(&"deleted"));
    }
}

#[test]
fn a_fresh_rotation_that_a_person_confirms_is_told_like_this() {
    let rotation = fresh(Cutover::Confirm, WEEK, 1);
    let plan = foresee(rotation.clone(), Facts::default(), NOW).expect("a plan can be made");
    let speaker = Speaker::new(None);
    let report = Report::foreseen("s3-customer-managed/u", &rotation, &speaker).with_plan(plan);
    assert_eq!(
        text::story(&report),
        format!(
            "\
s3-customer-managed/u: idle
  old key  AKIAOLD
  goes to  d0
Plan, if all goes well (nothing has been done):
   1. created     rotate: create a new key beside AKIAOLD and seal its secret
   2. verified    rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   3. delivered   rotate: write {NEW_KEY} to d0, read it back and compare
   4. cut over    a person: every consumer moves to new key {NEW_KEY}, and a person confirms it
   5. deactivated rotate: disable AKIAOLD, if nobody has used it since
   6. deactivated rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   7. soaked      rotate: old key AKIAOLD rests disabled before it is deleted (until 2026-09-28 14:13 UTC)
   8. deleted     rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   9. deleted     rotate: delete AKIAOLD, if nobody has used it since [cannot be undone]
"
        )
    );
}

#[test]
fn a_plan_can_be_made_wherever_a_rotation_stands_also_after_a_crash() {
    let (new, cut, rest) = (issued(Some(NOW)), switch(ago(60)), retired(ago(30)));
    let at = |phase| rotation(phase);
    let abort = |phase| undone(phase, UndoKind::Abort, false);
    let rollback = |phase| undone(phase, UndoKind::Rollback, false);
    let standing = [
        at(Phase::Opened),
        at(Phase::Creating),
        at(Phase::Discarding(id("AKIALOST"))),
        at(Phase::Created(issued(None))),
        at(Phase::Delivered(new.clone(), NOW)),
        at(Phase::CutOver(new.clone(), cut.clone())),
        at(Phase::Deactivating(new.clone(), cut.clone())),
        at(Phase::Deactivated(new.clone(), cut.clone(), rest.clone())),
        at(Phase::Reactivating(new.clone(), cut.clone(), "why".to_owned())),
        at(Phase::Soaking(new.clone(), cut.clone(), rest.clone())),
        at(Phase::Deleting(new.clone(), cut.clone(), rest.clone())),
        at(Phase::Deleted(new.clone())),
        at(Phase::Done(new.clone())),
        abort(Phase::Creating),
        abort(Phase::Discarding(id("AKIALOST"))),
        abort(Phase::Delivered(new.clone(), NOW)),
        abort(Phase::Withdrawing(new.clone())),
        abort(Phase::Withdrawn(new.clone())),
        rollback(Phase::CutOver(new.clone(), cut.clone())),
        rollback(Phase::Deactivating(new.clone(), cut.clone())),
        rollback(Phase::Reactivating(new.clone(), cut.clone(), "why".to_owned())),
        rollback(Phase::Soaking(new, cut, rest)),
    ];
    let without: Vec<String> = standing
        .into_iter()
        .filter_map(|rotation| foresee(rotation, Facts::default(), NOW).err())
        .map(|illegal| illegal.to_string())
        .collect();
    assert!(without.is_empty(), "no plan: {without:#?}");
}

#[test]
fn a_plan_ends_where_a_person_is_needed_and_says_why() {
    let facts = listed(&[key(OLD, true), key("AKIAOTHER", true)], 1);
    let plan = foresee(fresh(Cutover::Confirm, WEEK, 1), facts, NOW).expect("a plan can be made");
    let last = plan.last().expect("it has a step");
    assert_eq!(
        (plan.len(), last.phase, last.who, last.effect),
        (1, "blocked", "a person", false)
    );
    assert!(last.what.contains("AKIAOTHER"), "{}", last.what);
}
