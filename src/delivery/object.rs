//! A secret of a store that is a JSON object: our fields are members of it, and every other member keeps its bytes.

use rotate_providers::contract::KeyId;
#[cfg(feature = "ssm")]
use rotate_providers::form::{Field, Part};
use rotate_providers::secret::Secret;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::Fault;
use super::fields::{Fields, Mapping};

/// How our fields stand in a secret.
pub(super) enum Shape {
    /// As members of an object.
    Members(Mapping),
    /// One field is all there is.
    #[cfg_attr(
        not(any(feature = "secretsmanager", feature = "ssm")),
        expect(dead_code, reason = "a secret of the key-value store is always an object")
    )]
    Plain(&'static str),
}

/// The members of an object in their order, each with the bytes that it has.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl Shape {
    /// Whether a secret that holds this may be written to.
    pub(super) fn accepts(&self, held: Option<&str>) -> Result<(), Fault> {
        match self {
            Self::Members(mapping) => Object::read(held)?.is_text(mapping),
            Self::Plain(_) => Ok(()),
        }
    }

    /// The secret with our fields in it, and everything else as it was.
    pub(super) fn with(&self, held: Option<&str>, fields: &Fields) -> Result<Secret, Fault> {
        match self {
            Self::Members(mapping) => {
                let changes = mapping.values(fields)?;
                let changes: Vec<_> = changes.into_iter().map(|(name, value)| (name, Some(value))).collect();
                let object = Object::read(held)?;
                object.is_text(mapping)?;
                object.changed(&changes)
            }
            Self::Plain(field) => Ok(Secret::new(fields.text(field)?)),
        }
    }

    /// The secret as it is now, but with our fields as they were before.
    pub(super) fn without(&self, now: Option<&str>, before: Option<&str>) -> Result<Secret, Fault> {
        match self {
            Self::Members(mapping) => {
                let earlier = Object::read(before)?;
                let values: Vec<(&str, Option<Zeroizing<String>>)> =
                    mapping.names().map(|name| (name, earlier.text(name))).collect();
                let put: Vec<_> = values
                    .iter()
                    .map(|(name, value)| (*name, value.as_deref().map(String::as_str)))
                    .collect();
                Object::read(now)?.changed(&put)
            }
            Self::Plain(_) => Ok(Secret::new(before.unwrap_or_default())),
        }
    }

    /// Whether a key's id stands in it.
    pub(super) fn tells_key(&self) -> bool {
        matches!(self, Self::Members(mapping) if mapping.key_name().is_some())
    }

    /// What our fields hold now, and nothing else of it.
    #[cfg(feature = "vault-kv")]
    pub(super) fn ours(&self, held: Option<&str>) -> Result<Secret, Fault> {
        match self {
            Self::Members(mapping) => {
                let Object(members) = Object::read(held)?;
                let is_ours = |name: &str| mapping.names().any(|ours| ours == name);
                let ours = members.into_iter().filter(|(name, _)| is_ours(name)).collect();
                Object(ours).changed(&[])
            }
            Self::Plain(_) => Ok(Secret::new(held.unwrap_or_default())),
        }
    }

    /// Whether these are our fields as they are now.
    pub(super) fn holds(&self, held: Option<&str>, fields: &Fields) -> bool {
        match self {
            Self::Members(mapping) => {
                let (Ok(object), Ok(values)) = (Object::read(held), mapping.values(fields)) else {
                    return false;
                };
                let is_there = |(name, value): &(&str, &str)| object.text(name).is_some_and(|held| *held == *value);
                values.iter().all(is_there)
            }
            Self::Plain(field) => fields.text(field).is_ok_and(|value| held == Some(value)),
        }
    }

    /// Whether both hold the same of ours.
    pub(super) fn same(&self, one: Option<&str>, other: Option<&str>) -> bool {
        match self {
            Self::Members(mapping) => match (Object::read(one), Object::read(other)) {
                (Ok(one), Ok(other)) => mapping.names().all(|name| one.member(name) == other.member(name)),
                _ => false,
            },
            Self::Plain(_) => one == other,
        }
    }

    /// Whether both hold the same beside ours.
    #[cfg(feature = "ssm")]
    pub(super) fn same_beside(&self, one: Option<&str>, other: Option<&str>) -> bool {
        match self {
            Self::Members(mapping) => match (Object::read(one), Object::read(other)) {
                (Ok(one), Ok(other)) => one.beside(mapping).eq(other.beside(mapping)),
                _ => false,
            },
            Self::Plain(_) => true,
        }
    }

    /// How long it will be with a new key, which is taken to be as long as the one that is there, else as they usually are.
    #[cfg(feature = "ssm")]
    pub(super) fn length_with(&self, held: Option<&str>) -> usize {
        let Self::Members(mapping) = self else {
            return held.map_or(0, str::len);
        };
        let is_pair = mapping
            .form
            .fields
            .iter()
            .any(|field| matches!(field.from, Part::PublicKey));
        let usual = |field: &Field| match field.from {
            Part::Secret if is_pair => 1_800,
            Part::PublicKey => 500,
            _ => 60,
        };
        let object = Object::read(held).unwrap_or(Object(Vec::new()));
        let missing = mapping.named.iter().filter(|(_, name)| object.member(name).is_none());
        let added: usize = missing.map(|(field, name)| name.len() + 6 + usual(field)).sum();
        held.map_or(2, str::len) + added
    }

    /// Whose credential it holds.
    pub(super) fn key(&self, held: Option<&str>) -> Option<KeyId> {
        match self {
            Self::Members(mapping) => KeyId::parse(&Object::read(held).ok()?.text(mapping.key_name()?)?).ok(),
            Self::Plain(_) => None,
        }
    }

    /// What is written there; `None`: everything.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        match self {
            Self::Members(mapping) => Some(mapping.names().map(str::to_owned).collect()),
            Self::Plain(_) => None,
        }
    }
}

