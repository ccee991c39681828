//! The turn of a target of which it is said what would be done: the verdict, the steps, and what would stand in the way. Changes
//! nothing.

use jiff::Timestamp;
use rotate_providers::contract::{Check, Finding, Thoroughness};
use rotate_providers::guide::Procedure;

use super::assess::{Judgement, Verdict, under_way};
use super::order::Order;
use super::preflight::{check, in_the_way, lacking};
use super::turn::{Decision, Preflight, Purpose, Ready, Sight, Turn, connect, stuck};
use crate::config::{How, Target};
use crate::engine::driver::{DriveError, Identity, at_its_host, prepare};
use crate::machine::{Course, Record, Rotation};
use crate::plan::{Planned, foresee, lead, procedure_of};
use crate::policy::Facts;
use crate::store::Stored;

/// What would be done with one target.
pub struct Foreseen {
    /// The verdict and its reason.
    pub judgement: Judgement,
    /// The rotation that it would be done with.
    pub rotation: Foretold,
    /// The steps, from here to the end.
    pub steps: Vec<Planned>,
    /// Whose credentials it would be done with; `None` where no vendor was asked.
    pub identity: Option<Identity>,
    /// What would stand in the way, and what shows only later.
    pub findings: Vec<Finding>,
    /// Whether the target could not even be looked at.
    pub failed: bool,
}

/// The rotation that would be moved.
pub enum Foretold {
    /// None.
    Nothing,
    /// One that stands in the journal.
    Open(Box<Stored>),
    /// One that would be opened.
    New(Box<Rotation>),
}

impl Foreseen {
    fn plain(judgement: Judgement) -> Self {
        Self {
            judgement,
            rotation: Foretold::Nothing,
            steps: Vec::new(),
            identity: None,
            findings: Vec::new(),
            failed: false,
        }
    }

    /// Whether a rotation would fail on something that is known.
    pub fn would_fail(&self) -> bool {
        let wrong = |finding: &Finding| matches!(finding.check, Check::Wrong { .. });
        self.failed || self.findings.iter().any(wrong)
    }
}

impl Turn<'_> {
    /// What would be done with a target of the configuration at this time, or why that cannot be told.
    pub async fn foresee(&self, target: &Target, at: Timestamp) -> Foreseen {
        let order = Order::of(target);
        let error = match self.explain(&order, at).await {
            Ok(foreseen) => return foreseen,
            Err(error) => error,
        };
        let judged = order.assess(order.known(self.survey), at);
        match error {
            DriveError::Refused(refusal) => Foreseen {
                failed: !refusal.blocked,
                ..Foreseen::plain(stuck(judged, &refusal))
            },
            error => Foreseen {
                failed: true,
                ..Foreseen::plain(Judgement {
                    verdict: Verdict::Blocked,
                    reason: error.to_string(),
                    remedy: vec!["see what is wrong:".to_owned(), "rotate doctor".to_owned()],
                    ..judged
                })
            },
        }
    }

    /// What acting on this order would do at this time.
    pub async fn explain(&self, order: &Order<'_>, at: Timestamp) -> Result<Foreseen, DriveError> {
        match self.decide(order, &Purpose::Explain(at)).await? {
            Decision::Resume(open) => self.resumed(*open, order, at).await,
            Decision::Leave(judged) => Ok(match order {
                Order::Scheduled { target, .. } => left(target, judged),
                Order::Now(_) => Foreseen::plain(judged),
            }),
            Decision::Begin(ready) => opening(*ready, at).await,
        }
    }

    /// A rotation that is open goes on from where it stands.
    async fn resumed(&self, open: Stored, order: &Order<'_>, at: Timestamp) -> Result<Foreseen, DriveError> {
        let judged = match order {
            Order::Scheduled { .. } => order.assess(order.known(self.survey), at),
            Order::Now(_) => under_way(&open, at),
        };
        let steps = match &open.rotation {
            Course::Automated(rotation) => foresee(Rotation::clone(rotation), Facts::default(), at)?,
            Course::Guided(walk) => procedure_of(&walk.itinerary)
                .map(|(guide, procedure)| lead(&guide, procedure, &walk.itinerary.values, Some(walk)))
                .unwrap_or_default(),
        };
        let (identity, findings) = match (&open.rotation, self.vendors, judged.verdict) {
            (Course::Automated(rotation), Some(vendors), Verdict::Continue) => {
                let charter = &rotation.charter;
                let (_, provider) = connect(charter, vendors).await?;
                at_its_host(&open.target, charter, provider.as_ref())?;
                let identity = Identity::ask(provider.as_ref(), &charter.owner).await;
                let findings = check(provider.as_ref(), &charter.owner, &[], Thoroughness::Everything).await;
                (Some(identity), findings)
            }
            _ => (None, Vec::new()),
        };
        Ok(Foreseen {
            steps,
            identity,
            findings,
            rotation: Foretold::Open(Box::new(open)),
            ..Foreseen::plain(judged)
        })
    }
}

/// What a rotation of what was found would do.
async fn opening(ready: Ready<'_>, at: Timestamp) -> Result<Foreseen, DriveError> {
    let Ready { sight, preflight } = ready;
    let Preflight { identity, findings } = preflight;
    let judged = &sight.judged;
    let reason = match (judged.verdict, judged.age) {
        (Verdict::Wait, None) => "the vendor does not say how old its key is, so it is treated as too old".to_owned(),
        _ => judged.reason.clone(),
    };
    let judged = Judgement {
        verdict: Verdict::Start,
        reason,
        ..judged.clone()
    };
    let mints_locally = sight.mints_locally();
    let Sight { asked, found, .. } = sight;
    let request = asked.request(&found.history);
    let (rotation, steps) = match prepare(&request, found, mints_locally).await {
        Ok((event, facts)) => {
            let rotation = Rotation::after(None, &Record { at, event })?;
            let steps = foresee(rotation.clone(), facts, at)?;
            (Foretold::New(Box::new(rotation)), steps)
        }
        // What is wrong with the destination is among the findings.
        Err(DriveError::Delivery(_)) if in_the_way(&findings).is_some() => (Foretold::Nothing, Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(Foreseen {
        rotation,
        steps,
        identity: Some(identity),
        findings,
        ..Foreseen::plain(judged)
    })
}

/// A target that nothing is begun of; where a person takes the steps, with the steps.
fn left(target: &Target, judged: Judgement) -> Foreseen {
    let (How::ByHand(by_hand), Verdict::Guided) = (&target.how, judged.verdict) else {
        return Foreseen::plain(judged);
    };
    // To read a guide takes longer than all the rest of a target that nobody looks at.
    let Ok(guide) = target.connector.guide() else {
        return Foreseen::plain(judged);
    };
    let steps = lead(&guide, Procedure::Rotate, &by_hand.values, None);
    let judged = match lacking(&guide, &by_hand.values) {
        Some(refusal) => stuck(judged, &refusal),
        None => judged,
    };
    Foreseen {
        steps,
        ..Foreseen::plain(judged)
    }
}
