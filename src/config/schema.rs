//! The JSON Schema of `rotate.toml`, for editors: made from what the program itself reads by.

use jiff::SignedDuration;
use rotate_providers::connectors;
use rotate_providers::guide::Probe;
use rotate_providers::inputs::{Form, InputSpec};
use serde_json::{Map, Value, json};

use super::defaults::{Defaults, Limits, MOST_CALLS, paced};
use super::{evidence, monitoring, notify_schema, store};
use crate::duration::written;
use crate::machine::{Cutover, Day, LostKey, Prove};

/// The schema, as text.
pub fn schema() -> String {
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rotate.toml",
        "description": "The fleet of `rotate`: which credentials it rotates, when, and where new ones go. No secret belongs here.",
        "type": "object",
        "additionalProperties": false,
        "required": ["target"],
        "properties": {
            "defaults": { "$ref": "#/$defs/defaults" },
            "store": { "$ref": "#/$defs/store" },
            "out_of_scope": {
                "description": "Credentials that are meant not to be among the targets, for the report.",
                "type": "array",
                "items": { "$ref": "#/$defs/outOfScope" }
            },
            "notify": {
                "description": "Who is told of each change of a target's state.",
                "type": "array",
                "items": { "$ref": "#/$defs/notifier" }
            },
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
            "destination": destination(),
            "hook": hook(),
            "defaults": defaults(),
            "exception": evidence::exception_schema(),
            "outOfScope": evidence::out_of_scope_schema(),
            "notifier": notify_schema::notifier(),
            "store": store::schema(),
            "target": target()
        }
    });
    for (name, table) in monitoring::schema() {
        document["properties"][name] = json!({ "$ref": format!("#/$defs/{name}") });
        document["$defs"][name] = table;
    }
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// Which options a destination has depends on its kind, and is told where it is understood.
fn destination() -> Value {
    json!({
        "description": "A destination with its options, each under its own name.",
        "type": "object",
        "required": ["to"],
        "properties": {
            "to": { "description": "The place, as with --deliver.", "type": "string" },
            "fields": {
                "description": "What the fields of the secret are called there.",
                "type": "object",
                "additionalProperties": { "type": "string" }
            }
        },
        "additionalProperties": {
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        }
    })
}

/// A program that runs after a delivery.
fn hook() -> Value {
    let words = json!({ "type": "array", "minItems": 1, "items": { "type": "string" } });
    json!({
        "description": "A program that runs once its new keys are delivered, and again where that is undone. It gets no secret.",
        "type": "object",
        "additionalProperties": false,
        "required": ["exec"],
        "properties": {
            "exec": {
                "description": "Its whole path and its arguments: quoted as for a shell, or word by word.",
                "oneOf": [{ "type": "string" }, words]
            },
            "timeout": { "description": "How long it may take, from 1s to 10m. Else 60s.", "$ref": "#/$defs/duration" },
            "env": {
                "description": "The variables that it gets beside HOME, LANG, LC_ALL, PATH and TZ.",
                "type": "array", "items": { "type": "string" }
            }
        }
    })
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

/// A length of time, and what it is if nobody says.
fn duration(what: &str, otherwise: SignedDuration) -> Value {
    json!({ "description": format!("{what}. Else {}.", written(otherwise)), "$ref": "#/$defs/duration" })
}

/// What a target and the defaults have in common.
fn schedule() -> Map<String, Value> {
    let defaults = Defaults::default();
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.to_owned(), value);
    put("max_age", duration("No key lives longer than this", defaults.max_age));
    put(
        "warn_before",
        duration(
            "How long before its beginning a rotation is announced",
            defaults.warn_before,
        ),
    );
    put(
        "cutover_allowance",
        duration(
            "How long the consumers may take to move; by hand: how long all steps may take",
            defaults.cutover_allowance,
        ),
    );
    put(
        "soak",
        duration("How long the old key rests before it is deleted", defaults.soak),
    );
    put(
        "observe",
        duration(
            "How long the vendor's record of use is watched at least, with cutover = observed",
            defaults.observe,
        ),
    );
    let what = "How it becomes known that every consumer has moved";
    put(
        "cutover",
        choice(what, Cutover::ALL.map(Cutover::name), defaults.cutover.name()),
    );
    let what = "What the proofs of the new key rest on: a login from here with the consumer's permission, a login from here \
                alone, or the consumer's own use of the key";
    put(
        "prove",
        choice(what, Prove::ALL.map(Prove::name), defaults.prove.name()),
    );
    let what = "What becomes of a new key whose secret was lost with a crash: it is deleted once it is certain that it is that \
                key, or a person is asked";
    put(
        "lost_key",
        choice(what, LostKey::ALL.map(LostKey::name), defaults.lost_key.name()),
    );
    put("window", json!({ "$ref": "#/$defs/window" }));
    all
}

fn choice<const N: usize>(what: &str, names: [&str; N], otherwise: &str) -> Value {
    json!({ "description": format!("{what}. Else {otherwise}."), "enum": names.as_slice() })
}

