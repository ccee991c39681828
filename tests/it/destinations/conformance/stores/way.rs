//! One way through a store.

use rotate_fixtures::Ran;
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};

use super::*;

/// What is said of each failure that a repeat mends.
const AGAIN: &str = "the same command again";

/// One way through a store: every command, with its environment, and no secret in what it prints.
pub(super) struct Way<S> {
    pub(super) store: S,
    pub(super) older: (String, String),
    pub(super) beside: String,
    pub(super) written: usize,
}

impl<S: Store> Way<S> {
    pub(super) fn new() -> Self {
        let store = S::new();
        let (older, beside, written) = (store.held(), store.beside(), store.writes());
        Self {
            store,
            older,
            beside,
            written,
        }
    }

    pub(super) fn ran(&self, mut command: std::process::Command) -> Ran {
        command.envs(self.store.environment());
        let ran = Ran::of(command);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let secrets = self.store.place().cloud.secrets();
        assert!(!secrets.iter().any(|secret| said.contains(secret)), "a secret is shown");
        assert!(
            !said.contains(&self.older.1) && !said.contains(THEIRS.1),
            "an older secret is shown"
        );
        ran
    }

    pub(super) fn rotate(&self, more: &[&str]) -> Ran {
        self.ran(self.store.place().rotate_to(&[&self.store.to()], more))
    }

    /// The same command, and once more where it was told that this would help.
    #[track_caller]
    pub(super) fn rotate_in_the_end(&self) {
        let ran = self.rotate(&[]);
        if ran.code != Some(0) {
            ran.expect(1).says(&[AGAIN]);
            self.store.door().open();
            self.rotate(&[]).expect(0);
        }
    }

    /// The target is one of a fleet from now on.
    pub(super) fn configure(&self) {
        let text = format!(
            "[[target]]\nname = \"{TARGET}\"\nconnector = \"s3-customer-managed\"\nuser = \"{USER}\"\nbucket = \"{BUCKET}\"\n\
             deliver = [\"{}\"]\n",
            self.store.to()
        );
        std::fs::write(self.store.place().path("rotate.toml"), text).expect("it can be written");
    }

    /// A command for the fleet, so many days from now.
    pub(super) fn later(&self, days: u32, command: &str) -> Ran {
        let config = self.store.place().path("rotate.toml").display().to_string();
        let mut later = self.store.place().command(["--config", &config, command]);
        later.env("ROTATE_TEST_CLOCK_AHEAD", (days * 86_400).to_string());
        self.ran(later)
    }

    pub(super) fn abort(&self) -> Ran {
        self.ran(self.store.place().command(["abort", TARGET]))
    }

    /// Takes it back; a store that cannot be put back has a person's word for it.
    #[track_caller]
    pub(super) fn abort_in_the_end(&self) {
        let ran = self.abort();
        if !S::can().restores {
            ran.expect(3);
            self.ran(self.store.place().command(["abort", "--force", TARGET]))
                .expect(0);
        } else if ran.code != Some(0) {
            ran.expect(1).says(&[AGAIN]);
            self.store.door().open();
            self.abort().expect(0);
        }
    }

    /// The requests of the command that delivers.
    pub(super) fn requests() -> usize {
        let way = Self::new();
        way.rotate(&[]).expect(0);
        way.store.door().count()
    }

    /// The requests of the command that takes it back: there are some wherever something can be put back.
    pub(super) fn requests_of_abort() -> usize {
        let way = Self::new();
        way.rotate(&[]).expect(0);
        let delivered = way.store.door().count();
        way.abort_in_the_end();
        let requests = way.store.door().count() - delivered;
        assert!(requests > 0 || !S::can().restores, "nothing was asked of the store");
        requests
    }

    /// The crash points that the command passes, in their order.
    pub(super) fn points() -> Vec<String> {
        let way = Self::new();
        let trace = way.store.place().path("trace");
        let mut command = way.store.place().rotate_to(&[&way.store.to()], [] as [&str; 0]);
        command.env("ROTATE_TEST_TRACE", &trace);
        way.ran(command).expect(0);
        let points = std::fs::read_to_string(&trace).unwrap_or_default();
        points.lines().map(str::to_owned).collect()
    }

    /// A way on which that command was killed at this point, counted from one.
    pub(super) fn killed_at(point: usize) -> Self {
        let way = Self::new();
        let mut dying = way.store.place().rotate_to(&[&way.store.to()], [] as [&str; 0]);
        dying.env("ROTATE_TEST_KILL_AT", point.to_string());
        let died = way.ran(dying);
        assert_eq!(died.code, None, "{}", died.stderr);
        way
    }

    #[track_caller]
    pub(super) fn expect_delivered(&self, when: &str) {
        let (id, secret) = self.store.held();
        assert!(
            self.store.place().cloud.works(&id, &secret),
            "{when}: {id} does not work"
        );
        assert_ne!(id, self.store.place().old.id, "{when}");
    }

    /// As it was before, where it can be put back at all.
    #[track_caller]
    pub(super) fn expect_put_back(&self, when: &str) {
        if S::can().restores {
            assert_eq!(self.store.held(), self.older, "{when}");
        }
    }
}
