//! Destinations that cannot take a key: each is refused before a key is made for it, and left as it is. One that fails
//! only afterwards leaves a rotation that goes on with the same key, or is undone.
//!
//! Leans on the real file system, which alone knows links, pipes and modes, and on the strict fake for the proof that no
//! key was made.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use rotate_fixtures::aws::Action;
use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// A document that a `credential_process` prints.
/// Made ready for a key, and holding none yet.
const DOCUMENT: &str = r#"{"Version": 1, "AccessKeyId": "", "SecretAccessKey": "before"}"#;

/// Writes a file that nobody else may read.
fn put(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A rotation to these destinations is refused with these words, before a key is made and without a trace.
fn refused(place: &Workplace, destinations: &[&str], words: &[&str]) {
    fs::create_dir_all(place.state()).unwrap();
    fs::set_permissions(place.state(), fs::Permissions::from_mode(0o700)).unwrap();
    let before = names(&place.path("."));
    let ran = Ran::of(place.rotate_to(destinations, ["--cutover", "immediate", "--soak", "0s"]));
    ran.expect(1)
        .says(&["destination "])
        .says(words)
        .says(&["nothing was changed"]);
    place.expect_untouched();
    assert_eq!(names(&place.path(".")), before, "something was left behind");
}

/// The same for a file that exists: it keeps its bytes.
fn file_refused(destination: &str, file: &str, text: impl AsRef<[u8]>, words: &[&str]) {
    let place = Workplace::new(ROTATE);
    put(&place.path(file), &text);
    refused(&place, &[destination], words);
    assert_eq!(fs::read(place.path(file)).unwrap(), text.as_ref());
}

#[test]
fn a_symbolic_link_is_refused_and_its_target_kept() {
    let place = Workplace::new(ROTATE);
    put(&place.path("real.json"), DOCUMENT);
    symlink(place.path("real.json"), place.path("link.json")).unwrap();
    refused(&place, &["file:link.json"], &["symbolic link", "name the file itself"]);
    assert_eq!(fs::read_to_string(place.path("real.json")).unwrap(), DOCUMENT);
    symlink(place.path("nowhere"), place.path("dangling.json")).unwrap();
    refused(&place, &["file:dangling.json"], &["symbolic link"]);
}

#[test]
fn a_pipe_or_a_folder_is_refused_and_nothing_hangs() {
    let place = Workplace::new(ROTATE);
    let made = rotate_fixtures::tool("mkfifo")
        .arg(place.path("pipe.json"))
        .status()
        .unwrap();
    assert!(made.success());
    refused(&place, &["file:pipe.json"], &["pipe.json", "not a regular file"]);
    refused(
        &place,
        &["aws-profile:acme@pipe.json"],
        &["pipe.json", "not a regular file"],
    );
    fs::create_dir(place.path("folder.json")).unwrap();
    refused(&place, &["file:folder.json"], &["folder.json", "not a regular file"]);
}

#[test]
fn a_file_that_others_may_read_is_refused_with_the_way_to_close_it() {
    for mode in [0o644, 0o666, 0o604, 0o620] {
        let place = Workplace::new(ROTATE);
        put(&place.path("open.json"), DOCUMENT);
        fs::set_permissions(place.path("open.json"), fs::Permissions::from_mode(mode)).unwrap();
        refused(
            &place,
            &["file:open.json"],
            &["open.json", &format!("mode {mode:04o}"), "chmod"],
        );
        assert_eq!(fs::read_to_string(place.path("open.json")).unwrap(), DOCUMENT);
    }
}

#[test]
fn a_json_file_of_something_else_is_left_alone() {
    let words = [
        "not a credential_process document",
        "leaves it alone",
        "deliver elsewhere",
    ];
    let version = DOCUMENT.replace(": 1", ": 2");
    for text in [r#"{"name": "acme"}"#, "[]", "not json", "null", &version] {
        file_refused("file:other.json", "other.json", text, &words);
    }
    file_refused("file:bytes.json", "bytes.json", [0xff, 0xfe, 0x00], &["UTF-8"]);
}

#[test]
fn a_profile_or_variables_with_a_session_token_are_refused() {
    let words = ["session token", "remove that line", "leaves it alone"];
    let profile = "[acme]\naws_access_key_id = a\naws_secret_access_key = b\naws_session_token = c\n";
    file_refused("aws-profile:acme@creds", "creds", profile, &words);
    file_refused("file:app.env", "app.env", "AWS_SESSION_TOKEN=c\n", &words);
    // A token elsewhere is nobody's business.
    let place = Workplace::new(ROTATE);
    put(&place.path("creds"), format!("{profile}[other]\nregion = x\n"));
    Ran::of(place.rotate_to(&["aws-profile:other@creds"], [""; 0])).expect(0);
    assert!(fs::read_to_string(place.path("creds")).unwrap().starts_with(profile));
}

#[test]
fn a_profile_that_stands_twice_is_refused() {
    file_refused(
        "aws-profile:acme@creds",
        "creds",
        "[acme]\n[acme]\n",
        &["profile", "twice"],
    );
}

const KEYS: &str = "aws_access_key_id = AKIAOLD\naws_secret_access_key = old\n";

#[test]
fn a_file_that_is_no_credentials_file_is_refused_with_its_line() {
    file_refused(
        "aws-profile:root@passwd",
        "passwd",
        "root:*:1:0::/root:/bin/sh\n",
        &["line 1", "no file of AWS profiles"],
    );
}

#[test]
fn a_file_of_five_megabytes_is_refused_by_its_size() {
    let text = "# a comment, and another one\n".repeat(180_000);
    file_refused(
        "aws-profile:acme@creds",
        "creds",
        &text,
        &["bytes, and no file of this kind has more than"],
    );
    file_refused(
        "file:app.env",
        "app.env",
        &text,
        &["bytes, and no file of this kind has more than"],
    );
}

/// A rotation to this destination, for which nothing says that AWS tools read no files.
fn rotate_with_files(place: &Workplace, destination: &str) -> Command {
    let mut command = place.rotate_to(&[destination], [""; 0]);
    command
        .env_remove("AWS_CONFIG_FILE")
        .env_remove("AWS_SHARED_CREDENTIALS_FILE");
    command
}

/// The two files that AWS tools read in this place.
fn pair(place: &Workplace, credentials: &str, config: &str) {
    fs::create_dir(place.path(".aws")).unwrap();
    put(&place.path(".aws/credentials"), credentials);
    fs::write(place.path(".aws/config"), config).unwrap();
}

#[test]
fn a_profile_that_the_config_file_sends_elsewhere_is_refused_with_that_file_and_line() {
    let place = Workplace::new(ROTATE);
    let config = "[profile gainsight]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = other\n";
    pair(&place, &format!("[gainsight]\n{KEYS}"), config);
    let words = [".aws/config", "line 2", "role_arn", "something else than the keys"];
    let command = rotate_with_files(&place, "aws-profile:gainsight");
    Ran::of(command).expect(1).says(&words).says(&["nothing was changed"]);
    place.expect_untouched();
    // The same where the environment says which files they are.
    fs::rename(place.path(".aws/config"), place.path("settings")).unwrap();
    let mut command = rotate_with_files(&place, "aws-profile:gainsight");
    command.env("AWS_CONFIG_FILE", place.path("settings"));
    Ran::of(command).expect(1).says(&["settings", "line 2", "role_arn"]);
    place.expect_untouched();
    // Nobody reads it now: the key is made.
    Ran::of(rotate_with_files(&place, "aws-profile:gainsight")).expect(0);
}

#[test]
fn in_the_config_file_a_profile_gets_the_section_that_aws_tools_read() {
    for (variable, file) in [(None, ".aws/config"), (Some("AWS_CONFIG_FILE"), "settings")] {
        let place = Workplace::new(ROTATE);
        pair(&place, "", "[default]\nregion = eu-west-1\n");
        let path = place.path(file);
        put(&path, "[default]\nregion = eu-west-1\n");
        let mut command = rotate_with_files(&place, &format!("aws-profile:gainsight@{file}"));
        command.envs(variable.map(|variable| (variable, &path)));
        Ran::of(command).expect(0);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\n[profile gainsight]\naws_access_key_id = "), "{text}");
    }
}

#[test]
fn one_bad_destination_keeps_the_good_one_from_being_written() {
    let place = Workplace::new(ROTATE);
    put(&place.path("bad.json"), "[]");
    for destinations in [["file:good.json", "file:bad.json"], ["file:bad.json", "file:good.json"]] {
        refused(&place, &destinations, &["bad.json"]);
        assert!(!place.path("good.json").exists());
    }
}

#[test]
fn a_dry_run_refuses_the_same_destinations_and_writes_nothing() {
    let place = Workplace::new(ROTATE);
    put(&place.path("bad.json"), "[]");
    for (destination, words) in [
        ("file:missing/key.json", "does not exist"),
        ("file:bad.json", "credential_process"),
    ] {
        Ran::of(place.rotate_to(&[destination], ["--dry-run"]))
            .expect(1)
            .says(&[words]);
    }
    assert!(!place.state().exists());
    place.expect_untouched();
}

/// A rotation to two destinations, the second of which disappears while the key is being made.
fn half_delivered() -> Workplace {
    let place = Workplace::new(ROTATE);
    put(&place.path("first.json"), DOCUMENT);
    fs::create_dir(place.path("out")).unwrap();
    let out = place.path("out");
    place.cloud.on_effect(move |effect| {
        if effect.action == Action::CreateAccessKey {
            fs::remove_dir(&out).unwrap();
        }
    });
    let make = format!("mkdir -p {}", place.path("out").display());
    Ran::of(place.rotate_to(&["file:first.json", "file:out/key.json"], [""; 0]))
        .expect(1)
        .says(&["out/key.json", "does not exist", &make, "to go on:"]);
    assert_eq!(place.state_name(), "verified");
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    assert_eq!(place.cloud.keys_of(USER).len(), 2);
    place
}

#[test]
fn a_destination_that_disappears_after_the_rehearsal_gets_the_same_key_later() {
    let place = half_delivered();
    fs::create_dir(place.path("out")).unwrap();
    place.run(["run"]).expect(0);
    assert_eq!(place.state_name(), "delivered");
    let first = fs::read(place.path("first.json")).unwrap();
    assert_eq!(first, fs::read(place.path("out/key.json")).unwrap());
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 1);
}

#[test]
fn a_destination_that_disappears_after_the_rehearsal_does_not_stand_in_the_way_of_abort() {
    let place = half_delivered();
    place.run(["abort", TARGET]).expect(0);
    assert_eq!(place.state_name(), "aborted");
    assert_eq!(fs::read_to_string(place.path("first.json")).unwrap(), DOCUMENT);
    place.expect_as_before();
}

#[test]
fn a_destination_that_is_opened_to_others_meanwhile_gets_no_key() {
    let place = Workplace::new(ROTATE);
    put(&place.path("key.json"), DOCUMENT);
    let path = place.delivered();
    place
        .cloud
        .on_effect(move |_| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap());
    Ran::of(place.rotate([""; 0]))
        .expect(1)
        .says(&["mode 0644", "chmod", "to go on:"]);
    assert_eq!(fs::read_to_string(place.delivered()).unwrap(), DOCUMENT);
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
    fs::set_permissions(place.delivered(), fs::Permissions::from_mode(0o600)).unwrap();
    Ran::of(place.rotate([""; 0])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    assert!(
        place
            .delivered_key()
            .is_some_and(|new| place.cloud.works(&new.id, &new.secret))
    );
}
