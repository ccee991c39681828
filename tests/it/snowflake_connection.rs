//! The administrator's Snowflake connection is found where the official tools find it, in each of its forms; a connection
//! that cannot be used is refused in words that name it; and nothing that opens one is ever seen.
//!
//! Leans on the strict fake, which says who has logged in, by what means and with which role, and on real files with
//! real modes. In each test everything that opens a door is planted anew, and looked for in all that the program says
//! and keeps, however talkative it is.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

mod order;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rotate_fixtures::snowflake::{ENCRYPTED_P8, Login, Means, PASSPHRASE, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
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

// Where the files are.

#[test]
fn the_folder_of_connections_is_found_as_the_official_tools_find_it() {
    let home = ".snowflake/connections.toml";
    let (elsewhere, config) = (
        "elsewhere/snowflake/connections.toml",
        ".config/snowflake/connections.toml",
    );
    let named = "named/connections.toml";
    for (present, environment, expected) in [
        (
            &[named, home, elsewhere, config][..],
            &["SNOWFLAKE_HOME", "XDG_CONFIG_HOME"][..],
            named,
        ),
        (&[home, elsewhere, config], &["XDG_CONFIG_HOME"], home),
        (&[elsewhere, config], &["XDG_CONFIG_HOME"], elsewhere),
        (&[home, config], &[], home),
        (&[config], &[], config),
    ] {
        let ground = Ground::new();
        for (path, number) in present.iter().zip(1..) {
            let (user, password) = (format!("ADMIN_{number}"), format!("{CANARY}-{number}"));
            ground.administrator(&user, &password);
            ground.put(path, ground.table("default", &user, &password));
        }
        let folders = [
            ("SNOWFLAKE_HOME", ground.place.path("named")),
            ("XDG_CONFIG_HOME", ground.place.path("elsewhere")),
        ];
        let set: Vec<(&str, &str)> = folders
            .iter()
            .filter(|(name, _)| environment.contains(name))
            .map(|(name, path)| (*name, path.to_str().unwrap()))
            .collect();
        let index = present.iter().position(|path| *path == expected).unwrap();
        assert_eq!(ground.user(&set, &[]), format!("ADMIN_{}", index + 1), "{expected}");
    }
}

#[test]
fn a_tilde_in_snowflake_home_is_the_home_folder() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put("tools/connections.toml", ground.table("default", "OPS", CANARY));
    assert_eq!(ground.user(&[("SNOWFLAKE_HOME", "~/tools")], &[]), "OPS");
}

#[test]
fn a_connection_in_config_toml_is_used() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    let text = format!(
        "[cli.logs]\nsave_logs = true\n\n{}",
        ground.table("connections.ops", "OPS", CANARY)
    );
    ground.put(".snowflake/config.toml", text);
    assert_eq!(ground.user(&[], &["--connection", "ops"]), "OPS");
}

#[test]
fn connections_toml_takes_the_place_of_every_connection_in_config_toml() {
    let ground = Ground::new();
    ground.administrator("FIRST", &format!("{CANARY}-1"));
    ground.administrator("SECOND", &format!("{CANARY}-2"));
    let both = [
        ground.table("connections.ops", "FIRST", &format!("{CANARY}-1")),
        ground.table("connections.only", "FIRST", &format!("{CANARY}-1")),
    ];
    ground.put(".snowflake/config.toml", both.join("\n"));
    let own = ground.table("ops", "SECOND", &format!("{CANARY}-2"));
    ground.put(".snowflake/connections.toml", own);
    let ran = ground.refuses(
        &[],
        &["--connection", "only"],
        &["connections.toml", "only", "it has ops"],
    );
    assert!(!ran.stderr.contains("config.toml"), "{}", ran.stderr);
    assert_eq!(ground.user(&[], &["--connection", "ops"]), "SECOND");
}

// Which connection.

