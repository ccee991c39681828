//! A target's turn: history → connect → look → drift → assess → preflight; and then act, explain or examine.
//!
//! `run`, `plan`, `doctor` and the commands for one target all take it here, so what one of them sees the others see, and a dry
//! run cannot disagree with what it foretells.

use std::sync::Arc;

use jiff::Timestamp;
use rotate_providers::contract::{Check, Finding, Minting, Provider, Thoroughness};
use rotate_providers::{Automation, Vendors, automation};

use super::acting::{Acting, needs_a_look};
use super::assess::{Action, Assessment, OnRecord};
use super::copies::{self, Copies};
use super::expected::{at_home, drift};
use super::order::{Asked, Order};
use super::preflight::programs;
use super::{Survey, check};
use crate::engine::driver::{DriveError, Existing, Found, History, Identity, Refusal, Request, at_its_host};
use crate::hooks::now;
use crate::machine::{Block, CopiesDrift, Drift, Inventory, InventoryReading, RotationSpec};
use crate::store::{Automated, Sorted, Store, Stored};

/// A target's turn, whatever it is taken for.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// What the journal knew when the command began.
    pub survey: &'a Survey,
    /// The journal; `None` where there is none yet.
    pub store: Option<&'a dyn Store>,
    /// What targets share at their vendors; `None`: nobody is called.
    pub vendors: Option<&'a Arc<Vendors>>,
}

/// What a turn is taken for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// To move what may move.
    Act(&'a Acting<'a>),
    /// To say what would be moved, at this time.
    Explain(Timestamp),
    /// To say what a rotation would need, whether it is due or not.
    Examine,
}

impl Purpose<'_> {
    pub(super) fn now(&self) -> Timestamp {
        match self {
            Self::Explain(at) => *at,
            Self::Act(_) | Self::Examine => now(),
        }
    }

    /// Whoever acts shows nobody what was found, and stops only for what is in the way.
    fn thoroughness(&self) -> Thoroughness {
        match self {
            Self::Act(_) => Thoroughness::Obstacles,
            Self::Explain(_) | Self::Examine => Thoroughness::Everything,
        }
    }

    /// Reads at the vendor; whoever acts can be asked to stop meanwhile.
    async fn read<T>(&self, reading: impl Future<Output = T>) -> Result<T, DriveError> {
        match self {
            Self::Act(acting) => tokio::select! {
                read = reading => Ok(read),
                () = acting.interrupt.wait() => Err(DriveError::Interrupted),
            },
            Self::Explain(_) | Self::Examine => Ok(reading.await),
        }
    }
}

/// What everything that can be known beforehand leads to.
pub(super) enum Decision<'o> {
    /// A rotation is open, or has just ended, and goes on from where it stands.
    Resume(Box<Stored>),
    /// Nothing is begun, for this reason; where a person takes the steps, they are shown to them.
    Leave(Assessment),
    /// A rotation of what was found is begun.
    Begin(Box<Ready<'o>>),
}

/// A target that a rotation would be opened of.
pub(super) struct Ready<'o> {
    pub(super) sight: Sight<'o>,
    pub(super) preflight: Preflight,
}

/// A target as it was found.
pub(super) struct Sight<'o> {
    pub(super) asked: Asked<'o>,
    pub(super) provider: Box<dyn Provider>,
    pub(super) found: Found,
    pub(super) judged: Assessment,
    /// What has changed behind our back, where a person's order goes on all the same.
    pub(super) drift: Option<String>,
    /// What the destinations of the last rotation hold.
    pub(super) copies: Copies,
    /// What of it is not as it was left.
    pub(super) copies_drift: Option<CopiesDrift>,
}

/// What was looked at beforehand, and who looked.
pub(super) struct Preflight {
    pub(super) identity: Identity,
    pub(super) findings: Vec<Finding>,
}

