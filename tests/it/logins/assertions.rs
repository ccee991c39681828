//! The assertions of a service account's key and of a certificate, at a place on this machine where tokens are given out. What was
//! signed is read by Python's `cryptography`; keys and certificates are made by `openssl`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock};

use rotate_fixtures::read_assertion;
use rotate_providers::guide::probe::{How, Outcome, Verdict};
use rotate_providers::guide::{Guide, Template};
use rotate_providers::web::Network;
use serde_json::{Value, json};

use super::{Values, expect, guide, network, try_once, values};

/// Gives this answer to everybody, and keeps what was sent.
struct TokenPlace {
    url: String,
    forms: Arc<Mutex<Vec<String>>>,
}

impl TokenPlace {
    fn answering(status: u16, body: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/token", listener.local_addr().expect("an address"));
        let forms = Arc::new(Mutex::new(Vec::new()));
        let (kept, body) = (Arc::clone(&forms), body.to_string());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.expect("a client");
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && client.read_exact(&mut byte).is_ok() {
                    request.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut form = vec![0; length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)];
                client.read_exact(&mut form).expect("a form");
                kept.lock()
                    .expect("unshared")
                    .push(String::from_utf8_lossy(&form).into_owned());
                let answer = format!(
                    "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                client.write_all(answer.as_bytes()).expect("a client");
            }
        });
        Self { url, forms }
    }

    fn giving_tokens() -> Self {
        Self::answering(
            200,
            &json!({"access_token": "t", "expires_in": 3599, "token_type": "Bearer"}),
        )
    }

    /// The guide, with this place instead of the vendor's.
    fn instead(&self, id: &str) -> Guide {
        let mut guide = guide(id);
        let here = Template::parse(&self.url).expect("no value in it");
        let url = match guide.probe.as_mut().map(|probe| &mut probe.how) {
            Some(How::JwtBearer(jwt)) => Some(&mut jwt.token_url),
            Some(How::ClientAssertion(assertion)) => Some(&mut assertion.token_url),
            _ => None,
        };
        *url.expect("it has an assertion") = here;
        guide
    }

    fn calls(&self) -> usize {
        self.forms.lock().expect("unshared").len()
    }

    /// A field of the last form.
    fn sent(&self, name: &str) -> String {
        let forms = self.forms.lock().expect("unshared");
        let form = forms.last().expect("something was sent");
        let mut fields = form.split('&').filter_map(|field| field.split_once('='));
        let value = fields.find_map(|(field, value)| (field == name).then_some(value));
        value
            .expect(name)
            .replace("%3A", ":")
            .replace("%2F", "/")
            .replace('+', " ")
    }
}

fn here() -> Network {
    Network {
        allow_hosts: vec!["127.0.0.1".to_owned()],
        ..network(None)
    }
}

/// A private key and its certificate, in PEM.
pub(super) fn identity(number: usize) -> &'static (String, String) {
    static MADE: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let make = |name: &str| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let (key, certificate) = (folder.path().join("key"), folder.path().join("cer"));
            let made = rotate_fixtures::tool("openssl")
                .args([
                    "req", "-x509", "-newkey", "rsa:2048", "-sha256", "-nodes", "-days", "30", "-subj",
                ])
                .arg(format!("/CN={name}"))
                .arg("-keyout")
                .arg(&key)
                .arg("-out")
                .arg(&certificate)
                .output()
                .expect("openssl is there");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let read = |path| std::fs::read_to_string(path).expect("openssl has written it");
            (read(&key), read(&certificate))
        };
        vec![make("one"), make("two")]
    });
    made.get(number).expect("there are two")
}

const ACCOUNT: &str = "gainsight@acme-data.iam.gserviceaccount.com";

