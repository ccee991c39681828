//! A text as it stands, and as whoever knows how it is encoded reads it: a secret in base64, escaped for a URL or for JSON, is as
//! good as one in clear.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// Shorter words are no secrets.
const SHORTEST_SECRET: usize = 8;

/// How deep something encoded may lie in something encoded: a document in base64 whose values are in base64 is two.
const DEEPEST: usize = 2;

/// With or without the padding, which stands where words end.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: [GeneralPurpose; 2] = [
    GeneralPurpose::new(&alphabet::STANDARD, LENIENT),
    GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT),
];

/// Whether this stands between words.
pub(super) fn is_between(letter: char) -> bool {
    letter.is_whitespace() || "\"'`,;:(){}[]<>=".contains(letter)
}

/// The words that are long enough to be secrets.
pub(super) fn long_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_between).filter(|word| word.len() >= SHORTEST_SECRET)
}

/// Whether it is long enough to be a secret.
pub(super) fn is_long(word: &str) -> bool {
    word.len() >= SHORTEST_SECRET
}

/// The text, and what stands there for whoever decodes it.
pub(super) fn readings(text: &str) -> Vec<Zeroizing<String>> {
    let mut all = vec![Zeroizing::new(text.to_owned())];
    for _ in 0..DEEPEST {
        match all.last().map(|last| decoded(last)).filter(|next| !next.is_empty()) {
            Some(next) => all.push(next),
            None => break,
        }
    }
    all
}

/// What is encoded in it, a line each.
fn decoded(text: &str) -> Zeroizing<String> {
    // Room for everything: what grows leaves copies behind.
    let mut all = Zeroizing::new(String::with_capacity(4 * text.len() + 8));
    let mut add = |line: &str| {
        all.push_str(line);
        all.push('\n');
    };
    // What is wrong in one line hides nothing in the others.
    for line in text.lines() {
        if line.contains('\\')
            && let Some(unescaped) = unescaped(line)
        {
            add(&unescaped);
        }
        if line.contains('%') {
            let mut bytes = Zeroizing::new(Vec::with_capacity(line.len()));
            bytes.extend(percent_decode_str(line));
            str::from_utf8(&bytes).into_iter().for_each(&mut add);
        }
    }
    for word in long_words(text) {
        let mut bytes = Zeroizing::new(vec![0; word.len()]);
        let found = BASE64.iter().find_map(|form| form.decode_slice(word, &mut bytes).ok());
        let said = found.and_then(|length| str::from_utf8(bytes.get(..length)?).ok());
        said.filter(|said| is_long(said)).into_iter().for_each(&mut add);
    }
    all
}

/// The text without the escapes of JSON; `None` where one of them is none.
pub(super) fn unescaped(written: &str) -> Option<Zeroizing<String>> {
    let mut letters = written.chars();
    let mut text = Zeroizing::new(String::with_capacity(written.len()));
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        text.push(match letters.next()? {
            'u' => {
                let digits = letters.as_str().get(..4)?;
                letters = letters.as_str().get(4..)?.chars();
                // None that is looked for is written in two halves.
                let code = u32::from_str_radix(digits, 16).ok()?;
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            'b' | 'f' | 'n' | 'r' | 't' => ' ',
            letter => letter,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::readings;

    #[track_caller]
    fn says(text: &str, secret: &str) {
        let all = readings(text);
        assert!(all.iter().any(|reading| reading.contains(secret)), "{text}");
    }

    #[test]
    fn a_secret_is_read_in_each_form_in_which_stores_and_programs_write_one() {
        let secret = "CANARY/old+key=1";
        for text in [
            secret,
            // Base64 in an object, with and without padding, and for URLs.
            r#"{"password":"Q0FOQVJZL29sZCtrZXk9MQ=="}"#,
            "password: Q0FOQVJZL29sZCtrZXk9MQ",
            "https://user:CANARY%2Fold%2Bkey%3D1@host/",
            r#"{"password":"CANARY\/old\u002bkey=1"}"#,
            // A document in base64 with a value in base64.
            "eyJhdXRoIjoiUTBGT1FWSlpMMjlzWkN0clpYazlNUT09In0K",
        ] {
            says(text, secret);
        }
        says("Pz8_Q0FOQVJZPz8_", "???CANARY???");
        assert!(readings("line 1 | no such app").len() == 1);
    }

    #[test]
    fn what_is_wrong_in_one_line_hides_nothing_in_the_others() {
        says("100 %ff\nhttps://user:CANARY%2Fkey@host/", "CANARY/key");
        says("C:\\u\n{\"password\":\"CANARY\\/key\"}", "CANARY/key");
    }
}
