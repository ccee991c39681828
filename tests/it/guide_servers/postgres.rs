//! The PostgreSQL guide, by a superuser: there and back, with rights that somebody grants in between.

use rotate_fixtures::Postgres;
use rotate_providers::guide::{Language, Repeat};

use super::{NAMES, Typist, Values, taken, values};

struct Desk {
    server: &'static Postgres,
    typist: Typist,
    database: String,
}

impl Desk {
    fn open(database: &str, user: &str) -> Self {
        let server = Postgres::shared();
        let desk = Self {
            server,
            typist: Typist::of("postgres"),
            database: database.to_owned(),
        };
        for statement in [
            format!("CREATE DATABASE {}", ident(database)),
            format!("CREATE ROLE {} LOGIN PASSWORD 'old'", ident(user)),
        ] {
            let made = server.run("postgres", &statement);
            assert!(made.ok, "{statement}: {}", made.complaint);
        }
        desk.as_admin(&format!(
            "CREATE SCHEMA app; CREATE TABLE app.t1 (a int); CREATE TABLE app.t2 (a int); GRANT USAGE ON SCHEMA app TO {0};
             GRANT SELECT ON app.t1 TO {0}; ALTER ROLE {0} SET search_path TO app",
            ident(user)
        ));
        desk
    }

    #[track_caller]
    fn as_admin(&self, statements: &str) -> String {
        let answer = self.server.run(&self.database, statements);
        assert!(answer.ok, "{statements}: {}", answer.complaint);
        answer.rows
    }

    #[track_caller]
    fn types(&mut self, named: &str, values: &Values, written: &[(&str, &str)]) -> String {
        let text = self.typist.text(named, values, written);
        let answer = self.server.run(&self.database, &text);
        assert!(answer.ok, "{named}: {text}\n{}", answer.complaint);
        answer.rows
    }

    /// Types it twice, and the second time does what the guide says of it.
    #[track_caller]
    fn types_twice(&mut self, named: &str, values: &Values, written: &[(&str, &str)]) -> String {
        let rows = self.types(named, values, written);
        let text = self.typist.text(named, values, written);
        let again = self.server.run(&self.database, &text);
        match self.typist.repeat(named) {
            None | Some(Repeat::Same) => assert!(again.ok, "{named}: {text}\n{}", again.complaint),
            Some(Repeat::Refused) => assert!(!again.ok, "{named}: {text} was taken twice"),
            Some(Repeat::Once) => assert_eq!(named, "a step that is not run twice"),
        }
        rows
    }

    fn set_password(&mut self, values: &Values, password: &str) {
        let text = self.typist.text("set-password", values, &[]);
        let answer = self.server.answer(&self.database, &text, &[password, password]);
        assert!(answer.ok, "{text}: {}", answer.complaint);
        assert!(
            !answer.rows.contains(password) && !answer.complaint.contains(password),
            "it is shown"
        );
    }

    fn reads(&self, user: &str, password: &str, table: &str) -> bool {
        let answer = self.server.run_as(
            user,
            password,
            &self.database,
            &format!("SELECT count(*) FROM app.{table}"),
        );
        answer.ok
    }

    /// One rotation from the one name to the other, with the right on a table that only the first one has.
    fn rotate(
        &mut self,
        values: &Values,
        (old, old_password): (&str, &str),
        (new, password): (&str, &str),
        first: bool,
    ) {
        let database = self.database.clone();
        assert!(
            self.types("check-server", values, &[])
                .starts_with(&format!("{database}\t"))
        );
        self.types("list-sessions", values, &[]);
        let seen = self.types("look-at-roles", values, &[]);
        assert!(seen.contains(old), "{seen}");
        self.types("list-settings", values, &[]);
        self.types("list-missing-rights", values, &[]);
        assert_eq!(self.types_twice("reload-the-rules", values, &[]).trim(), "t");
        assert_eq!(self.types("check-the-rules", values, &[]).trim(), "");
        if first {
            self.types_twice("create-role", values, &[]);
            self.types_twice("grant-rights", values, &[]);
        } else {
            // The guide tells both errors beforehand.
            for (named, error) in [
                ("create-role", "already exists"),
                ("grant-rights", "is a member of role"),
            ] {
                let text = self.typist.text(named, values, &[]);
                let answer = self.server.run(&database, &text);
                assert!(
                    !answer.ok && answer.complaint.contains(error),
                    "{named}: {}",
                    answer.complaint
                );
            }
        }
        let missing = self.types("look-for-missing-rights", values, &[]);
        assert_eq!(missing.trim(), if first { "" } else { "app.t2" }, "{old} to {new}");
        for relation in missing.lines().filter(|line| !line.is_empty()) {
            self.types_twice("grant-missing-rights", values, &[("<RELATION>", relation)]);
        }
        self.types_twice(
            "copy-settings",
            values,
            &[("<SETTING>", "search_path"), ("<VALUE>", "'app'")],
        );
        self.set_password(values, password);
        assert!(
            !self.server.opens(new, password, &database),
            "{new} may sign in already"
        );
        self.types_twice("allow-login", values, &[]);
        assert!(self.server.opens(new, password, &database), "{new}");
        assert!(self.server.opens(old, old_password, &database), "{old} is needed still");
        assert_eq!(self.types("compare-rights", values, &[]).trim(), "");
        let attributes = self.types("compare-attributes", values, &[]);
        assert_eq!(attributes.trim().lines().count(), 2, "{attributes}");
        self.types("see-sessions", values, &[]);
        self.types_twice("forbid-login", values, &[]);
        assert!(!self.server.opens(old, old_password, &database), "{old}");
        // The way back, and on again.
        self.types_twice("forbid-login/back", values, &[]);
        assert!(self.server.opens(old, old_password, &database), "{old}");
        self.types_twice("forbid-login", values, &[]);
        self.types_twice("end-sessions", values, &[]);
        assert!(self.reads(new, password, "t1"), "{new}");
        assert_eq!(self.reads(new, password, "t2"), !first, "{new}");
        assert_eq!(self.types("negative", values, &[]).trim(), format!("{old}\tf"));
        self.types_twice("remove-password", values, &[]);
    }
}

fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[test]
fn every_statement_does_what_the_guide_says_with_every_name_there_and_back() {
    for (number, name) in NAMES.iter().enumerate() {
        let (a, b) = (format!("{name}{number}a"), format!("{number}{name}"));
        let database = format!("db {number} {name}");
        let mut desk = Desk::open(&database, &a);
        let there = values(&[
            ("server", "127.0.0.1"),
            ("database", &database),
            ("user", &a),
            ("new_user", &b),
        ]);
        assert!(taken(&desk.typist.guide, &there), "the guide refuses {name:?}");
        desk.rotate(&there, (&a, "old"), (&b, "Pw-one-1"), true);
        // Somebody grants a right to the user of that day, and not to the role behind both.
        desk.as_admin(&format!("GRANT SELECT ON app.t2 TO {}", ident(&b)));
        let back = values(&[
            ("server", "127.0.0.1"),
            ("database", &database),
            ("user", &b),
            ("new_user", &a),
        ]);
        desk.rotate(&back, (&b, "Pw-one-1"), (&a, "Pw-two-2"), false);
        let roles = desk.as_admin("SELECT count(*) FROM pg_roles WHERE rolname = current_user");
        assert_eq!(roles.trim(), "1", "somebody has dropped the administrator");
        desk.typist.expect_everything_typed(Language::Sql, &[]);
    }
}

#[test]
fn pasted_as_they_stand_the_statements_with_places_are_refused() {
    let mut desk = Desk::open("pasted", "pasted_a");
    let values = values(&[
        ("server", "127.0.0.1"),
        ("database", "pasted"),
        ("user", "pasted_a"),
        ("new_user", "pasted_b"),
    ]);
    desk.types("create-role", &values, &[]);
    for named in ["copy-settings", "grant-missing-rights"] {
        let text = desk.typist.text(named, &values, &[]);
        let answer = desk.server.run("pasted", &text);
        assert!(
            !answer.ok && answer.complaint.contains("syntax error"),
            "{text}: {}",
            answer.complaint
        );
    }
}

#[test]
fn an_open_session_outlives_the_end_of_its_role_until_it_is_ended() {
    let mut desk = Desk::open("sessions", "sessions_a");
    let values = values(&[
        ("server", "127.0.0.1"),
        ("database", "sessions"),
        ("user", "sessions_a"),
        ("new_user", "sessions_b"),
    ]);
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let server = desk.server;
        scope.spawn(move || {
            let answer = server.run_as("sessions_a", "old", "sessions", "SELECT pg_sleep(30)");
            ended.send(answer).ok();
        });
        let mut open = String::new();
        for _ in 0..300 {
            open = desk.types("list-sessions", &values, &[]);
            if !open.trim().is_empty() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert!(open.contains("psql"), "{open}");
        desk.types("forbid-login", &values, &[]);
        assert!(
            desk.types("list-sessions", &values, &[]).contains("psql"),
            "it has ended by itself"
        );
        let rows = desk.types("end-sessions", &values, &[]);
        assert!(rows.trim().ends_with("\tt"), "{rows}");
    });
    let answer = end.recv().expect("the session has ended");
    assert!(
        !answer.ok && answer.complaint.contains("terminating connection"),
        "{}",
        answer.complaint
    );
}
