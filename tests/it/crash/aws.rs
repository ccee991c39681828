//! AWS: the vendor mints, and can disable.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use rotate_fixtures::aws::{Effect, KeyStatus, Saved};
use rotate_fixtures::github::World;
use rotate_fixtures::workplace::{BUCKET, TARGET, USER};
use rotate_fixtures::{FakeGitHub, TestClock, Workplace};

use crate::crash::flow::Flow;
use crate::crash::ground::{Effects, Ground};
use crate::crash::journal::Journal;
use crate::crash::print::rough;
use crate::crash::programs::{Programs, SENT, TOLD, check_told, sent};
use crate::crash::system::{Deed, Move};

/// What someone else keeps in the shared credentials file.
const OTHERS: &str = "# not ours\n[default]\naws_access_key_id = OTHER\n\n[gs]\nregion = eu-west-1\n";

/// An owner holds no more keys.
const SLOTS: usize = 2;

/// How often a person goes on where people have meddled.
const MOST_WORDS: usize = 2;

/// The third destination of a rotation that is given up, and of one that is rolled back: with two more, every walk would take half
/// as long again.
const SECRET: &str = "gainsight";
const PARAMETER: &str = "/gainsight";
const STORE_FOUND: &str = r#"{"theirs":"kept"}"#;

/// The one of a rotation that only its consumer can prove: nobody can read there what it is.
const REPOSITORY: &str = "acme/app";

pub(crate) struct Aws {
    place: Workplace,
    /// Where its consumer reads the key, in one flow.
    github: Option<FakeGitHub>,
    flow: Flow,
    /// The keys that somebody has made by hand, in any world.
    by_hand: RefCell<BTreeSet<String>>,
    effects: Effects<Effect>,
    clock: TestClock,
    programs: Programs,
}

impl Aws {
    /// How many destinations a delivery has.
    fn destinations(&self) -> usize {
        match self.flow {
            Flow::Aborted | Flow::RolledBack | Flow::ByConsumer | Flow::OneFails => 3,
            _ => 2,
        }
    }

    /// The second destination: a file with a life of its own.
    fn profile(&self) -> PathBuf {
        self.place.path("credentials")
    }

    fn with_token(&self, mut command: Command) -> Command {
        if let Some(github) = &self.github {
            command.env("GH_ENTERPRISE_TOKEN", &github.world().token);
        }
        command
    }

    /// A repository's secrets are those of one key at the end, and until then of keys on record; what others keep there stays.
    fn check_github(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let Some(github) = &self.github else {
            return;
        };
        let all = github.world().all(REPOSITORY);
        assert_eq!(all.get("THEIRS").map(String::as_str), Some("kept"), "{}", context());
        let id = all.get("AWS_ACCESS_KEY_ID");
        assert!(
            id.is_none_or(|id| journal.names(id)),
            "a key was delivered that is not on record; {}",
            context()
        );
        if journal.has("done") {
            let secret = all.get("AWS_SECRET_ACCESS_KEY");
            let works = id
                .zip(secret)
                .is_some_and(|(id, secret)| self.place.cloud.works(id, secret));
            assert!(works, "the repository's key does not work; {}", context());
        }
    }

    fn is_by_hand(&self, id: &str) -> bool {
        self.by_hand.borrow().contains(id)
    }

    fn add_by_hand(&self) {
        if self.place.cloud.keys_of(USER).len() < SLOTS {
            let key = self.place.cloud.add_key_created_at(USER, self.clock.now());
            self.by_hand.borrow_mut().insert(key.id);
        }
    }

    /// What the program has just taken away leaves the owner a key that works: the old one, one that is proven, or one that
    /// somebody else has put there and looks after. And it was no key of theirs.
    fn check_taken(&self, effect: &Effect, before: &Journal, context: &dyn Fn() -> String) {
        if effect.status == KeyStatus::Active {
            return;
        }
        let id = effect.key_id.as_str();
        assert!(
            !self.is_by_hand(id),
            "a key of somebody else was taken away: {}",
            context()
        );
        let is_old = id == self.place.old.id;
        if !is_old && !before.has("deliver-intended") {
            return;
        }
        let left = self.place.cloud.keys_of(USER);
        let mut left = left.iter().filter(|key| key.active);
        assert!(
            left.any(|key| key.id == self.place.old.id || before.names(&key.id) || self.is_by_hand(&key.id)),
            "the last key that works was taken away: {}",
            context()
        );
    }
}

