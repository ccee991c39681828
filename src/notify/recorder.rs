//! Writes down what people are to be told, in the very transaction that appends the event which makes it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rotate_providers::contract::KeyId;
use uuid::Uuid;

use super::{Content, Kind, Notifier, Now, TargetNotice, Told};
use crate::machine::{Inventory, Sealing, StreamState};
use crate::store::{
    Append, Head, Lease, Line, Outbox, Outgoing, Retry, Sealed, Store, StoreError, Stored, Telling, Verified, Visit,
};

/// Puts into words what is told of a target.
pub trait Compose: Send + Sync {
    /// Who is asked about it.
    fn owner(&self, target: &str) -> Option<String>;

    /// What is told of a target after an event: where that leads to, and its id.
    fn after(&self, kind: Kind, target: &str, id: &str, state: &StreamState, at: Timestamp) -> TargetNotice;
}

/// Knows what people were told last, and what they are told of a change.
pub struct Announcer {
    notifiers: Vec<Notifier>,
    told: Mutex<HashMap<String, Told>>,
    compose: Arc<dyn Compose>,
}

impl Announcer {
    /// Takes up what people were told until now.
    pub async fn begin(
        notifiers: Vec<Notifier>,
        compose: Arc<dyn Compose>,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let told = store.told().await?;
        // What a later version has written down is told anew.
        let understood = |(target, words): (String, String)| Some((target, serde_json::from_str(&words).ok()?));
        Ok(Self {
            notifiers,
            told: Mutex::new(told.into_iter().filter_map(understood).collect()),
            compose,
        })
    }

    /// Who is told.
    pub fn notifiers(&self) -> &[Notifier] {
        &self.notifiers
    }

    /// What people were told of this target last.
    pub fn told(&self, target: &str) -> Told {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(target).cloned().unwrap_or_default()
    }

    /// What is told of a target that stands like this now; `None`: they know it.
    pub fn change(
        &self,
        target: &str,
        now: &Now,
        at: Timestamp,
        words: impl Fn(Kind) -> TargetNotice,
    ) -> Option<(Telling, Told)> {
        let before = self.told(target);
        let (after, kinds) = before.change(now);
        if after == before {
            return None;
        }
        let owner = self.compose.owner(target);
        let mut notices = Vec::new();
        for kind in kinds {
            let body = serde_json::to_string(&Content::Target(Box::new(words(kind)))).unwrap_or_default();
            for notifier in self.notifiers.iter().filter(|it| it.tells_of(target, owner.as_deref())) {
                for recipient in notifier.recipients(owner.as_deref()) {
                    notices.push(Outgoing {
                        id: Uuid::now_v7().to_string(),
                        notifier: notifier.name.clone(),
                        recipient,
                        target: target.to_owned(),
                        kind: kind.name().to_owned(),
                        at,
                        body: body.clone(),
                        is_kept: false,
                    });
                }
            }
        }
        let telling = Telling {
            target: target.to_owned(),
            told: serde_json::to_string(&after).unwrap_or_default(),
            notices,
        };
        Some((telling, after))
    }

    /// What is written down is known.
    pub fn know(&self, target: String, told: Told) {
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(target, told);
    }

    fn after(&self, append: &Append<'_>) -> Option<(Telling, Told)> {
        let target = crate::store::target_of(append.target);
        let at = append.record.at;
        let now = Now::after(&self.told(target), append.id, append.state, at)?;
        self.change(target, &now, at, |kind| {
            self.compose.after(kind, target, append.id, append.state, at)
        })
    }
}

/// A store, beside which people are told of what is appended, where anybody is to be told.
pub struct NotifyingStore {
    inner: Box<dyn Store>,
    announcer: Option<Announcer>,
}

impl NotifyingStore {
    /// Tells nobody.
    pub fn silent(inner: Box<dyn Store>) -> Self {
        Self { inner, announcer: None }
    }

    /// Tells whom the announcer knows from here on.
    pub fn announce(&mut self, announcer: Announcer) {
        self.announcer = Some(announcer);
    }

