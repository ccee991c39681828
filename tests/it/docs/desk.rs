//! The desk of somebody who follows a page: a home with both vendors behind it, the program on the path, and what the pages
//! take for given (the user, the bucket, an administrator's profile and connection).
//!
//! Leans on the strict fakes: what a page tells people to do has to work where keys, logins and permissions are checked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::{SignedDuration, ToSpan, Zoned};
use rotate_fixtures::snowflake::{Slot, TestKey};
use rotate_fixtures::{FakeAws, FakeSnowflake, Ran};

use crate::docs::ROTATE;

/// One desk.
pub(crate) struct Desk {
    aws: FakeAws,
    snowflake: FakeSnowflake,
    home: tempfile::TempDir,
    ahead: SignedDuration,
}

/// What follows is kept for the next command: the variables that a command line exported.
const EXPORTED: &str = ".exported";

impl Desk {
    pub(crate) fn new() -> Self {
        let aws = FakeAws::start();
        aws.add_user("gainsight-s3");
        aws.add_bucket("acme-data", "us-east-1", &["data/1.csv"]);
        let old = aws.add_key("gainsight-s3");
        let snowflake = FakeSnowflake::start();
        snowflake.add_user("GS_GAINSIGHT_USER");
        snowflake.set_key("GS_GAINSIGHT_USER", Slot::One, TestKey::numbered(1).public_base64());
        let desk = Self {
            aws,
            snowflake,
            home: tempfile::tempdir().expect("a temporary folder can be made"),
            ahead: SignedDuration::ZERO,
        };
        let admin = desk.aws.admin();
        let profile = |name: &str, id: &str, secret: &str| {
            format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n\n")
        };
        desk.put(
            ".aws/credentials",
            0o600,
            &["default", "admin"]
                .map(|name| profile(name, &admin.id, &admin.secret))
                .into_iter()
                .chain([profile("gainsight", &old.id, &old.secret)])
                .collect::<String>(),
        );
        let (host, port) = ("127.0.0.1", desk.snowflake.port());
        let (account, user) = (desk.snowflake.account(), desk.snowflake.admin_user());
        let password = desk.snowflake.admin_password();
        let connection = format!(
            "host = \"{host}\"\nport = {port}\nprotocol = \"http\"\naccount = \"{account}\"\nuser = \"{user}\"\npassword = \"{password}\"\n"
        );
        desk.put(
            ".snowflake/connections.toml",
            0o600,
            &["default", "admin"]
                .map(|name| format!("[{name}]\n{connection}\n"))
                .concat(),
        );
        desk.put(".credentials/gainsight", 0o600, "a passphrase of the tests\n");
        desk.folder("etc/gainsight/keys");
        // Waits of seconds for vendors that lag, which these do not.
        let program = format!("#!/bin/sh\nexec '{ROTATE}' --verify-spacing 0s --list-spacing 0s \"$@\"\n");
        desk.put("bin/rotate", 0o700, &program);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn folder(&self, name: &str) {
        fs::create_dir_all(self.path(name)).expect("the folder can be made");
    }

    fn put(&self, name: &str, mode: u32, text: &str) {
        let path = self.path(name);
        self.folder(Path::new(name).parent().and_then(Path::to_str).unwrap_or_default());
        fs::write(&path, text).expect("the file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the file is ours");
    }

    /// Lets days pass, for the program and for what the vendor writes down.
    pub(crate) fn pass(&mut self, days: i64) {
        self.ahead += SignedDuration::from_hours(24 * days);
        self.aws.books_ahead(self.ahead);
    }

    /// Somebody else makes a second key of the AWS user, past the program.
    pub(crate) fn make_a_key_by_hand(&self) {
        let _ = self.aws.add_key("gainsight-s3");
    }

    /// And deletes it again.
    pub(crate) fn delete_the_key_made_by_hand(&self) {
        let newest = self.aws.keys_of("gainsight-s3").pop().expect("there is a key");
        self.aws.delete_key(&newest.id);
    }

    /// Puts a file of the fleet there, as a person would who has read the page and lives here.
    pub(crate) fn configure(&self, text: &str) {
        self.put("rotate.toml", 0o600, text);
        self.edit();
    }

    /// What a person changes in a file of the fleet that a command has written: folders that are there, and true dates.
    fn edit(&self) {
        let path = self.path("rotate.toml");
        let Ok(text) = fs::read_to_string(&path) else { return };
        let recently = Zoned::now().date().saturating_sub(40.days());
        let home = self.home.path().display().to_string();
        let edited = text
            .replace("@/etc/", &format!("@{home}/etc/"))
            .replace("file:/etc/", &format!("file:{home}/etc/"))
            .replace("\"2026-01-10\"", &format!("\"{recently}\""));
        fs::write(&path, edited).expect("the file can be written");
    }

    /// Runs a command line of a shell to its end.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let ahead = self.ahead.as_secs();
        let script = format!(
            "if test -f ~/{EXPORTED}; then . ~/{EXPORTED}; fi\nexport ROTATE_TEST_CLOCK_AHEAD={ahead}\nset -u\n{line}\nleft=$?\nexport -p > ~/{EXPORTED}\nexit $left\n"
        );
        let aws = self.aws.env();
        let of_the_place = |name: &str| ["AWS_REGION", "AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED"].contains(&name);
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut command = Command::new("sh");
        command
            .args(["-c", &script])
            .env_clear()
            .envs(aws.iter().filter(|(name, _)| of_the_place(name)).cloned())
            .env("HOME", self.home.path())
            .env("USER", "tester")
            .env("PATH", path)
            .env("CREDENTIALS_DIRECTORY", self.path(".credentials"))
            .env("ROTATE_STATE_DIR", self.path("state"))
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        let ran = Ran::of(command);
        self.edit();
        ran
    }
}
