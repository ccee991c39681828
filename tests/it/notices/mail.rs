//! Mail, to a real server.

use std::os::unix::fs::PermissionsExt;

use rotate_fixtures::stopped::while_process_is_at;
use rotate_fixtures::{MailServer, memory_holds, tool};
use serde_json::Value;

use super::{DAY, Desk};

fn head<'m>(mail: &'m Value, name: &str) -> &'m str {
    let all = mail["head"].as_array().unwrap();
    let found = all
        .iter()
        .find(|field| field[0].as_str().unwrap().eq_ignore_ascii_case(name));
    found.map_or("", |field| field[1].as_str().unwrap())
}

#[test]
fn those_who_are_named_and_the_owner_get_each_a_mail_of_their_own() {
    let server = MailServer::plain();
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"127.0.0.1\", port = {}, tls = \"none\", from = \"rotate@example.com\", \
         to = [\"ops@example.com\"], to_owner = true }}\n",
        server.port
    ));
    desk.place.add_user("main", DAY * 170, "owner = \"data@example.com\"");
    desk.place.add_user("other", DAY * 170, "owner = \"Team Data\"");
    desk.run(&["run"]).expect(0);
    let mails = server.mails();
    let of = |to: &str| mails.iter().filter(|mail| mail["to"][0] == to).count();
    assert_eq!((of("ops@example.com"), of("data@example.com"), mails.len()), (4, 2, 6));
    for mail in &mails {
        assert_eq!(mail["from"], "rotate@example.com");
        assert_eq!(mail["type"], "text/plain");
        assert_eq!(head(mail, "Auto-Submitted"), "auto-generated");
        let id = head(mail, "Message-ID");
        let text = mail["text"].as_str().unwrap();
        let told = id.trim_matches(['<', '>']).split('@').next().unwrap();
        assert!(text.contains(&format!("notice {told}")), "{id} {text}");
        desk.no_secret_in(text);
    }
    let subjects: Vec<&str> = mails.iter().map(|mail| head(mail, "Subject")).collect();
    assert!(
        subjects.contains(&"[rotate] main: it waits for a person"),
        "{subjects:?}"
    );
    desk.run(&["run"]).expect(0);
    assert_eq!(server.mails().len(), 6);
}

#[test]
fn a_login_and_the_mail_go_over_starttls_alone() {
    let server = MailServer::encrypted("rotate hunter2-canary");
    let notify = |more: &str| {
        format!(
            "[[notify]]\nemail = {{ server = \"localhost\", port = {}, from = \"rotate@example.com\", to = [\"ops@example.com\"], \
             user = \"rotate\", password_env = \"MAIL_PASSWORD\"{more} }}\n",
            server.port
        )
    };
    // Nobody has vouched for its certificate.
    let mut desk = Desk::with(&notify(""));
    desk.place.add_user("main", DAY * 170, "");
    let ran = desk
        .run_with(&["notify", "test"], &[("MAIL_PASSWORD", "hunter2-canary")])
        .expect(1);
    assert!(ran.stdout.contains("no encrypted connection"), "{}", ran.stdout);
    let trusted = format!(", ca_file = \"{}\"", server.authority().display());
    let mut desk = Desk::with(&notify(&trusted));
    desk.place.add_user("main", DAY * 170, "");
    let wrong = desk
        .run_with(&["notify", "test"], &[("MAIL_PASSWORD", "wrong-canary")])
        .expect(1);
    assert!(!wrong.stdout.contains("canary"), "{}", wrong.stdout);
    assert_eq!(server.mails().len(), 0);
    let ran = desk.run_with(&["notify", "test"], &[("MAIL_PASSWORD", "hunter2-canary")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mails = server.mails();
    assert_eq!(
        (mails.len(), &mails[0]["tls"], &mails[0]["login"]),
        (1, &Value::Bool(true), &"rotate".into())
    );
}

#[test]
fn a_server_that_offers_no_encryption_gets_nothing_and_what_it_says_is_not_repeated() {
    let server = MailServer::plain();
    let notify = |to: &str, tls: &str| {
        format!(
            "[[notify]]\nemail = {{ server = \"127.0.0.1\", port = {}, tls = \"{tls}\", from = \"rotate@example.com\", \
             to = [\"{to}\"] }}\n",
            server.port
        )
    };
    for (to, tls, said) in [
        ("ops@example.com", "starttls", "does not offer what is asked of it"),
        (
            "refused@example.com",
            "none",
            "the mail server has refused it for good (550)",
        ),
    ] {
        let mut desk = Desk::with(&notify(to, tls));
        desk.place.add_user("main", DAY * 10, "");
        let ran = desk.run(&["notify", "test"]).expect(1);
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
        assert!(!ran.stdout.contains("CANARY"), "{}", ran.stdout);
    }
    assert_eq!(server.mails().len(), 0);
}

#[test]
fn a_full_mailbox_holds_up_nobody_elses_mail() {
    let server = MailServer::plain();
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"127.0.0.1\", port = {}, tls = \"none\", from = \"rotate@example.com\", \
         to = [\"full@example.com\", \"ops@example.com\"] }}\n",
        server.port
    ));
    desk.place.add_user("main", DAY * 170, "");
    let ran = desk.run(&["run"]).expect(0);
    assert!(ran.stderr.contains("2 notices wait"), "{}", ran.stderr);
    assert!(ran.stderr.contains("refused it for now (452)"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("CANARY"), "{}", ran.stderr);
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().all(|mail| mail["to"][0] == "ops@example.com"));
}

