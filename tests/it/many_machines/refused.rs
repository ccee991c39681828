//! What cannot be used is refused before anything is done, with what to do, and without a word of the URL.

use rotate_fixtures::aws::Action;
use rotate_fixtures::database_door::{DatabaseDoor, Protocol};
use rotate_fixtures::stopped::while_at;
use rotate_fixtures::{Postgres, Ran, has, python, tool};

use super::{DATABASE, DAY, Machines, user};

const CANARY: &str = "canary-password";

/// The shared server, as this user with this password.
fn as_user(user: &str, password: &str) -> String {
    let (host, port) = Postgres::shared().address();
    format!("postgres://{user}:{password}@{host}:{port}/{DATABASE}")
}

#[test]
fn whatever_is_wrong_with_the_server_is_told_with_what_to_do_and_never_the_url() {
    let (host, port) = Postgres::shared().address();
    let elsewhere = format!("postgres://u:{CANARY}@{host}:{port}/there-is-no-such-one");
    let admin = Postgres::shared().url("there_is_no_such_one");
    for (url, told) in [
        (as_user("nobody-knows", CANARY), "does not let user nobody-knows in"),
        (format!("postgres://u:{CANARY}@127.0.0.1:1/d"), "cannot be reached"),
        (elsewhere, "does not let user u in"),
        (admin, "there is no such database"),
        (
            format!("mysql://u:{CANARY}@127.0.0.1/d"),
            "does not begin with postgres://",
        ),
        (
            format!("postgres://u:{CANARY}@127.0.0.1/d?sslmode=require"),
            "lets another server answer",
        ),
        (
            format!("postgres://u:{CANARY}@127.0.0.1/d?options={CANARY}"),
            "has an option that is not known",
        ),
        (String::new(), "it is not set"),
    ] {
        let mut machines = Machines::without_tables(&url);
        machines.add_users(1);
        for arguments in [["status"].as_slice(), &["run"], &["store", "migrate"]] {
            let mut command = machines.command(0, arguments.iter().copied());
            command.env("ROTATE_TEST_PATIENCE", "300");
            let refused = Ran::of(command).expect(1);
            let all = format!("{}{}", refused.stdout, refused.stderr);
            assert!(refused.stderr.contains(told), "{arguments:?}, {told}: {all}");
            assert!(!all.contains(CANARY), "{all}");
        }
    }
}

#[test]
fn where_no_tables_were_made_the_command_that_makes_them_is_told() {
    let mut machines = Machines::without_tables(&Postgres::shared().url(DATABASE));
    machines.add_users(1);
    for arguments in [["status"].as_slice(), &["run"], &["doctor"]] {
        let refused = machines.run(0, arguments.iter().copied()).expect(1);
        let all = format!("{}{}", refused.stdout, refused.stderr);
        assert!(all.contains("store migrate"), "{arguments:?}: {all}");
    }
    machines.run(0, ["store", "migrate"]).expect(0);
    let again = machines.run(0, ["store", "migrate"]).expect(0);
    assert!(again.stderr.contains("nothing was done"), "{}", again.stderr);
}

#[test]
fn a_url_is_never_an_argument() {
    let machines = Machines::new();
    let url = format!("postgres://u:{CANARY}@127.0.0.1/d");
    let refused = machines.run(0, ["store", "copy", "--from", &url]).expect(64);
    assert!(refused.stderr.contains("on no command line"), "{}", refused.stderr);
    assert!(!refused.stderr.contains(CANARY), "{}", refused.stderr);
}

#[test]
fn two_fleets_in_one_database_do_not_see_each_other() {
    let (one, other) = (Machines::with_users(1), Machines::with_users(2));
    one.run(0, ["run"]).expect(0);
    other.run(0, ["run"]).expect(0);
    one.is_done(1);
    other.is_done(2);
    let journal = one.run(0, ["audit"]).expect(0).stdout;
    assert!(journal.contains("user-00") && !journal.contains("user-01"), "{journal}");
}

