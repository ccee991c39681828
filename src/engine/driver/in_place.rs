//! A secret that is replaced where it stands: all that can be prepared first, then the gap, and few logins.

use std::time::Duration;

use rotate_providers::contract::{Effect, KeyId, Minting, Proof, ReplacesInPlace, Verdict};
use rotate_providers::secret::{Credential, Secret};

use super::effects::{secret_of, unfit};
use super::{DriveError, Driver, Refusal, RunState, purpose};
use crate::delivery::{self, DeliveryError, Destination};
use crate::hooks::crash_point;
use crate::machine::{Event, Phase};
use crate::policy::{Stands, WAY_OUT, Which};
use crate::seal::{NEW_KEY, OLD_KEY};
use crate::store::Automated as Stored;

/// How often one secret is logged in with before nothing is known of it: failed logins lock users out.
const MOST_LOGINS: u32 = 3;

/// A login is not repeated faster than this, whatever the spacing.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

/// How often a secret is set in one run before that is given up: each time a login that fails may come first.
const MOST_REPLACEMENTS: u32 = 2;

impl Driver<'_> {
    /// Seals the old secret, where a destination holds it, and makes the new one. Nothing outside changes.
    pub(super) async fn generate(&self, stored: &mut Stored) -> Result<(), DriveError> {
        self.progress.doing("making a new secret");
        let destinations = self.destinations(stored)?;
        // What only a login shows is no secret that is not there.
        for destination in &destinations {
            destination.log_in().await?;
        }
        let old = match held_secret(&destinations).await {
            Err(DriveError::Refused(refusal)) => {
                let why = refusal.why;
                return self.record(stored, Event::Blocked { why }).await;
            }
            result => result?,
        };
        if let Some(old) = &old {
            let sealed = self.seal(stored, OLD_KEY, old).await?;
            crash_point("generate: the old one sealed");
            self.record_sealed(stored, Event::OldSealed, Some((OLD_KEY, &sealed)))
                .await?;
        }
        let secret = self.in_place(stored)?.generate().await?;
        crash_point("generate: made");
        let sealed = self.seal(stored, NEW_KEY, &secret).await?;
        let key = named_by_rotation(stored)?;
        let way_back = old.is_some();
        self.record_sealed(stored, Event::Generated { key, way_back }, Some((NEW_KEY, &sealed)))
            .await
    }

    /// Logs in with these until the vendor takes one. What cannot be told for certain is no answer.
    pub(super) async fn read_which(
        &self,
        order: &[Which],
        stored: &Stored,
        run: &mut RunState,
    ) -> Result<(), DriveError> {
        if matches!(stored.rotation.phase, Phase::Reverted(_)) {
            self.wait(stored, self.pace.list_spacing, "looking whether the old secret stays")
                .await?;
        }
        // What else the consumer needs is looked at while nothing has changed yet.
        let proof = match stored.rotation.phase {
            Phase::Prepared(_) => Proof::Permission,
            _ => Proof::Identity,
        };
        let mut reasons = Vec::new();
        for which in order {
            let credential = self.one_of_two(stored, *which).await?;
            crash_point("which: before a login");
            let verdict = self.log_in(stored, &credential, proof).await;
            crash_point("which: after a login");
            match verdict {
                Verdict::Accepted => {
                    run.facts.stands = Some(Stands::This(*which));
                    // What the vendor calls the secret that stands is read after it was seen to stand.
                    if *which == Which::New || matches!(stored.rotation.phase, Phase::Reverting(_)) {
                        run.facts.keys = None;
                    }
                    return Ok(());
                }
                Verdict::Rejected { reason, .. } => reasons.push(reason.to_string()),
                Verdict::Barred { reason } | Verdict::Inconclusive { reason } => {
                    return Err(DriveError::Inconclusive(reason.into()));
                }
            }
        }
        // Whose it is that stands, its name has to tell, which is read after it was seen.
        run.facts.keys = None;
        reasons.dedup();
        run.facts.stands = Some(Stands::Neither(reasons.join("; ")));
        Ok(())
    }

    /// Sets the new secret. Everything that may fail without it is tried before; from the intent on it is finished.
    pub(super) async fn replace(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        let new = self.one_of_two(stored, Which::New).await?;
        let is_first = matches!(stored.rotation.phase, Phase::Prepared(_));
        if let Phase::Prepared(replacement) = &stored.rotation.phase {
            if replacement.way_back {
                self.one_of_two(stored, Which::Old).await?;
            }
            for destination in self.destinations(stored)? {
                destination.rehearse().await?;
            }
            // What the destinations hold is sealed in the gap, and nobody is asked for that then.
            self.sealer.prepare(&purpose(stored, NEW_KEY)).await?;
            crash_point("replace: prepared");
            self.record(stored, Event::ReplaceIntended).await?;
        }
        let old = &stored.rotation.spec.old_key;
        self.progress
            .doing(&format!("setting the new secret in the place of {old}"));
        self.still_held().await?;
        crash_point("replace: before the call");
        let set = self.set(stored, Which::New, &new.secret, run).await;
        crash_point("replace: after the call");
        match set {
            // Of an earlier call it is not known what became of it, and it may arrive yet.
            Err(DriveError::Provider(error)) if is_first && error.effect == Effect::None => {
                let why = error.to_string();
                self.record(stored, Event::ReplaceFailed { why }).await?;
                Err(DriveError::Provider(error))
            }
            result => result,
        }
    }

    /// Sets the old secret again.
    pub(super) async fn revert(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        let old = self.one_of_two(stored, Which::Old).await?;
        if !matches!(stored.rotation.phase, Phase::Reverting(_)) {
            // What is put back is opened while nothing has changed yet: afterwards nobody is asked for it again.
            if let Err(error) = self.old_secrets(stored).await {
                tracing::warn!("{error}; the old secret is set again all the same");
            }
            self.record(stored, Event::RevertIntended).await?;
        }
        self.progress.doing("setting the old secret again");
        self.still_held().await?;
        crash_point("revert: before the call");
        let set = self.set(stored, Which::Old, &old.secret, run).await;
        crash_point("revert: after the call");
        set
    }

    /// One call. Where its answer is lost, logins tell what became of it.
    async fn set(&self, stored: &Stored, which: Which, secret: &Secret, run: &mut RunState) -> Result<(), DriveError> {
        if run.replacements >= MOST_REPLACEMENTS {
            return Err(DriveError::NotTaken);
        }
        run.replacements += 1;
        run.facts.keys = None;
        run.facts.stands = None;
        run.facts.set = None;
        let answered = self.in_place(stored)?.replace(secret).await;
        // Where the answer is lost, so is what an earlier one has told.
        run.request = answered.as_ref().ok().cloned().flatten();
        match answered {
            Err(error) if error.effect == Effect::Unknown => {
                tracing::warn!("failed to {error}; looking which secret stands");
                Ok(())
            }
            result => {
                result?;
                run.facts.set = Some(which);
                Ok(())
            }
        }
    }

    /// It waited for its destination too long to be sure of it.
    pub(super) async fn prove_replaced(&self, stored: &mut Stored) -> Result<(), DriveError> {
        let credential = self.credential(stored).await?;
        let event = match self.log_in(stored, &credential, Proof::Identity).await {
            Verdict::Accepted => Event::Proved,
            Verdict::Rejected { reason, .. } => Event::Blocked {
                why: format!(
                    "the vendor refuses the new secret, which it took before ({reason}): someone has replaced it since, and \
                     consumers may be cut off: do not wait to see to it; {WAY_OUT}"
                ),
            },
            Verdict::Barred { reason } | Verdict::Inconclusive { reason } => {
                return Err(DriveError::Inconclusive(reason.into()));
            }
        };
        self.record(stored, event).await
    }

    /// Few logins: the answer that says something, or the last one.
    async fn log_in(&self, stored: &Stored, credential: &Credential, proof: Proof) -> Verdict {
        let owner = &stored.rotation.spec.owner;
        let mut tries = 1;
        loop {
            let verdict = self.provider.probe(credential, owner, proof).await;
            let may_change = matches!(
                verdict,
                Verdict::Rejected { may_be_lag: true, .. } | Verdict::Inconclusive { .. }
            );
            if !may_change || tries >= MOST_LOGINS {
                return verdict;
            }
            tries += 1;
            let wait = self.pace.verify_spacing.max(SHORTEST_RETRY);
            // Whoever asks to stop gets the answer that there is, unless consumers are cut off until a better one.
            if self.wait(stored, wait, "logging in once more").await.is_err() {
                return verdict;
            }
        }
    }

    /// A wait that a wish to stop ends, unless consumers are cut off until what comes behind it.
    async fn wait(&self, stored: &Stored, time: Duration, what: &str) -> Result<(), DriveError> {
        match self.pause(time, what).await {
            Err(_) if stored.rotation.phase.is_delicate() => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            result => result,
        }
    }

    async fn one_of_two(&self, stored: &Stored, which: Which) -> Result<Credential, DriveError> {
        match which {
            Which::New => self.credential(stored).await,
            Which::Old => Ok(Credential {
                key: stored.rotation.spec.old_key.clone(),
                public: None,
                secret: self.unseal(stored, OLD_KEY).await?.ok_or(DriveError::SecretMissing)?,
            }),
        }
    }

    fn in_place(&self, stored: &Stored) -> Result<&dyn ReplacesInPlace, DriveError> {
        match self.provider.minting() {
            Minting::InPlace(vendor) => Ok(vendor),
            Minting::AtVendor(_) | Minting::Local(_) => Err(unfit(stored)),
        }
    }

    fn destinations(&self, stored: &Stored) -> Result<Vec<Box<dyn Destination>>, DriveError> {
        let secret = secret_of(&stored.rotation)?;
        let names = stored.rotation.spec.destinations.iter();
        let parsed: Result<Vec<_>, DeliveryError> = names.map(|name| delivery::parse(secret, name)).collect();
        Ok(parsed?)
    }
}

/// The secret that is about to be replaced, as the destinations hold it; `None` where none of them does. Reads only.
pub(super) async fn held_secret(destinations: &[Box<dyn Destination>]) -> Result<Option<Secret>, DriveError> {
    let mut held: Option<(&str, Secret)> = None;
    for destination in destinations {
        let name = destination.name();
        match (destination.secret().await?, &held) {
            (Some(secret), Some((first, other))) if secret.expose() != other.expose() => {
                let why = format!("{first} and {name} hold different secrets, and which one is live cannot be known");
                return Err(DriveError::Refused(
                    Refusal::error(why)
                        .with("see which one the consumers use, and take the other out of its file")
                        .blocked(),
                ));
            }
            (Some(secret), None) => held = Some((name, secret)),
            _ => {}
        }
    }
    Ok(held.map(|(_, secret)| secret))
}

/// What a secret is called until the vendor has it. It says which rotation made it, and nothing of the secret.
fn named_by_rotation(stored: &Stored) -> Result<KeyId, DriveError> {
    KeyId::parse(&format!("of-rotation-{}", stored.id)).map_err(|_| DriveError::SecretMissing)
}
