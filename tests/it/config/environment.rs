//! What the configuration only points at: it is looked for before anything is changed.
//!
//! Leans on the strict fake of Snowflake, which keeps every effect, so that "nothing was changed" can be seen.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rotate_fixtures::snowflake::Action;
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = super::ROTATE;

fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A fleet of one Snowflake user whose new keys are encrypted, with the passphrase where this line says.
fn fleet(passphrase: &str) -> SnowflakeWorkplace {
    let place = SnowflakeWorkplace::new(ROTATE);
    let text = format!(
        "[[target]]\nname = \"dwh\"\nconnector = \"snowflake-keypair\"\nuser = \"{USER}\"\ndeliver = [\"file:{}\"]\n\
         {passphrase}\n",
        place.path("new.p8").display()
    );
    put(&place.path("rotate.toml"), &text);
    place
}

/// Where the passphrase is missing, everyone says so, and the user's slots stay as they were.
fn missing(place: &SnowflakeWorkplace, words: &[&str]) {
    let command = |arguments: &[&str]| place.run(arguments.iter().copied());
    let doctor = command(&["doctor"]).expect(1);
    let plan = command(&["plan", "--at", "2099-01-01"]).expect(1);
    for word in words {
        assert!(doctor.stdout.contains(word), "{word}: {doctor:#?}");
        assert!(plan.stdout.contains(word), "{word}: {plan:#?}");
    }
    command(&["run", "--due-within", "3650d"]).expect(1).says(words);
    place.expect_untouched();
    assert!(!place.path("new.p8").exists());
}

#[test]
fn a_variable_that_is_not_set_is_told_before_anything_is_changed() {
    let place = fleet("passphrase_env = \"GS_PASSPHRASE\"");
    missing(&place, &["$GS_PASSPHRASE", "it is not set"]);
    // Once it is, the same command goes on.
    let mut run = place.command(["run", "--due-within", "3650d"]);
    run.env("GS_PASSPHRASE", "CANARY of the passphrase");
    let ran = Ran::of(run).expect(0);
    assert!(!format!("{ran:?}").contains("CANARY"));
    assert!(place.path("new.p8").exists());
}

#[test]
fn a_file_or_a_credential_that_is_not_there_is_told_before_anything_is_changed() {
    let place = fleet("passphrase_file = \"/nowhere/passphrase\"");
    missing(&place, &["passphrase file /nowhere/passphrase", "it cannot be found"]);
    let place = fleet("passphrase_credential = \"gainsight\"");
    missing(
        &place,
        &["passphrase credential gainsight", "$CREDENTIALS_DIRECTORY is not set"],
    );
}

#[test]
fn a_passphrase_is_found_in_the_folder_of_the_service_manager() {
    let place = fleet("passphrase_credential = \"gainsight\"");
    put(&place.path("gainsight"), "CANARY of the passphrase\n");
    let mut run = place.command(["run", "--due-within", "3650d"]);
    run.env("CREDENTIALS_DIRECTORY", place.path(""));
    Ran::of(run).expect(0);
    let key = fs::read_to_string(place.path("new.p8")).unwrap();
    assert!(
        key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        "the key is not encrypted"
    );
}

/// The file goes on showing the key that was rotated. Then it says nothing any more, and the journal knows better.
#[test]
fn a_current_key_that_was_rotated_does_not_stand_in_the_way_of_the_next_rotation() {
    let place = SnowflakeWorkplace::new(ROTATE);
    put(&place.path("current.p8"), place.old.private_pem());
    let text = format!(
        "[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\n[[target]]\nname = \"dwh\"\nconnector = \"snowflake-keypair\"\n\
         user = \"{USER}\"\ncurrent_key = \"{}\"\ndeliver = [\"file:{}/{{date}}.p8\"]\n",
        place.path("current.p8").display(),
        place.path("").display(),
    );
    put(&place.path("rotate.toml"), &text);
    place.run(["run", "--due-within", "3650d"]).expect(0).says(&["1 ended"]);
    let mut plan = place.command(["plan", "--at", "2099-01-01", "--output", "json"]);
    plan.arg("--config").arg(place.path("rotate.toml"));
    let plan = Ran::of(plan).expect(0).json();
    assert_eq!(plan["targets"][0]["action"], "start", "{plan:#}");
}

/// A user is locked after a few wrong passwords, and a fleet has many targets.
#[test]
fn a_login_that_is_refused_is_not_tried_for_each_target_that_shares_it() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let mut text = String::new();
    for user in ["FIRST", "SECOND", "THIRD", "FOURTH"] {
        place.cloud.add_user(user);
        text.push_str(&format!(
            "[[target]]\nname = \"{user}\"\nconnector = \"snowflake-keypair\"\nuser = \"{user}\"\ndeliver = [\"file:{}\"]\n",
            place.path(&format!("{user}.p8")).display()
        ));
    }
    put(&place.path("rotate.toml"), &text);
    let mut run = place.command(["run"]);
    run.env("SNOWFLAKE_PASSWORD", "CANARY and wrong");
    let ran = Ran::of(run).expect(1).says(&["4 targets: 4 failed", "is wrong"]);
    assert!(!format!("{ran:?}").contains("CANARY"));
    assert_eq!(place.cloud.count_of(Action::Login), 1);
}
