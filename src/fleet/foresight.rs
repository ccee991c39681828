//! What `run` would do with a target, in full: the verdict, the steps, and what would stand in the way. Changes nothing.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::Vendors;
use rotate_providers::contract::{Check, Finding, Minting, Provider};
use rotate_providers::guide::Procedure;

use super::attend::stuck;
use super::check::lacking;
use super::expected::{at_home, drift};
use super::{Judgement, Known, Survey, Verdict, Wanted, check, in_the_way, judge};
use crate::config::{Automatic, ByHand, How, Target};
use crate::driver::{DriveError, Found, History, Identity, Request, at_its_host, prepare};
use crate::machine::{Block, Course, Drift, Rotation, Sighting, Watch};
use crate::plan::{Planned, foresee, lead};
use crate::policy::Facts;
use crate::store::{Store, Stored};

/// What is asked, and of whom.
pub struct Foreseer<'a> {
    /// What the journal knows.
    pub survey: &'a Survey,
    /// The journal; `None` where there is none yet.
    pub store: Option<&'a dyn Store>,
    /// What targets share at their vendors; `None`: nobody is called.
    pub vendors: Option<&'a Arc<Vendors>>,
    /// The time that is asked about.
    pub now: Timestamp,
}

/// What would be done with one target.
pub struct Foreseen {
    /// The verdict and its reason.
    pub judgement: Judgement,
    /// The steps, from here to the end.
    pub steps: Vec<Planned>,
    /// Whose credentials it would be done with; `None` where no vendor was asked.
    pub identity: Option<Identity>,
    /// What would stand in the way, and what shows only later.
    pub findings: Vec<Finding>,
    /// Whether the target could not even be looked at.
    pub failed: bool,
}

