//! The MySQL guide, by a database administrator who has the privileges that it asks for and no others.

use rotate_fixtures::MySql;
use rotate_providers::guide::{Language, Repeat};

use super::{NAMES, Typist, Values, taken, values};

/// A server, an account on it, and its administrator.
struct Desk {
    server: &'static MySql,
    typist: Typist,
    user: String,
    dba: String,
}

const DBA: &str = "Dba-1-password";

impl Desk {
    /// The account is new, and has the password `old`. Each test has names of its own: the server is shared.
    fn open(name: &str, host: &str, dba: &str) -> (Self, Values) {
        let server = MySql::shared();
        let typist = Typist::of("mysql");
        let values = values(&[("server", "127.0.0.1"), ("user", name), ("account_host", host)]);
        assert!(taken(&typist.guide, &values), "the guide refuses {name:?}@{host:?}");
        let (quoted, at) = (quoted(name), quoted(host));
        let made = server.run(&format!(
            "DROP USER IF EXISTS '{dba}'@'%'; CREATE USER '{dba}'@'%' IDENTIFIED BY '{DBA}';
             GRANT CREATE USER, PROCESS, CONNECTION_ADMIN ON *.* TO '{dba}'@'%';
             GRANT SELECT ON mysql.user TO '{dba}'@'%'; GRANT SELECT ON performance_schema.* TO '{dba}'@'%';
             DROP USER IF EXISTS {quoted}@{at}; CREATE USER {quoted}@{at} IDENTIFIED BY 'old';"
        ));
        assert!(made.ok, "{}", made.complaint);
        let desk = Self {
            server,
            typist,
            user: name.to_owned(),
            dba: dba.to_owned(),
        };
        (desk, values)
    }

    /// Types it as it stands, with these words in the places.
    #[track_caller]
    fn types(&mut self, named: &str, values: &Values, written: &[(&str, &str)]) -> String {
        let text = self.typist.text(named, values, written);
        let answer = self.server.run_as(&self.dba, DBA, &text);
        assert!(answer.ok, "{named} for {:?}: {text}\n{}", self.user, answer.complaint);
        answer.rows
    }

    #[track_caller]
    fn is_refused(&mut self, named: &str, values: &Values, written: &[(&str, &str)]) -> String {
        let text = self.typist.text(named, values, written);
        let answer = self.server.run_as(&self.dba, DBA, &text);
        assert!(!answer.ok, "{named} for {:?} was taken: {text}", self.user);
        answer.complaint
    }

    fn opens(&self, password: &str) -> bool {
        self.server.opens(&self.user, password)
    }

