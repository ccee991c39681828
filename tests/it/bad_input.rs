//! Bad input: a command line that is wrong, and targets that cannot be rotated. Each is refused in plain words, and
//! leaves the cloud and the destination as they were.
//!
//! Leans on the strict fake: it counts the calls, so that "nothing was asked" can be seen, and it keeps the limit of two
//! keys and the permissions of buckets, which the emulators do not.

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

/// A command line is refused with 64 and these words, without a call and without a state folder.
fn refused_at_once(arguments: &[&str], words: &[&str]) {
    let place = Workplace::new(ROTATE);
    place.run(arguments).expect(64).says(words);
    assert_eq!(place.cloud.call_count(), 0, "{arguments:?} made a call");
    assert!(!place.state().exists(), "{arguments:?} made a state folder");
    place.expect_untouched();
}

/// The same for the one-shot command, with these options in place of good ones.
fn options_refused(options: &[&str], words: &[&str]) {
    let mut arguments = vec!["s3-customer-managed"];
    let defaults = [("--user", USER), ("--bucket", BUCKET), ("--deliver", "file:key.json")];
    for (name, value) in defaults.iter().filter(|(name, _)| !options.contains(name)) {
        arguments.extend([*name, *value]);
    }
    arguments.extend(options);
    refused_at_once(&arguments, words);
}

fn rotated_user(place: &Workplace, user: &str) -> Ran {
    place.run([
        "s3-customer-managed",
        "--user",
        user,
        "--bucket",
        BUCKET,
        "--deliver",
        "file:key.json",
    ])
}

#[test]
fn a_missing_option_is_named() {
    let command = "s3-customer-managed";
    refused_at_once(&[command, "--user", USER, "--bucket", BUCKET], &["--deliver"]);
    refused_at_once(&[command, "--user", USER, "--deliver", "file:key.json"], &["--bucket"]);
    refused_at_once(
        &[command, "--bucket", BUCKET, "--deliver", "file:key.json"],
        &["--user"],
    );
    refused_at_once(&["confirm"], &["<TARGET>"]);
}

#[test]
fn an_unknown_command_or_choice_is_refused() {
    refused_at_once(&[], &["Usage"]);
    refused_at_once(&["frobnicate"], &["frobnicate"]);
    options_refused(&["--cutover", "never"], &["--cutover", "never", "immediate"]);
    options_refused(&["--output", "yaml"], &["--output", "yaml", "json"]);
    options_refused(&["--verify-successes", "0"], &["--verify-successes"]);
    options_refused(&["--verify-deadline", "soon"], &["--verify-deadline", "soon"]);
    options_refused(&["--frobnicate"], &["--frobnicate"]);
}

#[test]
fn a_bucket_that_is_not_a_bare_name_is_refused() {
    for bucket in ["s3://acme-data", "acme-data/prefix", "", "ab"] {
        options_refused(&["--bucket", bucket], &["--bucket", "without s3://"]);
    }
}

#[test]
fn a_destination_of_an_unknown_kind_or_ending_is_refused() {
    let kinds = ["--deliver", "file:PATH.json", "aws-profile:NAME"];
    options_refused(&["--deliver", "vault:secret/key"], &kinds);
    options_refused(&["--deliver", "key.json"], &kinds);
    options_refused(&["--deliver", ""], &kinds);
    for ending in ["file:key.txt", "file:key", "file:key.json.bak"] {
        options_refused(&["--deliver", ending], &[ending, ".json", ".env"]);
    }
    options_refused(&["--deliver", "file:"], &["--deliver", "names no file"]);
    options_refused(&["--deliver", "aws-profile:"], &["--deliver", "profile"]);
    options_refused(&["--deliver", "aws-profile:a]b@creds"], &["--deliver", "profile"]);
}

#[test]
fn the_same_destination_twice_is_refused_however_it_is_written() {
    let twice = |first: &str, second: &str| {
        options_refused(&["--deliver", first, "--deliver", second], &["--deliver", "twice"]);
    };
    twice("file:key.json", "file:key.json");
    twice("file:key.json", "file:./key.json");
    twice("file:key.json", "file:.//key.json");
    twice("aws-profile:acme@creds", "aws-profile:acme@./creds");

    let place = Workplace::new(ROTATE);
    let absolute = format!("file:{}", place.delivered().display());
    Ran::of(place.rotate(["--deliver", "file:key.json"]))
        .expect(64)
        .says(&[absolute.as_str(), "twice"]);
    place.expect_untouched();
}

