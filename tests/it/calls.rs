//! Each call of a whole rotation has its reason, and there is none without one. docs/figures.md shows the list;
//! `ROTATE_BLESS=1` writes it anew.
//!
//! Leans on the strict fakes: they alone count the calls.

use std::path::Path;

use rotate_fixtures::snowflake::Action;
use rotate_fixtures::{Ran, SnowflakeWorkplace, Workplace};

use reasons::{AWS, Reason, SNOWFLAKE, With, steps};

#[path = "../../benches/figures/reasons.rs"]
mod reasons;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const WHOLE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// A call as it was made.
type Made = (String, With);

#[test]
fn an_access_key_is_rotated_by_the_calls_that_have_a_reason_and_by_no_other() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(WHOLE)).expect(0);
    let new = place.delivered_key().expect("the new key was delivered").id;
    let made = place.cloud.calls().into_iter().map(|call| {
        let with = if call.access_key_id.as_ref() == Some(&new) {
            With::NewKey
        } else {
            With::Administrator
        };
        (format!("{}:{}", call.service, call.action), with)
    });
    hold(made.collect(), AWS);
}

#[test]
fn a_key_pair_is_rotated_by_the_calls_that_have_a_reason_and_by_no_other() {
    let place = SnowflakeWorkplace::new(ROTATE);
    Ran::of(place.rotate(WHOLE)).expect(0);
    let made = place.cloud.calls().into_iter().map(|call| {
        let with = if call.user.as_deref() == Some(place.cloud.admin_user()) {
            With::Administrator
        } else {
            With::NewKey
        };
        let name = match call.action.expect("the client asks nothing else") {
            Action::Login => "login",
            Action::Identity => "SELECT CURRENT_USER()",
            Action::Time => "SELECT CURRENT_TIMESTAMP()",
            Action::Describe => "DESC USER",
            Action::SetKey => "ALTER USER SET",
            Action::UnsetKey => "ALTER USER UNSET",
            Action::Show => "SHOW USER KEY PAIRS",
            other => panic!("nobody has given a reason for {other:?}"),
        };
        (name.to_owned(), with)
    });
    hold(made.collect(), SNOWFLAKE);
}

/// Step by step; what is called side by side arrives in any order.
fn hold(made: Vec<Made>, reasons: &[Reason]) {
    let mut made_so_far = made.as_slice();
    for step in 1..=steps(reasons) {
        let of_step = reasons.iter().filter(|reason| reason.step == step);
        let mut wanted: Vec<Made> = of_step.map(|reason| (reason.call.to_owned(), reason.with)).collect();
        let (now, later) = made_so_far.split_at(wanted.len().min(made_so_far.len()));
        let mut now = now.to_vec();
        now.sort();
        wanted.sort();
        assert_eq!(now, wanted, "in step {step} of {made:#?}");
        made_so_far = later;
    }
    assert!(made_so_far.is_empty(), "without a reason: {made_so_far:#?}");
}

#[test]
fn the_page_of_figures_shows_every_call_with_its_reason() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/figures.md");
    let page = std::fs::read_to_string(&path).expect("the page can be read");
    let mut wanted = page.clone();
    for (name, reasons) in [("aws", AWS), ("snowflake", SNOWFLAKE)] {
        let (begin, end) = (format!("<!-- calls: {name} -->\n"), "<!-- end -->");
        let (before, rest) = wanted.split_once(&begin).expect("the page has a place for it");
        let (_, after) = rest.split_once(end).expect("which ends");
        wanted = format!("{before}{begin}{}{end}{after}", table(reasons));
    }
    if std::env::var_os("ROTATE_BLESS").is_some() {
        std::fs::write(&path, &wanted).expect("the page can be written");
        return;
    }
    assert_eq!(
        page, wanted,
        "write it anew: ROTATE_BLESS=1 cargo test --test it calls::"
    );
}

fn table(reasons: &[Reason]) -> String {
    let mut text = format!(
        "\n{} calls in {} steps; those of one step are made side by side.\n\n| step | call | with | because of |\n|---|---|---|---|\n",
        reasons.len(),
        steps(reasons)
    );
    for reason in reasons {
        let with = reason.with.name();
        text.push_str(&format!(
            "| {} | `{}` | {with} | {} |\n",
            reason.step, reason.call, reason.why
        ));
    }
    text.push('\n');
    text
}
