//! Each file that is read: a pipe, a socket, a device or a folder in its place is told at once, by its name, and nothing waits.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{FleetWorkplace, Ran, SnowflakeWorkplace, Workplace};

use crate::files::limit::{Odd, ended};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

#[test]
fn a_configuration_that_is_no_file_is_told_at_once() {
    let place = FleetWorkplace::new(ROTATE);
    for odd in Odd::ALL {
        odd.put(&place.path("rotate.toml"));
        for command in ["plan", "run", "status", "doctor"] {
            let ran = ended(place.command([command]), "rotate.toml");
            ran.expect(64).says(&["rotate.toml", odd.words(), "not a file"]);
        }
        odd.remove(&place.path("rotate.toml"));
    }
    assert_eq!(place.cloud.call_count(), 0);
}

#[test]
fn a_file_that_the_aws_libraries_would_read_and_wait_for_is_told_at_once() {
    let place = Workplace::new(ROTATE);
    for variable in [
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CONFIG_FILE",
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ] {
        for odd in Odd::ALL {
            let path = place.path("odd");
            odd.put(&path);
            let mut command = place.rotate([""; 0]);
            command.env(variable, &path);
            let ran = ended(command, variable);
            ran.expect(1)
                .says(&[&path.display().to_string(), odd.words(), "not a regular file"])
                .says(&["nothing was changed"]);
            odd.remove(&path);
        }
    }
    place.expect_untouched();
    // Who wants no file names this one.
    let mut none = place.rotate([""; 0]);
    none.env("AWS_CONFIG_FILE", "/dev/null");
    Ran::of(none).expect(0);
}

#[test]
fn a_folder_of_certificates_with_a_pipe_in_it_is_told_at_once() {
    let place = Workplace::new(ROTATE);
    fs::create_dir(place.path("certificates")).expect("the folder is ours");
    Odd::Pipe.put(&place.path("certificates/one.pem"));
    let mut command = place.rotate([""; 0]);
    command.env("SSL_CERT_DIR", place.path("certificates"));
    ended(command, "one.pem").expect(1).says(&["one.pem", "a pipe"]);
    place.expect_untouched();
}

#[test]
fn a_file_of_the_snowflake_connection_that_is_none_is_told_at_once() {
    let place = SnowflakeWorkplace::new(ROTATE);
    fs::create_dir(place.path(".snowflake")).expect("the folder is ours");
    for name in ["connections.toml", "config.toml"] {
        for odd in Odd::ALL {
            let path = place.path(".snowflake").join(name);
            odd.put(&path);
            let ran = ended(place.rotate([""; 0]), name);
            ran.expect(1).says(&[name, odd.words(), "not a regular file"]);
            odd.remove(&path);
        }
    }
    for odd in Odd::ALL {
        let path = place.path("odd");
        odd.put(&path);
        for option in ["--passphrase-file", "--current-key"] {
            let ran = ended(place.rotate([option, "odd"]), option);
            assert_ne!(ran.code, Some(0), "{option}");
            ran.says(&[odd.words(), "not a regular file"]);
        }
        let mut by_key = place.rotate([""; 0]);
        by_key
            .env_remove("SNOWFLAKE_PASSWORD")
            .env("SNOWFLAKE_AUTHENTICATOR", "SNOWFLAKE_JWT")
            .env("SNOWFLAKE_PRIVATE_KEY_FILE", &path);
        let ran = ended(by_key, "the administrator's key").expect(1);
        ran.says(&[odd.words(), "not a regular file"]);
        odd.remove(&path);
    }
    place.expect_untouched();
}

#[test]
fn a_file_of_the_state_folder_that_is_none_is_told_at_once() {
    for name in [
        "rotate.db",
        "identity.age",
        "rotate.lock",
        "rotate.db-wal",
        "rotate.db-journal",
        "rotate.db-shm",
    ] {
        let place = Workplace::new(ROTATE);
        Ran::of(place.rotate([""; 0])).expect(0);
        let (calls, path) = (place.cloud.call_count(), place.state().join(name));
        let kept = place.path("kept");
        if path.exists() {
            fs::rename(&path, &kept).expect("the folder is ours");
        }
        for odd in Odd::ALL {
            odd.put(&path);
            for words in [&["confirm", TARGET][..], &["run"]] {
                let ran = ended(place.command(words), name).expect(1);
                ran.says(&[name, odd.words(), "not a regular file", "nothing was touched"]);
            }
            odd.remove(&path);
        }
        assert_eq!(place.cloud.call_count(), calls, "{name}");
        if kept.exists() {
            fs::rename(&kept, &path).expect("the folder is ours");
        }
        place.run(["confirm", TARGET]).expect(0);
    }
}

#[test]
fn a_destination_that_is_a_socket_or_a_device_is_refused_before_a_key_is_made() {
    let place = Workplace::new(ROTATE);
    for odd in Odd::ALL {
        for (name, destination) in [("key.json", "file:key.json"), ("creds", "aws-profile:acme@creds")] {
            odd.put(&place.path(name));
            let ran = ended(place.rotate_to(&[destination], [""; 0]), name).expect(1);
            ran.says(&[name, odd.words(), "not a regular file", "nothing was changed"]);
            odd.remove(&place.path(name));
        }
    }
    place.expect_untouched();
}

#[test]
fn a_file_without_end_is_not_read_whole() {
    let place = SnowflakeWorkplace::new(ROTATE);
    // A hole takes no room on the disk.
    let sparse = |name: &str, size: u64| {
        let file = fs::File::create(place.path(name)).expect("the folder is ours");
        file.set_len(size).expect("it can be as long as that");
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o600)).expect("it is ours");
    };
    fs::create_dir(place.path(".snowflake")).expect("the folder is ours");
    sparse(".snowflake/connections.toml", 1 << 40);
    let ran = ended(place.rotate([""; 0]), "connections.toml").expect(1);
    ran.says(&["connections.toml", "1099511627776 bytes"]);
    fs::remove_file(place.path(".snowflake/connections.toml")).expect("it is ours");
    sparse("large", 1 << 40);
    let ran = ended(place.rotate(["--passphrase-file", "large"]), "the passphrase");
    ran.says(&["large", "1099511627776 bytes"]);
    place.expect_untouched();

    let aws = Workplace::new(ROTATE);
    for variable in ["AWS_CONFIG_FILE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let mut command = aws.rotate([""; 0]);
        command.env(variable, place.path("large"));
        ended(command, variable)
            .expect(1)
            .says(&["large", "1099511627776 bytes"]);
    }
    aws.expect_untouched();
}
