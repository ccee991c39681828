//! What a credential looks like in a file, and what else may be in that file.

use rotate_providers::contract::KeyId;
use rotate_providers::form::Part;
use rotate_providers::secret::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::assignments::Assignments;
use super::aws_files::ProfileIn;
use super::dotenv::Variables;
use super::fields::{Fields, Mapping};
use super::forms::PAIR;
use super::{Fault, dotenv, profile};

/// A file format.
pub(super) enum Format {
    /// What the AWS tools expect a `credential_process` to print. The file is ours alone.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>
    CredentialProcess,
    /// Variables among others.
    Dotenv(Dotenv),
    /// A profile among others.
    AwsProfile(ProfileIn),
}

/// The document that a `credential_process` prints. Holds a secret: never printed, dropped at once.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ProcessDocument<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
}

/// The variables of a secret, and the field that each holds.
pub(super) struct Dotenv {
    variables: Variables,
    fields: Vec<&'static str>,
    /// The one with the key's id.
    key: Option<usize>,
    /// The one with the secret.
    secret: Option<usize>,
}

impl Dotenv {
    /// Called as the mapping has it, else as the connector does.
    pub(super) fn of(mapping: Mapping) -> Result<Self, Fault> {
        let (mut names, mut fields) = (Vec::new(), Vec::new());
        let (mut key, mut secret) = (None, None);
        for (field, name) in &mapping.named {
            let Some(variable) = field.variable else {
                return Err(Fault::misplaced(mapping.form));
            };
            let name = if mapping.is_told(field) { name } else { variable }.to_owned();
            let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
            let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            if !begins || !name.chars().all(fits) {
                return Err(Fault::Option(field.name.to_owned(), "it is no name of a variable"));
            }
            match field.from {
                Part::Key => key = Some(names.len()),
                Part::Secret => secret = Some(names.len()),
                _ => {}
            }
            names.push(name);
            fields.push(field.name);
        }
        let beside = mapping.form.beside;
        Ok(Self {
            variables: Variables { names, beside },
            fields,
            key,
            secret,
        })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.variables.names
    }
}