impl Foreseen {
    fn plain(judgement: Judgement) -> Self {
        Self {
            judgement,
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

impl Foreseer<'_> {
    /// What would be done with this target.
    pub async fn foresee(&self, target: &Target) -> Foreseen {
        let known = self.survey.of_target(target);
        let judged = judge(target, known, self.now, SignedDuration::ZERO);
        match self.see(target, known, judged.clone()).await {
            Ok(foreseen) => foreseen,
            Err(DriveError::Refused(refusal)) => Foreseen {
                failed: !refusal.blocked,
                ..Foreseen::plain(stuck(judged, &refusal))
            },
            Err(error) => Foreseen {
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

    async fn see(&self, target: &Target, known: Known<'_>, judged: Judgement) -> Result<Foreseen, DriveError> {
        if let Some(open) = known.course.filter(|stored| !stored.rotation.is_closed()) {
            return self.open(open, judged).await;
        }
        match (&target.how, self.vendors) {
            (How::ByHand(by_hand), _) => Ok(by_person(target, by_hand, judged)),
            (How::Automatic(_), None) => Ok(Foreseen::plain(judged)),
            (How::Automatic(automatic), Some(vendors)) => self.look(target, automatic, known, vendors).await,
        }
    }

    /// A rotation that is open goes on from where it stands.
    async fn open(&self, open: &Stored, judged: Judgement) -> Result<Foreseen, DriveError> {
        let steps = match &open.rotation {
            Course::Automated(rotation) => foresee(Rotation::clone(rotation), Facts::default(), self.now)?,
            Course::Guided(walk) => {
                let guide =
                    rotate_providers::connector(&walk.itinerary.connector).and_then(|connector| connector.guide().ok());
                let procedure = Procedure::ALL
                    .into_iter()
                    .find(|procedure| procedure.name() == walk.itinerary.procedure);
                match (guide, procedure) {
                    (Some(guide), Some(procedure)) => lead(&guide, procedure, &walk.itinerary.values, Some(walk)),
                    _ => Vec::new(),
                }
            }
        };
        let (identity, findings) = match (&open.rotation, self.vendors, judged.verdict) {
            (Course::Automated(rotation), Some(vendors), Verdict::Continue) => {
                let charter = &rotation.charter;
                let automation = rotate_providers::automation(&charter.connector)
                    .ok_or_else(|| DriveError::UnknownConnector(charter.connector.clone()))?;
                let provider = (automation.connect)(charter.inputs.clone(), vendors).await?;
                at_its_host(&open.target, charter, provider.as_ref())?;
                let identity = Identity::ask(provider.as_ref(), &charter.owner).await;
                let findings = check(provider.as_ref(), &charter.owner, &[]).await;
                (Some(identity), findings)
            }
            _ => (None, Vec::new()),
        };
        Ok(Foreseen {
            steps,
            identity,
            findings,
            ..Foreseen::plain(judged)
        })
    }

    async fn look(
        &self,
        target: &Target,
        automatic: &Automatic,
        known: Known<'_>,
        vendors: &Arc<Vendors>,
    ) -> Result<Foreseen, DriveError> {
        let wanted = Wanted::new(target, automatic, self.now)?;
        let history = match self.store {
            Some(store) => History::beside(store, &target.name, Arc::clone(&self.survey.rivals)).await?,
            None => History::default(),
        };
        let request = wanted.request(&history);
        let provider = (automatic.automation.connect)(automatic.inputs.clone(), vendors).await?;
        let found = Found::look(provider.as_ref(), &request, history).await?;
        let owner = found.observation.owner.clone();
        at_home(&target.name, known, &owner)?;
        let seen = seen(known, &found, self.now);
        let known = Known {
            watch: Some(&seen),
            ..known
        };
        let judged = judge(target, known, self.now, SignedDuration::ZERO);
        let looks_stuck = matches!(judged.verdict, Verdict::NotDue | Verdict::Start | Verdict::Wait);
        if let (Err(DriveError::Refused(refusal)), true) = (&found.live, looks_stuck) {
            return Ok(Foreseen::plain(stuck(judged, refusal)));
        }
        let of_unknown_age = judged.verdict == Verdict::Wait && judged.age.is_none();
        if judged.verdict != Verdict::Start && !of_unknown_age {
            return Ok(Foreseen::plain(judged));
        }
        self.start(provider.as_ref(), &wanted, found, judged).await
    }

    async fn start(
        &self,
        provider: &dyn Provider,
        wanted: &Wanted<'_>,
        found: Found,
        judged: Judgement,
    ) -> Result<Foreseen, DriveError> {
        let request = wanted.request(&found.history);
        let opening = foretell(provider, &request, found, self.now).await?;
        let reason = match judged.age {
            Some(_) => judged.reason,
            None => "nobody tells how old its key is, so it is taken for too old".to_owned(),
        };
        Ok(Foreseen {
            steps: opening.steps,
            identity: Some(opening.identity),
            findings: opening.findings,
            ..Foreseen::plain(Judgement {
                verdict: Verdict::Start,
                reason,
                ..judged
            })
        })
    }
}

/// A rotation that would be opened.
pub struct Opening {
    /// As it would begin; `None` where a destination does not let it.
    pub rotation: Option<Rotation>,
    /// Its steps, from here to the end.
    pub steps: Vec<Planned>,
    /// Whose credentials it would be done with.
    pub identity: Identity,
    /// What was looked at beforehand.
    pub findings: Vec<Finding>,
}

/// What a rotation of what was found would need and do. Reads only. `plan` and the dry run of one target both ask this, so
/// neither sees less than the other.
pub async fn foretell(
    provider: &dyn Provider,
    request: &Request<'_>,
    found: Found,
    now: Timestamp,
) -> Result<Opening, DriveError> {
    let identity = Identity::ask(provider, &found.observation.owner).await;
    let findings = match &found.live {
        Ok(_) => check(provider, &found.observation.owner, request.destinations).await,
        // Nothing of it would be used.
        Err(_) => Vec::new(),
    };
    let mints_locally = matches!(provider.minting(), Minting::Local(_));
    match prepare(request, found, mints_locally).await {
        Ok((rotation, facts, _)) => Ok(Opening {
            steps: foresee(rotation.clone(), facts, now)?,
            rotation: Some(rotation),
            identity,
            findings,
        }),
        // What is wrong with the destination is among the findings.
        Err(DriveError::Delivery(_)) if in_the_way(&findings).is_some() => Ok(Opening {
            rotation: None,
            steps: Vec::new(),
            identity,
            findings,
        }),
        Err(error) => Err(error),
    }
}

/// What `run` would write down of what was found.
fn seen(known: Known<'_>, found: &Found, now: Timestamp) -> Stored<Watch> {
    let live = found.live.as_ref().ok().map(|live| &live.key);
    let sighting = Sighting::of(&found.observation, live);
    let drift = drift(known, &sighting).map(|why| Drift {
        block: Block { why, since: now },
        found: sighting.clone(),
    });
    Stored {
        id: String::new(),
        target: String::new(),
        revision: 0,
        updated_at: now,
        rotation: Watch {
            sighting,
            seen_at: Some(now),
            first_at: known.watch.map_or(now, |watch| watch.rotation.first_at),
            drift,
            released_at: known.watch.and_then(|watch| watch.rotation.released_at),
        },
    }
}

fn by_person(target: &Target, by_hand: &ByHand, judged: Judgement) -> Foreseen {
    let (steps, judged) = match (judged.verdict, target.connector.guide()) {
        (Verdict::Guided, Ok(guide)) => {
            let steps = lead(&guide, Procedure::Rotate, &by_hand.values, None);
            match lacking(&guide, &by_hand.values) {
                Some(refusal) => (steps, stuck(judged, &refusal)),
                None => (steps, judged),
            }
        }
        _ => (Vec::new(), judged),
    };
    Foreseen {
        steps,
        ..Foreseen::plain(judged)
    }
}
