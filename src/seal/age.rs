//! Sealing with age: to X25519 recipients, of which one is this machine.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use age::{Decryptor, Encryptor};
use async_trait::async_trait;
use rotate_providers::secret::Secret;
use rotate_providers::secret_from::SecretFrom;
use zeroize::Zeroizing;

use super::form::{Form, written};
use super::{Purpose, SealError, Sealer};
use crate::private_file::{self, Place};

/// An identity is one line of 74 letters, and people have remarks beside it.
const LARGEST: u64 = 4096;
/// What age's own buffer holds.
const CHUNK: usize = 64 * 1024;
/// So many may open what is sealed at most: what is sealed says to whom, in one line.
const MOST: usize = 100;
/// How its spelling begins.
pub(super) const AGE: &str = "age";

/// Seals to its recipients, and opens with the identities that are here.
pub struct AgeSealer {
    identities: Vec<Identity>,
    to: Recipients,
}

/// To whom it is sealed: each once, in one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipients(BTreeMap<String, Recipient>);

impl Recipients {
    /// Understands these; what is wrong with one is told.
    pub(super) fn of<'t>(all: impl IntoIterator<Item = &'t str>) -> Result<Self, String> {
        let mut known = BTreeMap::new();
        for text in all {
            let recipient: Recipient = text.parse().map_err(|_| not_a_recipient(text))?;
            known.insert(recipient.to_string(), recipient);
        }
        if known.len() > MOST {
            return Err(format!("it names {} recipients, and {MOST} is the most", known.len()));
        }
        match known.is_empty() {
            true => Err(
                "it names no recipient: write age1… of each machine, and one whose identity is kept offline".to_owned(),
            ),
            false => Ok(Self(known)),
        }
    }

    pub(super) fn of_identities(identities: &[Identity]) -> Self {
        let each = identities.iter().map(Identity::to_public);
        Self(each.map(|recipient| (recipient.to_string(), recipient)).collect())
    }

    pub(super) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// A file of age, as its own tools read it: the label, a zero byte and the secret.
    pub(super) fn encrypt(&self, label: &str, secret: &Secret) -> Result<Vec<u8>, SealError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(label.len() + 1 + secret.expose().len()));
        plain.extend_from_slice(label.as_bytes());
        plain.push(0);
        plain.extend_from_slice(secret.expose());
        let to = self.0.values().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(to).map_err(|_| SealError::Seal)?;
        let mut sealed = Vec::with_capacity(plain.len() + 1024);
        let written = encryptor.wrap_output(&mut sealed).and_then(|mut writer| {
            writer.write_all(&plain)?;
            writer.finish()
        });
        let outcome = written.map(drop).map_err(|_| SealError::Seal);
        overwrite_freed_chunk();
        outcome.map(|()| sealed)
    }

    fn has_one_of(&self, others: &Self) -> bool {
        others.0.keys().any(|own| self.0.contains_key(own))
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// As the configuration spells them.
    pub(super) fn written(&self) -> String {
        let all: Vec<&str> = self.0.keys().map(String::as_str).collect();
        all.join(",")
    }
}

/// What was pasted there by mistake is not shown: it may be an identity.
fn not_a_recipient(text: &str) -> String {
    match text.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("AGE-SECRET-KEY-")) {
        true => "this is an identity, which is a secret: take it out, make another one, and write the recipient that belongs to it \
                 (age-keygen -y)"
            .to_owned(),
        false => "write recipients as age-keygen prints them, age1…, separated by commas; other kinds are not taken".to_owned(),
    }
}

impl AgeSealer {
    /// Seals to the identity of this path alone.
    pub fn open(path: &Path) -> Result<Self, SealError> {
        Self::open_at(&of(path)?)
    }

    /// The same, in a folder that is open.
    pub fn open_at(place: &Place) -> Result<Self, SealError> {
        let refused = |source| SealError::File {
            path: place.path().display().to_string(),
            source,
        };
        let failed = |why: &str| SealError::Identity {
            path: place.path().display().to_string(),
            why: why.to_owned(),
        };
        let Some(found) = private_file::open_own(place).map_err(refused)? else {
            return Err(failed("it is not there"));
        };
        let bytes = Secret::new(found.bytes(LARGEST).map_err(refused)?);
        let identities = understood(&bytes).map_err(|why| failed(&why))?;
        Ok(Self::to_its_own(identities))
    }

    /// Makes a new identity at this path, durably, and never over an existing one.
    pub fn create(path: &Path) -> Result<Self, SealError> {
        Self::create_at(&of(path)?)
    }

    /// The same, in a folder that is open.
    pub fn create_at(place: &Place) -> Result<Self, SealError> {
        let identity = Identity::generate();
        let text = identity.to_string();
        private_file::create(place, text.expose_secret().as_bytes()).map_err(|source| SealError::File {
            path: place.path().display().to_string(),
            source,
        })?;
        Ok(Self::to_its_own(vec![identity]))
    }

    /// The identities of another place.
    pub(super) fn handed(from: &SecretFrom) -> Result<Self, SealError> {
        let failed = |why: String| SealError::Identity {
            path: format!("in {from}"),
            why,
        };
        let text = from.read().map_err(failed)?;
        understood(&text).map(Self::to_its_own).map_err(failed)
    }

