//! What a `[[notify]]` is, in the schema.

use serde_json::{Map, Value, json};

use crate::notify::Encryption;

/// The schema of one of them.
pub(super) fn notifier() -> Value {
    let ways = ["webhook", "slack", "teams", "email", "exec"].map(|way| json!({ "required": [way] }));
    let texts =
        |what: &str| json!({ "description": what, "type": "array", "minItems": 1, "items": { "type": "string" } });
    json!({
        "description": "Somebody who is told of each change of a target's state, by one of webhook, slack, teams, email and exec.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": {
                "description": "Its name. Else that of its way.",
                "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$", "maxLength": 64
            },
            "webhook": at("A webhook, signed as Standard Webhooks has it.", &["url", "secret"]),
            "slack": at("An incoming webhook of Slack.", &["url"]),
            "teams": at("A workflow's webhook of Teams.", &["url"]),
            "email": email(),
            "exec": {
                "description": "A program on this machine: its whole path and its arguments, quoted as for a shell, or word by word. The \
                                notice is on its standard input.",
                "oneOf": [{ "type": "string" }, { "type": "array", "minItems": 1, "items": { "type": "string" } }]
            },
            "env": texts("The variables that the program of exec gets beside HOME, LANG, LC_ALL, PATH and TZ."),
            "targets": texts("The targets that it tells of; * stands for any letters. Else all."),
            "owner": texts("The owners whose targets it tells of. Else all."),
            "allow_private": {
                "description": "It may call an address of a private network.", "type": "boolean"
            }
        },
        "oneOf": ways.as_slice()
    })
}

/// A thing of which each part is named by where it is.
fn at(what: &str, parts: &[&str]) -> Value {
    let mut properties = Map::new();
    let mut all = Vec::new();
    for part in parts {
        properties.extend(references(part));
        all.push(one_of(part));
    }
    json!({
        "description": what,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "allOf": all
    })
}

fn references(what: &str) -> Map<String, Value> {
    let text = |place: &str| json!({ "description": format!("Where the {what} is: {place}."), "type": "string" });
    Map::from_iter([
        (format!("{what}_env"), text("an environment variable")),
        (format!("{what}_file"), text("a file")),
        (
            format!("{what}_credential"),
            text("a credential that systemd hands over"),
        ),
    ])
}

fn one_of(what: &str) -> Value {
    let places = ["env", "file", "credential"].map(|place| json!({ "required": [format!("{what}_{place}")] }));
    json!({ "oneOf": places.as_slice() })
}

fn email() -> Value {
    let text = |what: &str| json!({ "description": what, "type": "string", "minLength": 1 });
    let encryptions = Encryption::ALL.map(Encryption::name);
    let mut properties = Map::from_iter([
        ("server".to_owned(), text("The host of the mail server.")),
        (
            "port".to_owned(),
            json!({
                "description": "Its port. Else 587, with tls = \"tls\" 465, with \"none\" 25.",
                "type": "integer", "minimum": 1, "maximum": 65535
            }),
        ),
        (
            "tls".to_owned(),
            json!({
                "description": "How the connection is encrypted; none is for a server on this machine. Else starttls.",
                "enum": encryptions.as_slice()
            }),
        ),
        ("from".to_owned(), text("Who sends it: rotate@example.com.")),
        (
            "to".to_owned(),
            json!({ "description": "Who gets it.", "type": "array", "minItems": 1, "items": { "type": "string" } }),
        ),
        (
            "to_owner".to_owned(),
            json!({ "description": "The owner of the target gets it too, where that is an address.", "type": "boolean" }),
        ),
        ("user".to_owned(), text("As whom to log in.")),
        (
            "ca_file".to_owned(),
            text("Authorities in PEM that are trusted beside the system's."),
        ),
    ]);
    properties.extend(references("password"));
    json!({
        "description": "Mail.",
        "type": "object",
        "additionalProperties": false,
        "required": ["server", "from"],
        "properties": properties,
        "anyOf": [{ "required": ["to"] }, { "required": ["to_owner"], "properties": { "to_owner": { "description": "Who else would get it.", "const": true } } }]
    })
}
