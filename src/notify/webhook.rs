//! A webhook, signed as Standard Webhooks has it, version 1: <https://github.com/standard-webhooks/standard-webhooks>.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rotate_providers::secret::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::web::{self, Posting};
use super::{Fault, Message, WebhookAt};

/// What a secret begins with, as those who give one out write it.
const PREFIX: &str = "whsec_";
/// How long a secret is, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Sends a notice.
pub(super) async fn send(
    at: &WebhookAt,
    allow_private: bool,
    message: &Message<'_>,
    time: Duration,
) -> Result<(), Fault> {
    let secret = at.secret.read();
    let secret = secret.map_err(|why| Fault::of_way(format!("its secret, {}: {why}", at.secret)))?;
    let body = message.notice.document();
    let sent_at = message.at.as_second();
    let id = message.notice.id.as_str();
    let signature = sign(&secret, id, sent_at, &body)?;
    let posting = Posting {
        url: &at.url,
        allow_private,
        headers: vec![
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", sent_at.to_string()),
            ("webhook-signature", signature),
        ],
        body,
        time,
    };
    let answer = web::post(posting).await?;
    match answer.says_error() {
        true => Err(Fault::of_message(
            "it answered that it took the notice, and that this has failed",
        )),
        false => Ok(()),
    }
}

/// The signature of a body that is sent by this id at this time.
fn sign(secret: &Secret, id: &str, sent_at: i64, body: &str) -> Result<String, Fault> {
    let wrong = || Fault::of_way("its secret is none of Standard Webhooks: whsec_ and 24 to 64 bytes in base64");
    let text = secret.expose_text().map(str::trim).ok_or_else(wrong)?;
    let key = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text));
    let key = key.map(Zeroizing::new).ok().filter(|key| LENGTHS.contains(&key.len()));
    let key = key.ok_or_else(wrong)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| wrong())?;
    mac.update(format!("{id}.{sent_at}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use rotate_providers::secret::Secret;

    use super::sign;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the specification's own libraries.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.ok().as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for wrong in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "hunter2hunter2hunter2hunter2!",
            "whsec_\u{fc}",
        ] {
            assert!(sign(&Secret::new(wrong), "id", 0, "{}").is_err(), "{wrong}");
        }
    }
}