    /// Which of these open the account.
    fn open_with<'a>(&self, passwords: &[&'a str]) -> Vec<&'a str> {
        passwords
            .iter()
            .copied()
            .filter(|password| self.opens(password))
            .collect()
    }

    fn has_second(&mut self, values: &Values) -> bool {
        let rows = self.types("look-at-account-again", values, &[]);
        rows.trim().ends_with("\t1")
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

const NEW: &str = "<NEW PASSWORD>";
const OLD: &str = "<OLD PASSWORD>";

#[test]
fn every_statement_does_what_the_guide_says_with_every_name_and_back_and_forth() {
    for (number, name) in NAMES.iter().enumerate() {
        let host = if number % 2 == 0 { "%" } else { "127.0.0.%" };
        let (mut desk, values) = Desk::open(name, host, "dba_a");
        let mut old = "old".to_owned();
        // Two rotations, one after the other.
        for round in 1..=2 {
            let new = format!("new{round}");
            let seen = desk.types("check-version", &values, &[]);
            assert!(seen.trim().ends_with("\t0\t0"), "{seen}");
            let seen = desk.types("look-at-account", &values, &[]);
            assert!(seen.contains(host) && seen.trim().ends_with("\t0"), "{name}: {seen}");
            desk.types("list-sessions", &values, &[]);
            desk.types("set-password", &values, &[(NEW, &format!("'{new}'"))]);
            assert_eq!(desk.open_with(&[&old, &new]), [&old, &new], "{name}");
            assert!(desk.has_second(&values), "{name}");
            desk.types("discard-old-password", &values, &[]);
            assert_eq!(desk.open_with(&[&old, &new]), [&new], "{name}");
            // Again: nothing more.
            assert_eq!(desk.typist.repeat("discard-old-password"), Some(Repeat::Same));
            desk.types("discard-old-password", &values, &[]);
            assert_eq!(desk.open_with(&[&old, &new]), [&new], "{name}");
            // Back, and to the end from there.
            desk.types("discard-old-password/back", &values, &[(OLD, &format!("'{old}'"))]);
            assert_eq!(desk.open_with(&[&old, &new]), [&old, &new], "{name}");
            desk.types("discard-old-password/finish", &values, &[(NEW, &format!("'{new}'"))]);
            assert_eq!(desk.open_with(&[&old, &new]), [&old, &new], "{name}");
            desk.types("discard-old-password", &values, &[]);
            assert_eq!(desk.open_with(&[&old, &new]), [&new], "{name}");
            desk.types("list-open-sessions", &values, &[]);
            desk.types("see-that-refusals-are-logged", &values, &[]);
            desk.types("look-for-refusals", &values, &[]);
            let seen = desk.types("negative", &values, &[]);
            assert!(seen.trim().ends_with("\t0"), "{name}: {seen}");
            old = new;
        }
        // No account but this one has been touched, whatever its name says.
        assert!(desk.server.run("SELECT 1").ok);
    }
}

#[test]
fn no_statement_is_left_untyped() {
    let (mut desk, values) = Desk::open("untyped", "%", "dba_b");
    for named in [
        "check-version",
        "look-at-account",
        "list-sessions",
        "list-open-sessions",
    ] {
        desk.types(named, &values, &[]);
    }
    desk.types("set-password", &values, &[(NEW, "'n'")]);
    desk.types("look-at-account-again", &values, &[]);
    desk.types("discard-old-password", &values, &[]);
    desk.types("discard-old-password/back", &values, &[(OLD, "'old'")]);
    desk.types("discard-old-password/finish", &values, &[(NEW, "'n'")]);
    desk.types("see-that-refusals-are-logged", &values, &[]);
    desk.types("look-for-refusals", &values, &[]);
    desk.types("negative", &values, &[]);
    let complaint = desk.is_refused("end-sessions", &values, &[("<ID>", "4294967295")]);
    assert!(complaint.contains("1094"), "{complaint}");
    desk.typist.expect_everything_typed(Language::Sql, &[]);
}

#[test]
fn pasted_as_they_stand_the_statements_are_refused_and_change_nothing() {
    let (mut desk, values) = Desk::open("pasted", "%", "dba_c");
    for named in [
        "set-password",
        "discard-old-password/back",
        "discard-old-password/finish",
        "end-sessions",
    ] {
        let complaint = desk.is_refused(named, &values, &[]);
        assert!(complaint.contains("1064"), "{named}: {complaint}");
    }
    assert_eq!(desk.open_with(&["old", "<NEW PASSWORD>", "NEW PASSWORD", ""]), ["old"]);
    assert!(!desk.has_second(&values));
}

#[test]
fn a_second_run_ends_the_old_password_as_the_guide_warns_and_its_way_back_mends_that() {
    let (mut desk, values) = Desk::open("twice", "%", "dba_d");
    assert_eq!(desk.typist.repeat("set-password"), Some(Repeat::Once));
    desk.types("set-password", &values, &[(NEW, "'new'")]);
    desk.types("set-password", &values, &[(NEW, "'new'")]);
    assert_eq!(desk.open_with(&["old", "new"]), ["new"]);
    // The look does not show it: that is why a load with the old password is run.
    assert!(desk.has_second(&values));
    desk.types("discard-old-password/back", &values, &[(OLD, "'old'")]);
    assert_eq!(desk.open_with(&["old", "new"]), ["old", "new"]);
    desk.types("discard-old-password/finish", &values, &[(NEW, "'new'")]);
    assert_eq!(desk.open_with(&["old", "new"]), ["old", "new"]);
    desk.types("discard-old-password", &values, &[]);
    assert_eq!(desk.open_with(&["old", "new"]), ["new"]);
}

#[test]
fn the_way_back_and_its_finish_lead_to_the_new_password_and_without_the_finish_they_would_not() {
    for finishes in [true, false] {
        let (mut desk, values) = Desk::open("back", "%", "dba_e");
        desk.types("set-password", &values, &[(NEW, "'new'")]);
        desk.types("discard-old-password", &values, &[]);
        assert_eq!(desk.open_with(&["old", "new"]), ["new"]);
        desk.types("discard-old-password/back", &values, &[(OLD, "'old'")]);
        assert_eq!(desk.open_with(&["old", "new"]), ["old", "new"]);
        if finishes {
            desk.types("discard-old-password/finish", &values, &[(NEW, "'new'")]);
            assert_eq!(desk.open_with(&["old", "new"]), ["old", "new"]);
        }
        desk.types("discard-old-password", &values, &[]);
        let left = if finishes { "new" } else { "old" };
        assert_eq!(desk.open_with(&["old", "new"]), [left]);
    }
}

#[test]
fn the_privilege_that_other_guides_name_does_not_do() {
    let (mut desk, values) = Desk::open("privilege", "%", "dba_f");
    let statement = desk.typist.text("set-password", &values, &[(NEW, "'new'")]);
    let made = desk.server.run(
        "DROP USER IF EXISTS 'half'@'%'; CREATE USER 'half'@'%' IDENTIFIED BY 'h'; GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO 'half'@'%';",
    );
    assert!(made.ok, "{}", made.complaint);
    let answer = desk.server.run_as("half", "h", &statement);
    assert!(answer.complaint.contains("1227"), "{}", answer.complaint);
    // Nor does one of the two that it does name, without the other.
    let made = desk.server.run("GRANT CREATE USER ON *.* TO 'half'@'%';");
    assert!(made.ok, "{}", made.complaint);
    let look = desk.typist.text("look-at-account", &values, &[]);
    assert!(desk.server.run_as("half", "h", &look).complaint.contains("1142"));
}

#[test]
fn refused_sign_ins_are_in_the_log_at_the_verbosity_that_the_guide_names_and_not_below() {
    let (mut desk, values) = Desk::open("refusals", "%", "dba_g");
    assert!(!desk.opens("wrong"));
    assert_eq!(desk.types("look-for-refusals", &values, &[]), "");
    assert!(desk.server.run("SET GLOBAL log_error_verbosity = 3").ok);
    assert_eq!(desk.types("see-that-refusals-are-logged", &values, &[]).trim(), "3");
    assert!(!desk.opens("wrong"));
    let seen = desk.types("look-for-refusals", &values, &[]);
    assert!(desk.server.run("SET GLOBAL log_error_verbosity = 2").ok);
    assert!(seen.contains("Access denied for user 'refusals'"), "{seen}");
}
