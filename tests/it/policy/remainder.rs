//! What is left to do, from wherever a rotation stands.

use rotate::plan::forecast;

use super::*;

/// A plan in short. `*` changes something, `!` can not be undone.
fn in_short(rotation: &Rotation) -> Vec<String> {
    let plan = forecast(rotation.clone(), Facts::default(), NOW).unwrap_or_else(|illegal| {
        panic!("no plan: {illegal}, for {rotation:#?}");
    });
    let mark = |holds, mark| if holds { mark } else { "" };
    plan.iter()
        .map(|step| {
            format!(
                "{}{}{}",
                step.phase,
                mark(step.effect, "*"),
                mark(!step.reversible, "!")
            )
        })
        .collect()
}

/// The last steps of a rotation, as many as are left.
fn last_steps(retirement: &Retirement) -> [&'static str; 5] {
    match retirement {
        Retirement::Disable => ["deactivated*", "deactivated", "soaked", "deleted", "deleted*!"],
        Retirement::Remove { .. } => ["deactivated*", "deactivated", "soaked", "deleted", "deleted!"],
        Retirement::RemoveForGood | Retirement::Replace => ["delivered*", "cut-over", "soaked", "deleted", "deleted*!"],
    }
}

#[test]
fn what_is_left_is_planned_from_wherever_a_rotation_stands() {
    let (new, cut, rest) = (issued(Some(NOW)), switch(ago(60)), retired(ago(30)));
    let unproven = Retired {
        at: ago(30),
        proved: false,
        used: false,
    };
    let mut nowhere = new.clone();
    nowhere.reached.clear();
    nowhere.delivered.clear();
    for retirement in retirements() {
        let at = |phase| going(retirement.clone(), rotation(phase));
        let last = last_steps(&retirement);
        let plan = |first: &[&str], last: &[&str]| -> Vec<String> {
            first.iter().chain(last).map(|step| (*step).to_owned()).collect()
        };
        let (cut_over, end) = match retirement {
            Retirement::RemoveForGood => (&last[2..], &last[4..]),
            _ => (&last[..], &last[4..]),
        };
        let made_by_vendor = at(Phase::Opened.without());
        let from_verified = ["verified", "delivered*", "cut-over"];
        assert_eq!(
            in_short(&made_by_vendor),
            plan(
                &["created*"],
                &plan(&from_verified, cut_over)
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
            )
        );
        for (what, rotation, expected) in [
            (
                "made here",
                made_here(at(Phase::Opened.without())),
                plan(&["created", "created*", "verified", "delivered*", "cut-over"], cut_over),
            ),
            (
                "minted",
                made_here(at(Phase::Minted.with(nowhere.clone()))),
                plan(&["created*", "verified", "delivered*", "cut-over"], cut_over),
            ),
            (
                "created",
                at(Phase::Created.with(nowhere.clone())),
                plan(&from_verified, cut_over),
            ),
            (
                "verified",
                at(Phase::Verified.with(nowhere.clone())),
                plan(&from_verified[1..], cut_over),
            ),
            (
                "delivered",
                at(Phase::Delivered(NOW).with(new.clone())),
                plan(&["cut-over"], cut_over),
            ),
            (
                "cut-over",
                at(Phase::CutOver(cut.clone()).with(new.clone())),
                plan(&[], cut_over),
            ),
            (
                "deleting",
                at(Phase::Deleting(cut.clone(), rest.clone()).with(new.clone())),
                plan(&[], end),
            ),
            ("deleted", at(Phase::Deleted.with(new.clone())), vec![]),
            ("done", at(Phase::Done.with(new.clone())), vec![]),
            ("aborted", at(Phase::Aborted.without()), vec![]),
            ("rolled back", at(Phase::RolledBack.without()), vec![]),
            // The old key is switched on again, and then a person has to look.
            (
                "reactivating",
                at(Phase::Reactivating(cut.clone(), "why".to_owned()).with(new.clone())),
                plan(&["deactivated*", "blocked"], &[]),
            ),
        ] {
            assert_eq!(in_short(&rotation), expected, "{what}, {retirement:?}");
        }
        if retirement == Retirement::RemoveForGood {
            continue;
        }
        for (what, phase, expected) in [
            (
                "deactivating",
                Phase::Deactivating(cut.clone()).with(new.clone()),
                &last[..],
            ),
            (
                "unproven",
                Phase::Deactivated(cut.clone(), unproven.clone()).with(new.clone()),
                &last[1..],
            ),
            (
                "proven",
                Phase::Deactivated(cut.clone(), rest.clone()).with(new.clone()),
                &last[2..],
            ),
            (
                "soaking",
                Phase::Soaking(cut.clone(), rest.clone()).with(new.clone()),
                &last[2..],
            ),
        ] {
            assert_eq!(in_short(&at(phase)), expected, "{what}, {retirement:?}");
        }
    }
}

