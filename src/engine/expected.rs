//! What is found of a target, held against what the journal knows of it.

use rotate_providers::contract::Principal;

use super::OnRecord;
use super::order::Order;
use crate::engine::driver::{DriveError, Refusal};
use crate::machine::InventoryReading;
use crate::policy::Expected;
use crate::store::Stored;

/// What has changed behind our back since the journal was last right.
pub(super) fn drift(known: OnRecord<'_>, found: &InventoryReading) -> Option<String> {
    expected(known).drift(found)
}

/// Refuses credentials that lead to another account than the target was known in, before anything is written down of it.
pub(super) fn at_home(order: &Order<'_>, known: OnRecord<'_>, owner: &Principal) -> Result<(), DriveError> {
    let expected = expected(known);
    let Some(before) = expected.other_account(owner) else {
        return Ok(());
    };
    let target = order.name();
    let why = format!(
        "{target} was known in account {before}, and these credentials lead to account {}",
        owner.account
    );
    let remedy = match order {
        Order::Scheduled { .. } => {
            "give it the credentials that it had; if it has moved for good, give it another name in rotate.toml"
        }
        Order::Now(_) => {
            "use the credentials that it had; the keys of a user of the same name elsewhere need a journal of their own: --state-dir DIR"
        }
    };
    Err(DriveError::Refused(Refusal::because(why, remedy)))
}

fn expected(known: OnRecord<'_>) -> Expected<'_> {
    let seen_at = known.watch.and_then(|watch| watch.rotation.seen_at);
    // What was seen, or accepted, after the last rotation is the later word.
    let is_later = |stored: &&Stored| seen_at < Some(stored.updated_at);
    let rotation = known
        .course
        .filter(is_later)
        .and_then(|stored| stored.rotation.automated());
    Expected {
        sighting: known
            .watch
            .and_then(|watch| watch.rotation.sighting.as_ref())
            .filter(|_| seen_at.is_some()),
        rotation,
    }
}