impl Format {
    /// Whether a file with this content may be written to.
    pub(super) fn accepts(&self, held: Option<&Secret>) -> Result<(), Fault> {
        if let Self::AwsProfile(profile) = self {
            profile.check_other()?;
        }
        let text = held.map_or(Ok(""), as_text)?;
        match self.assignments(text) {
            Some(assignments) => assignments.map(|_| ()),
            None => match serde_json::from_str::<ProcessDocument<'_>>(text) {
                Ok(document) if document.version == 1 => Ok(()),
                _ if text.trim().is_empty() => Ok(()),
                _ => Err(Fault::Content(
                    "it exists and is not a credential_process document of version 1 with a long-term key alone",
                )),
            },
        }
    }

    /// The file with this credential in it and everything else as it was.
    pub(super) fn with(&self, before: Option<&Secret>, fields: &Fields) -> Result<Secret, Fault> {
        let values = self.values(fields)?;
        let text = before.map(as_text).transpose()?.unwrap_or_default();
        match (self.assignments(text), values.as_slice()) {
            (Some(assignments), values) => {
                let changes: Vec<_> = values.iter().map(|(name, value)| (*name, Some(*value))).collect();
                Ok(into_secret(assignments?.set(&changes)))
            }
            (None, [(_, access_key_id), (_, secret_access_key)]) => {
                let document = ProcessDocument {
                    version: 1,
                    access_key_id,
                    secret_access_key,
                };
                let mut bytes = Zeroizing::new(Vec::with_capacity(256));
                serde_json::to_writer_pretty(&mut *bytes, &document)
                    .map_err(|_| Fault::Content("the credential cannot be written as JSON"))?;
                bytes.push(b'\n');
                Ok(Secret::new(bytes.as_slice()))
            }
            (None, _) => Err(Fault::Content("the credential is no pair of a key's id and its secret")),
        }
    }

    /// The file as it is now, but with the credential that it had before.
    pub(super) fn without(&self, now: &Secret, before: Option<&Secret>) -> Result<Secret, Fault> {
        let earlier = before.map(as_text).transpose()?.unwrap_or_default();
        match (self.assignments(as_text(now)?), self.assignments(earlier)) {
            (Some(now), Some(earlier)) => {
                let earlier = earlier?;
                let put: Vec<_> = self
                    .names()
                    .into_iter()
                    .map(|name| (name, earlier.value(name)))
                    .collect();
                Ok(into_secret(now?.set(&put)))
            }
            _ => Ok(Secret::new(earlier)),
        }
    }

    /// Whether the file holds the same credential as it did before, whatever else has changed in it.
    pub(super) fn same_credential(&self, now: &Secret, before: Option<&Secret>) -> bool {
        let earlier = before.map_or(Ok(""), as_text);
        let (Ok(now), Ok(earlier)) = (as_text(now), earlier) else {
            return false;
        };
        match (self.assignments(now), self.assignments(earlier)) {
            (Some(Ok(now)), Some(Ok(earlier))) => self
                .names()
                .into_iter()
                .all(|name| now.value(name) == earlier.value(name)),
            _ => false,
        }
    }

    /// Whose credential the file holds.
    pub(super) fn key(&self, held: &Secret) -> Option<KeyId> {
        let text = as_text(held).ok()?;
        let id = match self.assignments(text) {
            Some(assignments) => assignments.ok()?.value(self.key_name()?)?,
            None => serde_json::from_str::<ProcessDocument<'_>>(text).ok()?.access_key_id,
        };
        KeyId::parse(id).ok()
    }

    /// Whether a key's name is in the file.
    pub(super) fn tells_key(&self) -> bool {
        self.key_name().is_some()
    }

    /// The secret alone that the file holds.
    pub(super) fn secret(&self, held: &Secret) -> Option<Secret> {
        let text = as_text(held).ok()?;
        let secret = match self.assignments(text) {
            Some(assignments) => assignments.ok()?.value(self.secret_name()?)?,
            None => {
                serde_json::from_str::<ProcessDocument<'_>>(text)
                    .ok()?
                    .secret_access_key
            }
        };
        (!secret.is_empty()).then(|| Secret::new(secret.as_bytes()))
    }

    /// Whether the file holds this credential.
    pub(super) fn holds(&self, held: &Secret, fields: &Fields) -> bool {
        let (Ok(text), Ok(values)) = (as_text(held), self.values(fields)) else {
            return false;
        };
        match (self.assignments(text), values.as_slice()) {
            (Some(Ok(assignments)), values) => values
                .iter()
                .all(|(name, value)| assignments.value(name) == Some(value)),
            (None, [(_, id), (_, secret)]) => serde_json::from_str::<ProcessDocument<'_>>(text)
                .is_ok_and(|document| document.access_key_id == *id && document.secret_access_key == *secret),
            _ => false,
        }
    }

    fn assignments<'a>(&'a self, text: &'a str) -> Option<Result<Assignments<'a>, Fault>> {
        match self {
            Format::CredentialProcess => None,
            Format::Dotenv(dotenv) => Some(dotenv::read(text, &dotenv.variables)),
            Format::AwsProfile(profile) => Some(profile.assignments(text)),
        }
    }

    /// What the file calls the fields that it holds. A document has no names that could be others.
    fn names(&self) -> Vec<&str> {
        match self {
            Format::Dotenv(dotenv) => dotenv.names().iter().map(String::as_str).collect(),
            Format::AwsProfile(_) | Format::CredentialProcess => vec![profile::ID, profile::SECRET],
        }
    }

    fn key_name(&self) -> Option<&str> {
        match self {
            Format::Dotenv(dotenv) => Some(dotenv.names().get(dotenv.key?)?),
            Format::AwsProfile(_) | Format::CredentialProcess => Some(profile::ID),
        }
    }

    fn secret_name(&self) -> Option<&str> {
        match self {
            Format::Dotenv(dotenv) => Some(dotenv.names().get(dotenv.secret?)?),
            Format::AwsProfile(_) | Format::CredentialProcess => Some(profile::SECRET),
        }
    }

    /// What goes into the file: each name with its value.
    fn values<'a>(&'a self, fields: &'a Fields) -> Result<Vec<(&'a str, &'a str)>, Fault> {
        let held: &[&'static str] = match self {
            Format::Dotenv(dotenv) => &dotenv.fields,
            Format::AwsProfile(_) | Format::CredentialProcess => &PAIR,
        };
        let pairs = self.names().into_iter().zip(held);
        pairs
            .map(|(name, field)| Ok((name, harmless(fields, field)?)))
            .collect()
    }
}

fn as_text(bytes: &Secret) -> Result<&str, Fault> {
    bytes.expose_text().ok_or(Fault::Content("it is not UTF-8 text"))
}

/// Text of letters that mean nothing to a shell, an INI reader or a JSON reader.
fn harmless<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, Fault> {
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-.~".contains(&byte);
    let value = fields.text(name).ok();
    value.filter(|text| text.bytes().all(is_harmless)).ok_or(Fault::Content(
        "the key or its secret has characters that no file format carries",
    ))
}

fn into_secret(text: Zeroizing<String>) -> Secret {
    Secret::new(text.as_bytes())
}
