//! What waits for somebody whom the configuration names no more: it is sent to nobody, ended
//! once nobody else tries it either, and told once.

use rotate_fixtures::MailServer;
use rotate_fixtures::receiver::Reply;

use super::{DAY, Desk, WEBHOOK};

const ENDED: &str = "had not arrived and will not be sent";

/// The same place with another file.
fn configure(desk: &mut Desk, before: &str, after: &str) {
    let text = std::fs::read_to_string(desk.place.path("rotate.toml")).unwrap();
    assert!(text.contains(before), "{before} is not in {text}");
    desk.place.configure(&text.replace(before, after));
}

/// The lines that say what was ended.
fn ended(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.contains(ENDED)).collect()
}

/// Nobody has tried what waits for a week.
fn a_week_goes_by(desk: &Desk) {
    let long_ago = desk.place.now() - DAY * 7;
    desk.change(&format!("UPDATE outbox SET next_at = '{long_ago}'"));
}

#[test]
fn what_waits_for_whom_another_configuration_with_this_journal_names_is_left_to_it() {
    let mut desk = Desk::new();
    desk.receiver.answers(Reply::With(503, ""));
    desk.run(&["run"]).expect(0);
    let _ = desk.receiver.take();
    desk.receiver.answers(Reply::With(204, ""));
    let theirs = std::fs::read_to_string(desk.place.path("rotate.toml")).unwrap();
    configure(&mut desk, "name = \"ops\"", "name = \"others\"");
    let doctor = desk.run(&["doctor"]);
    let said = "2 of them are for a notifier or a reader that this configuration does not name; another configuration";
    assert!(doctor.stdout.contains(said), "{}", doctor.stdout);
    let ran = desk.run(&["run"]).expect(0);
    assert!(ended(&ran.stderr).is_empty(), "{}", ran.stderr);
    assert_eq!(desk.kinds(), [""; 0], "they are for somebody else");
    desk.place.configure(&theirs);
    desk.place.pass(DAY);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.kinds(), ["rotation.begun", "rotation.waits"]);
}

#[test]
fn what_waits_for_a_notifier_that_is_named_no_more_is_ended_and_told_once() {
    let mut desk = Desk::new();
    desk.receiver.answers(Reply::With(503, ""));
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.receiver.take().len(), 1);
    configure(&mut desk, "name = \"ops\"", "name = \"others\"");
    desk.receiver.answers(Reply::With(204, ""));
    a_week_goes_by(&desk);
    let doctor = desk.run(&["doctor"]);
    let said = "2 of them are for a notifier or a reader that this configuration does not name; the next run ends them";
    assert!(doctor.stdout.contains(said), "{}", doctor.stdout);
    // Whoever gives another word neither sends nor ends them: a run does.
    desk.run(&["confirm", "main"]).expect(0);
    let ran = desk.run(&["run"]).expect(0);
    let lines = ended(&ran.stderr);
    assert_eq!(lines.len(), 1, "{}", ran.stderr);
    assert!(lines[0].contains("2 notices to ops had not arrived"), "{}", lines[0]);
    assert!(
        lines[0].contains("rotate.toml does not name them any more"),
        "{}",
        lines[0]
    );
    let ran = desk.run(&["run"]).expect(0);
    assert!(ended(&ran.stderr).is_empty(), "{}", ran.stderr);
    assert!(!desk.run(&["doctor"]).stdout.contains("of them are for"));
    assert_eq!(desk.kinds(), [""; 0], "nobody else gets what was theirs");
}

