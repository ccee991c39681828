//! The Redshift guide, as far as PostgreSQL goes: no Redshift can be had without its vendor. What they share runs as it stands;
//! the views that only Redshift has are stood in for by tables with the columns that AWS documents, so their statements are
//! read and quoted rightly, and prove nothing about what such a view says. What PostgreSQL does not know at all is named below.

use rotate_fixtures::Postgres;
use rotate_providers::guide::{Language, Repeat};

use super::{Typist, taken, values};

/// Not in PostgreSQL: `PASSWORD DISABLE`.
const NOT_SHARED: [&str; 2] = ["create-user", "disable-password"];

/// By AWS's pages on these views, the columns that the guide reads.
const VIEWS: &str = "
CREATE TABLE sys_connection_log (user_name char(50), remote_host char(32), application_name char(250), event char(50), record_time timestamp);
CREATE TABLE svv_user_grants (user_id int, user_name text, role_id int, role_name text);
CREATE TABLE svv_relation_privileges (namespace_name text, relation_name text, privilege_type text, identity_type text, identity_name text);
CREATE TABLE svv_schema_privileges (namespace_name text, privilege_type text, identity_type text, identity_name text);
CREATE TABLE svv_tables (table_schema text, table_name text, table_type text);
CREATE TABLE svv_user_info (user_id int, user_name text);
CREATE TABLE sys_session_history (user_id char(50), session_id int, database_name char(50), status char(50), session_timeout int, start_time timestamp, end_time timestamp);
";

#[test]
fn what_postgresql_shares_with_redshift_does_what_the_guide_says_there_and_back() {
    let server = Postgres::shared();
    for (number, name) in ["plain", "first+last@acme.com", "gain sight", "a\"b`c", "$(id)"]
        .iter()
        .enumerate()
    {
        let (a, b) = (format!("r{name}{number}a"), format!("r{number}{name}"));
        let database = format!("redshift {number}");
        let ident = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        for statement in [
            format!("CREATE DATABASE {}", ident(&database)),
            format!("CREATE USER {} PASSWORD 'old'", ident(&a)),
        ] {
            let made = server.run("postgres", &statement);
            assert!(made.ok, "{statement}: {}", made.complaint);
        }
        let prepared = server.run(&database, &format!("{VIEWS} CREATE SCHEMA app; CREATE TABLE app.t1 (a int); CREATE GROUP g{number}; ALTER GROUP g{number} ADD USER {}; CREATE USER {}", ident(&a), ident(&b)));
        assert!(prepared.ok, "{}", prepared.complaint);
        let mut typist = Typist::of("redshift");
        let group = format!("g{number}");
        for (user, new_user, password) in [(&a, &b, "Second1pw"), (&b, &a, "Third1pw")] {
            let values = values(&[
                ("server", "127.0.0.1"),
                ("database", &database),
                ("user", user),
                ("new_user", new_user),
            ]);
            assert!(taken(&typist.guide, &values), "the guide refuses {name:?}");
            let quoted = format!("'{password}'");
            let mut named: Vec<(&str, Vec<(&str, &str)>)> = vec![
                ("check-server", vec![]),
                ("look-at-users", vec![]),
                ("list-sign-ins", vec![]),
                ("list-groups", vec![]),
                ("list-roles", vec![]),
                ("list-grants", vec![]),
                ("list-schema-grants", vec![]),
                ("list-owned", vec![]),
                ("add-to-groups", vec![("<GROUP>", &group)]),
                ("grant-schemas", vec![("<SCHEMA>", "app")]),
                ("grant-relations", vec![("<SCHEMA>", "app"), ("<TABLE>", "t1")]),
                ("set-password", vec![("<NEW PASSWORD>", &quoted)]),
                ("read-a-table", vec![("<SCHEMA>", "app"), ("<TABLE>", "t1")]),
                ("see-sign-ins", vec![]),
                ("list-open-sessions", vec![]),
                ("end-sessions", vec![("<SESSION>", "1")]),
                ("negative", vec![]),
            ];
            named.push(("disable-password/back", vec![("<OLD PASSWORD>", "'old'")]));
            for (named, written) in named {
                let text = typist.text(named, &values, &written);
                for time in ["once", "twice"] {
                    let answer = server.run(&database, &text);
                    let refused = time == "twice" && typist.repeat(named) == Some(Repeat::Refused);
                    assert_eq!(answer.ok, !refused, "{named} {time}: {text}\n{}", answer.complaint);
                }
            }
            assert!(server.opens(new_user, password, &database), "{new_user}");
            // A table that was forgotten is found: it is read as the second user, and not as whoever types it.
            let made = server.run(&database, "CREATE TABLE IF NOT EXISTS app.t2 (a int)");
            assert!(made.ok, "{}", made.complaint);
            let text = typist.text("read-a-table", &values, &[("<SCHEMA>", "app"), ("<TABLE>", "t2")]);
            let answer = server.run(&database, &text);
            let complaint = answer.complaint;
            assert!(
                !answer.ok && complaint.contains("permission denied"),
                "{text}: {complaint}"
            );
        }
        // A role is granted with a word more than in PostgreSQL.
        typist.expect_everything_typed(Language::Sql, &[&NOT_SHARED[..], &["grant-roles"]].concat());
    }
}

#[test]
fn pasted_as_they_stand_the_statements_with_places_are_refused() {
    let server = Postgres::shared();
    let mut typist = Typist::of("redshift");
    let values = values(&[
        ("server", "127.0.0.1"),
        ("database", "postgres"),
        ("user", "u"),
        ("new_user", "v"),
    ]);
    for named in [
        "add-to-groups",
        "grant-roles",
        "grant-schemas",
        "grant-relations",
        "set-password",
        "disable-password/back",
        "end-sessions",
    ] {
        let text = typist.text(named, &values, &[]);
        let answer = server.run("postgres", &text);
        assert!(
            !answer.ok && answer.complaint.contains("syntax error"),
            "{text}: {}",
            answer.complaint
        );
    }
}
