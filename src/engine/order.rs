//! What is asked of a target: by the file, in its time; or by a person, now.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::assess::{Action, Assessment, OnRecord, assess};
use super::{Survey, Wanted};
use crate::config::{How, Target};
use crate::engine::driver::{DriveError, History, Request};
use crate::machine::Begun;

/// What is asked of a target.
#[derive(Clone, Copy)]
pub enum Order<'o> {
    /// The configuration's: as its key's age and its window let it.
    Scheduled {
        /// The target.
        target: &'o Target,
        /// What will be due within this time is due.
        within: SignedDuration,
    },
    /// A person's, who wants it now. No due date and no window holds it back, and what has changed at the vendor is told.
    Now(&'o Request<'o>),
}

impl<'o> Order<'o> {
    /// The order of the configuration, for what is due by itself.
    pub fn of(target: &'o Target) -> Self {
        Self::Scheduled {
            target,
            within: SignedDuration::ZERO,
        }
    }

    /// The target's name.
    pub fn name(&self) -> &'o str {
        match self {
            Self::Scheduled { target, .. } => &target.name,
            Self::Now(request) => request.target,
        }
    }

    /// What the journal knows of it.
    pub(super) fn known<'s>(&self, survey: &'s Survey) -> OnRecord<'s> {
        match self {
            Self::Scheduled { target, .. } => survey.of_target(target),
            Self::Now(request) => survey.of(request.target),
        }
    }

    /// What is to be done, by what is on record.
    pub(super) fn assess(&self, known: OnRecord<'_>, now: Timestamp) -> Assessment {
        match self {
            Self::Scheduled { target, within } => assess(target, known, now, *within),
            Self::Now(_) => Assessment {
                action: Action::Start,
                reason: "a person asks for it".to_owned(),
                remedy: Vec::new(),
                age: None,
                is_pressing: true,
                drift: None,
            },
        }
    }

    /// What makes a rotation of it begin that was judged like this, and who: this person, where it is not the configuration.
    pub(super) fn begun(&self, judged: &Assessment, by: &str, now: Timestamp) -> Begun {
        let is_ahead = judged.age.is_some_and(|age| now < age.deadline.begin_at);
        match self {
            Self::Scheduled { .. } if !is_ahead => Begun::due(),
            Self::Scheduled { .. } | Self::Now(_) => Begun::ordered(by),
        }
    }

    /// What the program needs to rotate it; `None` where a person takes the steps.
    pub(super) fn asked(&self, now: Timestamp) -> Result<Option<Asked<'o>>, DriveError> {
        match self {
            Self::Now(request) => Ok(Some(Asked::Request(request))),
            Self::Scheduled { target, .. } => match &target.how {
                How::ByHand(_) => Ok(None),
                How::Automatic(automatic) => Ok(Some(Asked::Wanted(Wanted::new(target, automatic, now)?))),
            },
        }
    }

    /// Whether a rotation is begun, now that this was judged of it. A key whose age nobody tells is taken for one that is too old.
    pub(super) fn is_due(&self, judged: &Assessment) -> bool {
        match judged.action {
            Action::Start => true,
            Action::Wait => judged.age.is_none(),
            Action::NotDue | Action::Continue | Action::Blocked | Action::Guided => false,
        }
    }
}

/// What a rotation would be opened with.
pub(super) enum Asked<'o> {
    Wanted(Wanted<'o>),
    Request(&'o Request<'o>),
}

impl Asked<'_> {
    /// What the configuration refers to has to be there before a key is made for it. Of a command's options that is seen to
    /// when they are read.
    pub(super) fn check_references(&self) -> Result<(), DriveError> {
        match self {
            Self::Wanted(wanted) => wanted.check_references(),
            Self::Request(_) => Ok(()),
        }
    }

    /// Where the keys of a rotation would go that was opened on this day, by the destinations' names.
    pub(super) fn destinations_on(&self, day: Date) -> Vec<String> {
        match self {
            Self::Wanted(wanted) => wanted.destinations_on(day),
            Self::Request(request) => {
                let names = request
                    .destinations
                    .iter()
                    .map(|destination| destination.name().to_owned());
                names.collect()
            }
        }
    }

    /// What the driver is asked for.
    pub(super) fn request(&self, history: &History) -> Request<'_> {
        match self {
            Self::Wanted(wanted) => wanted.request(history),
            Self::Request(request) => (*request).clone(),
        }
    }
}
