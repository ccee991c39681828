//! One notice: a document for programs, and the same as text for people.

use askama::Template;
use jiff::Timestamp;
use rotate_providers::untrusted::Sanitized;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of every notice: one of another version may have other fields.
const SCHEMA_VERSION: u32 = 1;

/// What a notice tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
pub enum Kind {
    /// A rotation begins soon.
    #[serde(rename = "rotation.announced")]
    Announced,
    /// A rotation was begun.
    #[serde(rename = "rotation.begun")]
    Begun,
    /// A person has to act, as was planned.
    #[serde(rename = "rotation.waits")]
    Waits,
    /// A day has gone by on which it should have been done.
    #[serde(rename = "rotation.overdue")]
    Overdue,
    /// A person has to look.
    #[serde(rename = "rotation.blocked")]
    Blocked,
    /// A run could not go on with it.
    #[serde(rename = "rotation.failed")]
    Failed,
    /// A rotation was aborted or rolled back.
    #[serde(rename = "rotation.undone")]
    Undone,
    /// A rotation has come to its end.
    #[serde(rename = "rotation.done")]
    Done,
    /// Where the fleet stands, once a week.
    #[serde(rename = "fleet.digest")]
    Digest,
    /// A person tries whether notices arrive.
    #[serde(rename = "notify.test")]
    Test,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Announced,
        Self::Begun,
        Self::Waits,
        Self::Overdue,
        Self::Blocked,
        Self::Failed,
        Self::Undone,
        Self::Done,
        Self::Digest,
        Self::Test,
    ];

    /// Its name, wherever programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Announced => "rotation.announced",
            Self::Begun => "rotation.begun",
            Self::Waits => "rotation.waits",
            Self::Overdue => "rotation.overdue",
            Self::Blocked => "rotation.blocked",
            Self::Failed => "rotation.failed",
            Self::Undone => "rotation.undone",
            Self::Done => "rotation.done",
            Self::Digest => "fleet.digest",
            Self::Test => "notify.test",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it says of a target, in a few words.
    fn headline(self) -> &'static str {
        match self {
            Self::Announced => "its rotation begins soon",
            Self::Begun => "its rotation has begun",
            Self::Waits => "it waits for a person",
            Self::Overdue => "it is overdue",
            Self::Blocked => "it is blocked, and a person has to look",
            Self::Failed => "the last run could not go on with it",
            Self::Undone => "its rotation was aborted or rolled back",
            Self::Done => "its rotation has come to its end",
            Self::Digest => "where the fleet stands",
            Self::Test => "a test",
        }
    }
}

/// A notice, as programs get it. It never holds a secret.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Notice {
    /// The version of this schema. A notice of another version may have other fields.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// Its id, which each repeat of it has too.
    #[schemars(extend("format" = "uuid"))]
    pub id: String,
    /// What it tells of.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// When that was.
    pub timestamp: Timestamp,
    /// The head of the journal at that time; null where it was made without one.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub head: Option<String>,
    /// The whole of it in one line.
    pub title: String,
    /// The whole of it, as people read it.
    pub text: String,
    /// The same for programs.
    pub data: Content,
}

/// What a notice holds, by its type.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Of all types that begin with `rotation.`.
    Target(Box<TargetNotice>),
    /// Of `fleet.digest`.
    Digest(Digest),
    /// Of `notify.test`.
    Test(TestNotice),
}

/// What is told of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TargetNotice {
    /// Its name.
    pub target: Sanitized,
    /// Its connector.
    pub connector: Sanitized,
    /// Who is asked about it; null where the configuration names nobody.
    pub owner: Option<Sanitized>,
    /// Where it stands: a phase, `idle` or `guided`.
    pub state: Sanitized,
    /// What this means, in a sentence.
    pub why: Sanitized,
    /// What a person does, one action a line.
    pub steps: Vec<Sanitized>,
    /// The command for it, or the one that says more; null where none is.
    pub command: Option<Sanitized>,
    /// The command that takes it all back; null where nothing does.
    pub undo: Option<Sanitized>,
    /// The day that counts: of the beginning, or by which a person has to have acted; null where there is none.
    pub until: Option<Timestamp>,
    /// The rotation's id; null where none was opened.
    pub rotation: Option<Sanitized>,
    /// The key that is to go; null where that is not known.
    pub old_key: Option<Sanitized>,
    /// The key that comes; null before it is made.
    pub new_key: Option<Sanitized>,
}

/// Where a fleet stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Digest {
    /// How many targets this notifier is told of.
    pub targets: usize,
    /// Those of which nobody has to do anything.
    pub quiet: usize,
    /// Those of which somebody has to, the first of them.
    pub needs: Vec<Need>,
    /// How many more of them there are.
    pub more: usize,
    /// How many notices of the notifier were dropped since its last digest, whoever of its readers they were for, because too many waited
    /// for one of them.
    pub dropped: u64,
    /// The command that says where each of them stands; null where this was written down before there was one.
    #[serde(default)]
    pub command: Option<Sanitized>,
}

/// A target of which somebody has to do something.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Need {
    /// Its name.
    pub target: Sanitized,
    /// Who is asked about it; null where the configuration names nobody.
    pub owner: Option<Sanitized>,
    /// What, in a few words.
    pub what: Sanitized,
}

/// What a test says.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TestNotice {
    /// The notifier's name.
    pub notifier: Sanitized,
}

#[derive(Template)]
#[template(path = "notice.txt")]
struct Text<'a> {
    title: &'a str,
    content: &'a Content,
    id: &'a str,
    at: String,
    head: Option<&'a str>,
}

impl Notice {
    /// Puts it together: what is told, when that was, and by which id it is known.
    pub fn new(id: &str, kind: Kind, at: Timestamp, head: Option<&str>, content: Content) -> Self {
        let title = match &content {
            Content::Target(it) => format!("{}: {}", it.target, kind.headline()),
            Content::Digest(_) | Content::Test(_) => format!("rotate: {}", kind.headline()),
        };
        let text = Text {
            title: &title,
            content: &content,
            id,
            at: at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            head,
        };
        // A template that writes to memory does not fail; the title says the most of it.
        let text = text.render().unwrap_or_else(|_| title.clone());
        Self {
            schema_version: SCHEMA_VERSION,
            id: id.to_owned(),
            kind,
            timestamp: at,
            head: head.map(str::to_owned),
            title,
            text,
            data: content,
        }
    }

    /// The document.
    pub fn document(&self) -> String {
        // Values of these types always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A day, as people read it.
fn day(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
