//! How the administrator proves who it is: keys, passphrases, passwords and tokens from each of their places.

use rotate_fixtures::SnowflakeWorkplace;
use rotate_fixtures::snowflake::{ENCRYPTED_P8, Means, PASSPHRASE, Slot, TestKey};

use super::{CANARY, Ground, ROTATE, by};

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
