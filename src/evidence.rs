//! Notes that people take while they rotate. They are kept in the clear, so nothing that looks like a secret gets in.

/// Why a note looks like a secret; `None` where it does not.
pub fn looks_secret(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    if lower.contains("-----begin ") || lower.contains("private key-----") {
        return Some("it holds a key in PEM");
    }
    if names_a_secret(&lower) {
        return Some("it names a password, secret, token or key and gives its value");
    }
    if lower.contains("bearer ")
        || lower.contains("basic ") && words(text).any(|word| word.len() >= 16 && is_dense(word))
    {
        return Some("it holds the header of a login");
    }
    if lower.split_whitespace().any(url_has_password) {
        return Some("it holds a URL with a password in it");
    }
    if words(text).any(|word| {
        KNOWN
            .iter()
            .any(|start| word.starts_with(start) && word.len() >= start.len() + 12)
    }) {
        return Some("it begins like a token of a known vendor");
    }
    let names_an_id = PUBLIC_NAMES.iter().any(|name| lower.contains(name));
    words(text)
        // Gainsight's access key has the form of a UUID: without a word that says so, it is not taken for an id.
        .filter(|word| !(names_an_id && (is_hex(word) || is_uuid(word))))
        .any(|word| word.len() >= 20 && is_dense(word))
        .then_some("it holds a long word that looks random; note a name, a time or a public id instead")
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

/// What is public is called by one of these.
const PUBLIC_NAMES: &[&str] = &[" id", "thumbprint", "fingerprint", "serial", "deleted key", "key id"];

/// `password=…`, `secret: …` with a value behind it.
fn names_a_secret(lower: &str) -> bool {
    let names = [
        "password",
        "passwd",
        "pwd",
        "secret",
        "token",
        "api key",
        "api_key",
        "apikey",
        "passphrase",
        "access key",
    ];
    names.iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let rest = lower[at + name.len()..].trim_start_matches(['"', '\'']).trim_start();
            let value = rest.strip_prefix(['=', ':']).map(str::trim_start).unwrap_or_default();
            value.split_whitespace().next().is_some_and(|word| word.len() >= 6)
        })
    })
}

/// Letters, digits and signs mixed as chance does, and not as words, times, ids or addresses are.
fn is_dense(word: &str) -> bool {
    // A fingerprint of a public key and the id of an AWS key are public.
    let public = word.starts_with("SHA256:") || is_aws_key_id(word) || is_public_key(word) || is_host(word);
    let upper = word.bytes().any(|byte| byte.is_ascii_uppercase());
    let lower = word.bytes().any(|byte| byte.is_ascii_lowercase());
    let digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let kinds = usize::from(upper) + usize::from(lower) + usize::from(digit);
    !public && (is_hex(word) || is_uuid(word) || kinds == 3 || kinds == 2 && digit && entropy(word) > 3.6)
}

/// Bits a letter.
fn entropy(word: &str) -> f64 {
    let mut counts = [0_u32; 256];
    word.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = f64::from(u32::try_from(word.len()).unwrap_or(u32::MAX));
    let shares = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length);
    shares.map(|share| -share * share.log2()).sum()
}

/// Words as secrets are: no punctuation around, no e-mail addresses; of paths and URLs the parts.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let apart = |letter: char| letter.is_whitespace() || ",;()<>{}[]\"'`".contains(letter);
    text.split(apart)
        .map(|word| word.trim_matches(|letter: char| ".:!?".contains(letter)))
        .filter(|word| !is_address(word))
        .flat_map(|word| {
            let is_path = word.contains("://") || word.starts_with(['/', '.', '~']);
            let inside = move |letter: char| is_path && "/?&=#:".contains(letter);
            word.split(inside)
        })
}

/// `someone@host.tld`.
fn is_address(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && is_host(host))
}

/// Small letters, digits and hyphens between dots, and a name at the end.
fn is_host(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let end = word.rsplit('.').next().unwrap_or_default();
    word.contains('.') && word.chars().all(plain) && end.len() >= 2 && end.chars().all(|c| c.is_ascii_lowercase())
}

/// A public key as base64, which begins like this for RSA keys of 2048, 3072 and 4096 bits.
fn is_public_key(word: &str) -> bool {
    ["MIIBIjAN", "MIIBojAN", "MIICIjAN"]
        .iter()
        .any(|start| word.starts_with(start))
}

fn is_hex(word: &str) -> bool {
    word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn url_has_password(word: &str) -> bool {
    let Some((_, rest)) = word.split_once("://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    authority.split_once('@').is_some_and(|(login, _)| login.contains(':'))
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_aws_key_id(word: &str) -> bool {
    let starts = ["AKIA", "ASIA"].iter().any(|start| word.starts_with(start));
    starts
        && word.len() == 20
        && word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

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
        ] {
            assert!(looks_secret(secret).is_some(), "{secret}");
        }
    }

    #[test]
    fn notes_are_let_through() {
        for note in [
            "Gainsight only",
            "job 'Nightly sync' ended 2026-11-21 10:02 UTC, no errors",
            "ticket OPS-12345, changed by Maria and Wei",
            "AKIAIOSFODNN7EXAMPLE is the new key's id",
            "SHA256:rVDgH3opUTBXg/5mC2Wglqpz5sbgNrYLHbbxJASpGQ4=",
            "client id 6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11, expires 2028-11-21",
            "https://acme.atlassian.net/browse/OPS-12?focusedId=123456",
            "secret ID kept, token lifetime is one hour",
            "password was changed by the DBA",
            "maria.garcia-lopez@subsidiary.example.com",
            "/var/log/gainsight/2026/11/21/sync-job-0001.log",
        ] {
            assert_eq!(looks_secret(note), None, "{note}");
        }
    }
}
