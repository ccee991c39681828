//! What a person reads first: how many, and who is waited for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{CredentialView, Standing};

/// How many credentials stand where. The first four are all of them; the others are counted among those.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Summary {
    /// All of them.
    pub credentials: usize,
    /// Younger than the day on which their rotation has to begin.
    pub in_policy: usize,
    /// Their rotation has to begin, or is under way, and their limit is still ahead.
    pub due: usize,
    /// Older than their limit.
    pub overdue: usize,
    /// Nobody knows how old they are.
    pub age_unknown: usize,
    /// A person has to look; nothing is touched until then.
    pub blocked: usize,
    /// A rotation of them is under way.
    pub rotating: usize,
    /// A person has to act.
    pub waiting: usize,
    /// An exception holds.
    pub excepted: usize,
    /// An exception has run out.
    pub exceptions_expired: usize,
    /// For whom is waited, by owner.
    pub waiting_for: Vec<Waiting>,
}

/// Somebody who is waited for.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Waiting {
    /// The owner; null where the configuration names none.
    pub owner: Option<String>,
    /// The credentials that wait for them.
    #[schemars(length(min = 1))]
    pub credentials: Vec<String>,
}

impl Summary {
    pub(super) fn of(credentials: &[CredentialView]) -> Self {
        let count = |is: &dyn Fn(&CredentialView) -> bool| credentials.iter().filter(|it| is(it)).count();
        let stands = |standing: Standing| count(&|it| it.standing == standing);
        let exception = |expired: bool| count(&|it| it.exception.as_ref().is_some_and(|it| it.expired == expired));
        let mut by_owner: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
        for credential in credentials.iter().filter(|it| it.waits_for_person) {
            let owner = credential.owner.as_deref();
            by_owner.entry(owner).or_default().push(credential.name.clone());
        }
        let waiting_for = by_owner.into_iter().map(|(owner, credentials)| Waiting {
            owner: owner.map(str::to_owned),
            credentials,
        });
        Self {
            credentials: credentials.len(),
            in_policy: stands(Standing::InPolicy),
            due: stands(Standing::Due),
            overdue: stands(Standing::Overdue),
            age_unknown: stands(Standing::AgeUnknown),
            blocked: count(&|it| it.blocked),
            rotating: count(&|it| it.is_rotating),
            waiting: count(&|it| it.waits_for_person),
            excepted: exception(false),
            exceptions_expired: exception(true),
            waiting_for: waiting_for.collect(),
        }
    }
}
