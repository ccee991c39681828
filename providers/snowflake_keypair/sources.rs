//! The places in which settings are looked for, and their order.
//!
//! A connection that somebody has named: its own variables, then its table in the file, then the general variables, as
//! Snowflake's own tools have it. Where nobody has named one, general variables go before the file's default connection,
//! and the two may not lead to different accounts, users or hosts. Source:
//! <https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections>.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use super::FIND;
use super::file::{self, Connection, ConnectionFile};
use crate::CredentialsFrom;
use crate::contract::Kind;
use crate::environment;
pub(super) use crate::environment::variable;
use crate::fault::Fault;
use crate::secret::Secret;
use crate::secret_from::read_secret;

/// What names the connection, where the target does not.
const DEFAULT_NAME: &str = "SNOWFLAKE_DEFAULT_CONNECTION_NAME";

/// Where a value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The target itself names it, under this key.
    Target(&'static str),
    /// The environment, under this name.
    Variable(String),
    /// A connection of a file.
    Connection { name: String, place: String },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(key) => write!(f, "the target's own {key}"),
            Self::Variable(name) => f.write_str(name),
            Self::Connection { name, place } => write!(f, "connection {} of {place}", name.escape_debug()),
        }
    }
}

/// A value, by which of its names it was found, and where.
pub(super) struct Found<'k> {
    pub(super) key: &'k str,
    /// It may be a secret.
    value: Zeroizing<String>,
    pub(super) origin: Origin,
}

