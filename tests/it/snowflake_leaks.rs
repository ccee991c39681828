//! No private key, password, passphrase, session token or login token in any output, at any level, nor in the state
//! folder at any phase, nor where other processes can look; not even where Snowflake's answer holds it.
//!
//! Leans on the strict fake, whose session tokens begin with the same canary text, and on a mirror before it that
//! answers with what it was sent.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

mod life;
mod mirror;

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use rotate_fixtures::{SnowflakeWorkplace, has};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const AT_ONCE: [&str; 6] = ["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "1s"];

pub(crate) const PASSPHRASE: &str = "CANARY of the passphrase";

/// How every login token begins: the two orders of its header's first words, in base64.
pub(crate) const LOGIN_TOKENS: [&str; 2] = ["eyJhbGciOi", "eyJ0eXAiOi"];

/// A stretch of a key's text or bytes that is no accident.
const TEXT: usize = 40;

const BYTES: usize = 24;

/// A place, and everything that was to be seen of the program so far.
struct Stage {
    place: SnowflakeWorkplace,
    heard: Mutex<Vec<(String, Vec<u8>)>>,
    /// What is secret beside the account's own secrets.
    more: Mutex<Vec<String>>,
    /// Set where the program asks the mirror and not the account.
    port: Option<u16>,
}

impl Stage {
    fn new() -> Self {
        let place = SnowflakeWorkplace::in_memory(ROTATE);
        let passphrase = place.path("passphrase");
        fs::write(&passphrase, format!("{PASSPHRASE}\n")).unwrap();
        fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
        Self {
            place,
            heard: Mutex::default(),
            more: Mutex::default(),
            port: None,
        }
    }

    fn with_secret(self, secret: &str) -> Self {
        self.more.lock().unwrap().push(secret.to_owned());
        self
    }

    /// Runs a command as talkative as it gets, and keeps what is to be seen afterwards.
    fn run(&self, mut command: Command, format: &str) -> Option<i32> {
        if let Some(port) = self.port {
            command.env("SNOWFLAKE_PORT", port.to_string());
        }
        // Two ways to ask for everything; either one alone.
        if format == "json" {
            command.env(
                "RUST_LOG",
                "trace,snowflake_connector_rs=trace,reqwest=trace,hyper=trace,sqlx=trace",
            );
        } else {
            command.arg("-vvv");
        }
        command.args(["--log-format", format, "--output", "json"]);
        let output = command.output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        // The libraries below log requests and replies: not one of them is heard.
        for library in ["snowflake_connector", "reqwest", "hyper", "h2", "sqlx", "rustls", "rsa"] {
            assert!(!talk.contains(&format!("\"target\":\"{library}")), "{library} is heard");
        }
        let context = format!("{:?}", command.get_args().collect::<Vec<_>>());
        self.hear(&format!("stdout of {context}"), output.stdout);
        self.hear(&format!("stderr of {context}"), output.stderr);
        self.look(&context);
        output.status.code()
    }

    fn hear(&self, what: &str, bytes: Vec<u8>) {
        self.heard.lock().unwrap().push((what.to_owned(), bytes));
    }

    /// Keeps every file but those that are there to hold a secret.
    fn look(&self, context: &str) {
        for path in files(&self.place.path("")) {
            let is_meant = path
                .extension()
                .is_some_and(|ending| ending == "p8" || ending == "toml");
            let is_meant = is_meant || path.ends_with("passphrase");
            if !is_meant && let Ok(bytes) = fs::read(&path) {
                self.hear(&format!("{} after {context}", path.display()), bytes);
            }
        }
    }

    fn rotate(&self, more: &[&str]) -> Command {
        self.place.rotate(more)
    }

    fn word(&self, words: &[&str]) -> Command {
        self.place.command(words)
    }

    /// Looks for every secret in all that was seen: the private key is known once it is delivered.
    #[track_caller]
    fn expect_no_secret(&self, key_files: &[PathBuf]) {
        let mut texts = self.place.cloud.secrets();
        texts.push(self.place.cloud.canary().to_owned());
        texts.push(PASSPHRASE.to_owned());
        texts.push("PRIVATE KEY".to_owned());
        texts.extend(LOGIN_TOKENS.map(str::to_owned));
        texts.extend(self.more.lock().unwrap().clone());
        let keys: Vec<PrivateKey> = key_files.iter().map(|path| PrivateKey::read(path)).collect();
        let mut known = HashSet::new();
        let heard = self.heard.lock().unwrap();
        // Many a file is the same after the next command.
        for (what, bytes) in heard.iter().filter(|(_, bytes)| known.insert(bytes)) {
            let shown = String::from_utf8_lossy(bytes);
            for text in &texts {
                assert!(!shown.contains(text), "{text:?} is in {what}");
            }
            for key in &keys {
                assert!(!key.shows_in(bytes), "a private key is in {what}");
            }
        }
    }

    #[track_caller]
    fn expect_no_secret_of_the_delivered_key(&self) {
        self.expect_no_secret(&[self.place.delivered()]);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let deeper = entries.map(|entry| entry.path());
    deeper
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// Every stretch of a private key that its public half does not share.
pub(crate) struct PrivateKey {
    text: Stretches,
    bytes: Stretches,
}

impl PrivateKey {
    pub(crate) fn read(path: &Path) -> Self {
        let private = body(&fs::read_to_string(path).unwrap());
        let public = fs::read_to_string(path.with_extension("pub")).map(|pem| body(&pem));
        let public = public.unwrap_or_default();
        Self {
            text: Stretches::of(private.as_bytes(), public.as_bytes(), TEXT),
            bytes: Stretches::of(&decoded(&private), &decoded(&public), BYTES),
        }
    }

    pub(crate) fn shows_in(&self, bytes: &[u8]) -> bool {
        self.text.show_in(bytes) || self.bytes.show_in(bytes)
    }
}

struct Stretches {
    all: HashSet<Vec<u8>>,
    length: usize,
    /// Whether one begins with these three bytes: most places are passed over by that.
    begins: Vec<bool>,
}

impl Stretches {
    fn of(private: &[u8], public: &[u8], length: usize) -> Self {
        let shared: HashSet<&[u8]> = public.windows(length).collect();
        let apart = private.windows(length).filter(|stretch| !shared.contains(stretch));
        let all: HashSet<Vec<u8>> = apart.map(<[u8]>::to_vec).collect();
        let mut begins = vec![false; 1 << 24];
        for stretch in &all {
            begins[beginning(stretch)] = true;
        }
        Self { all, length, begins }
    }

    fn show_in(&self, bytes: &[u8]) -> bool {
        let windows = bytes.windows(self.length);
        let mut likely = windows.filter(|window| self.begins[beginning(window)]);
        likely.any(|window| self.all.contains(window))
    }
}

fn beginning(bytes: &[u8]) -> usize {
    bytes[..3]
        .iter()
        .fold(0, |number, byte| (number << 8) | usize::from(*byte))
}

/// The base64 between the armour, on one line.
fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn decoded(base64: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for letter in base64.bytes().filter(|letter| *letter != b'=') {
        let value = LETTERS.iter().position(|known| *known == letter).unwrap();
        held = (held << 6) | u32::try_from(value).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xFF).unwrap());
        }
    }
    bytes
}

