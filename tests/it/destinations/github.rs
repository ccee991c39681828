//! Secrets of GitHub, with the real program: the promises of the conformance suite, and what is this place's own.
//!
//! Leans on the strict fake, which opens each sealed box as GitHub would, and on PyNaCl for the proof that libsodium opens it. No
//! emulator of this part of GitHub's API exists.

mod half_way;
mod identity;
mod names;
mod organization;
mod rights;

use rotate_fixtures::github::{FakeGitHub, opened_by_nacl};
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Ran, Workplace};

const REPOSITORY: &str = "acme/app";
const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const DAY: i64 = 86_400;

/// A cloud whose key is delivered to a GitHub.
struct Desk {
    place: Workplace,
    github: FakeGitHub,
}

impl Desk {
    /// With an old key in a repository, and what others keep there.
    fn new() -> Self {
        let desk = Self {
            place: Workplace::new(env!("CARGO_BIN_EXE_rotate")),
            github: FakeGitHub::start(),
        };
        desk.github.world().add_repository(REPOSITORY);
        desk.fill(REPOSITORY);
        desk
    }

    /// The old key, and what others keep beside it.
    fn fill(&self, place: &str) {
        let mut world = self.github.world();
        world.written_before(DAY, place, "THEIRS", "kept");
        world.written_before(DAY, place, ID, "AKIAOLD");
        world.written_before(DAY, place, SECRET, "old");
    }

    /// A destination of this GitHub.
    fn name(&self, place: &str) -> String {
        let sign = if place.contains('?') { '&' } else { '?' };
        format!("{place}{sign}api={}", self.github.api())
    }

    fn rotate_to(&self, place: &str, more: &[&str]) -> std::process::Command {
        let mut command = self.place.rotate_to(&[&self.name(place)], more);
        command.env("GH_ENTERPRISE_TOKEN", &self.github.world().token);
        command
    }

    fn rotate(&self, more: &[&str]) -> Ran {
        Ran::of(self.rotate_to("github:acme/app", more))
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.place.command(arguments);
        command.env("GH_ENTERPRISE_TOKEN", &self.github.world().token);
        Ran::of(command)
    }

    /// Stops the test unless a working key is there, and what others keep.
    #[track_caller]
    fn expect_new_key(&self, place: &str) {
        let all = self.github.world().all(place);
        let value = |name: &str| all.get(name).cloned().unwrap_or_default();
        assert!(
            self.place.cloud.works(&value(ID), &value(SECRET)),
            "no working key is there"
        );
        assert_ne!(value(ID), self.place.old.id);
        assert_eq!(value("THEIRS"), "kept");
        assert_eq!(all.len(), 3, "{:?}", all.keys());
        self.expect_nothing_deleted();
    }