#[test]
fn an_unknown_user_is_named_and_nothing_is_touched() {
    let place = Workplace::new(ROTATE);
    rotated_user(&place, "nobody").expect(1).says(&[
        "failed to read user nobody",
        "does not exist",
        "check the name given with --user",
        "nothing was changed",
    ]);
    place.expect_untouched();
    let status = place.run(["status", "--output", "json"]).expect(0).json();
    assert_eq!(status["targets"], serde_json::json!([]));
}

#[test]
fn a_user_without_an_active_key_is_an_error() {
    let place = Workplace::new(ROTATE);
    place.cloud.add_user("empty");
    rotated_user(&place, "empty")
        .expect(1)
        .says(&["empty has no active key", "nothing to rotate", "--user"]);
    assert!(place.cloud.keys_of("empty").is_empty());

    place.cloud.set_key_status(&place.old.id, false);
    rotated_user(&place, USER).expect(1).says(&["has no active key"]);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
    assert_eq!(place.cloud.count_of(Action::UpdateAccessKey), 0);
    assert!(!place.delivered().exists());
}

#[test]
fn two_active_keys_are_listed_with_age_use_and_the_command_that_resolves_it() {
    let place = Workplace::new(ROTATE);
    let now = Timestamp::now();
    let ancient = place
        .cloud
        .add_key_created_at(USER, now - SignedDuration::from_hours(24 * 400));
    place
        .cloud
        .set_last_used(&ancient.id, now - SignedDuration::from_hours(2), "s3", "eu-west-1");
    let delete = |id: &str| format!("aws iam delete-access-key --user-name {USER} --access-key-id {id}");
    let ran = Ran::of(place.rotate(AT_ONCE)).expect(3).says(&[
        &format!("both slots of {USER} are full"),
        &format!("{}: active, created", ancient.id),
        "400 days old",
        "for s3 in eu-west-1",
        &format!("{}: active, created", place.old.id),
        "0 days old",
        "no use on record",
        &delete(&ancient.id),
        &delete(&place.old.id),
    ]);
    assert_eq!(ran.stdout, "");
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
    assert!(place.cloud.works(&place.old.id, &place.old.secret) && place.cloud.works(&ancient.id, &ancient.secret));
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
    assert!(!place.delivered().exists());

    let report = Ran::of(place.rotate(["--output", "json"])).expect(3).json();
    assert_eq!(report["targets"][0]["state"], "blocked");
    assert_eq!(report["targets"][0]["next"]["who"], "person");
    // Once one is gone, the same command works.
    place.cloud.delete_key(&ancient.id);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    place.expect_rotated();
}

#[test]
fn a_dry_run_says_that_both_slots_are_full_as_well() {
    let place = Workplace::new(ROTATE);
    let second = place.cloud.add_key(USER);
    Ran::of(place.rotate(["--dry-run"])).expect(3).says(&[
        "both slots",
        &place.old.id,
        &second.id,
        "aws iam delete-access-key",
    ]);
    assert!(!place.state().exists());
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
}

#[test]
fn an_inactive_key_that_the_journal_did_not_retire_is_not_deleted() {
    let place = Workplace::new(ROTATE);
    let foreign = place.cloud.add_key(USER);
    place.cloud.set_key_status(&foreign.id, false);
    let ran = Ran::of(place.rotate(AT_ONCE)).expect(3).says(&[
        "both slots are full",
        &format!("{}: active", place.old.id),
        &format!("{}: inactive", foreign.id),
        &format!("delete-access-key --user-name {USER} --access-key-id {}", foreign.id),
    ]);
    // The only active key is the one that consumers hold: nobody may be told to paste its deletion.
    let live = format!("--access-key-id {}", place.old.id);
    assert!(
        !ran.stderr.contains(&live),
        "it offers to delete the live key:\n{}",
        ran.stderr
    );
    assert!(place.cloud.key_exists(&foreign.id));
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    assert_eq!(place.cloud.count_of(Action::DeleteAccessKey), 0);
    assert!(!place.delivered().exists());
}