#[test]
fn the_connection_is_named_by_a_flag_else_the_environment_else_the_file_else_it_is_default() {
    let variable = ("SNOWFLAKE_DEFAULT_CONNECTION_NAME", "by_environment");
    let flag = ["--connection", "by_flag"];
    for (in_file, environment, options, expected) in [
        (true, &[variable][..], &flag[..], "BY_FLAG"),
        (true, &[variable], &[], "BY_ENVIRONMENT"),
        (true, &[], &[], "BY_FILE"),
        (false, &[], &[], "DEFAULT_ONE"),
        (false, &[variable], &[], "BY_ENVIRONMENT"),
        (false, &[], &flag, "BY_FLAG"),
    ] {
        for separate in [false, true] {
            let ground = Ground::new();
            let prefix = if separate { "" } else { "connections." };
            let names = ["by_flag", "by_environment", "by_file", "default"];
            let tables = names.map(|name| {
                let user = match name {
                    "default" => "DEFAULT_ONE".to_owned(),
                    _ => name.to_uppercase(),
                };
                let password = format!("{CANARY}-{name}");
                ground.administrator(&user, &password);
                ground.table(&format!("{prefix}{name}"), &user, &password)
            });
            let default = if in_file {
                "default_connection_name = \"by_file\"\n"
            } else {
                ""
            };
            if separate {
                ground.put(".snowflake/config.toml", default);
                ground.put(".snowflake/connections.toml", tables.join("\n"));
            } else {
                ground.put(".snowflake/config.toml", format!("{default}{}", tables.join("\n")));
            }
            assert_eq!(ground.user(environment, options), expected, "separate: {separate}");
        }
    }
}

#[test]
fn the_connections_name_is_kept_for_later_commands_and_its_secrets_are_not() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put(".snowflake/connections.toml", ground.table("ops", "OPS", CANARY));
    let bare = |arguments: &[&str]| {
        let mut command = ground.place.command_with([("RUST_LOG", "trace")], arguments);
        command.arg("-vvv");
        let ran = Ran::of(command);
        ground.hides_all(&ran);
        ran.expect(0)
    };
    bare(&["snowflake-keypair", "--user", USER, "--connection", "ops"]);
    bare(&["confirm", TARGET]);
    bare(&["run"]);
    bare(&["rollback", TARGET]);
    for more in [&["audit"][..], &["audit", "verify"], &["status", "--output", "json"]] {
        bare(more);
    }
    assert_eq!(ground.place.state_name(), "rolled-back");
    let logins = ground.place.cloud.logins();
    assert!(logins.iter().all(|login| login.user == USER || login.user == "OPS"));
}

#[test]
fn an_unknown_connection_is_named_with_those_that_are_known() {
    for (path, prefix) in [("config.toml", "connections."), ("connections.toml", "")] {
        let ground = Ground::new();
        ground.administrator("OPS", CANARY);
        let tables = ["ops", "staging"].map(|name| ground.table(&format!("{prefix}{name}"), "OPS", CANARY));
        ground.put(&format!(".snowflake/{path}"), tables.join("\n"));
        let words = [path, "has no connection prod", "ops, staging"];
        ground.refuses(&[], &["--connection", "prod"], &words);
        ground.refuses(&[("SNOWFLAKE_DEFAULT_CONNECTION_NAME", "prod")], &[], &words);
    }
    let ground = Ground::new();
    ground.put(".snowflake/config.toml", "default_connection_name = \"prod\"\n");
    ground.refuses(&[], &[], &["config.toml", "has no connection prod", "none"]);
}

#[test]
fn a_connection_that_is_asked_for_where_there_is_no_file_is_told_with_the_folder() {
    let ground = Ground::new();
    let words = ["connection ops", "connections.toml", "config.toml"];
    let home = ground.place.path("nowhere");
    let environment = [("SNOWFLAKE_HOME", home.to_str().unwrap())];
    ground.refuses(&environment, &["--connection", "ops"], &words);
    ground.refuses(&environment, &["--connection", "ops"], &[home.to_str().unwrap()]);
    ground.refuses(&[], &["--connection", "ops"], &words);
}

#[test]
fn what_is_missing_is_asked_for_by_name_and_by_every_place_for_it() {
    let ground = Ground::new();
    let (account, user) = (("SNOWFLAKE_ACCOUNT", "TESTORG-TESTACCT"), ("SNOWFLAKE_USER", "OPS"));
    for (environment, words) in [
        (
            &[][..],
            &[
                "no account is set",
                "--account",
                "$SNOWFLAKE_ACCOUNT",
                "connections.toml",
            ][..],
        ),
        (&[account], &["no user is set", "$SNOWFLAKE_USER", "connections.toml"]),
        (
            &[account, user],
            &["no password is set", "$SNOWFLAKE_PASSWORD", "private_key_file"],
        ),
        (
            &[account, user, ("SNOWFLAKE_AUTHENTICATOR", "SNOWFLAKE_JWT")],
            &["no private_key_file is set", "$SNOWFLAKE_PRIVATE_KEY_FILE"],
        ),
        (
            &[account, user, ("SNOWFLAKE_AUTHENTICATOR", "oauth")],
            &["no token is set", "$SNOWFLAKE_TOKEN", "token_file_path"],
        ),
    ] {
        ground.refuses(environment, &[], words);
    }
    // In a connection that is there, it is missing from that one.
    ground.put(".snowflake/connections.toml", "[ops]\naccount = \"TESTORG-TESTACCT\"\n");
    let words = ["no user is set", "connection ops of", ".snowflake/connections.toml"];
    ground.refuses(&[], &["--connection", "ops"], &words);
}

