//! Every kind of vendor at every phase, without a vendor.

use jiff::SignedDuration;
use jiff::civil::time;
use rotate::machine::{
    Block, Cutover, Day, Issued, LostKey, Phase, Prove, Replacement, Retired, Retirement, Rotation, RotationSpec,
    Switch, Undo, Window,
};
use rotate::plan::forecast;
use rotate::policy::{Facts, Step, next};
use rotate::store::Stored;
use rotate::view::{Speaker, TargetView};

use super::*;

/// Every way in which an old key goes.
fn retirements() -> [Retirement; 4] {
    let public = PublicHalf::new("MIIB");
    [
        Retirement::Disable,
        Retirement::Remove { public },
        Retirement::RemoveForGood,
        Retirement::Replace,
    ]
}

/// Shut when time began, which was a Thursday.
fn window() -> Window {
    Window {
        days: [Day::Mon, Day::Sun].into(),
        from: time(22, 0, 0, 0),
        to: time(4, 30, 0, 0),
        zone: "Europe/Berlin".to_owned(),
    }
}

fn spec(retirement: Retirement, mints_locally: bool, own_identity: bool) -> RotationSpec {
    RotationSpec {
        connector: "snowflake-keypair".to_owned(),
        inputs: json!({ "user": "U", "key_bits": 2048 }),
        after_delivery: Vec::new(),
        destinations: vec!["file:/srv/rsa_key_new.p8".to_owned()],
        cutover: Cutover::Confirm,
        soak_seconds: 86_400,
        observe_seconds: 86_400,
        allowance_seconds: 86_400,
        owner: Principal {
            account: "XY12345 in AWS_EU_CENTRAL_1".to_owned(),
            name: "U".to_owned(),
            id: "U".to_owned(),
        },
        old_key: KeyId::parse("SHA256:OLD").expect("the name of a key"),
        retirement,
        mints_locally,
        own_identity,
        host: Some("iam.amazonaws.com".into()),
        prove: Prove::Consumer,
        window: None,
        lost_key: LostKey::Delete,
    }
}

#[test]
fn the_opening_fits_for_every_kind_of_vendor() {
    for retirement in retirements() {
        for (mints_locally, own_identity) in [(false, false), (false, true), (true, false), (true, true)] {
            let spec = spec(retirement.clone(), mints_locally, own_identity);
            valid(&journal(Event::Opened {
                spec: spec.into(),
                begun: None,
            }));
        }
    }
    let spec = spec(retirements()[1].clone(), true, true);
    let opened = journal(Event::Opened {
        spec: spec.into(),
        begun: None,
    });
    // What goes without saying is not written down, and nothing else is known of the rest.
    for (place, value) in [
        ("retirement", json!("disable")),
        ("retirement", json!("remove")),
        ("retirement", json!("later")),
        ("retirement", json!({})),
        ("retirement", json!({ "remove": {} })),
        ("retirement", json!({ "remove": { "public": "" } })),
        ("retirement", json!({ "remove": { "public": "MIIB", "surprise": 1 } })),
        ("retirement", json!({ "remove": { "public": "MIIB" }, "surprise": 1 })),
        ("retirement", json!({ "remove-for-good": { "public": "MIIB" } })),
        ("mints_locally", json!(false)),
        ("mints_locally", json!("yes")),
        ("own_identity", json!(false)),
        ("surprise", json!(true)),
    ] {
        let place = format!("/events/0/what/charter/{place}");
        assert!(
            !faults(&with(&opened, &place, value.clone())).is_empty(),
            "{place}: {value}"
        );
    }
}

#[test]
fn the_opening_fits_with_a_window() {
    let mut spec = spec(retirements()[0].clone(), false, false);
    spec.window = Some(Box::new(window()));
    let opened = journal(Event::Opened {
        spec: spec.into(),
        begun: None,
    });
    valid(&opened);
    for (place, value) in [
        ("window", json!(null)),
        ("window", json!({})),
        ("window/days", json!([])),
        ("window/days", json!(["monday"])),
        ("window/days", json!(["mon", "mon"])),
        ("window/from", json!("22:00")),
        ("window/to", json!("24:00:00")),
        ("window/zone", json!("")),
        ("window/surprise", json!(1)),
    ] {
        let place = format!("/events/0/what/charter/{place}");
        assert!(
            !faults(&with(&opened, &place, value.clone())).is_empty(),
            "{place}: {value}"
        );
    }
}

