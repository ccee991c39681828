//! Who manages the keys: one login each, shared by all targets that ask for the same one.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use tokio::sync::{Mutex, OnceCell};

use super::Inputs;
use super::administrator::{Role, account_behind, assume, endpoint_of, forbidden_endpoint, host_of_iam, load};
use super::credentials::{self, Found};
use super::endpoint::EndpointGuard;
use super::https::{Bundle, Clients};
use super::profile::{Asked, By, Chain, Profiles, environment_has_keys};
use super::rate::{Rate, Rates};
use super::renewed::Renewed;
use crate::Access;
use crate::contract::Error;
use crate::untrusted::Sanitized;

/// How long a login is shared. An assumed role's own lasts for an hour, and a target's passage for minutes.
const SHARED_FOR: Duration = Duration::from_secs(15 * 60);

/// How long a target's passage takes at most, but for throttling.
const PASSAGE: Duration = Duration::from_secs(5 * 60);

/// One administrator, as a rotation needs them.
pub(super) struct Administrator {
    pub(super) config: SdkConfig,
    pub(super) iam: aws_sdk_iam::Client,
    /// The credentials that the program runs on: the role's, and those that it was assumed with.
    pub(super) callers: Vec<Credentials>,
    pub(super) path_style: bool,
    pub(super) rate: Rate,
    /// Where the credentials were found, as a phrase.
    pub(super) found_in: Sanitized,
    /// The host that keeps the users; `None` where it is this machine.
    pub(super) host: Option<String>,
    /// Who these credentials are, once AWS has told.
    pub(super) login: OnceCell<Sanitized>,
    /// Whether a person had to give a code for it.
    is_by_code: bool,
}

impl Administrator {
    /// Whether no credentials end before a target's passage would.
    fn outlasts_a_passage(&self) -> bool {
        let end = SystemTime::now() + PASSAGE;
        let ends = self.callers.iter().filter_map(Credentials::expiry);
        ends.into_iter().all(|expiry| expiry > end)
    }
}

/// How long a login that failed is not tried again: many targets ask for the same one, and each try may take its time.
const FAILED_FOR: Duration = Duration::from_secs(60);

/// What a login came to, and when; the lock makes those who come at the same time wait for the first.
type Login = Arc<Mutex<Option<(Instant, Result<Arc<Administrator>, Error>)>>>;

/// The administrators of one run, by what tells one login from another.
pub(super) struct Administrators {
    access: Access,
    http: Clients,
    rates: Rates,
    logins: std::sync::Mutex<HashMap<String, Login>>,
}

impl Administrators {
    pub(super) fn new(access: &Access, connector: &str) -> Self {
        Self {
            access: access.clone(),
            http: Clients::default(),
            rates: Rates::new(access.paces.of(connector)),
            logins: std::sync::Mutex::default(),
        }
    }

    /// The administrator that these inputs ask for.
    pub(super) async fn find(&self, login: String, inputs: &Inputs) -> Result<Arc<Administrator>, Error> {
        let login = {
            let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(logins.entry(login).or_default())
        };
        let mut login = login.lock().await;
        if let Some((since, known)) = &*login {
            let is_shared = match known {
                Ok(administrator) => {
                    (since.elapsed() < SHARED_FOR || administrator.is_by_code) && administrator.outlasts_a_passage()
                }
                Err(_) => since.elapsed() < FAILED_FOR,
            };
            if is_shared {
                return known.clone();
            }
        }
        let found = self.connect(inputs).await.map(Arc::new);
        *login = Some((Instant::now(), found.clone()));
        found
    }

    /// Finds the administrator's credentials the way every AWS tool does.
    async fn connect(&self, inputs: &Inputs) -> Result<Administrator, Error> {
        let asked = Asked::of(inputs, self.access.credentials)?;
        let profiles = Profiles::load(&asked).await?;
        if asked.by != By::Nobody && !profiles.has(&asked.name) {
            return Err(profiles.missing(&asked.name, asked.by).into());
        }
        // The environment's own keys go before a profile that is not the target's.
        let uses_profile = profiles.has(&asked.name) && (asked.by == By::Target || !environment_has_keys());
        let chain: Option<Chain<'_>> = uses_profile.then(|| profiles.chain(&asked.name)).transpose()?;
        let http = self.http.trusting(Bundle::asked_for(&profiles, &asked))?;
        let base = load(inputs, &asked, chain.as_ref(), &http).await?;
        if let Some(forbidden) = forbidden_endpoint(&base) {
            return Err(forbidden);
        }
        let lookup = credentials::Lookup {
            profiles: &profiles,
            asked: &asked,
            chain: chain.as_ref(),
            ask: self.access.ask,
        };
        let Found {
            base,
            callers,
            found_in,
        } = lookup.find(base, &http).await?;
        let is_by_code = chain.is_some_and(|chain| chain.second_factor.is_some());
        let mut callers = callers;
        let mut found_in = found_in;
        let config = match &inputs.assume_role {
            Some(role) => {
                let role = Role {
                    arn: role,
                    external_id: inputs.external_id.as_deref(),
                    session_name: None,
                    second_factor: None,
                };
                found_in = format!("role {}, assumed with {found_in}", role.arn);
                let assumed = assume(&base, role.clone()).await?;
                callers.push(assumed.clone());
                let provider = Renewed::source(&base, &role, assumed);
                base.into_builder().credentials_provider(provider).build()
            }
            None => base,
        };
        let rate = match self.rates.are_limited() {
            true => self.rates.of_account(&account_behind(&config).await?),
            false => Rate::unlimited(),
        };
        let iam = aws_sdk_iam::Client::from_conf(
            aws_sdk_iam::config::Builder::from(&config)
                .interceptor(EndpointGuard)
                .build(),
        );
        Ok(Administrator {
            // Emulators and gateways serve buckets by path; AWS by host name.
            path_style: endpoint_of(&config, "S3").is_some(),
            host: host_of_iam(&config).await,
            found_in: found_in.into(),
            login: OnceCell::new(),
            is_by_code,
            config,
            iam,
            callers,
            rate,
        })
    }
}