// How the administrator proves who it is.

#[test]
fn a_private_key_is_taken_from_each_of_its_places() {
    let key = TestKey::numbered(2);
    let raw = format!("private_key_raw = \"\"\"\n{}\"\"\"", key.private_pem());
    for (line, variable, value) in [
        ("private_key_file = \"FILE\"", None, ""),
        ("private_key_path = \"FILE\"", None, ""),
        ("private_key_file = \"~/keys/admin.p8\"", None, ""),
        (raw.as_str(), None, ""),
        ("", Some("SNOWFLAKE_PRIVATE_KEY_FILE"), "FILE"),
        ("", Some("SNOWFLAKE_PRIVATE_KEY_PATH"), "FILE"),
        ("", Some("SNOWFLAKE_PRIVATE_KEY_RAW"), key.private_pem()),
        ("", Some("SNOWFLAKE_CONNECTIONS_DEFAULT_PRIVATE_KEY_FILE"), "FILE"),
    ] {
        let ground = Ground::new();
        ground.key_holder("OPS", &key);
        ground.put("keys/admin.p8", key.private_pem());
        let path = ground.place.path("keys/admin.p8").display().to_string();
        let (line, value) = (line.replace("FILE", &path), value.replace("FILE", &path));
        ground.connect(&["user = \"OPS\"", "authenticator = \"SNOWFLAKE_JWT\"", &line]);
        let environment: Vec<_> = variable.iter().map(|name| (*name, value.as_str())).collect();
        let login = ground.logs_in(&environment, &[]);
        assert_eq!(login.user, "OPS");
        assert_eq!(login.means, by(&key), "{line}{variable:?}");
    }
}

#[test]
fn a_private_key_is_enough_to_say_how_to_log_in() {
    let key = TestKey::numbered(2);
    let password = format!("password = \"{CANARY}-of-OPS\"");
    for more in [
        "",
        "authenticator = \"snowflake_jwt\"",
        "authenticator = \"snowflake\"",
        // Of both, the official tools take the key.
        &password,
    ] {
        let ground = Ground::new();
        ground.key_holder("OPS", &key);
        ground.put("admin.p8", key.private_pem());
        let line = format!("private_key_file = \"{}\"", ground.place.path("admin.p8").display());
        ground.connect(&["user = \"OPS\"", &line, more]);
        assert_eq!(ground.logs_in(&[], &[]).means, by(&key), "{more}");
    }
}

#[test]
fn a_private_key_in_the_environment_beats_a_password_in_the_file() {
    let key = TestKey::numbered(2);
    let ground = Ground::new();
    ground.key_holder("OPS", &key);
    ground.put("admin.p8", key.private_pem());
    ground.connect(&["user = \"OPS\"", &format!("password = \"{CANARY}-of-OPS\"")]);
    let path = ground.place.path("admin.p8");
    let login = ground.logs_in(&[("SNOWFLAKE_PRIVATE_KEY_FILE", path.to_str().unwrap())], &[]);
    assert_eq!(login.means, by(&key));
}

