//! What a credential looks like in a file, and what else may be in that file.

use rotate_providers::contract::KeyId;
use rotate_providers::secret::{Credential, Secret};
use rotate_providers::{PairForms, PasswordForm};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::assignments::Assignments;
use super::aws_files::ProfileIn;
use super::{Fault, dotenv, profile};

/// A file format.
pub(super) enum Format {
    /// What the AWS tools expect a `credential_process` to print. The file is ours alone.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>
    CredentialProcess,
    /// A secret among other variables, with its id where it has one, called as the connector has it.
    Dotenv(Variables),
    /// A profile among others.
    AwsProfile(ProfileIn),
}

/// What variables are called.
#[derive(Clone, Copy)]
pub(super) struct Variables {
    /// The one with the id; a password has none.
    pub(super) id: Option<&'static str>,
    /// The one with the secret.
    pub(super) secret: &'static str,
    /// Others that would make the two mean something else.
    pub(super) beside: &'static [&'static str],
}

impl Variables {
    /// Of an id and a secret.
    pub(super) fn of_pair(pair: PairForms) -> Self {
        Self {
            id: Some(pair.id),
            secret: pair.secret,
            beside: pair.beside,
        }
    }

    /// Of a secret alone.
    pub(super) fn of_password(form: PasswordForm) -> Self {
        Self {
            id: None,
            secret: form.name,
            beside: &[],
        }
    }
}

/// The document that a `credential_process` prints. Holds a secret: never printed, dropped at once.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ProcessDocument<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
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
    pub(super) fn with(&self, before: Option<&Secret>, credential: &Credential) -> Result<Secret, Fault> {
        let secret = secret_text(credential)?;
        let id = credential.key.as_str();
        let text = before.map(as_text).transpose()?.unwrap_or_default();
        match self.assignments(text) {
            Some(assignments) => {
                let names = self.names();
                let id = names.id.map(|name| (name, Some(id)));
                let changes: Vec<_> = id.into_iter().chain([(names.secret, Some(secret))]).collect();
                let changed = assignments?.set(&changes);
                Ok(into_secret(changed))
            }
            None => {
                let document = ProcessDocument {
                    version: 1,
                    access_key_id: id,
                    secret_access_key: secret,
                };
                let mut bytes = Zeroizing::new(Vec::with_capacity(256));
                serde_json::to_writer_pretty(&mut *bytes, &document)
                    .map_err(|_| Fault::Content("the credential cannot be written as JSON"))?;
                bytes.push(b'\n');
                Ok(Secret::new(bytes.as_slice()))
            }
        }
    }

    /// The file as it is now, but with the credential that it had before.
    pub(super) fn without(&self, now: &Secret, before: Option<&Secret>) -> Result<Secret, Fault> {
        let earlier = before.map(as_text).transpose()?.unwrap_or_default();
        match (self.assignments(as_text(now)?), self.assignments(earlier)) {
            (Some(now), Some(earlier)) => {
                let (names, earlier) = (self.names(), earlier?);
                let put = |name| (name, earlier.value(name));
                let changes: Vec<_> = names.all().map(put).collect();
                Ok(into_secret(now?.set(&changes)))
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
            (Some(Ok(now)), Some(Ok(earlier))) => {
                let same = |name| now.value(name) == earlier.value(name);
                self.names().all().all(same)
            }
            _ => false,
        }
    }

    /// Whose credential the file holds.
    pub(super) fn key(&self, held: &Secret) -> Option<KeyId> {
        let text = as_text(held).ok()?;
        let id = match self.assignments(text) {
            Some(assignments) => assignments.ok()?.value(self.names().id?)?,
            None => serde_json::from_str::<ProcessDocument<'_>>(text).ok()?.access_key_id,
        };
        KeyId::parse(id).ok()
    }

    /// The secret alone that the file holds.
    pub(super) fn secret(&self, held: &Secret) -> Option<Secret> {
        let text = as_text(held).ok()?;
        let secret = match self.assignments(text) {
            Some(assignments) => assignments.ok()?.value(self.names().secret)?,
            None => {
                serde_json::from_str::<ProcessDocument<'_>>(text)
                    .ok()?
                    .secret_access_key
            }
        };
        (!secret.is_empty()).then(|| Secret::new(secret.as_bytes()))
    }

    /// Whether the file holds this credential.
    pub(super) fn holds(&self, held: &Secret, credential: &Credential) -> bool {
        let (Ok(text), Ok(secret)) = (as_text(held), secret_text(credential)) else {
            return false;
        };
        let id = credential.key.as_str();
        match self.assignments(text) {
            Some(Ok(assignments)) => {
                let names = self.names();
                let is_named = names.id.is_none_or(|name| assignments.value(name) == Some(id));
                is_named && assignments.value(names.secret) == Some(secret)
            }
            Some(Err(_)) => false,
            None => serde_json::from_str::<ProcessDocument<'_>>(text)
                .is_ok_and(|document| document.access_key_id == id && document.secret_access_key == secret),
        }
    }

    fn assignments<'a>(&'a self, text: &'a str) -> Option<Result<Assignments<'a>, Fault>> {
        match self {
            Format::CredentialProcess => None,
            Format::Dotenv(names) => Some(dotenv::read(text, names)),
            Format::AwsProfile(profile) => Some(profile.assignments(text)),
        }
    }

    fn names(&self) -> Names {
        match self {
            Format::Dotenv(names) => Names {
                id: names.id,
                secret: names.secret,
            },
            // A document has no names that could be others.
            Format::AwsProfile(_) | Format::CredentialProcess => Names {
                id: Some(profile::ID),
                secret: profile::SECRET,
            },
        }
    }
}

struct Names {
    id: Option<&'static str>,
    secret: &'static str,
}

impl Names {
    fn all(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.id.into_iter().chain([self.secret])
    }
}

fn as_text(bytes: &Secret) -> Result<&str, Fault> {
    bytes.expose_text().ok_or(Fault::Content("it is not UTF-8 text"))
}

fn secret_text(credential: &Credential) -> Result<&str, Fault> {
    // Letters that mean nothing to a shell, an INI reader or a JSON reader.
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-.~".contains(&byte);
    let fits = |text: &&str| !text.is_empty() && text.bytes().all(harmless);
    let secret = credential.secret.expose_text().filter(fits);
    match secret {
        Some(secret) if fits(&credential.key.as_str()) => Ok(secret),
        _ => Err(Fault::Content(
            "the key or its secret has characters that no file format carries",
        )),
    }
}

fn into_secret(text: Zeroizing<String>) -> Secret {
    Secret::new(text.as_bytes())
}