    /// Who tells; `None`: nobody is told.
    pub fn announcer(&self) -> Option<&Announcer> {
        self.announcer.as_ref()
    }
}

#[async_trait]
impl Store for NotifyingStore {
    async fn append(&self, lease: &Lease, append: Append<'_>) -> Result<(), StoreError> {
        let change = self.announcer.as_ref().and_then(|it| Some((it, it.after(&append)?)));
        let Some((announcer, (telling, told))) = change else {
            return self.inner.append(lease, append).await;
        };
        let target = telling.target.clone();
        let append = Append {
            telling: Some(telling),
            ..append
        };
        self.inner.append(lease, append).await?;
        announcer.know(target, told);
        Ok(())
    }

    async fn lease(&self) -> Result<Lease, StoreError> {
        self.inner.lease().await
    }

    fn longest_call(&self) -> Option<Duration> {
        self.inner.longest_call()
    }

    async fn still_held(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.still_held(lease).await
    }

    async fn sealed_by(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError> {
        self.inner.sealed_by(lease, sealer).await
    }

    async fn changes_to(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError> {
        self.inner.changes_to(lease, sealer).await
    }

    async fn sealing(&self) -> Result<Option<Stored<Sealing>>, StoreError> {
        self.inner.sealing().await
    }

    async fn seal_by(&self, lease: &Lease, sealer: &str) -> Result<(), StoreError> {
        self.inner.seal_by(lease, sealer).await
    }

    async fn reseal(&self, lease: &Lease, sealed: &Sealed, bytes: &[u8]) -> Result<(), StoreError> {
        self.inner.reseal(lease, sealed, bytes).await
    }

    fn elsewhere(&self) -> Option<&Path> {
        self.inner.elsewhere()
    }

    async fn latest(&self, target: &str) -> Result<Option<Stored>, StoreError> {
        self.inner.latest(target).await
    }

    async fn sealed(&self, rotation: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.sealed(rotation, name).await
    }

    async fn summaries(&self) -> Result<Vec<Stored>, StoreError> {
        self.inner.summaries().await
    }

    async fn watch(&self, target: &str) -> Result<Option<Stored<Inventory>>, StoreError> {
        self.inner.watch(target).await
    }

    async fn watches(&self) -> Result<Vec<Stored<Inventory>>, StoreError> {
        self.inner.watches().await
    }

    async fn journal(&self, target: Option<&str>) -> Result<Vec<Line>, StoreError> {
        self.inner.journal(target).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.inner.head().await
    }

    async fn head_at(&self, seq: i64) -> Result<Option<Head>, StoreError> {
        self.inner.head_at(seq).await
    }

    async fn after(&self, head: &Head, most: u32) -> Result<Vec<Line>, StoreError> {
        self.inner.after(head, most).await
    }

    async fn told(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.inner.told().await
    }

    async fn tell(&self, lease: &Lease, told: &[Telling], digests: &[(String, Timestamp)]) -> Result<(), StoreError> {
        self.inner.tell(lease, told, digests).await
    }

    async fn outbox(&self) -> Result<Outbox, StoreError> {
        self.inner.outbox().await
    }

    async fn sent(&self, lease: &Lease, id: &str) -> Result<(), StoreError> {
        self.inner.sent(lease, id).await
    }

    async fn end(&self, lease: &Lease, ids: &[&str]) -> Result<(), StoreError> {
        self.inner.end(lease, ids).await
    }

    async fn put_off(&self, lease: &Lease, retry: &Retry<'_>) -> Result<(), StoreError> {
        self.inner.put_off(lease, retry).await
    }

    async fn closed(&self, target: &str) -> Result<Vec<Stored>, StoreError> {
        self.inner.closed(target).await
    }

    async fn retired(&self, target: &str) -> Result<Vec<KeyId>, StoreError> {
        self.inner.retired(target).await
    }

    async fn all_sealed(&self) -> Result<Vec<Sealed>, StoreError> {
        self.inner.all_sealed().await
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        self.inner.is_empty().await
    }

    async fn verify_each(&self, visit: &mut Visit<'_>) -> Result<Verified, StoreError> {
        self.inner.verify_each(visit).await
    }
}