#[test]
fn an_encrypted_private_key_is_opened_by_a_passphrase_from_each_of_its_places() {
    let key = TestKey::numbered(1);
    let in_file = format!("private_key_passphrase = \"{PASSPHRASE}\"");
    let as_the_connector_calls_it = format!("private_key_file_pwd = \"{PASSPHRASE}\"");
    for (line, variable) in [
        (in_file.as_str(), None),
        (as_the_connector_calls_it.as_str(), None),
        ("", Some("PRIVATE_KEY_PASSPHRASE")),
        ("", Some("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")),
        ("", Some("SNOWFLAKE_CONNECTIONS_DEFAULT_PRIVATE_KEY_PASSPHRASE")),
    ] {
        let ground = Ground::new();
        ground.key_holder("OPS", &key);
        ground.put("admin.p8", ENCRYPTED_P8);
        let file = format!("private_key_file = \"{}\"", ground.place.path("admin.p8").display());
        let lines = ["user = \"OPS\"", "authenticator = \"SNOWFLAKE_JWT\"", &file, line];
        ground.connect(&lines);
        let environment: Vec<_> = variable.iter().map(|name| (*name, PASSPHRASE)).collect();
        let login = ground.logs_in(&environment, &[]);
        assert_eq!(login.means, by(&key), "{line}{variable:?}");
    }
}

#[test]
fn a_passphrase_for_a_key_that_needs_none_does_no_harm() {
    let ground = Ground::new();
    let key = TestKey::numbered(2);
    ground.key_holder("OPS", &key);
    ground.put("admin.p8", key.private_pem());
    let file = format!("private_key_file = \"{}\"", ground.place.path("admin.p8").display());
    ground.connect(&["user = \"OPS\"", &file]);
    let login = ground.logs_in(&[("PRIVATE_KEY_PASSPHRASE", PASSPHRASE)], &[]);
    assert_eq!(login.means, by(&key));
}

#[test]
fn passwords_and_tokens_are_taken_from_each_of_their_places() {
    let token = format!("{CANARY}-token");
    let (password_line, token_line) = (format!("password = \"{token}\""), format!("token = \"{token}\""));
    let token_file = "token_file_path = \"FILE\"";
    for (authenticator, line, variable, means) in [
        ("snowflake", password_line.as_str(), None, Means::Password),
        ("SNOWFLAKE", "", Some("SNOWFLAKE_PASSWORD"), Means::Password),
        ("oauth", &token_line, None, Means::OAuth),
        ("OAUTH", token_file, None, Means::OAuth),
        ("oauth", "", Some("SNOWFLAKE_TOKEN"), Means::OAuth),
        ("oauth", "", Some("SNOWFLAKE_TOKEN_FILE_PATH"), Means::OAuth),
        // Snowflake takes such a token in the place of a password.
        ("programmatic_access_token", &token_line, None, Means::Password),
        ("PROGRAMMATIC_ACCESS_TOKEN", token_file, None, Means::Password),
        (
            "programmatic_access_token",
            "",
            Some("SNOWFLAKE_TOKEN"),
            Means::Password,
        ),
    ] {
        let ground = Ground::new();
        ground.administrator("OPS", &token);
        ground.place.cloud.set_oauth_token("OPS", &token);
        ground.put("token", format!("{token}\n"));
        let path = ground.place.path("token").display().to_string();
        let (authenticator, line) = (
            format!("authenticator = \"{authenticator}\""),
            line.replace("FILE", &path),
        );
        let lines = ["user = \"OPS\"", &authenticator, &line];
        ground.connect(&lines);
        let value = match variable {
            Some("SNOWFLAKE_TOKEN_FILE_PATH") => &path,
            _ => &token,
        };
        let environment: Vec<_> = variable.iter().map(|name| (*name, value.as_str())).collect();
        let login = ground.logs_in(&environment, &[]);
        assert_eq!(
            (login.user.as_str(), login.means),
            ("OPS", means),
            "{authenticator} {line}{variable:?}"
        );
    }
}

#[test]
fn a_login_that_needs_a_person_is_refused_with_those_that_do_not() {
    let ground = Ground::new();
    for authenticator in ["externalbrowser", "username_password_mfa", "https://acme.okta.com"] {
        let line = format!("authenticator = \"{authenticator}\"");
        let password = format!("password = \"{CANARY}\"");
        ground.connect(&["user = \"OPS\"", &line, &password]);
        let ways = ["snowflake_jwt", "oauth", "programmatic_access_token"];
        ground.refuses(&[], &[], &[authenticator]);
        ground.refuses(&[], &[], &ways);
        ground.refuses(&[("SNOWFLAKE_AUTHENTICATOR", authenticator)], &[], &ways);
    }
}

// Files that cannot be used.

