//! No private key, password, passphrase, session token or login token in any output, at any level, nor in the state
//! folder at any phase, nor where other processes can look; not even where Snowflake's answer holds it.
//!
//! Leans on the strict fake, whose session tokens begin with the same canary text, and on a mirror before it that
//! answers with what it was sent.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rotate_fixtures::snowflake::{Action, Fault, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{SnowflakeWorkplace, has};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const AT_ONCE: [&str; 6] = ["--cutover", "immediate", "--soak", "0s", "--verify-deadline", "1s"];
const PASSPHRASE: &str = "CANARY of the passphrase";

/// How every login token begins: the two orders of its header's first words, in base64.
const LOGIN_TOKENS: [&str; 2] = ["eyJhbGciOi", "eyJ0eXAiOi"];

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
        let keys: Vec<Key> = key_files.iter().map(|path| Key::read(path)).collect();
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
struct Key {
    text: Stretches,
    bytes: Stretches,
}

impl Key {
    fn read(path: &Path) -> Self {
        let private = body(&fs::read_to_string(path).unwrap());
        let public = fs::read_to_string(path.with_extension("pub")).map(|pem| body(&pem));
        let public = public.unwrap_or_default();
        Self {
            text: Stretches::of(private.as_bytes(), public.as_bytes(), TEXT),
            bytes: Stretches::of(&decoded(&private), &decoded(&public), BYTES),
        }
    }

    fn shows_in(&self, bytes: &[u8]) -> bool {
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
    let key = Key::read(&stage.place.delivered());
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

/// Runs the scenarios beside each other: they wait more than they compute.
fn beside_each_other<T: Sync>(scenarios: &[T], run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::SeqCst)) {
                    run(scenario);
                }
            });
        }
    });
}

/// Each with each.
fn pairs<A: Copy, B: Copy>(some: &[A], others: &[B]) -> Vec<(A, B)> {
    let with_others = some.iter().map(|one| others.iter().map(|other| (*one, *other)));
    with_others.flatten().collect()
}

// A whole life.

#[test]
fn a_whole_life_at_the_highest_level_shows_no_secret() {
    for (format, more) in [
        ("text", &[][..]),
        ("json", &[]),
        ("json", &["--passphrase-file", "passphrase"]),
    ] {
        let stage = Stage::new();
        let run = |command: Command, code| assert_eq!(stage.run(command, format), Some(code));
        run(stage.rotate(&[&["--dry-run"], more].concat()), 0);
        run(stage.rotate(more), 0);
        let kept = stage.place.path("kept.p8");
        fs::copy(stage.place.delivered(), &kept).unwrap();
        fs::copy(stage.place.path("rsa_key_new.pub"), kept.with_extension("pub")).unwrap();
        run(stage.word(&["status"]), 0);
        run(stage.word(&["run"]), 0);
        run(stage.word(&["confirm", TARGET]), 0);
        run(stage.word(&["rollback", TARGET]), 0);
        run(stage.rotate(&[&AT_ONCE[..], more].concat()), 0);
        run(stage.word(&["audit"]), 0);
        run(stage.word(&["audit", "verify"]), 0);
        stage.expect_no_secret(&[kept, stage.place.delivered()]);
    }
}

#[test]
fn no_phase_leaves_a_secret_in_the_state_folder() {
    for (point, nth) in [
        ("mint: sealed", 1),
        ("register: before the call", 1),
        ("register: after the call", 1),
        ("prove: before", 1),
        ("prove: after", 1),
        ("key file: public half written", 1),
        ("key file: written", 1),
        ("deactivate: before the call", 1),
        ("deactivate: after the call", 1),
        ("delete: after the call", 1),
    ] {
        let twin = Stage::new();
        let trace = twin.place.path("trace");
        let mut whole = twin.rotate(&AT_ONCE);
        whole.env("ROTATE_TEST_TRACE", &trace);
        assert_eq!(twin.run(whole, "text"), Some(0));
        let points = fs::read_to_string(trace).unwrap();
        let mut named = points.lines().enumerate().filter(|(_, name)| *name == point);
        let (index, _) = named.nth(nth - 1).unwrap();

        let stage = Stage::new();
        let mut cut_short = stage.rotate(&AT_ONCE);
        cut_short.env("ROTATE_TEST_KILL_AT", (index + 1).to_string());
        assert_eq!(stage.run(cut_short, "json"), None, "it was not killed at {point}");
        // The key is known once it is delivered.
        assert_eq!(stage.run(stage.rotate(&AT_ONCE), "json"), Some(0));
        stage.expect_no_secret_of_the_delivered_key();
    }
}

