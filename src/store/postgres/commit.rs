//! Writing for all who wait, whatever becomes of the server meanwhile.

use std::sync::Arc;
use std::time::Instant;

use super::Inner;
use super::fault::Failure;
use super::session::Session;
use super::write::{Halted, Sent, read_back, write};
use crate::store::StoreError;
use crate::store::entry::Waiting;

/// What became of a batch.
enum Outcome {
    /// Of each entry, whether its lease and its revision were still ours.
    Written(Vec<bool>),
    /// The server has refused it, and nothing of it is there.
    Refused(Failure),
    /// Nothing of it is there, and nobody answers.
    Unreachable(Failure),
    /// Nobody knows.
    Unknown(Failure),
    /// The journal was put back, and ends behind this line.
    Rewound(i64),
}

impl Inner {
    /// Writes for all who wait, and tells each. Whoever comes while that is done is written by the next.
    pub(super) async fn commit(self: Arc<Self>) {
        let _one_at_a_time = self.writing.lock().await;
        let batch = std::mem::take(&mut *self.waiting());
        if batch.is_empty() {
            return;
        }
        match self.outcome(&batch).await {
            // What is wrong with one event is no concern of the others.
            Outcome::Refused(_) if batch.len() > 1 => {
                for waiting in batch {
                    let outcome = self.outcome(std::slice::from_ref(&waiting)).await;
                    self.tell(vec![waiting], outcome);
                }
            }
            outcome => self.tell(batch, outcome),
        }
    }

    fn tell(&self, batch: Vec<Waiting>, outcome: Outcome) {
        for (at, waiting) in batch.into_iter().enumerate() {
            let told = match &outcome {
                Outcome::Written(ours) if ours.get(at) == Some(&true) => Ok(()),
                Outcome::Written(_) => Err(StoreError::Race),
                Outcome::Refused(failure) | Outcome::Unreachable(failure) => Err(self.fault(failure.clone())),
                Outcome::Unknown(failure) => Err(StoreError::Unknown {
                    place: self.place.clone(),
                    why: self.fault(failure.clone()).to_string(),
                }),
                Outcome::Rewound(end) => Err(StoreError::Changed {
                    seq: *end,
                    target: String::new(),
                    why: "is its last one now, and was not: the database was put back to an older state, by a failover or from a backup"
                        .to_owned(),
                }),
            };
            // One who has stopped waiting finds it in the journal.
            let _ = waiting.told.send(told);
        }
    }

    async fn outcome(&self, batch: &[Waiting]) -> Outcome {
        let asked = Instant::now();
        loop {
            let failure = match self.attempt(batch).await {
                Ok(written) => return Outcome::Written(written),
                Err(Halted::Before(failure)) => failure,
                Err(Halted::Rewound(end)) => return Outcome::Rewound(end),
                Err(Halted::Unknown(failure, sent)) => match self.is_there(&sent, asked).await {
                    Some(true) => {
                        self.mine().end = Some(sent.end);
                        return Outcome::Written(sent.ours);
                    }
                    Some(false) => failure,
                    None => {
                        // The journal may end before it or behind it: what is written next is held against neither.
                        self.mine().end = None;
                        return Outcome::Unknown(failure);
                    }
                },
            };
            if !failure.is_passing() {
                return Outcome::Refused(failure);
            }
            if !self.outage.wait(asked, &failure).await {
                return Outcome::Unreachable(failure);
            }
        }
    }

    /// One try. A session on which it failed is closed.
    async fn attempt(&self, batch: &[Waiting]) -> Result<Vec<bool>, Halted> {
        let idle = self
            .idle
            .lock()
            .await
            .take()
            .filter(|session| !session.client.is_closed());
        let session = match idle {
            Some(session) => session,
            None => Session::connect(&self.address).await.map_err(Halted::Before)?,
        };
        let mine = self.mine().clone();
        let (written, end) = write(&session, &self.address.schema, &mine, batch).await?;
        if end.is_some() {
            self.mine().end = end;
        }
        self.put_back(session).await;
        Ok(written)
    }

    /// Whether what was sent has been written; `None` where nobody can be asked.
    async fn is_there(&self, sent: &Sent, asked: Instant) -> Option<bool> {
        loop {
            let answer = async {
                let session = Session::connect(&self.address).await?;
                let is_there = read_back(&session, &self.address.schema, sent).await?;
                Ok((session, is_there))
            };
            match answer.await {
                Ok((session, is_there)) => {
                    self.put_back(session).await;
                    return Some(is_there);
                }
                Err(failure) if self.outage.wait(asked, &failure).await => {}
                Err(_) => return None,
            }
        }
    }
}
