//! The same with the program itself, and everything that it and its libraries can say: no credential is in any of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rotate_fixtures::place::Place;
use rotate_fixtures::probed_vendor::{ProbedVendor, Said};
use rotate_fixtures::{MySql, Postgres, Ran, has, memory_folder};

use super::assertions::{identity, key_file};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const CANARY: &str = "canaryC0FFEEc0ffee5ecret";

/// Tries this secret; what is said has none of these marks in it.
#[track_caller]
fn verify(vendor: Option<&ProbedVendor>, secret: &str, marks: &[&str], arguments: &[&str]) -> (String, String) {
    let place = Place::new(Path::new(ROTATE), &memory_folder());
    let path = place.path("secret");
    fs::write(&path, secret).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a file");
    let fixed = ["--output", "json", "verify", "--secret-file", "secret"];
    let mut command = place.command(
        [("LANG", "C.UTF-8"), ("RUST_LOG", "trace")],
        fixed.iter().chain(arguments),
    );
    if let Some(vendor) = vendor {
        vendor.lead(&place, &mut command);
    }
    let ran = Ran::of(command);
    for mark in marks {
        assert!(
            !ran.stdout.contains(mark) && !ran.stderr.contains(mark),
            "{}\n{}",
            ran.stdout,
            ran.stderr
        );
        for entry in fs::read_dir(place.state()).into_iter().flatten().flatten() {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            assert!(
                !has(&bytes, mark.as_bytes()),
                "it was stored: {}",
                entry.path().display()
            );
        }
    }
    let document = ran.json();
    let text = |key: &str| document["verification"][key].as_str().unwrap_or_default().to_owned();
    (text("verdict"), text("class"))
}

#[track_caller]
fn expect(found: (String, String), verdict: &str, class: &str) {
    assert_eq!((found.0.as_str(), found.1.as_str()), (verdict, class));
}

#[test]
fn a_password_of_a_database_is_seen_nowhere_whatever_comes_of_it() {
    let postgres = Postgres::shared();
    let made = postgres.run("postgres", "DROP ROLE IF EXISTS login_canary");
    assert!(made.ok, "{}", made.complaint);
    let made = postgres.run(
        "postgres",
        &format!("CREATE ROLE login_canary LOGIN PASSWORD '{CANARY}'"),
    );
    assert!(made.ok, "{}", made.complaint);
    let port = postgres.address().1.to_string();
    let given = [
        "postgres",
        "--server",
        "localhost",
        "--port",
        &port,
        "--database",
        "postgres",
        "--user",
    ];
    let of = |user: &'static str| [given.as_slice(), &[user]].concat();
    expect(
        verify(None, CANARY, &[CANARY], &of("login_canary")),
        "accepted",
        "signed-in",
    );
    expect(
        verify(None, CANARY, &[CANARY], &of("login_nobody")),
        "rejected",
        "sqlstate-28P01",
    );
    let mysql = MySql::shared();
    let made = mysql.run(&format!(
        "DROP USER IF EXISTS 'login_canary'@'%'; CREATE USER 'login_canary'@'%' IDENTIFIED BY '{CANARY}'"
    ));
    assert!(made.ok, "{}", made.complaint);
    let port = mysql.address().1.to_string();
    let given = ["mysql", "--server", "localhost", "--port", &port, "--user"];
    let of = |user: &'static str| [given.as_slice(), &[user]].concat();
    expect(
        verify(None, CANARY, &[CANARY], &of("login_canary")),
        "accepted",
        "signed-in",
    );
    expect(
        verify(None, &format!("{CANARY}x"), &[CANARY], &of("login_canary")),
        "rejected",
        "mysql-1045",
    );
}

#[test]
fn a_key_is_seen_nowhere_and_goes_to_the_vendors_own_host_whatever_its_file_says() {
    let (key, certificate) = identity(0);
    // A line of the key, as it stands in PEM.
    let line = key.lines().nth(9).expect("a key has more lines");
    let tokens = ProbedVendor::start(Said::json(200, r#"{"access_token": "t", "token_type": "Bearer"}"#));
    let file = key_file(&[("token_uri", serde_json::json!("https://elsewhere.example/token"))]);
    let google = [
        "bigquery-service-account",
        "--service-account",
        "gainsight@acme-data.iam.gserviceaccount.com",
        "--project",
        "acme-data",
    ];
    expect(verify(Some(&tokens), &file, &[line], &google), "accepted", "http-200");
    let entra = [
        "dynamics-certificate",
        "--org",
        "acme.crm4.dynamics.com",
        "--tenant",
        "acme.example",
        "--client-id",
        "11111111-2222-3333-4444-555555555555",
    ];
    let both = format!("{certificate}{key}");
    expect(verify(Some(&tokens), &both, &[line], &entra), "accepted", "http-200");
    assert_eq!(tokens.hosts(), ["oauth2.googleapis.com", "login.microsoftonline.com"]);
    let snowflake = [
        "snowflake-password",
        "--user",
        "GS",
        "--account",
        "acme-xy12345",
        "--successor",
        "token",
    ];
    let refuses = ProbedVendor::start(Said::json(200, r#"{"success": false, "code": "390100", "data": null}"#));
    let token = format!("eyJ{CANARY}");
    expect(
        verify(Some(&refuses), &token, &[CANARY], &snowflake),
        "rejected",
        "http-200",
    );
    let [asked] = refuses.asked().try_into().expect("one request");
    assert!(asked.body.contains(&format!("\"TOKEN\":\"{token}\"")), "{asked:?}");
    assert!(!asked.body.contains("PASSWORD"), "{asked:?}");
    expect(
        verify(Some(&refuses), CANARY, &[CANARY], &snowflake[..5]),
        "rejected",
        "http-200",
    );
    let [_, asked] = refuses.asked().try_into().expect("one request more");
    assert!(asked.body.contains(&format!("\"PASSWORD\":\"{CANARY}\"")), "{asked:?}");
    assert!(!asked.body.contains("TOKEN"), "{asked:?}");
    assert_eq!(refuses.hosts(), ["acme-xy12345.snowflakecomputing.com"; 2]);
}
