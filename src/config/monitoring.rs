//! How others see whether the program does its work: a file of metrics, a heartbeat, and an anchor of the journal.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::reader::{Reader, Section};
use super::target::name_of_a_place;
use super::value::{flag, parsed, path};

/// What a run leaves for those who watch it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monitoring {
    /// The file in which a run leaves its metrics.
    pub textfile: Option<PathBuf>,
    /// Whom a run tells that it begins and ends.
    pub heartbeat: Option<HeartbeatTo>,
    /// The file in which the head of the journal is noted down.
    pub anchor: Option<PathBuf>,
}

/// Where a heartbeat goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatTo {
    /// The variable of the environment that holds the URL, which is a secret: whoever knows it can say that all is well.
    pub url_env: String,
    /// Whether that may lead to an address of a private network.
    pub allow_private: bool,
}

/// The extension that the collector of text files looks for.
const EXTENSION: &str = "prom";

impl Monitoring {
    /// What the tables `[metrics]`, `[heartbeat]` and `[audit]` say.
    pub(super) fn read<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Self {
        Self {
            textfile: textfile(reader, root),
            heartbeat: heartbeat(reader, root),
            anchor: anchor(reader, root),
        }
    }

    /// An anchor that is put back together with the journal shows nothing.
    pub(super) fn check(&self, reader: &mut Reader<'_>, state_dir: Option<&Path>) {
        let inside = |anchor: &PathBuf| state_dir.is_some_and(|folder| anchor.starts_with(folder));
        if self.anchor.as_ref().is_some_and(inside) {
            let what = "it is in the state folder, and would be put back to an older copy with it";
            let remedy = "name a file elsewhere, best on another machine";
            reader.mistake(None, "audit: anchor", what, remedy);
        }
    }
}

fn textfile<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Option<PathBuf> {
    let mut section = reader.table(root, "metrics");
    let taken = path(reader, &mut section, "textfile");
    if let Some(taken) = &taken
        && taken.value.extension().is_none_or(|extension| extension != EXTENSION)
    {
        let key = section.key("textfile");
        let what = "the collector of text files does not read it";
        reader.mistake(Some(taken.span.clone()), &key, what, "let its name end with .prom");
    }
    reader.close(section);
    taken.map(|taken| taken.value)
}

fn heartbeat<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Option<HeartbeatTo> {
    let is_there = root.has("heartbeat");
    let mut section = reader.table(root, "heartbeat");
    let url_env = parsed(reader, &mut section, "url_env", name_of_a_place);
    let allow_private = flag(reader, &mut section, "allow_private");
    if is_there && !section.was_there("url_env") {
        let (at, key) = (section.span.clone(), section.key("url_env"));
        let remedy = "write the name of the variable that holds the URL: url_env = \"HEARTBEAT_URL\"";
        reader.mistake(Some(at), &key, "it is missing", remedy);
    }
    if is_there && !cfg!(feature = "heartbeat") {
        let (at, key) = (section.span.clone(), section.name.clone());
        let remedy = "leave it out, or take one that was built with the feature heartbeat";
        reader.mistake(Some(at), &key, "this program was built without it", remedy);
    }
    reader.close(section);
    Some(HeartbeatTo {
        url_env: url_env?.value,
        allow_private,
    })
}

/// Where the head of the journal is noted down. It is looked for by whoever needs the journal and nothing else of the file.
pub(super) fn anchor<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Option<PathBuf> {
    let mut section = reader.table(root, "audit");
    let anchor = path(reader, &mut section, "anchor").map(|taken| taken.value);
    reader.close(section);
    anchor
}

/// The tables, in the schema.
pub(super) fn schema() -> [(&'static str, Value); 3] {
    let table =
        |properties: Value| json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let whole_path = "^(/|~/)";
    let metrics = table(json!({
        "textfile": {
            "description": "The file in which `run` leaves its metrics, for Prometheus' collector of text files.",
            "type": "string", "pattern": "^(/|~/).*\\.prom$"
        }
    }));
    let mut heartbeat = table(json!({
        "url_env": {
            "description": "The environment variable that holds the URL which `run` calls when it begins and ends.",
            "type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
        },
        "allow_private": { "description": "It may lead to an address of a private network.", "type": "boolean" }
    }));
    heartbeat["required"] = json!(["url_env"]);
    let audit = table(json!({
        "anchor": {
            "description": "The file, best on another machine, in which the head of the journal is noted down after each run.",
            "type": "string", "pattern": whole_path
        }
    }));
    [("metrics", metrics), ("heartbeat", heartbeat), ("audit", audit)]
}
