//! A fleet in which a target is in every state, with people who write what they should not.

use jiff::SignedDuration;
use rotate_fixtures::FleetWorkplace;
use rotate_fixtures::place::Ran;
use serde_json::Value;

pub(super) const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
pub(super) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What a person could write into an owner, an exception and a note, to harm whoever opens the report.
pub(super) const HOSTILE_OWNER: &str = "</title></style><script>document.title='owned'</script><b onmouseover=x>";
pub(super) const HOSTILE_REASON: &str = "=HYPERLINK(\\\"https://evil.example\\\",\\\"x\\\")";
pub(super) const HOSTILE_NOTE: &str = "<img src=x onerror=document.title='owned'> {{ 7*7 }} <!--";

const GENERAL: &str = r#"[defaults]
aws_calls_per_second = 0

[[out_of_scope]]
what = "keys of the root user"
reason = "none exist; an alarm tells if one is made"
approved_by = "ciso@example.com"

[[target]]
name = "Help.Desk"
connector = "freshdesk"
owner = "support-ops@example.com"
domain = "acme"
"#;

/// The fleet, after a month of work: one young key, one that is overdue under an expired exception, one that was rotated to its end,
/// one that waits for a person, one with a key that nobody here made, and one that a person rotates.
pub(super) fn fleet() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(GENERAL);
    let opens = (place.now() + DAY * 34).strftime("%a").to_string().to_lowercase();
    place.add_user(
        "young",
        DAY,
        "owner = \"data-platform@example.com\"\npolicy_basis = \"PCI DSS 4.0.1 8.6.3, risk analysis RA-12\"",
    );
    place.add_user("rotated", DAY * 170, "cutover = \"immediate\"\nsoak = \"7d\"");
    place.add_user(
        "shut",
        DAY * 170,
        &format!(
            "owner = \"{HOSTILE_OWNER}\"\nwindow = {{ days = [\"{opens}\"], from = \"03:00\", to = \"03:01\" }}\n\
             exception = {{ reason = \"{HOSTILE_REASON}\", approved_by = \"cfo@example.com\", until = 2026-01-31 }}"
        ),
    );
    place.add_user("strange", DAY * 2, "owner = \"data-platform@example.com\"");
    place.run(["run"]);
    tick(&place, "list-users-of-the-key", HOSTILE_NOTE);
    let _ = place.cloud.add_key("strange");
    for _ in 0..4 {
        place.pass(DAY * 8);
        place.run(["run"]);
    }
    place.add_user("waiting", DAY * 170, "owner = \"data-platform@example.com\"");
    place.run(["run"]);
    place
}

fn tick(place: &FleetWorkplace, step: &str, note: &str) {
    place.run(["done", "Help.Desk", step, "--evidence", note]).expect(0);
}

/// The report as programs read it.
pub(super) fn json(place: &FleetWorkplace, more: &[&str]) -> Value {
    let document: Value = report(place, &[&["--output", "json"], more].concat()).json();
    document["report"].clone()
}

pub(super) fn report(place: &FleetWorkplace, more: &[&str]) -> Ran {
    place.run([&["report"], more].concat()).expect(0)
}

/// What it says of one credential.
#[track_caller]
pub(super) fn of(report: &Value, name: &str) -> Value {
    let all = report["credentials"].as_array().expect("it is a list");
    let found = all.iter().find(|one| one["name"] == name);
    found
        .unwrap_or_else(|| panic!("nothing is said of {name}: {report:#}"))
        .clone()
}
