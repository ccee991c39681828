//! The forms of what is noted down. Only free text is searched for secrets; every other form is so narrow that a secret of
//! another kind does not fit, and so wide that the guide's own words always do.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use serde::Deserialize;

/// In which form something is noted down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Any words.
    #[default]
    Text,
    /// One of the answers that the step gives.
    Choice,
    /// Ids of keys, clients or certificates, and fingerprints.
    KeyId,
    /// RSA public keys, or their fingerprints, each with the name of its place or without.
    PublicKey,
    /// Days or times.
    Time,
    /// Names of users, hosts, jobs and the like.
    Name,
}

/// One word of an id: hexadecimal as one word or in groups, an AWS id, or the base64 of a SHA-256.
const ID: &str = r"^(?:[0-9A-Fa-f]{6,64}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|(?:[0-9A-F]{2}:){15,31}[0-9A-F]{2}|[A-Z]{4}[A-Z0-9]{12,28}|SHA256:[A-Za-z0-9+/]{43}=?)$";
const TIME: &str = r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?|[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?$";
const NAME: &str = r"^[\pL\pN][\pL\pN ._@+#$:'()/&%*-]{0,127}$";

impl Form {
    /// How it is written, for somebody whose note has another form; nothing, where every text will do.
    pub fn told(self, choices: &[String]) -> Option<String> {
        let told = match self {
            Self::Text => return None,
            Self::Choice => return Some(format!("one of these: {}", choices.join(" | "))),
            Self::KeyId => "IDs or fingerprints, and a comma between them",
            Self::PublicKey => {
                "public keys in one line without BEGIN and END, or their fingerprints, or `none`; `SLOT=` may stand before each"
            }
            Self::Time => "days or times, such as 2026-11-27 10:02 UTC, and a comma between them",
            Self::Name => "names, and a comma between them",
        };
        Some(told.to_owned())
    }

    /// Whether this note has the form. A remark may follow it behind a semicolon; that is a text.
    pub fn fits(self, note: &str, choices: &[String]) -> bool {
        let mut parts = note.split(',').map(str::trim).peekable();
        match self {
            Self::Text => true,
            Self::Choice => choices.iter().any(|choice| choice.eq_ignore_ascii_case(note.trim())),
            Self::KeyId => parts.all(|part| ID_FORM.is(part)),
            Self::PublicKey => parts.all(|part| is_public_key(without_place(part))),
            Self::Time => parts.all(|part| TIME_FORM.is(part)),
            Self::Name => parts.all(|part| NAME_FORM.is(part)),
        }
    }
}

static ID_FORM: LazyLock<Pattern> = LazyLock::new(|| Pattern::of(ID));
static TIME_FORM: LazyLock<Pattern> = LazyLock::new(|| Pattern::of(TIME));
static NAME_FORM: LazyLock<Pattern> = LazyLock::new(|| Pattern::of(NAME));

struct Pattern(Option<Regex>);

impl Pattern {
    fn of(text: &str) -> Self {
        Self(Regex::new(text).ok())
    }

    fn is(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }
}

/// What follows `SLOT=`.
fn without_place(part: &str) -> &str {
    let named = part.split_once('=').filter(|(name, _)| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        name.len() <= 20 && !name.is_empty() && name.chars().all(is_name)
    });
    named.map_or(part, |(_, rest)| rest.trim())
}

/// By its bytes: a private key is a sequence that begins with a number, a public one with the name of its algorithm.
fn is_public_key(text: &str) -> bool {
    const RSA: [u8; 13] = [
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    if text.eq_ignore_ascii_case("none") || (text.starts_with("SHA256:") && ID_FORM.is(text)) {
        return true;
    }
    let Ok(bytes) = BASE64_STANDARD.decode(text) else {
        return false;
    };
    // SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING }, with lengths of two bytes.
    bytes.len() > 24
        && bytes.starts_with(&[0x30, 0x82])
        && bytes[4..6] == [0x30, 0x0d]
        && bytes[6..19] == RSA
        && bytes[19] == 0x03
}

#[cfg(test)]
mod tests {
    use super::Form;

    const PUBLIC: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0/IzW7yWR7QkrmBL7jTKEn5u+qKhbwKfBstIs+bMY2Zkp18gnTxKLxoS2tFczGkPLPgizskuemMghRniWaoLcyehkd3qqGElvW/VDL5AaWTg0nLVkjRo9z+40RQzuVaE8AkAFmxZzow3x+VJYKdjykkJ0iT9wCS0DRTXu269V264Vf/3jvredZiKRkgwlL9xNAwxXFg0x/XFw005UWVRIkdgcKWTjpBP2dPwVZ4WWC+9aGVd+Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbjXfbcmwIDAQAB";

    #[test]
    fn a_note_in_its_form_is_taken() {
        let slots = ["the first is live".to_owned(), "the second is live".to_owned()];
        assert!(Form::Choice.fits("The second is live", &slots));
        let both = format!("RSA_PUBLIC_KEY={PUBLIC}, RSA_PUBLIC_KEY_2=none");
        for (form, note) in [
            (
                Form::KeyId,
                "0123456789abcdef0123456789abcdef01234567, 89abcdef0123456789abcdef0123456701234567",
            ),
            (Form::KeyId, "AKIAIOSFODNN7EXAMPLE"),
            (Form::KeyId, "6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11"),
            (Form::PublicKey, both.as_str()),
            (Form::PublicKey, "SHA256:rVDgH3opUTBXg/5mC2Wglqpz5sbgNrYLHbbxJASpGQ4="),
            (Form::Time, "2026-11-27 10:02 UTC"),
            (Form::Time, "10:02, 2026-11-27T10:02:33+01:00"),
            (Form::Name, "x.7c1d9e.mp-service-account"),
            (Form::Name, "acme-xy12345.eu-central-1"),
            (Form::Name, "Gainsight O'Brien, M\u{fc}ller"),
        ] {
            assert!(form.fits(note, &[]), "{note}");
        }
    }

    #[test]
    fn a_note_in_another_form_is_not() {
        let slots = ["the first is live".to_owned(), "the second is live".to_owned()];
        assert!(!Form::Choice.fits("the first", &slots) && !Form::Choice.fits("wJalrXUtnFEMI/K7MDENG", &slots));
        let private = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        for (form, note) in [
            (Form::KeyId, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            (Form::KeyId, "0123456789abcdef is the new one"),
            (Form::KeyId, "dapi0123456789abcdef0123456789abcdef"),
            (Form::PublicKey, private),
            (Form::PublicKey, "-----BEGIN PRIVATE KEY-----"),
            (Form::PublicKey, "hunter2"),
            (Form::Time, "at ten, hunter2"),
            (Form::Name, "wJalrXUtnFEMI=K7MDENG\\x"),
            (Form::Name, ""),
        ] {
            assert!(!form.fits(note, &[]), "{note}");
        }
    }
}
