//! Who answers for a vendor's name may say one thing to whoever looks and another to whoever calls: the addresses that were looked
//! at are the ones that are called.
//!
//! In namespaces of its own: a server of names on this machine that names a good address first and another one ever after, and a
//! listener at each of them.

use std::process::Command;

use rotate_fixtures::place::Ran;
use rotate_fixtures::python;

use super::desk::{Desk, verdict};

/// Where the name leads at first, and afterwards.
const LOOKED_AT: &str = "127.0.0.1";
const ELSEWHERE: &str = "127.0.0.66";

/// Answers for every name, then runs the command, and says on standard error who was asked for what.
const NAMES: &str = r#"
import fcntl, socket, struct, subprocess, sys, threading

looked_at, elsewhere = sys.argv[1].split(","), sys.argv[2]
told, called = [], []

# The loopback interface of a new network namespace is down.
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 1))

def listen(address):
    listener = socket.create_server((address, 443))
    def serve():
        while True:
            client, _ = listener.accept()
            called.append(address)
            client.close()
    threading.Thread(target=serve, daemon=True).start()

def answer():
    while True:
        query, client = names.recvfrom(4096)
        end = query.index(b"\0", 12)
        question, kind = query[12:end + 5], query[end + 1:end + 3]
        head = query[:2] + b"\x81\x80\0\x01"
        if kind == b"\0\x01":
            addresses = [elsewhere] if told else looked_at
            told.append("+".join(addresses))
            one = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04"
            records = b"".join(one + socket.inet_aton(address) for address in addresses)
            names.sendto(head + struct.pack(">HHH", len(addresses), 0, 0) + question + records, client)
        else:
            names.sendto(head + b"\0\0\0\0\0\0" + question, client)

names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", 53))
threading.Thread(target=answer, daemon=True).start()
listen("127.0.0.1")
listen(elsewhere)
code = subprocess.call(sys.argv[3:])
print("told:", *told, file=sys.stderr)
print("called:", *called, file=sys.stderr)
sys.exit(code)
"#;

/// Mounts what says where names are looked up, and goes on with the rest.
const MOUNT: &str =
    "mount --bind \"$0\" /etc/resolv.conf || { echo 'mount: not permitted' >&2; exit 99; }; exec \"$@\"";

/// Runs a command where names are looked up like this.
fn where_names_change(desk: &Desk, looked_at: &str, command: &Command) -> Ran {
    let resolver = desk.place.path("resolv.conf");
    std::fs::write(&resolver, "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n").unwrap();
    let mut apart = rotate_fixtures::tool("unshare");
    if !rustix::process::geteuid().is_root() {
        apart.arg("--map-root-user");
    }
    apart.args(["--mount", "--net", "sh", "-c", MOUNT]).arg(&resolver);
    apart
        .arg(python())
        .args(["-I", "-S", "-c", NAMES, looked_at, ELSEWHERE]);
    apart.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => apart.env(name, value),
            None => apart.env_remove(name),
        };
    }
    apart.env_remove("HTTPS_PROXY");
    if let Some(folder) = command.get_current_dir() {
        apart.current_dir(folder);
    }
    let ran = Ran::of(apart);
    assert!(
        ran.code != Some(99) && ran.stderr.contains("called:"),
        "this test needs `unshare`, Python 3, and a kernel that lets this user have a network and mounts of their own: {}",
        ran.stderr
    );
    desk.expect_no_canary(&ran);
    ran
}

/// The credential is tried once, at a vendor whose name leads to this.
fn tried_at(looked_at: &str) -> Ran {
    let desk = Desk::new();
    let command = desk.command([
        "--output",
        "json",
        "verify",
        "freshdesk/acme",
        "--old",
        "--secret-file",
        "secret",
        "--time-out",
        "5s",
        "--allow-private",
    ]);
    where_names_change(&desk, looked_at, &command)
}

#[test]
fn a_name_is_looked_up_once_and_what_was_looked_at_is_what_is_called() {
    let ran = tried_at(LOOKED_AT).expect(1);
    assert_eq!(verdict(&ran).0, "inconclusive");
    for line in [format!("told: {LOOKED_AT}\n"), format!("called: {LOOKED_AT}\n")] {
        assert!(ran.stderr.contains(&line), "{line}: {}", ran.stderr);
    }
}

#[test]
fn a_name_that_leads_to_a_good_address_and_to_one_that_is_not_gets_nothing_at_either() {
    let ran = tried_at(&format!("{LOOKED_AT},169.254.169.254")).expect(1);
    assert_eq!(verdict(&ran), ("inconclusive".to_owned(), "address".to_owned()));
    assert!(ran.stderr.contains("called:\n"), "{}", ran.stderr);
}
