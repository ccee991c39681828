//! The system's certificates, which the HTTPS clients read by themselves: they would wait for a pipe without end.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

use crate::contract::Error;
use crate::fault::Fault;
use crate::inputs::expanded;
use crate::regular::{self, Regular};

/// All authorities of a system take a quarter of a megabyte.
pub(crate) const LARGEST: u64 = 16 << 20;

/// What names a file and folders of them in the system's place, for every client; folders are separated by colons.
const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// Looks whether they can be read, before a client is made.
pub(crate) fn check() -> Result<(), Fault> {
    let wrong = |named_by: &str, path: &Path, why: String| {
        Fault::new(
            "trust the authorities of the system",
            format!("{named_by} names {}: {why}", path.display()),
        )
    };
    let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
    if let Some(path) = named(FILE) {
        let path = Path::new(&path);
        regular::check(path, LARGEST).map_err(|refused| wrong(FILE, path, refused.to_string()))?;
    }
    for folder in named(FOLDERS).iter().flat_map(std::env::split_paths) {
        regular::check_folder(&folder, LARGEST)
            .map_err(|(path, refused)| wrong(FOLDERS, &path, refused.to_string()))?;
    }
    Ok(())
}

/// TLS that trusts the system's authorities, and beside them those of this file in PEM.
pub fn trusted(file: Option<&Path>) -> Result<ClientConfig, String> {
    let own = beside_the_systems(file)?;
    let provider = Arc::new(default_provider());
    let verifier = Verifier::new_with_extra_roots(own, Arc::clone(&provider))
        .map_err(|_| "the authorities that are to be trusted cannot be used".to_owned())?;
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "this build has no TLS".to_owned())?;
    // Named so by the library; this is the verifier of the platform, with the file's authorities beside the system's.
    let trusting = versions
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Ok(trusting.with_no_client_auth())
}

/// The authorities of this file in PEM, for a client that reads those of the system by itself: they can be read.
pub fn beside_the_systems(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, String> {
    check().map_err(|fault| Error::from(fault).detail.as_str().to_owned())?;
    file.map_or_else(|| Ok(Vec::new()), of_file)
}

/// The authorities of a file, whose path may begin with `~/`.
pub fn of_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let path = expanded(path);
    let cannot = |why: &str| format!("the ca_file {} {why}", path.display());
    let file = Regular::open(&path).map_err(|refused| cannot(&refused.to_string()))?;
    let bytes = file
        .ok_or_else(|| cannot("is not there"))?
        .bytes(LARGEST)
        .map_err(|refused| cannot(&refused.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(cannot("holds no certificate in PEM")),
    }
}
