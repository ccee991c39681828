//! What waits for somebody whom the configuration does not name: it is sent to nobody by it, and a run ends it once nobody else can be the
//! one who names them.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::cli::session::Session;
use crate::cli::terminal;
use crate::config::Config;
use crate::hooks::now;
use crate::notify::Readers;
use crate::store::{Outbox, Outgoing, Queued, Store, StoreError};

/// Another configuration that shares the journal may name them: so long nobody has to have written to them, or tried to reach them.
const NOBODY_TRIES: SignedDuration = SignedDuration::from_hours(168);

/// What waits for those whom this configuration does not name.
#[derive(Default)]
pub(in crate::cli) struct Forgotten<'o> {
    /// Those of whom nobody else knows either, oldest first: they are ended.
    pub(in crate::cli) over: Vec<&'o Outgoing>,
    /// Those whom another configuration may name, oldest first: they are left alone.
    pub(in crate::cli) left: Vec<&'o Outgoing>,
}

/// Those notices of what waits. Where nobody at all is named, notices are off for now, and nobody was left out.
pub(in crate::cli) fn forgotten<'o>(config: &Config, outbox: &'o Outbox, now: Timestamp) -> Forgotten<'o> {
    if config.notifiers.is_empty() {
        return Forgotten::default();
    }
    let owned = config.targets.iter();
    let owned = owned.filter_map(|target| Some((target.name.as_str(), target.owner.as_deref()?)));
    let readers = Readers::of(&config.notifiers, owned);
    // Whoever names them tries them with each run, or writes down more.
    let mut last: HashMap<[&str; 3], Timestamp> = HashMap::new();
    for Queued { notice, next_at, .. } in &outbox.queued {
        let tried = last.entry(whose(notice)).or_insert(*next_at);
        *tried = (*tried).max(*next_at);
    }
    let is_over = |notice: &&Outgoing| {
        let tried = last.get(&whose(notice));
        // A clock that was ahead must not keep them for ever.
        tried.is_none_or(|tried| now.duration_since(*tried).abs() >= NOBODY_TRIES)
    };
    let notices = outbox.queued.iter().map(|queued| &queued.notice);
    let (over, left) = notices.filter(|notice| !readers.has(notice)).partition(is_over);
    Forgotten { over, left }
}

/// Who is told of what: one try that fails holds up all of it.
fn whose(notice: &Outgoing) -> [&str; 3] {
    [&notice.notifier, &notice.recipient, &notice.target]
}

impl Session {
    /// Ends them, and says once for whom they were. Where no file was read, nobody was left out of it.
    pub(in crate::cli) async fn end_forgotten(&self, config: &Config) {
        if config.fingerprint.is_empty() {
            return;
        }
        match self.ended(config).await {
            Ok(ended) => ended.iter().for_each(|line| terminal::note(line)),
            Err(error) => terminal::note(&format!(
                "notices to those who are not named any more could not be ended: {error}; the next run does"
            )),
        }
    }

    async fn ended(&self, config: &Config) -> Result<Vec<String>, StoreError> {
        let outbox = self.store.outbox().await?;
        let forgotten = forgotten(config, &outbox, now()).over;
        if forgotten.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = forgotten.iter().map(|notice| notice.id.as_str()).collect();
        self.store.end(&self.lease, &ids).await?;
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for notice in forgotten {
            *counts.entry((&notice.notifier, &notice.recipient)).or_default() += 1;
        }
        let line = |((notifier, recipient), count): ((&str, &str), usize)| {
            let who = match recipient {
                "" => notifier.to_owned(),
                recipient => format!("{recipient} by {notifier}"),
            };
            let notices = if count == 1 { "notice" } else { "notices" };
            format!(
                "warning: {count} {notices} to {who} had not arrived and will not be sent: {} does not name them any more",
                config.path.display()
            )
        };
        Ok(counts.into_iter().map(line).collect())
    }
}