fn defaults() -> Value {
    let (defaults, limits) = (Defaults::default(), Limits::default());
    let mut properties = schedule();
    properties.insert(
        "run_every".to_owned(),
        duration("How often `rotate run` is started", defaults.run_every),
    );
    properties.insert(
        "look_every".to_owned(),
        duration(
            "How often a vendor is looked at although nothing is due",
            limits.look_every,
        ),
    );
    properties.insert(
        "concurrency".to_owned(),
        json!({
            "description": format!("How many targets are worked on at once. Else {}.", limits.concurrency),
            "type": "integer", "minimum": 1, "maximum": 256
        }),
    );
    for (_, pace) in paced() {
        let (what, otherwise) = (pace.what, pace.calls_per_second);
        let what = format!("How often {what} is called at most; 0: as often as it takes. Else {otherwise}.");
        properties.insert(
            pace.key.to_owned(),
            json!({ "description": what, "type": "integer", "minimum": 0, "maximum": MOST_CALLS }),
        );
    }
    properties.insert(
        "require_state".to_owned(),
        json!({
            "description": format!(
                "Whether `rotate run` fails where there is no journal, instead of beginning one. Else {}.",
                limits.require_state
            ),
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
    let ids: Vec<&str> = connectors().map(|connector| connector.id).collect();
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
    let what = "What its max_age rests on, for the report: a rule, a risk analysis.";
    put("policy_basis", evidence::sentence_schema(what));
    put("exception", json!({ "$ref": "#/$defs/exception" }));
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
    for connector in connectors() {
        let is = json!({ "const": connector.id });
        if let Some(automation) = connector.automation {
            let mut properties: Map<String, Value> = automation.inputs.iter().map(input).collect();
            properties.insert(
                "deliver".to_owned(),
                json!({
                    "description": "Where its new keys go, as with --deliver; {date} stands for the day of the opening.",
                    "type": "array", "minItems": 1,
                    "items": { "oneOf": [{ "type": "string" }, { "$ref": "#/$defs/destination" }] }
                }),
            );
            properties.insert(
                "after_delivery".to_owned(),
                json!({
                    "description": "The programs that run once its new keys are delivered, in this order.",
                    "type": "array", "items": { "$ref": "#/$defs/hook" }
                }),
            );
            if automation.capabilities.rotates_itself {
                let what = "It may be the identity that rotate itself runs as.";
                properties.insert(
                    "allow_self".to_owned(),
                    json!({ "description": what, "type": "boolean" }),
                );
            }
            if let Some(shown) = &automation.shown_key {
                properties.insert(
                    "current_key".to_owned(),
                    json!({ "description": shown.help, "type": "string" }),
                );
            }
            let mut then = together(automation.inputs);
            then.insert("properties".to_owned(), Value::Object(properties));
            variants.push(json!({
                "if": {
                    "properties": { "connector": is, "by_hand": { "const": false } },
                    "required": ["connector"]
                },
                "then": then
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
        if let Some(probe) = &guide.probe {
            properties.extend(of_trials(probe));
        }
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

/// How the credential of a target is tried that a person rotates.
fn of_trials(probe: &Probe) -> Map<String, Value> {
    let text = |what: String| json!({ "description": what, "type": "string" });
    let what = &probe.secret.what;
    let lock = match probe.ways().any(|way| way.locks) {
        true => "It is tried although wrong tries may lock its user; needed with verify_every.",
        false => "Of no use here: no try locks anybody.",
    };
    let all = [
        (
            "secret_file",
            text(format!("A file with {what}, which `doctor` and `verify` may try.")),
        ),
        (
            "secret_env",
            text(format!("The same, in an environment variable of this name: {what}.")),
        ),
        (
            "secret_credential",
            text(format!("The same, in a credential that systemd hands over: {what}.")),
        ),
        (
            "verify_every",
            json!({ "description": "How often `run` tries it. Else never.", "$ref": "#/$defs/duration" }),
        ),
        ("risk_lockout", json!({ "description": lock, "type": "boolean" })),
        (
            "allow_private",
            json!({ "description": "It may go to an address of a private network.", "type": "boolean" }),
        ),
        (
            "ca_file",
            text("Authorities in PEM that are trusted beside the system's.".to_owned()),
        ),
    ];
    all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Which inputs have to be there, and which do not go together.
fn together(inputs: &[InputSpec]) -> Map<String, Value> {
    let required = inputs.iter().filter(|input| input.required);
    let required: Vec<&str> = required.map(|input| &*input.name).chain(["deliver"]).collect();
    let needed = inputs.iter();
    let needed = needed.filter_map(|input| Some((input.name.to_string(), json!([input.needs?]))));
    let needed: Map<String, Value> = needed.collect();
    let rivals = inputs.iter().enumerate().flat_map(|(at, input)| {
        let others = inputs[at + 1..].iter();
        let others = others.filter(|other| input.one_of.is_some() && other.one_of == input.one_of);
        others.map(|other| json!({ "required": [input.name, other.name] }))
    });
    let rivals: Vec<Value> = rivals.collect();
    let mut all = Map::from_iter([("required".to_owned(), json!(required))]);
    if !needed.is_empty() {
        all.insert("dependentRequired".to_owned(), Value::Object(needed));
    }
    if !rivals.is_empty() {
        all.insert("not".to_owned(), json!({ "anyOf": rivals }));
    }
    all
}

fn input(input: &InputSpec) -> (String, Value) {
    let value = match input.form {
        Form::Text | Form::Path => json!({ "description": input.described(), "type": "string" }),
        Form::Number(numbers) => json!({ "description": input.described(), "enum": numbers }),
    };
    (input.name.to_string(), value)
}
