//! From a target of the file to what the driver is asked for.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::{Automatic, Target};
use crate::delivery::{self, DeliveryError, Destination, Hook, HookError};
use crate::engine::driver::{DriveError, History, LiveKey, Refusal, Request};

/// What a rotation of a target would be opened with, today.
pub struct Wanted<'t> {
    target: &'t Target,
    automatic: &'t Automatic,
    destinations: Vec<Box<dyn Destination>>,
    after_delivery: Vec<Hook>,
    live: Option<LiveKey>,
}

impl<'t> Wanted<'t> {
    /// Understands the destinations as they are called today, and reads the key that the person has shown.
    pub fn new(target: &'t Target, automatic: &'t Automatic, now: Timestamp) -> Result<Self, DriveError> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let (names, secret) = (automatic.destinations(today), automatic.automation.secret);
        let destinations: Result<Vec<_>, DeliveryError> =
            names.iter().map(|name| delivery::parse(secret, name)).collect();
        let hooks: Result<Vec<Hook>, HookError> =
            automatic.after_delivery.iter().map(|name| Hook::named(name)).collect();
        Ok(Self {
            target,
            automatic,
            destinations: destinations?,
            after_delivery: hooks?,
            live: live(automatic)?,
        })
    }

    /// What the configuration refers to has to be there before a key is made for it.
    pub fn check_references(&self) -> Result<(), DriveError> {
        (self.automatic.automation.ready)(&self.automatic.inputs)
            .map_err(|unready| DriveError::Refused(Refusal::because(unready.why, unready.remedy)))
    }

    /// Where the new key would go.
    pub fn destinations(&self) -> &[Box<dyn Destination>] {
        &self.destinations
    }

    /// Where it would have gone on this day.
    pub(super) fn destinations_on(&self, day: Date) -> Vec<String> {
        self.automatic.destinations(day)
    }

    /// What the driver is asked for. Once the key that the file shows was rotated, it says nothing any more.
    pub fn request(&self, history: &History) -> Request<'_> {
        Request {
            connector: self.automatic.automation,
            target: &self.target.name,
            inputs: self.automatic.inputs.clone(),
            destinations: &self.destinations,
            after_delivery: &self.after_delivery,
            cutover: self.automatic.cutover,
            prove: self.automatic.prove,
            lost_key: self.automatic.lost_key,
            soak_seconds: self.automatic.soak_seconds,
            observe_seconds: self.automatic.observe_seconds,
            allowance_seconds: self.target.allowance_seconds,
            again: false,
            live: self.live.clone().filter(|live| !history.retired.contains(&live.key)),
            allow_self: self.automatic.allow_self,
            window: self.automatic.window.clone(),
        }
    }
}

/// The key that the consumer is said to hold.
fn live(automatic: &Automatic) -> Result<Option<LiveKey>, DriveError> {
    let (Some(path), Some(shown)) = (&automatic.current_key, &automatic.automation.shown_key) else {
        return Ok(None);
    };
    let key = (shown.read)(path, &automatic.inputs).map_err(|why| {
        DriveError::Refused(Refusal::because(
            format!("current_key {}: {why}", path.display()),
            "fix the file, or leave current_key out",
        ))
    })?;
    Ok(Some(key.into()))
}
