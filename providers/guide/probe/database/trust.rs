//! Whom a database's server may be taken for, and why it was not believed.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme};

use crate::authorities::{self, LARGEST};
use crate::guide::probe::Outcome;
use crate::regular::Regular;

/// Whom the server may be taken for.
pub(in crate::guide::probe) enum Trust {
    /// Whoever has a certificate for its name from one of these; without TLS nothing is sent.
    Authorities(Vec<CertificateDer<'static>>),
    /// Whoever listens on this machine, with TLS or without.
    ThisMachine,
}

impl Trust {
    pub(super) fn of(this_machine: bool, ca_file: Option<&Path>) -> Result<Self, Outcome> {
        let own = ca_file.map(certificates).transpose()?;
        if this_machine && own.is_none() {
            return Ok(Self::ThisMachine);
        }
        authorities::check().map_err(|_| unusable("the system's authorities cannot be read (SSL_CERT_FILE)"))?;
        let mut trusted = rustls_native_certs::load_native_certs().certs;
        trusted.extend(own.unwrap_or_default());
        if trusted.is_empty() {
            return Err(unusable("this machine has no certificates of authorities (ca-certificates)"));
        }
        Ok(Self::Authorities(trusted))
    }

    /// What a client of rustls has to know.
    pub(in crate::guide::probe) fn client(&self) -> Result<ClientConfig, Outcome> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let failed = |_| unusable("no TLS client could be made on this machine");
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
        Ok(match self {
            Self::Authorities(trusted) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(trusted.iter().cloned());
                builder.with_root_certificates(roots).with_no_client_auth()
            }
            Self::ThisMachine => {
                let anybody = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)));
                anybody.with_no_client_auth()
            }
        })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Outcome> {
    let wrong = |why: &str| unusable(&format!("the file of authorities {why}"));
    let found = Regular::open(path).ok().flatten();
    let found = found.ok_or_else(|| wrong("was not found, or is no file"))?;
    let bytes = found.bytes(LARGEST).map_err(|_| wrong("cannot be read"))?;
    let read = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let read = read.map_err(|_| wrong("is not PEM"))?;
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(read.iter().cloned());
    match usable {
        0 => Err(wrong("has no certificate in it that can be used")),
        _ => Ok(read),
    }
}

fn unusable(why: &str) -> Outcome {
    Outcome::inconclusive("no-authorities", why.to_owned())
}

/// Why TLS did not come to be, where that is what an error is about.
pub(in crate::guide::probe) fn unbelieved(error: &(dyn StdError + 'static)) -> Option<Outcome> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let found = inside.and_then(|inside| inside.downcast_ref::<TlsError>());
        if let Some(found) = found.or_else(|| error.downcast_ref::<TlsError>()) {
            return Some(Outcome::inconclusive("tls", told(found)));
        }
        next = error.source();
    }
    None
}

fn told(error: &TlsError) -> &'static str {
    let TlsError::InvalidCertificate(why) = error else {
        return "TLS with the server did not come to be; the password was not sent";
    };
    match why {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name than the one that was called; the password was not sent"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired, or the clock of this machine is off; the password was not sent"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet, or the clock of this machine is off; the password was not sent"
        }
        CertificateError::UnknownIssuer => {
            "the server's certificate is from an authority that is not trusted here: name it with --ca-file; the password was not sent"
        }
        CertificateError::Revoked => "the server's certificate was revoked; the password was not sent",
        _ => "the server's certificate cannot be believed; the password was not sent",
    }
}

/// Believes every certificate. The signature is looked at all the same: a server that has not the key is none.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::Trust;

    #[test]
    fn a_server_elsewhere_is_never_taken_on_trust() {
        let trust = Trust::of(false, None).unwrap_or(Trust::Authorities(Vec::new()));
        assert!(matches!(trust, Trust::Authorities(_)));
        assert!(matches!(Trust::of(true, None), Ok(Trust::ThisMachine)));
    }
}
