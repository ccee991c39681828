//! Rotations that a person walks through: in order, each step once, and whatever was ticked can be taken back.

use proptest::prelude::*;
use rotate::machine::{AnyRotation, GuidedRotation, GuidedSpec, Proof, Tried};
use rotate_providers::guide::probe::Verdict;

use super::*;

const STEPS: [&str; 4] = ["look", "make", "save", "prove"];

fn opened() -> GuidedRotation {
    let itinerary = GuidedSpec {
        connector: "jira".to_owned(),
        procedure: "rotate".to_owned(),
        values: [].into(),
        steps: STEPS.map(str::to_owned).to_vec(),
        essential: vec![vec!["make".to_owned()]],
        allowance_seconds: 60,
        proof: None,
    };
    let opening = record(Event::WalkOpened { itinerary, begun: None });
    guided(None, &opening).expect("it begins")
}

fn after(walk: &GuidedRotation, event: &Event) -> Option<GuidedRotation> {
    guided(Some(walk.clone().into()), &record(event.clone()))
}

fn guided(before: Option<AnyRotation>, record: &Record) -> Option<GuidedRotation> {
    match AnyRotation::after(before, record) {
        Ok(AnyRotation::Guided(walk)) => Some(*walk),
        _ => None,
    }
}

fn done(step: &str) -> Event {
    let (step, by) = (step.to_owned(), "p".to_owned());
    Event::StepDone {
        step,
        by,
        evidence: None,
    }
}

fn undone(step: &str) -> Event {
    let (step, by) = (step.to_owned(), "p".to_owned());
    Event::StepUndone { step, by, why: None }
}

fn added(step: &str, evidence: &str) -> Event {
    let (step, by, evidence) = (step.to_owned(), "p".to_owned(), evidence.to_owned());
    Event::EvidenceAdded { step, by, evidence }
}

fn skipped(step: &str) -> Event {
    let (step, by, why) = (step.to_owned(), "p".to_owned(), "no need".to_owned());
    Event::StepSkipped { step, by, why }
}

fn event() -> impl Strategy<Value = Event> {
    let step = || proptest::sample::select(STEPS.to_vec());
    prop_oneof![
        6 => step().prop_map(done),
        3 => step().prop_map(skipped),
        2 => step().prop_map(undone),
        2 => step().prop_map(|step| added(step, "seen")),
        1 => Just(Event::WalkAborted { by: "p".to_owned() }),
        1 => Just(done("no-such-step")),
        1 => Just(Event::Proved),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_step_has_two_ticks_none_is_skipped_over_and_a_walk_that_was_given_up_is_left_alone(
        events in proptest::collection::vec(event(), 0..60),
    ) {
        let mut walk = opened();
        for event in events {
            let Some(next) = after(&walk, &event) else { continue };
            prop_assert!(!walk.aborted, "{} after the end", event.name());
            let ticked = |walk: &GuidedRotation, step: &str| walk.ticks.iter().filter(|tick| tick.step == step).count();
            for step in STEPS {
                prop_assert!(ticked(&next, step) <= 1);
            }
            match &event {
                Event::StepDone { step, .. } | Event::StepSkipped { step, .. } => {
                    prop_assert_eq!(walk.next_step(), Some(step));
                    prop_assert!(!walk.is_closed());
                    prop_assert_eq!(next.ticks.len(), walk.ticks.len() + 1);
                }
                Event::StepUndone { step, .. } => {
                    prop_assert_eq!((ticked(&walk, step), ticked(&next, step)), (1, 0));
                    prop_assert!(!next.is_closed() && next.rotated_at().is_none());
                    // StepOutcome again, it stands as it stood, but for the order of the ticks.
                    let first = STEPS.iter().find(|step| ticked(&next, step) == 0);
                    prop_assert_eq!(next.next_step().map(String::as_str), first.copied());
                }
                Event::EvidenceAdded { step, .. } => {
                    prop_assert!(walk.tick_of(step).is_some_and(|tick| tick.is_taken()));
                    prop_assert_eq!(walk.rotated_at(), next.rotated_at());
                    prop_assert_eq!(walk.next_step(), next.next_step());
                }
                Event::WalkAborted { .. } => prop_assert!(next.aborted && !walk.is_closed()),
                other => prop_assert!(false, "{} was taken", other.name()),
            }
            // What is kept of it beside the journal reads the same.
            let kept = serde_json::to_string(&next).expect("it can be written down");
            prop_assert_eq!(&serde_json::from_str::<GuidedRotation>(&kept).expect("and read again"), &next);
            walk = next;
        }
    }
}

#[test]
fn what_is_done_and_what_is_skipped_is_counted_apart() {
    let mut walk = opened();
    for (event, told) in [
        (done("look"), "1 of 4 steps are done"),
        (skipped("make"), "1 of 4 steps are done, 1 skipped"),
        (done("save"), "2 of 4 steps are done, 1 skipped"),
        (undone("look"), "1 of 4 steps are done, 1 skipped"),
        (undone("make"), "1 of 4 steps are done"),
    ] {
        walk = after(&walk, &event).expect("it fits");
        assert_eq!(walk.progress(), told);
    }
}

#[test]
fn a_journal_that_was_written_before_evidence_could_be_added_reads_the_same() {
    let kept = r#"{"step":"look","at":"2026-11-21T10:00:00Z","by":"p","outcome":{"done":{"evidence":null}}}"#;
    let tick: rotate::machine::StepRecord = serde_json::from_str(kept).expect("it is a tick");
    assert!(tick.added.is_empty());
    assert_eq!(serde_json::to_string(&tick).expect("it can be written down"), kept);
}

#[test]
fn what_is_said_before_the_new_credential_can_exist_opens_nothing_and_making_it_anew_shuts_again() {
    let accepted = Event::Tried {
        credential: Tried::New,
        verdict: Verdict::Accepted,
        class: "http-200".into(),
        by: "p".to_owned(),
    };
    let mut walk = opened();
    walk.itinerary.steps.push("revoke".to_owned());
    walk.itinerary.proof = Some(Proof {
        step: "prove".to_owned(),
        opens: vec!["revoke".to_owned()],
    });
    walk = after(&walk, &accepted).expect("it is kept");
    for step in STEPS {
        walk = after(&walk, &done(step)).expect("it is the next one");
    }
    assert!(walk.is_shut("revoke"), "the present one was tried, and not the new one");
    assert_eq!(after(&walk, &done("revoke")), None, "whoever asks for it");
    walk = after(&walk, &accepted).expect("it is kept");
    assert!(!walk.is_shut("revoke") && after(&walk, &done("revoke")).is_some());
    walk = after(&walk, &undone("make")).expect("it was taken");
    walk = after(&walk, &done("make")).expect("it is the next one");
    assert!(walk.is_shut("revoke"), "another one was made since");
}
