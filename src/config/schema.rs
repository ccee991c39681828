//! The JSON Schema of `rotate.toml`, for editors: made from what the program itself reads by.

use rotate_providers::CONNECTORS;
use rotate_providers::field::{Field, Form};
use rotate_providers::guide::Input;
use serde_json::{Map, Value, json};

use crate::machine::Day;

/// The schema, as text.
pub fn schema() -> String {
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rotate.toml",
        "description": "The fleet of `rotate`: which credentials it rotates, when, and where new ones go. No secret belongs here.",
        "type": "object",
        "additionalProperties": false,
        "required": ["target"],
        "properties": {
            "defaults": { "$ref": "#/$defs/defaults" },
            "store": { "$ref": "#/$defs/store" },
            "target": {
                "description": "The fleet.",
                "type": "array",
                "minItems": 1,
                "items": { "$ref": "#/$defs/target" }
            }
        },
        "$defs": {
            "duration": {
                "description": "A number and a unit: 180d, 12h, 90m, 30s.",
                "type": "string",
                "pattern": "^[0-9]"
            },
            "window": window(),
            "defaults": defaults(),
            "store": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "state_dir": {
                        "description": "Where the journal and the identity that seals are kept.",
                        "type": "string",
                        "pattern": "^(/|~/)"
                    }
                }
            },
            "target": target()
        }
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn window() -> Value {
    let clock = json!({ "type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$" });
    let days: Vec<&str> = Day::ALL.iter().map(|day| day.name()).collect();
    json!({
        "description": "When effects are allowed. What is under way is finished, and an undo is never held back.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "days": {
                "description": "The days on which it opens; else every day.",
                "type": "array",
                "minItems": 1,
                "items": { "enum": days }
            },
            "from": clock,
            "to": clock,
            "zone": { "description": "An IANA time zone; else UTC.", "type": "string" }
        }
    })
}

/// What a target and the defaults have in common.
fn schedule() -> Map<String, Value> {
    let duration = |what: &str| json!({ "description": what, "$ref": "#/$defs/duration" });
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.to_owned(), value);
    put("max_age", duration("No key lives longer than this. Else 180d."));
    put(
        "warn_before",
        duration("How long before its beginning a rotation is announced. Else 14d."),
    );
    put(
        "cutover_allowance",
        duration("How long the consumers may take to move; by hand: how long all steps may take. Else 14d."),
    );
    put(
        "soak",
        duration("How long the old key rests before it is deleted. Else 7d."),
    );
    put(
        "observe",
        duration("How long the vendor's record of use is watched at least, with cutover = observed. Else 24h."),
    );
    put(
        "cutover",
        json!({
            "description": "How it becomes known that every consumer has moved. Else confirm.",
            "enum": ["confirm", "observed", "immediate"]
        }),
    );
    put(
        "prove",
        json!({
            "description": "What the proofs of the new key rest on: a login from here with the consumer's permission, a login from here alone, or the consumer's own use of the key. Else login.",
            "enum": ["login", "identity", "consumer"]
        }),
    );
    put(
        "lost_key",
        json!({
            "description": "What becomes of a new key whose secret was lost with a crash: it is deleted once it is certain that it is that key, or a person is asked. Else delete.",
            "enum": ["delete", "ask"]
        }),
    );
    put("window", json!({ "$ref": "#/$defs/window" }));
    all
}

fn defaults() -> Value {
    let mut properties = schedule();
    let duration = |what: &str| json!({ "description": what, "$ref": "#/$defs/duration" });
    properties.insert(
        "run_every".to_owned(),
        duration("How often `rotate run` is started. Else 1d."),
    );
    properties.insert(
        "look_every".to_owned(),
        duration("How often a vendor is looked at although nothing is due. Else 7d."),
    );
    properties.insert(
        "concurrency".to_owned(),
        json!({
            "description": "How many targets are worked on at once. Else 8.",
            "type": "integer", "minimum": 1, "maximum": 256
        }),
    );
    properties.insert(
        "aws_calls_per_second".to_owned(),
        json!({
            "description": "How often one AWS account's IAM is called at most; 0: as often as it takes. Else 5.",
            "type": "integer", "minimum": 0, "maximum": 1000
        }),
    );
    properties.insert(
        "require_state".to_owned(),
        json!({
            "description": "Whether `rotate run` fails where there is no journal, instead of beginning one. Else false.",
            "type": "boolean"
        }),
    );
    json!({
        "description": "What holds for every target that says nothing else.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties
    })
}

