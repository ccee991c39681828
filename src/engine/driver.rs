//! The only loop that acts: replay, decide, record the intent, call, record the result.
//!
//! Everything outside is reached through three traits: [`Provider`], [`Destination`](crate::delivery::Destination) and
//! [`Store`]. Between any two lines of this module the process may die; what is recorded tells the next run what to do.

mod deliver;
mod effects;
mod hook;
mod identity;
mod in_place;
mod in_time;
mod interrupt;
mod live;
mod open;
mod operator;
mod outcome;
mod pace;
mod prove;
mod readings;

use std::collections::BTreeSet;

use jiff::Timestamp;
use rotate_providers::contract::{self, Kind, Listed, Principal, Provider};
use rotate_providers::secret::{Credential, Secret};
use rotate_providers::trace::traced;
use rotate_providers::untrusted::Label;

pub use identity::Identity;
pub use in_time::{ends_in_time, may_outlast};
pub use interrupt::Interrupt;
pub use live::{ConcurrentRotation, History, LiveKey, rivals};
pub use open::{Existing, Found, Openings, Request, prepare};
pub use outcome::Outcome;
pub use pace::Pace;
use readings::{listing, nothing};

use crate::delivery::DeliveryError;
pub use crate::engine::error::{DriveError, Refusal};
use crate::engine::journal::Journal;
use crate::engine::spans;
use crate::hooks::now;
use crate::machine::{Actor, Event, Phase, RotationSpec};
use crate::policy::{Facts, Refusals, Step, newcomer, next};
use crate::seal::{NEW_KEY, Purpose, Sealer};
use crate::store::{Automated as Stored, Lease, Store};

/// What the person at the terminal sees of the work.
pub trait Progress: Send + Sync {
    /// This is being done, or waited for, now.
    fn doing(&self, what: &str);
    /// This is done.
    fn done(&self, what: &str);
    /// This should be known before anything is done.
    fn tell(&self, what: &str);
}

/// Moves rotations of one target.
pub struct Driver<'a> {
    /// Where rotations are kept.
    pub store: &'a dyn Store,
    /// The right to write there.
    pub lease: &'a Lease,
    /// What seals secrets.
    pub sealer: &'a dyn Sealer,
    /// The vendor.
    pub provider: &'a dyn Provider,
    /// Who is told.
    pub progress: &'a dyn Progress,
    /// Counts, spacings and deadlines.
    pub pace: Pace,
    /// Set once the program is asked to stop.
    pub interrupt: &'a Interrupt,
}

/// What one run through [`Driver::advance`] remembers between its steps.
#[derive(Default)]
struct RunState {
    facts: Facts,
    /// Whether the vendor was asked whose keys these are: nothing is touched before.
    recognised: bool,
    /// Where the journal ended before this command; where a person has looked at what blocked it, with their word.
    journal_end: Option<Timestamp>,
    /// How often a key was created in vain, and the last reason.
    vain: u32,
    failure_of_creation: Option<contract::Error>,
    /// How often the vendor has asked to slow down.
    throttled: u32,
    /// How often an intent was too old before its call could leave.
    late_intents: u32,
    /// How often the new key was taken back.
    withdrawals: u32,
    /// How often a secret was set where another one stands.
    replacements: u32,
    /// What the vendor calls the request of which a later event tells, once a look has shown what it did.
    request: Option<Label>,
    /// How often the vendor's list was read in a row.
    readings: u32,
    /// Whether the vendor is called with the new key: the program was told to rotate the one that it runs on.
    adopted: bool,
}

impl RunState {
    /// Begins with a person's word, which is about to be written down. What was made before it and after the journal's end stays
    /// newer than the journal, unless it is this that the person was told of.
    fn by_word(stored: &Stored) -> Self {
        let is_told = stored.rotation.blocked.is_some();
        Self {
            journal_end: (!is_told).then_some(stored.updated_at),
            ..Self::default()
        }
    }

    /// Whether this destination, which has just failed, is left for the sake of the others: in a gap their consumers wait too.
    fn leaves(&mut self, stored: &Stored, destination: &str, error: &DeliveryError) -> bool {
        let leaves = stored.rotation.phase.is_in_gap() && self.facts.failed.insert(destination.to_owned());
        if leaves {
            tracing::warn!("{error}; it is tried once more after the other destinations");
        }
        leaves
    }

