//! The administrator's configuration and role, and where the calls go.

use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_iam::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::ServiceConfigKey;

use super::Inputs;
use super::bounds::check_source;
use super::endpoint::EndpointGuard;
use super::failure::{incomplete, malformed, translate};
use super::form;
use super::partition::home_region;
use super::profile::{Asked, By, Chain, variable};
use crate::call::{Call, configuration, local};
use crate::contract::{Error, Kind};
use crate::endpoint::{ForbiddenEndpoint, check_endpoint, remote_host};
use crate::environment;
use crate::fault::Fault;
use crate::patience::patiently;

/// No call is waited for any longer.
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(30);

/// The services that get a secret, or give one.
const SERVICES: [&str; 5] = ["IAM", "STS", "S3", "SSO", "SSO OIDC"];

/// The variables that say where a machine's own credentials are.
const SOURCES: [&str; 2] = [
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
];

const ASSUME_ROLE: Call = Call::read("sts:AssumeRole");
pub(super) const WHO_AM_I: Call = Call::read("sts:GetCallerIdentity");

/// The configuration that the inputs, the profile and the environment ask for, as yet with the SDK's own credentials.
pub(super) async fn load(
    inputs: &Inputs,
    asked: &Asked,
    chain: Option<&Chain<'_>>,
    http: &SharedHttpClient,
) -> Result<SdkConfig, Error> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts());
    if asked.by != By::Nobody {
        loader = loader.profile_name(&asked.name);
    }
    if let Some(region) = &inputs.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &inputs.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    let config = loader.load().await;
    if let Some(found) = config.region().map(|region| region.as_ref().to_owned()) {
        return Ok(with_region(config, &found)?);
    }
    // IAM is one for all regions of a partition, and a role says in which one it is.
    let role = inputs.assume_role.as_deref().or(chain.and_then(|chain| chain.role));
    let region = match role {
        None => "us-east-1",
        Some(role) => home_region(role).ok_or_else(|| {
            let detail = format!("role {role} is in a partition of AWS whose regions rotate does not know");
            configuration(
                "find the region",
                format!("{detail}: give one with --region, or as region"),
            )
        })?,
    };
    Ok(config.into_builder().region(Region::new(region)).build())
}

/// The region becomes a part of a host's name, so it has to be one; what was mounted has a line break at its end.
fn with_region(config: SdkConfig, found: &str) -> Result<SdkConfig, Fault> {
    let bare = environment::trimmed("the region", found.to_owned());
    let region = form::region(&bare).ok_or_else(|| {
        let detail = "what --region, AWS_REGION, AWS_DEFAULT_REGION or the profile names is no region: it has letters, digits \
                      and hyphens alone, such as eu-central-1";
        Fault::new("find the region", detail)
    })?;
    Ok(config.into_builder().region(Region::new(region)).build())
}

pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_timeout(LONGEST_CALL)
        .build()
}

/// A role, and what assuming it takes.
#[derive(Clone)]
pub(super) struct Role<'a> {
    pub(super) arn: &'a str,
    pub(super) external_id: Option<&'a str>,
    pub(super) session_name: Option<&'a str>,
    /// The device, and the code that it shows.
    pub(super) second_factor: Option<(&'a str, String)>,
}

/// The credentials of this role, for an hour.
pub(super) async fn assume(base: &SdkConfig, role: Role<'_>) -> Result<Credentials, Error> {
    let sts = sts(base);
    let action = || format!("assume role {}", role.arn);
    let (serial, code) = role.second_factor.unzip();
    let assuming = async || {
        let request = sts
            .assume_role()
            .role_arn(role.arn)
            .role_session_name(role.session_name.unwrap_or("rotate"))
            .set_external_id(role.external_id.map(str::to_owned))
            .set_serial_number(serial.map(str::to_owned))
            .set_token_code(code.clone());
        request.send().await.map_err(|e| translate(ASSUME_ROLE, action(), &e))
    };
    // A code is good for one try.
    let reply = match code {
        Some(_) => ASSUME_ROLE.traced(assuming()).await.map_err(|error| Error {
            detail: match error.kind {
                Kind::Denied { .. } => {
                    "the one-time code was wrong or used before, or the role does not let the caller in".into()
                }
                _ => error.detail,
            },
            ..error
        }),
        None => patiently(ASSUME_ROLE, assuming).await,
    }?;
    let issued = reply
        .credentials
        .ok_or_else(|| incomplete(ASSUME_ROLE, action(), "any credentials"))?;
    let token = Some(issued.session_token);
    let expiry = SystemTime::try_from(issued.expiration).ok();
    let assumed = Credentials::new(
        issued.access_key_id,
        issued.secret_access_key,
        token,
        expiry,
        "the assumed role",
    );
    form::login(assumed).map_err(|_| malformed(ASSUME_ROLE, action(), "credentials"))
}

/// Who these credentials are.
pub(super) async fn who_am_i(config: &SdkConfig) -> Result<GetCallerIdentityOutput, Error> {
    let sts = sts(config);
    patiently(WHO_AM_I, async || {
        let sent = sts.get_caller_identity().send().await;
        sent.map_err(|e| translate(WHO_AM_I, "ask AWS who is calling".to_owned(), &e))
    })
    .await
}

/// The host that keeps the users: the one that is configured, else the partition's own; `None` where it is this machine.
pub(super) async fn host_of_iam(config: &SdkConfig) -> Option<String> {
    let url = match endpoint_of(config, "IAM") {
        Some(url) => url,
        None => {
            let region = config.region().map(|region| region.as_ref().to_owned());
            let params = Params::builder().set_region(region).build().ok()?;
            let endpoint = DefaultResolver::new().resolve_endpoint(&params).await.ok()?;
            endpoint.url().to_owned()
        }
    };
    remote_host(&url::Url::parse(&url).ok()?)
}

/// The account that these credentials lead to.
pub(super) async fn account_behind(config: &SdkConfig) -> Result<String, Error> {
    let account = who_am_i(config).await?.account.as_deref().and_then(form::account);
    account.ok_or_else(|| incomplete(WHO_AM_I, "ask AWS which account this is".to_owned(), "an account"))
}

fn sts(config: &SdkConfig) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::config::Builder::from(config).interceptor(EndpointGuard);
    aws_sdk_sts::Client::from_conf(config.build())
}

/// Where the calls to this service would go, unless to AWS: the SDK takes endpoints from flags, the environment and
/// profiles, for all services or for one.
pub(super) fn endpoint_of(config: &SdkConfig, service: &'static str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = config.service_config().and_then(|loader| loader.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// The first configured endpoint that no key may be sent to, or be fetched from.
pub(super) fn forbidden_endpoint(config: &SdkConfig) -> Option<Error> {
    let forbidden =
        |action: String, why: ForbiddenEndpoint| Some(local(Kind::ForbiddenEndpoint, &action, why.to_string()));
    let of_services = SERVICES.into_iter().find_map(|service| {
        let of_all = config.endpoint_url().map(str::to_owned);
        let mut endpoints = of_all.into_iter().chain(endpoint_of(config, service));
        let why = endpoints.find_map(|endpoint| check_endpoint(&endpoint).err())?;
        forbidden(format!("use the endpoint that is configured for {service}"), why)
    });
    let mut of_credentials = SOURCES.into_iter().filter_map(|name| {
        let why = check_source(&variable(name)?).err()?;
        forbidden(format!("fetch credentials from where {name} says"), why)
    });
    of_services.or_else(|| of_credentials.next())
}
