//! What the commands that look at a whole fleet share: the file, and which of its targets are meant.

use clap::Args;
use strsim::jaro_winkler;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::session::locate as locate_state;
use super::{Exit, Global, terminal};
use crate::config::{Config, Target, Unusable, locate};
use crate::engine::Survey;
use crate::pattern::matches;
use crate::state_folder::FolderError;
use crate::store::{Head, Store, StoreError};

/// Which targets of the configuration.
#[derive(Args, Default)]
pub(super) struct Chosen {
    /// These targets only; `*` stands for any letters; repeatable
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// All but these targets; `*` stands for any letters; repeatable
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
}

impl Chosen {
    /// Whether this target is meant.
    pub(super) fn has(&self, name: &str) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, name));
        (self.only.is_empty() || named(&self.only)) && !named(&self.exclude)
    }

    /// A name that no target has is a mistake, and not a wish for nothing.
    pub(super) fn check<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Result<(), Exit> {
        for (option, pattern) in self.named() {
            if names.clone().any(|name| matches(pattern, name)) {
                continue;
            }
            let nearest = names
                .clone()
                .max_by(|a, b| jaro_winkler(a, pattern).total_cmp(&jaro_winkler(b, pattern)));
            let remedy = nearest.map(|near| format!("did you mean {near}?"));
            let why = format!("{option}: no target is called {}", pattern.escape_debug());
            terminal::error(&why, &remedy.into_iter().collect::<Vec<_>>());
            return Err(Exit::Usage);
        }
        Ok(())
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let only = self.only.iter().map(|name| ("--only", name.as_str()));
        only.chain(self.exclude.iter().map(|name| ("--exclude", name.as_str())))
    }
}

/// The configuration that the command line, the environment or the folder has; `None` where there is none.
pub(super) fn configured(global: &Global) -> Result<Option<Config>, Exit> {
    match locate(global.config.as_deref()) {
        None => Ok(None),
        Some(path) => Config::read(&path, &global.allowed)
            .and_then(|config| match locate_state(global) {
                Ok(folder) => config.beside(folder.path()),
                Err(_) => Ok(config),
            })
            .map(Some)
            .map_err(|error| unusable(&error)),
    }
}

/// The same, and what the journal knows, read at the same time: neither needs the other, and for thousands of targets both take a
/// while. The journal has the other thread, so that what the file's text needed serves again for what is made of both.
pub(super) async fn configured_beside_journal(
    global: &Global,
) -> (Result<Option<Config>, Exit>, Result<Looked, FolderError>) {
    let (global_there, runtime) = (global.clone(), Handle::current());
    let looking = spawn_blocking(move || runtime.block_on(look(&global_there)));
    let config = configured(global);
    match looking.await {
        Ok(looked) => (config, looked),
        Err(_) => (config.and(Err(Exit::Error)), Ok(Looked::default())),
    }
}

/// The journal as it was looked at, if there is one, and what it knows.
#[derive(Default)]
pub(super) struct Looked {
    /// With its end before any of it was read.
    pub(super) journal: Option<(Box<dyn Store>, Head)>,
    pub(super) survey: Survey,
}

impl Looked {
    /// For whom it does not matter what is written meanwhile.
    pub(super) fn into_parts(self) -> (Option<Box<dyn Store>>, Survey) {
        (self.journal.map(|(store, _)| store), self.survey)
    }
}

/// Reads the journal, if there is one.
pub(super) async fn look(global: &Global) -> Result<Looked, FolderError> {
    let Some(store) = locate_state(global)?.open_journal().await? else {
        return Ok(Looked::default());
    };
    Ok(looked_at(store).await?)
}

async fn looked_at(store: Box<dyn Store>) -> Result<Looked, StoreError> {
    let head = store.head().await?;
    let survey = Survey::read(&*store).await?;
    Ok(Looked {
        journal: Some((store, head)),
        survey,
    })
}

/// What the journal knows, now that nobody else writes there: what was read before, unless somebody has written since that began.
pub(super) async fn known(store: &dyn Store, looked: Result<Looked, FolderError>) -> Result<Survey, StoreError> {
    if let Ok(Looked {
        journal: Some((_, head)),
        survey,
    }) = looked
        && head == store.head().await?
    {
        return Ok(survey);
    }
    Survey::read(store).await
}

/// The configuration, where nothing can be done without.
pub(super) fn required(config: Option<Config>) -> Result<Config, Exit> {
    config.ok_or_else(|| {
        terminal::error(
            "there is no configuration: neither --config nor $ROTATE_CONFIG names one, and ./rotate.toml is not there",
            &["write one:".to_owned(), "rotate init".to_owned()],
        );
        Exit::Usage
    })
}

/// Tells what is wrong with a configuration.
pub(super) fn unusable(error: &Unusable) -> Exit {
    match error {
        Unusable::File { remedy, .. } => {
            let lines = [remedy.clone(), "nothing was touched".to_owned()];
            terminal::error(
                &error.to_string(),
                &lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            );
        }
        Unusable::Mistaken(mistakes) => {
            let mut lines = mistakes.lines();
            lines.push("nothing was touched".to_owned());
            terminal::error(&error.to_string(), &lines);
        }
    }
    Exit::Usage
}

/// The targets that are meant, in the order of the file.
pub(super) fn chosen<'c>(config: &'c Config, chosen: &Chosen) -> Vec<&'c Target> {
    config
        .targets
        .iter()
        .filter(|target| chosen.has(&target.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use rotate_providers::guide::probe::Verdict;

    use super::{known, looked_at};
    use crate::engine::inventory::InventoryJournal;
    use crate::engine::journal::Journal;
    use crate::store::{SqliteStore, Store};

    #[tokio::test]
    async fn what_somebody_has_written_since_the_journal_was_read_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rotate.db");
        let ours = SqliteStore::open(&path).await.unwrap();
        let looked = looked_at(Box::new(SqliteStore::open(&path).await.unwrap()))
            .await
            .unwrap();
        assert!(looked.survey.of("main").watch.is_none());
        let theirs = SqliteStore::open(&path).await.unwrap();
        let lease = theirs.lease().await.unwrap();
        let journal = Journal {
            store: &theirs,
            lease: &lease,
        };
        let watcher = InventoryJournal(journal);
        let tried = watcher.tried("main", None, Verdict::Accepted, "ok", "someone");
        tried.await.unwrap();
        let known = known(&ours, Ok(looked)).await.unwrap();
        assert!(known.of("main").watch.is_some());
    }
}
