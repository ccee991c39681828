//! The login at MySQL, against a real server.

use rotate_fixtures::database_door::Protocol;
use rotate_fixtures::{DatabaseDoor, MySql, has};
use rotate_providers::guide::probe::{Outcome, Verdict};

use super::{Values, address, closed_port, expect, guide, network, try_once, values};

const PASSWORD: &str = "Canary-my-7Qx!\u{e9}\" z";
const REFUSED: &str = "mysql-1045";

#[track_caller]
fn as_admin(statements: &str) {
    let answer = MySql::shared().run(statements);
    assert!(answer.ok, "{statements}: {}", answer.complaint);
}

/// An account of a test's own, made anew, with this said of it.
fn account(name: &str, host: &str, options: &str) {
    as_admin(&format!(
        "DROP USER IF EXISTS '{name}'@'{host}'; CREATE USER '{name}'@'{host}' IDENTIFIED BY '{PASSWORD}' {options}"
    ));
}

fn given(port: u16, user: &str) -> Values {
    values(&[("server", "localhost"), ("port", &port.to_string()), ("user", user)])
}

async fn sign_in(port: u16, user: &str, password: &str) -> Outcome {
    try_once(&guide("mysql"), &given(port, user), password, &network(None)).await
}

fn port() -> u16 {
    MySql::shared().address().1
}

fn door(name: Option<&str>) -> DatabaseDoor {
    DatabaseDoor::before(address(MySql::shared().address()), Protocol::MySql, name)
}

#[tokio::test]
async fn a_password_is_accepted_and_any_other_is_rejected_each_after_one_connection() {
    account("login_plain", "%", "");
    let door = door(Some("localhost"));
    expect(
        &sign_in(door.port(), "login_plain", PASSWORD).await,
        Verdict::Accepted,
        "signed-in",
    );
    // And again, when the server has the proof in its memory.
    expect(
        &sign_in(door.port(), "login_plain", PASSWORD).await,
        Verdict::Accepted,
        "signed-in",
    );
    assert_eq!(door.calls(), 2);
    let outcome = sign_in(door.port(), "login_plain", "wrong").await;
    expect(&outcome, Verdict::Rejected, REFUSED);
    assert!(!outcome.may_be_repeated);
    assert_eq!(door.calls(), 3);
    // Of a user that it does not know the server makes up a method, so that nobody can tell.
    for user in ["login_nobody", "login_noone", "login_none"] {
        let before = door.calls();
        let outcome = sign_in(door.port(), user, PASSWORD).await;
        match outcome.verdict {
            Verdict::Rejected => expect(&outcome, Verdict::Rejected, REFUSED),
            _ => expect(&outcome, Verdict::Inconclusive, "method"),
        }
        assert!(!outcome.may_be_repeated);
        assert_eq!(door.calls(), before + 1, "{user}");
    }
}

#[tokio::test]
async fn both_passwords_are_accepted_until_the_old_one_is_discarded() {
    account("login_dual", "%", "");
    as_admin("ALTER USER 'login_dual'@'%' IDENTIFIED BY 'new-1' RETAIN CURRENT PASSWORD");
    expect(
        &sign_in(port(), "login_dual", PASSWORD).await,
        Verdict::Accepted,
        "signed-in",
    );
    expect(
        &sign_in(port(), "login_dual", "new-1").await,
        Verdict::Accepted,
        "signed-in",
    );
    as_admin("ALTER USER 'login_dual'@'%' DISCARD OLD PASSWORD");
    expect(
        &sign_in(port(), "login_dual", PASSWORD).await,
        Verdict::Rejected,
        REFUSED,
    );
    expect(
        &sign_in(port(), "login_dual", "new-1").await,
        Verdict::Accepted,
        "signed-in",
    );
}

#[tokio::test]
async fn a_locked_account_is_rejected_and_an_expired_password_is_neither() {
    account("login_locked", "%", "ACCOUNT LOCK");
    expect(
        &sign_in(port(), "login_locked", PASSWORD).await,
        Verdict::Rejected,
        "mysql-3118",
    );
    account("login_expired", "%", "PASSWORD EXPIRE");
    let outcome = sign_in(port(), "login_expired", PASSWORD).await;
    expect(&outcome, Verdict::Inconclusive, "mysql-1862");
    assert!(
        outcome.reason.contains("is right and has expired"),
        "{}",
        outcome.reason
    );
    expect(
        &sign_in(port(), "login_expired", "wrong").await,
        Verdict::Rejected,
        REFUSED,
    );
    account("login_tried", "%", "FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME 1");
    expect(
        &sign_in(port(), "login_tried", "wrong").await,
        Verdict::Inconclusive,
        "mysql-3955",
    );
    expect(
        &sign_in(port(), "login_tried", PASSWORD).await,
        Verdict::Inconclusive,
        "mysql-3955",
    );
}

#[tokio::test]
async fn an_account_of_another_host_is_neither_accepted_nor_rejected() {
    // As the server sees this machine: by its name or by its address.
    account("login_here", "localhost", "");
    account("login_here", "127.0.0.1", "");
    account("login_there", "10.99.99.%", "");
    let outcome = sign_in(port(), "login_here", PASSWORD).await;
    expect(&outcome, Verdict::Inconclusive, "other-account");
    let mut there = given(port(), "login_there");
    there.insert("account_host".to_owned(), "10.99.99.%".to_owned());
    let outcome = try_once(&guide("mysql"), &there, PASSWORD, &network(None)).await;
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.reason);
    assert!([REFUSED, "method"].contains(&&*outcome.class), "{}", outcome.class);
}

#[tokio::test]
async fn with_a_file_of_authorities_only_the_right_name_is_believed_and_nothing_is_said_to_others() {
    account("login_tls", "%", "");
    let right = door(Some("localhost"));
    let guide = guide("mysql");
    let file = network(Some(right.authority()));
    let outcome = try_once(&guide, &given(right.port(), "login_tls"), PASSWORD, &file).await;
    expect(&outcome, Verdict::Accepted, "signed-in");
    let other = door(Some("db.example"));
    for (door, authority) in [(&other, other.authority()), (&right, other.authority())] {
        let (before, heard) = (door.calls(), door.heard().len());
        let outcome = try_once(
            &guide,
            &given(door.port(), "login_tls"),
            PASSWORD,
            &network(Some(authority)),
        )
        .await;
        expect(&outcome, Verdict::Inconclusive, "tls");
        assert_eq!(door.calls(), before + 1);
        assert_eq!(
            door.heard().len(),
            heard,
            "something was said to a server that was not believed"
        );
    }
}

#[tokio::test]
async fn without_tls_no_password_is_sent_not_even_on_this_machine() {
    account("login_open", "%", "");
    let none = door(None);
    for network in [network(None), network(Some(none.authority()))] {
        let outcome = try_once(&guide("mysql"), &given(none.port(), "login_open"), PASSWORD, &network).await;
        expect(&outcome, Verdict::Inconclusive, "no-tls");
    }
    assert_eq!(none.calls(), 2);
    assert!(!has(&none.heard(), b"login_open"), "not even the user was told");
    expect(
        &sign_in(closed_port(), "login_open", PASSWORD).await,
        Verdict::Inconclusive,
        "connection",
    );
}
