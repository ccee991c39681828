//! A rotation by hand: the journal keeps what the vendor said, and the old credential stays until the new one was accepted.

use std::fs;
use std::process::Command;

use rotate_fixtures::Ran;
use rotate_fixtures::probed_vendor::Said;
use rotate_providers::PhaseName;
use rotate_providers::guide::Procedure;

use super::desk::{AGENT, Desk, verdict};
use crate::destinations::exec::write_program;

const TARGET: &str = "zuora/gainsight@acme.example";
const OPEN: [&str; 6] = [
    "zuora",
    "--user",
    "gainsight@acme.example",
    "--host",
    "rest.zuora.com",
    "--begin",
];
const CLIENT: [&str; 2] = ["--new-client-id", "client-2"];
const TOKEN: &str = r#"{"access_token":"canaryC0FFEEc0ffee5ecret-token"}"#;

/// The steps, with the first that revokes, and the one that is proven.
fn steps() -> (Vec<String>, usize, usize) {
    let guide = rotate_providers::connector("zuora").unwrap().guide().unwrap();
    let steps = guide.steps(Procedure::Rotate);
    let revokes = steps.iter().position(|step| step.phase.revokes()).unwrap();
    let proven = steps.iter().position(|step| step.phase == PhaseName::Verified).unwrap();
    (steps.iter().map(|step| step.id.clone()).collect(), revokes, proven)
}

/// A rotation that has come to the step in which the old credential goes.
fn before_the_end(desk: &Desk) -> String {
    desk.run(OPEN).expect(0);
    let (steps, revokes, _) = steps();
    for step in &steps[..revokes] {
        desk.run(["done", TARGET, step]).expect(0);
    }
    steps[revokes].clone()
}

#[test]
fn the_old_credential_stays_until_the_vendor_has_accepted_the_new_one() {
    let desk = Desk::new();
    let revoke = before_the_end(&desk);
    let told = [
        "is shut: nobody has seen the vendor accept the new credential",
        " verify zuora/",
    ];
    desk.run(["done", TARGET, &revoke]).expect(1).says(&told);

    desk.vendor.says(Said::json(500, "{}"));
    desk.verify([TARGET].iter().chain(&CLIENT).copied()).expect(1);
    desk.run(["done", TARGET, &revoke]).expect(1).says(&told);

    desk.vendor.says(Said::json(401, "{}"));
    desk.verify([TARGET].iter().chain(&CLIENT).copied()).expect(3);
    let told = ["is shut: the vendor has refused the new credential"];
    desk.run(["done", TARGET, &revoke]).expect(1).says(&told);

    desk.vendor.says(Said::json(200, TOKEN));
    let ran = desk.verify([TARGET].iter().chain(&CLIENT).copied()).expect(0);
    assert_eq!(ran.json()["verification"]["credential"], "new");
    assert_eq!(ran.json()["verification"]["recorded"], true);
    desk.run(["done", TARGET, &revoke]).expect(0);

    let journal = desk.run(["audit"]).expect(0).stdout;
    for line in [
        "tried  the new credential by ",
        ": inconclusive (http-500)",
        ": rejected (http-401)",
        ": accepted (http-200)",
    ] {
        assert!(journal.contains(line), "{line}\n{journal}");
    }
    desk.run(["audit", "verify"]).expect(0);
}

fn left_out(desk: &Desk, proof: &str) {
    let why = "only the consumer may come in";
    desk.run(["done", TARGET, "--skip", proof, "--why", why]).expect(0);
}

#[test]
fn who_leaves_the_proof_out_says_why_and_that_opens_it_as_well_unless_the_vendor_has_refused() {
    let desk = Desk::new();
    let revoke = before_the_end(&desk);
    let (steps, revokes, proven) = steps();
    let proof = &steps[proven];
    desk.run(["undo", TARGET, proof]).expect(0);
    left_out(&desk, proof);
    assert!(revokes > proven);
    desk.vendor.says(Said::json(401, "{}"));
    desk.verify([TARGET].iter().chain(&CLIENT).copied()).expect(3);
    desk.run(["done", TARGET, &revoke])
        .expect(1)
        .says(&["the vendor has refused"]);
    desk.vendor.says(Said::json(200, TOKEN));
    desk.verify([TARGET].iter().chain(&CLIENT).copied()).expect(0);
    desk.run(["done", TARGET, &revoke]).expect(0);

    let desk = Desk::new();
    let revoke = before_the_end(&desk);
    desk.run(["undo", TARGET, proof]).expect(0);
    left_out(&desk, proof);
    desk.run(["done", TARGET, &revoke]).expect(0);
}

