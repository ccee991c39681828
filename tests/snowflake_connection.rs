//! The administrator's Snowflake connection is found where the official tools find it, in each of its forms; a connection
//! that cannot be used is refused in words that name it; and nothing that opens one is ever seen.
//!
//! Leans on the strict fake, which says who has logged in, by what means and with which role, and on real files with
//! real modes. In each test everything that opens a door is planted anew, and looked for in all that the program says
//! and keeps, however talkative it is.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use rotate_fixtures::snowflake::{Action, ENCRYPTED_P8, Login, Means, PASSPHRASE, Slot, TestKey};
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

// What wins.

#[test]
fn the_account_of_a_flag_beats_the_connections_own_variable_which_beats_the_file_and_general_variables() {
    let right = "TESTORG-TESTACCT";
    let own = "SNOWFLAKE_CONNECTIONS_DEFAULT_ACCOUNT";
    for (in_file, own_variable, general, in_flag) in [
        ("OTHERORG-FILE", "OTHERORG-OWN", "OTHERORG-ENVIRONMENT", Some(right)),
        ("OTHERORG-FILE", right, "OTHERORG-ENVIRONMENT", None),
        (right, "", "OTHERORG-ENVIRONMENT", None),
    ] {
        let ground = Ground::new();
        let account = format!("account = \"{in_file}\"");
        let lines = [&account, "user = \"ROTATE_ADMIN\"", "password = \"only for the fake\""];
        ground.connect(&lines);
        // With an endpoint of its own: a host belongs to the account that it was written down for.
        let endpoint = ground.place.cloud.endpoint();
        let mut options = vec!["--endpoint-url", &endpoint, "--connection", "default"];
        options.extend(in_flag.iter().flat_map(|account| ["--account", *account]));
        ground.logs_in(&[("SNOWFLAKE_ACCOUNT", general), (own, own_variable)], &options);
        let logins = ground.place.cloud.calls();
        let refused = logins
            .iter()
            .filter(|call| call.action == Some(Action::Login) && call.status != 200);
        assert_eq!(refused.count(), 0);
    }
}

#[test]
fn the_role_of_a_flag_beats_the_environments_which_beats_the_files() {
    for (file, environment, options, expected) in [
        (
            "LOADER",
            &[("SNOWFLAKE_ROLE", "LOADER")][..],
            &["--role", "ACCOUNTADMIN"][..],
            "ACCOUNTADMIN",
        ),
        ("LOADER", &[("SNOWFLAKE_ROLE", "ACCOUNTADMIN")], &[], "ACCOUNTADMIN"),
        ("ACCOUNTADMIN", &[], &[], "ACCOUNTADMIN"),
        ("", &[], &[], "SECURITYADMIN"),
    ] {
        let ground = Ground::new();
        ground.administrator("OPS", CANARY);
        let table = format!("{}role = \"{file}\"\n", ground.table("default", "OPS", CANARY));
        ground.put(".snowflake/connections.toml", table);
        assert_eq!(ground.logs_in(environment, options).role, expected);
    }
}

/// In each way to name it. Whoever has general variables of another account in the environment would else change keys there.
#[test]
fn a_named_connection_is_its_own_variables_then_the_file_and_general_variables_last() {
    let password = |number: u32| format!("{CANARY}-{number}");
    let (first, second, third) = (password(1), password(2), password(3));
    let general = [("SNOWFLAKE_USER", "SECOND"), ("SNOWFLAKE_PASSWORD", second.as_str())];
    let own = [
        ("SNOWFLAKE_CONNECTIONS_OPS_USER", "THIRD"),
        ("SNOWFLAKE_CONNECTIONS_OPS_PASSWORD", third.as_str()),
    ];
    let of_another = [
        ("SNOWFLAKE_CONNECTIONS_OTHER_USER", "THIRD"),
        ("SNOWFLAKE_CONNECTIONS_OTHER_PASSWORD", third.as_str()),
    ];
    let elsewhere = [
        ("SNOWFLAKE_ACCOUNT", "OTHERORG-OTHERACCT"),
        ("SNOWFLAKE_HOST", "otherorg-otheracct.snowflakecomputing.com"),
        ("SNOWFLAKE_ROLE", "LOADER"),
    ];
    for (environment, expected) in [
        (vec![], "FIRST"),
        (general.to_vec(), "FIRST"),
        ([&general[..], &elsewhere].concat(), "FIRST"),
        ([&general[..], &own, &elsewhere].concat(), "THIRD"),
        (own.to_vec(), "THIRD"),
        (of_another.to_vec(), "FIRST"),
    ] {
        for by_variable in [false, true] {
            let ground = Ground::new();
            ground.administrator("FIRST", &first);
            ground.administrator("SECOND", &second);
            ground.administrator("THIRD", &third);
            let table = format!("{}role = \"ACCOUNTADMIN\"\n", ground.table("ops", "FIRST", &first));
            ground.put(".snowflake/connections.toml", table);
            let (mut environment, mut options) = (environment.clone(), vec![]);
            if by_variable {
                environment.push(("SNOWFLAKE_DEFAULT_CONNECTION_NAME", "ops"));
            } else {
                options.extend(["--connection", "ops"]);
            }
            let login = ground.logs_in(&environment, &options);
            assert_eq!((login.user.as_str(), login.role.as_str()), (expected, "ACCOUNTADMIN"));
        }
    }
}

