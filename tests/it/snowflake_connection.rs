//! The administrator's Snowflake connection is found where the official tools find it, in each of its forms; a connection
//! that cannot be used is refused in words that name it; and nothing that opens one is ever seen.
//!
//! Leans on the strict fake, which says who has logged in, by what means and with which role, and on real files with
//! real modes. In each test everything that opens a door is planted anew, and looked for in all that the program says
//! and keeps, however talkative it is.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

mod found;
mod login;
mod order;
mod refused;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rotate_fixtures::snowflake::{ENCRYPTED_P8, Login, Means, PASSPHRASE, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};
use serde_json::json;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// What every password and token of these tests begins with.
const CANARY: &str = "canary-c0ffee";

/// An account with administrators of its own beside the usual one, and with nothing in the environment.
struct Ground {
    place: SnowflakeWorkplace,
}

/// A login with this key.
fn by(key: &TestKey) -> Means {
    Means::KeyPair(key.fingerprint().to_owned())
}

impl Ground {
    fn new() -> Self {
        Self {
            place: SnowflakeWorkplace::new(ROTATE),
        }
    }

    /// Someone who may change keys, with this password.
    fn administrator(&self, name: &str, password: &str) {
        let cloud = &self.place.cloud;
        cloud.add_user(name);
        for role in ["SECURITYADMIN", "ACCOUNTADMIN"] {
            cloud.grant_role(role, name);
        }
        cloud.set_default_role(name, "SECURITYADMIN");
        cloud.set_password(name, password);
    }

    /// Someone who logs in with this key.
    fn key_holder(&self, name: &str, key: &TestKey) {
        self.administrator(name, &format!("{CANARY}-of-{name}"));
        self.place.cloud.set_key(name, Slot::One, key.public_base64());
    }

    /// A file in the place, for its owner alone.
    fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        self.put_with_mode(name, text, 0o600);
    }

    fn put_with_mode(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) {
        let path = self.place.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Where the fake is, and these lines, as what stands below a table's header.
    fn connection(&self, lines: &[&str]) -> String {
        let (account, port) = (self.place.cloud.account(), self.place.cloud.port());
        let mut text = format!("host = \"127.0.0.1\"\nport = {port}\nprotocol = \"http\"\n");
        if lines.iter().all(|line| !line.starts_with("account ")) {
            text.push_str(&format!("account = \"{account}\"\n"));
        }
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The connection `default` with these lines, in the usual place.
    fn connect(&self, lines: &[&str]) {
        let table = format!("[default]\n{}", self.connection(lines));
        self.put(".snowflake/connections.toml", table);
    }

    /// A table of a user with a password.
    fn table(&self, header: &str, user: &str, password: &str) -> String {
        let (user, password) = (format!("user = \"{user}\""), format!("password = \"{password}\""));
        format!("[{header}]\n{}", self.connection(&[&user, &password]))
    }

    /// The one-shot command with this environment and these options, and nothing of an administrator beside them.
    fn rotate(&self, environment: &[(&str, &str)], options: &[&str]) -> Command {
        let mut command = self
            .place
            .command_with(environment.iter().copied(), ["snowflake-keypair", "--user", USER]);
        command.args(options);
        command
    }

    /// Stops the test if anything that opens a door can be seen in what a command said, or in the state folder.
    #[track_caller]
    fn hides_all(&self, ran: &Ran) {
        let mut secrets = self.place.cloud.secrets();
        secrets.extend([CANARY, PASSPHRASE].map(str::to_owned));
        let keys = (1..=TestKey::COUNT).map(|number| TestKey::numbered(number).private_pem().to_owned());
        let new = fs::read_to_string(self.place.delivered());
        for pem in keys.chain([ENCRYPTED_P8.to_owned()]).chain(new) {
            // The first line says only what kind of key it is.
            secrets.extend(pem.lines().nth(2).map(str::to_owned));
        }
        for secret in &secrets {
            assert!(!ran.stdout.contains(secret), "{secret} is on stdout:\n{}", ran.stdout);
            assert!(!ran.stderr.contains(secret), "{secret} is on stderr:\n{}", ran.stderr);
        }
        for entry in fs::read_dir(self.place.state()).into_iter().flatten() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let found = secrets.iter().find(|secret| text.contains(secret.as_str()));
            assert!(found.is_none(), "{found:?} is in {}", path.display());
        }
    }

    /// Who the administrator is with this environment and these options, foretold and for real.
    #[track_caller]
    fn logs_in(&self, environment: &[(&str, &str)], options: &[&str]) -> Login {
        let cloud = &self.place.cloud;
        let mut foretold = self.rotate(environment, options);
        foretold.args(["--dry-run", "-vvv"]);
        let ran = Ran::of(foretold);
        self.hides_all(&ran);
        ran.expect(0);
        let administrator = cloud.logins().pop().unwrap();

        let mut real = self.rotate(environment, options);
        real.args(["--cutover", "immediate", "--soak", "0s"]).env(
            "RUST_LOG",
            "trace,hyper=trace,reqwest=trace,snowflake_connector_rs=trace,sqlx=trace",
        );
        let ran = Ran::of(real);
        self.hides_all(&ran);
        ran.expect(0);
        assert!(self.place.holder_of(&self.place.delivered()).works());
        // Whoever it is, it is the same one throughout.
        for login in cloud.logins().iter().filter(|login| login.user != USER) {
            let who = |login: &Login| (login.user.clone(), login.role.clone(), login.means.clone());
            assert_eq!(who(login), who(&administrator));
        }
        cloud.expect_all_understood();
        administrator
    }

    /// The name of the user who logs in.
    #[track_caller]
    fn user(&self, environment: &[(&str, &str)], options: &[&str]) -> String {
        self.logs_in(environment, options).user
    }

    /// A connection that cannot be used is refused with these words, before any call, and nothing is changed.
    #[track_caller]
    fn refuses(&self, environment: &[(&str, &str)], options: &[&str], words: &[&str]) -> Ran {
        let calls = self.place.cloud.calls().len();
        let mut foretold = self.rotate(environment, options);
        foretold.args(["--dry-run", "-vvv"]);
        let ran = Ran::of(foretold);
        self.hides_all(&ran);
        ran.expect(1).says(words);
        let mut real = self.rotate(environment, options);
        real.env("RUST_LOG", "trace");
        let ran = Ran::of(real);
        self.hides_all(&ran);
        let ran = ran.expect(1).says(words).says(&["nothing was changed"]);
        assert_eq!(self.place.cloud.calls().len(), calls, "a call was made; {ran:#?}");
        self.place.expect_untouched();
        let status = self.place.run(["status", "--output", "json"]).expect(0).json();
        assert_eq!(status["targets"], json!([]));
        ran
    }
}
