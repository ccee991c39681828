//! Where the program can try a credential, the old one stays until the vendor has accepted the new one: in every guide, for every
//! answer that a rotation can begin with.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rotate::machine::{Event, GuidedRotation, GuidedSpec, Record, Tried};
use rotate_providers::PhaseName;
use rotate_providers::guide::probe::{Verdict, Which};
use rotate_providers::guide::{Guide, Procedure};

use super::guides;

type Values = BTreeMap<String, String>;

/// Every combination of what can be chosen.
fn answers(guide: &Guide) -> Vec<Values> {
    let choices = guide
        .inputs
        .iter()
        .map(|input| (input.name.to_string(), input.choices()));
    choices
        .filter(|(_, choices)| !choices.is_empty())
        .fold(vec![Values::new()], |all, (name, choices)| {
            let with = |values: &Values| -> Vec<Values> {
                let one = |choice: &&str| {
                    let mut values = values.clone();
                    values.insert(name.clone(), (*choice).to_owned());
                    values
                };
                choices.iter().map(one).collect()
            };
            all.iter().flat_map(with).collect()
        })
}

fn after(walk: Option<GuidedRotation>, event: Event) -> GuidedRotation {
    let record = Record {
        at: Timestamp::UNIX_EPOCH,
        event,
    };
    GuidedRotation::after(walk, &record).expect("it may happen")
}

fn done(walk: GuidedRotation, step: &str) -> GuidedRotation {
    let (step, by) = (step.to_owned(), "p".to_owned());
    let evidence = None;
    after(Some(walk), Event::StepDone { step, by, evidence })
}

fn tried(walk: GuidedRotation, verdict: Verdict) -> GuidedRotation {
    let event = Event::Tried {
        credential: Tried::New,
        verdict,
        class: "http-200".to_owned(),
        by: "p".to_owned(),
    };
    after(Some(walk), event)
}

#[test]
fn where_a_new_credential_can_be_tried_a_step_proves_it_and_what_revokes_the_old_one_waits_for_that() {
    let (mut proven, mut unproven) = (0, Vec::new());
    for (id, guide) in guides() {
        let Some(probe) = &guide.probe else { continue };
        for answers in answers(&guide) {
            let values = guide.with_defaults(&answers);
            let spec = GuidedSpec::of(id, &guide, Procedure::Rotate, &values, 60);
            if probe.fitting(&values, Some(Which::New)).is_none() {
                assert!(spec.proof.is_none(), "{id} {answers:?}");
                unproven.push((id, answers.values().cloned().collect::<Vec<_>>()));
                continue;
            }
            proven += 1;
            let steps = guide.steps_for(Procedure::Rotate, &values);
            let proof = spec.proof.clone().expect(id);
            let at = steps.iter().position(|step| step.id == proof.step);
            assert_eq!(
                at.map(|at| steps[at].phase),
                Some(PhaseName::Verified),
                "{id} {answers:?}"
            );
            let mut walk = after(
                None,
                Event::WalkOpened {
                    itinerary: spec,
                    begun: None,
                },
            );
            for step in &steps {
                if step.phase.revokes() {
                    assert!(walk.is_shut(&step.id), "{id} {answers:?}: {} does not wait", step.id);
                    assert!(tried(walk.clone(), Verdict::Rejected).is_shut(&step.id), "{id}");
                    assert!(tried(walk.clone(), Verdict::Inconclusive).is_shut(&step.id), "{id}");
                    walk = tried(walk, Verdict::Accepted);
                    break;
                }
                walk = done(walk, &step.id);
            }
            assert!(steps.iter().all(|step| !walk.is_shut(&step.id)), "{id} {answers:?}");
        }
    }
    assert!(proven >= 22, "{proven}");
    let expected = [
        ("mixpanel", vec!["project-secret".to_owned()]),
        ("snowflake-password", vec!["key-pair".to_owned(), "yes".to_owned()]),
        ("snowflake-password", vec!["key-pair".to_owned(), "no".to_owned()]),
    ];
    assert_eq!(unproven, expected, "these cannot be tried");
}