#[test]
fn a_file_that_is_not_toml_is_named_with_the_line_and_never_quoted() {
    let password = format!("password = \"{CANARY}\"");
    for (text, line) in [
        (
            format!("[ops]\nuser = \"OPS\"\npassword = \"{CANARY}\nrole = \"X\"\n"),
            3,
        ),
        (format!("[ops]\npassword = {CANARY}\n"), 2),
        (format!("[ops]\nuser = \"OPS\"\n\n{CANARY}\n"), 4),
        (format!("[ops]\n{password}\n{password}\n"), 3),
        (format!("[ops]\n{password} trailing\n"), 2),
        (format!("[ops]\n{password}\n[ops]\n"), 3),
        (format!("[ops\n{password}\n"), 1),
        (format!("{password}\n= \"{CANARY}\"\n"), 2),
    ] {
        for path in ["config.toml", "connections.toml"] {
            let ground = Ground::new();
            ground.put(&format!(".snowflake/{path}"), &text);
            let whole = ground.place.path(".snowflake").join(path);
            let words = [&format!("{}, line {line}:", whole.display()), "not TOML"];
            ground.refuses(&[], &["--connection", "ops"], &words);
        }
    }
}

#[test]
fn a_file_that_has_one_name_twice_is_told_with_file_line_and_reason() {
    for (path, header) in [("config.toml", "connections.ops"), ("connections.toml", "ops")] {
        let ground = Ground::new();
        let table = format!("[{header}]\nuser = \"OPS\"\npassword = \"{CANARY}\"\n");
        ground.put(&format!(".snowflake/{path}"), format!("{table}\n{table}"));
        let whole = ground.place.path(".snowflake").join(path);
        let words = [
            &format!("{}, line 5:", whole.display()),
            "this name stands there already",
        ];
        ground.refuses(&[], &["--connection", "ops"], &words);
    }
}

#[test]
fn a_snowflake_home_that_is_not_there_leaves_the_systems_own_place() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.administrator("WRONG", &format!("{CANARY}-2"));
    ground.put(
        ".snowflake/connections.toml",
        ground.table("default", "WRONG", &format!("{CANARY}-2")),
    );
    ground.put(
        ".config/snowflake/connections.toml",
        ground.table("default", "OPS", CANARY),
    );
    let home = ground.place.path("nowhere");
    assert_eq!(ground.user(&[("SNOWFLAKE_HOME", home.to_str().unwrap())], &[]), "OPS");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let ground = Ground::new();
    fs::create_dir_all(ground.place.path(".snowflake/connections.toml")).unwrap();
    ground.refuses(&[], &["--connection", "ops"], &["connections.toml", "cannot be read"]);
    fs::remove_dir(ground.place.path(".snowflake/connections.toml")).unwrap();
    let mut bytes = format!("[ops]\npassword = \"{CANARY}").into_bytes();
    bytes.extend([0xff, 0xfe, b'"', b'\n']);
    ground.put(".snowflake/connections.toml", bytes);
    ground.refuses(&[], &["--connection", "ops"], &["connections.toml", "cannot be read"]);
}

#[test]
fn a_file_with_secrets_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    for secret in [
        "password",
        "token",
        "passcode",
        "private_key_passphrase",
        "private_key_file_pwd",
        "private_key_raw",
    ] {
        for (path, header) in [("config.toml", "connections.ops"), ("connections.toml", "ops")] {
            let ground = Ground::new();
            let lines = format!("[{header}]\nuser = \"OPS\"\n{secret} = \"{CANARY}\"\n");
            let whole = ground.place.path(".snowflake").join(path);
            for mode in [0o644, 0o640, 0o604] {
                ground.put_with_mode(&format!(".snowflake/{path}"), &lines, mode);
                let words = [
                    "can be read by others",
                    &format!("mode {mode:04o}"),
                    &format!("chmod 600 {}", whole.display()),
                ];
                ground.refuses(&[], &["--connection", "ops"], &words);
            }
        }
    }
}

#[test]
fn a_file_without_secrets_may_be_read_by_others() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    let table = format!("[default]\n{}", ground.connection(&["user = \"OPS\""]));
    ground.put_with_mode(".snowflake/connections.toml", table, 0o644);
    assert_eq!(ground.user(&[("SNOWFLAKE_PASSWORD", CANARY)], &[]), "OPS");
}