#[test]
fn a_wrong_password_is_tried_once_in_a_round_whoever_is_to_be_told() {
    let server = MailServer::encrypted("rotate hunter2-canary");
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"localhost\", port = {}, from = \"rotate@example.com\", \
         to = [\"a@example.com\", \"b@example.com\", \"c@example.com\"], user = \"rotate\", password_env = \"MAIL_PASSWORD\", \
         ca_file = \"{}\" }}\n",
        server.port,
        server.authority().display()
    ));
    desk.place.add_user("main", DAY * 170, "");
    let wrong = [("MAIL_PASSWORD", "wrong-canary")];
    let ran = desk.run_with(&["run"], &wrong).expect(0);
    assert!(
        ran.stderr.contains("has refused the login, or asks for one (535)"),
        "{}",
        ran.stderr
    );
    assert_eq!(server.logins(), 1);
    desk.run_with(&["run"], &wrong).expect(0);
    assert_eq!(server.logins(), 1, "nor does the next run try before it is time");
}

#[test]
fn a_test_says_whom_it_did_not_reach_and_tries_a_wrong_password_once() {
    let plain = MailServer::plain();
    let to = "to = [\"refused@example.com\", \"ops@example.com\", \"full@example.com\"]";
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"127.0.0.1\", port = {}, tls = \"none\", from = \"rotate@example.com\", {to} }}\n",
        plain.port
    ));
    desk.place.add_user("main", DAY * 10, "");
    let ran = desk.run(&["notify", "test"]).expect(1);
    assert_eq!(
        ran.stdout,
        "BAD  email: refused@example.com: the mail server has refused it for good (550); \
         full@example.com: the mail server has refused it for now (452)\n"
    );
    assert_eq!(plain.mails().len(), 1, "the others get theirs");
    let server = MailServer::encrypted("rotate hunter2-canary");
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"localhost\", port = {}, from = \"rotate@example.com\", {to}, user = \"rotate\", \
         password_env = \"MAIL_PASSWORD\", ca_file = \"{}\" }}\n",
        server.port,
        server.authority().display()
    ));
    desk.place.add_user("main", DAY * 10, "");
    let wrong = [("MAIL_PASSWORD", "wrong-canary")];
    let ran = desk.run_with(&["notify", "test"], &wrong).expect(1);
    assert!(
        ran.stdout.contains("BAD  email: the mail server has refused the login"),
        "{}",
        ran.stdout
    );
    assert_eq!(server.logins(), 1);
}

#[test]
fn authorities_that_cannot_be_read_are_told_by_doctor_and_by_whoever_sends() {
    let server = MailServer::encrypted("rotate hunter2-canary");
    let missing = tempfile::tempdir().unwrap().path().join("ca.pem");
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"localhost\", port = {}, from = \"rotate@example.com\", to = [\"ops@example.com\"], \
         user = \"rotate\", password_env = \"MAIL_PASSWORD\", ca_file = \"{}\" }}\n",
        server.port,
        missing.display()
    ));
    desk.place.add_user("main", DAY * 10, "");
    let password = [("MAIL_PASSWORD", "hunter2-canary")];
    let said = format!("the ca_file {} is not there", missing.display());
    let doctor = desk.run_with(&["doctor"], &password);
    assert!(
        doctor.stdout.contains(&format!("what it needs: {said}")),
        "{}",
        doctor.stdout
    );
    let ran = desk.run_with(&["notify", "test"], &password).expect(1);
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    // A pipe would be waited for, and what is no certificate vouches for nobody.
    std::fs::write(desk.place.path("empty.pem"), "nothing\n").unwrap();
    let made = tool("mkfifo").arg(desk.place.path("pipe.pem")).status();
    assert!(made.unwrap().success());
    let config = std::fs::read_to_string(desk.place.path("rotate.toml")).unwrap();
    for (name, why) in [("empty.pem", "holds no certificate in PEM"), ("pipe.pem", "pipe")] {
        let text = config.replace(
            &missing.display().to_string(),
            &desk.place.path(name).display().to_string(),
        );
        desk.place.configure(&text);
        for command in [&["doctor"][..], &["notify", "test"]] {
            let ran = desk.run_with(command, &password);
            let said = ran.stdout.lines().find(|line| line.contains(name));
            assert!(said.is_some_and(|line| line.contains(why)), "{ran:?}");
        }
    }
    assert_eq!(server.logins(), 0);
}