#[test]
fn what_is_left_of_an_undo_is_planned_from_wherever_a_rotation_stands() {
    let (new, cut, rest) = (issued(Some(NOW)), switch(ago(60)), retired(ago(30)));
    let why = || "why".to_owned();
    let mut nowhere = new.clone();
    nowhere.reached.clear();
    nowhere.delivered.clear();
    let (abort, rollback) = (UndoKind::Abort, UndoKind::Rollback);
    let (put_back, withdrawn) = ("aborted*", "aborted*!");
    let back_on = "deactivated*";
    for (kind, phase, expected) in [
        (abort, Phase::Opened.without(), &[][..]),
        (abort, Phase::Minted.with(nowhere.clone()), &[withdrawn]),
        (abort, Phase::Created.with(nowhere.clone()), &[withdrawn]),
        (abort, Phase::Verified.with(nowhere), &[withdrawn]),
        (abort, Phase::Verified.with(new.clone()), &[put_back, withdrawn]),
        (abort, Phase::Delivered(NOW).with(new.clone()), &[put_back, withdrawn]),
        (abort, Phase::Withdrawing.with(new.clone()), &[withdrawn]),
        (abort, Phase::Withdrawn.with(new.clone()), &[]),
        (abort, Phase::Aborted.without(), &[]),
        (
            rollback,
            Phase::CutOver(cut.clone()).with(new.clone()),
            &[put_back, withdrawn],
        ),
        (
            rollback,
            Phase::Deactivating(cut.clone()).with(new.clone()),
            &[back_on, put_back, withdrawn],
        ),
        (
            rollback,
            Phase::Deactivated(cut.clone(), rest.clone()).with(new.clone()),
            &[back_on, put_back, withdrawn],
        ),
        (
            rollback,
            Phase::Reactivating(cut.clone(), why()).with(new.clone()),
            &[back_on, put_back, withdrawn],
        ),
        (
            rollback,
            Phase::Soaking(cut.clone(), rest.clone()).with(new.clone()),
            &[back_on, put_back, withdrawn],
        ),
        (
            rollback,
            Phase::Deleting(cut, rest).with(new.clone()),
            &[back_on, put_back, withdrawn],
        ),
        (rollback, Phase::Withdrawing.with(new.clone()), &[withdrawn]),
        (rollback, Phase::Withdrawn.with(new), &[]),
        (rollback, Phase::RolledBack.without(), &[]),
    ] {
        for retirement in retirements() {
            let mut rotation = going(retirement.clone(), undone(phase.clone(), kind, false));
            rotation.spec.mints_locally = matches!(phase.0, Phase::Minted);
            rotation.undo.iter_mut().for_each(|undo| undo.restored.clear());
            assert_eq!(
                in_short(&rotation),
                expected,
                "{kind:?} at `{}`, {retirement:?}",
                phase.0.name()
            );
        }
    }
}

#[test]
fn a_plan_can_be_made_after_a_crash_while_a_key_was_being_created_or_discarded() {
    for retirement in retirements() {
        let at = |phase| going(retirement.clone(), rotation(phase));
        let abort = |phase| going(retirement.clone(), undone(phase, UndoKind::Abort, false));
        let lost = || Phase::Discarding(id("AKIALOST"));
        assert_eq!(in_short(&at(lost()))[..2], ["opened*!", "created*"]);
        assert_eq!(in_short(&at(Phase::Creating))[..2], ["created*", "verified"]);
        assert_eq!(in_short(&abort(lost())), ["opened*!"]);
        assert!(forecast(abort(Phase::Creating), Facts::default(), NOW).is_ok());
    }
}

/// Beyond what any list lags by, a key that works was put back by someone.
#[test]
fn an_old_key_that_is_put_back_before_its_rest_is_told_and_not_waited_for() {
    let disabled = |seconds| {
        let retired = Retired {
            at: ago(seconds),
            proved: true,
            used: false,
        };
        rotation(Phase::Deactivated(switch(ago(seconds)), retired).with(issued(Some(NOW))))
    };
    let listing = |agreeing| Facts {
        keys: Some(crate::policy::listing(vec![key(OLD, true), key(NEW, true)], agreeing)),
        ..Facts::default()
    };
    for (seconds, agreeing) in [(10, 1), (10, 12), (3_599, 12), (3_600, 1)] {
        assert_eq!(
            next(&disabled(seconds), &listing(agreeing), NOW),
            Step::ReadKeys { again: true },
            "{seconds} {agreeing}"
        );
    }
    match next(&disabled(3_600), &listing(2), NOW) {
        Step::Record(Event::Blocked { why }) => assert!(why.contains("someone has put it back"), "{why}"),
        step => panic!("{step:?}"),
    }
}
