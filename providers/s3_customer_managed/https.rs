//! The SDK's own HTTPS client, made once for each set of authorities that it trusts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider as Tls, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::bounds::Bounded;
use super::profile::{Asked, Profiles, variable};
use crate::authorities::{self, LARGEST};
use crate::fault::Fault;
use crate::inputs::expanded;
use crate::regular::Regular;

/// The clients of one run: each would otherwise open connections of its own.
#[derive(Default)]
pub(super) struct Clients(Mutex<HashMap<Option<PathBuf>, SharedHttpClient>>);

impl Clients {
    /// The client that trusts the authorities of this file alone, or those of the system.
    pub(super) fn trusting(&self, bundle: Option<Bundle>) -> Result<SharedHttpClient, Fault> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        authorities::check()?;
        let path = bundle.as_ref().map(|bundle| bundle.path.clone());
        if let Some(client) = known.get(&path) {
            return Ok(client.clone());
        }
        if bundle.is_none() {
            look_at_the_systems_own()?;
        }
        let trust = match bundle {
            Some(bundle) => TrustStore::empty().with_pem_certificate(bundle.read()?),
            None => TrustStore::default(),
        };
        let made = client(trust)?;
        known.insert(path, made.clone());
        Ok(made)
    }
}

/// A client of its own, which trusts the system's authorities, and those of this file beside them.
pub(super) fn trusting_also(file: Option<&Path>) -> Result<SharedHttpClient, Fault> {
    authorities::check()?;
    look_at_the_systems_own()?;
    let bundle = file.map(|path| Bundle {
        path: path.to_owned(),
        named_by: "the ca_file".to_owned(),
    });
    let trust = TrustStore::default();
    client(match bundle {
        Some(bundle) => trust.with_pem_certificate(bundle.read()?),
        None => trust,
    })
}

/// A file of certificates, and what names it.
pub(super) struct Bundle {
    path: PathBuf,
    named_by: String,
}

impl Bundle {
    /// As botocore looks for it: the variable, the profile, and then what Python's HTTP libraries share.
    pub(super) fn asked_for(profiles: &Profiles, asked: &Asked) -> Option<Self> {
        let named = |path: String, named_by: String| Self {
            path: expanded(Path::new(&path)),
            named_by,
        };
        let of_variable = |name: &str| Some(named(variable(name)?, name.to_owned()));
        let of_profile = || {
            let path = profiles.option(&asked.name, "ca_bundle")?;
            Some(named(
                path.to_owned(),
                format!("ca_bundle of profile {}", asked.name.escape_debug()),
            ))
        };
        of_variable("AWS_CA_BUNDLE")
            .or_else(of_profile)
            .or_else(|| of_variable("REQUESTS_CA_BUNDLE"))
    }

    /// The file, once it is sure that it holds certificates: the client would not survive others.
    fn read(&self) -> Result<Vec<u8>, Fault> {
        let wrong = |why: &str| {
            let (named_by, path) = (&self.named_by, self.path.display());
            Fault::new(
                "trust the authorities that are configured",
                format!("{named_by} names {path}: {why}"),
            )
        };
        let read = match Regular::open(&self.path) {
            Ok(Some(found)) => found.bytes(LARGEST),
            Ok(None) => return Err(wrong("it was not found")),
            Err(refused) => Err(refused),
        };
        let bytes = read.map_err(|refused| wrong(&format!("it is no file of certificates: {refused}")))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            let certificate = certificate.map_err(|_| wrong("it is not PEM"))?;
            roots
                .add(certificate)
                .map_err(|_| wrong("a certificate in it cannot be used"))?;
        }
        if roots.is_empty() {
            return Err(wrong("there is no certificate in it"));
        }
        Ok(bytes)
    }
}

/// Where one file stands for the system's authorities, there has to be one in it: the client takes none for a mistake of the
/// program's. Those that cannot be used are left out, as it leaves them out.
fn look_at_the_systems_own() -> Result<(), Fault> {
    let (Some(path), None) = (std::env::var_os("SSL_CERT_FILE"), std::env::var_os("SSL_CERT_DIR")) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let read = Regular::open(&path)
        .ok()
        .flatten()
        .and_then(|found| found.bytes(LARGEST).ok());
    let bytes = read.unwrap_or_default();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bytes).flatten());
    if roots.is_empty() {
        let detail = format!(
            "SSL_CERT_FILE names {}, and there is no certificate to be read there",
            path.display()
        );
        return Err(Fault::new("trust the authorities that are configured", detail));
    }
    Ok(())
}

fn client(trust: TrustStore) -> Result<SharedHttpClient, Fault> {
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| Fault::new("set up HTTPS", error.to_string()))?;
    let of = |proxy: fn() -> ProxyConfig| {
        let context = context.clone();
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = ConnectorBuilder::default()
                .tls_provider(Tls::Rustls(CryptoMode::AwsLc))
                .tls_context(context.clone());
            connector.set_connector_settings(settings.cloned());
            connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
            connector.set_proxy_config(Some(proxy()));
            connector.build()
        })
    };
    Ok(SharedHttpClient::new(Bounded {
        proxied: of(ProxyConfig::from_env),
        direct: of(ProxyConfig::disabled),
    }))
}