impl Ground for Aws {
    type Vendor = (Saved, Option<World>);

    fn prepare(flow: Flow, clock: &TestClock) -> Self {
        let place = Workplace::in_memory(env!("CARGO_BIN_EXE_rotate"));
        place.cloud.keep_books_by(clock);
        let end = if flow == Flow::ToldInVain { "exit 1" } else { "exit 0" };
        let github = (flow == Flow::ByConsumer).then(|| {
            let github = FakeGitHub::start();
            github.go_by(clock);
            let mut world = github.world();
            world.add_repository(REPOSITORY);
            world.written_before(86_400, REPOSITORY, "THEIRS", "kept");
            drop(world);
            github
        });
        let ground = Self {
            programs: Programs::new(&place.path(""), end),
            place,
            github,
            flow,
            by_hand: RefCell::default(),
            effects: Effects::new(),
            clock: clock.clone(),
        };
        std::fs::write(ground.profile(), OTHERS).unwrap();
        close_to_others(&ground.profile());
        let cloud = &ground.place.cloud;
        match flow {
            Flow::Useless => cloud.forbid_bucket(BUCKET, USER),
            Flow::Immediate
            | Flow::Confirmed
            | Flow::ByConsumer
            | Flow::ByUse
            | Flow::Meddled
            | Flow::Told
            | Flow::ToldInVain
            | Flow::OneFails
            | Flow::Aborted
            | Flow::RolledBack => {}
            other => panic!("AWS has no flow {other}"),
        }
        cloud.add_secret(SECRET, STORE_FOUND);
        cloud.add_parameter(PARAMETER, "SecureString", STORE_FOUND);
        cloud.on_effect(ground.effects.hook());
        ground
    }

    fn folder(&self) -> PathBuf {
        self.place.path("")
    }

    fn vendor(&self) -> Self::Vendor {
        (self.place.cloud.save(), self.github.as_ref().map(FakeGitHub::save))
    }

    fn put_back(&self, (cloud, world): &Self::Vendor) {
        self.place.cloud.put_back(cloud);
        if let (Some(github), Some(world)) = (&self.github, world) {
            github.put_back(world);
        }
    }

    fn vendor_state(&self) -> String {
        let github = self.github.as_ref().map(|github| github.world().state());
        let cloud = &self.place.cloud;
        let state = cloud.state_of(&[USER])
            + &cloud.state_of_secret(SECRET)
            + &cloud.state_of_parameter(PARAMETER)
            + &github.unwrap_or_default();
        of_old_and_new(&state, &self.place.old.id, self.flow == Flow::ByUse)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.with_token(self.place.command(arguments))
    }

    fn one_shot(&self, flow: Flow) -> Command {
        let mut command = self.with_token(self.place.rotate(flow.options()));
        let program = |name: &str| self.programs.path(name).display().to_string();
        if flow == Flow::OneFails {
            command.args(["--deliver", &format!("exec:{}", program("refuse"))]);
            command.args(["--deliver", &format!("exec:{}", program("send"))]);
            return command;
        }
        if matches!(flow, Flow::Told | Flow::ToldInVain) {
            command.args(["--after-delivery", &program("tell")]);
        }
        command.args(["--deliver", &format!("aws-profile:gs@{}", self.profile().display())]);
        if flow == Flow::Aborted {
            command.args(["--deliver", &format!("secretsmanager:{SECRET}")]);
        }
        if flow == Flow::RolledBack {
            command.args(["--deliver", &format!("ssm:{PARAMETER}")]);
        }
        if let Some(github) = &self.github {
            command.args(["--deliver", &format!("github:{REPOSITORY}?api={}", github.api())]);
        }
        command
    }

    fn next(&self, flow: Flow, journal: &Journal, now: Timestamp) -> Vec<Move> {
        let mut next = flow.next(TARGET, journal.state(self.destinations()), journal.has_rested(now));
        // Whoever has looked twice and gone on does not do so a third time: they take it back.
        if flow == Flow::Meddled && journal.is_blocked() && journal.count("resumed") >= MOST_WORDS {
            next.retain(|by| *by != Move::command(&["confirm", TARGET]));
        }
        next
    }

