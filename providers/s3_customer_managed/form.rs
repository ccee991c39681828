//! What names and secrets of AWS look like, by its own rules: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>.
//! How a name begins is not looked at: emulators have beginnings of their own.

use std::fmt;

use aws_credential_types::Credentials;

use crate::contract::KeyId;
use crate::untrusted::Sanitized;

const LONGEST_SECRET: usize = 256;

/// AWS names no limit, and advises against one: <https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html>.
const LONGEST_TOKEN: usize = 16 * 1024;

const LONGEST_ARN: usize = 2048;

/// The name of an access key as AWS lists it.
pub(super) fn key_id(text: &str) -> Option<KeyId> {
    is_id(text).then(|| KeyId::parse(text).ok())?
}

/// The immutable name of a user.
pub(super) fn user_id(text: &str) -> Option<String> {
    is_id(text).then(|| text.to_owned())
}

/// The number of an account.
pub(super) fn account(text: &str) -> Option<String> {
    let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.to_owned())
}

/// Names of keys, users and roles: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>; the last two
/// are an emulator's.
const KNOWN_STARTS: &[&str] = &[
    "AKIA", "ASIA", "AIDA", "AROA", "AIPA", "ANPA", "AGPA", "ASCA", "LKIA", "LSIA",
];

/// Whether a word can be nothing but one of these names.
pub(super) fn is_known_id(word: &str) -> bool {
    let starts = KNOWN_STARTS.iter().any(|start| word.starts_with(start));
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    starts && matches!(word.len(), 20 | 21) && word.bytes().all(fits)
}

/// A name that tells everything: partition, account, kind, path and name.
pub(super) fn arn(text: &str) -> Option<Sanitized> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-:/*".contains(letter);
    let is_arn = text.len() <= LONGEST_ARN && text.starts_with("arn:") && text.chars().all(fits);
    is_arn.then(|| Sanitized::of(text))
}

/// A region, or what stands for one. It becomes a part of the host that is called, so nothing else than a name will do.
pub(super) fn region(text: &str) -> Option<String> {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let is_inside = !text.starts_with('-') && !text.ends_with('-');
    ((1..=63).contains(&text.len()) && is_inside && text.chars().all(fits)).then(|| text.to_owned())
}

/// Whether it can be a secret.
pub(super) fn is_secret(text: &str) -> bool {
    is_word(text, LONGEST_SECRET)
}

fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (16..=128).contains(&text.len()) && text.bytes().all(fits)
}

fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A part of a login that cannot be one. The part is named, and not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadLogin {
    KeyId,
    Secret,
    Token,
}

impl BadLogin {
    /// What profiles call it; the environment has the same in capitals.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KeyId => "aws_access_key_id",
            Self::Secret => "aws_secret_access_key",
            Self::Token => "aws_session_token",
        }
    }
}

impl fmt::Display for BadLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, longest) = match self {
            Self::KeyId => ("letters, digits or :+/=_.-", 128),
            Self::Secret => ("letters, digits and signs", LONGEST_SECRET),
            Self::Token => ("letters, digits and signs", LONGEST_TOKEN),
        };
        write!(
            f,
            "it has to be 1 to {longest} {what} on one line, and has other characters, a line break or a blank in it"
        )
    }
}

/// The same login, where each part of it can be what it is called, without line breaks at their ends. The program's own may
/// be shorter than AWS would have it: emulators take any.
pub(super) fn login(found: Credentials) -> Result<Credentials, BadLogin> {
    let bare = |text: &'_ str| text.trim_end_matches(['\r', '\n']).len();
    let (id, secret) = (found.access_key_id(), found.secret_access_key());
    let (id, secret) = (&id[..bare(id)], &secret[..bare(secret)]);
    let token = found.session_token().map(|token| &token[..bare(token)]);
    KeyId::parse(id).map_err(|_| BadLogin::KeyId)?;
    if !is_secret(secret) {
        return Err(BadLogin::Secret);
    }
    if token.is_some_and(|token| !is_word(token, LONGEST_TOKEN)) {
        return Err(BadLogin::Token);
    }
    let is_as_found = id.len() == found.access_key_id().len()
        && secret.len() == found.secret_access_key().len()
        && token.map(str::len) == found.session_token().map(str::len);
    if is_as_found {
        return Ok(found);
    }
    let token = token.map(str::to_owned);
    Ok(Credentials::new(
        id,
        secret,
        token,
        found.expiry(),
        "without line breaks",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str, secret: &str, token: Option<&str>) -> Result<(String, String, Option<String>), BadLogin> {
        let found = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
        let login = login(found)?;
        let token = login.session_token().map(str::to_owned);
        Ok((
            login.access_key_id().to_owned(),
            login.secret_access_key().to_owned(),
            token,
        ))
    }

    #[test]
    fn a_mounted_login_is_taken_without_its_line_breaks() {
        let plain = of("AKIA1", "s+/=", Some("t")).unwrap();
        assert_eq!(of("AKIA1\n", "s+/=\r\n", Some("t\n\n")).unwrap(), plain);
    }

    #[test]
    fn a_login_that_cannot_be_one_is_told_by_its_part() {
        let long = "x".repeat(LONGEST_TOKEN + 1);
        let secret = "x".repeat(LONGEST_SECRET + 1);
        for bad in ["", "AK\nIA", "\nAKIA", "AK\0IA", "AKIA \n", "\u{202e}A", "a;b", &long] {
            assert_eq!(of(bad, "s", None), Err(BadLogin::KeyId), "{bad:?}");
        }
        for bad in ["", "\n", "a\nb", "a b", "a\0b", "\u{fc}", &secret] {
            assert_eq!(of("A", bad, None), Err(BadLogin::Secret), "{bad:?}");
        }
        for bad in ["", "a\rb", "a b", &long] {
            assert_eq!(of("A", "s", Some(bad)), Err(BadLogin::Token), "{bad:?}");
        }
    }

    #[test]
    fn what_aws_sends_is_read_by_its_own_rules() {
        assert!(key_id("LKIAQAAAAAAAHFR7TTOM").is_some() && user_id("AIDAQAAAAAAAHFR7TTOM").is_some());
        let long = "A".repeat(129);
        for bad in ["AKIA", "AKIAIOSFODNN7EXAMPL\n", "AKIAIOSFODNN7EXAMPL;", "", &long] {
            assert!(key_id(bad).is_none() && user_id(bad).is_none(), "{bad:?}");
        }
        assert!(account("000000000000").is_some());
        assert!(account("1234567890123").is_none() && account("12345678901\n").is_none());
        assert!(arn("arn:aws:sts::123456789012:assumed-role/r/me@acme.com").is_some());
        for bad in [
            "user",
            "arn:aws:iam::1:user/\u{1b}[2J",
            "arn:aws:iam::1:user/a b",
            "arn:<b>",
        ] {
            assert!(arn(bad).is_none(), "{bad:?}");
        }
        assert!(region("us-east-1").is_some() && region("us-east-1\n").is_none() && region("").is_none());
        assert!(region("x/../y").is_none() && region("evil.example/").is_none());
    }
}
