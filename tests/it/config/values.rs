//! What a configuration that nothing is wrong in means.

use std::path::Path;

use jiff::SignedDuration;
use jiff::civil::date;
use rotate::config::{Automatic, ByHand, How, Target};
use rotate::machine::{Cutover, Day};

use super::{DESK, MAIN, accepted};

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[track_caller]
fn automatic(target: &Target) -> &Automatic {
    match &target.how {
        How::Automatic(automatic) => automatic,
        How::ByHand(_) => panic!("{} is rotated by hand", target.name),
    }
}

#[track_caller]
fn by_hand(target: &Target) -> &ByHand {
    match &target.how {
        How::ByHand(by_hand) => by_hand,
        How::Automatic(_) => panic!("{} is rotated by the program", target.name),
    }
}

#[test]
fn what_nobody_says_is_as_the_readme_has_it() {
    let config = accepted(&format!("{MAIN}{DESK}"));
    assert_eq!(config.concurrency, 8);
    assert_eq!(config.paces.of("s3-customer-managed").map(u32::from), Some(5));
    assert_eq!(config.look_every, DAY * 7);
    assert_eq!(config.state_dir, None);
    let [main, desk] = config.targets.as_slice() else {
        panic!("two targets")
    };
    assert_eq!((main.name.as_str(), main.connector.id), ("main", "s3-customer-managed"));
    assert_eq!(main.terms.max_age, DAY * 180);
    assert_eq!(main.terms.warn_before, DAY * 14);
    assert_eq!(main.terms.lead, DAY * (14 + 7 + 3));
    assert_eq!(main.allowance_seconds, 14 * 86_400);
    assert_eq!(main.owner, None);
    let keys = automatic(main);
    assert_eq!(keys.cutover, Cutover::Confirm);
    assert_eq!((keys.soak_seconds, keys.observe_seconds), (7 * 86_400, 86_400));
    assert_eq!(keys.deliver, ["file:/srv/main.json"]);
    assert!(keys.window.is_none() && !keys.allow_self && keys.current_key.is_none());
    assert_eq!((desk.name.as_str(), desk.connector.id), ("desk", "freshdesk"));
    assert_eq!(desk.terms.lead, DAY * (14 + 1));
    let steps = by_hand(desk);
    assert!(steps.values.is_empty() && steps.last_rotated.is_none());
}

#[test]
fn a_target_says_otherwise_than_the_defaults() {
    let text = format!(
        r#"[defaults]
max_age = "90d"
warn_before = "30d"
cutover = "observed"
observe = "48h"
cutover_allowance = "3d"
soak = "2d"
run_every = "6h"
look_every = "12h"
concurrency = 64
aws_calls_per_second = 0
window = {{ days = ["sat", "sun"], from = "22:00", to = "04:00", zone = "Europe/Berlin" }}

[store]
state_dir = "/var/lib/rotate"

{MAIN}owner = "data-platform@example.com"

{}cutover = "immediate"
soak = "0s"
max_age = "30d"
window = {{}}
"#,
        MAIN.replace("\"main\"", "\"other\"")
            .replace("gainsight-s3", "b")
            .replace("/srv/main", "/srv/b")
    );
    let config = accepted(&text);
    assert_eq!(config.concurrency, 64);
    assert_eq!(config.paces.of("s3-customer-managed"), None);
    assert_eq!(config.look_every, DAY / 2);
    assert_eq!(config.state_dir.as_deref(), Some(Path::new("/var/lib/rotate")));
    let [main, other] = config.targets.as_slice() else {
        panic!("two targets")
    };
    assert_eq!(main.owner.as_deref(), Some("data-platform@example.com"));
    assert_eq!((main.terms.max_age, main.terms.warn_before), (DAY * 90, DAY * 30));
    let keys = automatic(main);
    assert_eq!(keys.cutover, Cutover::Observed);
    assert_eq!((keys.soak_seconds, keys.observe_seconds), (2 * 86_400, 2 * 86_400));
    let window = keys.window.as_ref().unwrap();
    assert_eq!(window.days, [Day::Sat, Day::Sun].into());
    assert_eq!(window.to_string(), "sat, sun 22:00\u{2013}04:00 Europe/Berlin");
    let keys = automatic(other);
    assert_eq!((keys.cutover, keys.soak_seconds), (Cutover::Immediate, 0));
    // Whatever is left out of a window leaves it open.
    let always = keys.window.as_ref().unwrap();
    assert_eq!(always.longest_shut(), SignedDuration::ZERO);
    assert_eq!(other.terms.lead, DAY / 4);
}