#[test]
fn an_administrator_who_logs_in_with_a_key_or_a_token_shows_neither() {
    let stage = Stage::new().with_secret("CANARY of the bearer");
    let admin = stage.place.cloud.admin_user().to_owned();
    let key = TestKey::numbered(3);
    stage.place.cloud.set_key(&admin, Slot::One, key.public_base64());
    stage.place.cloud.set_oauth_token(&admin, "CANARY of the bearer");
    let file = stage.place.path("admin.p8");
    fs::write(&file, key.private_pem()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(file.with_extension("pub"), key.public_pem()).unwrap();
    let file_name = file.display().to_string();
    let with_key = [("SNOWFLAKE_PRIVATE_KEY_FILE", file_name.as_str())];
    let raw = [("SNOWFLAKE_PRIVATE_KEY_RAW", key.private_pem())];
    let with_token = [
        ("SNOWFLAKE_AUTHENTICATOR", "oauth"),
        ("SNOWFLAKE_TOKEN", "CANARY of the bearer"),
    ];
    for environment in [&with_key[..], &raw, &with_token] {
        let begin = |wrong: bool| {
            let environment = stage.place.cloud.env(&admin, environment);
            let mut command = stage
                .place
                .command_with(environment, ["snowflake-keypair", "--user", USER]);
            if wrong {
                command.env("SNOWFLAKE_ACCOUNT", "ANOTHER-ACCOUNT");
            }
            command
        };
        assert_eq!(stage.run(begin(true), "json"), Some(1));
        assert_eq!(stage.run(begin(false), "json"), Some(0));
        let abort = stage
            .place
            .command_with(stage.place.cloud.env(&admin, environment), ["abort", TARGET]);
        assert_eq!(stage.run(abort, "text"), Some(0));
    }
    stage.expect_no_secret(&[file]);
}

// Answers that break.

#[test]
fn answers_that_break_show_no_secret() {
    let faults = [
        Fault::MalformedAfter,
        Fault::TruncatedAfter,
        Fault::StatusAfter(500),
        Fault::StatusAfter(403),
        Fault::DropAfter,
    ];
    let actions = [Action::Login, Action::Identity, Action::SetKey];
    beside_each_other(&pairs(&actions, &faults), |&(action, fault)| {
        let stage = Stage::new();
        stage.place.cloud.break_call(action, 1, fault);
        stage.place.cloud.break_call(action, 2, fault);
        stage.run(stage.rotate(&AT_ONCE), "json");
        stage.run(stage.rotate(&AT_ONCE), "text");
        assert_eq!(stage.run(stage.rotate(&AT_ONCE), "text"), Some(0), "{action} {fault:?}");
        stage.expect_no_secret_of_the_delivered_key();
    });
}

#[test]
fn refusals_show_no_secret() {
    let stage = Stage::new().with_secret("CANARY of a wrong one");
    let mut wrong = stage.rotate(&[]);
    wrong.env("SNOWFLAKE_PASSWORD", "CANARY of a wrong one");
    assert_eq!(stage.run(wrong, "json"), Some(1));
    stage.place.cloud.network_policy(stage.place.cloud.admin_user(), true);
    assert_eq!(stage.run(stage.rotate(&[]), "json"), Some(1));
    stage.place.cloud.network_policy(stage.place.cloud.admin_user(), false);
    stage.place.cloud.lag_login(1000);
    assert_eq!(stage.run(stage.rotate(&AT_ONCE), "json"), Some(1));
    stage.expect_no_secret(&[]);
}

/// A file that holds secrets is never quoted in a complaint about it.
#[test]
fn a_complaint_about_a_file_does_not_quote_it() {
    let stage = Stage::new().with_secret("CANARY of a file");
    let folder = stage.place.path(".snowflake");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("connections.toml");
    for content in [
        "[default]\npassword = \"CANARY of a file",
        "[default]\npassword = CANARY of a file\n",
        "[default]\nport = \"CANARY of a file\"\npassword = 1\n",
        "password \"CANARY of a file\" = \n",
        "[default]\nauthenticator = \"oauth\"\ntoken = \"CANARY of a file\"\naccount = \"a b\"\n",
    ] {
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let bare = stage
            .place
            .command_with([("SNOWFLAKE_USER", "SOMEONE")], ["snowflake-keypair", "--user", USER]);
        assert_eq!(stage.run(bare, "text"), Some(1), "{content}");
        fs::remove_file(&file).unwrap();
    }
    for content in [
        "-----BEGIN PRIVATE KEY-----\nCANARY of a file\n-----END PRIVATE KEY-----\n",
        "CANARY of a file",
    ] {
        let key = stage.place.path("current.p8");
        fs::write(&key, content).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let shown = stage.rotate(&["--current-key", "current.p8"]);
        assert_eq!(stage.run(shown, "text"), Some(64));
    }
    stage.expect_no_secret(&[]);
}

// Answers that hold what was sent.

/// How the mirror answers.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// A page of this status.
    Page(u16),
    /// A page of status 200, which is not JSON.
    NotJson,
    /// JSON that begins well and is cut off.
    HalfJson,
    /// A refusal that says it.
    Refusal(&'static str),
    /// A refusal whose code it is.
    OddCode,
    /// A refusal of a query by that name.
    OddQuery,
    /// A success whose data are not what they should be.
    OddData,
    /// A success whose table has it in every cell.
    OddTable,
    /// A header.
    Header,
}

const SHAPES: [Shape; 9] = [
    Shape::Page(500),
    Shape::Page(403),
    Shape::Page(400),
    Shape::NotJson,
    Shape::HalfJson,
    Shape::Refusal("390100"),
    Shape::Refusal("390112"),
    Shape::OddData,
    Shape::Header,
];

/// What the name of a query looks like.
const QUERY: &str = "01b2c3d4-0000-1111-2222-333344445555";

fn refusal(code: &str, message: &str, query: &str) -> serde_json::Value {
    serde_json::json!({
        "success": false,
        "code": code,
        "message": message,
        "data": { "queryId": query, "errorCode": code, "sqlState": "00000", "type": "COMPILATION" },
    })
}

impl Shape {
    fn answer(self, request: &str) -> Vec<u8> {
        let json = |value: serde_json::Value| (200, "application/json", value.to_string());
        let (status, kind, body) = match self {
            Self::Page(status) => (status, "text/html", format!("<html>no: {request}</html>")),
            Self::NotJson => (200, "application/json", format!("no: {request}")),
            Self::HalfJson => {
                let quoted = serde_json::Value::from(request).to_string();
                (
                    200,
                    "application/json",
                    format!("{{\"success\":true,\"data\":{{\"token\":{quoted}"),
                )
            }
            Self::Refusal(code) => json(refusal(code, &format!("no [{request}]"), QUERY)),
            Self::OddCode => json(refusal(request, "no", QUERY)),
            Self::OddQuery => json(refusal("000603", "no", request)),
            Self::OddData => json(serde_json::json!({
                "success": true,
                "code": null,
                "message": request,
                "data": { "token": [request], "rowtype": request, "rowset": 7, "queryId": QUERY },
            })),
            Self::OddTable => json(serde_json::json!({
                "success": true,
                "code": null,
                "message": null,
                "data": {
                    "queryId": QUERY,
                    "queryResultFormat": "json",
                    "total": 1,
                    "returned": 1,
                    "rowtype": [
                        { "name": "property", "type": "text", "nullable": true },
                        { "name": "value", "type": "text", "nullable": true },
                    ],
                    "rowset": [[request, request]],
                },
            })),
            Self::Header => (500, "text/html", String::new()),
        };
        let echo: String = match self {
            Self::Header => request.replace(['\r', '\n'], " "),
            _ => String::new(),
        };
        let length = body.len();
        format!(
            "HTTP/1.1 {status} {echo}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nx-echo: {echo}\r\n\
             connection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// What the mirror mirrors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Password,
    LoginToken,
    Statement(&'static str),
}

impl Sent {
    const ALL: [Self; 7] = [
        Self::Password,
        Self::LoginToken,
        Self::Statement("SELECT CURRENT_ACCOUNT"),
        Self::Statement("DESC USER"),
        Self::Statement(" SET RSA_PUBLIC_KEY"),
        Self::Statement(" UNSET RSA_PUBLIC_KEY"),
        Self::Statement("SHOW USER"),
    ];

    fn is_in(self, request: &str) -> bool {
        match self {
            Self::Password => request.contains("\"PASSWORD\""),
            Self::LoginToken => request.contains("SNOWFLAKE_JWT"),
            Self::Statement(text) => request.contains(text),
        }
    }
}

/// Stands before the account, and answers some calls with what they sent. The others it passes on.
struct Mirror {
    port: u16,
    /// What was sent, whole.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    fn before(account: u16, sent: Sent, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut client = client;
                    let Some(request) = read_request(&mut client) else {
                        return;
                    };
                    kept.lock().unwrap().push(request.clone());
                    let reply = if sent.is_in(&request) {
                        answer(&request)
                    } else {
                        pass_on(account, &request)
                    };
                    let _ = client.write_all(&reply);
                });
            }
        });
        Self { port, requests }
    }

    /// Every token that was sent: of sessions, and of logins.
    fn tokens(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let quoted = requests.iter().flat_map(|request| request.split('"'));
        let is_token = |text: &&str| LOGIN_TOKENS.iter().any(|begin| text.starts_with(begin));
        quoted.filter(is_token).map(str::to_owned).collect()
    }
}

