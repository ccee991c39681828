//! Where the fleet stands, once a week, for each reader.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::notify::{Content, Kind, Notifier, Standing, Way};
use crate::store::{Outgoing, Store, StoreError, Telling};
use crate::view::TargetView;
use crate::view::notice::Words;

/// How often somebody is told where the whole fleet stands.
const DIGEST_EVERY: SignedDuration = SignedDuration::from_hours(168);

/// The digests for which it is time, and who is seen for the first time.
pub(super) async fn digests(
    store: &dyn Store,
    notifiers: &[Notifier],
    words: &Words,
    at: Timestamp,
    stands: &(dyn Fn(&str) -> Standing + Sync),
    fleet: impl AsyncFnOnce() -> Option<Vec<TargetView>>,
) -> Result<(Vec<(String, Timestamp)>, Vec<Telling>), StoreError> {
    let outbox = store.outbox().await?;
    let state = |name: &str| outbox.notifiers.iter().find(|state| state.name == name);
    // While somebody's oldest one waits, another says nothing new to them.
    let waits_for_one = |notifier: &Notifier, recipient: &str| {
        let is_theirs = |it: &Outgoing| it.is_kept && it.notifier == notifier.name && it.recipient == recipient;
        outbox.queued.iter().any(|it| is_theirs(&it.notice))
    };
    let mut known = Vec::new();
    let mut due = Vec::new();
    for notifier in notifiers {
        let Some(state) = state(&notifier.name) else {
            known.push((notifier.name.clone(), at));
            continue;
        };
        let all = notifier.recipients(None);
        let nobody_takes_one = !tells_owners(notifier) && all.iter().all(|it| waits_for_one(notifier, it));
        // A clock that was ahead must not put it off either.
        if at.duration_since(state.digest_at).abs() >= DIGEST_EVERY && !nobody_takes_one {
            due.push((notifier, state.dropped));
        }
    }
    if due.is_empty() {
        return Ok((known, Vec::new()));
    }
    // Where that cannot be read, a later run tells it.
    let Some(views) = fleet().await else {
        return Ok((known, Vec::new()));
    };
    let mut notices = Vec::new();
    for (notifier, dropped) in due {
        let before = notices.len();
        let mut readers = readers(notifier, &views, words);
        let nobody_reads = readers.is_empty();
        readers.retain(|(recipient, _)| !waits_for_one(notifier, recipient));
        for (recipient, owner) in readers {
            let is_told = |view: &&TargetView| {
                let own = words.owner_of(&view.name);
                notifier.tells_of(&view.name, own) && owner.as_deref().is_none_or(|owner| own == Some(owner))
            };
            let digest = words.digest(views.iter().filter(is_told), stands, at, dropped);
            notices.push(Outgoing {
                id: Uuid::now_v7().to_string(),
                notifier: notifier.name.clone(),
                recipient,
                target: String::new(),
                kind: Kind::Digest.name().to_owned(),
                at,
                body: serde_json::to_string(&Content::Digest(digest)).unwrap_or_default(),
                is_kept: true,
            });
        }
        if nobody_reads || notices.len() > before {
            known.push((notifier.name.clone(), at));
        }
    }
    if notices.is_empty() {
        return Ok((known, Vec::new()));
    }
    let telling = Telling {
        target: String::new(),
        told: String::new(),
        notices,
    };
    Ok((known, vec![telling]))
}

fn tells_owners(notifier: &Notifier) -> bool {
    matches!(&notifier.way, Way::Email(email) if email.to_owner)
}

/// Who gets a digest of a notifier, and of whose targets where not of all.
fn readers(notifier: &Notifier, views: &[TargetView], words: &Words) -> Vec<(String, Option<String>)> {
    let all = notifier.recipients(None);
    let mut readers: Vec<(String, Option<String>)> = all.into_iter().map(|recipient| (recipient, None)).collect();
    if let Way::Email(email) = &notifier.way
        && email.to_owner
    {
        // Whoever owns nothing of what it tells of is told nothing by it.
        let owner = |view: &TargetView| {
            let owner = words.owner_of(&view.name)?;
            notifier.tells_of(&view.name, Some(owner)).then_some(owner)
        };
        let owners: BTreeSet<&str> = views.iter().filter_map(owner).collect();
        let is_new = |owner: &&str| crate::notify::is_mail_address(owner) && !email.to.iter().any(|to| to == owner);
        let own = owners.into_iter().filter(is_new);
        readers.extend(own.map(|owner| (owner.to_owned(), Some(owner.to_owned()))));
    }
    readers
}
