//! The same store for real: OpenBao, asked by its own command line beside us.
//!
//! Leans on the real server for what it says, which policies let what, and what its versions are; it cannot be broken between two
//! calls, so that is proven with the strict fake (`vault_kv`).

mod refused;

use std::process::Command;

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{OpenBao, Ran, Workplace};
use serde_json::Value;

const PATH: &str = "gainsight/s3";
/// Other fields of every form, with what a program that rewrites JSON likes to change.
const FOUND: &str = r#"{"theirs":"a<b>&c ü \"quoted\"","number":123456789012345678901234567890,"half":1.50,"big":1e30,"no":null,
    "yes":true,"inside":{"z":[1,2.0],"a":"x"},"access_key_id":"AKIAOLD","secret_access_key":"old"}"#;

/// A mount of its own in the real store, and a place to run the program in.
struct Shop {
    place: Workplace,
    store: &'static OpenBao,
    mount: String,
    token: String,
}

/// What the documentation says that a login needs.
fn policy(mount: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/destinations.md");
    let page = std::fs::read_to_string(page).expect("the page can be read");
    let (_, rest) = page.split_once("```hcl\n").expect("it has a policy");
    let (policy, _) = rest.split_once("```").expect("it ends");
    assert_eq!(policy.matches("path \"secret/").count(), 3, "{policy}");
    policy.replace("path \"secret/", &format!("path \"{mount}/"))
}

impl Shop {
    fn new() -> Self {
        let shop = Self::empty();
        shop.store.put(&shop.mount, PATH, FOUND);
        shop
    }

    fn empty() -> Self {
        let store = OpenBao::shared();
        let mount = store.mount();
        let token = store.token(&policy(&mount), "1h");
        Self {
            place: Workplace::new(env!("CARGO_BIN_EXE_rotate")),
            store,
            mount,
            token,
        }
    }

    fn name(&self) -> String {
        format!("vault-kv:{}/{PATH}", self.mount)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.envs(self.store.environment(&self.token));
        command
    }

    fn rotating(&self, more: &[&str]) -> Command {
        let mut command = self.place.rotate_to(&[&self.name()], more);
        command.envs(self.store.environment(&self.token));
        command
    }

    fn rotate(&self, more: &[&str]) -> Ran {
        Ran::of(self.rotating(more))
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// The crash points of the one-shot, in their order.
    fn points_of_a_rotation() -> Vec<String> {
        let shop = Self::new();
        let trace = shop.place.path("trace");
        let mut command = shop.rotating(&[]);
        command.env("ROTATE_TEST_TRACE", &trace);
        Ran::of(command).expect(0);
        let points = std::fs::read_to_string(&trace).unwrap_or_default();
        points.lines().map(str::to_owned).collect()
    }

    /// A field, as the store's own command line prints it for a consumer.
    fn field(&self, name: &str) -> String {
        let mount = format!("-mount={}", self.mount);
        self.store.must(["kv", "get", "-field", name, &mount, PATH])
    }

    fn version(&self) -> u64 {
        self.secret()["data"]["metadata"]["version"]
            .as_u64()
            .unwrap_or_default()
    }

    fn secret(&self) -> Value {
        self.store.secret(&self.mount, PATH)
    }

    /// All of it as it is written, without what is ours.
    fn others(&self) -> Vec<String> {
        let mount = format!("-mount={}", self.mount);
        let text = self.store.must(["kv", "get", "-format=json", &mount, PATH]);
        let lines = text.lines().map(|line| line.trim().trim_end_matches(',').to_owned());
        let is_theirs = |line: &String| {
            [
                "\"theirs\"",
                "\"number\"",
                "\"half\"",
                "\"big\"",
                "\"no\"",
                "\"yes\"",
                "\"z\"",
                "\"a\"",
                "2.0",
            ]
            .iter()
            .any(|name| line.starts_with(name))
        };
        lines.filter(is_theirs).collect()
    }

    /// Whether the key that a consumer reads there works.
    fn works(&self) -> bool {
        self.place
            .cloud
            .works(&self.field("access_key_id"), &self.field("secret_access_key"))
    }
}

#[test]
fn a_consumer_reads_the_new_key_with_the_stores_own_command_and_all_else_is_as_it_was() {
    let shop = Shop::new();
    let others = shop.others();
    assert!(others.len() >= 8, "{others:?}");
    let mount = format!("-mount={}", shop.mount);
    shop.store
        .must(["kv", "metadata", "put", &mount, "-custom-metadata=owner=maria", PATH]);
    shop.rotate(&[]).expect(0);
    assert!(shop.works());
    assert_eq!((shop.others(), shop.version()), (others, 2));
    assert_eq!(shop.secret()["data"]["metadata"]["custom_metadata"]["owner"], "maria");
    shop.rotate(&[]).expect(0);
    assert_eq!(shop.version(), 2, "a repeat writes nothing");
    shop.run(&["confirm", TARGET]).expect(0);
    let mut later = shop.command(&["run"]);
    later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86_400).to_string());
    Ran::of(later);
    assert!(shop.works());
}

