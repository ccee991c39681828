//! All that this machine opens, and what it seals with.

use async_trait::async_trait;
use rotate_providers::secret::Secret;

use super::age::{AGE, AgeSealer};
use super::configured::{Method, SealWith, all};
use super::envelope::Envelope;
use super::form::Form;
use super::services::{self, Unknown, key_of};
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
    /// Keys of services that have sealed before, as whoever runs the command names them.
    before: Vec<Envelope>,
}

impl Keyring {
    /// Of the identity in the state folder alone.
    pub fn own(age: AgeSealer) -> Self {
        Self {
            age,
            service: None,
            before: Vec::new(),
        }
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
                service: Some(envelope(spelling)?),
                ..Self::own(age)
            }),
        }
    }

    /// The same, opening what these keys have sealed as well.
    pub fn and_before(mut self, keys: &[Method]) -> Result<Self, SealError> {
        for key in keys {
            // What was sealed to recipients is opened by whoever has an identity of one.
            if let Method::Service(spelling) = key {
                self.before.push(envelope(spelling)?);
            }
        }
        Ok(self)
    }

    /// What a store that several machines share remembers: one recipient stands there as it always has, and a key without those who ask
    /// for it, who may be others on each machine.
    pub fn remembered_as(&self) -> String {
        match &self.service {
            None if self.age.count() == 1 => self.age.recipient(),
            None => self.age.spelling(),
            Some(service) => service.key().to_owned(),
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

    /// What to say of a key that nobody has configured. It is not asked.
    fn not_ours(&self, by: &str) -> SealError {
        match envelope(by) {
            Ok(_) => SealError::OtherKey {
                by: key_of(by).to_owned(),
                own: self.told(),
            },
            Err(error) => error,
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
        if by.split_once(':').is_some_and(|(method, _)| method == AGE) {
            return self.age.open_form(&purpose.label(), &form);
        }
        // What stands there says which key, and never who logs in: whoever can write into the store would say it too.
        match self.service.iter().chain(&self.before).find(|service| service.is(by)) {
            Some(service) => service.open(purpose, made).await,
            None => Err(self.not_ours(by)),
        }
    }
}
