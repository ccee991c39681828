//! Every kind of event, as the journal holds it.

use super::*;

/// Every kind of event, with everything that it may hold.
pub(super) fn events() -> Vec<Event> {
    let (why, by) = ("why".to_owned(), "by".to_owned());
    let hook = "/usr/local/bin/restart gainsight".to_owned();
    let cut_over = |by| Event::CutOver { by };
    let used = LastUse::At {
        at: Timestamp::UNIX_EPOCH,
        service: "s3".into(),
        region: "eu".into(),
    };
    let mut all = crate::machine::catalogue();
    all.extend([
        Event::CopiesDrifted {
            expected: KeyId::parse("AKIAX").expect("the name of a key"),
            copies: vec![HeldCopy {
                destination: "file:/x.json".to_owned(),
                held: None,
                gone: true,
            }],
        },
        Event::CopiesAsLeft,
        Event::Rekeyed {
            by: by.clone(),
            from: None,
            to: "aws-kms:arn".to_owned(),
            sealed: 2,
            already: 1,
            left: 0,
        },
        Event::HookIntended { hook: hook.clone() },
        Event::HookRan { hook: hook.clone() },
        Event::HookFailed {
            hook: hook.clone(),
            why: why.clone(),
        },
        Event::HookAnswered {
            hook,
            by: by.clone(),
            answer: HookAnswer::Again,
        },
        cut_over(SwitchedBy::Observed {
            new: used,
            old: LastUse::NeverSeen,
        }),
        cut_over(SwitchedBy::Observed {
            new: LastUse::NotReported,
            old: LastUse::NotReported,
        }),
        Event::Sighted {
            sighting: sightings()[0].clone(),
        },
        Event::Sighted {
            sighting: sightings()[1].clone(),
        },
        Event::Drifted {
            why: why.clone(),
            sighting: sightings()[0].clone(),
        },
        Event::Released { by: by.clone() },
        Event::HostPinned {
            host: "iam.amazonaws.com".to_owned(),
        },
        Event::Listed,
        Event::Used {
            last_use: LastUse::NeverSeen,
        },
        Event::Attested {
            by: by.clone(),
            evidence: "a job has run".to_owned(),
        },
        Event::CutOver {
            by: SwitchedBy::Attested {
                by: by.clone(),
                evidence: "a job has run".to_owned(),
            },
        },
        Event::WalkOpened {
            itinerary: itinerary(),
            begun: None,
        },
        Event::StepDone {
            step: "look".to_owned(),
            by: by.clone(),
            evidence: None,
        },
        Event::StepSkipped {
            step: "make".to_owned(),
            by: by.clone(),
            why,
        },
        Event::StepUndone {
            step: "look".to_owned(),
            by: by.clone(),
            why: None,
        },
        Event::EvidenceAdded {
            step: "look".to_owned(),
            by: by.clone(),
            evidence: "ticket OPS-12".to_owned(),
        },
        Event::Tried {
            credential: Tried::New,
            verdict: Verdict::Inconclusive,
            class: "http-503".to_owned(),
            by: by.clone(),
        },
        Event::WalkAborted { by },
    ]);
    all
}

/// What may be seen of a target between its rotations: all of it, and as little as there can be.
pub(super) fn sightings() -> [InventoryReading; 2] {
    let owner = Principal {
        account: "123456789012".to_owned(),
        name: USER.to_owned(),
        id: "AIDAX".to_owned(),
    };
    let key = |created_at| SeenKey {
        id: KeyId::parse("AKIAX").expect("the name of a key"),
        active: true,
        created_at,
    };
    let whole = InventoryReading {
        owner: owner.clone(),
        keys: vec![key(Some(Timestamp::UNIX_EPOCH))],
        live: Some(KeyId::parse("AKIAX").expect("the name of a key")),
    };
    let bare = InventoryReading {
        owner,
        keys: vec![key(None)],
        live: None,
    };
    [whole, bare]
}

/// What is fixed at the opening of a guided rotation.
pub(super) fn itinerary() -> GuidedSpec {
    GuidedSpec {
        connector: "jira".to_owned(),
        procedure: "rotate".to_owned(),
        values: [("site".to_owned(), "acme".to_owned())].into(),
        steps: vec!["look".to_owned(), "make".to_owned()],
        essential: vec![vec!["make".to_owned()]],
        allowance_seconds: 1_209_600,
        proof: Some(Proof {
            step: "prove".to_owned(),
            opens: vec!["revoke".to_owned()],
        }),
    }
}

pub(super) const ROTATION: &str = "01998c2e-0000-7000-8000-000000000000";
