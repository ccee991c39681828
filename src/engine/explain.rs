//! The turn of a target of which it is said what would be done: the action, the steps, and what would stand in the way. Changes
//! nothing.

use jiff::Timestamp;
use rotate_providers::contract::{Check, Finding, Thoroughness};
use rotate_providers::guide::Procedure;

use super::assess::{Action, Assessment, under_way};
use super::order::Order;
use super::preflight::{check, in_the_way, lacking};
use super::turn::{Decision, Preflight, Purpose, Ready, Sight, Turn, connect, stuck};
use crate::config::{How, Target};
use crate::engine::driver::{DriveError, Identity, at_its_host, ends_in_time, prepare};
use crate::machine::{AnyRotation, Record, Rotation};
use crate::plan::{Planned, forecast, lead, procedure_of};
use crate::policy::Facts;
use crate::store::{Store, Stored};

/// What would be done with one target.
pub struct Forecast {
    /// The action and its reason.
    pub judgement: Assessment,
    /// The rotation that it would be done with.
    pub rotation: ForecastRotation,
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
pub enum ForecastRotation {
    /// None.
    Nothing,
    /// One that stands in the journal.
    Open(Box<Stored>),
    /// One that would be opened.
    New(Box<Rotation>),
}

impl Forecast {
    fn plain(judgement: Assessment) -> Self {
        Self {
            judgement,
            rotation: ForecastRotation::Nothing,
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
    pub async fn forecast(&self, target: &Target, at: Timestamp) -> Forecast {
        let order = Order::of(target);
        let error = match self.explain(&order, at).await {
            Ok(foreseen) => return foreseen,
            Err(error) => error,
        };
        let judged = order.assess(order.known(self.survey), at);
        match error {
            DriveError::Refused(refusal) => Forecast {
                failed: !refusal.blocked,
                ..Forecast::plain(stuck(judged, &refusal))
            },
            error => Forecast {
                failed: true,
                ..Forecast::plain(Assessment {
                    action: Action::Blocked,
                    reason: error.to_string(),
                    remedy: vec!["see what is wrong:".to_owned(), "rotate doctor".to_owned()],
                    ..judged
                })
            },
        }
    }

    /// What acting on this order would do at this time.
    pub async fn explain(&self, order: &Order<'_>, at: Timestamp) -> Result<Forecast, DriveError> {
        match self.decide(order, &Purpose::Explain(at)).await? {
            Decision::Resume(open) => Box::pin(self.resumed(*open, order, at)).await,
            Decision::Leave(judged) => Ok(match order {
                Order::Scheduled { target, .. } => left(target, judged),
                Order::Now(_) => Forecast::plain(judged),
            }),
            Decision::Begin(ready) => Box::pin(opening(*ready, self.store, at)).await,
        }
    }

    /// A rotation that is open goes on from where it stands.
    async fn resumed(&self, open: Stored, order: &Order<'_>, at: Timestamp) -> Result<Forecast, DriveError> {
        let judged = match order {
            Order::Scheduled { .. } => order.assess(order.known(self.survey), at),
            Order::Now(_) => under_way(&open, at),
        };
        let steps = match &open.rotation {
            AnyRotation::Automated(rotation) => forecast(Rotation::clone(rotation), Facts::default(), at)?,
            AnyRotation::Guided(walk) => procedure_of(&walk.itinerary)
                .map(|(guide, procedure)| lead(&guide, procedure, &walk.itinerary.values, Some(walk)))
                .unwrap_or_default(),
        };
        let (identity, findings) = match (&open.rotation, self.vendors, judged.action) {
            (AnyRotation::Automated(rotation), Some(vendors), Action::Continue) => {
                let spec = &rotation.spec;
                let (_, provider) = connect(spec, vendors).await?;
                at_its_host(&open.target, spec, provider.as_ref())?;
                let identity = Identity::ask(provider.as_ref(), &spec.owner).await;
                let findings = check(provider.as_ref(), &spec.owner, &[], Thoroughness::Everything).await;
                (Some(identity), findings)
            }
            _ => (None, Vec::new()),
        };
        Ok(Forecast {
            steps,
            identity,
            findings,
            rotation: ForecastRotation::Open(Box::new(open)),
            ..Forecast::plain(judged)
        })
    }
}

/// What a rotation of what was found would do.
async fn opening(ready: Ready<'_>, store: Option<&dyn Store>, at: Timestamp) -> Result<Forecast, DriveError> {
    let Ready { sight, preflight } = ready;
    let Preflight { identity, findings } = preflight;
    let judged = &sight.judged;
    let reason = match (judged.action, judged.age) {
        (Action::Wait, None) => "the vendor does not say how old its key is, so it is treated as too old".to_owned(),
        _ => judged.reason.clone(),
    };
    let judged = Assessment {
        action: Action::Start,
        reason,
        ..judged.clone()
    };
    let Sight {
        asked, provider, found, ..
    } = sight;
    let request = asked.request(&found.history);
    ends_in_time(store, &request)?;
    let (rotation, steps) = match prepare(&request, found, provider.as_ref()).await {
        Ok((event, facts)) => {
            let rotation = Rotation::after(None, &Record { at, event })?;
            let steps = forecast(rotation.clone(), facts, at)?;
            (ForecastRotation::New(Box::new(rotation)), steps)
        }
        // What is wrong with the destination is among the findings.
        Err(DriveError::Delivery(_)) if in_the_way(&findings).is_some() => (ForecastRotation::Nothing, Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(Forecast {
        rotation,
        steps,
        identity: Some(identity),
        findings,
        ..Forecast::plain(judged)
    })
}

/// A target that nothing is begun of; where a person takes the steps, with the steps.
fn left(target: &Target, judged: Assessment) -> Forecast {
    let (How::ByHand(by_hand), Action::Guided) = (&target.how, judged.action) else {
        return Forecast::plain(judged);
    };
    // To read a guide takes longer than all the rest of a target that nobody looks at.
    let Ok(guide) = target.connector.guide() else {
        return Forecast::plain(judged);
    };
    let steps = lead(&guide, Procedure::Rotate, &by_hand.values, None);
    let judged = match lacking(&guide, &by_hand.values) {
        Some(refusal) => stuck(judged, &refusal),
        None => judged,
    };
    Forecast {
        steps,
        ..Forecast::plain(judged)
    }
}
