//! What secrets are called, and whether a value stands behind the name.

/// What is secret is called by one of these.
pub(super) const SECRET_NAMES: &[&str] = &[
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

/// What may stand between the verb and the value.
const FILLERS: &[&str] = &["now", "set", "to", "still", "the", "just", "again", "called"];

/// Words of every day that follow the name of a secret.
const ORDINARY: &[&str] = &[
    "active",
    "another",
    "behind",
    "beside",
    "between",
    "correct",
    "different",
    "expires",
    "expiry",
    "identical",
    "inactive",
    "invalid",
    "longer",
    "neither",
    "nobody",
    "nowhere",
    "public",
    "safe",
    "shared",
    "somewhere",
    "temporary",
    "unique",
    "within",
    "without",
];

/// The same in other languages, and shorter words that are a part of many: whole words only, with a value that nobody writes by
/// the way.
const OTHER_NAMES: &[&str] = &[
    "pass",
    "pw",
    "passwort",
    "kennwort",
    "geheimnis",
    "schl\u{fc}ssel",
    "mot de passe",
    "mdp",
    "contrase\u{f1}a",
    "contrasena",
    "clave",
    "senha",
    "parola d'ordine",
    "wachtwoord",
    "l\u{f6}senord",
    "adgangskode",
    "salasana",
    "has\u{142}o",
    "\u{15f}ifre",
    "heslo",
    "jelsz\u{f3}",
    "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
    "\u{43a}\u{43b}\u{44e}\u{447}",
    "\u{5bc6}\u{7801}",
    "\u{5bc6}\u{78bc}",
    "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}",
    "\u{be44}\u{bc00}\u{bc88}\u{d638}",
];

/// Between the name and the value, in as many languages.
const IS: &[&str] = &[
    "is", "was", "are", "ist", "lautet", "est", "es", "\u{e9}", "\u{e8}", "\u{e4}r", "er", "on", "jest", "je",
];

/// `password=\u{2026}`, `secret: \u{2026}`, `the token is \u{2026}` with a value behind it. The text is in small letters.
pub(super) fn names_a_secret(lower: &str) -> bool {
    let behind = |name: &&str| {
        let found: Vec<(usize, &str)> = lower
            .match_indices(*name)
            .map(|(at, name)| (at, &lower[at + name.len()..]))
            .collect();
        found
    };
    let named = SECRET_NAMES
        .iter()
        .any(|name| behind(name).iter().any(|(_, rest)| gives_a_value(rest)));
    named
        || OTHER_NAMES.iter().any(|name| {
            let apart = |at: usize| !lower[..at].ends_with(char::is_alphanumeric);
            behind(name)
                .iter()
                .any(|(at, rest)| apart(*at) && gives_a_chosen_value(rest))
        })
}

/// Whether what stands behind the name is a value that somebody has chosen: assigned, or with a digit or a sign in it.
fn gives_a_chosen_value(behind: &str) -> bool {
    let rest = behind.trim_start_matches(['"', '\'', ' ']);
    let value = match rest.strip_prefix(['=', ':', '\u{ff1a}']) {
        Some(value) => value,
        None => match rest.split_once(char::is_whitespace) {
            Some((verb, value)) if IS.contains(&verb) => value,
            _ => return false,
        },
    };
    let word = value.split_whitespace().next().unwrap_or_default();
    let word = word.trim_matches(|letter: char| ".,;:!?()\"'`".contains(letter));
    let is_time = word
        .chars()
        .all(|letter| letter.is_ascii_digit() || ":-./t".contains(letter));
    let is_chosen = rest.starts_with('=') || word.chars().any(|letter| !letter.is_alphabetic());
    word.chars().count() >= 6 && !is_time && is_chosen
}

/// Whether what stands behind the name of a secret is its value.
fn gives_a_value(behind: &str) -> bool {
    let rest = behind.trim_start_matches(['"', '\'']);
    let bare = rest.trim_start();
    if let Some(value) = bare.strip_prefix('=') {
        return value.split_whitespace().next().is_some_and(|word| word.len() >= 6);
    }
    let value = match bare.strip_prefix([':', '\u{ff1a}']) {
        Some(value) => value,
        None if bare.len() == rest.len() => return false,
        None => match bare.split_once(char::is_whitespace) {
            Some((verb, value)) if IS.contains(&verb) => value,
            _ => return false,
        },
    };
    let mut words = value
        .split_whitespace()
        .map(|word| word.trim_matches(|letter: char| ".,;:!?()\"'`".contains(letter)))
        .filter(|word| !word.is_empty());
    words
        .find(|word| !FILLERS.contains(word))
        .is_some_and(|word| word.len() >= 6 && !is_ordinary(word))
}

/// Known words, and those that end like a participle or an adverb.
fn is_ordinary(word: &str) -> bool {
    let letters = word.bytes().all(|byte| byte.is_ascii_lowercase());
    let ends = ["ed", "en", "ly", "ing", "own", "able", "ible"];
    letters && (ORDINARY.contains(&word) || ends.iter().any(|end| word.ends_with(end)))
}