pub(super) fn key_file(changed: &[(&str, Value)]) -> String {
    let mut file = json!({
        "type": "service_account",
        "project_id": "acme-data",
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "private_key": identity(0).0,
        "client_email": ACCOUNT,
        "client_id": "1",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    for (name, value) in changed {
        file[*name] = value.clone();
    }
    file.to_string()
}

fn google() -> Values {
    values(&[("service_account", ACCOUNT), ("project", "acme-data")])
}

async fn at_google(place: &TokenPlace, file: &str) -> Outcome {
    try_once(&place.instead("bigquery-service-account"), &google(), file, &here()).await
}

#[tokio::test]
async fn a_key_file_is_proven_by_an_assertion_that_another_implementation_reads() {
    let place = TokenPlace::giving_tokens();
    // Whoever has changed the file gets nothing.
    let file = key_file(&[("token_uri", json!("http://127.0.0.1:1/elsewhere"))]);
    expect(&at_google(&place, &file).await, Verdict::Accepted, "http-200");
    assert_eq!(place.calls(), 1);
    assert_eq!(place.sent("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let assertion = place.sent("assertion");
    let read = read_assertion(&assertion, &identity(0).1).expect("it is signed with the key of the file");
    assert_eq!(
        read["head"],
        json!({"alg": "RS256", "typ": "JWT", "kid": "0123456789abcdef0123456789abcdef01234567"})
    );
    let claims = &read["claims"];
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ACCOUNT), &json!(place.url)));
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/bigquery.readonly");
    let life = claims["exp"]
        .as_u64()
        .zip(claims["iat"].as_u64())
        .map(|(end, begin)| end - begin);
    assert_eq!(life, Some(300));
    assert_eq!(
        read_assertion(&assertion, &identity(1).1),
        None,
        "it would be any key's"
    );
}

#[tokio::test]
async fn what_google_says_of_a_key_is_told_from_what_it_says_of_a_clock() {
    let said = |error: &str, why: &str| json!({"error": error, "error_description": why});
    for (status, body, verdict) in [
        (400, said("invalid_grant", "Invalid JWT Signature."), Verdict::Rejected),
        (
            400,
            said("invalid_grant", "Invalid grant: account not found"),
            Verdict::Rejected,
        ),
        (
            401,
            said("deleted_client", "The OAuth client was deleted."),
            Verdict::Rejected,
        ),
        (
            400,
            said(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes)",
            ),
            Verdict::Inconclusive,
        ),
        (400, said("invalid_scope", "no"), Verdict::Inconclusive),
        (200, json!({"id_token": "t"}), Verdict::Inconclusive),
        (401, said("unauthorized_client", "no"), Verdict::Inconclusive),
        (503, json!({}), Verdict::Inconclusive),
    ] {
        let place = TokenPlace::answering(status, &body);
        let outcome = at_google(&place, &key_file(&[])).await;
        expect(&outcome, verdict, &format!("http-{status}"));
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_the_key_is_told_before_anything_is_sent() {
    let place = TokenPlace::giving_tokens();
    let cut = &identity(0).0[..900];
    let ec =
        "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n";
    for (file, class) in [
        ("not JSON".to_owned(), "secret-form"),
        ("{}".to_owned(), "secret-form"),
        (identity(0).0.clone(), "secret-form"),
        (key_file(&[("type", json!("authorized_user"))]), "secret-form"),
        (key_file(&[("private_key", json!(cut))]), "secret-form"),
        (key_file(&[("private_key", json!(ec))]), "secret-form"),
        (key_file(&[("private_key", json!(""))]), "secret-form"),
        (key_file(&[("private_key", json!(7))]), "secret-form"),
        (key_file(&[("project_id", json!("other-project"))]), "other-key"),
        (
            key_file(&[("client_email", json!("other@acme-data.iam.gserviceaccount.com"))]),
            "other-key",
        ),
        // The key where a name belongs is not repeated.
        (key_file(&[("client_email", json!(identity(0).0))]), "other-key"),
    ] {
        let outcome = at_google(&place, &file).await;
        expect(&outcome, Verdict::Inconclusive, class);
        assert!(!outcome.reason.contains(&identity(0).0[60..90]), "{}", outcome.reason);
    }
    assert_eq!(place.calls(), 0);
}

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

async fn at_entra(place: &TokenPlace, secret: &str) -> Outcome {
    let given = values(&[
        ("org", "acme.crm4.dynamics.com"),
        ("tenant", "acme.example"),
        ("client_id", CLIENT),
    ]);
    try_once(&place.instead("dynamics-certificate"), &given, secret, &here()).await
}

#[tokio::test]
async fn a_certificate_is_proven_by_an_assertion_that_another_implementation_reads() {
    let (key, certificate) = identity(0);
    let place = TokenPlace::giving_tokens();
    for secret in [format!("{certificate}{key}"), format!("{key}\n{certificate}")] {
        expect(&at_entra(&place, &secret).await, Verdict::Accepted, "http-200");
    }
    assert_eq!(place.calls(), 2);
    assert_eq!(place.sent("grant_type"), "client_credentials");
    assert_eq!(place.sent("client_id"), CLIENT);
    assert_eq!(place.sent("scope"), "https://acme.crm4.dynamics.com/.default");
    let kind = place.sent("client_assertion_type");
    assert_eq!(kind, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let assertion = place.sent("client_assertion");
    let read = read_assertion(&assertion, certificate).expect("it is signed with the key of the certificate");
    assert_eq!(
        read["head"],
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": read["thumbprint"]})
    );
    let claims = &read["claims"];
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    assert_eq!(claims["aud"], json!(place.url));
    assert_eq!(
        read_assertion(&assertion, &identity(1).1),
        None,
        "it would be any key's"
    );
}

#[tokio::test]
async fn entras_codes_are_told_apart() {
    let secret = format!("{}{}", identity(0).1, identity(0).0);
    for (code, verdict) in [
        ("AADSTS700027: The certificate with identifier", Verdict::Rejected),
        (
            "AADSTS700024: Client assertion is not within its valid time range",
            Verdict::Inconclusive,
        ),
        ("AADSTS700016: Application with identifier", Verdict::Inconclusive),
        ("AADSTS90002: Tenant", Verdict::Inconclusive),
        ("AADSTS53003: Access has been blocked", Verdict::Inconclusive),
        ("AADSTS7000215: Invalid client secret", Verdict::Inconclusive),
    ] {
        let place = TokenPlace::answering(401, &json!({"error": "invalid_client", "error_description": code}));
        expect(&at_entra(&place, &secret).await, verdict, "http-401");
    }
}

#[tokio::test]
async fn a_certificate_and_a_key_that_cannot_be_used_are_told_before_anything_is_sent() {
    let place = TokenPlace::giving_tokens();
    let ((key, certificate), (other, _)) = (identity(0), identity(1));
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for secret in [
        key.clone(),
        certificate.clone(),
        format!("{certificate}{other}"),
        format!("{certificate}{encrypted}"),
        format!("{certificate}{}", &key[..900]),
        format!("{}{key}", &certificate[..600]),
        "11111111-2222-3333-4444-555555555555".to_owned(),
    ] {
        let outcome = at_entra(&place, &secret).await;
        expect(&outcome, Verdict::Inconclusive, "secret-form");
    }
    assert_eq!(place.calls(), 0);
}
