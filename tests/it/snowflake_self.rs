//! `--allow-self`: the administrator rotates the key that the program itself logs in with. Once the new key is proven the
//! program goes on with that one, although the connection still names the old one, and falls back to what is configured
//! where the new one is taken back.
//!
//! Leans on the strict fake, which refuses an unset key at once and remembers who has logged in with which. Kills in between are
//! the crash suite's matter.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use rotate_fixtures::snowflake::{Action, Consumer, Login, Means, Slot, TestKey};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The administrator, who is under rotation.
const OWN: &str = "ROTATE_ADMIN";
const TARGET: &str = "snowflake-keypair/ROTATE_ADMIN";

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

const DAY: i64 = 86_400;

/// An administrator with a key, whose connection names its file, and goes on naming it.
struct Own {
    place: SnowflakeWorkplace,
    old: TestKey,
}

/// Writes a file that nobody else may read.
fn put(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Runs a command line to its end, so many days later by this machine's clock.
fn later(mut command: Command, days: i64) -> Ran {
    command.env("ROTATE_TEST_CLOCK_AHEAD", (days * DAY).to_string());
    Ran::of(command)
}

impl Own {
    fn new() -> Self {
        Self::with("")
    }

    /// The same, with this line in the connection.
    fn with(line: &str) -> Self {
        let place = SnowflakeWorkplace::in_memory(ROTATE);
        let old = TestKey::numbered(2);
        place.cloud.set_key(OWN, Slot::One, old.public_base64());
        put(&place.path("admin.p8"), old.private_pem());
        fs::create_dir(place.path(".snowflake")).unwrap();
        let connection = format!(
            "[default]\naccount = \"{}\"\nuser = \"{OWN}\"\nauthenticator = \"SNOWFLAKE_JWT\"\n\
             private_key_file = \"{}\"\nhost = \"127.0.0.1\"\nport = {}\nprotocol = \"http\"\n{line}\n",
            place.cloud.account(),
            place.path("admin.p8").display(),
            place.cloud.port(),
        );
        put(&place.path(".snowflake/connections.toml"), connection);
        Self { place, old }
    }

    /// A command line with the connection alone to log in by.
    fn command(&self, arguments: &[&str]) -> Command {
        self.place.command_with([("LANG", "C")], arguments)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// The one-shot command for the administrator's own key.
    fn rotate(&self, more: &[&str]) -> Command {
        let mut command = self.command(&["snowflake-keypair", "--user", OWN, "--allow-self"]);
        command.args(more);
        command
    }

    /// Command lines of another administrator, who logs in with a password.
    fn deputy(&self) -> impl Fn(&[&str]) -> Command {
        let cloud = &self.place.cloud;
        cloud.add_user("DEPUTY");
        cloud.grant_role("SECURITYADMIN", "DEPUTY");
        cloud.set_default_role("DEPUTY", "SECURITYADMIN");
        cloud.set_password("DEPUTY", "only for the deputy");
        let environment = cloud.env("DEPUTY", &[("SNOWFLAKE_PASSWORD", "only for the deputy")]);
        move |arguments| {
            let mut command = self.place.command_with(environment.clone(), arguments);
            command.env("SNOWFLAKE_HOME", self.place.path("nowhere"));
            command
        }
    }

    /// The fingerprints in both slots.
    fn slots(&self) -> [Option<String>; 2] {
        self.place.cloud.slots(OWN).map(|held| held.map(|key| key.fingerprint))
    }

    /// Whoever holds the new key.
    fn new_key(&self) -> Consumer {
        let pem = fs::read_to_string(self.place.delivered()).unwrap();
        Consumer::new(&self.place.cloud, OWN, &pem).unwrap()
    }

    /// The last that Snowflake has seen of the keys is of so many days ago: the proof of the new one, and before that a
    /// consumer with the old one.
    fn seen_last(&self, days: i64) {
        let cloud = &self.place.cloud;
        let proof = cloud.now() - SignedDuration::from_secs(days * DAY);
        cloud.set_last_used(OWN, self.new_key().fingerprint(), proof);
        let before = proof - SignedDuration::from_hours(1);
        cloud.set_last_used(OWN, self.old.fingerprint(), before);
    }

    fn state_name(&self) -> String {
        let status = self.run(&["status", TARGET, "--output", "json"]).json();
        status["targets"][0]["state"].as_str().unwrap_or("unknown").to_owned()
    }

    /// How the administrator has logged in so far.
    fn logins(&self) -> Vec<Login> {
        let logins = self.place.cloud.logins().into_iter();
        logins.filter(|login| login.user == OWN).collect()
    }

    /// Logins that were refused.
    fn refused_logins(&self) -> usize {
        let calls = self.place.cloud.calls().into_iter();
        let logins = calls.filter(|call| call.action == Some(Action::Login));
        logins.filter(|call| call.code.is_some()).count()
    }

    /// Stops the test unless the old key alone is registered and works, and nothing was delivered.
    #[track_caller]
    fn expect_as_before(&self) {
        assert_eq!(self.slots(), [Some(self.old.fingerprint().to_owned()), None]);
        let holder = Consumer::new(&self.place.cloud, OWN, self.old.private_pem()).unwrap();
        assert!(holder.works(), "the old key works no more");
        assert!(!self.place.delivered().exists() && !self.place.path("rsa_key_new.pub").exists());
    }

    /// Stops the test unless the new key alone is registered and works.
    #[track_caller]
    fn expect_moved(&self) {
        let new = self.new_key();
        assert_eq!(self.slots(), [None, Some(new.fingerprint().to_owned())]);
        assert!(new.works(), "the new key does not work");
    }
}

fn by(key: &str) -> Means {
    Means::KeyPair(key.to_owned())
}

#[test]
fn the_programs_own_key_is_refused_without_the_flag() {
    let own = Own::new();
    for more in [&[][..], &["--dry-run"]] {
        let mut command = own.command(&["snowflake-keypair", "--user", OWN]);
        command.args(more);
        Ran::of(command).expect(1).says(&[
            "rotate itself runs as ROTATE_ADMIN",
            "another user or role",
            "--allow-self",
        ]);
    }
    assert!(own.place.cloud.effects().is_empty());
    own.expect_as_before();
    own.run(&["status", TARGET]).expect(1).says(&["no rotation of"]);
}

#[test]
fn the_flag_changes_nothing_for_another_user() {
    let own = Own::new();
    let mut command = own.command(&["snowflake-keypair", "--user", "GS_GAINSIGHT_USER", "--allow-self"]);
    command.args(AT_ONCE);
    Ran::of(command).expect(0);
    assert_eq!(own.slots(), [Some(own.old.fingerprint().to_owned()), None]);
    assert!(
        own.logins()
            .iter()
            .all(|login| login.means == by(own.old.fingerprint()))
    );
}

#[test]
fn once_the_new_key_is_proven_the_session_goes_on_with_it() {
    let own = Own::new();
    // Which keys had opened a session at the moment when the old one went.
    let (cloud, at_the_end) = (own.place.cloud.clone(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&at_the_end);
    own.place.cloud.on_effect(move |effect| {
        if effect.action == Action::UnsetKey {
            *seen.lock().unwrap() = cloud.logins();
        }
    });
    Ran::of(own.rotate(&AT_ONCE)).expect(0);
    own.expect_moved();
    let means: Vec<Means> = own.logins().into_iter().map(|login| login.means).collect();
    let (old, new) = (by(own.old.fingerprint()), by(own.new_key().fingerprint()));
    let first_new = means.iter().position(|means| *means == new).unwrap();
    assert!(first_new > 0 && means[..first_new].iter().all(|means| *means == old));
    assert!(means[first_new..].iter().all(|means| *means == new), "{means:#?}");
    // Two proofs, and the session that has removed the old key.
    let before_removal = at_the_end.lock().unwrap();
    let with_new = before_removal.iter().filter(|login| login.means == new).count();
    assert!(
        with_new >= 3,
        "the old key's session has removed it: {before_removal:#?}"
    );
    assert_eq!(own.refused_logins(), 0);
    own.place.cloud.expect_all_understood();
}

#[test]
fn the_session_of_the_new_key_has_the_role_of_the_connection() {
    for (line, options) in [("role = \"ACCOUNTADMIN\"", &[][..]), ("", &["--role", "ACCOUNTADMIN"])] {
        let own = Own::with(line);
        own.place.cloud.add_role("READER");
        own.place.cloud.grant_role("READER", OWN);
        // Without a role of its own a session may do nothing.
        own.place.cloud.set_default_role(OWN, "READER");
        Ran::of(own.rotate(options)).expect(0);
        own.run(&["confirm", TARGET]).expect(0);
        assert_eq!(own.state_name(), "deactivated");
        own.expect_moved();
    }
}

#[test]
fn every_later_command_works_although_the_connection_names_the_old_key() {
    let own = Own::new();
    Ran::of(own.rotate(&[])).expect(0);
    assert_eq!(own.state_name(), "delivered");
    // The same command again, and cron, in between.
    Ran::of(own.rotate(&[])).expect(0);
    own.run(&["run"]).expect(0);
    own.run(&["confirm", TARGET]).expect(0);
    assert_eq!(own.state_name(), "deactivated");
    own.expect_moved();

    own.run(&["run"]).expect(0);
    Ran::of(own.rotate(&[])).expect(0);
    own.run(&["status"]).expect(0);
    later(own.command(&["run"]), 8).expect(0);
    assert_eq!(own.state_name(), "done");
    Ran::of(own.rotate(&[])).expect(0).says(&["nothing was done"]);
    own.run(&["audit", "verify"]).expect(0);
    assert_eq!(own.refused_logins(), 0, "the old key was tried after its end");
    own.expect_moved();
}

#[test]
fn whoever_moves_the_consumers_is_told_of_the_programs_own_connection() {
    let own = Own::new();
    let begun = Ran::of(own.rotate(&[])).expect(0);
    let confirmed = own.run(&["confirm", TARGET]).expect(0);
    // Else the next rotation of anyone fails: the connection names a key that is gone.
    let told = [begun.stdout, begun.stderr, confirmed.stdout, confirmed.stderr].concat();
    assert!(
        told.contains("private_key_file") || told.contains("connections.toml"),
        "{told}"
    );
}

#[test]
fn the_next_rotation_works_once_the_connection_names_the_new_key() {
    let own = Own::new();
    Ran::of(own.rotate(&AT_ONCE)).expect(0);
    let first = own.new_key();
    let again = [
        "--again",
        "--deliver",
        "file:next.p8",
        AT_ONCE[0],
        AT_ONCE[1],
        AT_ONCE[2],
        AT_ONCE[3],
    ];
    Ran::of(own.rotate(&again)).expect(1).says(&[
        "does not accept the key of ROTATE_ADMIN",
        "check the administrator's credentials",
        "nothing was changed",
    ]);
    assert!(first.works());
    put(&own.place.path("admin.p8"), fs::read(own.place.delivered()).unwrap());
    Ran::of(own.rotate(&again)).expect(0);
    let next = own.place.path("next.p8");
    let next = Consumer::new(&own.place.cloud, OWN, &fs::read_to_string(next).unwrap()).unwrap();
    assert!(next.works() && !first.works());
}

#[test]
fn an_administrator_with_a_password_rotates_its_own_key_as_well() {
    let own = Own::new();
    let with_password = |arguments: &[&str]| {
        let mut command = own.place.command(arguments);
        command.env("SNOWFLAKE_HOME", own.place.path("nowhere"));
        Ran::of(command)
    };
    with_password(&["snowflake-keypair", "--user", OWN, "--allow-self"]).expect(0);
    with_password(&["confirm", TARGET]).expect(0);
    own.expect_moved();
    with_password(&["rollback", TARGET]).expect(0);
    own.expect_as_before();
}

#[test]
fn another_administrator_completes_what_the_first_has_begun() {
    let own = Own::new();
    Ran::of(own.rotate(&[])).expect(0);
    let as_deputy = own.deputy();
    Ran::of(as_deputy(&["confirm", TARGET])).expect(0);
    own.expect_moved();
    later(as_deputy(&["run"]), 8).expect(0);
    assert_eq!(own.state_name(), "done");
}

#[test]
fn the_user_itself_does_not_go_on_with_what_another_administrator_has_begun() {
    let own = Own::new();
    let as_deputy = own.deputy();
    Ran::of(as_deputy(&["snowflake-keypair", "--user", OWN])).expect(0);
    let slots = own.slots();
    own.run(&["confirm", TARGET])
        .expect(1)
        .says(&["rotate itself runs as ROTATE_ADMIN", "another user or role"]);
    assert_eq!(own.slots(), slots, "it has removed the key that it runs on");
}

// Taking it back.

#[test]
fn an_abort_falls_back_to_the_configured_key() {
    let own = Own::new();
    Ran::of(own.rotate(&[])).expect(0);
    own.run(&["abort", TARGET]).expect(0);
    assert_eq!(own.state_name(), "aborted");
    own.expect_as_before();
    Ran::of(own.rotate(&AT_ONCE)).expect(0);
    own.expect_moved();
}

#[test]
fn a_rollback_after_the_old_key_has_gone_falls_back_to_it() {
    let own = Own::new();
    Ran::of(own.rotate(&[])).expect(0);
    own.run(&["confirm", TARGET]).expect(0);
    own.expect_moved();
    own.run(&["rollback", TARGET]).expect(0);
    assert_eq!(own.state_name(), "rolled-back");
    own.expect_as_before();
    own.run(&["audit", "verify"]).expect(0);
}

#[test]
fn a_forced_rollback_falls_back_as_well() {
    let own = Own::new();
    Ran::of(own.rotate(&[])).expect(0);
    own.run(&["confirm", TARGET]).expect(0);
    own.run(&["rollback", "--force", TARGET]).expect(0);
    assert_eq!(own.state_name(), "rolled-back");
    own.expect_as_before();
}

#[test]
fn the_programs_own_use_of_the_new_key_does_not_stand_in_the_way_of_an_abort() {
    let own = Own::new();
    later(own.rotate(&[]), -1).expect(0);
    own.seen_last(1);
    own.run(&["abort", TARGET]).expect(0);
    assert_eq!(own.state_name(), "aborted");
    own.expect_as_before();
}

#[test]
fn the_programs_own_use_of_the_new_key_is_no_evidence_of_a_cut_over() {
    let own = Own::new();
    let observed = ["--cutover", "observed", "--observe", "1h"];
    Ran::of(own.rotate(&observed))
        .expect(64)
        .says(&["--cutover observed", "--allow-self"]);
    let old = Consumer::new(&own.place.cloud, OWN, own.old.private_pem()).unwrap();
    assert!(old.works(), "a consumer that has not moved is cut off");
}

#[test]
fn a_passphrase_file_that_is_gone_does_not_stand_in_the_way_of_an_abort() {
    let own = Own::new();
    put(&own.place.path("passphrase"), "correct horse\n");
    Ran::of(own.rotate(&["--passphrase-file", "passphrase"])).expect(0);
    fs::remove_file(own.place.path("passphrase")).unwrap();
    own.run(&["abort", TARGET]).expect(0);
    assert_eq!(own.state_name(), "aborted");
    own.expect_as_before();
}

#[test]
fn an_encrypted_new_key_is_gone_on_with_as_well() {
    let own = Own::new();
    put(&own.place.path("passphrase"), "correct horse\n");
    Ran::of(own.rotate(&["--passphrase-file", "passphrase"])).expect(0);
    own.run(&["confirm", TARGET]).expect(0);
    later(own.command(&["run"]), 8).expect(0);
    assert_eq!(own.state_name(), "done");
    let pem = fs::read_to_string(own.place.delivered()).unwrap();
    let new = Consumer::with_passphrase(&own.place.cloud, OWN, &pem, "correct horse").unwrap();
    assert!(new.works());
    assert_eq!(own.slots(), [None, Some(new.fingerprint().to_owned())]);
    assert_eq!(own.refused_logins(), 0);
}

#[test]
fn a_user_that_may_not_change_its_own_keys_is_told_the_grant() {
    let own = Own::with("role = \"PUBLIC\"");
    let grant = "GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS ON USER \"ROTATE_ADMIN\" TO ROLE \"PUBLIC\";";
    Ran::of(own.rotate(&[])).expect(1).says(&[grant]);
    assert!(own.place.cloud.effects().is_empty());
    own.expect_as_before();
    own.place.cloud.grant_key_changes(OWN, "PUBLIC");
    Ran::of(own.rotate(&[])).expect(0);
    own.run(&["confirm", TARGET]).expect(0);
    own.expect_moved();
}