    /// Begins with this reading of the vendor's list, made together with a look at its owner.
    fn take_listing(&mut self, listed: Listed) {
        self.facts.keys = Some(listing(listed));
        self.readings = 1;
        self.recognised = true;
    }
}

impl Driver<'_> {
    /// Moves a rotation as far as it may go now.
    pub async fn advance(&self, stored: Stored) -> Result<Outcome, DriveError> {
        self.pursue(stored, RunState::default()).await
    }

    async fn pursue(&self, mut stored: Stored, mut run: RunState) -> Result<Outcome, DriveError> {
        run.facts.retired = self.store.retired(&stored.target).await?;
        run.journal_end.get_or_insert(stored.updated_at);
        loop {
            let step = next(&stored.rotation, &run.facts, now());
            tracing::debug!(
                target = stored.target,
                phase = stored.rotation.phase.name(),
                step = step.name(),
                "next"
            );
            let wait = match step {
                Step::Wait(wait) => Some(wait),
                Step::Closed => None,
                step => {
                    if self.interrupt.is_set() && !stored.rotation.phase.is_delicate() {
                        return Err(DriveError::Interrupted);
                    }
                    if step.asks_the_vendor() {
                        self.adopt(&stored, &mut run).await;
                    }
                    let is_known = run.recognised || !step.asks_the_vendor();
                    let name = if is_known { step.name() } else { "recognise" };
                    let span = spans::step(name, &stored.id, stored.rotation.phase.name());
                    let taking = async {
                        match is_known {
                            true => self.take(step, &mut stored, &mut run).await,
                            false => self.recognise(&mut stored, &mut run).await,
                        }
                    };
                    traced(span, taking, DriveError::class)
                        .await
                        .map_err(|error| match useless(&stored) {
                            Some(why) => DriveError::NotWithdrawn(why, Box::new(error)),
                            None => error,
                        })?;
                    continue;
                }
            };
            return match useless(&stored) {
                Some(why) if wait.is_none() => Err(DriveError::Useless(why)),
                _ => Ok(Outcome { stored, wait }),
            };
        }
    }

    /// Makes sure that this is still the same owner, under the same account, before anything is touched: a name can be
    /// given away, and other credentials than last time would find other keys, or none, and call that success.
    async fn recognise(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        let expected = stored.rotation.spec.owner.clone();
        // Before anything is sent there.
        at_its_host(&stored.target, &stored.rotation.spec, self.provider)?;
        if let (None, Some(host)) = (&stored.rotation.spec.host, self.provider.host()) {
            self.record(stored, Event::HostPinned { host }).await?;
        }
        // With an owner its keys are gone. Where the vendor has said that the last key to go is deleted, that is the end;
        // otherwise only a person may know that the owner is gone, and not in another account, and has to insist on it.
        let acknowledged = matches!(stored.rotation.phase, Phase::Deleted | Phase::Withdrawn);
        let undo = stored.rotation.undo.as_ref();
        let forced = acknowledged || undo.is_some_and(|undo| undo.forced);
        let insisted = acknowledged || undo.is_some_and(|undo| undo.insisted);
        let by_a_person = undo.is_some_and(|undo| undo.forced && undo.by != Actor::Program);
        let observing = self.provider.observe();
        let is_in_gap = stored.rotation.phase.is_in_gap();
        let observed = if stored.rotation.phase.is_delicate() {
            observing.await.map_err(DriveError::from)
        } else {
            self.read(observing).await
        };
        let found = match observed {
            Err(DriveError::Provider(error)) if error.kind == Kind::NotFound && insisted => {
                run.take_listing(nothing());
                run.facts.owner_is_gone = true;
                return Ok(());
            }
            // Where a secret may be half replaced, only a person who was told can end it.
            Err(DriveError::Provider(error)) if error.kind == Kind::NotFound && (by_a_person || is_in_gap) => {
                let why = format!(
                    "{} does not exist where these credentials lead; make sure that it is gone from account {} for good",
                    expected.name, expected.account
                );
                return self.record(stored, Event::Blocked { why }).await;
            }
            result => result?,
        };
        same_account(stored, &found.owner)?;
        if found.owner.id != expected.id && !forced {
            let why = format!(
                "{} was deleted and created again since the rotation was opened (id {} is now {})",
                expected.name, expected.id, found.owner.id
            );
            return self.record(stored, Event::Blocked { why }).await;
        }
        if found.is_caller && !stored.rotation.spec.own_identity {
            return Err(DriveError::Refused(open::own_identity(&expected.name)));
        }
        let journal_end = run.journal_end.unwrap_or(stored.updated_at);
        if let Some(event) = newcomer(&stored.rotation, &found.keys, journal_end) {
            return self.record(stored, event).await;
        }
        run.take_listing(Listed {
            keys: found.keys,
            vendor_time: found.vendor_time,
        });
        Ok(())
    }

    /// Where the program rotates its own key, it goes on with the new one once the old one may be gone. If it cannot, the
    /// credentials that are configured are still there.
    async fn adopt(&self, stored: &Stored, run: &mut RunState) {
        let rotation = &stored.rotation;
        if run.adopted || !rotation.spec.own_identity || !rotation.phase.trusts_new_key() {
            return;
        }
        let adopted = match self.credential(stored).await {
            Ok(credential) => self.provider.adopt(&credential).await.map_err(DriveError::from),
            Err(error) => Err(error),
        };
        match adopted {
            Ok(()) => run.adopted = true,
            Err(error) => tracing::warn!("{error}; going on with the configured credentials"),
        }
    }

    async fn take(&self, step: Step, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        if !matches!(step, Step::ReadKeys { .. }) {
            run.readings = 0;
        }
        match step {
            Step::ReadKeys { again: false } => self.read_keys(stored, run).await,
            Step::ReadKeys { again: true } => self.read_keys_again(stored, run).await,
            Step::ReadDestinations => self.read_destinations(stored, run).await,
            Step::ReadUse(key) => self.read_use(key, stored, run).await,
            Step::ReadRefusals { key, since } => {
                let refused = self.read(self.provider.refused_since(&key, since)).await?;
                run.facts.refused = Refusals::Read(refused);
                Ok(())
            }
            Step::Create => self.create(stored, run).await,
            Step::Mint => self.mint(stored).await,
            Step::Register => self.register(stored, run).await,
            Step::Generate => self.generate(stored).await,
            Step::ReadWhich(order) => self.read_which(order, stored, run).await,
            Step::Replace => self.replace(stored, run).await,
            Step::Revert => self.revert(stored, run).await,
            Step::Discard { key, why } => self.discard(stored, run, key, why).await,
            Step::Prove if stored.rotation.spec.replaces() => self.prove_replaced(stored).await,
            Step::Prove => self.prove(stored, run).await,
            Step::Deliver(destinations) => self.deliver(stored, run, &destinations).await,
            Step::RunHook(hook) => self.run_hook(stored, &hook).await,
            Step::Deactivate => self.deactivate(stored, run).await,
            Step::Reactivate(why) => self.reactivate(stored, run, why).await,
            Step::Delete => self.delete(stored, run).await,
            Step::Restore(destination) => {
                run.facts.stands = None;
                self.restore(stored, run, &destination).await
            }
            Step::Withdraw => self.withdraw(stored, run).await,
            Step::Record(event) => {
                // What is put back has to be seen once more: a call that was lost may arrive late.
                if matches!(event, Event::Reverted { .. }) {
                    run.facts.stands = None;
                }
                self.record(stored, event.of_request(&mut run.request)).await
            }
            Step::Wait(_) | Step::Closed => Ok(()),
        }
    }

    /// Writes one event, durably, before anything that relies on it is done.
    async fn record(&self, stored: &mut Stored, event: Event) -> Result<(), DriveError> {
        self.record_sealed(stored, event, None).await
    }

    async fn record_sealed(
        &self,
        stored: &mut Stored,
        event: Event,
        seal: Option<(&str, &[u8])>,
    ) -> Result<(), DriveError> {
        let name = event.name();
        let disowned = match &event {
            Event::Disowned { keys } => keys.clone(),
            _ => BTreeSet::new(),
        };
        *stored = self.journal().append(stored, event, seal).await?;
        self.progress.done(name);
        for key in disowned {
            self.progress.tell(&format!(
                "key {key} is not this rotation's and was left alone; whoever it belongs to looks after it"
            ));
        }
        Ok(())
    }

    fn journal(&self) -> Journal<'_> {
        Journal {
            store: self.store,
            lease: self.lease,
        }
    }

    /// Asked right before anything outside is changed: who has lost the right to write does nothing any more.
    async fn still_held(&self) -> Result<(), DriveError> {
        Ok(self.store.still_held(self.lease).await?)
    }

    /// The new key with its secret, from the store.
    async fn credential(&self, stored: &Stored) -> Result<Credential, DriveError> {
        let issued = stored.rotation.new_key.as_ref().ok_or(DriveError::SecretMissing)?;
        let (key, public) = (issued.key.clone(), issued.public.clone());
        let secret = self.unseal(stored, NEW_KEY).await?.ok_or(DriveError::SecretMissing)?;
        Ok(Credential { key, public, secret })
    }

    async fn seal(&self, stored: &Stored, name: &str, secret: &Secret) -> Result<Vec<u8>, DriveError> {
        Ok(self.sealer.seal(&purpose(stored, name), secret).await?)
    }

    async fn unseal(&self, stored: &Stored, name: &str) -> Result<Option<Secret>, DriveError> {
        match self.store.sealed(&stored.id, name).await? {
            Some(sealed) => Ok(Some(self.sealer.open(&purpose(stored, name), &sealed).await?)),
            None => Ok(None),
        }
    }

    /// Reads at the vendor. A reading has no effect, so it is dropped when the program is asked to stop.
    async fn read<T>(&self, reading: impl Future<Output = Result<T, contract::Error>>) -> Result<T, DriveError> {
        tokio::select! {
            result = reading => Ok(result?),
            () = self.interrupt.wait() => Err(DriveError::Interrupted),
        }
    }

    /// Waits, and shows what for. The only waits of the program are seconds long; longer ones are rows.
    async fn pause(&self, time: std::time::Duration, what: &str) -> Result<(), DriveError> {
        self.progress.doing(what);
        if self.interrupt.sleep(time).await {
            Ok(())
        } else {
            Err(DriveError::Interrupted)
        }
    }
}

