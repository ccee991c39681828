//! A client that signs in with an assertion: RFC 7523, section 2.2.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::pss::SigningKey;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use webpki::EndEntityCert;
use webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA256_LEGACY_KEY as PS256;
use zeroize::Zeroizing;

use super::{Answers, Attempt, Outcome};
use crate::guide::Template;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion is good for; it is used at once.
const GOOD_FOR: u64 = 300;
/// By how much the vendor's clock may be behind.
const BACKDATED: u64 = 60;

/// A client's certificate with its private key, tried where tokens are given out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientAssertion {
    /// Where tokens are given out, https.
    pub token_url: Template,
    /// The vendor's hosts, as in an HTTP probe.
    pub hosts: Vec<String>,
    /// What else the form says: `scope`.
    pub form: BTreeMap<String, Template>,
    /// What the answers mean.
    pub answers: Answers,
}

impl ClientAssertion {
    pub(super) async fn run(&self, attempt: Attempt<'_>) -> Outcome {
        self.tried(attempt).await.unwrap_or_else(|outcome| outcome)
    }

    pub(super) fn texts(&self) -> Vec<&Template> {
        [&self.token_url].into_iter().chain(self.form.values()).collect()
    }

    async fn tried(&self, attempt: Attempt<'_>) -> Result<Outcome, Outcome> {
        let (url, client) = (attempt.fill(&self.token_url)?, attempt.login()?);
        let assertion = Identity::read(attempt.text()?)?.assertion(&url, client)?;
        let mut fields = Vec::new();
        for (name, value) in &self.form {
            fields.push((name.as_str(), attempt.fill(value)?));
        }
        let mut form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        form.extend([
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ]);
        let reply = attempt.network.post_form(&url, &self.hosts, &form).await?;
        let outcome = self.answers.assess(reply.status, &reply.body);
        Ok(Outcome {
            through_proxy: reply.through_proxy,
            ..outcome
        })
    }
}

/// A certificate, and the private key that belongs to it.
struct Identity {
    certificate: CertificateDer<'static>,
    key: RsaPrivateKey,
}

impl Identity {
    /// Both are in one text: the certificate, and the key without a passphrase.
    fn read(text: &str) -> Result<Self, Outcome> {
        if text.contains("ENCRYPTED") {
            return Err(wrong(
                "the private key has a passphrase, which nobody is asked for here: open the key with openssl pkey, and hand over what \
                 it prints, with the certificate, through standard input",
            ));
        }
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| {
            wrong("there is no certificate in it: the certificate and the private key are wanted, both in PEM")
        })?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
            wrong("there is no private key in it: the certificate and the private key are wanted, both in PEM")
        })?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(der) => RsaPrivateKey::from_pkcs8_der(der.secret_pkcs8_der()).ok(),
            PrivateKeyDer::Pkcs1(der) => RsaPrivateKey::from_pkcs1_der(der.secret_pkcs1_der()).ok(),
            _ => None,
        };
        let key = key.ok_or_else(|| wrong("the private key is broken, or no RSA key"))?;
        Ok(Self { certificate, key })
    }

    fn assertion(self, url: &str, client: &str) -> Result<Zeroizing<String>, Outcome> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let thumbprint = part(Sha256::digest(&self.certificate));
        let head = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
        let claims = json!({
            "aud": url,
            "iss": client,
            "sub": client,
            "jti": part(rand::random::<[u8; 16]>()),
            "nbf": now.saturating_sub(BACKDATED),
            "exp": now + GOOD_FOR,
        });
        let mut text = Zeroizing::new(format!("{}.{}", part(head.to_string()), part(claims.to_string())));
        let signing = SigningKey::<Sha256>::new(self.key);
        let signature = signing.try_sign_with_rng(&mut rand::rng(), text.as_bytes());
        let signature = signature.map_err(|_| wrong("the private key cannot sign"))?.to_vec();
        // The vendor would say of a key without its certificate what it says of a certificate that it does not know.
        let certificate = EndEntityCert::try_from(&self.certificate);
        let certificate = certificate.map_err(|_| wrong("the certificate is broken, or older than version 3"))?;
        certificate
            .verify_signature(PS256, text.as_bytes(), &signature)
            .map_err(|_| wrong("the private key is not the one of the certificate; nothing was sent"))?;
        let signature = part(signature);
        text.push('.');
        text.push_str(&signature);
        Ok(text)
    }
}

fn wrong(why: &'static str) -> Outcome {
    Outcome::inconclusive("secret-form", why)
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
