//! Who may still be told what waits: a configuration that has changed since may name them no more.

use std::collections::{HashMap, HashSet};

use super::{Notifier, Way, is_mail_address};
use crate::store::Outgoing;

/// The readers of each notifier, by its name.
pub struct Readers<'c>(HashMap<&'c str, HashSet<&'c str>>);

impl<'c> Readers<'c> {
    /// As these notifiers have them, where these targets have these owners.
    pub fn of(notifiers: &'c [Notifier], owned: impl Iterator<Item = (&'c str, &'c str)> + Clone) -> Self {
        let of_one = |notifier: &'c Notifier| {
            let Way::Email(email) = &notifier.way else {
                return HashSet::from([""]);
            };
            let mut readers: HashSet<&str> = email.to.iter().map(String::as_str).collect();
            if email.to_owner {
                let told = owned
                    .clone()
                    .filter(|(target, owner)| notifier.tells_of(target, Some(owner)));
                readers.extend(told.map(|(_, owner)| owner).filter(|owner| is_mail_address(owner)));
            }
            readers
        };
        Self(notifiers.iter().map(|it| (it.name.as_str(), of_one(it))).collect())
    }

    /// Whether whoever this is for is one of them.
    pub fn has(&self, notice: &Outgoing) -> bool {
        let readers = self.0.get(notice.notifier.as_str());
        readers.is_some_and(|readers| readers.contains(notice.recipient.as_str()))
    }
}
