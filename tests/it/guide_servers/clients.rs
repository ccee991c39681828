//! How a person signs in to see that a new password works: the command of the guide, in bash and in dash, at a terminal, with the
//! real client and a real server.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rotate_fixtures::{MySql, Postgres};

use super::shells::{at_a_terminal, program};
use super::{Typist, Values, values};

/// With what a shell, a database and a client each might take for more than a letter.
const PASSWORD: &str = "Pw-1 \"q'$x\\z#&";
const USERS: [&str; 3] = ["sign_in", "O'Brien $(id) `id`", "Gain Sight\"#"];

/// Signs in with this password; whether the client was let in, and what was shown.
fn signs_in(shell: &str, text: &str, client: &[OsString], name: &str, password: &str) -> (bool, String) {
    let words = client
        .iter()
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''")));
    let words: Vec<String> = words.collect();
    let place = tempfile::tempdir().expect("a temporary folder");
    program(
        place.path(),
        name,
        &format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" ")),
    );
    at_a_terminal(shell, text, &[password], place.path(), place.path(), &[])
}

/// In each shell the right password gets in and the wrong one does not; neither is shown.
#[track_caller]
fn expect_in_with_the_right_one_alone(text: &str, client: &[OsString], name: &str, user: &str) {
    for shell in ["bash", "dash"] {
        let (ok, shown) = signs_in(shell, text, client, name, PASSWORD);
        assert!(ok && shown.contains(user), "{user} in {shell}: {shown}");
        assert!(!shown.contains(&PASSWORD[..6]), "it is shown: {shown}");
        let (ok, shown) = signs_in(shell, text, client, name, "wrong");
        assert!(!ok && !shown.contains("wrong"), "{user} in {shell}: {shown}");
    }
}

#[test]
fn the_real_mysql_signs_in_as_its_guide_says() {
    let server = MySql::shared();
    let port = server.address().1.to_string();
    for user in USERS {
        let name = format!("'{}'@'%'", user.replace('\'', "''"));
        let password = PASSWORD.replace('\\', "\\\\").replace('\'', "''");
        let made = server.run(&format!(
            "DROP USER IF EXISTS {name}; CREATE USER {name} IDENTIFIED BY '{password}'"
        ));
        assert!(made.ok, "{}", made.complaint);
        let text = text("mysql", &port, &[("user", user)]);
        expect_in_with_the_right_one_alone(&text, &server.client(), "mysql", user);
    }
}

#[test]
fn the_real_psql_signs_in_as_the_guides_of_postgresql_and_redshift_say() {
    let server = Postgres::shared();
    let port = server.address().1.to_string();
    let client = [OsString::from(whole_path(server.client()))];
    for user in USERS {
        let name = format!("\"{}\"", user.replace('"', "\"\""));
        let password = PASSWORD.replace('\'', "''");
        for statement in [
            format!("DROP ROLE IF EXISTS {name}"),
            format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'"),
        ] {
            let made = server.run("postgres", &statement);
            assert!(made.ok, "{statement}: {}", made.complaint);
        }
        for guide in ["postgres", "redshift"] {
            let text = text(guide, &port, &[("database", "postgres"), ("new_user", user)]);
            let text = match server.has_tls() {
                true => text,
                // What the guide says of a server that has none.
                false => text.replace("PGSSLMODE=require", "PGSSLMODE=prefer"),
            };
            expect_in_with_the_right_one_alone(&text, &client, "psql", user);
        }
    }
}

/// Where a program is: under its bare name, whoever stands in its place would find themselves.
fn whole_path(program: &Path) -> PathBuf {
    if program.is_absolute() {
        return program.to_owned();
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&folders).map(|folder| folder.join(program));
    found
        .into_iter()
        .find(|path| path.is_file())
        .expect("psql is installed")
}

/// The command of the guide that signs in.
fn text(id: &str, port: &str, more: &[(&str, &str)]) -> String {
    let mut given: Values = values(&[("server", "127.0.0.1"), ("port", port)]);
    given.extend(values(more));
    Typist::of(id).text("sign-in", &given, &[])
}