#[test]
fn a_file_that_others_can_write_is_refused_with_the_command_that_mends_it() {
    for mode in [0o620, 0o602, 0o666] {
        for path in ["config.toml", "connections.toml"] {
            let ground = Ground::new();
            // Whoever writes there says where the login goes.
            ground.put_with_mode(&format!(".snowflake/{path}"), "", mode);
            let whole = ground.place.path(".snowflake").join(path);
            let words = [
                "can be written by others",
                &format!("mode {mode:04o}"),
                &format!("chmod 600 {}", whole.display()),
            ];
            ground.refuses(&[], &[], &words);
        }
    }
}

#[test]
fn a_key_or_token_file_that_others_can_read_is_refused_with_chmod() {
    for (authenticator, key) in [("SNOWFLAKE_JWT", "private_key_file"), ("oauth", "token_file_path")] {
        let ground = Ground::new();
        ground.put_with_mode("secret", TestKey::numbered(2).private_pem(), 0o644);
        let authenticator = format!("authenticator = \"{authenticator}\"");
        let line = format!("{key} = \"{}\"", ground.place.path("secret").display());
        ground.connect(&["user = \"OPS\"", &authenticator, &line]);
        ground.refuses(&[], &[], &["secret", "mode 0644", "chmod"]);
    }
}

// What is refused shows nothing either.

#[test]
fn a_refused_login_shows_neither_password_nor_token_nor_passphrase() {
    let wrong = format!("{CANARY}-wrong");
    for (authenticator, line) in [
        ("snowflake", format!("password = \"{wrong}\"")),
        ("oauth", format!("token = \"{wrong}\"")),
        ("programmatic_access_token", format!("token = \"{wrong}\"")),
        (
            "snowflake_jwt",
            format!("private_key_raw = \"\"\"{}\"\"\"", TestKey::numbered(5).private_pem()),
        ),
    ] {
        let ground = Ground::new();
        ground.administrator("OPS", &format!("{CANARY}-right"));
        let authenticator = format!("authenticator = \"{authenticator}\"");
        ground.connect(&["user = \"OPS\"", &authenticator, &line]);
        for format in ["text", "json"] {
            let mut command = ground.rotate(&[("RUST_LOG", "trace")], &["--log-format", format]);
            command.args(["--output", "json"]);
            let ran = Ran::of(command);
            ground.hides_all(&ran);
            ran.expect(1).says(&["OPS", "nothing was changed"]);
        }
        ground.place.expect_untouched();
    }
}

#[test]
fn what_is_looked_for_is_really_there() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    let ran = Ran {
        code: Some(0),
        stdout: String::new(),
        stderr: format!("it was {CANARY}"),
    };
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ground.hides_all(&ran)));
    assert!(found.is_err(), "the search finds nothing");
    assert!(ground.place.cloud.secrets().iter().any(|secret| secret == CANARY));
}

/// What is put in the wrong place by mistake is a secret all the same: neither a key without its armour nor an address with
/// a password in it is repeated.
#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let bare = TestKey::numbered(2)
        .private_pem()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect::<String>();
    let address = format!("OPS:{CANARY}@h.example");
    for (name, value, secret) in [
        ("SNOWFLAKE_PRIVATE_KEY_RAW", bare.as_str(), &bare[..60]),
        ("SNOWFLAKE_PRIVATE_KEY_RAW", &bare[..100], &bare[..60]),
        ("SNOWFLAKE_PRIVATE_KEY_FILE", bare.as_str(), &bare[..60]),
        ("SNOWFLAKE_HOST", address.as_str(), CANARY),
    ] {
        let place = SnowflakeWorkplace::new(ROTATE);
        let mut command = place.rotate(["-vvv"]);
        command.env("RUST_LOG", "trace").env(name, value);
        let ran = Ran::of(command).expect(1);
        let told = ran.stdout + &ran.stderr;
        assert!(!told.contains(secret), "{name} is repeated");
        assert!(told.contains("nothing was changed"), "{told}");
        place.expect_untouched();
    }
}

#[test]
fn a_token_that_is_not_valid_is_told_from_an_unknown_reason() {
    let ground = Ground::new();
    ground.administrator("OPS", &format!("{CANARY}-right"));
    let token = format!("token = \"{CANARY}-wrong\"");
    ground.connect(&["user = \"OPS\"", "authenticator = \"oauth\"", &token]);
    let ran = Ran::of(ground.rotate(&[], &[]));
    ground.hides_all(&ran);
    ran.expect(1)
        .says(&["the token of OPS", "is not valid", "get a new one"]);
}

