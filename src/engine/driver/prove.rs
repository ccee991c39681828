//! Believing a key: several successes in a row, and three verdicts.

use rotate_providers::contract::{KeyId, Proof, Verdict};
use rotate_providers::secret::Credential;
use std::pin::pin;
use std::time::Duration;
use tokio::time::Instant;

use super::readings::{Ahead, ReadAhead};
use super::{DriveError, Driver, RunState};
use crate::hooks::crash_point;
use crate::machine::{Actor, Event, Phase, Prove, UndoKind};
use crate::store::Automated as Stored;

/// A refused probe is not repeated faster than this, whatever the spacing.
const SHORTEST_RETRY: Duration = Duration::from_millis(250);

/// While the old key may be off, a refusal is believed after so many in a row, or after this time.
const REFUSALS: u32 = 3;
const REFUSED_FOR: Duration = Duration::from_secs(10);

/// While the old key may be off, nothing is known of the new one for no longer than this.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);

impl Driver<'_> {
    pub(super) async fn prove(&self, stored: &mut Stored, run: &mut RunState) -> Result<(), DriveError> {
        let credential = match self.credential(stored).await {
            Ok(credential) => credential,
            Err(error) => {
                let event = self.inconclusive(stored, error.to_string()).map_err(|_| error)?;
                return self.record(stored, event).await;
            }
        };
        // A fresh key may be known to one of the vendor's machines and not yet to the next.
        let fresh = matches!(stored.rotation.phase, Phase::Created);
        let successes = if fresh { self.pace.verify_successes } else { 1 };
        let ahead = Self::ahead(stored, run);
        crash_point("prove: before");
        let believing = self.believe(stored, &credential, successes);
        let (verdict, read) = self.reading_beside(believing, ahead).await?;
        crash_point("prove: after");
        if let Some(read) = read {
            Self::take_read(read, stored, run);
        }
        let event = match verdict {
            Verdict::Accepted => Event::Proved,
            Verdict::Rejected { reason, .. } => self.rejected(stored, reason.into()),
            Verdict::Barred { reason } => self.barred(stored, reason.into())?,
            Verdict::Inconclusive { reason } => self.inconclusive(stored, reason.into())?,
        };
        self.record(stored, event).await
    }

    /// Reads ahead while the new key is tried. Only a key that was accepted at once waits for what is read; whatever else is said
    /// of it has something to be done, and the consumers may have no other key meanwhile.
    async fn reading_beside(
        &self,
        believing: impl Future<Output = Result<(Verdict, bool), DriveError>>,
        ahead: Ahead,
    ) -> Result<(Verdict, Option<ReadAhead>), DriveError> {
        let (mut believing, mut reading) = (pin!(believing), pin!(self.read_ahead(ahead)));
        let mut read = None;
        let (verdict, at_once) = loop {
            tokio::select! {
                biased;
                believed = &mut believing => break believed?,
                found = &mut reading, if read.is_none() => read = Some(found),
            }
        };
        if !at_once {
            return Ok((verdict, None));
        }
        if read.is_none() {
            read = tokio::select! {
                found = &mut reading => Some(found),
                () = self.interrupt.wait() => None,
            };
        }
        Ok((verdict, read))
    }

    fn rejected(&self, stored: &Stored, reason: String) -> Event {
        match &stored.rotation.phase {
            // Nobody has the key: it goes.
            Phase::Created => Event::UndoRequested {
                kind: UndoKind::Abort,
                why: format!("the new key was refused: {reason}"),
                by: Actor::Program,
                forced: true,
            },
            Phase::Deactivating(..) | Phase::Deactivated(..) => Event::ReactivateIntended {
                why: format!("the new key was refused: {reason}"),
            },
            _ => Event::Blocked {
                why: format!("the new key was refused: {reason}"),
            },
        }
    }

    /// Trying again is no use, and says nothing of the key.
    fn barred(&self, stored: &Stored, reason: String) -> Result<Event, DriveError> {
        let way_on =
            "if its consumer can log in and this machine cannot, let the consumer prove the key, with --prove consumer";
        match &stored.rotation.phase {
            Phase::Created => Ok(Event::UndoRequested {
                kind: UndoKind::Abort,
                why: format!("the new key cannot be proven from here: {reason}; {way_on}"),
                by: Actor::Program,
                forced: true,
            }),
            _ => self.inconclusive(stored, format!("{reason}; {way_on}")),
        }
    }

    fn inconclusive(&self, stored: &Stored, reason: String) -> Result<Event, DriveError> {
        match &stored.rotation.phase {
            // The consumers come first: an old key that works harms nobody.
            Phase::Deactivating(..) | Phase::Deactivated(..) => Ok(Event::ReactivateIntended {
                why: format!("whether the new key works could not be found out: {reason}"),
            }),
            _ => Err(DriveError::Inconclusive(reason)),
        }
    }

    /// The verdict, and whether it is the first answer of all: then what was read meanwhile was read just now.
    async fn believe(
        &self,
        stored: &Stored,
        credential: &Credential,
        successes: u32,
    ) -> Result<(Verdict, bool), DriveError> {
        let mut answers = 0;
        let verdict = self
            .probe_until_sure(stored, credential, successes, &mut answers)
            .await?;
        let at_once = answers == 1 && verdict == Verdict::Accepted;
        Ok((verdict, at_once))
    }

    async fn probe_until_sure(
        &self,
        stored: &Stored,
        credential: &Credential,
        successes: u32,
        answers: &mut u32,
    ) -> Result<Verdict, DriveError> {
        let owner = &stored.rotation.spec.owner;
        let proof = match stored.rotation.spec.prove {
            Prove::Login => Proof::Permission,
            Prove::Identity | Prove::Consumer => Proof::Identity,
        };
        let deadline = Instant::now() + self.pace.verify_deadline;
        let mut streak = 0;
        // A wish to stop is granted once the consumers have a key that is known to work.
        let delicate = stored.rotation.phase.is_delicate();
        let mut doubt = Doubt::default();
        loop {
            let probe = self.provider.probe(credential, owner, proof);
            let verdict = match delicate {
                true => probe.await,
                false => tokio::select! {
                    verdict = probe => verdict,
                    () = self.interrupt.wait() => return Err(DriveError::Interrupted),
                },
            };
            *answers += 1;
            match &verdict {
                Verdict::Accepted => {
                    doubt = Doubt::default();
                    streak += 1;
                    if streak >= successes {
                        return Ok(verdict);
                    }
                    self.pause(self.pace.verify_spacing, "proving the new key once more")
                        .await?;
                    continue;
                }
                Verdict::Rejected { may_be_lag: false, .. } | Verdict::Barred { .. } => return Ok(verdict),
                Verdict::Rejected { reason, .. } | Verdict::Inconclusive { reason } => {
                    streak = 0;
                    if Instant::now() >= deadline || (delicate && self.interrupt.is_set()) {
                        return Ok(verdict);
                    }
                    if delicate
                        && (doubt.is_over(&verdict, Instant::now()) || self.is_gone(&credential.key, &mut doubt).await)
                    {
                        return Ok(verdict);
                    }
                    tracing::info!("new key {} is not accepted yet: {reason}", credential.key);
                }
            }
            let wait = self.pace.verify_spacing.max(SHORTEST_RETRY);
            let what = "waiting until the vendor knows the new key everywhere";
            match self.pause(wait, what).await {
                Err(DriveError::Interrupted) if delicate => {}
                result => result?,
            }
        }
    }

    /// Whether the vendor's list lacks a key that it refuses, or shows it inactive: then no try more is of use. Asked once.
    async fn is_gone(&self, key: &KeyId, doubt: &mut Doubt) -> bool {
        if std::mem::replace(&mut doubt.has_looked, true) {
            return false;
        }
        match self.provider.keys().await {
            Ok(listed) => !listed.keys.iter().any(|listed| listed.id == *key && listed.active),
            Err(error) => {
                tracing::warn!("failed to {error}");
                false
            }
        }
    }
}

