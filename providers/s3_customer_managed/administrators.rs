//! Who manages the keys: one login each, shared by all targets that ask for the same one.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider as Tls;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Mutex;

use super::Inputs;
use super::administrator::{account_behind, assume, credentials, endpoint_of, forbidden_endpoint, load};
use super::endpoint::EndpointGuard;
use super::rate::{Rate, Rates};
use crate::contract::Error;

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
}

impl Administrator {
    /// Whether no credentials end before a target's passage would.
    fn outlasts_a_passage(&self) -> bool {
        let end = SystemTime::now() + PASSAGE;
        let ends = self.callers.iter().filter_map(Credentials::expiry);
        ends.into_iter().all(|expiry| expiry > end)
    }
}

/// What tells one administrator from another.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Identity {
    profile: Option<String>,
    assume_role: Option<String>,
    external_id: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
}

impl Identity {
    fn of(inputs: &Inputs) -> Self {
        Self {
            profile: inputs.profile.clone(),
            assume_role: inputs.assume_role.clone(),
            external_id: inputs.external_id.clone(),
            region: inputs.region.clone(),
            endpoint_url: inputs.endpoint_url.clone(),
        }
    }
}

/// How long a login that failed is not tried again: many targets ask for the same one, and each try may take its time.
const FAILED_FOR: Duration = Duration::from_secs(60);

/// What a login came to, and when; the lock makes those who come at the same time wait for the first.
type Login = Arc<Mutex<Option<(Instant, Result<Arc<Administrator>, Error>)>>>;

/// The administrators of one run.
pub(crate) struct Administrators {
    http: SharedHttpClient,
    rates: Rates,
    logins: std::sync::Mutex<HashMap<Identity, Login>>,
}

impl Administrators {
    pub(crate) fn new(calls_per_second: Option<NonZeroU32>) -> Self {
        Self {
            http: http_client(),
            rates: Rates::new(calls_per_second),
            logins: std::sync::Mutex::default(),
        }
    }

    /// The administrator that these inputs ask for.
    pub(super) async fn find(&self, inputs: &Inputs) -> Result<Arc<Administrator>, Error> {
        let login = {
            let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(logins.entry(Identity::of(inputs)).or_default())
        };
        let mut login = login.lock().await;
        if let Some((since, known)) = &*login {
            let is_shared = match known {
                Ok(administrator) => since.elapsed() < SHARED_FOR && administrator.outlasts_a_passage(),
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
        let base = load(inputs, &self.http).await;
        if let Some(forbidden) = forbidden_endpoint(&base) {
            return Err(forbidden);
        }
        let mut callers = vec![credentials(&base, inputs.profile.as_deref()).await?];
        let config = match &inputs.assume_role {
            Some(role) => {
                let assumed = assume(&base, role, inputs.external_id.as_deref()).await?;
                callers.push(assumed.clone());
                let provider = SharedCredentialsProvider::new(assumed);
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
            config,
            iam,
            callers,
            rate,
        })
    }
}

/// The SDK's own HTTPS client, made once: each of its clients would otherwise open connections of its own.
fn http_client() -> SharedHttpClient {
    let client = Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default().tls_provider(Tls::Rustls(CryptoMode::AwsLc));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    });
    SharedHttpClient::new(MadeOnce(client))
}

/// The same client, without what it does for each client of a service: it would read the system's certificates again, only
/// to see that they can be read.
#[derive(Debug)]
struct MadeOnce(SharedHttpClient);

impl HttpClient for MadeOnce {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }
}