/// One request of HTTP 1.1 with its body.
fn read_request(client: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>())
            });
            if body.len() >= length.map_or(0, Result::unwrap) {
                return Some(text);
            }
        }
        match client.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend(&buffer[..count]),
        }
    }
}

fn pass_on(port: u16, request: &str) -> Vec<u8> {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut account = TcpStream::connect(("127.0.0.1", port)).unwrap();
    account
        .write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes())
        .unwrap();
    let mut reply = Vec::new();
    account.read_to_end(&mut reply).unwrap();
    reply
}

#[test]
fn a_mirror_that_mirrors_nothing_disturbs_nothing() {
    let mut stage = Stage::new();
    let mirror = Mirror::before(stage.place.cloud.port(), Sent::Statement("nothing of this"), |_| {
        Vec::new()
    });
    stage.port = Some(mirror.port);
    assert_eq!(stage.run(stage.rotate(&AT_ONCE), "json"), Some(0));
    assert!(mirror.tokens().len() >= 3, "{:?}", mirror.tokens());
    stage.more.lock().unwrap().extend(mirror.tokens());
    stage.expect_no_secret_of_the_delivered_key();
}

#[test]
fn answers_that_hold_what_was_sent_show_no_secret() {
    beside_each_other(&pairs(&Sent::ALL, &SHAPES), |&(sent, shape)| mirrored(sent, shape));
}

