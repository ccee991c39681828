//! What went wrong at the database, and what it means to the person who has to fix it.

use std::path::Path;

use rotate_providers::untrusted::Sanitized;
use tokio_postgres::error::Severity;

use crate::store::StoreError;

/// What the database refused, or what became of the way there.
#[derive(Clone)]
pub(super) enum Failure {
    /// The server says so. After a fatal one the session is over, and what it was doing may have been done.
    Said {
        state: String,
        words: String,
        is_fatal: bool,
    },
    /// The way there broke, or nobody answered.
    Broken(String),
}

impl Failure {
    pub(super) fn silent(seconds: u64) -> Self {
        Self::Broken(format!("no answer within {seconds} s"))
    }

    /// As the server says it of a table.
    pub(super) fn denied() -> Self {
        Self::Said {
            state: "42501".to_owned(),
            words: "permission denied for schema".to_owned(),
            is_fatal: false,
        }
    }

    /// Whether the server has certainly not done what it was told: it said why, and went on.
    pub(super) fn is_definite(&self) -> bool {
        // Constraints, values, the schema, rights, locks, room: the transaction is over, and nothing of it is there.
        const CLASSES: [&str; 8] = ["21", "22", "23", "25", "40", "42", "53", "55"];
        match self {
            Self::Said { state, is_fatal, .. } => !is_fatal && CLASSES.iter().any(|class| state.starts_with(class)),
            Self::Broken(_) => false,
        }
    }

    /// Whether another try, a little later, may go better.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Broken(_) => true,
            // A server that stops, starts or is full; a session that was ended; a lock that somebody held.
            Self::Said { state, .. } => {
                matches!(state.as_str(), "53300" | "55P03" | "25P03")
                    || state.starts_with("57P")
                    || state.starts_with("08")
            }
        }
    }

    pub(super) fn is_missing_table(&self) -> bool {
        matches!(self, Self::Said { state, .. } if matches!(state.as_str(), "42P01" | "3F000" | "42703"))
    }

    pub(super) fn meaning(self, place: &Path, user: &str) -> StoreError {
        let place = place.to_owned();
        let (state, words) = match self {
            Self::Broken(why) => return StoreError::Unreachable { place, why },
            Self::Said { state, words, .. } => (state, words),
        };
        let unfit = |why: String, remedy: &str| StoreError::Unfit {
            place: place.clone(),
            why,
            remedy: remedy.to_owned(),
        };
        match state.as_str() {
            "23505" | "23503" => StoreError::Race,
            "53100" => StoreError::Full { path: place },
            "28P01" | "28000" => unfit(
                format!("the server does not let user {user} in ({words})"),
                "check the user and the password of the URL, and the server's pg_hba.conf",
            ),
            "3D000" => unfit(
                "there is no such database".to_owned(),
                "check the database that the URL names, or have it made (createdb)",
            ),
            // The second one is what a server in recovery says of a transaction that may write; our own statements get it from no other.
            "25006" | "0A000" => unfit(
                "it is read-only: a replica, or a database that may not be written to".to_owned(),
                "name the primary in the URL; in the middle of a failover, run the same command again once it is over",
            ),
            "42501" => unfit(
                format!("user {user} lacks a right there ({words})"),
                "have the owner of the schema grant it; what is needed is printed by: rotate store grants",
            ),
            "42P01" | "3F000" | "42703" => StoreError::NotMigrated {
                place,
                found: 0,
                known: super::VERSION,
            },
            _ if state.starts_with("57P") || state.starts_with("53") || state.starts_with("08") => {
                StoreError::Unreachable { place, why: words }
            }
            _ => StoreError::Database(format!("{} says: {words} ({state})", place.display())),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        use std::error::Error as _;
        if let Some(said) = error.as_db_error() {
            let state = said.code().code();
            let is_state = state.len() == 5 && state.bytes().all(|letter| letter.is_ascii_alphanumeric());
            return Self::Said {
                state: if is_state { state.to_owned() } else { "?????".to_owned() },
                // Never its details: they hold values.
                words: Sanitized::of(said.message()).to_string(),
                is_fatal: matches!(said.parsed_severity(), None | Some(Severity::Fatal | Severity::Panic)),
            };
        }
        let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        Self::Broken(Sanitized::of(&format!("{error}{cause}")).to_string())
    }
}
