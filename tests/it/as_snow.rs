//! "As `snow` has it" is true: in one environment Snowflake's own command line and this program arrive at the same account, user
//! and host, or both fail; and they log in with the same private keys.
//!
//! Leans on `snow` from PyPI, which shares no code with this program, and on two strict fakes, which say who has logged in
//! where. Each tool has a home folder of its own with the same files: `snow` writes into its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

mod connections;
mod hosts;
mod keys;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::thread;

use rotate_fixtures::snowflake::{FakeSnowflake, Login, Slot, SnowCli};
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};
use tempfile::TempDir;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const PASSWORD: &str = "only for the fakes";

/// Everyone who may be meant by a connection, by an own variable, by a general one.
const PEOPLE: [&str; 4] = ["FILE_ADMIN", "OWN_ADMIN", "GENERAL_ADMIN", "OTHER_ADMIN"];

const CONNECTIONS: &str = ".snowflake/connections.toml";

/// Where somebody has logged in.
#[derive(Debug, PartialEq, Eq)]
struct Arrived {
    /// `first` or `second`.
    host: &'static str,
    account: String,
    user: String,
    role: String,
}

struct Ground {
    place: SnowflakeWorkplace,
    second: FakeSnowflake,
    home: TempDir,
}

impl Ground {
    fn new() -> Self {
        let place = SnowflakeWorkplace::new(ROTATE);
        let second = FakeSnowflake::start();
        second.add_user(USER);
        second.set_key(USER, Slot::One, place.old.public_base64());
        for cloud in [&place.cloud, &second] {
            for name in PEOPLE {
                cloud.add_user(name);
                for role in ["SECURITYADMIN", "ACCOUNTADMIN"] {
                    cloud.grant_role(role, name);
                }
                cloud.set_default_role(name, "SECURITYADMIN");
                cloud.set_password(name, PASSWORD);
            }
        }
        Self {
            place,
            second,
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// The same file in both homes. `AT_FIRST` and `AT_SECOND` say where the fakes are.
    fn put(&self, name: &str, text: &str) {
        for path in [self.place.path(name), self.home.path().join(name)] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, self.filled(text)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    fn filled(&self, text: &str) -> String {
        let at = |cloud: &FakeSnowflake| format!("host = \"127.0.0.1\"\nport = {}\nprotocol = \"http\"", cloud.port());
        text.replace("AT_FIRST", &at(&self.place.cloud))
            .replace("AT_SECOND", &at(&self.second))
            .replace("PORT_OF_SECOND", &self.second.port().to_string())
            .replace("PASSWORD", &format!("password = \"{PASSWORD}\""))
    }

    /// Who has logged in since the last time.
    fn arrived(&self) -> Option<Arrived> {
        let last = |cloud: &FakeSnowflake| cloud.logins().into_iter().next();
        let found = match (last(&self.place.cloud), last(&self.second)) {
            (Some(login), None) => Some(("first", login)),
            (None, Some(login)) => Some(("second", login)),
            (None, None) => None,
            both => panic!("{both:?}"),
        };
        for cloud in [&self.place.cloud, &self.second] {
            cloud.reset_calls();
        }
        found.map(|(host, login): (_, Login)| Arrived {
            host,
            account: login.account.to_uppercase(),
            user: login.user,
            role: login.role,
        })
    }

    fn by_snow(&self, snow: &SnowCli, environment: &[(&str, &str)], options: &[&str]) -> (Option<Arrived>, String) {
        let said = snow.current_user(self.home.path(), environment.iter().copied(), options);
        let arrived = self.arrived();
        assert_eq!(said.is_ok(), arrived.is_some(), "{said:?} {arrived:?}");
        (arrived, said.unwrap_or_else(|said| said))
    }

    fn by_rotate(&self, environment: &[(&str, &str)], options: &[&str]) -> (Option<Arrived>, Ran) {
        let mut command = self.place.command_with(
            environment.iter().copied(),
            ["snowflake-keypair", "--user", USER, "--dry-run"],
        );
        command.args(options);
        let ran = Ran::of(command);
        let arrived = self.arrived();
        assert_eq!(ran.code == Some(0), arrived.is_some(), "{ran:#?} {arrived:?}");
        (arrived, ran)
    }
}

/// Goes through all of these, two at a time.
fn each<T: Sync>(all: &[T], one: impl Fn(&T) + Sync) {
    let next = Mutex::new(all.iter());
    let take = || next.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = take() {
                    one(case);
                }
            });
        }
    });
}