#[test]
fn a_server_that_hangs_once_it_has_taken_a_mail_does_not_get_it_again() {
    let server = MailServer::plain();
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"127.0.0.1\", port = {}, tls = \"none\", from = \"rotate@example.com\", \
         to = [\"hangs@example.com\"] }}\n",
        server.port
    ));
    desk.place.add_user("main", DAY * 170, "");
    let ran = desk.run(&["run"]).expect(0);
    assert!(!ran.stderr.contains("was not told"), "{}", ran.stderr);
    desk.place.pass(DAY);
    desk.run(&["run"]).expect(0);
    assert_eq!(server.mails().len(), 2);
}

#[test]
fn mail_goes_to_no_private_address_unless_that_is_allowed_and_to_metadata_never() {
    for (server, said) in [
        ("10.255.255.1", "if that is right: allow_private = true"),
        ("169.254.169.254", "leads to where nothing is sent"),
    ] {
        let mut desk = Desk::with(&format!(
            "[[notify]]\nemail = {{ server = \"{server}\", from = \"rotate@example.com\", to = [\"ops@example.com\"] }}\n"
        ));
        desk.place.add_user("main", DAY * 10, "");
        let ran = desk.run(&["notify", "test"]).expect(1);
        assert!(ran.stdout.contains(said), "{server}: {}", ran.stdout);
    }
}

#[test]
fn each_reader_has_a_digest_of_what_is_theirs_whoevers_mailbox_is_gone() {
    let server = MailServer::plain();
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"127.0.0.1\", port = {}, tls = \"none\", from = \"rotate@example.com\", \
         to = [\"ops@example.com\"], to_owner = true }}\ntargets = [\"main\", \"gone\"]\n",
        server.port
    ));
    desk.place.add_user("main", DAY * 10, "owner = \"data@example.com\"");
    desk.place.add_user("gone", DAY * 10, "owner = \"refused@example.com\"");
    desk.place.add_user("other", DAY * 10, "owner = \"web@example.com\"");
    for _ in 0..3 {
        desk.run(&["run"]).expect(0);
        desk.place.pass(DAY * 8);
    }
    let mails = server.mails();
    let of = |to: &str| mails.iter().filter(|mail| mail["to"][0] == to).count();
    assert_eq!((of("ops@example.com"), of("data@example.com")), (2, 2));
    assert_eq!(of("web@example.com"), 0, "it tells of none of their targets");
}

/// What the library writes to the wire has the password in base64; nothing else of it is left.
#[test]
fn no_copy_of_a_password_that_was_sent_is_left_in_memory() {
    const CANARY: &str = "canaryC0FFEEc0ffee5ecret";
    // What is freed loses its first bytes to the allocator: what is looked for stands behind them.
    let password = format!("{0}{CANARY}{0}", "0123456789abcdef".repeat(4));
    let server = MailServer::encrypted(&format!("rotate {password}"));
    let mut desk = Desk::with("");
    let secret = desk.place.path("password");
    std::fs::write(&secret, &password).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    desk.place.configure(&format!(
        "[[notify]]\nemail = {{ server = \"localhost\", port = {}, from = \"rotate@example.com\", to = [\"ops@example.com\"], \
         user = \"rotate\", password_file = \"{}\", ca_file = \"{}\" }}\n",
        server.port,
        secret.display(),
        server.authority().display()
    ));
    desk.place.add_user("main", DAY * 170, "");
    let mut left = true;
    let ran = while_process_is_at(desk.place.command(["run"]), "notices: after a send", |process| {
        left = memory_holds(process, CANARY.as_bytes());
    });
    ran.expect(0);
    assert_eq!(server.logins(), 2, "it logged in with it");
    assert!(!left);
}
