//! Who may still be told what waits: a configuration that has changed since may name them no more.

use std::collections::{HashMap, HashSet};

use super::{Notifier, Way, is_mail_address};
use crate::store::Outgoing;

/// The readers of each notifier, by its name.
pub struct Readers<'c>(HashMap<&'c str, ReadersOf<'c>>);

/// The readers of one notifier.
struct ReadersOf<'c> {
    /// Who is told of all that it tells of.
    all: HashSet<&'c str>,
    /// Who is told of one target alone, as its owner: by the target.
    owners: HashMap<&'c str, &'c str>,
}

impl<'c> Readers<'c> {
    /// As these notifiers have them, where these targets have these owners.
    pub fn of(notifiers: &'c [Notifier], owned: impl Iterator<Item = (&'c str, &'c str)> + Clone) -> Self {
        let of_one = |notifier: &'c Notifier| {
            let Way::Email(email) = &notifier.way else {
                return ReadersOf {
                    all: HashSet::from([""]),
                    owners: HashMap::new(),
                };
            };
            let owned = owned.clone().filter(|_| email.to_owner);
            let owned =
                owned.filter(|(target, owner)| notifier.tells_of(target, Some(owner)) && is_mail_address(owner));
            ReadersOf {
                all: email.to.iter().map(String::as_str).collect(),
                owners: owned.collect(),
            }
        };
        Self(notifiers.iter().map(|it| (it.name.as_str(), of_one(it))).collect())
    }

    /// Whether whoever this is for is one of them. A digest is about all targets of its reader.
    pub fn has(&self, notice: &Outgoing) -> bool {
        let Some(ReadersOf { all, owners }) = self.0.get(notice.notifier.as_str()) else {
            return false;
        };
        let reader = notice.recipient.as_str();
        let owns = match notice.target.as_str() {
            "" => owners.values().any(|owner| *owner == reader),
            target => owners.get(target) == Some(&reader),
        };
        owns || all.contains(reader)
    }
}