impl Found<'_> {
    /// The value of something that is no secret.
    pub(super) fn text(mut self) -> String {
        std::mem::take(&mut *self.value)
    }

    /// The value of something that is one.
    pub(super) fn secret(self) -> Secret {
        Secret::new(self.text())
    }

    fn filled(self) -> Option<Self> {
        (!self.value.is_empty()).then_some(self)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>`.
    Own,
    /// The connection's table.
    File,
    /// `SNOWFLAKE_<KEY>`.
    General,
}

/// The environment and one table of a file.
pub(super) struct Sources {
    name: String,
    is_named: bool,
    table: Connection,
    /// The file that the table is from, as errors name it.
    from: Option<String>,
}

impl Sources {
    /// Where the environment alone is asked, the target's connection is for other machines, and no file is read unless a
    /// variable names a connection of it.
    pub(super) fn read(asked: Option<&str>, credentials: CredentialsFrom) -> Result<Self, Fault> {
        let asked = asked.filter(|_| credentials == CredentialsFrom::Configured);
        let named = asked.map(str::to_owned).or_else(|| variable(DEFAULT_NAME));
        let file = match (credentials, &named) {
            (CredentialsFrom::Environment, None) => None,
            _ => ConnectionFile::read().map_err(|detail| Fault::new(FIND, detail))?,
        };
        let is_named = named.is_some();
        let asked = named.or_else(|| file.as_ref().and_then(|file| file.default.clone()));
        let name = asked.clone().unwrap_or_else(|| "default".to_owned());
        let (table, from) = match file {
            Some(mut file) => (file.connections.remove(&name), Some(file)),
            None => (None, None),
        };
        match (table, asked) {
            (Some(table), _) => Ok(Self {
                name,
                is_named,
                table,
                from: from.map(|file| file.place),
            }),
            (None, Some(name)) => Err(Fault::new(FIND, unknown(&name, from.as_ref()))),
            // Everything may come from the environment.
            (None, None) => Ok(Self {
                name,
                is_named,
                table: Connection::default(),
                from: None,
            }),
        }
    }

    /// A value by its name.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.found(&[key]).map(Found::text)
    }

    /// Whether there is a value under one of its names.
    pub(super) fn has(&self, keys: &[&str]) -> bool {
        self.found(keys).is_some()
    }

    /// A value that has several names. Each place is asked for all of them before the next place is.
    pub(super) fn found<'k>(&self, keys: &[&'k str]) -> Option<Found<'k>> {
        let mut places = self.order().into_iter();
        places.find_map(|place| self.found_at(place, keys))?.filled()
    }

    /// The same, at places that are about this account alone: what is written down for another one is not for it.
    pub(super) fn belonging<'k>(&self, key: &'k str, account: &str) -> Option<Found<'k>> {
        let mut places = self.order().into_iter().filter(|place| self.is_about(*place, account));
        places.find_map(|place| self.found_at(place, &[key]))?.filled()
    }

    /// The same of what the connection alone says.
    pub(super) fn own<'k>(&self, key: &'k str, account: &str) -> Option<Found<'k>> {
        let mut places = [Place::Own, Place::File]
            .into_iter()
            .filter(|place| self.is_about(*place, account));
        places.find_map(|place| self.found_at(place, &[key]))?.filled()
    }

    /// What is read first for each of these keys has to be one line, and no longer than anybody would write it. It is named by
    /// its place, and not shown: it may be a secret.
    pub(super) fn one_line(&self, keys: &[&'static str], longest: usize) -> Result<(), Fault> {
        for key in keys {
            let Some(Found { value, origin, .. }) = self.found(&[key]) else {
                continue;
            };
            let why = if value.chars().any(char::is_control) {
                "has a line break or another control character within"
            } else if value.chars().count() > longest {
                "is longer than it can be"
            } else {
                continue;
            };
            let named = match &origin {
                Origin::Variable(name) => name.clone(),
                place => format!("{key} of {place}"),
            };
            let detail = format!("{named} {why}; it has to be one line of {longest} characters at most");
            return Err(Fault::new(FIND, detail));
        }
        Ok(())
    }

    fn order(&self) -> [Place; 3] {
        if self.is_named {
            [Place::Own, Place::File, Place::General]
        } else {
            [Place::Own, Place::General, Place::File]
        }
    }

    fn is_about(&self, place: Place, account: &str) -> bool {
        let places: &[Place] = match place {
            Place::Own | Place::File => &[Place::Own, Place::File],
            Place::General => &[Place::General],
        };
        let written_for = places.iter().find_map(|place| self.value(*place, "account"));
        written_for.is_none_or(|written_for| written_for.is_empty() || plain(&written_for) == plain(account))
    }

    /// An empty value is found only if there is no other at this place.
    fn found_at<'k>(&self, place: Place, keys: &[&'k str]) -> Option<Found<'k>> {
        let found = |key: &&'k str| {
            Some(Found {
                key,
                value: self.value(place, key)?,
                origin: self.origin(place, key),
            })
        };
        let all: Vec<Found<'k>> = keys.iter().filter_map(found).collect();
        let filled = all.iter().position(|found| !found.value.is_empty()).unwrap_or(0);
        all.into_iter().nth(filled)
    }

    fn value(&self, place: Place, key: &str) -> Option<Zeroizing<String>> {
        let value = match place {
            Place::File => match self.table.get(key)? {
                toml::Value::String(text) => {
                    let what = format!("{key} of connection {}", self.name.escape_debug());
                    Some(environment::trimmed(&what, text.clone()))
                }
                toml::Value::Integer(number) => Some(number.to_string()),
                _ => None,
            },
            Place::Own => variable(&self.own_variable(key)),
            Place::General => variable(&general_variable(key)),
        };
        value.map(Zeroizing::new)
    }

    fn origin(&self, place: Place, key: &str) -> Origin {
        match (place, &self.from) {
            (Place::Own, _) => Origin::Variable(self.own_variable(key)),
            (Place::File, Some(place)) => Origin::Connection {
                name: self.name.clone(),
                place: place.clone(),
            },
            _ => Origin::Variable(general_variable(key)),
        }
    }

    /// The variable of this connection alone.
    fn own_variable(&self, key: &str) -> String {
        format!(
            "SNOWFLAKE_CONNECTIONS_{}_{}",
            self.name.to_uppercase(),
            key.to_uppercase()
        )
    }

    /// A secret that has to be there.
    pub(super) fn needed(&self, key: &str, elsewhere: &str) -> Result<Secret, Fault> {
        let found = self.found(&[key]).map(Found::secret);
        found.ok_or_else(|| self.missing(key, elsewhere))
    }

    pub(super) fn missing(&self, key: &str, elsewhere: &str) -> Fault {
        let place = match &self.from {
            Some(place) => format!("connection {} of {place}", self.name),
            None => "a connection in ~/.snowflake/connections.toml".to_owned(),
        };
        let detail = format!("no {key} is set: give it with {elsewhere} or in {place}");
        Fault::of(Kind::NoCredentials, FIND, detail)
    }

    /// Where nobody has said which one is meant, the environment and the file's default connection may not lead to
    /// different administrators: whichever was taken, it could be the wrong one. Not for what the target names itself.
    pub(super) fn decided(&self, keys: &[&'static str]) -> Result<(), Fault> {
        let Some(place) = self.from.as_ref().filter(|_| !self.is_named) else {
            return Ok(());
        };
        let differ = |key: &&&'static str| {
            let in_file = self.value(Place::File, key).filter(|value| !value.is_empty());
            let decided = self.value(Place::Own, key).is_some();
            let pair = self.value(Place::General, key).zip(in_file).filter(|_| !decided);
            // What is no name is not compared and not shown: it is refused as what it is later on.
            let is_shown = |text: &str| is_name(text) && (**key != "host" || !text.contains('@'));
            pair.is_some_and(|(general, in_file)| is_shown(&general) && plain(&general) != plain(&in_file))
        };
        let apart: Vec<&'static str> = keys.iter().filter(differ).copied().collect();
        if apart.is_empty() {
            return Ok(());
        }
        let name = self.name.escape_debug();
        let shown = |place, key| {
            let value = self.value(place, key).unwrap_or_default();
            value.escape_debug().to_string()
        };
        let values: Vec<String> = apart
            .iter()
            .map(|key| {
                let (general, in_file) = (shown(Place::General, key), shown(Place::File, key));
                format!(
                    "{key} is {general} in ${} and {in_file} in the connection",
                    general_variable(key)
                )
            })
            .collect();
        let variables: Vec<String> = apart.iter().map(|key| format!("${}", self.own_variable(key))).collect();
        Err(Fault::new(
            FIND,
            format!(
                "the environment and connection {name} of {place} lead to different administrators, and nothing says which is meant: \
             {}. For the connection, name it: --connection {name}, or SNOWFLAKE_DEFAULT_CONNECTION_NAME={name}. For the \
             environment, set {} to the same, which goes before the file",
                values.join("; "),
                variables.join(" and "),
            ),
        ))
    }
}

fn general_variable(key: &str) -> String {
    format!("SNOWFLAKE_{}", key.to_uppercase())
}

/// Accounts, users and hosts are the same in capitals and in small letters, and an account's underscore is its address's
/// hyphen.
pub(super) fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// Whether this can be the name of a host, an account or a user: an address with a scheme may hold a password.
pub(super) fn is_name(text: &str) -> bool {
    !text.contains([':', '/'])
}

fn unknown(name: &str, file: Option<&ConnectionFile>) -> String {
    let name = name.escape_debug();
    match file {
        Some(file) => {
            let known: Vec<&str> = file.connections.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            format!("{} has no connection {name}; it has {known}", file.place)
        }
        None => format!(
            "connection {name} is asked for, and there is neither connections.toml nor config.toml in {}",
            file::places()
        ),
    }
}

/// A file that holds a secret, wherever links lead; without line breaks at its end.
pub(super) fn secret_file(what: &str, path: &str) -> Result<Secret, Fault> {
    read_secret(Path::new(path)).map_err(|why| Fault::new(FIND, format!("{what} {path}: {why}")))
}
