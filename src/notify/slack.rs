//! An incoming webhook of Slack: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use std::time::Duration;

use rotate_providers::secret_from::SecretFrom;
use serde_json::json;

use super::{Fault, Message, web};

/// What is longer is cut there, in the midst of what it becomes.
const LONGEST: usize = 3_500;

/// Sends a notice.
pub(super) async fn send(
    url: &SecretFrom,
    allow_private: bool,
    message: &Message<'_>,
    time: Duration,
) -> Result<(), Fault> {
    let answer = web::post_alone(url, allow_private, body(&message.notice.text), time).await?;
    match answer.text() {
        "ok" => Ok(()),
        _ => Err(Fault::of_message(
            "it answered with status 200, and not with the word that says that it took the notice",
        )),
    }
}

/// A text that is nothing but text: no mark-up is understood, nobody is called, and no address is looked at.
fn body(text: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({
        "text": escaped,
        "mrkdwn": false,
        "link_names": false,
        "parse": "none",
        "unfurl_links": false,
        "unfurl_media": false,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn nobody_is_called_and_nothing_is_marked_up_by_a_name() {
        let body: serde_json::Value =
            serde_json::from_str(&body("<!channel> *bold* <https://evil.example|here> &amp;")).unwrap();
        assert_eq!(
            body["text"],
            "&lt;!channel&gt; *bold* &lt;https://evil.example|here&gt; &amp;amp;"
        );
        assert_eq!(body["mrkdwn"], false);
        assert_eq!(body["link_names"], false);
    }
}