/// A rotation of which the mirror spoils this call each time, and one that goes on without it.
fn mirrored(sent: Sent, shape: Shape) {
    let mut stage = Stage::new();
    let mirror = Mirror::before(stage.place.cloud.port(), sent, move |request| shape.answer(request));
    stage.port = Some(mirror.port);
    let code = stage.run(stage.rotate(&AT_ONCE), "json");
    // A record of use that cannot be read is none, where the account says so.
    let is_told = sent == Sent::Statement("SHOW USER");
    assert!(
        code == Some(1) || code == Some(3) || is_told,
        "{sent:?} {shape:?}: {code:?}"
    );
    stage.run(stage.word(&["status"]), "text");
    stage.run(stage.word(&["run", "--verify-deadline", "0s"]), "text");
    stage.run(stage.word(&["audit"]), "json");
    let mut tokens = mirror.tokens();
    // Pieces of them are as bad.
    let pieces = tokens.iter().filter_map(|token| token.rsplit('.').next());
    let pieces: Vec<String> = pieces.map(|piece| piece[..piece.len().min(TEXT)].to_owned()).collect();
    tokens.extend(pieces);
    stage.more.lock().unwrap().extend(tokens);
    stage.port = None;
    let _ = stage.run(stage.rotate(&AT_ONCE), "text");
    let delivered = stage.place.delivered();
    let known: Vec<PathBuf> = delivered.exists().then_some(delivered).into_iter().collect();
    stage.expect_no_secret(&known);
}

