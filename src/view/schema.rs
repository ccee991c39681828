//! The schema of what is printed for programs, from the types that are printed: the file beside this one is made by it.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::json::{Checkups, Connectors, Document, Followed, Intact, Journal, Reports, Targets, Trials, Verifications};
use crate::notify::Notice;

/// What rotate prints with `--output json`: one document a call, on stdout; `audit --follow json` prints one a line. Times are UTC. No document holds a secret.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it names the documents for the schema, and is never built")]
enum Printed {
    Targets(Document<Targets<'static>>),
    Checkups(Document<Checkups<'static>>),
    Connectors(Document<Connectors<'static>>),
    Verification(Document<Verifications<'static>>),
    Journal(Document<Journal<'static>>),
    Intact(Document<Intact<'static>>),
    Followed(Document<Followed<'static>>),
    Report(Document<Reports<'static>>),
    Trials(Document<Trials<'static>>),
}

/// The schema, as its file holds it.
pub fn schema() -> String {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(exact));
    let schema = settings.into_generator().into_root_schema_for::<Printed>();
    // A schema is a value, which always serialises.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// The schema of a notice, as its file holds it.
pub fn notice_schema() -> String {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(exact));
    let schema = settings.into_generator().into_root_schema_for::<Notice>();
    // A schema is a value, which always serialises.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// What types do not say: nothing is printed that is not described, what may be left out is never null, times are UTC, and no text is
/// empty.
fn exact(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let required: Vec<Value> = object
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if let (false, Some(property)) = (required.contains(&json!(name)), property.as_object_mut()) {
                never_null(property);
            }
        }
        object.entry("additionalProperties").or_insert(json!(false));
    }
    let is_text = match object.get("type") {
        Some(Value::Array(types)) => types.contains(&json!("string")),
        Some(name) => name == "string",
        None => false,
    };
    if object.get("format").is_some_and(|format| format == "date-time") {
        object.insert("pattern".to_owned(), json!("Z$"));
    } else if is_text
        && !object.contains_key("pattern")
        && !object.contains_key("enum")
        && !object.contains_key("const")
    {
        object.insert("minLength".to_owned(), json!(1));
    }
}

/// Takes null from what a property may be.
fn never_null(property: &mut Map<String, Value>) {
    if let Some(types) = property.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(mut choices) = property.get("anyOf").and_then(Value::as_array).cloned() {
        choices.retain(|choice| choice["type"] != "null");
        match choices.as_slice() {
            [Value::Object(only)] => {
                property.remove("anyOf");
                property.extend(only.clone());
            }
            _ => {
                property.insert("anyOf".to_owned(), Value::Array(choices));
            }
        }
    }
}