#[test]
fn general_variables_fill_what_a_named_connection_leaves_open() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    let table = format!("[ops]\n{}", ground.connection(&[]));
    ground.put(".snowflake/connections.toml", table);
    let environment = [("SNOWFLAKE_USER", "OPS"), ("SNOWFLAKE_PASSWORD", CANARY)];
    assert_eq!(ground.user(&environment, &["--connection", "ops"]), "OPS");
}

/// A value that is there and empty is empty: Snowflake's own tools do not look further either.
#[test]
fn what_a_named_connection_leaves_empty_is_not_taken_from_general_variables() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    let table = format!("[ops]\n{}", ground.connection(&["user = \"\""]));
    ground.put(".snowflake/connections.toml", table);
    let environment = [("SNOWFLAKE_USER", "OPS"), ("SNOWFLAKE_PASSWORD", CANARY)];
    ground.refuses(
        &environment,
        &["--connection", "ops"],
        &["no user is set", "connection ops of"],
    );
}

#[test]
fn a_host_of_another_account_in_the_environment_is_not_where_a_named_connection_logs_in() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put(
        ".snowflake/connections.toml",
        format!("[ops]\naccount = \"OWNORG-OWN\"\nuser = \"OPS\"\npassword = \"{CANARY}\"\n"),
    );
    let port = ground.place.cloud.port().to_string();
    let proxy = Proxy::new();
    let environment = [
        ("SNOWFLAKE_ACCOUNT", ground.place.cloud.account()),
        ("SNOWFLAKE_HOST", "127.0.0.1"),
        ("SNOWFLAKE_PORT", port.as_str()),
        ("SNOWFLAKE_PROTOCOL", "http"),
        ("HTTPS_PROXY", proxy.url.as_str()),
    ];
    let ran = Ran::of(ground.rotate(&environment, &["--dry-run", "--connection", "ops"]));
    ground.hides_all(&ran);
    ran.expect(1).says(&["ownorg-own.snowflakecomputing.com"]);
    assert_eq!(
        proxy.asked()[0],
        "CONNECT ownorg-own.snowflakecomputing.com:443 HTTP/1.1"
    );
    assert!(ground.place.cloud.calls().is_empty());
}

#[test]
fn accounts_in_china_are_looked_for_in_their_own_domain() {
    for (account, region, host) in [
        (
            "xy12345.cn-northwest-1",
            "",
            "xy12345.cn-northwest-1.snowflakecomputing.cn",
        ),
        (
            "xy12345.cn-northwest-1.aws",
            "",
            "xy12345.cn-northwest-1.aws.snowflakecomputing.cn",
        ),
        (
            "xy12345",
            "region = \"cn-northwest-1\"\n",
            "xy12345.cn-northwest-1.snowflakecomputing.cn",
        ),
        ("xy12345.eu-west-1", "", "xy12345.eu-west-1.snowflakecomputing.com"),
    ] {
        let ground = Ground::new();
        ground.put(
            ".snowflake/connections.toml",
            format!("[cn]\naccount = \"{account}\"\nuser = \"OPS\"\npassword = \"{CANARY}\"\n{region}"),
        );
        let proxy = Proxy::new();
        let ran = Ran::of(ground.rotate(&[("HTTPS_PROXY", &proxy.url)], &["--dry-run", "--connection", "cn"]));
        ground.hides_all(&ran);
        ran.expect(1).says(&[host]);
        assert_eq!(proxy.asked()[0], format!("CONNECT {host}:443 HTTP/1.1"));
    }
}