#[test]
fn after_the_end_the_old_credential_is_tried_and_what_works_on_for_a_while_is_told() {
    let desk = Desk::new();
    let revoke = before_the_end(&desk);
    desk.vendor.says(Said::json(200, TOKEN));
    desk.verify([TARGET].iter().chain(&CLIENT).copied()).expect(0);
    let (steps, revokes, _) = steps();
    desk.run(["done", TARGET, &revoke])
        .expect(0)
        .says(&["still works for a while: "]);
    for step in &steps[revokes + 1..] {
        desk.run(["done", TARGET, step]).expect(0);
    }
    desk.vendor.says(Said::json(401, "{}"));
    let ran = desk.verify([TARGET, "--old", "--client-id", "client-1"]).expect(0);
    assert_eq!(verdict(&ran).0, "rejected");
    let residue = ran.json()["verification"]["residue"].as_str().unwrap().to_owned();
    assert!(residue.contains("expires_in"), "{residue}");
    let journal = desk.run(["audit"]).expect(0).stdout;
    assert!(journal.contains("tried  the old credential by "), "{journal}");
}

#[test]
fn a_credential_that_no_rotation_is_about_leaves_no_trace() {
    let desk = Desk::new();
    desk.vendor.says(Said::json(200, AGENT));
    let ran = desk.verify(["freshdesk/acme"]).expect(0);
    assert_eq!(ran.json()["verification"]["recorded"], false);
    assert_eq!(ran.json()["verification"]["credential"], "present");
    assert!(!desk.place.state().exists());
}

#[test]
fn what_is_accepted_before_there_is_a_new_credential_opens_nothing() {
    let desk = Desk::new();
    desk.run(OPEN).expect(0);
    desk.vendor.says(Said::json(200, TOKEN));
    let ran = desk.verify([TARGET, "--client-id", "client-1"]).expect(0);
    assert_eq!(ran.json()["verification"]["credential"], "present");
    assert_eq!(ran.json()["verification"]["recorded"], false);
    let (steps, revokes, proven) = steps();
    for step in &steps[..revokes] {
        desk.run(["done", TARGET, step]).expect(0);
    }
    let told = ["is shut: nobody has seen the vendor accept the new credential"];
    desk.run(["done", TARGET, &steps[revokes]]).expect(1).says(&told);
    // Accepted, and then made once more: of that one nobody has said anything.
    desk.verify([TARGET].iter().chain(&CLIENT).copied()).expect(0);
    desk.run(["undo", TARGET, &steps[proven - 1]]).expect(0);
    desk.run(["done", TARGET, &steps[proven - 1]]).expect(0);
    desk.run(["done", TARGET, &steps[revokes]]).expect(1).says(&told);
}

#[test]
fn who_leaves_the_proof_out_after_the_refusal_knows_of_it() {
    let desk = Desk::new();
    let revoke = before_the_end(&desk);
    let (steps, _, proven) = steps();
    desk.vendor.says(Said::json(401, "{}"));
    desk.verify([TARGET].iter().chain(&CLIENT).copied()).expect(3);
    desk.run(["done", TARGET, &revoke]).expect(1);
    desk.run(["undo", TARGET, &steps[proven]]).expect(0);
    let why = "the vendor answers that for every new client during an hour";
    desk.run(["done", TARGET, "--skip", &steps[proven], "--why", why])
        .expect(0);
    desk.run(["done", TARGET, &revoke]).expect(0);
}

#[test]
fn a_verdict_is_shown_before_anybody_is_told_of_anything() {
    let desk = Desk::new();
    let path = |name: &str| desk.place.path(name).display().to_string();
    let (out, seen, ready) = (path("out"), path("seen"), path("ready"));
    // At first it takes nothing; and then it keeps what the person could see by that time.
    write_program(
        &desk.place.path("tell"),
        &format!("[ -e {ready} ] || exit 1; cp {out} {seen}"),
    );
    let config = format!(
        "[[notify]]\nexec = [\"{}\"]\n[[target]]\nname = \"other\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\n\
         last_rotated = \"2026-11-01\"\n",
        path("tell")
    );
    fs::write(desk.place.path("rotate.toml"), config).unwrap();
    before_the_end(&desk);
    let doctor = desk.run(["doctor"]).stdout;
    assert!(doctor.contains("what waits: 1 since"), "{doctor}");
    fs::write(&ready, "").unwrap();
    desk.vendor.says(Said::json(200, TOKEN));
    let whole = desk.command(["verify", "--secret-file", "secret", TARGET].into_iter().chain(CLIENT));
    let mut command = Command::new("sh");
    command.env_clear().current_dir(desk.place.path(""));
    command.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("ROTATE_TEST_CLOCK_AHEAD", "3700");
    command
        .args(["-c", "exec \"$@\" >\"$0\"", &out])
        .arg(whole.get_program())
        .args(whole.get_args());
    Ran::of(command).expect(0);
    let shown = fs::read_to_string(&out).unwrap();
    assert!(shown.contains("ACCEPTED"), "{shown}");
    assert_eq!(fs::read_to_string(&seen).expect("it was told"), shown);
}