#[test]
fn an_abort_puts_back_what_the_version_before_held_and_nothing_else() {
    let shop = Shop::new();
    let others = shop.others();
    shop.rotate(&[]).expect(0);
    let mount = format!("-mount={}", shop.mount);
    shop.store.must(["kv", "patch", &mount, PATH, "added=since"]);
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(
        (shop.field("access_key_id"), shop.field("secret_access_key")),
        ("AKIAOLD".to_owned(), "old".to_owned())
    );
    assert_eq!((shop.field("added"), shop.version()), ("since".to_owned(), 4));
    assert_eq!(shop.others(), others);
}

#[test]
fn where_versions_go_what_was_replaced_is_sealed_and_put_back() {
    let shop = Shop::new();
    let mount = format!("-mount={}", shop.mount);
    shop.store
        .must(["kv", "metadata", "put", &mount, "-max-versions=1", PATH]);
    shop.rotate(&[]).expect(0);
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(shop.field("secret_access_key"), "old");
    // And what the store would delete by itself is told before a key is made.
    let shop = Shop::new();
    let mount = format!("-mount={}", shop.mount);
    shop.store
        .must(["kv", "metadata", "put", &mount, "-delete-version-after=720h", PATH]);
    shop.rotate(&[])
        .expect(0)
        .says(&["deletes every version 720h0m0s after it was written"]);
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(shop.field("secret_access_key"), "old");
}

#[test]
fn a_run_that_is_killed_at_any_point_writes_no_second_version_there() {
    let points = Shop::points_of_a_rotation();
    assert!(points.contains(&"vault-kv: written".to_owned()), "{points:?}");
    for (at, point) in points.iter().enumerate() {
        let shop = Shop::new();
        let mut dying = shop.rotating(&[]);
        dying.env("ROTATE_TEST_KILL_AT", (at + 1).to_string());
        assert_eq!(Ran::of(dying).code, None, "{point}");
        shop.rotate(&[]).expect(0);
        assert!(shop.works(), "{point}");
        assert_eq!(shop.version(), 2, "{point}");
    }
}

#[test]
fn an_app_role_delivers_with_the_policy_of_the_documentation() {
    let shop = Shop::new();
    let store = shop.store;
    let (auth, policy_name) = (format!("approle-{}", shop.mount), format!("rotate-{}", shop.mount));
    store.write_policy(&policy_name, &policy(&shop.mount));
    store.must(["auth", "enable", &format!("-path={auth}"), "approle"]);
    let role = format!("auth/{auth}/role/rotate");
    store.must([
        "write",
        &role,
        &format!("token_policies={policy_name}"),
        "token_ttl=10m",
    ]);
    let role_id = store.must(["read", "-field=role_id", &format!("{role}/role-id")]);
    let secret_id = store.must(["write", "-f", "-field=secret_id", &format!("{role}/secret-id")]);
    let file = shop.place.path("secret-id");
    std::fs::write(&file, &secret_id).expect("the folder is ours");
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, closed).expect("the file is ours");
    let to = format!(
        "{}?address={}&auth_mount={auth}&role_id={role_id}&secret_id_file={}",
        shop.name(),
        store.address(),
        file.display()
    );
    let ran = Ran::of(shop.place.rotate_to(&[&to], [] as [&str; 0])).expect(0);
    assert!(shop.works());
    assert!(!ran.stderr.contains(&secret_id) && !ran.stdout.contains(&secret_id));
}

#[test]
fn two_namespaces_hold_two_secrets_of_the_same_name() {
    let shop = Shop::new();
    let store = shop.store;
    let namespace = format!("team-{}", shop.mount);
    store.must(["namespace", "create", &namespace]);
    let within = format!("-namespace={namespace}");
    let path = format!("-path={}", shop.mount);
    store.must(["secrets", "enable", &within, "-version=2", &path, "kv"]);
    let to = format!("{}?namespace={namespace}", shop.name());
    let mut command = shop.place.rotate_to(&[&to], [] as [&str; 0]);
    command.envs(store.environment(store.root()));
    Ran::of(command).expect(0);
    let mount = format!("-mount={}", shop.mount);
    let inside = |name: &str| store.must(["kv", "get", &within, "-field", name, &mount, PATH]);
    assert!(
        shop.place
            .cloud
            .works(&inside("access_key_id"), &inside("secret_access_key"))
    );
    assert_eq!((shop.field("secret_access_key"), shop.version()), ("old".to_owned(), 1));
}
