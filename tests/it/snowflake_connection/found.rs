//! Where the files are, and which connection of them is used.

use rotate_fixtures::Ran;
use rotate_fixtures::snowflake_workplace::{TARGET, USER};

use super::{CANARY, Ground};

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