    fn others(&self) -> Vec<Move> {
        match self.flow {
            Flow::Meddled => Flow::deeds(),
            _ => Flow::others(TARGET),
        }
    }

    fn suffer(&self, deed: Deed, journal: &Journal) {
        // Before a rotation begins, whatever is there is what it begins with.
        if journal.lines.is_empty() {
            return;
        }
        let cloud = &self.place.cloud;
        let (old, new) = (self.place.old.id.as_str(), journal.new_key());
        let exists = |id: &&str| cloud.key_exists(id);
        match deed {
            Deed::UsesNew => {
                for new in new.into_iter().filter(exists) {
                    cloud.set_last_used(new, self.clock.now(), "s3", "us-east-1");
                }
            }
            Deed::RotatesByHand => {
                if cloud.key_exists(old) {
                    cloud.delete_key(old);
                }
                self.add_by_hand();
            }
            Deed::AddsTheirs => self.add_by_hand(),
            Deed::DisablesOld | Deed::DisablesNew => {
                let id = if deed == Deed::DisablesOld { Some(old) } else { new };
                for id in id.into_iter().filter(exists) {
                    cloud.set_key_status(id, false);
                }
            }
            Deed::DeletesOld | Deed::DeletesNew => {
                let id = if deed == Deed::DeletesOld { Some(old) } else { new };
                for id in id.into_iter().filter(exists) {
                    cloud.delete_key(id);
                }
            }
            Deed::DeletesTheirs => {
                for key in cloud.keys_of(USER).iter().filter(|key| self.is_by_hand(&key.id)) {
                    cloud.delete_key(&key.id);
                }
            }
        }
    }

    fn check_effects(&self, before: &Journal, context: &dyn Fn() -> String) {
        self.programs.check_runs(before, context);
        for effect in self.effects.take() {
            self.check_taken(&effect, before, context);
            check_effect(&effect, &self.place.old.id, before, self.clock.now(), context);
        }
    }

    fn forget_effects(&self) {
        self.effects.take();
        self.programs.forget_runs();
    }

    fn check_now(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let place = &self.place;
        let keys = place.cloud.keys_of(USER);
        // What people do to themselves at the vendor is not what the program does.
        let is_meddled = self.flow == Flow::Meddled;
        assert!(
            is_meddled || keys.iter().any(|key| key.active),
            "nobody has a key that works; {}",
            context()
        );
        if !is_meddled && !journal.has("cut-over") {
            assert!(
                place.cloud.works(&place.old.id, &place.old.secret),
                "a consumer is cut off; {}",
                context()
            );
        }
        // Every live key is on record, or is what a call that was just made has left for the next run to find.
        let is_known = |id: &str| journal.names(id) || self.is_by_hand(id);
        let unknown = keys.into_iter().filter(|key| !is_known(&key.id)).count();
        let explained = journal.is_creating() || (journal.lines.is_empty() && unknown <= 1);
        assert!(unknown == 0 || (unknown <= 2 && explained), "an orphan; {}", context());
        // A destination is whole: what it was, or what it is to be.
        if place.delivered().exists() {
            let key = place
                .delivered_key()
                .unwrap_or_else(|| panic!("a torn file; {}", context()));
            assert!(
                journal.names(&key.id),
                "a key was delivered that is not on record; {}",
                context()
            );
            assert!(
                is_meddled || journal.has("undo-requested") || place.cloud.works(&key.id, &key.secret),
                "a destination holds a key that does not work; {}",
                context()
            );
        }
        if let Some((id, secret)) = sent(&place.path(SENT)) {
            assert!(
                journal.has("undo-requested") || place.cloud.works(&id, &secret),
                "a key was sent that does not work; {}",
                context()
            );
        }
        self.check_github(journal, context);
        let held = std::fs::read_to_string(self.profile()).unwrap();
        assert!(
            held.starts_with(OTHERS),
            "others' lines were disturbed; {}\n{held}",
            context()
        );
        let holds_one_that_works = place
            .cloud
            .keys_of(USER)
            .iter()
            .any(|key| key.active && held.contains(&key.id));
        assert!(
            is_meddled || held == OTHERS || journal.has("undo-requested") || holds_one_that_works,
            "a profile holds a key that does not work; {}\n{held}",
            context()
        );
    }

