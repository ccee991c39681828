//! `rotate.toml`: the fleet, its schedule, and nothing secret.
//!
//! A file is read as a whole and checked as a whole: every mistake is reported at once, each with its line, its key and
//! what fixes it, before anything is touched.

mod after_delivery;
mod allowed;
mod automatic;
mod conflicts;
mod defaults;
mod destinations;
mod evidence;
mod file;
mod mistake;
mod monitoring;
mod notify;
mod notify_schema;
mod parts;
mod reader;
mod schema;
mod starter;
mod store;
mod target;
mod value;
mod words;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rotate_providers::Paces;
use sha2::{Digest, Sha256};

pub use allowed::AllowedHosts;
pub use automatic::Automatic;
pub(crate) use defaults::Defaults;
pub use evidence::{Exception, OutOfScope};
pub use file::{Unusable, locate};
pub use mistake::{Mistake, Mistakes};
pub use monitoring::{HeartbeatTo, Monitoring};
pub use schema::schema;
pub use starter::starter;
pub use target::{ByHand, How, Target};

use crate::config::reader::Reader;
use crate::config::store::Place;
use crate::notify::Notifier;
use crate::seal::SealWith;
use crate::store::Server;

/// A configuration in which nothing is wrong.
pub struct Config {
    /// Where it was read from.
    pub path: PathBuf,
    /// Where the journal is kept, if the file says so.
    pub state_dir: Option<PathBuf>,
    /// The server that keeps the journal, where it is not a file of that folder.
    pub server: Option<Server>,
    /// What seals secrets that wait, where it is not the identity of that folder alone.
    pub seal: Option<SealWith>,
    /// How many targets are worked on at once.
    pub concurrency: usize,
    /// How often one account of a vendor is called at most.
    pub paces: Paces,
    /// How often the vendor is looked at although nothing is due.
    pub look_every: SignedDuration,
    /// Whether `run` demands a journal: where there is none, it is not mounted, and nobody begins anew.
    pub require_state: bool,
    /// The fleet, in the order of the file.
    pub targets: Vec<Target>,
    /// What is meant not to be in it.
    pub out_of_scope: Vec<OutOfScope>,
    /// What a run leaves for those who watch it.
    pub monitoring: Monitoring,
    /// Who is told of what becomes of it.
    pub notifiers: Vec<Notifier>,
    /// The hash of the file's text, SHA-256 in hexadecimal: it tells this file from any other.
    pub fingerprint: String,
}

impl Config {
    /// No fleet at all.
    pub fn empty() -> Self {
        let defaults = defaults::Limits::default();
        Self {
            path: PathBuf::new(),
            state_dir: None,
            server: None,
            seal: None,
            concurrency: defaults.concurrency,
            paces: defaults.paces,
            look_every: defaults.look_every,
            require_state: defaults.require_state,
            targets: Vec::new(),
            out_of_scope: Vec::new(),
            monitoring: Monitoring::default(),
            notifiers: Vec::new(),
            fingerprint: String::new(),
        }
    }

    /// Reads the file; every mistake in it is told. An endpoint that is neither a vendor's own nor among these hosts is one:
    /// whoever may change the file could send a password there.
    pub fn read(path: &Path, allowed: &AllowedHosts) -> Result<Self, Unusable> {
        let text = file::read(path)?;
        Self::parse_with(path, &text, allowed).map_err(Unusable::Mistaken)
    }

    /// Understands the text of the file at this path, where no other hosts are allowed than the vendors' own.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Mistakes> {
        Self::parse_with(path, text, &AllowedHosts::default())
    }

    /// The same, unless the anchor is in the folder in which the journal is kept, whoever has named that one.
    pub fn beside(self, state: &Path) -> Result<Self, Unusable> {
        let state = std::path::absolute(state).unwrap_or_else(|_| state.to_owned());
        match &self.monitoring.anchor {
            Some(anchor) if anchor.starts_with(&state) => Err(Unusable::File {
                path: self.path,
                why: format!("audit: anchor: {}", monitoring::IN_STATE_FOLDER),
                remedy: monitoring::ELSEWHERE.to_owned(),
            }),
            _ => Ok(self),
        }
    }

    fn parse_with(path: &Path, text: &str, allowed: &AllowedHosts) -> Result<Self, Mistakes> {
        let fingerprint = fingerprint(text);
        if let Some(mut parts) = Reader::in_parts(text, allowed) {
            let read = read(&mut parts, path);
            if parts.end(path).is_ok() {
                return Ok(Self { fingerprint, ..read });
            }
        }
        // Whoever has to fix it is told each line.
        let mut reader = Reader::new(text, allowed);
        let read = read(&mut reader, path);
        reader.end(path)?;
        Ok(Self { fingerprint, ..read })
    }
}

/// Where the file says that the journal is, and where its head is noted down.
#[derive(Default)]
pub struct JournalAt {
    /// The state folder.
    pub state_dir: Option<PathBuf>,
    /// The server, where the journal is not a file of that folder.
    pub server: Option<Server>,
    /// What seals secrets that wait, where it is not the identity of that folder alone.
    pub seal: Option<SealWith>,
    /// The anchor.
    pub anchor: Option<PathBuf>,
    /// Whether it may have one that could not be made out.
    pub anchor_unknown: bool,
    /// Whether it may name a server that could not be made out.
    pub server_unknown: bool,
    /// Whether it may say what seals, and something there could not be made out.
    pub seal_unknown: bool,
}

