//! A workflow's webhook of Teams, which takes an Adaptive Card:
//! <https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook>.

use std::time::Duration;

use rotate_providers::secret_from::SecretFrom;
use serde_json::{Value, json};

use super::{Fault, Message, Notice, web};

/// A card has room for no more than 28 KB.
const LONGEST: usize = 8_000;

/// Sends a notice.
pub(super) async fn send(
    url: &SecretFrom,
    allow_private: bool,
    message: &Message<'_>,
    time: Duration,
) -> Result<(), Fault> {
    let answer = web::post_alone(url, allow_private, card(message.notice).to_string(), time).await?;
    // Workflows say nothing, and the connectors before them `1`; else this is what went wrong.
    match answer.text() {
        "" | "1" => Ok(()),
        _ if answer.status == 202 && !answer.says_error() => Ok(()),
        _ => Err(Fault::of_message(
            "it answered that it took the notice, and that this has failed",
        )),
    }
}

/// A card of runs of text, in which Markdown is nothing but letters.
fn card(notice: &Notice) -> Value {
    let line = |text: &str, is_title: bool| {
        json!({
            "type": "RichTextBlock",
            "inlines": [{
                "type": "TextRun", "text": text,
                "weight": if is_title { "bolder" } else { "default" },
                "fontType": if is_title { "default" } else { "monospace" },
            }],
        })
    };
    let text: String = notice.text.chars().take(LONGEST).collect();
    let rest = text.lines().skip(1).filter(|text| !text.trim().is_empty());
    let body: Vec<Value> = std::iter::once(line(&notice.title, true))
        .chain(rest.map(|text| line(text, false)))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": body,
            },
        }],
    })
}
