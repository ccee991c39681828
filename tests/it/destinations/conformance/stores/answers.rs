//! What the stores of AWS have in common on the wire.

use serde_json::Value;

use super::THEIRS;

/// This text with a key of theirs in it.
pub(super) fn overwritten(text: &str) -> String {
    let mut held: Value = serde_json::from_str(text).unwrap_or_default();
    held["access_key_id"] = THEIRS.0.into();
    held["secret_access_key"] = THEIRS.1.into();
    held.to_string()
}

/// A refusal by the service, whatever it was asked for.
pub(super) fn refusal(code: &str) -> String {
    let body = format!(r#"{{"__type":"{code}","message":"as planned"}}"#);
    let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.1";
    format!(
        "{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
