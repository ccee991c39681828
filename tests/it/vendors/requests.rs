//! What a vendor calls the requests that changed something there: an auditor who has one finds the very call in the vendor's own log.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use rotate_fixtures::Ran;
use serde_json::Value;

use super::ground::Ground;
use super::{DAY, on_every_ground};
use crate::scenarios::beside_each_other;

on_every_ground! {
    each_change_at_the_vendor_is_told_by_the_name_that_the_vendor_gave_it
    a_rotation_that_is_taken_back_tells_of_each_change_as_well
    a_kill_between_a_change_and_its_record_loses_the_name_and_makes_none_up
    whichever_call_breaks_only_names_that_the_vendor_gave_are_told
    a_name_that_is_none_is_not_repeated
}

/// A rotation that is ended at once.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// What the report says of the requests of the last rotation: event and id.
fn told<G: Ground>(ground: &G) -> Vec<(String, String)> {
    let report = ground.run(&["report", "--output", "json"]).expect(0).json();
    let requests = &report["report"]["credentials"][0]["rotations"][0]["request_ids"];
    let text = |it: &Value, of: &str| it[of].as_str().expect("it is a text").to_owned();
    let requests = requests.as_array().into_iter().flatten();
    requests.map(|it| (text(it, "event"), text(it, "id"))).collect()
}

fn ids(told: &[(String, String)]) -> Vec<String> {
    told.iter().map(|(_, id)| id.clone()).collect()
}

fn events(told: &[(String, String)]) -> Vec<&str> {
    told.iter().map(|(event, _)| event.as_str()).collect()
}

fn each_change_at_the_vendor_is_told_by_the_name_that_the_vendor_gave_it<G: Ground>() {
    let ground = G::soaking();
    ground.later(8 * DAY, &["run"]).expect(0);
    assert_eq!(ground.state_name(), "done");
    let told = told(&ground);
    assert_eq!(ids(&told), ground.requests());
    let all = ["created", "deactivated", "deleted"];
    assert_eq!(events(&told), all[..told.len()]);
    // To remove a key is to disable it, where it cannot be disabled.
    assert!(told.len() >= 2, "{told:?}");

    let forms = ["json", "csv", "html"].map(|form| ground.run(&["report", "--output", form]).expect(0).stdout);
    let audits = ["json", "text"].map(|form| ground.run(&["audit", "--output", form]).expect(0).stdout);
    for (event, id) in &told {
        for text in forms.iter().chain(&audits) {
            assert!(text.contains(id), "{event} {id} is not in {text}");
        }
    }
    let (event, id) = &told[0];
    assert!(forms[1].contains(&format!("{event}:{id}")) && forms[2].contains(&format!("{event} {id}")));
    assert!(audits[1].contains(&format!("  request {id}\n")), "{}", audits[1]);
    ground.run(&["audit", "verify"]).expect(0);
}

fn a_rotation_that_is_taken_back_tells_of_each_change_as_well<G: Ground>() {
    let early = G::delivered();
    early.run(&["abort", G::TARGET]).expect(0);
    let late = G::soaking();
    late.run(&["rollback", G::TARGET]).expect(0);
    let (early, late) = ((told(&early), early.requests()), (told(&late), late.requests()));
    assert_eq!(events(&early.0), ["created", "withdrawn"]);
    assert_eq!(events(&late.0), ["created", "deactivated", "reactivated", "withdrawn"]);
    for (told, requests) in [early, late] {
        assert_eq!(ids(&told), requests);
    }
}

/// The places behind each change, by their number among those at which the rotation can be killed.
fn behind_each_change<G: Ground>() -> Vec<(usize, String)> {
    let ground = G::new();
    let trace = ground.path("trace");
    let mut command = ground.rotate(&AT_ONCE);
    command.env("ROTATE_TEST_TRACE", &trace);
    Ran::of(command).expect(0);
    let text = fs::read_to_string(trace).expect("places were passed");
    let places = (1..).zip(text.lines().map(str::to_owned));
    places
        .filter(|(_, place)| place.ends_with(": after the call"))
        .collect()
}

fn a_kill_between_a_change_and_its_record_loses_the_name_and_makes_none_up<G: Ground>() {
    let places = behind_each_change::<G>();
    assert!(places.len() >= 3, "{places:?}");
    beside_each_other(&places, |(at, place)| {
        let ground = G::new();
        let mut command = ground.rotate(&AT_ONCE);
        command.env("ROTATE_TEST_KILL_AT", at.to_string());
        Ran::of(command);
        let recorded = ids(&told(&ground));
        let lost: Vec<String> = ground.requests().split_off(recorded.len());
        // A key that is gone already is not removed once more.
        assert!(
            lost.len() == 1 || place == "delete: after the call",
            "{place}: {lost:?}"
        );
        ground.begin(&AT_ONCE).expect(0);
        ground.expect_rotated(place);
        let mut known = ground.requests();
        known.retain(|id| !lost.contains(id));
        assert_eq!(ids(&told(&ground)), known, "{place}");
        ground.run(&["audit", "verify"]).expect(0);
    });
}

fn whichever_call_breaks_only_names_that_the_vendor_gave_are_told<G: Ground>() {
    let most = AtomicUsize::new(0);
    beside_each_other(&G::breaks(), |broken| {
        let ground = G::new();
        (broken.plant)(&ground);
        ground.begin(&[&AT_ONCE[..], &["--verify-deadline", "20s"]].concat());
        let (told, mut known) = (ids(&told(&ground)), ground.requests());
        known.retain(|id| told.contains(id));
        assert_eq!(told, known, "{}", broken.name);
        most.fetch_max(told.len(), Ordering::SeqCst);
    });
    assert!(most.into_inner() >= 2, "nothing is told");
}

fn a_name_that_is_none_is_not_repeated<G: Ground>() {
    let long: &str = String::leak("a".repeat(10_000));
    let harm = [
        "<script>alert(1)</script>",
        "=HYPERLINK(\"https://evil.example\")",
        "wJalrXUtnFEMIbK7MDENGbbPxRfiCYEXAMPLEKEY",
        "a\u{1b}[2J\r\nrotate: all is well",
        "\u{202e}gnp.exe",
        "",
        long,
    ];
    let harm: Vec<&'static str> = harm.to_vec();
    beside_each_other(&harm, |harm| {
        let ground = G::new();
        if !ground.calls_requests(harm) {
            return;
        }
        ground.begin(&AT_ONCE).expect(0);
        assert_eq!(ground.state_name(), "done", "{harm:.40}");
        let report = ground.run(&["report", "--output", "json"]).expect(0).json();
        let rotation = &report["report"]["credentials"][0]["rotations"][0];
        assert_eq!(rotation["request_ids"], Value::Null, "{harm:.40}");
        let page = ground.run(&["report"]).expect(0).stdout;
        assert!(page.contains("<dt>Request ids</dt><dd><span class=\"none\">not recorded</span></dd>"));
        let audit = ground.run(&["audit", "--output", "json"]).expect(0).stdout;
        for text in [&page, &audit] {
            assert!(harm.is_empty() || !text.contains(harm), "{harm:.40}");
        }
        assert!(!audit.contains("\"request\""), "{audit}");
    });
}