impl Turn<'_> {
    /// Everything that can be known before anything is done.
    pub(super) async fn decide<'o>(
        &self,
        order: &Order<'o>,
        purpose: &Purpose<'_>,
    ) -> Result<Decision<'o>, DriveError> {
        let known = order.known(self.survey);
        if let Some(open) = self.open(order, known).await? {
            return Ok(Decision::Resume(Box::new(open)));
        }
        let judged = order.assess(known, purpose.now());
        let Some(vendors) = self.vendors else {
            return Ok(Decision::Leave(judged));
        };
        if let (Purpose::Act(acting), Order::Scheduled { .. }) = (purpose, order)
            && !needs_a_look(acting.look_every, known, &judged, now())
        {
            return Ok(Decision::Leave(judged));
        }
        // Only now: it reads key files and folders of destinations, and thousands of targets are not looked at.
        let Some(asked) = order.asked(purpose.now())? else {
            return Ok(Decision::Leave(judged));
        };
        // Put elsewhere: what a look needs is large, and the turns of thousands of targets that are not looked at are kept small.
        let sight = Box::pin(self.look(order, asked, known, vendors, purpose)).await?;
        let judged = &sight.judged;
        let would_be_opened = matches!(judged.action, Action::NotDue | Action::Start | Action::Wait);
        if let (Err(DriveError::Refused(refusal)), Order::Scheduled { .. }) = (&sight.found.live, order)
            && would_be_opened
        {
            return Ok(Decision::Leave(stuck(sight.judged.clone(), refusal)));
        }
        if !order.is_due(judged) {
            return Ok(Decision::Leave(sight.judged));
        }
        let sight = sight.with_a_live_key()?;
        let preflight = Box::pin(preflight(&sight, purpose)).await?;
        Ok(Decision::Begin(Box::new(Ready { sight, preflight })))
    }

    /// What is gone on with, instead of beginning anew.
    async fn open(&self, order: &Order<'_>, known: OnRecord<'_>) -> Result<Option<Stored>, DriveError> {
        match order {
            Order::Scheduled { .. } => Ok(known.course.filter(|stored| !stored.rotation.is_closed()).cloned()),
            Order::Now(request) => {
                let latest = match self.store {
                    Some(store) => store.latest(request.target).await?,
                    None => None,
                };
                Ok(match request.standing(automated(latest)?)? {
                    Existing::Present(stored) => Some(Stored::from(*stored)),
                    Existing::Absent => None,
                })
            }
        }
    }

    /// Looks at the target at its vendor, and holds that against what is on record.
    pub(super) async fn look<'o>(
        &self,
        order: &Order<'o>,
        asked: Asked<'o>,
        known: OnRecord<'_>,
        vendors: &Arc<Vendors>,
        purpose: &Purpose<'_>,
    ) -> Result<Sight<'o>, DriveError> {
        if let Purpose::Act(_) = purpose {
            // Whoever explains or examines has it among the findings.
            asked.check_references()?;
        }
        let history = match self.store {
            Some(store) => History::beside(store, order.name(), Arc::clone(&self.survey.rivals)).await?,
            None => History::default(),
        };
        let request = asked.request(&history);
        let provider = (request.connector.connect)(request.inputs.clone(), vendors).await?;
        if let Some(open) = known.course.filter(|stored| !stored.rotation.is_closed())
            && let Some(rotation) = open.rotation.automated()
        {
            at_its_host(&open.target, &rotation.spec, provider.as_ref())?;
        }
        if let Purpose::Act(acting) = purpose {
            acting.progress.doing("looking at the keys that exist");
        }
        let found = purpose
            .read(Found::look(provider.as_ref(), &request, history))
            .await??;
        at_home(order, known, &found.observation.owner)?;
        let sighting = InventoryReading::of(&found.observation, found.live.as_ref().ok().map(|live| &live.key));
        let drift = drift(known, &sighting);
        let open = known.course.is_some_and(|stored| !stored.rotation.is_closed());
        let copies = match open {
            true => Copies::default(),
            false => {
                purpose
                    .read(copies::look(&asked, known, matches!(purpose, Purpose::Act(_))))
                    .await?
            }
        };
        let copies_drift = copies.drift(known);
        if let Purpose::Act(acting) = purpose {
            copies.unread().for_each(|words| acting.progress.tell(&words));
        }
        let judged = match (order, purpose) {
            (Order::Now(_), _) => order.assess(known, purpose.now()),
            (Order::Scheduled { target, .. }, Purpose::Act(acting)) => {
                let watch = acting
                    .write_down(&target.name, known, drift.as_deref(), sighting, copies_drift.as_ref())
                    .await?;
                order.assess(with(known, &watch), now())
            }
            (Order::Scheduled { .. }, _) => {
                let watch = seen(known, drift.clone(), sighting, copies_drift.clone(), purpose.now());
                order.assess(with(known, &watch), purpose.now())
            }
        };
        drop(request);
        Ok(Sight {
            asked,
            provider,
            found,
            judged,
            drift: drift
                .or_else(|| copies_drift.as_ref().map(CopiesDrift::words))
                .filter(|_| matches!(order, Order::Now(_))),
            copies,
            copies_drift,
        })
    }
}

