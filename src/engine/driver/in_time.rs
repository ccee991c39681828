//! What is begun under a lease has to end while nobody else can have it.

use std::time::Duration;

use rotate_providers::automation;

use super::{DriveError, Refusal, Request};
use crate::delivery::{self, Hook};
use crate::machine::Rotation;
use crate::store::Store;

/// Refuses a program that may still be writing when another machine has taken over and starts the same one.
pub fn ends_in_time(store: Option<&dyn Store>, request: &Request<'_>) -> Result<(), DriveError> {
    let Some(longest) = store.and_then(Store::longest_call) else {
        return Ok(());
    };
    let destinations = request.destinations.iter();
    let limits =
        destinations.filter_map(|destination| Some((destination.name().to_owned(), destination.time_limit()?)));
    let programs = request.after_delivery.iter();
    let programs = programs.map(|hook| (hook.name().to_owned(), Duration::from_secs(hook.seconds())));
    match limits.chain(programs).find(|(_, limit)| *limit > longest) {
        Some((name, limit)) => Err(DriveError::Refused(
            Refusal::error(too_long(&name, limit, longest))
                .with(format!(
                    "give it a timeout of {}s or less, and let what takes longer go on by itself",
                    longest.as_secs()
                ))
                .with("nothing was changed"),
        )),
        None => Ok(()),
    }
}

/// Why this program is not started where machines share the journal: its rotation was begun where nobody could take over, and moved there.
pub(super) fn outlasts(store: &dyn Store, name: &str, limit: Duration) -> Option<String> {
    let longest = store.longest_call()?;
    (limit > longest).then(|| too_long(name, limit, longest))
}

/// Why this open rotation cannot go on where machines share the journal: a program of it that is still to run may take too long there.
pub fn may_outlast(rotation: &Rotation, longest: Duration) -> Option<String> {
    let spec = &rotation.spec;
    let form = automation(&spec.connector).map(|automation| automation.secret);
    let is_delivered = |name: &String| {
        let new = rotation.new_key.as_ref();
        new.is_some_and(|new| new.delivered.contains(name))
    };
    let destinations = spec.destinations.iter().filter(|name| !is_delivered(name));
    let limits = destinations.filter_map(|name| Some((name, delivery::parse(form?, name).ok()?.time_limit()?)));
    let programs = spec.after_delivery.iter().filter(|_| !rotation.has_run_hooks());
    let programs = programs.filter_map(|name| Some((name, Duration::from_secs(Hook::named(name).ok()?.seconds()))));
    let (name, limit) = limits.chain(programs).find(|(_, limit)| *limit > longest)?;
    Some(too_long(name, limit, longest))
}

fn too_long(name: &str, limit: Duration, longest: Duration) -> String {
    let (limit, longest) = (limit.as_secs(), longest.as_secs());
    format!(
        "{name} may take {limit} s, and machines that share a journal leave each other {longest} s: another one could take over while \
         it still runs"
    )
}
