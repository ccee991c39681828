//! What people note while they rotate, and what they tell of a target. Both are kept in the clear, so nothing that looks like
//! a secret gets in. It is a net with holes: a secret that looks like a word, or that somebody has taken apart, is not noticed.

mod name;
#[cfg(test)]
mod of_guides;
mod token;

use std::collections::{BTreeMap, BTreeSet};

use name::names_a_secret;
use percent_encoding::percent_decode_str;
use rotate_providers::guide::{Form, Guide, Procedure, Step};
use token::{is_base32, is_dense, is_id, is_name, is_public, is_uuid, kinds, words};

/// Why a note looks like a secret; `None` where it does not.
pub fn looks_secret(text: &str) -> Option<&'static str> {
    note_looks_secret(text).or_else(|| note_looks_secret(&decoded(text)?))
}

fn note_looks_secret(text: &str) -> Option<&'static str> {
    gives_away(text).or_else(|| {
        let words = words(text);
        let random = words
            .iter()
            .filter(|word| !is_id(word))
            .any(|word| word.len() >= 20 && is_dense(word));
        random.then_some("it holds a long word that looks random; note a name, a time or a public id instead")
    })
}

/// Why this may not be noted down of a step, or else nothing. In a form of its own a note is taken as it is, with a remark behind
/// a semicolon; a text, and every remark, is searched for secrets, but for the words that the guide itself has.
pub fn refused(note: &str, step: &Step, guide_says: &BTreeSet<String>) -> Option<String> {
    let searched = |text: &str| {
        // What stands in the guide gives nothing away, whatever it is about.
        if guide_says.iter().any(|said| said.contains(text.trim())) {
            return None;
        }
        let why = looks_secret(&without(text, guide_says));
        why.map(|why| format!("it was not kept: {why}"))
    };
    let Some(told) = step.form.told(&step.choices) else {
        return searched(note);
    };
    let (value, remark) = note.split_once(';').unwrap_or((note, ""));
    let named_secret =
        step.form == Form::Name && value.split(',').any(|name| value_looks_secret("name", name).is_some());
    if named_secret || !step.form.fits(value.trim(), &step.choices) {
        return Some(format!(
            "it was not kept: this step asks for {told}. More can follow behind a semicolon"
        ));
    }
    searched(remark)
}

/// The texts of a guide with the values in them, and its longer words: whoever repeats them gives nothing away.
pub fn words_of(guide: &Guide, values: &BTreeMap<String, String>) -> BTreeSet<String> {
    let steps = Procedure::ALL.into_iter().flat_map(|procedure| guide.steps(procedure));
    let told = steps.flat_map(|step| {
        let texts = step.texts().map(|text| text.fill(values));
        let plain = step.evidence.iter().chain(&step.choices).cloned();
        texts.chain(plain).collect::<Vec<_>>()
    });
    let texts: BTreeSet<String> = told.collect();
    let words = texts.iter().flat_map(|text| words(text));
    let longer = words.filter(|word| word.len() >= 8).map(str::to_owned);
    longer.chain(texts.iter().cloned()).collect()
}

/// The text with the guide's own words made plain: they keep what they name, and look random no longer. What stands beside them
/// is searched as ever.
fn without(text: &str, known: &BTreeSet<String>) -> String {
    let bare = |word: &str| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned();
    let plain = |word: &str| match known.contains(&bare(word)) {
        true => word
            .chars()
            .filter(|letter| !letter.is_ascii_digit())
            .collect::<String>()
            .to_lowercase(),
        false => word.to_owned(),
    };
    text.split_whitespace().map(plain).collect::<Vec<_>>().join(" ")
}

/// Why the value of an input looks like a secret. Names are often long and mixed, so less is held against them than against
/// a note.
pub fn value_looks_secret(input: &str, value: &str) -> Option<&'static str> {
    plain_value_looks_secret(input, value).or_else(|| plain_value_looks_secret(input, &decoded(value)?))
}

fn plain_value_looks_secret(input: &str, value: &str) -> Option<&'static str> {
    let text = format!("{}: {value}", input.replace('_', " "));
    gives_away(&text).or_else(|| {
        let words = words(value);
        let random = words
            .iter()
            .filter(|word| !is_id(word) && !is_public(word))
            .any(|word| word.len() >= 20 && kinds(word) == 3 && !is_name(word));
        random.then_some("it is long and looks random")
    })
}

/// What it says without the signs that URLs write letters with; `None` where there are none.
fn decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    (decoded != text).then(|| decoded.into_owned())
}

