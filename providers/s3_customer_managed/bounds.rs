//! What every request of the SDK and every answer to one has to keep to, whichever of its clients makes it: those of the
//! services, and those that look for credentials.
//!
//! The SDK follows no redirects and unpacks nothing, so an answer is no longer than what is received.

use std::fmt;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use url::{Host, Url};

use crate::endpoint::{check_endpoint, is_loopback};

/// The longest answer. Lists of keys have some kilobytes, and a bucket's policy at most twenty.
const LONGEST_ANSWER: usize = 1 << 20;

/// Where a machine asks for its own credentials: instance metadata, ECS and EKS. Links end at the machine's own host, so
/// plain http is safe there, and a proxy would be somebody else. Source:
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>.
const OWN_MACHINE: [&str; 5] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::23",
    "fd00:ec2::254",
];

/// Whether credentials may be fetched from this URL.
pub(super) fn check_source(url: &str) -> Result<(), crate::endpoint::ForbiddenEndpoint> {
    match Url::parse(url) {
        Ok(url) if is_own_machine(&url) => Ok(()),
        _ => check_endpoint(url),
    }
}

fn is_own_machine(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(Host::Domain(_)) | None => return false,
    };
    url.scheme() == "http" && OWN_MACHINE.contains(&address.as_str())
}

/// The SDK's client: through the proxy that the environment names, and to this machine without.
///
/// Neither is asked whether it can be made for each client of a service: it would read the system's certificates again,
/// only to see that they can be read.
#[derive(Debug)]
pub(super) struct Bounded {
    pub(super) proxied: SharedHttpClient,
    pub(super) direct: SharedHttpClient,
}

impl HttpClient for Bounded {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            proxied: self.proxied.clone(),
            direct: self.direct.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

/// The connections that one client of a service asks for; they are shared by all that ask for the same ones.
struct Connector {
    proxied: SharedHttpClient,
    direct: SharedHttpClient,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Err(forbidden) = check_source(request.uri()) {
            return HttpConnectorFuture::ready(Err(ConnectorError::user(forbidden.into())));
        }
        let is_here = Url::parse(request.uri()).is_ok_and(|url| is_loopback(&url) || is_own_machine(&url));
        let client = if is_here { &self.direct } else { &self.proxied };
        let answer = client.http_connector(&self.settings, &self.components).call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            Ok(answer.map(|body| SdkBody::from_body_1_x(Limited::new(body, LONGEST_ANSWER))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::check_source;

    #[test]
    fn credentials_come_over_https_or_from_this_machine() {
        for good in [
            "https://portal.sso.us-east-1.amazonaws.com/federation/credentials",
            "http://127.0.0.1:8080/creds",
            "http://localhost/creds",
            "http://169.254.169.254/latest/api/token",
            "http://169.254.170.2/v2/credentials",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::254]/latest/api/token",
            "http://[fd00:ec2::23]/v1/credentials",
        ] {
            assert!(check_source(good).is_ok(), "{good}");
        }
        for bad in [
            "http://169.254.169.253/",
            "http://169.254.169.254.evil.example/",
            "http://169.254.169.254@evil.example/",
            "http://user:word@169.254.169.254.evil.example/",
            "http://[fd00:ec2::253]/",
            "http://[fe80::1]/",
            "http://metadata.google.internal/",
            "http://10.0.0.1/creds",
            "http://0.0.0.0/creds",
            "http://portal.sso.us-east-1.amazonaws.com/",
            "ftp://169.254.169.254/",
        ] {
            assert!(check_source(bad).is_err(), "{bad}");
        }
    }
}
