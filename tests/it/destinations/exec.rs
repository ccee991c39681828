//! Programs that deliver, good and bad. Real programs are started.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rotate::delivery::{self, Destination};
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace};
use rotate_providers::s3_customer_managed::SECRET;
use tempfile::TempDir;

use super::{NEW_SECRET, credential, new_key};

/// One of those that the documentation shows.
pub(crate) fn program_in_examples(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/destinations")
        .join(name)
}

/// A folder with a program in it.
struct Shop {
    folder: TempDir,
}

impl Shop {
    fn with(program: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let shop = Self { folder };
        write_program(&shop.program(), program);
        shop
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn destination(&self, options: &str) -> Box<dyn Destination> {
        let name = format!(
            "exec:{options}{} {}",
            self.program().display(),
            self.folder.path().display()
        );
        delivery::parse(SECRET, &name).unwrap_or_else(|error| panic!("{error}"))
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// What a failed delivery says. It never shows the secret.
    async fn refusal(&self, options: &str) -> String {
        let error = self
            .destination(options)
            .deliver(&new_key())
            .await
            .expect_err("it fails");
        let told = format!("{error} {error:?} {:?}", error.fault.remedy());
        assert!(!told.contains("CANARY"), "the secret is shown");
        told
    }
}

pub(crate) fn write_program(path: &Path, program: &str) {
    use std::os::unix::fs::PermissionsExt;
    // Written by another process: one that starts children at this moment would hand its open file on, and nobody could start it.
    let written = std::process::Command::new("sh")
        .args(["-c", "printf '%s\\n' \"$2\" >\"$1\"", "sh"])
        .arg(path)
        .arg(format!("#!/bin/sh\n{program}"))
        .status();
    assert!(
        written.is_ok_and(|status| status.success()),
        "the program is not written"
    );
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).expect("the file is ours");
}

#[tokio::test]
async fn the_secret_comes_on_standard_input_alone_and_the_environment_is_what_was_named() {
    let shop = Shop::with(
        "cat >$1/input; env >$1/environment; printf '%s\\n' \"$@\" >$1/arguments; tr '\\0' '\\n' </proc/$$/cmdline >$1/line",
    );
    let destination = shop.destination("?env=CARGO_MANIFEST_DIR&user=USER ");
    destination
        .deliver(&new_key())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let input: serde_json::Value = serde_json::from_str(&shop.read("input")).expect("it is JSON");
    assert_eq!(
        input,
        serde_json::json!({
            "protocol": 1,
            "action": "deliver",
            "destination": destination.name(),
            "rotation": "0198f3a0-0000-7000-8000-000000000001",
            "key": "AKIANEWNEWNEWNEWNEWN",
            "fields": {
                "access_key_id": "AKIANEWNEWNEWNEWNEWN",
                "secret_access_key": NEW_SECRET,
                "USER": "gainsight-s3",
                "account": "111122223333",
            }
        })
    );
    assert_eq!(shop.read("input").lines().count(), 1, "one line");
    for file in ["environment", "arguments", "line"] {
        assert!(!shop.read(file).contains("CANARY"), "{file}");
    }
    let mut names: Vec<String> = shop
        .read("environment")
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
        .filter(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(&name.as_str()))
        .collect();
    names.sort();
    assert!(names.contains(&"CARGO_MANIFEST_DIR".to_owned()), "{names:?}");
    let allowed = ["CARGO_MANIFEST_DIR", "HOME", "LANG", "LC_ALL", "PATH", "TZ"];
    assert!(names.iter().all(|name| allowed.contains(&name.as_str())), "{names:?}");
    assert!(shop.read("arguments").ends_with("deliver\n"));
}

#[tokio::test]
async fn a_program_that_prints_the_secret_is_not_repeated() {
    for program in [
        "cat; exit 1",
        "cat >&2; exit 1",
        "sed 's/.*\"secret_access_key\":\"\\([^\"]*\\).*/\\1/'; exit 3",
    ] {
        let told = Shop::with(program).refusal("").await;
        assert!(told.contains("what it printed is not shown"), "{told}");
    }
    let told = Shop::with("cat >/dev/null; echo first; echo 'no\x1b[2J room' >&2; exit 7")
        .refusal("")
        .await;
    assert!(
        told.contains("deliver ended with exit code 7: no\u{fffd}[2J room"),
        "{told}"
    );
}

#[tokio::test]
async fn a_secret_that_looks_like_none_is_not_repeated_either() {
    let shop = Shop::with("sed 's/.*\"secret_access_key\":\"\\([^\"]*\\).*/\\1/'; exit 3");
    let plain = credential("AKIANEWNEWNEWNEWNEWN", "tulips-in-the-garden");
    let error = shop.destination("").deliver(&plain).await.expect_err("it fails");
    let told = format!("{error} {error:?}");
    assert!(
        told.contains("what it printed is not shown") && !told.contains("tulips"),
        "{told}"
    );
}

#[tokio::test]
async fn a_program_that_never_ends_is_killed_with_all_that_it_has_started() {
    // It would end one day, so that a test of a program that is not killed ends as well.
    let shop = Shop::with("cat >/dev/null; sleep 60 & echo $! >$1/child; wait");
    let begun = Instant::now();
    let told = shop.refusal("?timeout=1s ").await;
    assert!(told.contains("had not ended after 1 s"), "{told}");
    assert!(begun.elapsed() < Duration::from_secs(50), "it was waited for");
    assert_gone(&shop.read("child"));
}

#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() {
    let shop = Shop::with("cat >/dev/null; sleep 600 & echo $! >$1/child");
    let begun = Instant::now();
    let delivered = shop.destination("?timeout=50s ").deliver(&new_key()).await;
    delivered.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        begun.elapsed() < Duration::from_secs(50),
        "nobody waits for what it left behind"
    );
    assert_gone(&shop.read("child"));
}