#[test]
fn a_server_that_may_only_be_read_is_told_as_that() {
    let machines = Machines::with_users(1);
    machines.on_the_server(&format!("REVOKE ALL ON SCHEMA {} FROM PUBLIC", machines.schema));
    let role = format!("only_{}", machines.schema);
    machines.on_the_server(&format!("CREATE ROLE {role} LOGIN PASSWORD '{CANARY}'"));
    let mut command = machines.command(0, ["status"]);
    command.env("JOURNAL", as_user(&role, CANARY));
    let refused = Ran::of(command).expect(1);
    refused.says(&["lacks a right there", "rotate store grants"]);
    machines.on_the_server(&format!("DROP ROLE {role}"));
}

#[test]
fn a_user_whose_transactions_read_unless_they_say_otherwise_is_as_good_as_any() {
    let machines = Machines::with_users(1);
    let role = format!("reads_{}", machines.schema);
    machines.on_the_server(&format!(
        "CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{CANARY}'; ALTER ROLE {role} SET default_transaction_read_only = on"
    ));
    let run = |arguments: &[&str]| {
        let mut command = machines.command(0, arguments.iter().copied());
        command.env("JOURNAL", as_user(&role, CANARY));
        Ran::of(command)
    };
    let answer = Postgres::shared().run_as(&role, CANARY, DATABASE, "CREATE TABLE of_no_use ()");
    assert!(
        !answer.ok && answer.complaint.contains("read-only"),
        "{}",
        answer.complaint
    );
    for arguments in [["plan"].as_slice(), &["run"], &["status"], &["store", "migrate"]] {
        run(arguments).expect(0);
    }
    machines.is_done(1);
    machines.on_the_server(&format!("DROP ROLE {role}"));
}

#[test]
fn a_server_shows_a_certificate_for_its_name_or_hears_no_password() {
    let (host, port) = Postgres::shared().address();
    let server = format!("{host}:{port}").parse().unwrap();
    let door = |name| DatabaseDoor::before(server, Protocol::Postgres, name);
    let (right, other, none) = (door(Some("localhost")), door(Some("elsewhere.example")), door(None));
    let url = |door: &DatabaseDoor, authority: &DatabaseDoor| {
        let url = Postgres::shared().url_by(("localhost", door.port()), DATABASE);
        let authority = authority.authority().display();
        format!("{url}?sslmode=verify-full&sslrootcert={authority}")
    };
    let mut machines = Machines::by(&url(&right, &right));
    machines.add_users(1);
    machines.run(0, ["status"]).expect(0);
    assert!(right.calls() > 0);
    let whole = Postgres::shared().url(DATABASE);
    let (user, rest) = whole.split_once("://").unwrap().1.split_once(':').unwrap();
    let password = rest.split_once('@').unwrap().0;
    for (door, authority) in [(&other, &other), (&right, &other), (&none, &right)] {
        let mut command = machines.command(0, ["status"]);
        command
            .env("JOURNAL", url(door, authority))
            .env("ROTATE_TEST_PATIENCE", "300");
        let refused = Ran::of(command).expect(1);
        assert!(refused.stderr.contains("cannot be reached"), "{}", refused.stderr);
    }
    for door in [&other, &none] {
        let heard = door.heard();
        assert!(!has(&heard, password.as_bytes()) && !has(&heard, user.as_bytes()));
    }
}

