//! The login at PostgreSQL, against a real server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use rotate_fixtures::database_door::Protocol;
use rotate_fixtures::{DatabaseDoor, Postgres, has};
use rotate_providers::guide::probe::{Network, Outcome, Verdict};

use super::{Values, address, closed_port, expect, guide, network, try_once, values};

const PASSWORD: &str = "Canary-pg-7Qx!\u{e9}'\"\\ z";

/// A role of a test's own, made anew, with this said of it.
fn role(name: &str, attributes: &str) {
    let server = Postgres::shared();
    for statement in [
        format!("DROP ROLE IF EXISTS {name}"),
        format!(
            "CREATE ROLE {name} LOGIN PASSWORD {} {attributes}",
            format_args!("E'{}'", PASSWORD.replace('\\', "\\\\").replace('\'', "\\'"))
        ),
    ] {
        let answer = server.run("postgres", &statement);
        assert!(answer.ok, "{statement}: {}", answer.complaint);
    }
}

fn given(port: u16, user: &str) -> Values {
    values(&[
        ("server", "localhost"),
        ("port", &port.to_string()),
        ("database", "postgres"),
        ("user", user),
        ("new_user", "nobody"),
    ])
}

async fn sign_in(port: u16, user: &str, password: &str) -> Outcome {
    try_once(&guide("postgres"), &given(port, user), password, &network(None)).await
}

fn port() -> u16 {
    Postgres::shared().address().1
}

#[tokio::test]
async fn a_password_is_accepted_and_any_other_is_rejected_after_one_connection() {
    role("login_plain", "");
    let door = DatabaseDoor::before(address(Postgres::shared().address()), Protocol::Postgres, None);
    expect(&sign_in(door.port(), "login_plain", PASSWORD).await, Verdict::Accepted, "signed-in");
    assert_eq!(door.calls(), 1);
    for (user, password) in [("login_plain", "wrong"), ("login_nobody", PASSWORD)] {
        let before = door.calls();
        let outcome = sign_in(door.port(), user, password).await;
        expect(&outcome, Verdict::Rejected, "sqlstate-28P01");
        assert!(!outcome.may_be_repeated);
        assert_eq!(door.calls(), before + 1, "{user}");
    }
}