    fn check_end(&self, journal: &Journal, context: &dyn Fn() -> String) {
        let place = &self.place;
        if self.flow == Flow::Meddled {
            return;
        }
        let keys = place.cloud.keys_of(USER);
        assert_eq!(keys.len(), 1, "{keys:?}; {}", context());
        let held = std::fs::read_to_string(self.profile()).unwrap();
        if matches!(self.flow, Flow::Told | Flow::ToldInVain) {
            check_told(&place.path(""), &keys[0].id, journal, context);
        }
        if journal.has("done") {
            let new = place.delivered_key().expect("the new key is delivered");
            assert!(place.cloud.works(&new.id, &new.secret), "{}", context());
            assert!(held.contains(&new.secret), "{}", context());
        } else {
            assert!(place.cloud.works(&place.old.id, &place.old.secret), "{}", context());
            assert!(!place.delivered().exists(), "{}", context());
            assert_eq!(held, OTHERS, "{}", context());
            let secret = place.cloud.secret(SECRET);
            assert_eq!(secret.as_deref(), Some(STORE_FOUND), "{}", context());
            let parameter = place.cloud.parameter(PARAMETER);
            assert_eq!(parameter.as_deref(), Some(STORE_FOUND), "{}", context());
        }
    }

    fn calls(&self) -> usize {
        self.place.cloud.call_count()
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        let token = self
            .github
            .as_ref()
            .map(|github| github.world().token.clone().into_bytes());
        let canary = self.place.cloud.canary().as_bytes().to_vec();
        [canary].into_iter().chain(token).collect()
    }

    fn expected_files(&self) -> Vec<String> {
        ["credentials", "key.json", TOLD, SENT].map(str::to_owned).to_vec()
    }
}

/// The journal knew of a change of a key beforehand, and nobody is cut off by it.
pub(crate) fn check_effect(
    effect: &Effect,
    old: &str,
    journal: &Journal,
    now: Timestamp,
    context: &dyn Fn() -> String,
) {
    let is_old = effect.key_id == old;
    match effect.status {
        KeyStatus::Active if is_old => {
            assert!(
                journal.has("reactivate-intended"),
                "enabled without intent: {}",
                context()
            );
        }
        KeyStatus::Active => {
            assert_eq!(
                journal.last(),
                "create-intended",
                "created without intent: {}",
                context()
            );
        }
        KeyStatus::Inactive => {
            assert!(is_old, "the new key was disabled: {}", context());
            assert!(journal.has("cut-over"), "disabled before the cut-over: {}", context());
            assert!(
                journal.has("deactivate-intended"),
                "disabled without intent: {}",
                context()
            );
            journal.expect_fresh_proof(now, context);
        }
        KeyStatus::Deleted if is_old => {
            assert!(journal.has("cut-over"), "deleted before the cut-over: {}", context());
            assert!(journal.has("delete-intended"), "deleted without intent: {}", context());
            journal.expect_fresh_proof(now, context);
        }
        KeyStatus::Deleted => {
            // A person may ask for an undo in between.
            let intents = ["withdraw-intended", "withdrawn", "discard-intended", "discarded"];
            let last = journal.latest().rev().find(|line| intents.contains(&line.event()));
            assert!(
                last.is_some_and(|last| last.event().ends_with("-intended")),
                "a new key was deleted without intent: {}",
                context()
            );
        }
    }
}

/// What a vendor knows: whether the old key was used before or after a moment counts, and of all other times only how far they
/// are from that moment. Where the new key's use is what is waited for, the same holds for it.
pub(crate) fn of_old_and_new(state: &str, old: &str, new_as_well: bool) -> String {
    let lines = state.lines().map(|line| match line.split_once(" used ") {
        Some((before, used)) if new_as_well || line.contains(old) => format!("{} used {used}\n", rough(before)),
        _ => rough(line) + "\n",
    });
    lines.collect()
}

pub(crate) fn close_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