#[test]
fn a_program_that_may_outlast_what_machines_leave_each_other_is_refused_before_a_key_is_made() {
    let program = |timeout: u32| {
        (
            format!("after_delivery = [{{ exec = \"/bin/true\", timeout = \"{timeout}s\" }}]"),
            String::new(),
        )
    };
    let destination = |timeout: u32| {
        (
            String::new(),
            format!("\"exec:?can=verify&timeout={timeout}s /bin/sh -c 'cat >/dev/null'\", "),
        )
    };
    for fits in [false, true] {
        for extra in [&program as &dyn Fn(u32) -> (String, String), &destination] {
            let mut machines = Machines::new();
            let (more, deliver) = extra(if fits { 4 } else { 5 });
            machines.place.add_user(&user(0), DAY * 179, &more);
            let config = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
            machines
                .place
                .configure(&config.replace("deliver = [", &format!("deliver = [{deliver}")));
            let mut command = machines.command(0, ["run"]);
            // Half of it is left when a call begins, and whoever takes over waits for as long: four fifths of that.
            command.env("ROTATE_TEST_LEASE", "6000");
            let ran = Ran::of(command);
            let made = machines.place.cloud.count_of(Action::CreateAccessKey);
            match fits {
                true => assert_eq!(made, 1, "{}", ran.stderr),
                false => {
                    // And nobody was promised anything else.
                    let mut plan = machines.command(0, ["plan"]);
                    plan.env("ROTATE_TEST_LEASE", "6000");
                    let plan = Ran::of(plan).expect(1);
                    assert!(plan.stdout.contains("may take 5 s"), "{}{}", plan.stdout, plan.stderr);
                    assert_eq!((ran.code, made), (Some(1), 0), "{}", ran.stderr);
                    ran.says(&["may take 5 s", "leave each other 4 s", "nothing was changed"]);
                }
            }
        }
    }
}

/// A fleet of one, whose program is gone when its turn comes: its rotation is open, and the program is still to run.
fn stands_before_its_program(machines: &mut Machines, timeout: u32, lease: &str) -> std::path::PathBuf {
    let (ran, program) = (machines.place.path("ran"), machines.place.path("program"));
    let is_there = || {
        std::fs::write(&program, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
        super::private(&program, 0o755);
    };
    is_there();
    let more = format!(
        "after_delivery = [{{ exec = \"{}\", timeout = \"{timeout}s\" }}]",
        program.display()
    );
    machines.place.add_user(&user(0), DAY * 179, &more);
    let mut command = machines.command(0, ["run"]);
    command.env("ROTATE_TEST_LEASE", lease);
    while_at(command, "create: before the call", || {
        std::fs::remove_file(&program).unwrap()
    })
    .expect(1);
    assert!(machines.place.delivered_key(&user(0)).is_some());
    is_there();
    ran
}

/// It was begun where nobody else could take over, or where machines left each other more.
#[test]
fn a_program_that_may_outlast_what_machines_leave_each_other_is_not_started_in_an_open_rotation_either() {
    let mut machines = Machines::new();
    let ran = stands_before_its_program(&mut machines, 20, "60000");
    let with = |arguments: &[&str]| {
        let mut command = machines.command(0, arguments.iter().copied());
        command.env("ROTATE_TEST_LEASE", "6000");
        Ran::of(command)
    };
    let blocked = with(&["run"]).expect(3);
    let told = format!("{}{}", blocked.stdout, blocked.stderr);
    assert!(
        told.contains("it was not started") && told.contains("leave each other 4 s"),
        "{told}"
    );
    assert!(!ran.exists());
    // Once a person has seen to it, it goes on.
    with(&["confirm", "user-00"]).expect(0);
    machines.is_done(1);
    assert!(!ran.exists());
}

#[test]
fn a_journal_with_an_open_rotation_whose_program_may_take_too_long_there_is_not_moved() {
    let mut machines = Machines::new();
    let of_server = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    let (defaults, store) = of_server.split_once("[store]").unwrap();
    machines.place.configure(defaults);
    let ran = stands_before_its_program(&mut machines, 300, "150000");
    let fleet = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    let (defaults, targets) = fleet.split_once("[[target]]").unwrap();
    let moved = format!("{defaults}[store]{store}\n[[target]]{targets}");
    machines.place.configure(&moved);
    let from = format!("sqlite:{}", machines.state(0).join("rotate.db").display());
    let refused = machines.run(0, ["store", "copy", "--from", &from]).expect(1);
    refused.says(&[
        "the rotation of user-00 is open",
        "may take 300 s",
        "leave each other 120 s",
    ]);
    assert_eq!(machines.on_the_server("SELECT count(*) FROM events").trim(), "0");
    machines.place.configure(&fleet);
    machines.run(0, ["run"]).expect(0);
    assert!(ran.exists());
    machines.place.configure(&moved);
    machines.run(0, ["store", "copy", "--from", &from]).expect(0);
}

/// Another machine, in a network of its own: gives the loopback interface a second address, listens there, and says what it heard.
const ANOTHER_MACHINE: &str = r#"
import fcntl, socket, struct, subprocess, sys, threading

address, heard = "192.0.2.1", []
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 1))
fcntl.ioctl(control, 0x8916, struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address)))
listener = socket.create_server((address, 5432))

