//! The login at PostgreSQL, against a real server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rotate_fixtures::database_door::Protocol;
use rotate_fixtures::{DatabaseDoor, Postgres, has};
use rotate_providers::guide::probe::{Outcome, Verdict};
use rotate_providers::web::Network;

use super::{Values, address, closed_port, expect, guide, network, try_once, values};

const PASSWORD: &str = "Canary-pg-7Qx!\u{e9}'\"\\ z";
const REFUSED: &str = "sqlstate-28P01";

#[track_caller]
fn as_admin(statement: &str) -> String {
    let answer = Postgres::shared().run("postgres", statement);
    assert!(answer.ok, "{statement}: {}", answer.complaint);
    answer.rows
}

/// A role of a test's own, made anew, with this said of it.
fn role(name: &str, attributes: &str) {
    stored_as("scram-sha-256", name, &format!("LOGIN {attributes}"));
}

/// The same, with its password kept in this form.
fn stored_as(encryption: &str, name: &str, attributes: &str) {
    as_admin(&format!("DROP ROLE IF EXISTS {name}"));
    let password = PASSWORD.replace('\\', "\\\\").replace('\'', "\\'");
    as_admin(&format!(
        "SET password_encryption = '{encryption}'; CREATE ROLE {name} PASSWORD E'{password}' {attributes}"
    ));
}

fn given(host: &str, port: u16, user: &str) -> Values {
    values(&[
        ("server", host),
        ("port", &port.to_string()),
        ("database", "postgres"),
        ("user", user),
        ("new_user", "nobody"),
    ])
}

async fn sign_in(port: u16, user: &str, password: &str) -> Outcome {
    try_once(
        &guide("postgres"),
        &given("localhost", port, user),
        password,
        &network(None),
    )
    .await
}

fn port() -> u16 {
    Postgres::shared().address().1
}

fn door(name: Option<&str>) -> DatabaseDoor {
    DatabaseDoor::before(address(Postgres::shared().address()), Protocol::Postgres, name)
}

/// Puts a rule for one user before those that the server has. The file is whole at every moment: others have it read again as well.
fn rule(line: &str) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let path = as_admin("SHOW hba_file");
    let path = path.trim();
    let rules = as_admin(&format!("SELECT pg_read_file('{path}')"));
    as_admin(&format!(
        "COPY (SELECT regexp_split_to_table($rules${line}\n{rules}$rules$, E'\\n')) TO PROGRAM 'cat >{path}.new && mv {path}.new {path}'"
    ));
    let before = as_admin("SELECT pg_conf_load_time()");
    assert_eq!(as_admin("SELECT pg_reload_conf()").trim(), "t");
    // The server reads it when it gets to it.
    let is_read = || as_admin("SELECT pg_conf_load_time()") != before;
    assert!((0..200).any(|_| is_read()), "the rules were not read");
    let wrong = as_admin("SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL");
    assert_eq!(wrong.trim(), "0", "{line}");
}

#[tokio::test]
async fn a_password_is_accepted_and_any_other_is_rejected_each_after_one_connection() {
    role("login_plain", "");
    let door = door(None);
    expect(
        &sign_in(door.port(), "login_plain", PASSWORD).await,
        Verdict::Accepted,
        "signed-in",
    );
    // The second one says no password, and sees that it is asked for one.
    assert_eq!(door.calls(), 2);
    for (user, password) in [
        ("login_plain", "wrong"),
        ("login_plain", " "),
        ("login_nobody", PASSWORD),
    ] {
        let before = door.calls();
        let outcome = sign_in(door.port(), user, password).await;
        expect(&outcome, Verdict::Rejected, REFUSED);
        assert!(!outcome.may_be_repeated);
        assert_eq!(door.calls(), before + 1, "{user}");
    }
    // SCRAM never says it.
    assert!(!has(&door.heard(), PASSWORD.as_bytes()));
}

