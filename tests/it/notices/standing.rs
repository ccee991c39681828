//! Which change makes which notice: pure.

use jiff::Timestamp;
use rotate::notify::{BlockedBy, Kind, Now, Reason, Standing, Told};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn moving(phase: &str) -> Standing {
    Standing::Moving {
        rotation: "r1".to_owned(),
        phase: phase.to_owned(),
    }
}

fn failed(phase: &str) -> Standing {
    Standing::Failed {
        rotation: Some("r1".to_owned()),
        phase: Some(phase.to_owned()),
    }
}

fn waiting() -> Standing {
    Standing::Waiting {
        rotation: "r1".to_owned(),
    }
}

/// What is told on this way.
fn told(way: impl IntoIterator<Item = Standing>) -> Vec<Kind> {
    let mut known = Told::default();
    let mut all = Vec::new();
    for standing in way {
        let now = Now {
            standing,
            ..Now::default()
        };
        let (after, kinds) = known.change(&now);
        assert_eq!(
            after.change(&now),
            (after.clone(), Vec::new()),
            "what is known is not told again"
        );
        known = after;
        all.extend(kinds);
    }
    all
}

#[test]
fn each_change_is_told_and_no_step_of_the_way() {
    let done = Standing::Done {
        rotation: "r1".to_owned(),
    };
    let way = [
        moving("opened"),
        moving("created"),
        waiting(),
        moving("cut-over"),
        moving("soaked"),
        done,
        Standing::Quiet,
    ];
    assert_eq!(told(way), [Kind::Begun, Kind::Waits, Kind::Done]);
}

#[test]
fn a_failure_that_comes_again_is_told_once_until_the_rotation_has_moved() {
    let again = || [moving("opened"), failed("opened")];
    assert_eq!(
        told(again().into_iter().chain(again()).chain(again())),
        [Kind::Begun, Kind::Failed]
    );
    let further = [moving("created"), failed("created")];
    assert_eq!(
        told(again().into_iter().chain(further)),
        [Kind::Begun, Kind::Failed, Kind::Failed]
    );
    assert_eq!(
        told(again().into_iter().chain([waiting()])),
        [Kind::Begun, Kind::Failed, Kind::Waits]
    );
}

#[test]
fn a_block_is_told_again_where_it_is_another_one() {
    let blocked = |by| Standing::Blocked {
        rotation: Some("r1".to_owned()),
        by,
        why: None,
    };
    let way = [
        blocked(BlockedBy::Rotation(at(1))),
        moving("created"),
        blocked(BlockedBy::Rotation(at(2))),
    ];
    assert_eq!(told(way), [Kind::Blocked, Kind::Blocked]);
}

#[test]
fn another_reason_of_the_same_kind_is_told_at_once_and_once_also_behind_a_failure() {
    let blocked = |why: &str| Standing::Blocked {
        rotation: None,
        by: BlockedBy::Obstacle,
        why: (!why.is_empty()).then(|| Reason::of(why)),
    };
    let failed = || Standing::Failed {
        rotation: None,
        phase: None,
    };
    let full = "both slots of Ann are full";
    let early = "its last_rotated is 2030-01-01, which is yet to come";
    assert_eq!(told([blocked(full), blocked(early)]), [Kind::Blocked; 2]);
    let behind = || [blocked(full), failed(), blocked(early), failed()];
    assert_eq!(
        told(behind().into_iter().chain(behind()).chain(behind())),
        [Kind::Blocked, Kind::Failed, Kind::Blocked]
    );
    // Names and numbers make no other reason; nor does a time at which none was known, as before an upgrade.
    let same = "both slots of Bob2 are full";
    assert_eq!(
        told([blocked(full), failed(), blocked(same)]),
        [Kind::Blocked, Kind::Failed]
    );
    assert_eq!(
        told([blocked(""), blocked(full), blocked(""), blocked(early)]),
        [Kind::Blocked; 2]
    );
    let unclear = [blocked(""), failed(), blocked(full), failed(), blocked(early)];
    assert_eq!(told(unclear), [Kind::Blocked, Kind::Failed, Kind::Blocked]);
}

