//! A vendor as the promises need it: an owner with one key, the program that is to rotate it, and what others do meanwhile.

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use rotate_fixtures::{Ran, Trap};

/// A credential, as whoever holds it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// How the vendor names it.
    pub(crate) id: String,
    /// What logs in.
    pub(crate) secret: String,
}

/// Something that happens at the vendor, with what it is called where a test tells of it.
pub(crate) type Happening<G> = (&'static str, fn(&G));

/// Tells whether something is in these bytes.
pub(crate) type Finder = Box<dyn Fn(&[u8]) -> bool>;

/// Variables of a process.
pub(crate) type Environment = Vec<(String, String)>;

/// A command that has to be refused, and the code with which it is.
pub(crate) type Refusal<G> = (Box<dyn Fn(&G) -> Command>, i32);

/// One fake vendor with one owner, who has one key, and a folder to run the program in.
pub(crate) trait Ground: Sized {
    /// The connector's command.
    const CONNECTOR: &'static str;
    /// The target's name.
    const TARGET: &'static str;
    /// What a file with a new key may be called.
    const KEY_FILE: &'static str;

    /// A vendor, an owner with a key, and an empty folder.
    fn new() -> Self;

    /// One for each place in which the vendor may keep its record of use.
    fn with_each_record() -> Vec<Self> {
        vec![Self::new()]
    }

    /// One where a whole rotation asks everything that it ever asks.
    fn asked_for_everything() -> Self {
        Self::new()
    }

    /// A rotation of each kind whose old key has been taken away, and can be brought back.
    fn each_soaking() -> Vec<Self> {
        vec![Self::soaking()]
    }

    // The program.

    /// A path in the folder.
    fn path(&self, name: &str) -> PathBuf;

    /// The state folder.
    fn state(&self) -> PathBuf;

    /// Every file that a delivery makes; the first is the one with the key.
    fn delivery(&self) -> Vec<PathBuf>;

    /// A command line of the program.
    fn command(&self, arguments: &[&str]) -> Command;

    /// The one-shot command for the owner's key, with more arguments behind it.
    fn rotate(&self, more: &[&str]) -> Command;

    /// The same for another owner.
    fn rotate_owner(&self, owner: &str) -> Command;

    /// The same for this destination.
    fn rotate_to(&self, destination: &str) -> Command;

    /// What may lead the one-shot command to this address, and what is named where it does.
    fn misled_to(&self, trap: &Trap) -> Vec<(Environment, &'static str)>;

    /// Runs a command line to its end.
    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// The same, as if this many seconds had passed.
    fn later(&self, seconds: i64, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.env("ROTATE_TEST_CLOCK_AHEAD", seconds.to_string());
        Ran::of(command)
    }

    /// Runs the one-shot command with these options.
    fn begin(&self, more: &[&str]) -> Ran {
        Ran::of(self.rotate(more))
    }

    /// The target's state, as `status` reports it.
    fn state_name(&self) -> String {
        let status = self.run(&["status", Self::TARGET, "--output", "json"]).json();
        status["targets"][0]["state"].as_str().unwrap_or("unknown").to_owned()
    }

    /// A rotation that waits for a person.
    fn delivered() -> Self {
        let ground = Self::new();
        ground.begin(&["--soak", "7d"]).expect(0);
        assert_eq!(ground.state_name(), "delivered");
        ground
    }

    /// A rotation whose old key has been taken away, and rests.
    fn soaking() -> Self {
        let ground = Self::delivered();
        ground.run(&["confirm", Self::TARGET]).expect(0);
        assert_eq!(ground.state_name(), "deactivated");
        ground
    }

    /// All that a refused command must not change.
    fn picture(&self) -> String {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let delivered: Vec<String> = self.delivery().into_iter().map(read).collect();
        format!("{:?}\n{delivered:?}\n{}", self.live(), self.run(&["audit"]).stdout)
    }

    /// The command does not fit: it is refused with these words, and changes nothing.
    #[track_caller]
    fn refuses(&self, arguments: &[&str], words: &[&str]) {
        let before = self.picture();
        self.run(arguments).expect(1).says(words);
        assert_eq!(self.picture(), before, "{arguments:?} changed something");
    }

    // The keys.

    /// The key that the owner held at the beginning.
    fn old(&self) -> Key;

    /// The key in the destination.
    fn new_key(&self) -> Option<Key>;

    /// The keys that may log in, as the vendor knows it, in an order of its own. To look is no use of a key.
    fn live(&self) -> Vec<String>;

    /// Whether the key may log in. To look is no use of it.
    fn is_live(&self, id: &str) -> bool {
        self.live().iter().any(|live| live == id)
    }

    /// Whether a login with the key succeeds, which may be a use of it.
    fn works(&self, key: &Key) -> bool;

    /// Stops the test unless the owner holds the old key alone, which works, and nothing is delivered.
    #[track_caller]
    fn expect_as_before(&self);

    /// The same, and stops the test if any key was changed in between.
    #[track_caller]
    fn expect_untouched(&self);

    /// Stops the test unless the new key works and is the only one, and the vendor understood all that it was asked.
    #[track_caller]
    fn expect_rotated(&self, context: &str);

    // What the vendor has on record.

    /// The time at the vendor.
    fn now(&self) -> Timestamp;

    /// So many minutes later.
    fn in_minutes(&self, minutes: i64) -> Timestamp {
        self.now() + SignedDuration::from_mins(minutes)
    }

    /// How often the program has called.
    fn calls(&self) -> usize;

    /// What the vendor has called each request that has changed a key, in order.
    fn requests(&self) -> Vec<String>;

    /// From here on the vendor calls each of them this; whether its answers can hold it.
    fn calls_requests(&self, id: &'static str) -> bool;

    /// Who has logged in or called since the beginning, or since they were forgotten: the id of a key, or what else it was.
    fn callers(&self) -> Vec<String>;

    /// Forgets them.
    fn forget_calls(&self);

    /// How often a login with the new key was refused before the old one was touched.
    fn refused_logins(&self) -> usize;

    /// Looks at each change of a key in the moment in which it happens; says what was wrong so far.
    fn watch(&self) -> Box<dyn Fn() -> Vec<String>>;

    // What others do.

    /// Somebody uses a key of the owner's.
    fn use_key(&self, id: &str, at: Timestamp);

    /// What a report says of this use.
    fn told_use(at: Timestamp) -> String;

    /// The vendor has no use of this key on record any more.
    fn forget_use(&self, id: &str);

    /// What may become of the old key so that it works no more.
    fn ends_of_the_old_key() -> Vec<Happening<Self>>;

    /// Somebody takes the old key away, in the way in which the program does it.
    fn take_old_away(&self);

    /// The owner is deleted.
    fn drop_owner(&self);

    /// Another owner of the same name, with a key.
    fn owner_returns(&self) -> Key;

    // What goes wrong.

    /// A new key is accepted or refused by this pattern, and accepted from then on.
    fn flap_logins(&self, pattern: &[bool]);

    /// No new key is ever accepted.
    fn refuse_new_keys(&self);

    /// What is told of it, beside what is told of every vendor.
    fn told_of_refused_keys() -> &'static [&'static str] {
        &[]
    }

    /// Every call of a whole rotation on [`Ground::asked_for_everything`], with every way to break it that passes by itself.
    fn breaks() -> Vec<Break<Self>>;

    // What must not be seen.

    /// The beginning of secrets, which the fake puts into its own.
    fn canary(&self) -> String;

    /// Every text that must be seen nowhere but in a destination.
    fn secrets(&self) -> Vec<String> {
        vec![self.canary()]
    }

    /// Finds the secret of the key in this file, in pieces too.
    fn finder(_key_file: &Path) -> Finder {
        Box::new(|_| false)
    }

    /// Options with which a rotation holds more secrets, made ready for.
    fn more_secrets(&self) -> Vec<Vec<String>> {
        vec![Vec::new()]
    }

    /// Commands that the vendor or the program refuses, while secrets are at hand.
    fn refusals() -> Vec<Refusal<Self>>;

    /// Commands that meet a broken file with the canary in it.
    fn complaints() -> Vec<Refusal<Self>>;

    // What can be given wrongly.

    /// Names that no owner can have, with what is said of them.
    fn bad_owners() -> Vec<(String, &'static str)>;

    /// Options that an open rotation was not begun with, and which of them is named.
    fn other_options() -> Vec<(&'static [&'static str], &'static str)>;
}

/// A call that breaks once.
pub(crate) struct Break<G> {
    /// What a failed test calls it.
    pub(crate) name: String,
    /// Breaks it.
    pub(crate) plant: Box<dyn Fn(&G) + Send + Sync>,
}