#[test]
fn a_date_may_be_written_with_quotes_and_without() {
    for value in ["\"2026-01-10\"", "2026-01-10"] {
        let config = accepted(&format!("{DESK}last_rotated = {value}\n"));
        assert_eq!(by_hand(&config.targets[0]).last_rotated, Some(date(2026, 1, 10)));
    }
}

#[test]
fn an_automated_connector_may_be_rotated_by_hand() {
    let config =
        accepted("[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nby_hand = true\nuser = \"u\"\n");
    let steps = by_hand(&config.targets[0]);
    assert_eq!(steps.values.get("user").map(String::as_str), Some("u"));
}

#[test]
fn a_destination_has_the_day_of_the_opening_in_its_name() {
    let config = accepted(&MAIN.replace("main.json", "main-{date}.json"));
    let keys = automatic(&config.targets[0]);
    assert_eq!(keys.deliver, ["file:/srv/main-{date}.json"]);
    assert_eq!(
        keys.destinations(date(2026, 11, 25)),
        ["file:/srv/main-2026-11-25.json"]
    );
}

#[test]
fn targets_keep_the_order_of_the_file() {
    let text: String = ["c", "a", "b"]
        .map(|name| DESK.replace("\"desk\"", &format!("\"{name}\"")))
        .concat();
    let config = accepted(&text);
    let names: Vec<&str> = config.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["c", "a", "b"]);
}

/// A guide's input that had the name of a target's own key could never be given.
#[test]
fn no_input_of_a_connector_has_the_name_of_a_targets_own_key() {
    const OWN: [&str; 16] = [
        "name",
        "connector",
        "owner",
        "by_hand",
        "deliver",
        "max_age",
        "warn_before",
        "cutover",
        "cutover_allowance",
        "observe",
        "soak",
        "window",
        "run_every",
        "last_rotated",
        "allow_self",
        "current_key",
    ];
    for connector in rotate_providers::CONNECTORS {
        let guide = connector.guide().unwrap();
        let inputs = guide.inputs.iter().map(|input| &*input.name);
        let fields = connector
            .automation
            .iter()
            .flat_map(|automation| automation.inputs)
            .map(|input| &*input.name);
        for name in inputs.chain(fields) {
            assert!(!OWN.contains(&name), "{}: {name}", connector.id);
        }
    }
}

#[test]
fn a_sentence_speaks_of_keys_and_a_command_keeps_its_options() {
    let text = "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nuser = \"u\"\nbucket = \"data\"\n\
                deliver = [\"aws-profile:main@/etc/credentials\"]\n";
    let targets = accepted(text).targets;
    for (said, meant) in [
        (
            "check the name given with --user, and",
            "check the name given with `user`, and",
        ),
        ("use --profile or --assume-role", "use `profile` or `assume_role`"),
        (
            "look at --endpoint-url, the variable",
            "look at `endpoint_url`, the variable",
        ),
        ("or add --allow-self: then", "or add `allow_self`: then"),
        ("(see --prefix)", "(see `prefix`)"),
        // To be pasted.
        (
            "sign in again: tool login --profile admin",
            "sign in again: tool login --profile admin",
        ),
        (
            "tool delete --user-name u --region r",
            "tool delete --user-name u --region r",
        ),
        ("rotate abort --force main", "rotate abort --force main"),
        // No key of a target.
        ("`rotate plan` without --offline", "`rotate plan` without --offline"),
        ("or with --force", "or with --force"),
        ("a -- b", "a -- b"),
    ] {
        assert_eq!(targets[0].in_its_words(said), meant);
    }
}
