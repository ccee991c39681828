//! A new secret as destinations get it: a small map of fields, and what they are called there.

use rotate_providers::contract::{KeyId, Principal, PublicHalf};
use rotate_providers::form::{Field, Part, SecretForm};
use rotate_providers::secret::{Credential, Secret};
use serde_json::Value;

use super::Fault;
use super::options::Options;
use super::readings::readings;

/// PEM breaks its lines here (RFC 7468, section 2).
const PEM_WIDTH: usize = 64;

/// What a rotation tells destinations beside its credential.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The rotation's id: the same in each repeat.
    pub rotation: &'a str,
    /// Whose key it is.
    pub owner: &'a Principal,
    /// The connector's inputs.
    pub inputs: &'a Value,
}

/// A credential as a map of fields.
pub struct Fields {
    /// Its key's id.
    pub key: KeyId,
    /// The rotation that it is of.
    pub rotation: String,
    values: Vec<(&'static str, Secret)>,
    /// The fields that are nobody else's business.
    secret: Vec<&'static str>,
}

impl Fields {
    /// The fields of this form, filled.
    pub fn of(form: SecretForm, credential: &Credential, told: &Told<'_>) -> Self {
        let values = form
            .fields
            .iter()
            .filter_map(|field| Some((field.name, value(field, credential, told)?)));
        let secrets = form.fields.iter().filter(|field| matches!(field.from, Part::Secret));
        Self {
            key: credential.key.clone(),
            rotation: told.rotation.to_owned(),
            values: values.collect(),
            secret: secrets.map(|field| field.name).collect(),
        }
    }

    /// A field's value; a fault where it has none, or where that is no text.
    pub(super) fn text(&self, name: &str) -> Result<&str, Fault> {
        let value = self.values.iter().find(|(known, _)| *known == name);
        let text = value.and_then(|(_, value)| value.expose_text());
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| Fault::NoField(name.to_owned()))
    }

    /// Whether the secret shows in this text, in clear or encoded, or a line of it does.
    pub fn gives_away(&self, text: &str) -> bool {
        readings(text).iter().any(|text| self.shows_in(text))
    }

    fn shows_in(&self, text: &str) -> bool {
        let secrets = self.secret.iter().filter_map(|name| self.text(name).ok());
        let mut lines = secrets.flat_map(str::lines).filter(|line| !line.starts_with("-----"));
        lines.any(|line| !line.is_empty() && text.contains(line))
    }
}

fn value(field: &Field, credential: &Credential, told: &Told<'_>) -> Option<Secret> {
    Some(match field.from {
        Part::Key => Secret::new(credential.key.as_str()),
        Part::Secret => Secret::new(credential.secret.expose()),
        Part::PublicKey => Secret::new(pem(credential.public.as_ref()?)?),
        Part::Owner => Secret::new(told.owner.name.as_str()),
        Part::Account => Secret::new(told.owner.account.as_str()),
        Part::Reference(places) => {
            let given = |(input, kind): &(&str, &str)| Some(format!("{kind}:{}", told.inputs.get(input)?.as_str()?));
            Secret::new(places.iter().find_map(given)?)
        }
    })
}

fn pem(public: &PublicHalf) -> Option<String> {
    let base64 = Some(public.as_str()).filter(|text| !text.is_empty() && text.is_ascii())?;
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_WIDTH));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    Some(pem)
}

/// Which fields go to a destination, and what they are called there.
pub(super) struct Mapping {
    pub(super) form: SecretForm,
    pub(super) named: Vec<(&'static Field, String)>,
    /// The fields whose names were asked for.
    told: Vec<&'static str>,
}

impl Mapping {
    /// The fields that every destination gets, and those that the options name.
    pub(super) fn read(form: SecretForm, options: &mut Options) -> Result<Self, Fault> {
        let mut named: Vec<(&'static Field, String)> = Vec::new();
        let mut told = Vec::new();
        for field in form.fields {
            let name = match options.take(field.name) {
                Some(name) if name.trim().is_empty() => {
                    return Err(Fault::Option(field.name.to_owned(), "it is empty"));
                }
                Some(name) => {
                    told.push(field.name);
                    name
                }
                None if field.always => field.name.to_owned(),
                None => continue,
            };
            if named.iter().any(|(_, other)| *other == name) {
                return Err(Fault::Option(
                    field.name.to_owned(),
                    "another field is called that there",
                ));
            }
            named.push((field, name));
        }
        if named.is_empty() {
            return Err(Fault::misplaced(form));
        }
        Ok(Self { form, named, told })
    }

    /// Whether this field has the name that was asked for, and not its own for want of another.
    pub(super) fn is_told(&self, field: &Field) -> bool {
        self.told.contains(&field.name)
    }

    /// Every field that the form has, under its own name where the options name no other.
    pub(super) fn everything(form: SecretForm, options: &mut Options) -> Result<Self, Fault> {
        let told = Self::read(form, options)?;
        let name = |field: &Field| {
            let told = told.named.iter().find(|(known, _)| known.name == field.name);
            told.map_or_else(|| field.name.to_owned(), |(_, name)| name.clone())
        };
        let named: Vec<(&Field, String)> = form.fields.iter().map(|field| (field, name(field))).collect();
        for (at, (field, name)) in named.iter().enumerate() {
            if named[..at].iter().any(|(_, other)| other == name) {
                return Err(Fault::Option(
                    field.name.to_owned(),
                    "another field is called that there",
                ));
            }
        }
        let told = told.told;
        Ok(Self { form, named, told })
    }

    /// The same, of those that have a value.
    pub(super) fn values_there_are<'a>(&'a self, fields: &'a Fields) -> Vec<(&'a str, &'a str)> {
        let value = |(field, name): &'a (&Field, String)| Some((name.as_str(), fields.text(field.name).ok()?));
        self.named.iter().filter_map(value).collect()
    }

    /// What they are called there, each with its value.
    #[cfg(any(feature = "kubernetes", feature = "object"))]
    pub(super) fn values<'a>(&'a self, fields: &'a Fields) -> Result<Vec<(&'a str, &'a str)>, Fault> {
        let value = |(field, name): &'a (&Field, String)| Ok((name.as_str(), fields.text(field.name)?));
        self.named.iter().map(value).collect()
    }

    /// What they are called there.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(_, name)| name.as_str())
    }

    /// What the key's id is called there, where it goes there.
    #[cfg(any(feature = "kubernetes", feature = "object"))]
    pub(super) fn key_name(&self) -> Option<&str> {
        let is_key = |(field, _): &&(&Field, String)| matches!(field.from, Part::Key);
        self.named.iter().find(is_key).map(|(_, name)| name.as_str())
    }

    /// What the secret alone is called there, where it goes there.
    #[cfg(feature = "kubernetes")]
    pub(super) fn secret_name(&self) -> Option<&str> {
        let is_secret = |(field, _): &&(&Field, String)| matches!(field.from, Part::Secret);
        self.named.iter().find(is_secret).map(|(_, name)| name.as_str())
    }
}