/// What nobody writes who does not hold a secret.
fn gives_away(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    if lower.contains("-----begin ") || lower.contains("private key-----") {
        return Some("it holds a key in PEM");
    }
    if names_a_secret(&text.to_lowercase()) {
        return Some("it names a password, secret, token or key and gives its value");
    }
    let words = words(text);
    if lower.contains("bearer ")
        || lower.contains("basic ") && words.iter().any(|word| word.len() >= 16 && is_dense(word))
    {
        return Some("it holds the header of a login");
    }
    if lower.split_whitespace().any(url_has_password) {
        return Some("it holds a URL with a password or a key in it");
    }
    if words.iter().any(|word| is_known(word)) {
        return Some("it begins like a token of a known vendor");
    }
    if words.iter().any(|word| is_base32(word)) {
        return Some("it holds a long word in base32, as the seeds of one-time codes are");
    }
    let random = (0..words.len()).any(|at| is_secret_like_id(words[at]) && !is_named_public(&words, at));
    random
        .then_some("it holds a long word that looks random; if it is public, say what it is right before it: key ID …")
}

/// How tokens begin that vendors made recognisable.
const KNOWN: &[&str] = &[
    "eyJ",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AIza",
    "ya29.",
    "GOCSPX-",
    "dapi",
    "sk_live_",
    "sk-",
    "SG.",
    "ATATT",
    "shpat_",
    "pypi-",
    "npm_",
];

fn is_known(word: &str) -> bool {
    let mixed = word
        .bytes()
        .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    mixed
        && KNOWN
            .iter()
            .any(|start| word.starts_with(start) && word.len() >= start.len() + 12)
}

/// What is public is called by one of these, right before it.
const PUBLIC_NAMES: &[&str] = &[
    "id",
    "ids",
    "thumbprint",
    "thumbprints",
    "fingerprint",
    "fingerprints",
    "serial",
    "tenant",
];

/// Whether the form of a key ID, a client ID or a thumbprint is one that secrets have as well. One vendor's access key has
/// the form of a UUID.
fn is_secret_like_id(word: &str) -> bool {
    is_uuid(word) || is_id(word) && (word.len() >= 32 || is_dense(word))
}

/// Whether it is said right before the word that it is public, and nothing before that says that it is secret.
fn is_named_public(words: &[&str], at: usize) -> bool {
    let before: Vec<String> = words[..at].iter().map(|word| word.to_ascii_lowercase()).collect();
    let mut end = before.len();
    let is = |end: usize, word: &str| end > 0 && before[end - 1] == word;
    if is(end, "is") || is(end, "=") || is(end, "number") {
        end -= 1;
    }
    // A list of them is named once.
    while end > 0 && (is_id(&before[end - 1]) || end > 1 && is(end, "and") && is_id(&before[end - 2])) {
        end -= 1;
    }
    let Some(name) = end.checked_sub(1).map(|last| before[last].as_str()) else {
        return false;
    };
    let named = PUBLIC_NAMES.contains(&name) || name.ends_with("_id") || name.ends_with("-id");
    let deleted = name == "key" && is(end - 1, "deleted");
    if !named && !deleted {
        return false;
    }
    end -= 1;
    // The ID of a secret is no secret.
    if is(end, "secret") || is(end, "token") {
        end -= 1;
    } else if is(end, "key") && end > 1 && (is(end - 1, "access") || is(end - 1, "api")) {
        end -= 2;
    }
    let near = &before[end.saturating_sub(4)..end];
    let key = near
        .windows(2)
        .any(|pair| pair[1] == "key" && (pair[0] == "access" || pair[0] == "api"));
    let secret = near
        .iter()
        .any(|word| name::SECRET_NAMES.iter().any(|name| word.starts_with(name)));
    !key && !secret
}

/// Logs in by its user part, or carries a key among its parameters.
fn url_has_password(word: &str) -> bool {
    let Some((_, rest)) = word.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let logs_in = authority.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'));
    let parameters = rest.split(['?', '&', '#', ';']).skip(1);
    let carries = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .any(|(name, value)| value.len() >= 8 && KEYS.contains(&name));
    logs_in || carries
}

/// Parameters of a URL that carry a key.
const KEYS: &[&str] = &["key", "apikey", "auth", "code", "sig", "signature", "subscription-key"];

#[cfg(test)]
mod tests {
    use super::{looks_secret, value_looks_secret};

