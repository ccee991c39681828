//! Undoing never leaves the consumers without a key that works, and always has an end.
//!
//! Leans on the strict fake, where a key can be disabled and a user deleted behind the program's back.

use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

fn delivered(place: &Workplace) -> (String, String) {
    Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    let new = place.delivered_key().map(|key| (key.id, key.secret));
    new.unwrap_or_default()
}

#[test]
fn a_rollback_is_refused_once_the_old_key_is_gone() {
    let place = Workplace::new(ROTATE);
    let (id, secret) = delivered(&place);
    place.run(["confirm", TARGET]).expect(0);
    place.cloud.delete_key(&place.old.id);
    let ran = place.run(["rollback", TARGET]).expect(1);
    assert!(ran.stderr.contains("nobody would have a key"), "{}", ran.stderr);
    assert_eq!(place.state_name(), "deactivated");
    assert!(place.cloud.works(&id, &secret));
}

#[test]
fn other_credentials_that_lead_to_another_account_touch_nothing() {
    let place = Workplace::new(ROTATE);
    delivered(&place);
    // The same user name in another cloud, with an account of its own.
    let other = Workplace::new(ROTATE);
    let mut stranger = place.command(["confirm", TARGET]);
    stranger.envs(other.cloud.env());
    let ran = Ran::of(stranger).expect(3);
    assert!(ran.stdout.contains("deleted and created again"), "{}", ran.stdout);
    assert!(other.cloud.works(&other.old.id, &other.old.secret));
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
}

#[test]
fn what_is_refused_now_is_not_told_of_a_rotation_that_ended_earlier() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate(["--cutover", "immediate", "--soak", "0s"])).expect(0);
    let second = place.cloud.add_key(USER);
    let again = place.rotate(["--cutover", "immediate", "--soak", "0s", "--again", "--output", "json"]);
    let ran = Ran::of(again).expect(3);
    let report = &ran.json()["targets"][0];
    assert_eq!(report["state"], "blocked");
    assert_eq!(report["rotation"], serde_json::Value::Null);
    assert!(ran.stderr.contains(&second.id), "{}", ran.stderr);
}

#[test]
fn two_profiles_of_one_file_are_put_back_byte_for_byte() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::new(ROTATE);
    let file = place.path("credentials");
    let (id, secret) = (&place.old.id, &place.old.secret);
    let before = format!("# ours\n[b]\naws_access_key_id = {id}\naws_secret_access_key = {secret} ; since May\n");
    for (first, second) in [("a", "b"), ("b", "a")] {
        std::fs::write(&file, &before).expect("the file can be written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
        let name = |profile| format!("aws-profile:{profile}@{}", file.display());
        let arguments = ["--deliver", &name(first), "--deliver", &name(second), "--soak", "7d"].map(str::to_owned);
        Ran::of(place.rotate(arguments)).expect(0);
        let held = std::fs::read_to_string(&file).expect("the file can be read");
        assert!(
            held.contains("[a]") && !held.contains(id.as_str()),
            "both were delivered"
        );
        place.run(["abort", TARGET]).expect(0);
        assert_eq!(
            std::fs::read_to_string(&file).ok().as_deref(),
            Some(before.as_str()),
            "{first} then {second}"
        );
    }
}

#[test]
fn the_credential_that_rotate_itself_runs_on_is_not_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::new(ROTATE);
    let admin = place.cloud.admin();
    let held = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        admin.id, admin.secret
    );
    let file = place.path("credentials");
    std::fs::write(&file, &held).expect("the file can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    let destination = format!("aws-profile:default@{}", file.display());
    for arguments in [vec!["--dry-run"], vec![]] {
        let mut command = place.rotate(["--deliver", &destination]);
        let ran = Ran::of({
            command.args(arguments);
            command
        });
        let ran = ran.expect(1);
        assert!(ran.stderr.contains("which rotate itself runs on"), "{}", ran.stderr);
        assert!(!ran.stderr.contains(&place.cloud.canary()));
    }
    assert_eq!(std::fs::read_to_string(&file).ok(), Some(held));
    assert_eq!(place.cloud.keys_of(USER).len(), 1);
}

#[test]
fn a_useless_key_is_an_error_also_when_its_withdrawal_was_interrupted() {
    let place = Workplace::new(ROTATE);
    place.cloud.lag_auth(1000);
    // The simulator would tell beforehand.
    place.cloud.deny(rotate_fixtures::aws::Action::SimulatePrincipalPolicy);
    place.cloud.deny(rotate_fixtures::aws::Action::DeleteAccessKey);
    Ran::of(place.rotate(["--verify-deadline", "0s"])).expect(1);
    place.cloud.allow(rotate_fixtures::aws::Action::DeleteAccessKey);
    let ran = Ran::of(place.rotate(["--verify-deadline", "0s"])).expect(1);
    assert!(ran.stderr.contains("it was withdrawn"), "{}", ran.stderr);
    assert_eq!(place.state_name(), "aborted");
}

#[test]
fn a_credential_of_someone_else_is_told_of_and_put_back() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::new(ROTATE);
    let held = r#"{"Version": 1, "AccessKeyId": "AKIATHEIRS", "SecretAccessKey": "theirs"}"#;
    std::fs::write(place.delivered(), held).expect("the file can be written");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(place.delivered(), private).expect("the file is ours");
    let ran = Ran::of(place.rotate(["--soak", "7d"])).expect(0);
    assert!(
        ran.stderr.contains("holds key AKIATHEIRS, which is not one of"),
        "{}",
        ran.stderr
    );
    place.run(["abort", TARGET]).expect(0);
    assert_eq!(std::fs::read_to_string(place.delivered()).ok().as_deref(), Some(held));
}

/// Where the user is unknown, a deletion answers as if it had worked: that must not end a rotation by itself.
#[test]
fn a_withdrawal_under_credentials_of_another_account_is_not_believed() {
    let place = Workplace::new(ROTATE);
    place.cloud.lag_auth(1000);
    // The simulator would tell beforehand.
    place.cloud.deny(rotate_fixtures::aws::Action::SimulatePrincipalPolicy);
    place.cloud.deny(rotate_fixtures::aws::Action::DeleteAccessKey);
    Ran::of(place.rotate(["--verify-deadline", "0s"])).expect(1);
    let other = rotate_fixtures::FakeAws::start();
    let mut elsewhere = place.command(["run"]);
    elsewhere.envs(other.env());
    Ran::of(elsewhere).expect(1);
    let mut forced = place.command(["abort", "--force", TARGET]);
    forced.envs(other.env());
    // The withdrawal is under way and may be forced; it is still not believed at once.
    Ran::of(forced).expect(3);
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
    assert_eq!(place.state_name(), "blocked");
}
