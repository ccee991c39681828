//! Which guided credential is meant, whatever its target is called.

use std::collections::{BTreeMap, HashMap};

use rotate_providers::guide::Guide;

use crate::machine::GuidedRotation;

/// One credential that a person rotates. Two names that lead to it have one open rotation between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Credential {
    /// The connector's id.
    pub connector: String,
    /// The value that names it; `None` where nobody has told.
    pub name: Option<String>,
}

impl Credential {
    /// The credential that these values are about.
    pub fn of(connector: &str, guide: &Guide, values: &BTreeMap<String, String>) -> Self {
        Naming::of(guide).credential(connector, values)
    }

    /// Whether the two may be one: nobody has told of one of them which it is.
    pub fn may_be(&self, other: &Self) -> bool {
        self.connector == other.connector && (self.name == other.name || self.name.is_none() || other.name.is_none())
    }
}

/// What names the credentials of a connector.
struct Naming {
    input: Option<String>,
    default: Option<String>,
}

impl Naming {
    fn of(guide: &Guide) -> Self {
        let input = guide.identity();
        Self {
            input: input.map(|input| input.name.to_string()),
            default: input.and_then(|input| input.default.as_ref()?.to_string().into()),
        }
    }

    fn credential(&self, connector: &str, values: &BTreeMap<String, String>) -> Credential {
        let told = self.input.as_ref().and_then(|input| values.get(input));
        Credential {
            connector: connector.to_owned(),
            name: told.or(self.default.as_ref()).cloned(),
        }
    }
}

/// What names the credentials of each connector. A guide is read once.
#[derive(Default)]
pub struct Namings(HashMap<String, Naming>);

impl Namings {
    /// The credential that a guided rotation is about; `None` where no guide knows.
    pub fn of_walk(&mut self, walk: &GuidedRotation) -> Option<Credential> {
        let connector = &walk.itinerary.connector;
        if !self.0.contains_key(connector) {
            let guide = rotate_providers::connector(connector)?.guide().ok()?;
            self.0.insert(connector.clone(), Naming::of(&guide));
        }
        self.known(connector, &walk.itinerary.values)
    }

    /// The same of these values, where the connector's guide was read before.
    pub fn known(&self, connector: &str, values: &BTreeMap<String, String>) -> Option<Credential> {
        let naming = self.0.get(connector)?;
        Some(naming.credential(connector, values))
    }
}
