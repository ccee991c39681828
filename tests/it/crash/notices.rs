//! A target of whose changes somebody is told, who takes nothing the first time that it comes.

use std::path::PathBuf;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::aws::{Credentials, Effect, Saved};
use rotate_fixtures::receiver::Taken;
use rotate_fixtures::{FleetWorkplace, Receiver, TestClock};

use crate::crash::aws::check_effect;
use crate::crash::flow::Flow;
use crate::crash::ground::{Effects, Ground};
use crate::crash::journal::Journal;
use crate::crash::print::rough;
use crate::crash::system::Move;

const USER: &str = "main";

/// What its notices are signed with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// One target, and whoever is told of it.
pub(crate) struct Notices {
    place: FleetWorkplace,
    receiver: Receiver,
    old: Credentials,
    effects: Effects<Effect>,
    clock: TestClock,
}

impl Notices {
    /// What was taken, in its order.
    fn taken(&self) -> Vec<Taken> {
        let all = self.receiver.remembered().into_iter();
        all.filter(|it| it.is_taken && it.kind != "fleet.digest").collect()
    }
}

impl Ground for Notices {
    type Vendor = (Saved, Vec<Taken>);

    fn prepare(_flow: Flow, clock: &TestClock) -> Self {
        let mut place = FleetWorkplace::new(env!("CARGO_BIN_EXE_rotate"));
        place.cloud.keep_books_by(clock);
        place.configure(
            "[[notify]]\nwebhook = { url_env = \"HOOK_URL\", secret_env = \"HOOK_SECRET\" }\n\
             [defaults]\nsoak = \"0s\"\naws_calls_per_second = 0\nconcurrency = 1\n",
        );
        let old = place.add_user(USER, SignedDuration::from_hours(24 * 170), "");
        let effects = Effects::new();
        place.cloud.on_effect(effects.hook());
        Self {
            place,
            receiver: Receiver::refusing_first(),
            old,
            effects,
            clock: clock.clone(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.place.path("")
    }

    fn vendor(&self) -> Self::Vendor {
        (self.place.cloud.save(), self.receiver.remembered())
    }

    fn put_back(&self, (saved, taken): &Self::Vendor) {
        self.place.cloud.put_back(saved);
        self.receiver.remember(taken.clone());
    }

    fn vendor_state(&self) -> String {
        let mut state = rough(&self.place.cloud.state_of(&[USER]));
        for Taken { id, kind, is_taken } in self.receiver.remembered() {
            state.push_str(&format!("{kind} {id} {is_taken}\n"));
        }
        state
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.env("HOOK_URL", self.receiver.url()).env("HOOK_SECRET", SECRET);
        command
    }

    fn one_shot(&self, _flow: Flow) -> Command {
        self.command(&["run"])
    }

    fn next(&self, _flow: Flow, journal: &Journal, now: Timestamp) -> Vec<Move> {
        let run = Move::command(&["run"]);
        // Where something may be tried already, no more time has to pass; and else longer than any window that a few of these would reach the end of.
        let later = match journal.may_be_sent(now) {
            true => run.clone(),
            false => run.clone().minutes_later(61),
        };
        let of_target = journal.of(USER);
        match of_target.state(1) {
            "done" | "aborted" | "rolled-back" if journal.waiting == 0 => Vec::new(),
            "done" | "aborted" | "rolled-back" => vec![later],
            "blocked" => vec![
                Move::command(&["confirm", USER]),
                Move::command(&["abort", "--force", USER]),
            ],
            "awaiting-cutover" => vec![Move::command(&["confirm", USER])],
            _ => vec![run],
        }
    }

    fn others(&self) -> Vec<Move> {
        Vec::new()
    }

    fn check_effects(&self, before: &Journal, context: &dyn Fn() -> String) {
        for effect in self.effects.take() {
            check_effect(&effect, &self.old.id, &before.of(USER), self.clock.now(), context);
        }
    }

    fn forget_effects(&self) {
        self.effects.take();
    }

    /// Nobody is told of what is not in the journal, nothing is told twice by two ids, and the order is that of the journal.
    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let taken = self.taken();
        let kinds: Vec<&str> = taken.iter().map(|it| it.kind.as_str()).collect();
        let order = ["rotation.begun", "rotation.waits", "rotation.done"];
        assert_eq!(
            kinds,
            order[..kinds.len()],
            "told out of order, or twice: {}",
            context()
        );
        let of_target = journal.of(USER);
        let is_so = |kind: &str| match kind {
            "rotation.begun" => of_target.has("opened"),
            "rotation.waits" => of_target.has("delivered"),
            _ => of_target.has("done"),
        };
        assert!(
            kinds.iter().all(|kind| is_so(kind)),
            "told of what is not so: {}",
            context()
        );
        // What is in the journal is told, or waits to be.
        let made = order.iter().filter(|kind| is_so(kind)).count();
        let waiting = journal.notices("rotation.");
        assert!(
            kinds.len() + waiting >= made,
            "{made} changes, {} told and {waiting} waiting: {}",
            kinds.len(),
            context()
        );
    }

    fn check_end(&self, _journal: &Journal, context: &dyn Fn() -> String) {
        assert_eq!(self.taken().len(), 3, "{}", context());
    }

    fn calls(&self) -> usize {
        self.place.cloud.call_count()
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        vec![
            self.place.cloud.canary().as_bytes().to_vec(),
            SECRET.as_bytes().to_vec(),
        ]
    }

    fn expected_files(&self) -> Vec<String> {
        vec![format!("{USER}.json"), "rotate.toml".to_owned()]
    }
}