#[test]
fn a_reader_who_is_named_no_more_gets_no_mail_and_the_others_get_theirs() {
    let server = MailServer::plain();
    let email = |port: u16| {
        format!(
            "[[notify]]\nemail = {{ server = \"127.0.0.1\", port = {port}, tls = \"none\", from = \"rotate@example.com\", \
             to = [\"a@example.com\", \"b@example.com\"], to_owner = true }}\n"
        )
    };
    // Nobody listens there: all of them wait.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut desk = Desk::with(&email(nobody));
    desk.place.add_user("main", DAY * 170, "owner = \"old@example.com\"");
    desk.run(&["run"]).expect(0);
    configure(
        &mut desk,
        &format!("port = {nobody}"),
        &format!("port = {}", server.port),
    );
    configure(&mut desk, "\"a@example.com\", \"b@example.com\"", "\"b@example.com\"");
    configure(&mut desk, "old@example.com", "new@example.com");
    desk.place.pass(DAY);
    // A person's command sends what may be sent, and nothing to those.
    desk.run(&["confirm", "main"]).expect(0);
    let to = |server: &MailServer| {
        let mails = server.mails();
        let mut to: Vec<String> = mails
            .iter()
            .map(|mail| mail["to"][0].as_str().unwrap().to_owned())
            .collect();
        to.sort();
        to
    };
    assert_eq!(to(&server), ["b@example.com"; 2]);
    a_week_goes_by(&desk);
    let ran = desk.run(&["run"]).expect(0);
    let lines = ended(&ran.stderr);
    assert_eq!(lines.len(), 2, "{}", ran.stderr);
    for (line, who) in lines.iter().zip(["a@example.com by email", "old@example.com by email"]) {
        assert!(line.contains(&format!("2 notices to {who} had not arrived")), "{line}");
    }
    let ran = desk.run(&["run"]).expect(0);
    assert!(ended(&ran.stderr).is_empty(), "{}", ran.stderr);
    assert_eq!(to(&server), ["b@example.com"; 2]);
}

#[test]
fn where_nobody_is_named_for_a_while_what_waits_is_sent_afterwards() {
    let mut desk = Desk::new();
    desk.receiver.answers(Reply::With(503, ""));
    desk.run(&["run"]).expect(0);
    let _ = desk.receiver.take();
    desk.receiver.answers(Reply::With(204, ""));
    let file = std::fs::read_to_string(desk.place.path("rotate.toml")).unwrap();
    configure(&mut desk, WEBHOOK, "");
    let ran = desk.run(&["run"]).expect(0);
    assert!(ended(&ran.stderr).is_empty(), "{}", ran.stderr);
    assert!(!desk.run(&["doctor"]).stdout.contains("of them are for"));
    desk.place.configure(&file);
    desk.place.pass(DAY);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.kinds(), ["rotation.begun", "rotation.waits"]);
}

#[test]
fn a_notice_of_a_target_does_not_go_to_its_former_owner_who_has_another() {
    let server = MailServer::plain();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut desk = Desk::with(&format!(
        "[[notify]]\nemail = {{ server = \"127.0.0.1\", port = {nobody}, tls = \"none\", from = \"rotate@example.com\", to_owner = true }}\n"
    ));
    desk.place.add_user("main", DAY * 170, "owner = \"alice@example.com\"");
    desk.place.add_user("other", DAY, "owner = \"alice@example.com\"");
    desk.run(&["run"]).expect(0);
    configure(
        &mut desk,
        &format!("port = {nobody}"),
        &format!("port = {}", server.port),
    );
    let file = std::fs::read_to_string(desk.place.path("rotate.toml")).unwrap();
    desk.place
        .configure(&file.replacen("alice@example.com", "bob@example.com", 1));
    desk.place.pass(DAY);
    a_week_goes_by(&desk);
    let ran = desk.run(&["run"]).expect(0);
    assert_eq!(ended(&ran.stderr).len(), 1, "{}", ran.stderr);
    assert!(server.mails().iter().all(|mail| mail["to"][0] != "alice@example.com"));
}

#[test]
fn where_no_file_is_read_nobody_is_left_out_of_it() {
    let desk = Desk::new();
    desk.receiver.answers(Reply::With(503, ""));
    desk.run(&["run"]).expect(0);
    let _ = desk.receiver.take();
    desk.receiver.answers(Reply::With(204, ""));
    // Without a configuration: what is open is moved all the same.
    let whole = desk.place.command([""; 0]);
    let mut command = std::process::Command::new(whole.get_program());
    command.env_clear().current_dir(desk.place.state());
    command.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.arg("--state-dir").arg(desk.place.state()).arg("run");
    let ran = rotate_fixtures::Ran::of(command).expect(0);
    assert!(ended(&ran.stderr).is_empty(), "{}", ran.stderr);
    assert_eq!(desk.receiver.take().len(), 0);
    let mut desk = desk;
    desk.place.pass(DAY);
    desk.run(&["run"]).expect(0);
    assert_eq!(desk.kinds(), ["rotation.begun", "rotation.waits"]);
}