impl<'a> Object<'a> {
    fn read(held: Option<&'a str>) -> Result<Self, Fault> {
        match held {
            None | Some("") => Ok(Self(Vec::new())),
            // What serde says of it would quote it.
            Some(text) => serde_json::from_str(text).map_err(|_| {
                Fault::Content("it holds something else than one JSON object in which every name stands once")
            }),
        }
    }

    /// A member as it is written.
    fn member(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.get())
    }

    /// Every member that is none of ours.
    #[cfg(feature = "ssm")]
    fn beside<'o>(&'o self, mapping: &'o Mapping) -> impl Iterator<Item = (&'o str, &'o str)> {
        let others = self
            .0
            .iter()
            .filter(|(name, _)| mapping.names().all(|ours| ours != name));
        others.map(|(name, value)| (name.as_str(), value.get()))
    }

    /// Whether what our fields replace is text: something else is somebody else's.
    fn is_text(&self, mapping: &Mapping) -> Result<(), Fault> {
        let is_odd = |name: &str| self.member(name).is_some() && self.text(name).is_none();
        match mapping.names().any(is_odd) {
            true => Err(Fault::Content(
                "a member that the key would go to holds something else than text",
            )),
            false => Ok(()),
        }
    }

    /// A member that is text.
    fn text(&self, name: &str) -> Option<Zeroizing<String>> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        serde_json::from_str::<String>(value.get()).ok().map(Zeroizing::new)
    }

    /// The object with these members set, or taken out where there is no value.
    fn changed(&self, changes: &[(&str, Option<&str>)]) -> Result<Secret, Fault> {
        let mut members: Vec<(&str, Zeroizing<String>)> = Vec::new();
        let change_of = |name: &str| changes.iter().find(|(changed, _)| *changed == name);
        for (name, value) in &self.0 {
            match change_of(name) {
                None => members.push((name, Zeroizing::new(value.get().to_owned()))),
                Some((_, Some(value))) => members.push((name, quoted(value)?)),
                Some((_, None)) => {}
            }
        }
        for (name, value) in changes {
            let is_new = self.0.iter().all(|(known, _)| known != name);
            if let (true, Some(value)) = (is_new, value) {
                members.push((name, quoted(value)?));
            }
        }
        // Room for everything: what grows leaves copies behind.
        let room = members
            .iter()
            .map(|(name, value)| 6 * name.len() + value.len() + 8)
            .sum::<usize>()
            + 2;
        let mut text = Zeroizing::new(String::with_capacity(room));
        text.push('{');
        for (at, (name, value)) in members.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(&quoted(name)?);
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        Ok(Secret::new(text.as_bytes()))
    }
}

fn quoted(text: &str) -> Result<Zeroizing<String>, Fault> {
    let quoted = serde_json::to_string(text).map_err(|_| Fault::Content("the credential cannot be written as JSON"))?;
    Ok(Zeroizing::new(quoted))
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(serde::de::Error::custom("a name stands twice"));
                    }
                    members.push((name, map.next_value()?));
                }
                Ok(Object(members))
            }
        }

        from.deserialize_map(Members)
    }
}
