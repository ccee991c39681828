//! Where the journal is kept.

use std::path::PathBuf;

use rotate_providers::secret_from::SecretFrom;

use super::mistake::Mistake;
use super::reader::{Reader, Section};
use super::target::name_of_a_place;
use super::value::{folder, parsed, path};
use crate::store::{SCHEMA, Server, check_schema};

/// Where the URL of a database may be: never in the file.
const PLACES: [&str; 3] = ["url_env", "url_file", "url_credential"];

/// Where the journal is kept, and the identity that seals.
#[derive(Default)]
pub(super) struct Place {
    /// The state folder.
    pub(super) state_dir: Option<PathBuf>,
    /// The server, where the journal is not a file of that folder.
    pub(super) server: Option<Server>,
}

/// Whether the file may name a server that these mistakes hide, or another one than this.
pub(super) fn server_is_unknown(text: &str, server: Option<&Server>, mistakes: &[Mistake]) -> bool {
    let may_name: Vec<_> = text
        .lines()
        .zip(1..)
        .filter(|(line, _)| PLACES.iter().any(|key| line.contains(key)))
        .map(|(_, number)| number)
        .collect();
    // What was made out of a line with a slip in it, or right before one, is a guess.
    let is_near = |wrong: usize| may_name.iter().any(|line| (*line..=line + 1).contains(&wrong));
    let is_guess = |mistake: &Mistake| mistake.key.starts_with("store") || mistake.line.is_none_or(is_near);
    match server {
        None => !may_name.is_empty(),
        Some(_) => mistakes.iter().any(is_guess),
    }
}

pub(super) fn read(reader: &mut Reader<'_>, table: &mut Section<'_>) -> Place {
    let state_dir = folder(reader, table, "state_dir");
    let variable = parsed(reader, table, "url_env", name_of_a_place).map(|taken| SecretFrom::Variable(taken.value));
    let file = path(reader, table, "url_file").map(|taken| SecretFrom::File(taken.value));
    let credential =
        parsed(reader, table, "url_credential", name_of_a_place).map(|taken| SecretFrom::Credential(taken.value));
    let schema = parsed(reader, table, "schema", check_schema);
    let places: Vec<_> = PLACES
        .iter()
        .filter_map(|key| Some((key, table.place_of(key)?)))
        .collect();
    if let [_, (second, at), ..] = places.as_slice() {
        let remedy = format!("write one of {}", PLACES.join(", "));
        let key = table.key(second);
        reader.mistake(
            Some(at.clone()),
            &key,
            "the URL of the journal has several places",
            &remedy,
        );
    }
    if let (Some(at), true) = (table.place_of("schema"), places.is_empty()) {
        let key = table.key("schema");
        let what = "only a database has schemas, and nothing says where its URL is";
        reader.mistake(
            Some(at),
            &key,
            what,
            "write url_env, url_file or url_credential, or leave it out",
        );
    }
    let server = variable.or(file).or(credential).map(|url| Server {
        url,
        schema: schema.map_or_else(|| SCHEMA.to_owned(), |taken| taken.value),
    });
    Place { state_dir, server }
}