// Where nobody has said which one is meant.

#[test]
fn an_environment_and_a_default_connection_that_lead_apart_are_refused_before_any_call_with_both_and_what_chooses() {
    for is_in_config in [false, true] {
        for (variable, key, general, in_file) in [
            ("SNOWFLAKE_ACCOUNT", "account", "OTHERORG-OTHERACCT", "TESTORG-TESTACCT"),
            ("SNOWFLAKE_USER", "user", "OTHER", "OPS"),
            ("SNOWFLAKE_HOST", "host", "other.snowflakecomputing.com", "127.0.0.1"),
        ] {
            let ground = Ground::new();
            ground.administrator("OPS", CANARY);
            let (path, text) = if is_in_config {
                let table = ground.table("connections.main", "OPS", CANARY);
                (
                    ".snowflake/config.toml",
                    format!("default_connection_name = \"main\"\n{table}"),
                )
            } else {
                (".snowflake/connections.toml", ground.table("default", "OPS", CANARY))
            };
            ground.put(path, text);
            let name = if is_in_config { "main" } else { "default" };
            let whole = ground.place.path(path);
            let both = [
                &format!("{key} is {general} in ${variable} and {in_file} in the connection"),
                whole.to_str().unwrap(),
                &format!("--connection {name}"),
                &format!("SNOWFLAKE_DEFAULT_CONNECTION_NAME={name}"),
                &format!("$SNOWFLAKE_CONNECTIONS_{}_{}", name.to_uppercase(), key.to_uppercase()),
            ];
            ground.refuses(&[(variable, general)], &[], &both);
            // Each of the ways that are told leads on.
            let named = ("SNOWFLAKE_DEFAULT_CONNECTION_NAME", name);
            Ran::of(ground.rotate(&[(variable, general), named], &["--dry-run"])).expect(0);
            assert_eq!(ground.user(&[(variable, general)], &["--connection", name]), "OPS");
        }
    }
}

#[test]
fn the_environment_is_chosen_over_a_default_connection_by_the_connections_own_variables() {
    let ground = Ground::new();
    ground.administrator("OPS", &format!("{CANARY}-1"));
    ground.administrator("OTHER", &format!("{CANARY}-2"));
    ground.connect(&["user = \"OPS\"", &format!("password = \"{CANARY}-1\"")]);
    let password = format!("{CANARY}-2");
    let environment = [("SNOWFLAKE_USER", "OTHER"), ("SNOWFLAKE_PASSWORD", password.as_str())];
    ground.refuses(
        &environment,
        &[],
        &["user is OTHER in $SNOWFLAKE_USER and OPS in the connection"],
    );
    let chosen = [&environment[..], &[("SNOWFLAKE_CONNECTIONS_DEFAULT_USER", "OTHER")]].concat();
    assert_eq!(ground.user(&chosen, &[]), "OTHER");
}

#[test]
fn an_environment_and_a_default_connection_that_agree_or_complete_each_other_need_no_choice() {
    for (lines, environment) in [
        // One of the two.
        (&["user = \"OPS\"", "password = \"PASSWORD\""][..], &[][..]),
        // Both, however they are written.
        (
            &["user = \"OPS\"", "password = \"PASSWORD\""],
            &[
                ("SNOWFLAKE_USER", "ops"),
                ("SNOWFLAKE_ACCOUNT", "testorg-testacct"),
                ("SNOWFLAKE_HOST", "127.0.0.1"),
            ],
        ),
        // Each a part.
        (&["password = \"PASSWORD\""], &[("SNOWFLAKE_USER", "OPS")]),
        (
            &["user = \"OPS\""],
            &[
                ("SNOWFLAKE_PASSWORD", CANARY),
                ("SNOWFLAKE_ACCOUNT", "TESTORG-TESTACCT"),
            ],
        ),
    ] {
        let ground = Ground::new();
        ground.administrator("OPS", CANARY);
        let lines: Vec<String> = lines.iter().map(|line| line.replace("PASSWORD", CANARY)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        ground.connect(&lines);
        assert_eq!(ground.user(environment, &[]), "OPS", "{lines:?} {environment:?}");
    }
    // And the environment alone, with no file at all.
    let place = SnowflakeWorkplace::new(ROTATE);
    place.run(["snowflake-keypair", "--user", USER]).expect(0);
}

#[test]
fn an_empty_variable_counts_as_none() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put(".snowflake/connections.toml", ground.table("default", "OPS", CANARY));
    let empty = [
        "SNOWFLAKE_USER",
        "SNOWFLAKE_PASSWORD",
        "SNOWFLAKE_ROLE",
        "SNOWFLAKE_CONNECTIONS_DEFAULT_USER",
    ];
    assert_eq!(ground.user(&empty.map(|name| (name, "")), &[]), "OPS");
}