/// Killed, though perhaps not yet waited for by whoever has inherited it.
fn assert_gone(child: &str) {
    let number: u32 = child.trim().parse().expect("it has written its number");
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        let state = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{number} is still there");
}

#[tokio::test]
async fn a_program_that_ends_well_without_reading_has_delivered_nothing() {
    for program in ["exit 0", "head -c 20 >/dev/null"] {
        let told = Shop::with(program).refusal("").await;
        assert!(told.contains("without reading all of its standard input"), "{told}");
    }
}

#[tokio::test]
async fn a_program_that_prints_without_end_fills_no_memory() {
    let begun = Instant::now();
    let told = Shop::with("cat >/dev/null; timeout --foreground 60 yes")
        .refusal("?timeout=1s ")
        .await;
    assert!(told.contains("had not ended after 1 s"), "{told}");
    assert!(begun.elapsed() < Duration::from_secs(50), "it was waited for");
}

#[tokio::test]
async fn what_a_program_printed_last_is_told_however_much_it_printed_before() {
    let told = Shop::with("cat >/dev/null; yes waiting | head -n 9000; echo 'the store is full' >&2; exit 5")
        .refusal("")
        .await;
    assert!(told.contains("ended with exit code 5: the store is full"), "{told}");
    // The end of a line that is longer than what is kept may be a part of the secret.
    let told = Shop::with("cat; head -c 40000 /dev/zero | tr '\\0' x; exit 5")
        .refusal("")
        .await;
    assert!(
        told.contains("ended with exit code 5") && !told.contains("xxx"),
        "{told}"
    );
}

#[tokio::test]
async fn a_secret_that_was_printed_long_ago_is_still_known() {
    let told = Shop::with("cat; yes waiting | head -n 9000; echo done; exit 5")
        .refusal("")
        .await;
    assert!(told.contains("what it printed is not shown"), "{told}");
}

#[tokio::test]
async fn a_delivery_that_is_not_verified_is_none() {
    let shop = Shop::with("cat >/dev/null; case $2 in verify) exit 10;; esac");
    let told = shop.refusal("?can=verify ").await;
    assert!(
        told.contains("it does not hold the new key after it was written"),
        "{told}"
    );
}

