//! What is begun under a lease has to end while nobody else can have it.

use std::time::Duration;

use super::{DriveError, Refusal, Request};
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
        Some((name, limit)) => Err(DriveError::Refused(too_long(&name, limit, longest))),
        None => Ok(()),
    }
}

fn too_long(name: &str, limit: Duration, longest: Duration) -> Refusal {
    let (limit, longest) = (limit.as_secs(), longest.as_secs());
    Refusal::error(format!(
        "{name} may take {limit} s, and machines that share a journal leave each other {longest} s: another one could take over while \
         it still runs"
    ))
    .with(format!("give it a timeout of {longest}s or less, and let what takes longer go on by itself"))
    .with("nothing was changed")
}