fn purpose<'a>(stored: &'a Stored, name: &'a str) -> Purpose<'a> {
    Purpose {
        target: &stored.target,
        rotation: &stored.id,
        name,
    }
}

/// Why the new key was given up by the program itself, where it was.
fn useless(stored: &Stored) -> Option<String> {
    let undo = stored.rotation.undo.as_ref().filter(|undo| undo.by == Actor::Program)?;
    Some(undo.why.clone())
}

/// Other credentials than last time lead to another account, where the same name may belong to someone else.
fn same_account(stored: &Stored, found: &Principal) -> Result<(), DriveError> {
    let expected = &stored.rotation.spec.owner.account;
    if found.account == *expected {
        return Ok(());
    }
    let why = format!(
        "{} was opened in account {expected}, and these credentials lead to account {}",
        stored.target, found.account
    );
    Err(DriveError::Refused(
        Refusal::error(why).with("use the credentials that it was begun with"),
    ))
}

/// What a host is called says whose it is: keys are read and changed at no other one than the rotation began at.
pub fn at_its_host(target: &str, spec: &RotationSpec, provider: &dyn Provider) -> Result<(), DriveError> {
    let found = provider.host();
    let Some(expected) = spec
        .host
        .as_deref()
        .filter(|expected| found.as_deref() != Some(*expected))
    else {
        return Ok(());
    };
    let why = format!(
        "{target} was opened at {expected}, and these settings lead to {}; no key was looked at there",
        found.as_deref().unwrap_or("this machine")
    );
    Err(DriveError::Refused(
        Refusal::error(why).with("use the settings that it was begun with"),
    ))
}

impl Step {
    fn name(&self) -> &'static str {
        match self {
            Step::ReadKeys { .. } => "read-keys",
            Step::ReadDestinations => "read-destinations",
            Step::ReadUse(_) => "read-use",
            Step::ReadRefusals { .. } => "read-refusals",
            Step::Create => "create",
            Step::Mint => "mint",
            Step::Register => "register",
            Step::Generate => "generate",
            Step::ReadWhich(_) => "read-which",
            Step::Replace => "replace",
            Step::Revert => "revert",
            Step::Discard { .. } => "discard",
            Step::Prove => "prove",
            Step::Deliver(_) => "deliver",
            Step::RunHook(_) => "run-hook",
            Step::Deactivate => "deactivate",
            Step::Reactivate(_) => "reactivate",
            Step::Delete => "delete",
            Step::Restore(_) => "restore",
            Step::Withdraw => "withdraw",
            Step::Record(_) => "record",
            Step::Wait(_) => "wait",
            Step::Closed => "closed",
        }
    }
}