/// What can be found out beforehand of a target whose rotation is begun: permissions, the bucket, clocks, destinations.
pub(super) async fn preflight(sight: &Sight<'_>, purpose: &Purpose<'_>) -> Result<Preflight, DriveError> {
    let owner = &sight.found.observation.owner;
    let request = sight.request();
    let provider = sight.provider.as_ref();
    let looking = async {
        let mut findings = check(provider, owner, request.destinations, purpose.thoroughness()).await;
        findings.extend(programs(request.after_delivery));
        // Which has asked already who this is, where it can.
        let identity = Identity::ask(provider, owner).await;
        Preflight { identity, findings }
    };
    purpose.read(looking).await
}

impl Sight<'_> {
    /// The same, where it is known which key is to go.
    fn with_a_live_key(mut self) -> Result<Self, DriveError> {
        self.found.live = Ok(self.found.live?);
        Ok(self)
    }

    /// Whether a new secret takes the place of the old one.
    pub(super) fn replaces(&self) -> bool {
        matches!(self.provider.minting(), Minting::InPlace(_))
    }

    /// What the driver is asked for.
    pub(super) fn request(&self) -> Request<'_> {
        self.asked.request(&self.found.history)
    }
}

/// The target's latest rotation, unless a person is walking through one: two at once would be two new keys.
pub fn automated(latest: Option<Stored>) -> Result<Option<Automated>, DriveError> {
    match latest.map(Stored::sort) {
        None => Ok(None),
        Some(Sorted::Automated(automated)) => Ok(Some(*automated)),
        Some(Sorted::Guided(guided)) if guided.rotation.is_closed() => Ok(None),
        Some(Sorted::Guided(guided)) => Err(DriveError::Refused(Refusal::walked(&guided.target))),
    }
}

/// The registry's entry of an opened rotation, and its provider.
pub async fn connect(
    spec: &RotationSpec,
    vendors: &Arc<Vendors>,
) -> Result<(&'static Automation, Box<dyn Provider>), DriveError> {
    let Some(automation) = automation(&spec.connector) else {
        return Err(DriveError::UnknownConnector(spec.connector.clone()));
    };
    let provider = (automation.connect)(spec.inputs.clone(), vendors).await?;
    Ok((automation, provider))
}

/// A target whose rotation cannot be opened, when its day comes or already now.
pub(super) fn stuck(judged: Assessment, refusal: &Refusal) -> Assessment {
    Assessment {
        action: Action::Blocked,
        reason: refusal.why.clone(),
        remedy: refusal.remedy.clone(),
        is_pressing: true,
        ..judged
    }
}

/// A finding that is in order.
pub(super) fn fine(what: impl Into<rotate_providers::untrusted::Sanitized>) -> Finding {
    Finding {
        what: what.into(),
        check: Check::Fine,
    }
}

fn with<'k>(known: OnRecord<'k>, watch: &'k Stored<Inventory>) -> OnRecord<'k> {
    OnRecord {
        watch: Some(watch),
        ..known
    }
}

/// What whoever acts would write down of what was found.
fn seen(
    known: OnRecord<'_>,
    drift: Option<String>,
    sighting: InventoryReading,
    copies: Option<CopiesDrift>,
    now: Timestamp,
) -> Stored<Inventory> {
    let drift = drift.map(|why| {
        Box::new(Drift {
            block: Block { why, since: now },
            found: sighting.clone(),
        })
    });
    Stored {
        id: String::new(),
        target: String::new(),
        revision: 0,
        updated_at: now,
        rotation: Inventory {
            sighting: Some(sighting),
            seen_at: Some(now),
            drift,
            copies: copies.map(Box::new),
            ..known
                .watch
                .map_or_else(|| Inventory::unseen(now), |watch| watch.rotation.clone())
        },
    }
}