/// What stands in a place that is asked first wins, under either of its names.
#[test]
fn a_connections_own_token_beats_a_general_one_and_the_file() {
    let token = format!("{CANARY}-token");
    for is_in_a_file in [false, true] {
        let ground = Ground::new();
        ground.administrator("OPS", &token);
        ground.place.cloud.set_oauth_token("OPS", &token);
        ground.put("token", format!("{token}\n"));
        ground.put("wrong", format!("{CANARY}-wrong\n"));
        let (right, wrong) = (ground.place.path("token"), ground.place.path("wrong"));
        let (right, wrong) = (right.display().to_string(), wrong.display().to_string());
        let in_file = format!("token_file_path = \"{wrong}\"");
        ground.connect(&["user = \"OPS\"", "authenticator = \"oauth\"", &in_file]);
        let environment = if is_in_a_file {
            vec![
                ("SNOWFLAKE_CONNECTIONS_DEFAULT_TOKEN_FILE_PATH", right.as_str()),
                ("SNOWFLAKE_TOKEN", "canary-c0ffee-other"),
            ]
        } else {
            vec![("SNOWFLAKE_CONNECTIONS_DEFAULT_TOKEN", token.as_str())]
        };
        assert_eq!(ground.logs_in(&environment, &[]).means, Means::OAuth, "{environment:?}");
    }
}

#[test]
fn a_host_with_a_scheme_or_a_port_is_refused_as_what_it_is() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    let password = format!("password = \"{CANARY}\"");
    ground.connect(&["user = \"OPS\"", &password]);
    for host in ["https://acme.snowflakecomputing.com", "127.0.0.1:443", "ops@127.0.0.1"] {
        let ran = ground.refuses(&[("SNOWFLAKE_HOST", host)], &[], &["host is to be a name alone"]);
        assert!(!ran.stderr.contains(host), "{}", ran.stderr);
    }
}

/// Some tools wrap a key's text at other widths, or not at all.
#[test]
fn a_private_key_is_read_however_its_lines_are_wrapped() {
    let key = &TestKey::numbered(3);
    let lines: Vec<&str> = key.private_pem().lines().collect();
    let base64 = lines[1..lines.len() - 1].concat();
    for width in [base64.len(), 76, 32] {
        let wrapped: Vec<&str> = (0..base64.len())
            .step_by(width)
            .map(|at| &base64[at..(at + width).min(base64.len())])
            .collect();
        let ground = Ground::new();
        ground.key_holder("OPS", key);
        ground.put(
            "admin.p8",
            format!("{}\n{}\n{}\n", lines[0], wrapped.join("\n"), lines[lines.len() - 1]),
        );
        let file = format!("private_key_file = \"{}\"", ground.place.path("admin.p8").display());
        ground.connect(&["user = \"OPS\"", &file]);
        assert_eq!(ground.logs_in(&[], &[]).means, by(key), "{width}");
    }
}

// The session.

/// `"gs user"` means itself, wherever the account, or the administrator, is set up to take quoted names in capitals:
/// otherwise the key of `GS USER` would be changed.
#[test]
fn a_quoted_name_means_itself_where_the_account_ignores_the_case_of_quoted_names() {
    for is_of_the_account in [true, false] {
        let place = SnowflakeWorkplace::new(ROTATE);
        let (ours, others) = (TestKey::numbered(2), TestKey::numbered(3));
        for (name, login_name, key) in [("gs user", "gs-user", &ours), ("GS USER", "other", &others)] {
            place.cloud.add_user(name);
            place.cloud.set_login_name(name, login_name);
            place.cloud.set_key(name, Slot::One, key.public_base64());
        }
        if is_of_the_account {
            place.cloud.quoted_identifiers_ignore_case(true);
        } else {
            place.cloud.ignore_case_of_quoted(place.cloud.admin_user(), true);
        }
        let options = ["--user", "\"gs user\"", "--cutover", "immediate", "--soak", "0s"];
        place.run([&["snowflake-keypair"][..], &options].concat()).expect(0);
        let held = |name| place.cloud.slots(name).map(|slot| slot.map(|key| key.fingerprint));
        assert_eq!(held("GS USER"), [Some(others.fingerprint().to_owned()), None]);
        assert!(held("gs user")[1].is_some(), "{:?}", held("gs user"));
        assert!(place.cloud.effects().iter().all(|effect| effect.user == "gs user"));
        place.cloud.expect_all_understood();
    }
}
