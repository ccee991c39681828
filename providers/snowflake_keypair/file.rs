//! `connections.toml` and `config.toml`, where Snowflake's own tools keep connections.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::inputs::expanded;
use crate::shell::quoted;

use crate::regular::Regular;

/// Nobody has connections for more.
const LARGEST: u64 = 1 << 20;

/// Values that nobody else may read.
const SECRETS: &[&str] = &[
    "password",
    "passcode",
    "private_key_passphrase",
    "private_key_file_pwd",
    "private_key_raw",
    "token",
    "session_token",
    "master_token",
    "oauth_client_secret",
];

/// A variable that holds all connections, in the form of `connections.toml`.
const ALL: &str = "SNOWFLAKE_CONNECTIONS";

/// The connections of one file.
pub(super) struct ConnectionFile {
    /// The file, as errors name it.
    pub(super) place: String,
    pub(super) connections: BTreeMap<String, Connection>,
    /// The one that is meant where none is named.
    pub(super) default: Option<String>,
}

/// What one connection says. There may be secrets in it, so it is wiped in the end.
#[derive(Default)]
pub(super) struct Connection(Table);

impl Connection {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

impl ConnectionFile {
    /// Reads them; `None` where there is no file. Connections of the variable take the place of all of `connections.toml`,
    /// and those of all of `config.toml`'s, as they do for Snowflake's own tools.
    pub(super) fn read() -> Result<Option<Self>, String> {
        let home = home();
        let file = |name| home.as_ref().map_or(Ok(None), |home| read_table(&home.join(name)));
        let config = file("config.toml")?;
        let default = config.as_ref().and_then(|(_, table)| {
            let name = table.get("default_connection_name")?;
            name.as_str().map(str::to_owned)
        });
        let separate = match std::env::var(ALL)
            .ok()
            .filter(|text| !text.is_empty())
            .map(Zeroizing::new)
        {
            Some(text) => {
                let place = format!("${ALL}");
                let table = parsed(&text, &place)?;
                Some((place, table))
            }
            None => file("connections.toml")?,
        };
        if let Some((place, table)) = separate {
            return Ok(Some(Self {
                place,
                connections: tables(table),
                default,
            }));
        }
        Ok(config.map(|(place, mut table)| {
            let connections = match table.remove("connections") {
                Some(Value::Table(connections)) => tables(connections),
                _ => BTreeMap::new(),
            };
            Self {
                place,
                connections,
                default,
            }
        }))
    }
}

fn tables(table: Table) -> BTreeMap<String, Connection> {
    let named = table.into_iter().filter_map(|(name, value)| match value {
        Value::Table(connection) => Some((name, Connection(connection))),
        _ => None,
    });
    named.collect()
}

fn read_table(path: &Path) -> Result<Option<(String, Table)>, String> {
    let shown = path.display();
    let unreadable = |why: String| format!("{shown} cannot be read: {why}");
    let Some(found) = Regular::open(path).map_err(|refused| unreadable(refused.to_string()))? else {
        return Ok(None);
    };
    let mode = found.metadata().mode() & 0o777;
    let bytes = found
        .bytes(LARGEST)
        .map_err(|refused| unreadable(refused.to_string()))?;
    let bytes = Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))?;
    let table = parsed(text, &shown.to_string())?;
    let word = quoted(&shown.to_string());
    if mode & 0o022 != 0 {
        return Err(format!(
            "{shown} can be written by others (mode {mode:04o}); run: chmod 600 {word}"
        ));
    }
    if mode & 0o077 != 0 && holds_secret(&table) {
        return Err(format!(
            "{shown} holds a secret and can be read by others (mode {mode:04o}); run: chmod 600 {word}"
        ));
    }
    Ok(Some((shown.to_string(), table)))
}

fn parsed(text: &str, shown: &str) -> Result<Table, String> {
    // The parser's own report quotes the line, which may hold a password.
    text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let why = if error.message().starts_with("duplicate key") {
            ": a connection or a key of this name stands there already"
        } else {
            ""
        };
        format!("{shown}, line {line}: it is not TOML{why}")
    })
}

fn holds_secret(table: &Table) -> bool {
    table.iter().any(|(key, value)| match value {
        Value::Table(inner) => holds_secret(inner),
        _ => SECRETS.contains(&key.as_str()),
    })
}

/// `$SNOWFLAKE_HOME`, else `~/.snowflake`, where there is such a folder; else the system's place for configuration. A
/// `$SNOWFLAKE_HOME` that is not there leaves out `~/.snowflake` too, as it does for Snowflake's own tools.
fn home() -> Option<PathBuf> {
    let dotted = match configured_home() {
        Some(home) => expanded(&home),
        None => std::env::home_dir()?.join(".snowflake"),
    };
    if dotted.is_dir() {
        return Some(dotted);
    }
    let user = std::env::home_dir()?;
    let elsewhere = if cfg!(target_os = "macos") {
        user.join("Library/Application Support")
    } else {
        let configured = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty());
        configured.map_or_else(|| user.join(".config"), PathBuf::from)
    };
    Some(elsewhere.join("snowflake"))
}

fn configured_home() -> Option<PathBuf> {
    let home = std::env::var_os("SNOWFLAKE_HOME").filter(|home| !home.is_empty());
    home.map(PathBuf::from)
}

/// Where the files were looked for, as errors name it.
pub(super) fn places() -> String {
    let place = home().map_or_else(|| "$SNOWFLAKE_HOME".to_owned(), |home| home.display().to_string());
    match configured_home().map(|home| expanded(&home)) {
        Some(configured) if !configured.is_dir() => {
            format!(
                "{place}, as there is no folder {}, which $SNOWFLAKE_HOME names",
                configured.display()
            )
        }
        _ => place,
    }
}