/// The tables that say nothing of where the journal is.
const OTHERS: [&str; 6] = ["defaults", "target", "out_of_scope", "metrics", "heartbeat", "notify"];

/// Where the file says that the journal is kept, as far as that can be made out, and what is wrong with it. Nothing else that it says
/// is looked at, but for the names of its tables: whoever only needs the journal is not kept from it by a mistake in a target.
pub fn journal_at(path: &Path, allowed: &AllowedHosts) -> (JournalAt, Result<(), Unusable>) {
    let text = match file::read(path) {
        Ok(text) => text,
        Err(unusable) => {
            let at = JournalAt {
                anchor_unknown: true,
                server_unknown: true,
                seal_unknown: true,
                ..JournalAt::default()
            };
            return (at, Err(unusable));
        }
    };
    if let Some(parts) = Reader::in_parts(&text, allowed)
        && let (at, Ok(())) = journal_in(path, &text, allowed, parts)
    {
        return (at, Ok(()));
    }
    journal_in(path, &text, allowed, Reader::new(&text, allowed))
}

fn journal_in<'t>(
    path: &Path,
    text: &'t str,
    allowed: &AllowedHosts,
    mut reader: Reader<'t>,
) -> (JournalAt, Result<(), Unusable>) {
    let mut root = reader.root();
    let mut table = reader.table(&mut root, "store");
    let Place {
        state_dir,
        server,
        seal,
    } = store::read(&mut reader, &mut table);
    reader.close(table);
    let anchor = monitoring::anchor(&mut reader, &mut root);
    let before = reader.mistakes();
    OTHERS.into_iter().for_each(|table| root.leave(table));
    let has_store = root.was_there("store");
    reader.close(root);
    // A table that is not known may be that one, under another name.
    let may_be_store = !has_store && reader.mistakes() > before;
    let line = anchor.as_ref().map(|taken| reader.line(taken.span.start));
    let fit = reader.end(path);
    // What was made out of a line with a slip in it, or right before one, is a guess.
    let is_near = |mistake: &Mistake| match (line, mistake.line) {
        (Some(line), Some(wrong)) => (line..=line + 1).contains(&wrong),
        _ => true,
    };
    let is_guess = |mistakes: &Mistakes| mistakes.all.iter().any(is_near);
    let is_certain = !fit.as_ref().is_err_and(is_guess);
    let server_unknown = may_be_store
        || fit
            .as_ref()
            .is_err_and(|mistakes| store::server_is_unknown(text, server.as_ref(), &mistakes.all));
    let at = JournalAt {
        seal_unknown: may_be_store
            || fit.as_ref().is_err_and(|mistakes| {
                text.contains("seal") || mistakes.all.iter().any(|mistake| mistake.key.starts_with("store"))
            }),
        state_dir,
        server: server.filter(|_| !server_unknown),
        seal,
        anchor: anchor.filter(|_| is_certain).map(|taken| taken.value),
        anchor_unknown: !is_certain && text.contains("anchor"),
        server_unknown,
    };
    // Whoever has to fix it is told of everything.
    let fit =
        fit.map_err(|mistakes| Unusable::Mistaken(Config::parse_with(path, text, allowed).err().unwrap_or(mistakes)));
    (at, fit)
}

fn read(reader: &mut Reader<'_>, path: &Path) -> Config {
    let mut root = reader.root();
    let mut general = reader.table(&mut root, "defaults");
    let defaults = defaults::Defaults::read(reader, &mut general);
    let limits = defaults::Limits::read(reader, &mut general);
    reader.close(general);
    let mut table = reader.table(&mut root, "store");
    let Place {
        state_dir,
        server,
        seal,
    } = store::read(reader, &mut table);
    reader.close(table);
    let tables = reader.tables(&mut root, "target");
    if tables.len() == 0 && !root.was_there("target") {
        reader.mistake(
            None,
            "target",
            "there is no target, so there is nothing to do",
            "write a [[target]] with name and connector; `rotate init` writes an example",
        );
    }
    let mut targets = Vec::with_capacity(tables.len());
    let mut names = HashMap::with_capacity(tables.len());
    let mut counted = (0, 1);
    let shown = path.display().to_string();
    for mut table in tables {
        let begin = table.span.start;
        counted = (begin, reader.line_after(counted, begin));
        let place = format!("{shown}, line {}", counted.1);
        targets.extend(target::read(reader, &mut table, &defaults, &mut names, place));
        reader.close(table);
    }
    conflicts::check(reader, &targets);
    let out_of_scope = evidence::out_of_scope(reader, &mut root);
    let monitoring = Monitoring::read(reader, &mut root, state_dir.as_deref());
    let notifiers = notify::notifiers(reader, &mut root);
    reader.close(root);
    Config {
        path: path.to_owned(),
        state_dir,
        server,
        seal,
        concurrency: limits.concurrency,
        paces: limits.paces,
        look_every: limits.look_every,
        require_state: limits.require_state,
        targets,
        out_of_scope,
        monitoring,
        notifiers,
        fingerprint: String::new(),
    }
}

fn fingerprint(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{OTHERS, schema};

    #[test]
    fn whoever_looks_for_the_journal_alone_knows_the_names_of_all_tables() {
        let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
        let mut all: Vec<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut known = Vec::from(OTHERS);
        known.extend(["store", "audit"]);
        known.sort_unstable();
        all.sort_unstable();
        assert_eq!(all, known);
    }
}