/// A rotation at once, with the key of this bucket.
fn of_bucket(place: &Workplace, bucket: &str, more: &[&str]) -> Ran {
    let mut command = place.command(["s3-customer-managed", "--user", USER, "--deliver", "file:key.json"]);
    command.args(["--bucket", bucket]).args(AT_ONCE).args(more);
    Ran::of(command)
}

#[test]
fn a_bucket_that_is_missing_is_told_by_the_dry_run_and_before_a_key_is_made() {
    let place = Workplace::new(ROTATE);
    let words = [
        "bucket acme-dta",
        "does not exist",
        "write the bucket's right name",
        "nothing was changed",
    ];
    let planned = of_bucket(&place, "acme-dta", &["--dry-run"]).expect(1).says(&words);
    assert!(planned.stdout.contains("! bucket acme-dta"), "{}", planned.stdout);
    assert!(
        planned.stdout.contains("create a new key"),
        "the plan is shown: {}",
        planned.stdout
    );
    assert!(!place.state().exists());
    let report = of_bucket(&place, "acme-dta", &["--dry-run", "--output", "json"])
        .expect(1)
        .json();
    assert_eq!(report["targets"][0]["problems"][0]["what"], "bucket acme-dta");
    of_bucket(&place, "acme-dta", &[]).expect(1).says(&words);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
    place.expect_untouched();
    let status = place.run(["status", "--output", "json"]).expect(0).json();
    assert_eq!(status["targets"], serde_json::json!([]));
    // What shows only when it is used stops nobody, and the dry run says it.
    place.cloud.deny(Action::SimulatePrincipalPolicy);
    let planned = of_bucket(&place, BUCKET, &["--dry-run"]).expect(0);
    assert!(planned.stdout.contains("  ? "), "{}", planned.stdout);
    of_bucket(&place, BUCKET, &[]).expect(0);
    place.expect_rotated();
}

#[test]
fn a_bucket_that_goes_missing_has_the_new_key_withdrawn_and_the_old_one_untouched() {
    let place = Workplace::new(ROTATE);
    place.cloud.add_bucket("acme-dta", "us-east-1", &[]);
    let cloud = place.cloud.clone();
    place.cloud.on_effect(move |effect| {
        if effect.action == Action::CreateAccessKey {
            cloud.remove_bucket("acme-dta");
        }
    });
    let missing = |bucket| of_bucket(&place, bucket, &[]);
    missing("acme-dta").expect(1).says(&[
        "bucket acme-dta does not exist",
        "it was withdrawn",
        "the old key was not touched",
        "run the same command again",
    ]);
    assert_eq!(place.cloud.count_of(Action::UpdateAccessKey), 0);
    place.expect_as_before();
    assert_eq!(place.state_name(), "aborted");
    missing(BUCKET).expect(0);
    place.expect_rotated();
}

#[test]
fn a_bucket_forbidden_to_the_new_key_has_it_withdrawn_and_the_old_one_untouched() {
    let place = Workplace::new(ROTATE);
    place.cloud.forbid_bucket(BUCKET, USER);
    Ran::of(place.rotate(["--prefix", "data/"])).expect(1).says(&[
        &format!("may not list {BUCKET}/data/"),
        "s3:ListBucket",
        "it was withdrawn",
    ]);
    place.expect_as_before();
    // The policy is mended.
    place.cloud.add_bucket(BUCKET, "us-east-1", &["data/1.csv"]);
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    place.expect_rotated();
}

#[test]
fn the_user_that_rotate_itself_runs_as_is_refused() {
    let place = Workplace::new(ROTATE);
    let own = place.cloud.admin_user().to_owned();
    for more in [&[][..], &["--dry-run"]] {
        let mut arguments = vec!["s3-customer-managed", "--user", &own, "--bucket", BUCKET];
        arguments.extend(["--deliver", "file:key.json"]);
        arguments.extend(more);
        place.run(arguments).expect(1).says(&[
            &format!("rotate itself runs as {own}"),
            "run it as another user or role",
        ]);
    }
    assert_eq!(place.cloud.keys_of(&own).len(), 1);
    assert!(place.cloud.works(&place.cloud.admin().id, &place.cloud.admin().secret));
    place.expect_untouched();
    place
        .run(["status", TARGET])
        .expect(1)
        .says(&["no rotation of", "rotate "]);
}