#[test]
fn the_search_would_find_what_it_looks_for() {
    let stage = Stage::new();
    assert_eq!(stage.run(stage.rotate(&[]), "text"), Some(0));
    let key = PrivateKey::read(&stage.place.delivered());
    let pem = fs::read(stage.place.delivered()).unwrap();
    assert!(key.shows_in(&pem) && has(&pem, b"PRIVATE KEY"));
    assert!(key.shows_in(&decoded(&body(&String::from_utf8(pem).unwrap()))));
    let public = fs::read_to_string(stage.place.path("rsa_key_new.pub")).unwrap();
    assert!(!key.shows_in(public.as_bytes()) && !key.shows_in(&decoded(&body(&public))));
    let secrets = stage.place.cloud.secrets();
    assert!(secrets.contains(&stage.place.cloud.admin_password().to_owned()));
    assert!(
        secrets
            .iter()
            .any(|secret| secret.starts_with(stage.place.cloud.canary()))
    );
    let seen = stage.heard.lock().unwrap();
    assert!(
        seen.iter().any(|(what, _)| what.contains("rotate.db")),
        "the state folder is looked at"
    );
    assert!(
        seen.iter()
            .any(|(what, bytes)| what.contains("stderr") && !bytes.is_empty())
    );
}

/// Each with each.
fn pairs<A: Copy, B: Copy>(some: &[A], others: &[B]) -> Vec<(A, B)> {
    let with_others = some.iter().map(|one| others.iter().map(|other| (*one, *other)));
    with_others.flatten().collect()
}