def serve():
    while True:
        client, _ = listener.accept()
        client.settimeout(5)
        try:
            heard.append(client.recv(4096))
        except OSError:
            heard.append(b"silence")
        client.close()

threading.Thread(target=serve, daemon=True).start()
code = subprocess.call(sys.argv[1:])
print("heard:", b"".join(heard), file=sys.stderr)
sys.exit(code)
"#;

/// Mounts what says where names lead, and goes on with the rest.
const MOUNT: &str = "mount --bind \"$0\" /etc/hosts || { echo 'mount: not permitted' >&2; exit 99; }; exec \"$@\"";

#[test]
fn a_name_that_says_this_machine_and_leads_to_another_hears_nothing() {
    let machines = Machines::with_users(1);
    let hosts = machines.place.path("hosts");
    std::fs::write(&hosts, "192.0.2.1 localhost\n").unwrap();
    let inside = machines.command(0, ["status"]);
    let mut apart = tool("unshare");
    if !rustix::process::geteuid().is_root() {
        apart.arg("--map-root-user");
    }
    apart.args(["--mount", "--net", "sh", "-c", MOUNT]).arg(&hosts);
    apart.arg(python()).args(["-I", "-S", "-c", ANOTHER_MACHINE]);
    apart.arg(inside.get_program()).args(inside.get_args());
    apart.env_clear().current_dir(inside.get_current_dir().unwrap());
    apart.envs(inside.get_envs().filter_map(|(name, value)| Some((name, value?))));
    apart
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("JOURNAL", format!("postgres://u:{CANARY}@localhost/d"))
        .env("ROTATE_TEST_PATIENCE", "300");
    let refused = Ran::of(apart).expect(1);
    refused.says(&["localhost leads to another machine", "heard: b''"]);
}

#[test]
fn where_a_mistake_may_hide_the_server_no_journal_is_begun_beside_it() {
    let mut machines = Machines::with_users(1);
    machines.run(0, ["run"]).expect(0);
    let right = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    // The header of the table, which says nothing of its keys to whoever does not know it.
    machines.place.configure(&right.replace("[store]", "[stroe]"));
    for arguments in [["audit"].as_slice(), &["confirm", "user-00"], &["seal", "rekey"]] {
        is_refused(&machines.run(1, arguments.iter().copied()), "[stroe]");
        assert!(!machines.state(1).exists());
    }
    for wrong in [
        "url_env = \"JOURNAL",
        "url_env = 7",
        "url_evn = \"JOURNAL\"",
        "url_env = \"JOURNAL\"\nurl_file = \"/there\"",
    ] {
        machines.place.configure(&right.replace("url_env = \"JOURNAL\"", wrong));
        for arguments in [["audit"].as_slice(), &["confirm", "user-00"]] {
            is_refused(&machines.run(1, arguments.iter().copied()), wrong);
            assert!(!machines.state(1).exists(), "{wrong}");
            // The identity of this machine was made for the journal on the server, and nobody is told to take it away.
            let refused = machines.run(0, arguments.iter().copied());
            is_refused(&refused, wrong);
            assert!(!refused.stderr.contains("rm "), "{wrong}: {}", refused.stderr);
        }
    }
    // A mistake elsewhere hides nothing.
    machines.place.configure(&format!("{right}soak = 7\n"));
    machines.run(1, ["audit"]).expect(0);
}

/// With the line of what is wrong, or because that may be anything.
#[track_caller]
fn is_refused(ran: &Ran, wrong: &str) {
    let told = match ran.code {
        Some(1) => "cannot be made out",
        _ => "nothing was touched",
    };
    assert!(
        ran.code != Some(0) && ran.stderr.contains(told),
        "{wrong}: {}",
        ran.stderr
    );
}
