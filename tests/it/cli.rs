//! The command line as a person meets it. What is printed is in `tests/cli/*.toml`, one command each, in a folder of its
//! own with nothing of the machine's environment; what is left behind is checked here.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rotate_fixtures::workplace::{BUCKET, TARGET, USER};
use rotate_fixtures::{Ran, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

#[test]
fn every_command_line_prints_what_its_file_says() {
    trycmd::TestCases::new().case("tests/cli/*.toml");
}

/// Everything below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// A command line in this folder, which is all the home that it has.
fn at_home<'a>(home: &Path, variables: &[(&str, PathBuf)], arguments: impl IntoIterator<Item = &'a str>) -> Ran {
    let mut command = Command::new(ROTATE);
    command
        .env_clear()
        .env("HOME", home)
        .envs(variables.iter().cloned())
        .current_dir(home)
        .stdin(Stdio::null())
        .args(arguments);
    Ran::of(command)
}

#[test]
fn looking_makes_no_state_folder_and_no_other_file() {
    let place = Workplace::new(ROTATE);
    let looks: [&[&str]; 7] = [
        &["status"],
        &["status", "--output", "json"],
        &["run"],
        &["run", "--output", "json"],
        &["audit"],
        &["audit", "verify"],
        &["--help"],
    ];
    for look in looks {
        place.run(look.iter().copied()).expect(0);
    }
    for look in ["status", "audit", "confirm", "abort", "rollback"] {
        place.run([look, TARGET]).expect(1);
    }
    let planned = Ran::of(place.rotate(["--dry-run"])).expect(0);
    assert!(planned.stdout.contains("nothing has been done"), "{}", planned.stdout);
    assert_eq!(below(&place.path("")), Vec::<PathBuf>::new());
    // Nor is anything written at the vendor.
    assert_eq!(place.cloud.keys_of(USER).len(), 1);
}

#[test]
fn a_dry_run_of_what_has_begun_changes_neither_files_nor_keys() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    let journal = || place.run(["audit", "--output", "json"]).expect(0).stdout;
    let (before, keys) = (journal(), place.cloud.keys_of(USER));
    let delivered = std::fs::read(place.delivered()).expect("it was delivered");
    Ran::of(place.rotate(["--dry-run"])).expect(0);
    assert_eq!(journal(), before);
    assert_eq!(place.cloud.keys_of(USER), keys);
    assert_eq!(std::fs::read(place.delivered()).expect("it was delivered"), delivered);
}

#[test]
fn a_wrong_command_line_makes_no_state_folder() {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    for wrong in [
        &["nonsense"][..],
        &["run", "surprise"],
        &["confirm"],
        &[
            "s3-customer-managed",
            "--user",
            USER,
            "--bucket",
            BUCKET,
            "--deliver",
            "file:key.txt",
        ],
    ] {
        at_home(home.path(), &[], wrong.iter().copied()).expect(64);
    }
    assert_eq!(below(home.path()), Vec::<PathBuf>::new());
}

#[test]
fn the_state_folder_is_the_flags_then_the_variables_then_the_users() {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let path = |name: &str| home.path().join(name);
    let xdg = ("XDG_STATE_HOME", path("xdg"));
    let own = ("ROTATE_STATE_DIR", path("own"));
    let flag = path("flag");
    let flag = flag.to_str().expect("it is text");
    let both = [xdg.clone(), own.clone()];
    for (variables, arguments, expected) in [
        (&both[..], vec!["--state-dir", flag], "flag"),
        (&both[..], vec![], "own"),
        (&both[..1], vec![], "xdg/rotate"),
        (&[][..], vec![], ".local/state/rotate"),
    ] {
        // It finds no credentials; the journal comes first.
        let rotate = [
            "s3-customer-managed",
            "--user",
            USER,
            "--bucket",
            BUCKET,
            "--deliver",
            "file:key.json",
        ];
        let arguments: Vec<&str> = arguments.into_iter().chain(rotate).collect();
        let made = path(expected);
        assert!(!made.exists());
        let ran = at_home(home.path(), variables, arguments.iter().copied()).expect(1);
        let told = format!("keeping the journal and a new age identity in {}", made.display());
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o7777;
        assert_eq!(mode(&made), 0o700);
        for file in ["identity.age", "rotate.db", "rotate.lock"] {
            assert!(made.join(file).is_file(), "{file} is missing");
        }
        for file in below(&made) {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        // Only the first use says so.
        let again = at_home(home.path(), variables, arguments).expect(1);
        assert!(!again.stderr.contains("keeping"), "{}", again.stderr);
    }
}

#[test]
fn a_persons_word_about_an_unknown_target_is_an_error_that_names_the_way_out() {
    let place = Workplace::new(ROTATE);
    for word in ["confirm", "abort", "rollback", "status"] {
        let ran = place.run([word, "s3-customer-managed/nobody"]).expect(1);
        assert!(
            ran.stderr
                .contains("no rotation of s3-customer-managed/nobody is on record"),
            "{}",
            ran.stderr
        );
        let way_out = format!("rotate --state-dir {} status", place.state().display());
        assert!(ran.stderr.contains(&way_out), "{}", ran.stderr);
        assert_eq!(ran.stdout, "", "talk belongs on stderr");
    }
    assert_eq!(place.cloud.call_count(), 0);
}

#[test]
fn a_person_who_asks_about_an_unknown_target_makes_no_state_folder_either() {
    let place = Workplace::new(ROTATE);
    for word in ["confirm", "abort", "rollback"] {
        place.run([word, TARGET]).expect(1);
        assert!(!place.state().exists(), "`{word}` made {}", place.state().display());
    }
}

#[test]
fn the_journal_of_an_unknown_target_is_an_error_and_not_an_empty_one() {
    // A misspelt target must not look like one to which nothing ever happened.
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    let misspelt = place.run(["audit", "s3-customer-managed/gainsight-s2"]);
    assert!(
        misspelt.stderr.contains("no rotation of"),
        "exit code {:?}: {}",
        misspelt.code,
        misspelt.stderr
    );
    assert_eq!(misspelt.code, Some(1));
}