#[test]
fn the_environment_beats_the_file_under_whichever_of_its_names_a_key_is_given() {
    let (in_file, in_environment) = (TestKey::numbered(2), TestKey::numbered(3));
    for (line, variable) in [
        ("private_key_file", "SNOWFLAKE_PRIVATE_KEY_PATH"),
        ("private_key_path", "SNOWFLAKE_PRIVATE_KEY_FILE"),
        ("private_key_file", "SNOWFLAKE_PRIVATE_KEY_RAW"),
    ] {
        let ground = Ground::new();
        ground.key_holder("OPS", &in_file);
        ground
            .place
            .cloud
            .set_key("OPS", Slot::Two, in_environment.public_base64());
        ground.put("file.p8", in_file.private_pem());
        ground.put("environment.p8", in_environment.private_pem());
        let line = format!("{line} = \"{}\"", ground.place.path("file.p8").display());
        let lines = ["user = \"OPS\"", "authenticator = \"SNOWFLAKE_JWT\"", &line];
        ground.connect(&lines);
        let path = ground.place.path("environment.p8");
        let value = if variable.ends_with("RAW") {
            in_environment.private_pem()
        } else {
            path.to_str().unwrap()
        };
        let login = ground.logs_in(&[(variable, value)], &[]);
        assert_eq!(login.means, by(&in_environment), "{variable}");
    }
}

// Which host.

/// A proxy that lets nothing out, and remembers where it was asked to connect to.
struct Proxy {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&asked);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut first, mut line) = (String::new(), String::new());
                stream.read_line(&mut first).unwrap();
                while stream.read_line(&mut line).unwrap_or(0) > 2 {
                    line.clear();
                }
                remembered.lock().unwrap().push(first.trim_end().to_owned());
                let refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.get_mut().write_all(refusal.as_bytes()).unwrap();
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[test]
fn the_connections_host_is_used_for_its_own_account_however_the_flag_writes_it() {
    for written in ["TESTORG-TESTACCT", "testorg-testacct"] {
        let ground = Ground::new();
        ground.administrator("OPS", CANARY);
        ground.put(".snowflake/connections.toml", ground.table("default", "OPS", CANARY));
        let proxy = Proxy::new();
        let ran = Ran::of(ground.rotate(&[("HTTPS_PROXY", &proxy.url)], &["--dry-run", "--account", written]));
        assert_eq!(proxy.asked(), [""; 0], "{written} is sent elsewhere; {ran:#?}");
        ran.expect(0);
    }
}

#[test]
fn another_accounts_login_is_not_sent_to_the_connections_host() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put(".snowflake/connections.toml", ground.table("default", "OPS", CANARY));
    let proxy = Proxy::new();
    let options = ["--dry-run", "--account", "OTHER_ORG-ACCT"];
    let ran = Ran::of(ground.rotate(&[("HTTPS_PROXY", &proxy.url)], &options));
    ground.hides_all(&ran);
    ran.expect(1)
        .says(&["OTHER_ORG-ACCT", "other-org-acct.snowflakecomputing.com"]);
    assert_eq!(
        proxy.asked()[0],
        "CONNECT other-org-acct.snowflakecomputing.com:443 HTTP/1.1"
    );
    assert!(ground.place.cloud.calls().is_empty());
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