#[test]
fn what_an_older_version_has_told_is_read_and_is_not_told_again() {
    let older = r#"{"stands":"blocked","rotation":null,"by":"obstacle"}"#;
    let known: Told = serde_json::from_str(older).unwrap();
    let now = Now {
        standing: Standing::Blocked {
            rotation: None,
            by: BlockedBy::Obstacle,
            why: Some(Reason::of("both slots are full")),
        },
        ..Now::default()
    };
    let (after, kinds) = known.change(&now);
    assert_eq!((&after.standing, kinds.len()), (&now.standing, 0));
    let text = serde_json::to_string(&after).unwrap();
    assert_eq!(serde_json::from_str::<Told>(&text).unwrap(), after);
}

#[test]
fn what_goes_and_comes_back_with_each_run_is_told_once() {
    let blocked = |rotation: Option<&str>, by| Standing::Blocked {
        rotation: rotation.map(str::to_owned),
        by,
        why: None,
    };
    let failed_idle = || Standing::Failed {
        rotation: None,
        phase: None,
    };
    let failed_blocked = || Standing::Failed {
        rotation: Some("r1".to_owned()),
        phase: None,
    };
    let idle = || [blocked(None, BlockedBy::Obstacle), failed_idle()];
    assert_eq!(
        told(idle().into_iter().chain(idle()).chain(idle())),
        [Kind::Blocked, Kind::Failed]
    );
    let open = || [blocked(Some("r1"), BlockedBy::Rotation(at(1))), failed_blocked()];
    assert_eq!(
        told(open().into_iter().chain(open()).chain(open())),
        [Kind::Blocked, Kind::Failed]
    );
    // Another reason, and the same one after all was well, are news.
    let other = [blocked(None, BlockedBy::Vendor), Standing::Quiet];
    assert_eq!(
        told(idle().into_iter().chain(other).chain(idle())),
        [Kind::Blocked, Kind::Failed, Kind::Blocked, Kind::Blocked, Kind::Failed]
    );
    // So is a failure that follows once it had gone on, and not that it waits for the same person.
    let waits = || [waiting(), failed("delivered")];
    assert_eq!(
        told(waits().into_iter().chain(waits())),
        [Kind::Waits, Kind::Failed, Kind::Failed]
    );
    let resolved = [blocked(Some("r1"), BlockedBy::Rotation(at(1))), waiting()];
    assert_eq!(
        told(waits().into_iter().chain(resolved)),
        [Kind::Waits, Kind::Failed, Kind::Blocked, Kind::Waits]
    );
}

#[test]
fn a_day_is_told_once_and_another_day_again() {
    let now = |announced: Option<i64>, overdue: Option<i64>| Now {
        standing: Standing::Quiet,
        announced: announced.map(at),
        overdue: overdue.map(at),
    };
    let mut known = Told::default();
    let mut all = Vec::new();
    for (announced, overdue) in [
        (Some(5), None),
        (Some(5), None),
        (None, None),
        (Some(5), None),
        (Some(6), None),
        (None, Some(7)),
        (None, Some(7)),
        (None, None),
        (None, Some(7)),
        (None, Some(9)),
        (None, Some(7)),
    ] {
        let (after, kinds) = known.change(&now(announced, overdue));
        known = after;
        all.extend(kinds);
    }
    assert_eq!(all, [Kind::Announced, Kind::Announced, Kind::Overdue, Kind::Overdue]);
}

#[test]
fn another_rotation_is_begun_anew() {
    let other = Standing::Moving {
        rotation: "r2".to_owned(),
        phase: "opened".to_owned(),
    };
    assert_eq!(
        told([moving("opened"), waiting(), other]),
        [Kind::Begun, Kind::Waits, Kind::Begun]
    );
}

#[test]
fn a_kind_is_called_the_same_by_its_name_and_in_a_document() {
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert_eq!(Kind::named(kind.name()), Some(kind));
    }
    assert_eq!(Kind::named("rotation.nothing"), None);
}
