//! All that this machine opens, and what it seals with.

use async_trait::async_trait;
use rotate_providers::secret::Secret;

use super::age::{AGE, AgeSealer};
use super::configured::{Method, SealWith, all};
use super::envelope::Envelope;
use super::form::Form;
use super::services::{self, Unknown};
use super::{Purpose, SealError, Sealer};

/// What is sealed to find out whether it can be opened again.
const PROBE: Purpose<'static> = Purpose {
    target: "rotate-doctor",
    rotation: "probe",
    name: "probe",
};

/// Seals in one way, and opens whatever was sealed in any that is still there.
pub struct Keyring {
    /// The identities of this machine, which seal where nothing else does.
    age: AgeSealer,
    /// The key of a service that seals.
    service: Option<Envelope>,
}

impl Keyring {
    /// Of the identity in the state folder alone.
    pub fn own(age: AgeSealer) -> Self {
        Self { age, service: None }
    }

    /// As the configuration says, with the identity in the state folder where there is one. What it would seal it has to be able to
    /// open, as far as that can be known without asking anybody.
    pub fn configured(with: &SealWith, own: Option<AgeSealer>) -> Result<Self, SealError> {
        let handed = with.identity.as_ref().map(AgeSealer::handed).transpose()?;
        let has_one = own.is_some() || handed.is_some();
        let age = [handed, own]
            .into_iter()
            .flatten()
            .fold(AgeSealer::nobody(), AgeSealer::and);
        match &with.method {
            Method::Age(..) if !has_one => Err(SealError::Identity {
                path: "of this machine".to_owned(),
                why: "none is named, and there is none in the state folder".to_owned(),
            }),
            Method::Age(named, files) => {
                let to = all(named.clone(), files)?;
                Ok(Self::own(age.sealing_to(to)?))
            }
            Method::Service(spelling) => Ok(Self {
                age,
                service: Some(envelope(spelling)?),
            }),
        }
    }

    /// By what it seals, as the configuration spells that.
    pub fn spelling(&self) -> String {
        match &self.service {
            Some(service) => service.spelling().to_owned(),
            None => self.age.spelling(),
        }
    }

    /// What a store that several machines share remembers: one recipient stands there as it always has.
    pub fn remembered_as(&self) -> String {
        match &self.service {
            None if self.age.count() == 1 => self.age.recipient(),
            _ => self.spelling(),
        }
    }

    /// By what it seals, in a person's words.
    pub fn told(&self) -> String {
        match &self.service {
            Some(service) => service.spelling().to_owned(),
            None => match self.age.count() {
                1 => format!("age, to {} alone", self.age.recipient()),
                count => format!(
                    "age, to {count} recipients, of which this machine is {}",
                    self.age.own()
                ),
            },
        }
    }

    /// Whether this was sealed as it would be sealed now.
    pub fn has_sealed(&self, sealed: &[u8]) -> bool {
        Form::of(sealed).is_ok_and(|form| match (&self.service, form.by()) {
            (_, None) => false,
            (Some(service), Some(by)) => service.is(by),
            (None, Some(by)) => self.age.spelling() == by,
        })
    }

    /// Seals a value that is no secret, and opens it again: whether what is sealed from now on can be opened here.
    pub async fn prove(&self) -> Result<(), SealError> {
        let value = Secret::new("a value that is no secret");
        let sealed = self.seal(&PROBE, &value).await?;
        match self.open(&PROBE, &sealed).await?.expose() == value.expose() {
            true => Ok(()),
            false => Err(SealError::Open),
        }
    }
}

fn envelope(spelling: &str) -> Result<Envelope, SealError> {
    match services::parse(spelling) {
        Ok(service) => Ok(Envelope::of(service)),
        Err(Unknown::NotBuilt(feature)) => Err(SealError::NotBuilt(feature)),
        // A later version may know it.
        Err(Unknown::Service) => Err(SealError::Newer),
        Err(Unknown::Key(_)) => Err(SealError::Open),
    }
}

#[async_trait]
impl Sealer for Keyring {
    async fn prepare(&self, purpose: &Purpose<'_>) -> Result<(), SealError> {
        match &self.service {
            Some(service) => service.prepare(purpose).await,
            None => self.age.prepare(purpose).await,
        }
    }

    async fn seal(&self, purpose: &Purpose<'_>, secret: &Secret) -> Result<Vec<u8>, SealError> {
        match &self.service {
            Some(service) => service.seal(purpose, secret).await,
            None => self.age.seal(purpose, secret).await,
        }
    }

    async fn open(&self, purpose: &Purpose<'_>, sealed: &[u8]) -> Result<Secret, SealError> {
        let form = Form::of(sealed)?;
        let Form::Said { by, made } = form else {
            return self.age.open_form(&purpose.label(), &form);
        };
        match &self.service {
            _ if by.split_once(':').is_some_and(|(method, _)| method == AGE) => {
                self.age.open_form(&purpose.label(), &form)
            }
            // As the configuration logs in today.
            Some(service) if service.is(by) => service.open(purpose, made).await,
            // Whoever can write into the store could name a key of their own there, and gain no more than by sealing to our
            // recipients: those are no secret.
            _ => envelope(by)?.open(purpose, made).await,
        }
    }
}
