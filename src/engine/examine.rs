//! The turn of a target of which it is said what a rotation would need, whether one is due or not. Changes nothing.

use rotate_providers::contract::{Check, Finding, Thoroughness};

use super::order::Order;
use super::turn::{Preflight, Purpose, Sight, Turn, fine, preflight};
use crate::config::Target;
use crate::engine::check;
use crate::engine::driver::{DriveError, Identity, ends_in_time, prepare};

impl Turn<'_> {
    /// What was looked at: the login first. What a fault's remedy is says `remedy`, in the caller's words.
    pub async fn examine(
        &self,
        target: &Target,
        remedy: impl Fn(&DriveError) -> String,
    ) -> Result<Vec<Finding>, DriveError> {
        let (order, purpose) = (Order::of(target), Purpose::Examine);
        let (Some(asked), Some(vendors)) = (order.asked(purpose.now())?, self.vendors) else {
            return Ok(Vec::new());
        };
        let known = self.survey.of(&target.name);
        let sight = self.look(&order, asked, known, vendors, &purpose).await?;
        let login = |identity: &Identity| vec![fine("credentials"), fine(identity.to_string())];
        // An open rotation has its key files already, and its two keys.
        if known.course.is_some_and(|stored| !stored.rotation.is_closed()) {
            let (provider, owner) = (sight.provider.as_ref(), &sight.found.observation.owner);
            let mut findings = login(&Identity::ask(provider, owner).await);
            findings.extend(check(provider, owner, &[], Thoroughness::Everything).await);
            return Ok(findings);
        }
        let Preflight { identity, findings } = preflight(&sight, &purpose).await?;
        let mut all = login(&identity);
        let replaced = sight.replaces().then(|| {
            fine(
                "replaced where it stands: its consumers are cut off from the call that sets the new secret until its last \
                 destination holds that",
            )
        });
        let Sight {
            asked,
            provider,
            found,
            copies,
            copies_drift,
            ..
        } = sight;
        let request = asked.request(&found.history);
        let prepared = match ends_in_time(self.store, &request) {
            Ok(()) => prepare(&request, found, provider.as_ref()).await.map(drop),
            Err(error) => Err(error),
        };
        match prepared {
            // What is wrong with a destination is told below.
            Ok(_) | Err(DriveError::Delivery(_)) => {}
            Err(error) => all.push(Finding {
                what: "keys".into(),
                check: Check::Wrong {
                    why: error.to_string().into(),
                    remedy: remedy(&error),
                },
            }),
        }
        all.extend(replaced);
        all.extend(findings);
        all.extend(copies.findings(&target.name, copies_drift.as_ref()));
        Ok(all)
    }
}