/// The code and the query's name are shown, so that support can find the call: they must not be just anything.
#[test]
fn an_odd_code_or_name_of_a_query_is_not_shown() {
    let sent = [
        Sent::Password,
        Sent::Statement("SELECT CURRENT_ACCOUNT"),
        Sent::Statement("DESC USER"),
    ];
    for (sent, shape) in pairs(&sent, &[Shape::OddCode, Shape::OddQuery]) {
        mirrored(sent, shape);
    }
}

/// The name that the account gives is shown and journaled, so it must not be just anything.
#[test]
fn a_table_that_holds_what_was_sent_is_not_taken_for_an_account_or_a_user() {
    for sent in [
        Sent::Statement("SELECT CURRENT_ACCOUNT"),
        Sent::Statement("SELECT CURRENT_USER"),
        Sent::Statement("DESC USER"),
    ] {
        mirrored(sent, Shape::OddTable);
    }
}

// Where other processes look.

#[cfg(target_os = "linux")]
#[test]
fn a_running_program_shows_no_secret_to_other_processes() {
    let stage = Stage::new();
    stage.place.cloud.set_latency(Duration::from_millis(150));
    let mut command = stage.rotate(&[&AT_ONCE[..], &["--passphrase-file", "passphrase"]].concat());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let process = format!("/proc/{}", child.id());
    let deadline = Instant::now() + Duration::from_secs(60);
    let (mut looks, mut is_limited) = (0, false);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        let arguments = fs::read(format!("{process}/cmdline")).unwrap_or_default();
        // Until the program is there, the process is still this test.
        if has(&arguments, b"snowflake-keypair") {
            looks += 1;
            stage.hear("the arguments", arguments);
            is_limited |= has_no_core(&process);
            for child in children(&process) {
                for name in ["cmdline", "environ"] {
                    let bytes = fs::read(format!("/proc/{child}/{name}")).unwrap_or_default();
                    stage.hear(&format!("{name} of child {child}"), bytes);
                }
            }
        }
        thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success());
    assert!(looks > 20, "it was hardly looked at: {looks}");
    assert!(is_limited, "the core limit was never lowered");
    stage.expect_no_secret_of_the_delivered_key();
}

fn has_no_core(process: &str) -> bool {
    let limits = fs::read_to_string(format!("{process}/limits")).unwrap_or_default();
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    // The soft and the hard limit.
    core.is_some_and(|core| core.split_whitespace().filter(|word| *word == "0").count() == 2)
}

fn children(process: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("{process}/task")).into_iter().flatten().flatten();
    let lists = tasks.map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}
