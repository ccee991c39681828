//! What the steps of a procedure keep: their order, their phases, what is told of gaps and of what cannot be undone.

use std::collections::BTreeSet;

use rotate_providers::PhaseName;
use rotate_providers::guide::{Guide, Overlap, Procedure};

use super::{guides, steps, written};

#[test]
fn every_name_of_a_step_is_its_own_and_says_what_it_does() {
    for (id, guide) in guides() {
        for procedure in Procedure::ALL {
            let mut names = BTreeSet::new();
            for step in guide.steps(procedure) {
                assert!(names.insert(&step.id), "{id}: step {} exists twice", step.id);
                assert!(
                    step.id.starts_with(|c: char| c.is_ascii_lowercase()),
                    "{id}: {} is no word",
                    step.id
                );
                assert!(step.id.len() <= 48, "{id}: {} is long to type", step.id);
            }
        }
    }
}

#[test]
fn the_phases_of_a_rotation_are_in_order_and_nothing_is_revoked_before_the_cut_over() {
    for (id, guide) in guides() {
        let phases: Vec<PhaseName> = guide.rotate.iter().map(|step| step.phase).collect();
        assert!(phases.is_sorted(), "{id}: {phases:?}");
        let cut_over = phases.iter().position(|phase| *phase == PhaseName::CutOver);
        let cut_over = cut_over.expect(id);
        for (position, step) in guide.rotate.iter().enumerate() {
            assert!(
                !step.phase.revokes() || position > cut_over,
                "{id}: {} revokes before the cut-over is proven",
                step.id
            );
        }
    }
}

#[test]
fn what_cannot_be_undone_before_the_cut_over_is_warned_of_where_old_and_new_overlap() {
    // Such a step is the exception, of a person who has another credential than the guide hopes for.
    for (id, guide) in guides() {
        if guide.credential.overlap == Overlap::Yes {
            for step in &guide.rotate {
                assert!(
                    step.reversible || step.phase >= PhaseName::CutOver || step.caution.is_some(),
                    "{id}: {} cannot be undone, comes before the cut-over, and has no caution",
                    step.id
                );
            }
        }
    }
}

#[test]
fn what_is_gone_for_good_is_told_to_be() {
    let mut comes_back = Vec::new();
    for (id, guide) in guides() {
        for (procedure, step) in steps(&guide) {
            if step.phase == PhaseName::Deleted && step.changes() && step.reversible {
                comes_back.push((id, procedure.name(), step.id.clone()));
            }
        }
    }
    // Its public file, which is kept, can be uploaded again.
    let certificate = ("dynamics-certificate", "rotate", "delete-old-certificate".to_owned());
    // A consent that is given once more can be taken back once more.
    let consents = [
        "authorise-with-the-provider-again",
        "authorise-the-other-systems-again",
        "authorise-after-the-revocation",
        "authorise-the-other-clients-again",
    ];
    let consents = consents.map(|step| ("snowflake-oauth", "rotate", step.to_owned()));
    assert_eq!(
        comes_back,
        [certificate].into_iter().chain(consents).collect::<Vec<_>>(),
        "deletes, and is told to be reversible"
    );
}

#[test]
fn nothing_is_changed_before_a_new_credential_is_made() {
    let mut changed = Vec::new();
    for (id, guide) in guides() {
        for (procedure, step) in steps(&guide) {
            if step.phase == PhaseName::Opened && step.changes() {
                changed.push((id, procedure.name(), step.id.clone()));
                assert!(
                    step.caution.is_some() && (!step.reversible || step.back.is_some()),
                    "{id}: {}",
                    step.id
                );
            }
        }
    }
    // Where both places are taken, a key that nobody uses has to go first.
    let place =
        ["deactivate-the-idle-key", "free-a-place"].map(|step| ("s3-customer-managed", "rotate", step.to_owned()));
    assert_eq!(changed, place);
}

#[test]
fn a_rotation_makes_delivers_and_proves_something() {
    for (id, guide) in guides() {
        for phase in [PhaseName::Created, PhaseName::Delivered] {
            let changes = guide.rotate.iter().any(|step| step.phase == phase && step.changes());
            assert!(changes, "{id}: nothing is changed in `{}`", phase.name());
        }
        let proven = guide
            .rotate
            .iter()
            .any(|step| step.phase == PhaseName::CutOver && !step.changes());
        assert!(proven, "{id}: nobody looks whether it works");
    }
}

#[test]
fn a_step_that_is_told_to_change_nothing_does_not_say_that_it_does() {
    // The first word of what is done tells it, but for words such as "run" and "open", which do not.
    let doing = [
        "Delete", "Revoke", "Disable", "Replace", "Save", "Reset", "Remove", "Grant", "Give",
    ];
    for (id, guide) in guides() {
        for (procedure, step) in steps(&guide) {
            let action = written(&step.action);
            let first = action.split_whitespace().next().unwrap_or_default();
            let own = action.contains("machine") || action.contains("copy") || action.contains("workstation");
            let dead = step.id == "remove-copies";
            assert!(
                step.changes() || own || dead || !doing.contains(&first),
                "{id}: {} step {} changes nothing, it says: {action}",
                procedure.name(),
                step.id
            );
        }
    }
}

#[test]
fn every_step_of_a_rotation_says_what_to_see() {
    for (id, guide) in guides() {
        let blind: Vec<&str> = guide
            .rotate
            .iter()
            .filter(|step| step.expect.is_none())
            .map(|step| step.id.as_str())
            .collect();
        assert!(blind.is_empty(), "{id}: {blind:?}");
    }
}

#[test]
fn a_gap_is_told_where_there_is_one_and_nowhere_else() {
    for (id, guide) in guides() {
        let credential = &guide.credential;
        assert_eq!(credential.gap.is_some(), credential.overlap != Overlap::Yes, "{id}");
        assert_eq!(
            credential.depends.is_some(),
            credential.overlap == Overlap::Depends,
            "{id}"
        );
        assert!(credential.pause.is_none() || credential.overlap == Overlap::Yes, "{id}");
        if credential.overlap != Overlap::Yes {
            assert!(!guide.prepare.is_empty(), "{id}: nothing keeps the gap short");
            assert!(
                guide
                    .rotate
                    .iter()
                    .any(|step| step.phase <= PhaseName::Delivered && !step.reversible),
                "{id}: no step is told to end the old credential"
            );
        }
    }
}

#[test]
fn the_overlap_depends_where_the_other_side_is_unknown_and_one_connection_pauses() {
    let with = |holds: fn(&Guide) -> bool| -> Vec<&str> {
        let guides = guides();
        guides
            .iter()
            .filter(|(_, guide)| holds(guide))
            .map(|(id, _)| *id)
            .collect()
    };
    let depends = with(|guide| guide.credential.overlap == Overlap::Depends);
    assert_eq!(depends, ["custom-rest-api", "ecosystem"]);
    assert_eq!(with(|guide| guide.credential.pause.is_some()), ["servicenow"]);
}