#[tokio::test]
async fn what_is_wrong_with_the_user_is_told_from_what_is_wrong_with_the_server() {
    stored_as("scram-sha-256", "login_off", "NOLOGIN");
    role("login_expired", "VALID UNTIL '2001-01-01'");
    role("login_full", "CONNECTION LIMIT 0");
    expect(
        &sign_in(port(), "login_off", PASSWORD).await,
        Verdict::Rejected,
        "sqlstate-28000",
    );
    // Who does not know the password is not told that the user may not sign in.
    expect(&sign_in(port(), "login_off", "wrong").await, Verdict::Rejected, REFUSED);
    expect(
        &sign_in(port(), "login_expired", PASSWORD).await,
        Verdict::Rejected,
        REFUSED,
    );
    expect(
        &sign_in(port(), "login_full", PASSWORD).await,
        Verdict::Inconclusive,
        "sqlstate-53300",
    );
    role("login_lost", "");
    let mut lost = given("localhost", port(), "login_lost");
    lost.insert("database".to_owned(), "no such database".to_owned());
    let outcome = try_once(&guide("postgres"), &lost, PASSWORD, &network(None)).await;
    expect(&outcome, Verdict::Inconclusive, "sqlstate-3D000");
    let outcome = try_once(&guide("postgres"), &lost, "wrong", &network(None)).await;
    expect(&outcome, Verdict::Rejected, REFUSED);
}

#[tokio::test]
async fn where_a_server_asks_for_no_password_nothing_is_known_of_any() {
    role("login_trusted", "");
    rule("host all login_trusted all trust");
    for password in [PASSWORD, "wrong"] {
        let outcome = sign_in(port(), "login_trusted", password).await;
        expect(&outcome, Verdict::Inconclusive, "no-password");
    }
}

#[tokio::test]
async fn rules_of_the_server_say_nothing_about_a_password() {
    role("login_barred", "");
    rule("host all login_barred all reject");
    let outcome = sign_in(port(), "login_barred", PASSWORD).await;
    expect(&outcome, Verdict::Inconclusive, "sqlstate-28000");
    assert!(outcome.reason.contains("pg_hba.conf"), "{}", outcome.reason);
    // A rule for people of this machine, whom the server would have to ask who they are.
    role("login_ident", "");
    rule("host all login_ident all ident");
    let outcome = sign_in(port(), "login_ident", PASSWORD).await;
    expect(&outcome, Verdict::Inconclusive, "sqlstate-28000");
}

#[tokio::test]
async fn every_form_in_which_a_server_asks_for_a_password_is_answered() {
    for (user, method, encryption) in [
        ("login_md5", "md5", "md5"),
        ("login_scram", "scram-sha-256", "scram-sha-256"),
        ("login_clear", "password", "scram-sha-256"),
    ] {
        stored_as(encryption, user, "LOGIN");
        let stored = as_admin(&format!(
            "SELECT left(rolpassword, 3) FROM pg_authid WHERE rolname = '{user}'"
        ));
        assert_eq!(stored.trim().to_lowercase(), encryption[..3], "{user}");
        rule(&format!("host all {user} all {method}"));
        expect(&sign_in(port(), user, PASSWORD).await, Verdict::Accepted, "signed-in");
        expect(&sign_in(port(), user, "wrong").await, Verdict::Rejected, REFUSED);
    }
}

#[tokio::test]
async fn with_a_file_of_authorities_only_the_right_name_is_believed_and_nothing_is_said_to_others() {
    role("login_tls", "");
    let right = door(Some("localhost"));
    let file = network(Some(right.authority()));
    let guide = guide("postgres");
    let outcome = try_once(&guide, &given("localhost", right.port(), "login_tls"), PASSWORD, &file).await;
    expect(&outcome, Verdict::Accepted, "signed-in");
    let other = door(Some("db.example"));
    let none = door(None);
    for (door, authority, class) in [
        (&other, other.authority(), "tls"),
        (&right, other.authority(), "tls"),
        (&none, none.authority(), "no-tls"),
    ] {
        let (before, heard) = (door.calls(), door.heard().len());
        let given = given("localhost", door.port(), "login_tls");
        let outcome = try_once(&guide, &given, PASSWORD, &network(Some(authority))).await;
        expect(&outcome, Verdict::Inconclusive, class);
        assert_eq!(door.calls(), before + 1);
        assert_eq!(
            door.heard().len(),
            heard,
            "something was said to a server that was not believed"
        );
    }
}

