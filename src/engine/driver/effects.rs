//! One effect each: the intent first, then the call, then its result.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use rotate_providers::automation;
use rotate_providers::contract::{Effect, Error, KeyId, Kind, Minting, MintsLocally};
use rotate_providers::form::SecretForm;
use rotate_providers::trace::traced;

use super::{DriveError, Driver, RunState, purpose};
use crate::delivery::{self, Destination, Fault, Fields, Told};
use crate::engine::spans;
use crate::hooks::{crash_point, now};
use crate::machine::{Event, Phase, Prove, Restored, Retirement, Rotation, UndoKind};
use crate::policy::{INTENT_LASTS, is_removed_already, made_within};
use crate::seal::{NEW_KEY, before, sealed_with};
use crate::store::Automated as Stored;

/// How often a key is created before the vendor's answers are given up.
const MOST_CREATIONS: u32 = 3;

/// How often throttling is waited out: with these waits, some two minutes.
const MOST_THROTTLED: u32 = 16;
const SHORTEST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How often a key is taken back before the vendor's list is given up.
const MOST_WITHDRAWALS: u32 = 3;

impl Driver<'_> {
    /// The account's turn comes first, then the intent, then the call at once: between the last two a person may rotate by hand,
    /// and a key of theirs must not look like ours.
    pub(super) async fn create(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        Self::may_create_again(run)?;
        let Minting::AtVendor(vendor) = self.provider.minting() else {
            return Err(unfit(stored));
        };
        // What cannot be sealed is not asked for.
        self.sealer.prepare(&purpose(stored, NEW_KEY)).await?;
        self.progress.doing("creating a key");
        tokio::select! {
            () = vendor.turn() => {}
            () = self.interrupt.wait() => return Err(DriveError::Interrupted),
        }
        let Some(listing) = run.facts.keys.take() else {
            return Ok(());
        };
        let longest = SignedDuration::try_from(vendor.longest_call()).unwrap_or(SignedDuration::MAX);
        let made_within = made_within(&listing, now(), longest);
        let existed: BTreeSet<KeyId> = listing.keys.into_iter().map(|key| key.id).collect();
        let ids_before = existed.clone();
        let intent = Event::CreateIntended {
            ids_before,
            made_within,
        };
        self.record(stored, intent).await?;
        self.still_held().await?;
        crash_point("create: before the call");
        if now().duration_since(stored.updated_at) > INTENT_LASTS {
            return self.forget_intent(stored, run).await;
        }
        let created = vendor.create().await;
        crash_point("create: after the call");
        let (credential, request) = match created {
            Ok((credential, _)) if existed.contains(&credential.key) => {
                let why = format!("the vendor answered with key {}, which existed before", credential.key);
                return self.record(stored, Event::Blocked { why }).await;
            }
            Ok(created) => created,
            Err(error) if error.kind == Kind::Throttled => return self.slow_down(stored, run, error).await,
            Err(error) => return self.not_created(stored, run, error).await,
        };
        let sealed = self.seal(stored, NEW_KEY, &credential.secret).await?;
        crash_point("create: sealed");
        let key = credential.key;
        let event = Event::Created { key, request };
        self.record_sealed(stored, event, Some((NEW_KEY, &sealed))).await
    }

    /// Writing the intent down took too long for what it says of time. Nothing has left, and a new one is written.
    async fn forget_intent(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        run.late_intents += 1;
        if run.late_intents > MOST_CREATIONS {
            return Err(DriveError::Slow);
        }
        let why = "it took too long to write the intent down".to_owned();
        self.record(stored, Event::CreateFailed { why }).await
    }

    /// The vendor has done nothing, and is asked again a little later, with an intent of that time.
    async fn slow_down(&self, stored: &mut Stored, run: &mut RunState, error: Error) -> Result<(), DriveError> {
        let wait = SHORTEST_WAIT
            .saturating_mul(1 << run.throttled.min(6))
            .min(LONGEST_WAIT);
        run.throttled += 1;
        let why = error.to_string();
        self.record(stored, Event::CreateFailed { why }).await?;
        if run.throttled > MOST_THROTTLED {
            return Err(error.into());
        }
        tracing::warn!(
            call = error.call,
            wait_ms = wait.as_millis(),
            "{}; trying again",
            error.detail
        );
        self.pause(wait, "the vendor asks to slow down").await
    }

    /// Makes the key here. Nothing outside changes before its secret is sealed and on record.
    pub(super) async fn mint(&self, stored: &mut Stored) -> Result<(), DriveError> {
        self.progress.doing("making a key pair");
        let (credential, public) = self.local(stored)?.mint().await?;
        crash_point("mint: made");
        let sealed = self.seal(stored, NEW_KEY, &credential.secret).await?;
        crash_point("mint: sealed");
        let key = credential.key;
        self.record_sealed(stored, Event::Minted { key, public }, Some((NEW_KEY, &sealed)))
            .await
    }

    /// Tells the vendor of the key. Whatever becomes of the call, the same key is registered again or found.
    pub(super) async fn register(&self, stored: &Stored, run: &mut RunState) -> Result<(), DriveError> {
        let issued = stored.rotation.new_key.as_ref().ok_or(DriveError::SecretMissing)?;
        let public = issued.public.as_ref().ok_or_else(|| unfit(stored))?;
        self.progress.doing(&format!("registering new key {}", issued.key));
        self.still_held().await?;
        crash_point("register: before the call");
        run.request = self.local(stored)?.register(&issued.key, public).await?;
        crash_point("register: after the call");
        run.facts.keys = None;
        run.facts.registered = true;
        Ok(())
    }

    fn local(&self, stored: &Stored) -> Result<&dyn MintsLocally, DriveError> {
        match self.provider.minting() {
            Minting::Local(local) => Ok(local),
            Minting::AtVendor(_) | Minting::InPlace(_) => Err(unfit(stored)),
        }
    }

    async fn not_created(&self, stored: &mut Stored, run: &mut RunState, error: Error) -> Result<(), DriveError> {
        // A key that an earlier attempt made may be what fills the quota, unseen until the list catches up.
        let unseen = error.kind == Kind::Quota && stored.rotation.attempts.len() > 1;
        if error.effect == Effect::None && !unseen {
            let why = error.to_string();
            self.record(stored, Event::CreateFailed { why }).await?;
            return Err(error.into());
        }
        run.vain += 1;
        run.facts.slots_full = unseen;
        tracing::warn!("failed to {error}; looking whether a key was created");
        run.failure_of_creation = Some(error);
        Ok(())
    }

    /// Gives up creating once it was in vain too often.
    fn may_create_again(run: &mut RunState) -> Result<(), DriveError> {
        match run.failure_of_creation.take() {
            Some(error) if run.vain >= MOST_CREATIONS => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub(super) async fn discard(
        &self,
        stored: &mut Stored,
        run: &mut RunState,
        key: KeyId,
        why: String,
    ) -> Result<(), DriveError> {
        if !matches!(stored.rotation.phase, Phase::Discarding(_)) {
            let key = key.clone();
            self.record(stored, Event::DiscardIntended { key, why }).await?;
        }
        self.still_held().await?;
        crash_point("discard: before the call");
        let request = self.provider.delete(&key).await?;
        crash_point("discard: after the call");
        run.facts.keys = None;
        run.facts.slots_full = false;
        self.record(stored, Event::Discarded { key, request }).await
    }

    /// A destination of a rotation, and what it gets.
    async fn delivered(&self, stored: &Stored, name: &str) -> Result<(Box<dyn Destination>, Fields), DriveError> {
        let form = secret_of(&stored.rotation)?;
        let destination = delivery::parse(form, name)?;
        Ok((destination, self.fields(stored).await?))
    }

    /// What every destination gets.
    pub(super) async fn fields(&self, stored: &Stored) -> Result<Fields, DriveError> {
        let form = secret_of(&stored.rotation)?;
        let credential = self.credential(stored).await?;
        let spec = &stored.rotation.spec;
        let told = Told {
            rotation: &stored.id,
            owner: &spec.owner,
            inputs: &spec.inputs,
        };
        Ok(Fields::of(form, &credential, &told))
    }

    pub(super) async fn deactivate(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        // Where the new key has to be proven again afterwards, its secret has to be at hand before.
        if stored.rotation.spec.prove != Prove::Consumer {
            self.credential(stored).await?;
        }
        if matches!(stored.rotation.phase, Phase::CutOver(..)) {
            self.record(stored, Event::DeactivateIntended).await?;
        }
        let old_key = stored.rotation.spec.old_key.clone();
        self.progress.doing(&format!("disabling old key {old_key}"));
        self.still_held().await?;
        crash_point("deactivate: before the call");
        let request = self.provider.deactivate(&old_key).await?;
        crash_point("deactivate: after the call");
        run.facts.keys = None;
        self.record(stored, Event::Deactivated { request }).await
    }

    pub(super) async fn reactivate(
        &self,
        stored: &mut Stored,
        run: &mut RunState,
        why: String,
    ) -> Result<(), DriveError> {
        if !matches!(stored.rotation.phase, Phase::Reactivating(..)) {
            self.record(stored, Event::ReactivateIntended { why }).await?;
        }
        let old_key = stored.rotation.spec.old_key.clone();
        self.progress.doing(&format!("switching old key {old_key} on again"));
        self.still_held().await?;
        crash_point("reactivate: before the call");
        let public = match &stored.rotation.spec.retirement {
            Retirement::Remove { public } => Some(public),
            Retirement::Disable | Retirement::RemoveForGood | Retirement::Replace => None,
        };
        let request = match self.provider.reactivate(&old_key, public).await {
            Err(error) if error.kind == Kind::NotFound => {
                let why = format!("old key {old_key} cannot be switched on again: it is gone");
                return self.record(stored, Event::Blocked { why }).await;
            }
            Err(error) if error.kind == Kind::Quota => {
                let target = &stored.target;
                let why = format!(
                    "old key {old_key} cannot be brought back: {}; remove the one that does not belong there, then: rotate \
                     rollback --force {target}",
                    error.detail
                );
                return self.record(stored, Event::Blocked { why }).await;
            }
            result => result?,
        };
        crash_point("reactivate: after the call");
        run.facts.keys = None;
        self.record(stored, Event::Reactivated { request }).await
    }

    pub(super) async fn delete(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        if !matches!(stored.rotation.phase, Phase::Deleting(..)) {
            self.record(stored, Event::DeleteIntended).await?;
        }
        let old_key = stored.rotation.spec.old_key.clone();
        self.progress.doing(&format!("deleting old key {old_key}"));
        self.still_held().await?;
        crash_point("delete: before the call");
        let mut request = None;
        if !is_removed_already(&stored.rotation, &run.facts, now()) {
            request = self.provider.delete(&old_key).await?;
            run.facts.keys = None;
        }
        crash_point("delete: after the call");
        self.record(stored, Event::Deleted { request }).await
    }

    pub(super) async fn restore(&self, stored: &mut Stored, run: &mut RunState, name: &str) -> Result<(), DriveError> {
        let forced = stored.rotation.undo.as_ref().is_some_and(|undo| undo.forced);
        let outcome = match self.put_back(stored, name).await {
            // That the journal does not answer says nothing of the destination.
            Err(error @ DriveError::Store(_)) => return Err(error),
            Err(error) if forced => {
                tracing::warn!("{error}; {name} is left as it is");
                Restored::Skipped
            }
            Err(DriveError::Delivery(error)) if run.leaves(stored, name, &error) => return Ok(()),
            Err(DriveError::Delivery(error)) if matches!(error.fault, Fault::NotRestorable) => {
                let (target, kind) = (&stored.target, stored.rotation.undo.as_ref().map(|undo| undo.kind));
                let word = match kind {
                    Some(UndoKind::Rollback) => "rollback",
                    Some(UndoKind::Abort) | None => "abort",
                };
                let why = format!(
                    "{error}; whoever has the old secret sends it there again, and then: rotate {word} --force {target}"
                );
                return self.record(stored, Event::Blocked { why }).await;
            }
            result => result?,
        };
        if outcome == Restored::ChangedSince {
            tracing::warn!("{name} was changed by someone since the delivery and is left as it is");
        }
        let destination = name.to_owned();
        self.record(stored, Event::Restored { destination, outcome }).await
    }

    async fn put_back(&self, stored: &Stored, name: &str) -> Result<Restored, DriveError> {
        let (destination, fields) = self.delivered(stored, name).await?;
        match self.unseal(stored, &before(name)).await? {
            Some(held_before) => {
                self.still_held().await?;
                crash_point("restore: before");
                let span = spans::at_destination("restore", destination.name());
                Ok(traced(span, destination.restore(&fields, &held_before), spans::class_of).await?)
            }
            None if self.was_sealed(stored, &before(name)).await? => Err(DriveError::SecretMissing),
            // It held the new key before we ever wrote to it.
            None => Ok(Restored::ChangedSince),
        }
    }

    /// Whether the journal says that a secret of this name was sealed.
    async fn was_sealed(&self, stored: &Stored, name: &str) -> Result<bool, DriveError> {
        let lines = self.store.journal(Some(&stored.target)).await?;
        Ok(lines
            .iter()
            .any(|line| line.rotation == stored.id && sealed_with(&line.record.event).as_deref() == Some(name)))
    }

    pub(super) async fn withdraw(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        let Some(key) = stored.rotation.new_key.as_ref().map(|new| new.key.clone()) else {
            return Err(DriveError::SecretMissing);
        };
        // A key that is listed again after each withdrawal is not chased for ever.
        run.withdrawals += 1;
        if run.withdrawals > MOST_WITHDRAWALS {
            return Err(DriveError::Lagging);
        }
        if !matches!(stored.rotation.phase, Phase::Withdrawing) {
            self.record(stored, Event::WithdrawIntended).await?;
        }
        self.progress.doing(&format!("withdrawing new key {key}"));
        self.still_held().await?;
        crash_point("withdraw: before the call");
        let request = self.provider.delete(&key).await?;
        crash_point("withdraw: after the call");
        run.facts.keys = None;
        self.record(stored, Event::Withdrawn { request }).await
    }
}

/// What the secrets of a rotation are.
pub(super) fn secret_of(rotation: &Rotation) -> Result<SecretForm, DriveError> {
    let connector = &rotation.spec.connector;
    let automation = automation(connector).ok_or_else(|| DriveError::UnknownConnector(connector.clone()))?;
    Ok(automation.secret)
}

/// The journal asks of a connector what this version of it cannot do.
pub(super) fn unfit(stored: &Stored) -> DriveError {
    DriveError::UnknownConnector(stored.rotation.spec.connector.clone())
}
