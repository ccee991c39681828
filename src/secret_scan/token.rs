//! What a word looks like by itself: a name, an id, chance.

/// Hexadecimal digits, or a UUID.
pub(super) fn is_id(word: &str) -> bool {
    is_uuid(word) || word.len() >= 20 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Letters, digits and signs mixed as chance does, and not as words, times, ids or addresses are.
pub(super) fn is_dense(word: &str) -> bool {
    let digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let mixed = kinds(word) == 3 || kinds(word) == 2 && digit && entropy(word) > 3.6;
    !is_public(word) && (is_uuid(word) || is_hex(word) || mixed)
}

/// How many of the three kinds of letters there are in a word: large ones, small ones, digits.
pub(super) fn kinds(word: &str) -> usize {
    let upper = word.bytes().any(|byte| byte.is_ascii_uppercase());
    let lower = word.bytes().any(|byte| byte.is_ascii_lowercase());
    let digit = word.bytes().any(|byte| byte.is_ascii_digit());
    usize::from(upper) + usize::from(lower) + usize::from(digit)
}

/// The id of a key as vendors write it, a public key and the name of a host.
pub(super) fn is_public(word: &str) -> bool {
    rotate_providers::is_public(word) || is_public_key(word) || is_host(word)
}

/// Parts of letters with digits at their end, as people name things.
pub(super) fn is_name(word: &str) -> bool {
    word.split(['-', '_', '.', '/', '@']).all(|part| {
        let tail = part.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        tail.bytes().all(|byte| byte.is_ascii_digit())
    })
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

/// Words as secrets are: no punctuation around, no e-mail addresses; of paths and URLs the parts; and an id apart from its
/// name in `id=…`.
pub(super) fn words(text: &str) -> Vec<&str> {
    let apart = |letter: char| letter.is_whitespace() || ",;()<>{}[]\"'`".contains(letter);
    let words = text
        .split(apart)
        .map(|word| word.trim_matches(|letter: char| ".:!?".contains(letter)))
        .filter(|word| !is_address(word));
    let parts = words.flat_map(|word| {
        let is_path = word.contains("://") || word.starts_with(['/', '.', '~']);
        let inside = move |letter: char| is_path && "/?&=#:".contains(letter);
        word.split(inside)
    });
    let named = parts.flat_map(|word| match word.rsplit_once(['=', ':']) {
        Some((name, id)) if is_id(id) => [name, id],
        _ => ["", word],
    });
    named.filter(|word| !word.is_empty()).collect()
}

/// `someone@host.tld`.
fn is_address(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !name.contains(['/', ':']) && is_host(host))
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

pub(super) fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Large letters and the digits from 2 to 7, mixed as chance does: how the seeds of one-time codes are written.
pub(super) fn is_base32(word: &str) -> bool {
    let bare = word.trim_end_matches('=');
    let fits = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
    let apart = bare.as_bytes().windows(2);
    let inside = apart
        .filter(|pair| pair[0].is_ascii_digit() && pair[1].is_ascii_uppercase())
        .count();
    bare.len() >= 16 && bare.bytes().all(fits) && inside >= 2 && !is_public(bare)
}
