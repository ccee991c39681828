//! Where the journal is kept.

use std::ops::Range;
use std::path::PathBuf;

use rotate_providers::secret_from::SecretFrom;
use serde_json::{Value, json};

use super::mistake::Mistake;
use super::reader::{Reader, Section};
use super::target::name_of_a_place;
use super::value::{folder, parsed, path};
use crate::seal::{Method, SealWith};
use crate::store::{SCHEMA, Server, check_schema};

/// Where a secret may be: never in the file.
struct Places {
    variable: &'static str,
    file: &'static str,
    credential: &'static str,
}

const URL: Places = Places {
    variable: "url_env",
    file: "url_file",
    credential: "url_credential",
};

const IDENTITY: Places = Places {
    variable: "seal_identity_env",
    file: "seal_identity_file",
    credential: "seal_identity_credential",
};

/// Where the journal is kept, and what seals.
#[derive(Default)]
pub(super) struct Place {
    /// The state folder.
    pub(super) state_dir: Option<PathBuf>,
    /// The server, where the journal is not a file of that folder.
    pub(super) server: Option<Server>,
    /// What seals, where it is not the identity of that folder alone.
    pub(super) seal: Option<SealWith>,
}

/// Whether the file may name a server that these mistakes hide, or another one than this.
pub(super) fn server_is_unknown(text: &str, server: Option<&Server>, mistakes: &[Mistake]) -> bool {
    let keys = [URL.variable, URL.file, URL.credential];
    let may_name: Vec<_> = text
        .lines()
        .zip(1..)
        .filter(|(line, _)| keys.iter().any(|key| line.contains(key)))
        .map(|(_, number)| number)
        .collect();
    // What was made out of a line with a slip in it, or right before one, is a guess.
    let is_near = |wrong: usize| may_name.iter().any(|line| (*line..=line + 1).contains(&wrong));
    let is_guess = |mistake: &Mistake| mistake.key.starts_with("store") || mistake.line.is_none_or(is_near);
    match server {
        None => !may_name.is_empty() || mistakes.iter().any(|mistake| mistake.key.starts_with("store")),
        Some(_) => mistakes.iter().any(is_guess),
    }
}

pub(super) fn read(reader: &mut Reader<'_>, table: &mut Section<'_>) -> Place {
    let state_dir = folder(reader, table, "state_dir");
    let url = URL.read(reader, table, "the URL of the journal has several places");
    let schema = parsed(reader, table, "schema", check_schema);
    if let (Some(at), true) = (table.place_of("schema"), !URL.is_given(table)) {
        let key = table.key("schema");
        let what = "only a database has schemas, and nothing says where its URL is";
        reader.mistake(
            Some(at),
            &key,
            what,
            "write url_env, url_file or url_credential, or leave it out",
        );
    }
    let server = url.map(|url| Server {
        url,
        schema: schema.map_or_else(|| SCHEMA.to_owned(), |taken| taken.value),
    });
    let seal = seal(reader, table);
    Place {
        state_dir,
        server,
        seal,
    }
}

fn seal(reader: &mut Reader<'_>, table: &mut Section<'_>) -> Option<SealWith> {
    let method = parsed(reader, table, "seal", Method::parse);
    let identity = IDENTITY.read(reader, table, "the identity of this machine has several places");
    if let (Some((key, at)), None) = (IDENTITY.first(table), table.place_of("seal")) {
        let key = table.key(key);
        let what = "it is the identity of a machine that seals to several, and nothing says to whom";
        reader.mistake(
            Some(at),
            &key,
            what,
            "write seal = \"age:RECIPIENT,RECIPIENT\", or leave it out",
        );
    }
    method.map(|method| SealWith {
        method: method.value,
        identity,
    })
}

/// The table in the schema of the file.
pub(super) fn schema() -> Value {
    let place = |description: &str| json!({ "description": description, "type": "string" });
    let path = |description: &str| json!({ "description": description, "type": "string", "pattern": "^(/|~/)" });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "state_dir": path("Where the journal and the identity that seals are kept."),
            "url_env": place("The variable that holds the URL of a PostgreSQL database, where the journal is kept there."),
            "url_file": path("The file that holds that URL."),
            "url_credential": place("The credential of the service manager that holds that URL."),
            "schema": {
                "description": "The schema of the journal there; `rotate` where none is named.",
                "type": "string",
                "pattern": "^[a-z_][a-z0-9_]{0,62}$"
            },
            "seal": {
                "description": "What seals secrets that wait: age:RECIPIENT,RECIPIENT, age:file=PATH, or a key of a key service; \
                                the identity in the state folder alone where nothing is named.",
                "type": "string",
                "pattern": "^[a-z-]+:."
            },
            "seal_identity_env": place("The variable that holds this machine's identity, where it is not in the state folder."),
            "seal_identity_file": path("The file that holds this machine's identity, where it is not in the state folder."),
            "seal_identity_credential":
                place("The credential of the service manager that holds this machine's identity.")
        }
    })
}

impl Places {
    /// The one of them that the file names.
    fn read(&self, reader: &mut Reader<'_>, table: &mut Section<'_>, several: &str) -> Option<SecretFrom> {
        let variable =
            parsed(reader, table, self.variable, name_of_a_place).map(|taken| SecretFrom::Variable(taken.value));
        let file = path(reader, table, self.file).map(|taken| SecretFrom::File(taken.value));
        let credential =
            parsed(reader, table, self.credential, name_of_a_place).map(|taken| SecretFrom::Credential(taken.value));
        let given: Vec<_> = self.given(table).collect();
        if let [_, (second, at), ..] = given.as_slice() {
            let remedy = format!("write one of {}", self.all().join(", "));
            let key = table.key(second);
            reader.mistake(Some(at.clone()), &key, several, &remedy);
        }
        variable.or(file).or(credential)
    }

    fn all(&self) -> [&'static str; 3] {
        [self.variable, self.file, self.credential]
    }

    fn given<'t>(&'t self, table: &'t Section<'_>) -> impl Iterator<Item = (&'static str, Range<usize>)> + 't {
        self.all()
            .into_iter()
            .filter_map(|key| Some((key, table.place_of(key)?)))
    }

    fn first(&self, table: &Section<'_>) -> Option<(&'static str, Range<usize>)> {
        self.given(table).next()
    }

    fn is_given(&self, table: &Section<'_>) -> bool {
        self.first(table).is_some()
    }
}
