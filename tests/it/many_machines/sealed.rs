//! Machines that seal for each other: each has an identity of its own, and all have the recipients of all.

use std::process::Command;

use rotate_fixtures::{Age, Ran};

use super::{Machines, tell, user};

/// Two machines with an identity each, and one that is kept offline.
struct Sealing {
    machines: Machines,
    identities: [String; 2],
    recipients: Vec<String>,
}

impl Sealing {
    fn new(users: usize) -> Self {
        let machines = Machines::with_users(users);
        let age = Age::find();
        let made = ["one.txt", "two.txt", "offline.txt"].map(|name| {
            let path = machines.place.path(name);
            let recipient = age.keygen(&path);
            (std::fs::read_to_string(path).unwrap(), recipient)
        });
        let recipients = made.iter().map(|(_, recipient)| recipient.clone()).collect();
        let [(one, _), (two, _), _] = made;
        Self {
            machines,
            identities: [one, two],
            recipients,
        }
    }

    /// From now on it is sealed to these.
    fn to(&mut self, recipients: &[usize]) {
        let path = self.machines.place.path("rotate.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("seal"));
        let all: Vec<&str> = recipients.iter().map(|at| self.recipients[*at].as_str()).collect();
        let seal = format!(
            "url_env = \"JOURNAL\"\nseal = \"age:{}\"\nseal_identity_env = \"MACHINE\"",
            all.join(",")
        );
        let lines: Vec<String> = lines.map(|line| line.replace("url_env = \"JOURNAL\"", &seal)).collect();
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }

    fn command<'a>(&self, machine: usize, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.machines.command(machine, arguments);
        command.env("MACHINE", self.identities[machine].trim_end());
        command.env("ROTATE_TEST_LEASE", "3000");
        command
    }

    fn run<'a>(&self, machine: usize, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::of(self.command(machine, arguments))
    }
}

#[test]
fn a_machine_that_dies_with_secrets_waiting_is_followed_by_one_with_an_identity_of_its_own() {
    let mut sealing = Sealing::new(3);
    sealing.to(&[0, 1, 2]);
    let mut dies = sealing.command(0, ["run"]);
    // Somewhere in the middle.
    dies.env("ROTATE_TEST_KILL_AT", "40");
    assert_eq!(Ran::of(dies).code, None, "it was killed");
    let waits = sealing.machines.on_the_server("SELECT count(*) FROM sealed");
    tell(&format!("{} secrets wait when the first machine dies", waits.trim()));
    sealing.run(1, ["run", "--wait-for-lease", "1m"]).expect(0);
    for number in 0..3 {
        let delivered = sealing.machines.place.delivered_key(&user(number)).unwrap();
        assert!(sealing.machines.place.cloud.works(&delivered.id, &delivered.secret));
    }
    sealing.run(1, ["audit", "verify"]).expect(0);
    assert!(!sealing.machines.state(0).join("identity.age").exists());
}

#[test]
fn a_machine_that_would_seal_otherwise_is_refused_until_all_that_waits_is_sealed_anew() {
    let mut sealing = Sealing::new(1);
    sealing.to(&[0, 2]);
    sealing.run(0, ["run"]).expect(0);
    // The second machine is no recipient: nothing is begun there.
    let told = ["this machine is no recipient", "nothing was touched"];
    sealing.run(1, ["run"]).expect(1).says(&told);
    sealing.to(&[0, 1, 2]);
    for machine in [0, 1] {
        sealing
            .run(machine, ["run"])
            .expect(1)
            .says(&["seals with age:", "seal rekey"]);
    }
    sealing.run(0, ["seal", "rekey"]).expect(0);
    for machine in [0, 1] {
        sealing.run(machine, ["run"]).expect(0);
    }
}

#[test]
fn what_one_machine_alone_opens_is_told_loudly() {
    let mut sealing = Sealing::new(1);
    let told = ["warning: what waits on the server is sealed to the identity in this state folder alone"];
    sealing.run(0, ["run"]).expect(0).says(&told);
    let doctor = sealing.run(0, ["doctor"]);
    assert!(
        doctor.stdout.contains("every machine needs that very file"),
        "{}",
        doctor.stdout
    );
    sealing.to(&[0, 1, 2]);
    sealing.run(0, ["seal", "rekey"]).expect(0);
    let ran = sealing.run(0, ["run"]).expect(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}
