//! Machines that seal for each other: each has an identity of its own, and all have the recipients of all.

use std::process::Command;

use rotate_fixtures::{Age, Ran};

use super::killed::OF_SEALING;
use super::{DAY, Machines, tell, user};

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

impl Sealing {
    /// One machine, whose secrets wait for a person's word.
    fn waiting(recipients: &[usize]) -> Self {
        let mut sealing = Self::new(0);
        sealing.to(recipients);
        sealing
            .machines
            .place
            .add_user(&user(0), DAY * 179, "cutover = \"confirm\"");
        sealing.to(recipients);
        sealing.run(0, ["run"]).expect(0);
        sealing
    }

    /// What the server remembers of the sealer.
    fn remembered(&self) -> String {
        let said = self.machines.on_the_server("SELECT sealer FROM about");
        said.trim().to_owned()
    }
}

#[test]
fn killed_while_it_seals_anew_nobody_works_until_a_repeat_has_done_the_rest() {
    let (mut kills, mut held_up) = (0, 0);
    let mut passed = Vec::new();
    for at in 1..=40 {
        let mut sealing = Sealing::waiting(&[0, 2]);
        let waits = sealing.machines.on_the_server("SELECT count(*) FROM sealed");
        sealing.to(&[0, 1, 2]);
        let trace = sealing.machines.place.path("trace");
        let mut rekey = sealing.command(0, ["seal", "rekey"]);
        rekey
            .env("ROTATE_TEST_KILL_AT", at.to_string())
            .env("ROTATE_TEST_TRACE", &trace);
        let ran = Ran::of(rekey);
        passed = std::fs::read_to_string(&trace)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        if ran.code.is_some() {
            ran.expect(0);
            break;
        }
        kills += 1;
        sealing
            .machines
            .on_the_server("UPDATE lease SET expires_at = '-infinity'");
        // Either nothing was begun, or it is not at its end, or it is whole.
        let known = sealing.remembered();
        for machine in [0, 1] {
            let ran = sealing.run(machine, ["run"]);
            match known.strip_prefix("changing-to:") {
                Some(_) => ran.expect(1).says(&["was not brought to its end", "seal rekey"]),
                None if known.matches("age1").count() == 2 => ran.expect(1).says(&["seals with age:", "seal rekey"]),
                None => ran.expect(0),
            };
        }
        held_up += usize::from(known.starts_with("changing-to:"));
        sealing
            .run(0, ["seal", "rekey"])
            .expect(0)
            .says(&["0 are left as they are"]);
        assert_eq!(sealing.machines.on_the_server("SELECT count(*) FROM sealed"), waits);
        sealing.run(1, ["confirm", "user-00"]).expect(0);
        sealing.run(1, ["audit", "verify"]).expect(0);
    }
    assert!(
        kills >= 6 && held_up >= 3,
        "{kills} kills, of which {held_up} held others up"
    );
    assert!(
        OF_SEALING
            .iter()
            .all(|point| passed.iter().any(|passed| passed == point)),
        "{passed:?}"
    );
}

#[test]
fn a_machine_that_opens_nothing_of_what_waits_does_not_decide_what_seals() {
    let mut sealing = Sealing::waiting(&[0, 2]);
    let known = sealing.remembered();
    sealing.to(&[1, 2]);
    sealing
        .run(1, ["seal", "rekey"])
        .expect(1)
        .says(&["nothing was changed"]);
    assert_eq!(sealing.remembered(), known);
    sealing.to(&[0, 2]);
    sealing.run(0, ["run"]).expect(0);
}

#[test]
fn machines_that_ask_for_one_key_by_other_names_seal_by_the_same() {
    let mut machines = Machines::with_users(1);
    let key = machines.place.cloud.add_kms_key();
    let text = std::fs::read_to_string(machines.place.path("rotate.toml")).unwrap();
    let seals = |by: &str| text.replace("url_env = ", &format!("seal = \"{by}\"\nurl_env = "));
    machines
        .place
        .configure(&seals(&format!("aws-kms:{key}?external_id=one")));
    machines.run(0, ["run"]).expect(0);
    let remembered = || machines.on_the_server("SELECT sealer FROM about").trim().to_owned();
    assert_eq!(remembered(), format!("aws-kms:{key}"), "and not who asks");
    // As an earlier version remembered it.
    machines.on_the_server(&format!(
        "UPDATE about SET sealer = 'aws-kms:{key}?profile=of-another-machine'"
    ));
    machines.run(1, ["run"]).expect(0);
    let other = machines.place.cloud.add_kms_key();
    machines.place.configure(&seals(&format!("aws-kms:{other}")));
    machines
        .run(1, ["run"])
        .expect(1)
        .says(&["seals with aws-kms:", "seal rekey"]);
}

/// What is sealed is moved as it is, and only what was there before opens it.
#[test]
fn a_journal_that_is_moved_tells_of_what_only_this_machine_opens() {
    for names_a_sealer in [false, true] {
        let mut sealing = Sealing::new(0);
        let of_server = std::fs::read_to_string(sealing.machines.place.path("rotate.toml")).unwrap();
        let at_home = of_server.split("[store]").next().unwrap().to_owned();
        sealing.machines.place.configure(&at_home);
        sealing
            .machines
            .place
            .add_user(&user(0), DAY * 179, "cutover = \"confirm\"");
        sealing.run(0, ["run"]).expect(0);
        sealing.machines.place.configure(&of_server);
        if names_a_sealer {
            sealing.to(&[0, 1, 2]);
        }
        let database = sealing.machines.state(0).join("rotate.db");
        let from = format!("sqlite:{}", database.display());
        let copied = sealing.run(0, ["store", "copy", "--from", &from]).expect(0);
        let told = match names_a_sealer {
            false => "warning: what waits on the server is sealed to the identity in this state folder alone",
            true => "warning: of what waits 2 were sealed before seal in [store] said what it says now",
        };
        copied.says(&[told, "rotate seal rekey"]);
    }
}