    /// A new one, which whoever asks for it keeps: its recipient, and itself as text.
    pub(super) fn generate() -> (Recipients, Secret) {
        let identity = Identity::generate();
        let text = Secret::new(identity.to_string().expose_secret().as_bytes());
        (Recipients::of_identities(&[identity]), text)
    }

    /// The same one again.
    pub(super) fn of_text(text: &Secret) -> Result<Self, SealError> {
        understood(text).map(Self::to_its_own).map_err(|_| SealError::Open)
    }

    /// Nobody, who opens nothing.
    pub(super) fn nobody() -> Self {
        Self::to_its_own(Vec::new())
    }

    fn to_its_own(identities: Vec<Identity>) -> Self {
        let to = Recipients::of_identities(&identities);
        Self { identities, to }
    }

    /// With the identities of both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.identities.extend(other.identities);
        Self::to_its_own(self.identities)
    }

    /// The same identities, sealing to these. What it seals it has to be able to open.
    pub(super) fn sealing_to(self, to: Recipients) -> Result<Self, SealError> {
        let own = Recipients::of_identities(&self.identities);
        if !to.has_one_of(&own) {
            return Err(SealError::NotARecipient {
                own: own.written(),
                named: to.written(),
            });
        }
        Ok(Self { to, ..self })
    }

    /// To whom it seals: no secret.
    pub fn recipient(&self) -> String {
        self.to.written()
    }

    /// Whom this machine's identities belong to.
    pub(super) fn own(&self) -> String {
        Recipients::of_identities(&self.identities).written()
    }

    /// To how many it seals.
    pub(super) fn count(&self) -> usize {
        self.to.count()
    }

    /// As the configuration spells it.
    pub(super) fn spelling(&self) -> String {
        format!("{AGE}:{}", self.to.written())
    }

    /// What such a file holds for this label.
    pub(super) fn decrypt(&self, label: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let decryptor = Decryptor::new_buffered(sealed).map_err(|_| SealError::Open)?;
        let identities = self.identities.iter().map(|identity| identity as &dyn age::Identity);
        let mut reader = decryptor.decrypt(identities).map_err(|_| SealError::Open)?;
        // It is never moved: what is in it is shorter than what is around it.
        let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
        reader.read_to_end(&mut plain).map_err(|_| SealError::Open)?;
        let secret = plain
            .strip_prefix(label.as_bytes())
            .and_then(|rest| rest.strip_prefix(&[0]))
            .ok_or(SealError::Label)?;
        Ok(Secret::new(secret))
    }

    /// What one of its own kind has sealed, said or not.
    pub(super) fn open_form(&self, label: &str, form: &Form<'_>) -> Result<Secret, SealError> {
        match form {
            Form::Unsaid(made) => self.decrypt(label, made),
            Form::Said { by, made } => self.decrypt(label, made).map_err(|error| match error {
                SealError::Open if !self.is_among(by) => SealError::Foreign {
                    by: (*by).to_owned(),
                    own: self.named(),
                },
                error => error,
            }),
        }
    }

    fn is_among(&self, by: &str) -> bool {
        let named = by.split_once(':').map(|(_, named)| named.split(','));
        let own = Recipients::of_identities(&self.identities);
        named.is_some_and(|named| Recipients::of(named).is_ok_and(|named| named.has_one_of(&own)))
    }

    fn named(&self) -> String {
        match self.identities.is_empty() {
            true => "no identity".to_owned(),
            false => format!("the identity of {}", self.own()),
        }
    }
}

/// age's writer frees the buffer in which it has gathered the plain text, and does not wipe it. The next buffer of its size is the
/// same memory.
fn overwrite_freed_chunk() {
    std::hint::black_box(vec![0xff_u8; CHUNK]);
}

/// One identity a line, and lines that begin with # beside them, as age-keygen writes them. Nothing of it is shown.
fn understood(text: &Secret) -> Result<Vec<Identity>, String> {
    let text = text.expose_text().ok_or_else(|| "it is not text".to_owned())?;
    let lines = text.lines().zip(1..).map(|(line, number)| (line.trim(), number));
    let told = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    let identities: Vec<Identity> = told
        .map(|(line, number)| {
            let parsed = line.parse::<Identity>();
            parsed.map_err(|why| format!("line {number} is no X25519 identity as age-keygen writes it ({why})"))
        })
        .collect::<Result<_, _>>()?;
    match identities.is_empty() {
        true => Err("there is no identity in it".to_owned()),
        false => Ok(identities),
    }
}

fn of(path: &Path) -> Result<Place, SealError> {
    Place::of(path).map_err(|unfit| SealError::File {
        path: path.display().to_string(),
        source: unfit.into(),
    })
}

#[async_trait]
impl Sealer for AgeSealer {
    /// It needs nobody.
    async fn prepare(&self, _purpose: &Purpose<'_>) -> Result<(), SealError> {
        Ok(())
    }

    async fn seal(&self, purpose: &Purpose<'_>, secret: &Secret) -> Result<Vec<u8>, SealError> {
        let made = self.to.encrypt(&purpose.label(), secret)?;
        Ok(written(&self.spelling(), &made))
    }

    async fn open(&self, purpose: &Purpose<'_>, sealed: &[u8]) -> Result<Secret, SealError> {
        self.open_form(&purpose.label(), &Form::of(sealed)?)
    }
}

#[cfg(test)]
mod tests;