/// How long the new key has been in doubt while the consumers have no other.
#[derive(Default)]
struct Doubt {
    refusals: u32,
    refused_since: Option<Instant>,
    unknown_since: Option<Instant>,
    has_looked: bool,
}

impl Doubt {
    /// Whether the consumers have waited long enough, now that this answer has come too.
    fn is_over(&mut self, verdict: &Verdict, now: Instant) -> bool {
        let since = *self.unknown_since.get_or_insert(now);
        if let Verdict::Rejected { .. } = verdict {
            self.refusals += 1;
            let refused_since = *self.refused_since.get_or_insert(now);
            if self.refusals >= REFUSALS || now - refused_since >= REFUSED_FOR {
                return true;
            }
        } else {
            self.refusals = 0;
            self.refused_since = None;
        }
        now - since >= UNKNOWN_FOR
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Doubt, Verdict};

    fn refused() -> Verdict {
        Verdict::Rejected {
            reason: "refused".into(),
            may_be_lag: true,
        }
    }

    fn unknown() -> Verdict {
        Verdict::Inconclusive {
            reason: "no answer".into(),
        }
    }

    /// Whether it is over after each of these answers, that come so many milliseconds after the first.
    fn over<const N: usize>(answers: [(u64, Verdict); N]) -> [bool; N] {
        let first = Instant::now();
        let mut doubt = Doubt::default();
        answers.map(|(after, verdict)| doubt.is_over(&verdict, first + Duration::from_millis(after)))
    }

    #[test]
    fn three_refusals_in_a_row_are_believed_and_an_answer_that_says_nothing_begins_anew() {
        let answers = [refused(), refused(), unknown(), refused(), refused(), refused()];
        assert_eq!(
            over(answers.map(|verdict| (0, verdict))),
            [false, false, false, false, false, true]
        );
    }

    #[test]
    fn ten_seconds_of_refusals_are_believed_however_few_they_are() {
        assert_eq!(over([(0, refused()), (9_999, refused())]), [false, false]);
        assert_eq!(over([(0, refused()), (10_000, refused())]), [false, true]);
        // The ten seconds begin with the first refusal after an answer that said nothing.
        let answers = [
            (0, refused()),
            (5_000, unknown()),
            (6_000, refused()),
            (15_999, refused()),
        ];
        assert_eq!(over(answers), [false; 4]);
        let answers = [
            (0, refused()),
            (5_000, unknown()),
            (6_000, refused()),
            (16_000, refused()),
        ];
        assert_eq!(over(answers), [false, false, false, true]);
    }

    #[test]
    fn thirty_seconds_without_an_answer_that_says_something_are_too_many() {
        assert_eq!(over([(0, unknown()), (29_999, unknown())]), [false, false]);
        assert_eq!(over([(0, unknown()), (30_000, unknown())]), [false, true]);
        // One refusal among them is no knowledge either.
        let answers = [
            (0, unknown()),
            (15_000, refused()),
            (20_000, unknown()),
            (30_000, unknown()),
        ];
        assert_eq!(over(answers), [false, false, false, true]);
    }
}
