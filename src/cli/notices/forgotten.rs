//! What waits for somebody whom the configuration does not name any more: it is sent to nobody, and a run ends it.

use std::collections::BTreeMap;

use crate::cli::session::Session;
use crate::cli::terminal;
use crate::config::Config;
use crate::notify::Readers;
use crate::store::{Outbox, Outgoing, Store, StoreError};

/// Those notices of what waits, oldest first. Where nobody at all is named, notices are off for now, and nobody was left out.
pub(in crate::cli) fn forgotten<'o>(config: &Config, outbox: &'o Outbox) -> Vec<&'o Outgoing> {
    if config.notifiers.is_empty() {
        return Vec::new();
    }
    let owned = config.targets.iter();
    let owned = owned.filter_map(|target| Some((target.name.as_str(), target.owner.as_deref()?)));
    let readers = Readers::of(&config.notifiers, owned);
    let notices = outbox.queued.iter().map(|queued| &queued.notice);
    notices.filter(|notice| !readers.has(notice)).collect()
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
        let forgotten = forgotten(config, &outbox);
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
