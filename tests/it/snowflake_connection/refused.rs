//! Files and values that cannot be used: told by name, mended by the command that is shown, and never quoted.

use std::fs;

use rotate_fixtures::snowflake::TestKey;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{CANARY, Ground, ROTATE};

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
