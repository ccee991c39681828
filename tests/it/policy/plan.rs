//! A plan is what really happens, if all goes well.

use rotate::plan::{NEW_KEY, forecast};
use rotate::view::{Speaker, TargetView, text};
use rotate_providers::PhaseName;

use super::*;

/// What the vendor lists where every call so far has worked.
fn as_listed(rotation: &Rotation, registered: bool) -> Vec<Key> {
    let retirement = &rotation.spec.retirement;
    let old = match (rotation.phase.name(), retirement) {
        ("deleted" | "done", _) => None,
        ("deactivated" | "soaking" | "deleting", Retirement::Disable) => Some(key(OLD, false)),
        ("deactivated" | "soaking" | "deleting", Retirement::Remove { .. }) => None,
        _ => Some(key(OLD, true)),
    };
    let exists = registered || !matches!(rotation.phase, Phase::Minted);
    let new = rotation.new_key.as_ref().filter(|_| exists);
    old.into_iter()
        .chain(new.map(|issued| key(issued.key.as_str(), true)))
        .collect()
}

/// The rotation from its opening, driven by `next` with the best outcome of every step: what a person would see.
fn really(mut rotation: Rotation, confirmed_after: SignedDuration) -> Vec<(PhaseName, bool)> {
    let (mut now, mut facts, mut seen) = (NOW, Facts::default(), Vec::new());
    for _ in 0..200 {
        let old = rotation.spec.old_key.clone();
        let before = rotation.phase.name();
        let retirement = rotation.spec.retirement.clone();
        let events = match next(&rotation, &facts, now) {
            Step::ReadKeys { .. } => {
                facts.keys = Some(Listing {
                    read_at: now,
                    ..listing(as_listed(&rotation, facts.registered), 2)
                });
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
                seen.push((PhaseName::Created, true));
                let ids_before = BTreeSet::from([old]);
                vec![
                    Event::CreateIntended {
                        ids_before,
                        made_within: None,
                    },
                    Event::Created {
                        key: id(NEW),
                        request: None,
                    },
                ]
            }
            Step::Mint => {
                seen.push((PhaseName::Created, false));
                let public = PublicHalf::new("MIIBNEW");
                vec![Event::Minted { key: id(NEW), public }]
            }
            Step::Register => {
                seen.push((PhaseName::Created, true));
                facts.registered = true;
                vec![]
            }
            Step::Prove => {
                let phase = match before {
                    "created" | "verified" => PhaseName::Verified,
                    "deactivated" => PhaseName::Deactivated,
                    "soaking" | "deleting" => PhaseName::Deleted,
                    "cut-over" if retirement == Retirement::RemoveForGood => PhaseName::Deleted,
                    _ => PhaseName::CutOver,
                };
                seen.push((phase, false));
                vec![Event::Proved]
            }
            Step::Deliver(destinations) => {
                seen.extend(destinations.iter().map(|_| (PhaseName::Delivered, true)));
                let intended = destinations.clone().into_iter();
                let intended = intended.map(|destination| Event::DeliverIntended { destination });
                let delivered = destinations
                    .into_iter()
                    .map(|destination| Event::Delivered { destination });
                intended.chain(delivered).collect()
            }
            Step::Deactivate => {
                seen.push((PhaseName::Deactivated, true));
                vec![Event::DeactivateIntended, Event::Deactivated { request: None }]
            }
            Step::Delete => {
                // What was removed before its rest is only made sure of.
                seen.push((PhaseName::Deleted, !matches!(retirement, Retirement::Remove { .. })));
                vec![Event::DeleteIntended, Event::Deleted { request: None }]
            }
            Step::Record(event) => vec![event],
            Step::Wait(Wait {
                on: Waiting::Soak,
                until,
                ..
            }) => {
                seen.push((PhaseName::Soaked, false));
                now = until.expect("a soak has an end");
                continue;
            }
            Step::Wait(_) => {
                seen.push((PhaseName::CutOver, false));
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
    rotation.spec.cutover = cutover;
    rotation.spec.soak_seconds = soak_seconds;
    rotation.spec.destinations = (0..destinations).map(|number| format!("d{number}")).collect();
    rotation
}

fn variants() -> Vec<Rotation> {
    let mut all = Vec::new();
    for cutover in [Cutover::Confirm, Cutover::Observed, Cutover::Immediate] {
        for soak in [0, WEEK] {
            for retirement in retirements() {
                let variant = |destinations| going(retirement.clone(), fresh(cutover, soak, destinations));
                all.extend((1..=3).map(variant));
                all.extend((1..=3).map(variant).map(made_here));
            }
        }
    }
    all
}

#[test]
fn a_plan_lists_what_really_happens_in_that_order() {
    for rotation in variants() {
        let plan = forecast(rotation.clone(), Facts::default(), NOW).expect("a plan can be made");
        let planned: Vec<_> = plan.iter().map(|step| (step.phase, step.effect)).collect();
        assert_eq!(planned, really(rotation, SignedDuration::ZERO));
    }
}

#[test]
fn a_plan_foresees_every_effect_however_long_a_person_takes() {
    for rotation in variants() {
        let plan = forecast(rotation.clone(), Facts::default(), NOW).expect("a plan can be made");
        let planned: Vec<_> = plan.iter().filter(|step| step.effect).map(|step| step.phase).collect();
        let steps = really(rotation.clone(), SignedDuration::from_hours(72));
        let real: Vec<_> = steps
            .iter()
            .filter(|(_, effect)| *effect)
            .map(|(phase, _)| *phase)
            .collect();
        assert_eq!(planned, real);
        let last = match rotation.spec.retirement {
            Retirement::Remove { .. } => PhaseName::Deactivated,
            Retirement::Disable | Retirement::RemoveForGood | Retirement::Replace => PhaseName::Deleted,
        };
        assert_eq!(planned.last(), Some(&last));
    }
}

#[test]
fn a_fresh_rotation_that_a_person_confirms_is_told_like_this() {
    let rotation = fresh(Cutover::Confirm, WEEK, 1);
    let plan = forecast(rotation.clone(), Facts::default(), NOW).expect("a plan can be made");
    let speaker = Speaker::new(None, None);
    let mut report = TargetView::foreseen("s3-customer-managed/u", &rotation, &speaker);
    report.steps = Some(plan);
    assert_eq!(
        text::story(&report, None),
        format!(
            "\
s3-customer-managed/u: idle
  old key  AKIAOLD
  goes to  d0
Plan, if all goes well (nothing has been done):
   1. created     rotate: create a new key beside AKIAOLD and seal its secret
   2. verified    rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   3. delivered   rotate: write {NEW_KEY} to d0, read it back and compare
   4. cut-over    a person: every consumer moves to new key {NEW_KEY}, and a person confirms it
   5. deactivated rotate: disable AKIAOLD, if nobody has used it since
   6. deactivated rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   7. soaked      rotate: old key AKIAOLD rests disabled before it is deleted (until 2026-09-28 14:13 UTC)
   8. deleted     rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   9. deleted     rotate: delete AKIAOLD, if nobody has used it since [cannot be undone]
"
        )
    );
}

fn told(rotation: &Rotation) -> String {
    let plan = forecast(rotation.clone(), Facts::default(), NOW).expect("a plan can be made");
    let speaker = Speaker::new(None, None);
    let mut view = TargetView::foreseen("snowflake-keypair/U", rotation, &speaker);
    view.steps = Some(plan);
    text::story(&view, None)
}

#[test]
fn a_fresh_rotation_whose_old_key_can_be_registered_again_is_told_like_this() {
    let rotation = going(removable(), made_here(fresh(Cutover::Confirm, WEEK, 1)));
    assert_eq!(
        told(&rotation),
        format!(
            "\
snowflake-keypair/U: idle
  old key  AKIAOLD
  goes to  d0
Plan, if all goes well (nothing has been done):
   1. created     rotate: make a new key pair on this machine and seal its private half
   2. created     rotate: register {NEW_KEY} beside AKIAOLD
   3. verified    rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   4. delivered   rotate: write {NEW_KEY} to d0, read it back and compare
   5. cut-over    a person: every consumer moves to new key {NEW_KEY}, and a person confirms it
   6. deactivated rotate: remove AKIAOLD; its public half is on record, so it can be registered again
   7. deactivated rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   8. soaked      rotate: old key AKIAOLD is removed, and can be registered again meanwhile (until 2026-09-28 14:13 UTC)
   9. deleted     rotate: log in with {NEW_KEY}, with the permission that the consumer needs
  10. deleted     rotate: make sure that AKIAOLD is gone; from then on it is not registered again
"
        )
    );
}

#[test]
fn a_fresh_rotation_whose_old_key_nothing_brings_back_is_told_like_this() {
    let rotation = going(Retirement::RemoveForGood, made_here(fresh(Cutover::Confirm, WEEK, 1)));
    assert_eq!(
        told(&rotation),
        format!(
            "\
snowflake-keypair/U: idle
  old key  AKIAOLD
  goes to  d0
Plan, if all goes well (nothing has been done):
   1. created     rotate: make a new key pair on this machine and seal its private half
   2. created     rotate: register {NEW_KEY} beside AKIAOLD
   3. verified    rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   4. delivered   rotate: write {NEW_KEY} to d0, read it back and compare
   5. cut-over    a person: every consumer moves to new key {NEW_KEY}, and a person confirms it
   6. soaked      rotate: old key AKIAOLD rests before it is removed for good (until 2026-09-28 14:13 UTC)
   7. deleted     rotate: log in with {NEW_KEY}, with the permission that the consumer needs
   8. deleted     rotate: remove AKIAOLD; its public half is not known, so nothing brings it back [cannot be undone]
"
        )
    );
}

#[test]
fn a_plan_ends_where_a_person_is_needed_and_says_why() {
    let facts = listed(&[key(OLD, true), key("AKIAOTHER", true)], 1);
    let plan = forecast(fresh(Cutover::Confirm, WEEK, 1), facts, NOW).expect("a plan can be made");
    let last = plan.last().expect("it has a step");
    assert_eq!(
        (plan.len(), last.phase, last.who.as_str(), last.effect),
        (1, PhaseName::Blocked, "a person", false)
    );
    assert!(last.what.contains("AKIAOTHER"), "{}", last.what);
}

#[test]
fn a_plan_for_a_key_that_was_made_here_looks_at_the_list_that_is_known() {
    let minted = || made_here(rotation(Phase::Minted.with(issued(None))));
    let both = listed(&[key(OLD, true), key(NEW, true)], 1);
    let plan = forecast(minted(), both, NOW).expect("a plan can be made");
    assert_eq!(
        plan.first().map(|step| step.phase),
        Some(PhaseName::Verified),
        "it is registered already"
    );
    let taken = listed(&[key(OLD, true), key("AKIAOTHER", true)], 1);
    let plan = forecast(minted(), taken, NOW).expect("a plan can be made");
    let last = plan.last().expect("it has a step");
    assert_eq!(
        (plan.len(), last.phase, last.who.as_str()),
        (1, PhaseName::Blocked, "a person")
    );
    assert!(last.what.contains("AKIAOTHER"), "{}", last.what);
}