/// A rotation of this kind at every phase that there is.
fn everywhere(spec: &RotationSpec) -> Vec<Rotation> {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
    let holds = [spec.destinations[0].clone()];
    let new = Issued {
        key: KeyId::parse("SHA256:NEW").expect("the name of a key"),
        public: Some(PublicHalf::new("MIIB")),
        proved_at: Some(at),
        reached: holds.clone().into(),
        delivered: holds.into(),
    };
    let cut = Switch {
        at,
        by: SwitchedBy::Delivery,
    };
    let off = Retired {
        at,
        proved: true,
        used: false,
    };
    let mut nowhere = new.clone();
    nowhere.proved_at = None;
    nowhere.reached.clear();
    nowhere.delivered.clear();
    let replacement = Replacement {
        way_back: true,
        sent: true,
    };
    let without = [
        Phase::Opened,
        Phase::Creating,
        Phase::Discarding(KeyId::parse("SHA256:LOST").expect("the name of a key")),
        Phase::Aborted,
        Phase::RolledBack,
    ];
    let nobody_has_it = [
        Phase::Minted,
        Phase::Created,
        Phase::Prepared(replacement),
        Phase::Replacing(replacement),
        Phase::Replaced(replacement),
        Phase::Verified,
    ];
    let delivered = [
        Phase::Reverting(replacement),
        Phase::Reverted(replacement),
        Phase::Delivered(at),
        Phase::CutOver(cut.clone()),
        Phase::Deactivating(cut.clone()),
        Phase::Deactivated(cut.clone(), off.clone()),
        Phase::Reactivating(cut.clone(), "why".to_owned()),
        Phase::Soaking(cut.clone(), off.clone()),
        Phase::Deleting(cut, off),
        Phase::Deleted,
        Phase::Withdrawing,
        Phase::Withdrawn,
        Phase::Done,
    ];
    let standing = |new_key: Option<Issued>| {
        move |phase| Rotation {
            spec: spec.clone(),
            opened_at: Timestamp::UNIX_EPOCH,
            attempts: Vec::new(),
            discarded: [].into(),
            new_key: new_key.clone(),
            phase,
            undo: None,
            blocked: None,
            hooks: Default::default(),
        }
    };
    (without.into_iter().map(standing(None)))
        .chain(nobody_has_it.into_iter().map(standing(Some(nowhere))))
        .chain(delivered.into_iter().map(standing(Some(new))))
        .collect()
}

/// The same, blocked, and being undone.
fn let_down(rotation: &Rotation) -> Vec<Rotation> {
    let why = "why".to_owned();
    let undo = |kind| Undo {
        kind,
        why: why.clone(),
        by: "someone".to_owned().into(),
        forced: false,
        reactivated: false,
        insisted: false,
        disowns: false,
        restored: [].into(),
    };
    let since = Timestamp::UNIX_EPOCH;
    let blocked = Block {
        why: why.clone(),
        since,
    };
    let kinds = [UndoKind::Abort, UndoKind::Rollback].into_iter();
    let mut all: Vec<Rotation> = kinds
        .filter(|kind| rotation.may_undo(*kind))
        .map(|kind| Rotation {
            undo: Some(undo(kind)),
            ..rotation.clone()
        })
        .collect();
    all.push(rotation.clone());
    let stopped = |rotation: &Rotation| Rotation {
        blocked: Some(blocked.clone()),
        ..rotation.clone()
    };
    let stopped: Vec<Rotation> = all.iter().map(stopped).collect();
    all.extend(stopped);
    all
}

#[test]
fn every_phase_of_every_kind_of_vendor_fits_with_what_is_left_to_do() {
    let (speaker, mut fitted) = (Speaker::new(None, None), 0);
    let kinds = retirements()
        .into_iter()
        .flat_map(|retirement| [false, true].map(|mints_locally| spec(retirement.clone(), mints_locally, false)))
        .flat_map(|spec| {
            let windows = [None, Some(Box::new(window()))];
            windows.map(|window| RotationSpec { window, ..spec.clone() })
        });
    for spec in kinds {
        for rotation in everywhere(&spec).iter().flat_map(let_down) {
            for now in [
                Timestamp::UNIX_EPOCH,
                Timestamp::UNIX_EPOCH + SignedDuration::from_hours(720),
            ] {
                // What cannot happen has no plan; it can still be shown.
                let plan = forecast(rotation.clone(), Facts::default(), now).unwrap_or_default();
                let wait = match next(&rotation, &Facts::default(), now) {
                    Step::Wait(wait) => Some(wait),
                    _ => None,
                };
                let stored = Stored {
                    id: ROTATION.to_owned(),
                    target: "snowflake-keypair/U".to_owned(),
                    revision: 1,
                    updated_at: Timestamp::UNIX_EPOCH,
                    rotation: rotation.clone(),
                };
                let report = TargetView::of(&stored, wait.as_ref(), now, &speaker);
                let mut planned = report.clone();
                planned.steps = Some(plan);
                let told = json::targets(&[report, planned]);
                valid(&serde_json::from_str(&told).expect("it is JSON"));
                fitted += 1;
            }
        }
    }
    assert!(fitted > 1000, "only {fitted}");
}
