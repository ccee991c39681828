//! Answers that hold what was sent.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use super::{AT_ONCE, LOGIN_TOKENS, Stage, TEXT, pairs};
use crate::scenarios::beside_each_other;

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
