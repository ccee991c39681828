//! A configuration with several targets that are all due, in one run.

use std::path::PathBuf;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::aws::{Credentials, Effect, Saved};
use rotate_fixtures::{FleetWorkplace, TestClock};

use crate::crash::aws::check_effect;
use crate::crash::flow::Flow;
use crate::crash::ground::{Effects, Ground};
use crate::crash::journal::Journal;
use crate::crash::print::rough;
use crate::crash::system::Move;

/// So many targets, of which so many are worked at once. One at a time can be walked whole.
pub(crate) struct Fleet<const TARGETS: usize, const AT_ONCE: usize> {
    place: FleetWorkplace,
    /// Each user with the key that it holds at the beginning.
    old: Vec<(String, Credentials)>,
    effects: Effects<Effect>,
    clock: TestClock,
}

impl<const TARGETS: usize, const AT_ONCE: usize> Fleet<TARGETS, AT_ONCE> {
    /// The key that a consumer has, who reads its destination each time.
    fn held(&self, user: &str, old: &Credentials) -> Credentials {
        self.place.delivered_key(user).unwrap_or_else(|| old.clone())
    }
}

impl<const TARGETS: usize, const AT_ONCE: usize> Ground for Fleet<TARGETS, AT_ONCE> {
    type Vendor = Saved;

    fn prepare(_flow: Flow, clock: &TestClock) -> Self {
        let mut place = FleetWorkplace::new(env!("CARGO_BIN_EXE_rotate"));
        place.cloud.keep_books_by(clock);
        place.configure(&format!(
            "[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\naws_calls_per_second = 0\nconcurrency = {AT_ONCE}\n"
        ));
        let old = (0..TARGETS)
            .map(|number| {
                let user = format!("user-{number:02}");
                let key = place.add_user(&user, SignedDuration::from_hours(24 * 179), "");
                (user, key)
            })
            .collect();
        let effects = Effects::new();
        place.cloud.on_effect(effects.hook());
        Self {
            place,
            old,
            effects,
            clock: clock.clone(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.place.path("")
    }

    fn vendor(&self) -> Saved {
        self.place.cloud.save()
    }

    fn put_back(&self, vendor: &Saved) {
        self.place.cloud.put_back(vendor);
    }

    fn vendor_state(&self) -> String {
        let users: Vec<&str> = self.old.iter().map(|(user, _)| user.as_str()).collect();
        rough(&self.place.cloud.state_of(&users))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.place.command(arguments)
    }

    fn one_shot(&self, _flow: Flow) -> Command {
        self.command(&["run"])
    }

    fn next(&self, _flow: Flow, journal: &Journal, _now: Timestamp) -> Vec<Move> {
        let mut next = Vec::new();
        let journals: Vec<Journal> = self.old.iter().map(|(user, _)| journal.of(user)).collect();
        for ((user, _), journal) in self.old.iter().zip(&journals) {
            if journal.is_blocked() {
                next.push(Move::command(&["confirm", user]));
                next.push(Move::command(&["abort", "--force", user]));
            }
        }
        // What a person has taken back is held until the person says to go on: that is another rotation.
        if !journals.iter().all(Journal::is_closed) {
            next.push(Move::command(&["run"]));
        }
        next
    }

    fn others(&self) -> Vec<Move> {
        let mut others = vec![Move::command(&["run"]).days_later(1)];
        for word in ["confirm", "abort", "rollback"] {
            others.push(Move::command(&[word, &self.old[0].0]));
        }
        others
    }

    fn check_effects(&self, before: &Journal, context: &dyn Fn() -> String) {
        for effect in self.effects.take() {
            let (_, old) = self.old.iter().find(|(user, _)| *user == effect.user).unwrap();
            check_effect(&effect, &old.id, &before.of(&effect.user), self.clock.now(), context);
        }
    }

    fn forget_effects(&self) {
        self.effects.take();
    }

    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let cloud = &self.place.cloud;
        for (user, old) in &self.old {
            let held = self.held(user, old);
            assert!(
                cloud.works(&held.id, &held.secret),
                "the consumer of {user} is cut off; {}",
                context()
            );
            let journal = journal.of(user);
            let keys = cloud.keys_of(user);
            let unknown = keys
                .iter()
                .filter(|key| key.id != old.id && !journal.names(&key.id))
                .count();
            assert!(
                keys.len() <= 2 && unknown <= usize::from(journal.is_creating()),
                "an orphan; {}",
                context()
            );
        }
    }

    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String) {
        for (user, old) in &self.old {
            let held = self.held(user, old);
            assert_eq!(self.place.keys(user), [held.id.as_str()], "{user}; {}", context());
            let is_done = journal.of(user).last() == "done";
            assert_eq!(held.id != old.id, is_done, "{user}; {}", context());
            assert!(self.place.cloud.works(&held.id, &held.secret), "{user}; {}", context());
        }
    }

    fn calls(&self) -> usize {
        self.place.cloud.call_count()
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        vec![self.place.cloud.canary().as_bytes().to_vec()]
    }

    fn expected_files(&self) -> Vec<String> {
        let delivered = self.old.iter().map(|(user, _)| format!("{user}.json"));
        delivered.chain(["rotate.toml".to_owned()]).collect()
    }
}
