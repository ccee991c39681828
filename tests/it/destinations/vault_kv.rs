//! A key-value store, with the real program: the promises of the conformance suite, and what is this store's own.
//!
//! Leans on the strict fake, because a real server can be made neither to lose an answer nor to have somebody write between two calls.
//! What a real one says is in `openbao`.

mod logins;
mod refused;
mod undone;

use std::process::Command;

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{FakeVault, Ran, Workplace};
use serde_json::Value;

const PATH: &str = "gainsight/s3";
const NAME: &str = "vault-kv:secret/gainsight/s3";
const FOUND: &str = r#"{"theirs": "kept",  "number":123456789012345678901234567890, "access_key_id":"AKIAOLD","secret_access_key":"old"}"#;

/// A store with a secret in it, and a place to run the program in.
struct Shop {
    place: Workplace,
    store: FakeVault,
}

impl Shop {
    fn new() -> Self {
        let shop = Self::empty();
        shop.store.put(PATH, FOUND);
        shop
    }

    fn empty() -> Self {
        Self {
            place: Workplace::new(env!("CARGO_BIN_EXE_rotate")),
            store: FakeVault::start(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.envs(self.store.environment());
        command
    }

    /// The one-shot, not yet started.
    fn rotating(&self, to: &str, more: &[&str]) -> Command {
        let mut command = self.place.rotate_to(&[to], more);
        command.envs(self.store.environment());
        command
    }

    fn rotate(&self, more: &[&str]) -> Ran {
        Ran::of(self.rotating(NAME, more))
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    fn held(&self) -> Value {
        serde_json::from_str(&self.store.data(PATH).unwrap_or_default()).unwrap_or_default()
    }

    /// Whether the key that is held there works.
    fn works(&self) -> bool {
        let held = self.held();
        let field = |name: &str| held[name].as_str().unwrap_or_default().to_owned();
        self.place
            .cloud
            .works(&field("access_key_id"), &field("secret_access_key"))
    }

    /// The crash points that a command passes, in their order.
    fn points(&self, mut command: Command) -> Vec<String> {
        let trace = self.place.path("trace");
        command.env("ROTATE_TEST_TRACE", &trace);
        Ran::of(command).expect(0);
        let points = std::fs::read_to_string(&trace).unwrap_or_default();
        points.lines().map(str::to_owned).collect()
    }

    /// A shop in which the one-shot was killed at this point, counted from one.
    fn killed_at(point: usize) -> Self {
        let shop = Self::new();
        let mut dying = shop.rotating(NAME, &[]);
        dying.env("ROTATE_TEST_KILL_AT", point.to_string());
        let died = Ran::of(dying);
        assert_eq!(died.code, None, "{}", died.stderr);
        shop
    }

    /// The points of the one-shot.
    fn points_of_a_rotation() -> Vec<String> {
        let shop = Self::new();
        shop.points(shop.rotating(NAME, &[]))
    }
}

#[test]
fn the_new_key_is_delivered_beside_what_others_keep_there_to_the_byte() {
    let shop = Shop::new();
    shop.rotate(&[]).expect(0);
    assert!(shop.works());
    let text = shop.store.data(PATH).unwrap_or_default();
    assert!(
        text.starts_with(r#"{"theirs":"kept","number":123456789012345678901234567890,"#),
        "{text}"
    );
    assert_eq!(shop.store.version(PATH), 2);
    // The same command again finds it there.
    shop.rotate(&[]).expect(0);
    assert_eq!(shop.store.version(PATH), 2);
    shop.run(&["confirm", TARGET]).expect(0);
    let mut later = shop.command(&["run"]);
    later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86_400).to_string());
    Ran::of(later);
    assert!(shop.works());
    assert_eq!(shop.store.version(PATH), 2);
}

#[test]
fn a_secret_that_is_not_there_yet_is_made_and_an_abort_leaves_nothing_of_ours_in_it() {
    let shop = Shop::empty();
    shop.rotate(&[]).expect(0);
    assert!(shop.works());
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(shop.store.data(PATH).as_deref(), Some("{}"));
}

#[test]
fn whoever_writes_between_any_two_calls_loses_nothing() {
    for call in ["GET secret/metadata", "GET secret/data", "POST secret/data"] {
        let shop = Shop::new();
        let theirs = FOUND.replace("kept", "written-meanwhile");
        shop.store.interfere(call, PATH, &theirs);
        shop.rotate(&[]).expect(0);
        assert_eq!(shop.held()["theirs"], "written-meanwhile", "{call}");
        assert!(shop.works(), "{call}");
    }
    // Before the one write that has the key in it: the write before that is a rehearsal.
    let shop = Shop::new();
    let at = shop
        .points(shop.rotating(NAME, &[]))
        .iter()
        .position(|point| point == "vault-kv: written");
    let shop = Shop::killed_at(at.unwrap_or_default());
    let theirs = FOUND.replace("kept", "written-meanwhile");
    shop.store.interfere("POST secret/data", PATH, &theirs);
    shop.rotate(&[]).expect(0);
    assert_eq!(shop.held()["theirs"], "written-meanwhile");
    assert!(shop.works());
    assert_eq!(shop.store.version(PATH), 3, "theirs and ours");
}

#[test]
fn a_lost_answer_is_no_second_version() {
    for call in [
        "GET secret/metadata",
        "GET secret/data",
        "POST sys/capabilities-self",
        "POST secret/data",
    ] {
        let shop = Shop::new();
        shop.store.lose_answer(call);
        shop.rotate(&[]).expect(0);
        assert!(shop.works(), "{call}");
        assert_eq!(shop.store.version(PATH), 2, "{call}");
    }
    // Of the write that has the key in it.
    let at = Shop::points_of_a_rotation()
        .iter()
        .position(|point| point == "vault-kv: written");
    let shop = Shop::killed_at(at.unwrap_or_default());
    shop.store.lose_answer("POST secret/data");
    shop.rotate(&[]).expect(0);
    assert!(shop.works());
    assert_eq!(shop.store.version(PATH), 2);
}

#[test]
fn an_answer_that_passes_is_waited_for_and_one_that_does_not_is_told() {
    for (status, error) in [
        (412, "required index state not present"),
        (429, "quota"),
        (500, "x"),
        (503, "y"),
    ] {
        let shop = Shop::new();
        shop.store.answer_with("GET secret/metadata", status, error);
        shop.rotate(&[]).expect(0);
        assert!(shop.works(), "{status}");
    }
    let shop = Shop::new();
    for _ in 0..20 {
        shop.store.answer_with("GET secret/metadata", 503, "Vault is sealed");
    }
    shop.rotate(&[]).expect(1).says(&["is sealed", "vault operator unseal"]);
    let asked = shop
        .store
        .calls()
        .iter()
        .filter(|call| call.starts_with("GET secret/metadata"))
        .count();
    assert!(asked <= 2, "nothing is gained by asking again: {asked}");
    shop.place.expect_as_before();
}

#[test]
fn a_run_that_is_killed_at_any_point_goes_on_and_writes_no_second_version() {
    let points = Shop::points_of_a_rotation();
    let ours = points.iter().filter(|point| point.starts_with("vault-kv: ")).count();
    assert_eq!(ours, 1, "{points:?}");
    for (at, point) in points.iter().enumerate() {
        let shop = Shop::killed_at(at + 1);
        assert!(
            shop.place.cloud.works(&shop.place.old.id, &shop.place.old.secret),
            "{point}"
        );
        shop.rotate(&[]).expect(0);
        assert!(shop.works(), "{point}");
        assert_eq!(shop.store.version(PATH), 2, "{point}");
        shop.run(&["abort", TARGET]).expect(0);
        let held = shop.held();
        assert_eq!(held["access_key_id"], "AKIAOLD", "{point}");
        assert_eq!(shop.store.version(PATH), 3, "{point}");
    }
}

#[test]
fn a_dry_run_only_reads_and_says_what_the_store_can_do() {
    let shop = Shop::new();
    let ran = shop.rotate(&["--dry-run"]).expect(0);
    assert!(
        ran.stdout.contains("readable, versioned, conditional"),
        "{}",
        ran.stdout
    );
    let calls = shop.store.calls();
    let reads = |call: &String| call.starts_with("GET ") || call == "POST sys/capabilities-self";
    assert!(!calls.is_empty() && calls.iter().all(reads), "{calls:?}");
}

#[test]
fn before_a_key_is_made_the_right_to_write_is_proven_by_a_write_that_has_no_effect() {
    let shop = Shop::new();
    shop.rotate(&[]).expect(0);
    let calls = shop.store.calls();
    let writes = calls.iter().filter(|call| call.starts_with("POST secret/data")).count();
    assert_eq!((writes, shop.store.version(PATH)), (2, 2), "{calls:?}");
}

#[test]
fn no_secret_and_no_token_is_in_anything_that_is_said_or_kept_in_clear() {
    let shop = Shop::new();
    let mut said = Vec::new();
    for ran in [
        shop.rotate(&["--dry-run", "-vv"]),
        shop.rotate(&["-vv"]),
        shop.run(&["audit", "--output", "json"]),
        shop.run(&["-vv", "abort", TARGET]),
        shop.run(&["audit"]),
    ] {
        said.extend([ran.stdout, ran.stderr]);
    }
    let secret = shop.place.cloud.canary();
    for text in said {
        for canary in ["CANARY", secret.as_str()] {
            assert!(!text.contains(canary), "{text}");
        }
    }
}