    /// Stops the test unless nothing there was written.
    #[track_caller]
    fn expect_untouched(&self, place: &str) {
        let all: Vec<(String, String)> = self.github.world().all(place).into_iter().collect();
        let was = [(ID, "AKIAOLD"), (SECRET, "old"), ("THEIRS", "kept")];
        assert_eq!(all, was.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.expect_nothing_deleted();
    }

    #[track_caller]
    fn expect_nothing_deleted(&self) {
        let others: Vec<String> = self.github.calls();
        let others: Vec<&String> = others
            .iter()
            .filter(|call| !call.starts_with("GET ") && !call.starts_with("PUT "))
            .collect();
        assert!(others.is_empty(), "{others:?}");
    }

    /// The names that were written, in their order.
    fn written(&self) -> Vec<String> {
        let calls = self.github.calls();
        let puts = calls.iter().filter(|call| call.starts_with("PUT "));
        puts.filter_map(|call| Some(call.rsplit_once('/')?.1.to_owned()))
            .collect()
    }
}

#[test]
fn a_key_is_two_secrets_of_which_the_secret_goes_last_and_all_others_stay() {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    desk.expect_new_key(REPOSITORY);
    assert_eq!(desk.written(), [ID, SECRET]);
    // The same command again has nothing to deliver.
    desk.rotate(&[]).expect(0);
    assert_eq!(desk.written().len(), 2);
    desk.run(&["confirm", TARGET]).expect(0);
    desk.place.later(8 * DAY, ["run"]).expect(0);
    desk.expect_new_key(REPOSITORY);
}

#[test]
fn libsodium_opens_what_was_sealed() {
    let desk = Desk::new();
    desk.rotate(&[]).expect(0);
    let sealed = desk.github.world().sealed.clone();
    assert_eq!(sealed.len(), 2);
    for one in sealed {
        let value = desk.github.world().value(REPOSITORY, &one.name);
        assert_eq!(
            Some(opened_by_nacl(&one.private_key, &one.value)),
            value,
            "{}",
            one.name
        );
    }
}

#[test]
fn secrets_are_made_where_there_are_none_and_fields_have_the_names_that_are_wanted() {
    let desk = Desk::new();
    desk.github.world().add_repository("acme/empty");
    let to = "github:acme/empty?access_key_id=S3_ID&secret_access_key=S3_SECRET&account=ACCOUNT";
    Ran::of(desk.rotate_to(to, &[])).expect(0);
    let all = desk.github.world().all("acme/empty");
    assert_eq!(desk.written(), ["S3_ID", "ACCOUNT", "S3_SECRET"]);
    assert_eq!(all["ACCOUNT"], "123456789012");
    assert!(desk.place.cloud.works(&all["S3_ID"], &all["S3_SECRET"]));
    desk.expect_untouched(REPOSITORY);
}

#[test]
fn an_environment_has_secrets_of_its_own_whatever_it_is_called() {
    let desk = Desk::new();
    for (name, written) in [
        ("prod/eu", "prod/eu"),
        ("50% off?", "50%25%20off%3F"),
        ("plain", "plain"),
    ] {
        let at = format!("{REPOSITORY}/environments/{name}");
        desk.github.world().add_environment(REPOSITORY, name);
        desk.fill(&at);
        Ran::of(desk.rotate_to(&format!("github:{REPOSITORY}/environments/{written}"), &["--again"])).expect(0);
        desk.expect_new_key(&at);
        desk.run(&["abort", "--force", TARGET]).expect(0);
    }
    desk.expect_untouched(REPOSITORY);
}

#[test]
fn dependabot_has_secrets_of_its_own() {
    let desk = Desk::new();
    desk.fill("acme/app#dependabot");
    Ran::of(desk.rotate_to("github:acme/app?app=dependabot", &[])).expect(0);
    desk.expect_new_key("acme/app#dependabot");
    desk.expect_untouched(REPOSITORY);
}

#[test]
fn a_plan_only_reads_and_says_what_a_delivery_is_like() {
    let desk = Desk::new();
    let ran = desk.rotate(&["--dry-run"]).expect(0);
    assert!(ran.stdout.contains("write-only"), "{}", ran.stdout);
    let plan = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        plan.contains("AWS_ACCESS_KEY_ID first and AWS_SECRET_ACCESS_KEY right behind"),
        "{plan}"
    );
    let calls = desk.github.calls();
    assert!(
        !calls.is_empty() && calls.iter().all(|call| call.starts_with("GET ")),
        "{calls:?}"
    );
    desk.expect_untouched(REPOSITORY);
}

#[test]
fn it_never_counts_as_the_cut_over() {
    let desk = Desk::new();
    desk.rotate(&["--cutover", "immediate"])
        .expect(64)
        .says(&["write-only"]);
    assert!(desk.github.calls().is_empty());
}

#[test]
fn neither_the_key_nor_the_token_shows_anywhere() {
    let desk = Desk::new();
    let mut command = desk.rotate_to("github:acme/app", &["-vv", "--output", "json"]);
    command.env("RUST_LOG", "trace,reqwest=trace,hyper=trace");
    let ran = Ran::of(command).expect(0);
    let token = desk.github.world().token.clone();
    let secret = desk.github.world().value(REPOSITORY, SECRET).unwrap_or_default();
    let mut all = vec![ran.stdout.into_bytes(), ran.stderr.into_bytes()];
    for entry in std::fs::read_dir(desk.place.state()).into_iter().flatten().flatten() {
        all.push(std::fs::read(entry.path()).unwrap_or_default());
    }
    for bytes in all {
        assert!(!rotate_fixtures::has(&bytes, token.as_bytes()), "the token shows");
        assert!(!rotate_fixtures::has(&bytes, secret.as_bytes()), "the secret shows");
    }
    assert!(token.contains("CANARY") && secret.contains("CANARY"));
}