fn target() -> Value {
    let ids: Vec<&str> = CONNECTORS.iter().map(|connector| connector.id).collect();
    let mut properties = schedule();
    let mut put = |key: &str, value: Value| properties.insert(key.to_owned(), value);
    put(
        "name",
        json!({
            "description": "Its name, by which the journal knows it.",
            "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.@+=,%/-]*$", "maxLength": 128
        }),
    );
    put(
        "connector",
        json!({ "description": "What kind of credential it is.", "enum": ids }),
    );
    put(
        "owner",
        json!({ "description": "Who is asked about it.", "type": "string" }),
    );
    put(
        "by_hand",
        json!({ "description": "A person rotates it, although the program could.", "type": "boolean" }),
    );
    json!({
        "type": "object",
        "required": ["name", "connector"],
        "properties": properties,
        "allOf": variants(),
        "unevaluatedProperties": false
    })
}

/// What each connector asks for beside that.
fn variants() -> Vec<Value> {
    let mut variants = Vec::new();
    for connector in CONNECTORS {
        let is = json!({ "const": connector.id });
        if let Some(automation) = connector.automation {
            let mut properties: Map<String, Value> = automation.fields.iter().map(field).collect();
            properties.insert(
                "deliver".to_owned(),
                json!({
                    "description": "Where its new keys go, as with --deliver; {date} stands for the day of the opening.",
                    "type": "array", "minItems": 1, "items": { "type": "string" }
                }),
            );
            if automation.rotates_itself {
                let what = "It may be the identity that rotate itself runs as.";
                properties.insert(
                    "allow_self".to_owned(),
                    json!({ "description": what, "type": "boolean" }),
                );
            }
            if automation.secret == rotate_providers::SecretKind::PrivateKey {
                let what = "The private key that the consumer uses now.";
                properties.insert(
                    "current_key".to_owned(),
                    json!({ "description": what, "type": "string" }),
                );
            }
            let required = automation
                .fields
                .iter()
                .filter(|field| field.required)
                .map(|field| field.name);
            let required: Vec<&str> = required.chain(["deliver"]).collect();
            variants.push(json!({
                "if": {
                    "properties": { "connector": is, "by_hand": { "const": false } },
                    "required": ["connector"]
                },
                "then": { "properties": properties, "required": required }
            }));
        }
        let Ok(guide) = connector.guide() else { continue };
        let mut properties: Map<String, Value> = guide.inputs.iter().map(input).collect();
        properties.insert(
            "last_rotated".to_owned(),
            json!({
                "description": "When it was rotated last, until the journal knows better: 2026-01-10.",
                "type": "string", "format": "date"
            }),
        );
        let condition = match connector.automation {
            None => json!({ "properties": { "connector": is }, "required": ["connector"] }),
            Some(_) => json!({
                "properties": { "connector": is, "by_hand": { "const": true } },
                "required": ["connector", "by_hand"]
            }),
        };
        variants.push(json!({ "if": condition, "then": { "properties": properties } }));
    }
    variants
}

fn field(field: &Field) -> (String, Value) {
    let value = match field.form {
        Form::Text => json!({ "description": field.help, "type": "string" }),
        Form::Number(numbers) => json!({ "description": field.help, "enum": numbers }),
    };
    (field.name.to_owned(), value)
}

fn input(input: &Input) -> (String, Value) {
    let value = json!({ "description": input.help, "type": "string" });
    (input.name.clone(), value)
}
