//! Passwords that are made on this machine.

use rand::RngExt;
use rand::seq::SliceRandom;
use zeroize::Zeroizing;

use crate::secret::Secret;

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";
/// They mean nothing to a shell, a connection string, SQL or a reader of environment files.
const SIGNS: &[u8] = b"-_.~";

/// No password is shorter: with so many characters, chance alone finds none.
const SHORTEST: usize = 24;

/// A password of so many characters, and of 24 at least, with a small letter, a capital, a digit and a sign in it: what the
/// rules of vendors ask for. Any place may hold any of them.
pub fn random(length: usize) -> Secret {
    let mut random = rand::rng();
    let all = Zeroizing::new([LOWER, UPPER, DIGITS, SIGNS].concat());
    let mut letters = Zeroizing::new(Vec::with_capacity(length.max(SHORTEST)));
    for of_each in [LOWER, UPPER, DIGITS, SIGNS] {
        letters.extend(of_each.get(random.random_range(..of_each.len())));
    }
    while letters.len() < length.max(SHORTEST) {
        letters.extend(all.get(random.random_range(..all.len())));
    }
    letters.shuffle(&mut random);
    Secret::new(letters.as_slice())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_is_as_long_as_asked_for_and_has_one_of_each_kind_in_no_fixed_place() {
        let (mut seen, mut first) = (HashSet::new(), HashSet::new());
        for length in [0, 24, 40].repeat(100) {
            let secret = random(length);
            let text = secret.expose_text().unwrap().to_owned();
            assert_eq!(text.len(), length.max(SHORTEST));
            for kind in [LOWER, UPPER, DIGITS, SIGNS] {
                assert!(text.bytes().any(|letter| kind.contains(&letter)));
                if kind.contains(&text.as_bytes()[0]) {
                    first.insert(kind);
                }
            }
            assert!(seen.insert(text), "the same one twice");
        }
        assert_eq!(first.len(), 4);
    }
}
