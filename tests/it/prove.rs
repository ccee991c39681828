//! A proof that cannot be made from here: the consumer proves the new key by using it, and the vendor's record shows that.
//!
//! Leans on the strict fake, which keeps a record of each key's use; the clock is moved by the test.

#![expect(clippy::expect_used, reason = "a helper that cannot work must stop its test")]

use jiff::SignedDuration;
use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const DAY: i64 = 86400;

/// The consumer uses the new key, this much later.
fn consumer_uses(place: &Workplace, minutes: i64) {
    let new = place.delivered_key().expect("the new key was delivered");
    let at = place.cloud.now() + SignedDuration::from_mins(minutes);
    place.cloud.set_last_used(&new.id, at, "s3", "us-east-1");
}

/// A workplace whose bucket lets only its own network in, and a rotation that leaves the proof to the consumer.
fn delivered(prove: &str) -> Workplace {
    let place = Workplace::new(ROTATE);
    place.cloud.bar_bucket(BUCKET);
    Ran::of(place.rotate(["--prove", prove])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    place
}

fn signed_by_the_new_key(place: &Workplace) -> Vec<String> {
    let new = place.delivered_key().expect("the new key was delivered");
    let calls = place.cloud.calls();
    let by_new = calls.iter().filter(|call| call.access_key_id.as_ref() == Some(&new.id));
    by_new.map(|call| call.action.clone()).collect()
}

#[test]
fn a_key_that_only_its_consumer_can_prove_is_rotated_to_the_end_by_the_vendors_record() {
    let place = delivered("consumer");
    place
        .run(["confirm", TARGET])
        .expect(1)
        .says(&["nobody but rotate is on record to have used", "--evidence"]);
    assert_eq!(place.state_name(), "delivered");
    consumer_uses(&place, 1);
    let ran = place.later(120, ["confirm", TARGET]).expect(0);
    assert!(ran.stdout.contains("the next use of new key"), "{ran:#?}");
    assert_eq!(place.state_name(), "deactivated");
    assert!(!place.cloud.works(&place.old.id, &place.old.secret));
    place.later(3600, ["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    consumer_uses(&place, 90);
    place.later(2 * 3600, ["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    place.later(8 * DAY, ["run"]).expect(0);
    place.expect_rotated();
    assert_eq!(
        signed_by_the_new_key(&place),
        ["GetCallerIdentity"; 0],
        "rotate has used the key itself"
    );
}

#[test]
fn where_no_use_follows_a_person_is_called_and_the_old_key_comes_back() {
    let place = delivered("consumer");
    consumer_uses(&place, 1);
    place.later(120, ["confirm", TARGET]).expect(0);
    place.later(13 * DAY, ["run"]).expect(0);
    let ran = place.later(15 * DAY, ["run"]).expect(3);
    assert!(ran.stdout.contains("no use of new key"), "{ran:#?}");
    assert_eq!(place.state_name(), "blocked");
    place.later(15 * DAY, ["rollback", "--force", TARGET]).expect(0);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    assert_eq!(place.state_name(), "rolled-back");
}

#[test]
fn where_no_record_shows_it_a_person_says_what_they_saw_and_the_old_key_works_until_its_soak_is_over() {
    let place = delivered("consumer");
    place
        .run([
            "confirm",
            TARGET,
            "--evidence",
            "AKIAIOSFODNN7EXAMPLE/wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ])
        .expect(64);
    // On two lines the secret would not be found in what the parser of the command line prints.
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let ran = place.run([
        "confirm",
        TARGET,
        "--evidence",
        &format!("AKIAIOSFODNN7EXAMPLE\n{secret}"),
    ]);
    assert!(!ran.expect(64).stderr.contains(secret));
    place
        .run(["confirm", TARGET, "--evidence", "job 17 has read the bucket"])
        .expect(0);
    assert_eq!(place.state_name(), "cut-over");
    let audit = place.run(["audit", TARGET]).expect(0);
    assert!(audit.stdout.contains("job 17 has read the bucket"), "{}", audit.stdout);
    place.later(6 * DAY, ["run"]).expect(0);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    place.later(8 * DAY, ["run"]).expect(0);
    place.expect_rotated();
}

#[test]
fn what_a_person_saw_after_the_disabling_ends_the_wait_too() {
    let place = delivered("consumer");
    consumer_uses(&place, 1);
    place.later(120, ["confirm", TARGET]).expect(0);
    place
        .later(180, ["confirm", TARGET, "--evidence", "job 18 as well"])
        .expect(0);
    assert_eq!(place.state_name(), "deactivated");
    place.later(8 * DAY, ["run"]).expect(0);
    place.expect_rotated();
}

#[test]
fn an_identity_is_proven_here_and_the_bucket_by_the_consumer() {
    let place = delivered("identity");
    assert!(
        signed_by_the_new_key(&place)
            .iter()
            .all(|action| action == "GetCallerIdentity")
    );
    place.run(["confirm", TARGET]).expect(1).says(&["--evidence"]);
    consumer_uses(&place, 30);
    place.later(3600, ["confirm", TARGET]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    consumer_uses(&place, 120);
    place.later(3 * 3600, ["run"]).expect(0);
    assert_eq!(place.state_name(), "deactivated");
    place.later(8 * DAY, ["run"]).expect(0);
    place.expect_rotated();
}

#[test]
fn a_policy_of_the_bucket_ends_the_tries_at_once_and_names_the_way_on() {
    let place = Workplace::new(ROTATE);
    place.cloud.bar_bucket(BUCKET);
    let dry = Ran::of(place.rotate(["--dry-run"])).expect(0);
    let beforehand = "? bucket acme-data: its own policy denies the administrator";
    assert!(dry.stdout.contains(beforehand), "{dry:#?}");
    place.cloud.reset_calls();
    let ran = Ran::of(place.rotate([""; 0])).expect(1);
    ran.says(&["the policy of bucket acme-data denies", "with --prove consumer"]);
    let probes = place
        .cloud
        .calls()
        .iter()
        .filter(|call| call.action == "ListObjectsV2")
        .count();
    assert!(probes <= 2, "{probes} tries");
    place.expect_as_before();
    assert_eq!(place.cloud.keys_of(USER).len(), 1);
}

#[test]
fn a_policy_of_the_bucket_that_names_networks_is_told_beforehand_where_it_may_be_read() {
    let place = Workplace::new(ROTATE);
    let policy = format!(
        r#"{{"Statement": {{"Effect": "Deny", "Principal": {{"AWS": "arn:aws:iam::{}:user/{USER}"}}, "Action": "s3:*",
            "Resource": "arn:aws:s3:::{BUCKET}",
            "Condition": {{"StringNotEquals": {{"aws:SourceVpce": "vpce-0a1b2c3d"}}}}}}}}"#,
        place.cloud.account()
    );
    place.cloud.show_bucket_policy(BUCKET, &policy);
    let told = "? bucket acme-data: a Deny of its policy depends on aws:SourceVpce; if it lets only some networks in, a new key \
                cannot be proven from here, and its consumer has to: --prove consumer";
    let dry = Ran::of(place.rotate(["--dry-run"])).expect(0);
    assert!(dry.stdout.contains(told), "{dry:#?}");
    // Another region, and an administrator who may not list it, change nothing of that.
    place.cloud.remove_bucket(BUCKET);
    place.cloud.add_bucket(BUCKET, "eu-west-1", &[]);
    place.cloud.show_bucket_policy(BUCKET, &policy);
    let dry = Ran::of(place.rotate(["--dry-run"])).expect(0);
    assert!(dry.stdout.contains(told), "{dry:#?}");
    // One that is not shown says nothing.
    place.cloud.deny(Action::GetBucketPolicy);
    let dry = Ran::of(place.rotate(["--dry-run"])).expect(0);
    assert!(!dry.stdout.contains("bucket acme-data"), "{dry:#?}");
}

#[test]
fn what_the_simulator_was_not_told_is_no_denial() {
    let place = Workplace::new(ROTATE);
    place.cloud.require_condition("aws:MultiFactorAuthPresent");
    let dry = Ran::of(place.rotate(["--dry-run"])).expect(0);
    let unknown =
        "? permission iam:CreateAccessKey: it depends on aws:MultiFactorAuthPresent, which the simulator was not told";
    assert!(dry.stdout.contains(unknown), "{dry:#?}");
    Ran::of(place.rotate([""; 0])).expect(0);
    assert_eq!(place.state_name(), "delivered");
}

/// A workplace with a target of a file whose key is old enough; and what the file says.
fn fleet(bucket: &str) -> (Workplace, String) {
    let place = Workplace::new(ROTATE);
    place.cloud.add_user("aged");
    let long_ago = place.cloud.now() - SignedDuration::from_hours(24 * 170);
    let _old = place.cloud.add_key_created_at("aged", long_ago);
    let file = format!(
        "[[target]]\nname = \"aged\"\nconnector = \"s3-customer-managed\"\nuser = \"aged\"\nbucket = \"{bucket}\"\ndeliver = \
         [\"file:{}\"]\n",
        place.path("aged.json").display()
    );
    std::fs::write(place.path("rotate.toml"), &file).expect("a file");
    (place, file)
}

#[test]
fn a_fleet_does_not_make_and_withdraw_a_key_every_day() {
    let (place, file) = fleet(BUCKET);
    place.cloud.bar_bucket(BUCKET);
    let made = || place.cloud.count_of(Action::CreateAccessKey);
    place.run(["run"]).expect(1);
    assert_eq!(made(), 1);
    let ran = place.later(DAY, ["run"]).expect(3);
    for word in ["confirm aged", "with `prove` consumer"] {
        assert!(ran.stdout.contains(word), "{ran:#?}");
    }
    place.later(2 * DAY, ["run"]).expect(3);
    assert_eq!(made(), 1);
    // With what a person has changed, and their word, it goes on.
    std::fs::write(place.path("rotate.toml"), file + "prove = \"consumer\"\n").expect("a file");
    place.later(2 * DAY, ["confirm", "aged"]).expect(0);
    place.later(2 * DAY, ["run"]).expect(0);
    assert!(place.path("aged.json").exists());
}

#[test]
fn what_a_look_finds_before_anything_is_made_is_looked_at_again_in_each_run_and_clears_itself() {
    let (place, _) = fleet("not-there-yet");
    let made = || place.cloud.count_of(Action::CreateAccessKey);
    for day in [0, 1] {
        let ran = place.later(day * DAY, ["run"]).expect(3);
        assert!(
            ran.stdout.contains("bucket not-there-yet: it does not exist"),
            "{ran:#?}"
        );
        assert_eq!(made(), 0);
    }
    place.cloud.add_bucket("not-there-yet", "us-east-1", &[]);
    place.later(2 * DAY, ["run"]).expect(0);
    assert_eq!(made(), 1);
    assert!(place.path("aged.json").exists());
}

#[test]
fn a_proof_by_the_consumer_does_not_go_with_an_immediate_cutover() {
    let place = Workplace::new(ROTATE);
    for prove in ["consumer", "identity"] {
        Ran::of(place.rotate(["--prove", prove, "--cutover", "immediate"]))
            .expect(64)
            .says(&["--prove", "immediate", "nothing was touched"]);
    }
    let file = "[[target]]\nname = \"x\"\nconnector = \"s3-customer-managed\"\nuser = \"u\"\nbucket = \"bucket\"\ndeliver = \
                [\"file:/k.json\"]\nprove = \"consumer\"\ncutover = \"immediate\"\n";
    std::fs::write(place.path("rotate.toml"), file).expect("a file");
    place.run(["plan"]).expect(64).says(&["prove", "immediate"]);
    let file = "[[target]]\nname = \"x\"\nconnector = \"snowflake-keypair\"\nuser = \"u\"\ndeliver = [\"file:/k.p8\"]\nprove = \
                \"identity\"\n";
    std::fs::write(place.path("rotate.toml"), file).expect("a file");
    place.run(["plan"]).expect(64).says(&["prove", "consumer"]);
    place.expect_untouched();
    assert_eq!(place.cloud.call_count(), 0);
}