#[tokio::test]
async fn on_this_machine_tls_is_used_where_there_is_some_whatever_its_name() {
    role("login_tunnel", "");
    let tunnel = door(Some("db.example"));
    expect(
        &sign_in(tunnel.port(), "login_tunnel", PASSWORD).await,
        Verdict::Accepted,
        "signed-in",
    );
    expect(
        &sign_in(tunnel.port(), "login_tunnel", "wrong").await,
        Verdict::Rejected,
        REFUSED,
    );
}

#[tokio::test]
async fn where_nobody_answers_nothing_is_known() {
    let outcome = sign_in(closed_port(), "anybody", PASSWORD).await;
    expect(&outcome, Verdict::Inconclusive, "connection");
    let hangs = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = hangs.local_addr().expect("an address").port();
    let impatient = Network {
        time_out: Duration::from_millis(300),
        ..Network::default()
    };
    let outcome = try_once(
        &guide("postgres"),
        &given("127.0.0.1", port, "anybody"),
        PASSWORD,
        &impatient,
    )
    .await;
    expect(&outcome, Verdict::Inconclusive, "time-out");
    assert!(!outcome.may_be_repeated);
}

/// A server that says this to whoever begins a session, without TLS, and what was said to it.
fn says(answer: Vec<u8>) -> (u16, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let heard = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let mut request = [0; 8];
        client.read_exact(&mut request).expect("a request for TLS");
        client.write_all(b"N").expect("a client");
        let mut length = [0; 4];
        client.read_exact(&mut length).expect("a beginning");
        let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
        client.read_exact(&mut rest).expect("a beginning");
        client.write_all(&answer).expect("a client");
        let _ = client.read_to_end(&mut Vec::new());
        rest
    });
    (port, heard)
}

fn error(fields: &[(u8, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, text) in fields {
        body.push(*field);
        body.extend(text.bytes());
        body.push(0);
    }
    body.push(0);
    let mut message = vec![b'E'];
    message.extend(u32::try_from(body.len() + 4).expect("short").to_be_bytes());
    message.extend(body);
    message
}

#[tokio::test]
async fn a_server_that_starts_or_makes_something_up_rejects_nobody_and_is_not_quoted() {
    let echo = format!("your password is {PASSWORD}");
    for (state, routine, class) in [
        ("57P03", "ProcessStartupPacket", "sqlstate-57P03"),
        ("53300", "InitProcess", "sqlstate-53300"),
        ("28P02", "somewhere", "sqlstate-28P02"),
        ("08P01", "", "sqlstate-08P01"),
        ("28P01\u{1b}[2J", "auth_failed", "sqlstate-unknown"),
    ] {
        let answer = error(&[
            (b'S', "FATAL"),
            (b'V', "FATAL"),
            (b'C', state),
            (b'M', &echo),
            (b'R', routine),
        ]);
        let (port, heard) = says(answer);
        let outcome = sign_in(port, "anybody", PASSWORD).await;
        expect(&outcome, Verdict::Inconclusive, class);
        assert!(!outcome.reason.contains("Canary"), "{}", outcome.reason);
        drop(heard);
    }
    // No message of the protocol at all, and none.
    for answer in [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Vec::new()] {
        let (port, _) = says(answer);
        let impatient = Network {
            time_out: Duration::from_secs(1),
            ..Network::default()
        };
        let given = given("localhost", port, "anybody");
        let outcome = try_once(&guide("postgres"), &given, PASSWORD, &impatient).await;
        assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.class);
    }
}

#[tokio::test]
async fn redshift_is_sent_no_parameter_that_it_does_not_know_and_refuses_in_its_own_way() {
    for (guide_id, verdict) in [("redshift", Verdict::Rejected), ("postgres", Verdict::Inconclusive)] {
        let answer = error(&[(b'S', "FATAL"), (b'C', "28000"), (b'M', "no"), (b'R', "auth_failed")]);
        let (port, heard) = says(answer);
        let given = given("localhost", port, "anybody");
        expect(
            &try_once(&guide(guide_id), &given, PASSWORD, &network(None)).await,
            verdict,
            "sqlstate-28000",
        );
        let beginning = heard.join().expect("the listener ends");
        let words: Vec<String> = beginning
            .get(4..)
            .unwrap_or_default()
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .filter(|word| !word.is_empty())
            .collect();
        assert_eq!(
            words,
            ["client_encoding", "UTF8", "user", "anybody", "database", "postgres"],
            "{guide_id}"
        );
    }
}