    #[test]
    fn secrets_are_noticed() {
        for secret in [
            "-----BEGIN PRIVATE KEY-----",
            "password=hunter2hunter",
            "the new secret: Zm9vYmFyYmF6",
            "Authorization: Bearer abcdef",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "0123456789abcdef0123456789abcdef",
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJh",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "postgres://user:geheim@host/db",
            "new key is 8fK2mQ9xV4tR7wY1zB6n, saved",
            "GOCSPX-1234567890abcdefghij",
            "the new one is 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11",
            // An id somewhere does not make an id of everything.
            "the new access key is 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11 and its id is noted",
            "new client ID noted, secret 0123456789abcdef0123456789abcdef0123456789abcdef",
            "the old key is idle 0123456789abcdef0123456789abcdef",
            "id noted; 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11",
            "the secret of this id: 0123456789abcdef0123456789abcdef",
            "client id 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11, key 0123456789abcdef0123456789abcdef",
            // In a sentence.
            "the password is hunter2hunter",
            "the password is now hunter2hunter",
            "password was set to 'opensesame'",
            "new pw: geheim1234",
            "pw=geheim",
            "its token is abc-def-ghi",
            // In other words and other languages.
            "pass: hunter2hunter",
            "pass=Sommer2026",
            "Passwort: geheim123",
            "das Kennwort ist Sommer-2026",
            "le mot de passe est soleil99",
            "contrase\u{f1}a: verano_26",
            "\u{41f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}: leto2026",
            "\u{5bc6}\u{7801}\u{ff1a}abc12345",
            // As URLs write it.
            "password%3Dhunter2hunter",
            "new one: wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY",
            "https://api.acme.com/?x=postgres%3A%2F%2Fuser%3Ageheim%40host%2Fdb",
            // As seeds of one-time codes are.
            "JBSWY3DPEHPK3PXP",
            "seed MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U======",
            // In a URL.
            "https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@api.acme.com/v1",
            "https://api.acme.com/v1/me?key=12345678",
            "https://api.acme.com/v1/me?x=1&sig=12345678",
        ] {
            assert!(looks_secret(secret).is_some(), "{secret}");
        }
    }

    #[test]
    fn notes_are_let_through() {
        for note in [
            "Warehouse only",
            "job 'Nightly sync' ended 2026-11-21 10:02 UTC, no errors",
            "ticket OPS-12345, changed by Maria and Wei",
            "AKIAIOSFODNN7EXAMPLE is the new key's id",
            "SHA256:rVDgH3opUTBXg/5mC2Wglqpz5sbgNrYLHbbxJASpGQ4=",
            "client id 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11, expires 2028-11-21",
            "https://acme.atlassian.net/browse/OPS-12?focusedId=123456",
            "secret ID kept, token lifetime is one hour",
            "password was changed by the DBA",
            "maria.garcia-lopez@subsidiary.example.com",
            "/var/log/warehouse/2026/11/21/sync-job-0001.log",
            // Public, and said to be.
            "key ID: 0123456789abcdef0123456789abcdef01234567",
            "key_id=0123456789abcdef0123456789abcdef01234567",
            "the client ID is 0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "key IDs 0123456789abcdef0123456789abcdef01234567 and 89abcdef0123456789abcdef0123456701234567",
            "Secret ID 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11, until 2028-11-21",
            "serial number 0123456789abcdef0123456789abcdef",
            "deleted key 0123456789abcdef0123456789abcdef01234567 at 10:02",
            // In other languages, without it, and names that chance could have made.
            "Passwort: vom DBA ge\u{e4}ndert",
            "das Kennwort ist im Tresor",
            "pass: all of them, at 10:02",
            "pass 2026-11-21",
            "bypass: checked-1",
            "AIDAJQABLZS4A3QDU576Q is the user",
            "AROAJQABLZS4A3QDU576Q",
            "100% done, 20%25 left",
            // About a secret, without it.
            "the password is in the vault",
            "the token is still valid",
            "password: unchanged",
            "the secret is known to the vault only",
            "token was revoked at 10:02",
            "the access key is now disabled",
        ] {
            assert_eq!(looks_secret(note), None, "{note}");
        }
    }

    #[test]
    fn a_value_is_no_secret_either() {
        for (input, value) in [
            ("probe_url", "https://warehouse:geheim@api.acme.com/v1/me"),
            ("probe_url", "https://api.acme.com/v1/me?api_key=12345678"),
            ("probe_url", "https://api.acme.com/v1/me?key=12345678"),
            ("probe_url", "https://api.acme.com/v1/Zx8kQ2mV9tR4wY7zB1nP/me"),
            ("user", "Zx8kQ2mV9tR4wY7zB1nP"),
            ("user", "6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11"),
            ("connector", "password=hunter2"),
            ("client_id", "GOCSPX-1234567890abcdefghij"),
            ("old_account", "abc8Q~1dE2fG3hI4jK5lM6nO7pQ8rS9tU0vW1xY2"),
        ] {
            assert!(value_looks_secret(input, value).is_some(), "{input} {value}");
        }
        for (input, value) in [
            ("client_id", "6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11"),
            ("client_id", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"),
            ("tenant", "8b87af7d-8647-4dc7-8df4-5f69a2011bb5"),
            ("old_key_id", "0123456789abcdef0123456789abcdef01234567"),
            ("old_key", "AKIAIOSFODNN7EXAMPLE"),
            ("old_account", "warehouse.4f2a1c.mp-service-account"),
            ("bucket", "acme-data-4f2a1c9b8d7e6f5a"),
            ("prefix", "Warehouse/Exports2026/Customers"),
            ("user", "Warehouse-Integration-User-1"),
            ("user", "WAREHOUSE_READER_PROD_2026"),
            ("site", "sk-networks-support"),
            ("probe_url", "https://api.acme.com/v1/me?fields=name"),
            ("client_id", "123456789012-abc123.apps.googleusercontent.com"),
        ] {
            assert_eq!(value_looks_secret(input, value), None, "{input} {value}");
        }
    }
}
