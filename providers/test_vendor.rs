//! The calls of the connectors that tests alone have: one connection each, and an answer of JSON.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::call::local;
use crate::contract::{Caller, Effect, Error, Kind, Principal};
use crate::inputs::{self, InputSpec};
use crate::untrusted::Label;

/// Where it is.
pub(crate) const ADDRESS: InputSpec =
    InputSpec::required("address", "where the vendor is, as HOST:PORT", inputs::word).identifies();

/// A status, what came with it, and what the vendor calls the request.
pub(crate) type Answer = (u16, Value, Option<Label>);

/// One call, and its answer. A repeat calls again.
pub(crate) async fn send(address: &str, line: &str, login: &str, body: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: vendor\r\nauthorization: {login}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut reply = String::new();
    stream.take(65_536).read_to_string(&mut reply).await?;
    let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok());
    match (status, reply.split_once("\r\n\r\n")) {
        (Some(status), Some((head, body))) => {
            let request = head.lines().find_map(|line| line.strip_prefix("x-request-id: "));
            let request = request.and_then(Label::uuid);
            Ok((status, serde_json::from_str(body).unwrap_or_default(), request))
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Who asks.
pub(crate) fn caller() -> Caller {
    Caller {
        login: "the administrator".into(),
        found_in: "TEST_VENDOR_TOKEN".into(),
    }
}

/// One of its users.
pub(crate) fn user(name: &str, id: &str) -> Principal {
    Principal {
        account: "test".to_owned(),
        name: name.to_owned(),
        id: id.to_owned(),
    }
}

/// An answer that is not what was asked for.
pub(crate) fn unclear(effect: Effect) -> Error {
    let mut error = local(Kind::Malformed, "read the answer", "it is not understood".to_owned());
    error.effect = effect;
    error
}

/// How the administrator logs in.
pub(crate) fn administrator() -> String {
    format!("Bearer {}", std::env::var("TEST_VENDOR_TOKEN").unwrap_or_default())
}

/// Asks as the administrator. Which statuses say for certain that nothing was done, the connector knows.
pub(crate) async fn ask(
    line: &str,
    sending: impl Future<Output = io::Result<Answer>>,
    refusal: impl FnOnce(u16) -> Option<(Kind, &'static str)>,
) -> Result<(Value, Option<Label>), Error> {
    let (kind, detail, is_sure) = match sending.await {
        Ok((200..=299, reply, request)) => return Ok((reply, request)),
        Ok((status, ..)) => match refusal(status) {
            Some((kind, detail)) => (kind, detail.to_owned(), true),
            None => (Kind::VendorFault, format!("it answers {status}"), false),
        },
        Err(error) => (Kind::Unreachable, error.to_string(), false),
    };
    let mut error = local(kind, &format!("ask for {line}"), detail);
    error.effect = match is_sure || line.starts_with("GET") {
        true => Effect::None,
        false => Effect::Unknown,
    };
    Err(error)
}