#[tokio::test]
async fn a_program_that_others_can_change_is_not_started() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::with("cat >/dev/null; touch $1/started");
    for (mode, words) in [
        (0o722, "can be written by other users"),
        (0o600, "no program that can be started"),
    ] {
        std::fs::set_permissions(shop.program(), std::fs::Permissions::from_mode(mode)).expect("it is ours");
        let told = shop.refusal("").await;
        assert!(told.contains(words), "{told}");
        assert!(shop.destination("").inspect().await.is_err());
    }
    assert!(!shop.path("started").exists());
}

#[tokio::test]
async fn a_program_of_another_user_is_not_started() {
    let shop = Shop::with("cat >/dev/null; touch $1/started");
    let given = std::os::unix::fs::chown(shop.program(), Some(65534), None);
    assert!(
        given.is_ok(),
        "this test gives a file to another user, for which it has to be root"
    );
    let told = shop.refusal("").await;
    assert!(told.contains("belongs to another user"), "{told}");
    assert!(!shop.path("started").exists());
}

#[test]
fn a_secret_among_the_arguments_is_refused_and_not_repeated() {
    let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    for name in [
        format!("exec:/bin/cat --token={secret}"),
        format!("exec:/bin/cat {secret}"),
    ] {
        let error = delivery::parse(SECRET, &name).err().expect("it is refused");
        assert!(
            error.fault.to_string().contains("looks like a secret"),
            "{}",
            error.fault
        );
        assert!(!error.fault.to_string().contains(secret));
    }
}

#[tokio::test]
async fn a_program_in_a_folder_of_everybodys_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let shop = Shop::with("cat >$1/started");
    std::fs::set_permissions(shop.folder.path(), std::fs::Permissions::from_mode(0o777)).expect("it is ours");
    let told = shop.refusal("").await;
    assert!(
        told.contains("folder") || told.contains("others") || told.contains("other users"),
        "{told}"
    );
    assert!(!shop.path("started").exists());
}

#[test]
fn plans_and_dry_runs_start_no_program_unless_they_are_allowed_to() {
    let shop = Shop::with("cat >/dev/null; touch $1/started-$2");
    let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
    let to = format!("exec:{} {}", shop.program().display(), shop.folder.path().display());
    let ran = Ran::of(place.rotate_to(&[&to], ["--dry-run"])).expect(0);
    assert!(ran.stdout.contains("not looked at"), "{}", ran.stdout);
    assert!(ran.stdout.contains("write-only"), "{}", ran.stdout);
    assert!(!shop.path("started-prepare").exists(), "a dry run started it");
    let mut allowed = place.rotate_to(&[&to], ["--dry-run"]);
    allowed.env("ROTATE_ALLOW_EXEC", "1");
    Ran::of(allowed).expect(0);
    assert!(shop.path("started-prepare").exists(), "nobody has asked it");
    assert!(!shop.path("started-deliver").exists(), "a dry run delivered");
}

#[test]
fn a_rotation_to_a_write_only_destination_ends_and_never_cuts_over_by_itself() {
    let shop = Shop::with("cat >$1/$2");
    let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
    let to = format!("exec:{} {}", shop.program().display(), shop.folder.path().display());
    let ran = Ran::of(place.rotate_to(&[&to], ["--cutover", "immediate"])).expect(64);
    assert!(ran.stderr.contains("write-only"), "{}", ran.stderr);
    Ran::of(place.rotate_to(&[&to], ["--soak", "0s"])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    let delivered: serde_json::Value = serde_json::from_str(&shop.read("deliver")).expect("it is JSON");
    let field = |name: &str| delivered["fields"][name].as_str().unwrap_or_default().to_owned();
    assert!(place.cloud.works(&field("access_key_id"), &field("secret_access_key")));
    assert_eq!(field("user"), "gainsight-s3");
    // What it held nobody here has had, so a person sends it again, and says so.
    let ran = place.run(["abort", TARGET]).expect(3);
    assert!(
        ran.stdout.contains("whoever has the old secret sends it there again"),
        "{}",
        ran.stdout
    );
    assert!(
        place.cloud.works(&field("access_key_id"), &field("secret_access_key")),
        "it is taken away"
    );
    place.run(["abort", "--force", TARGET]).expect(0);
    assert!(!place.cloud.works(&field("access_key_id"), &field("secret_access_key")));
    assert!(place.cloud.works(&place.old.id, &place.old.secret));
}
