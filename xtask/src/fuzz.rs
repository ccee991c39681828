//! The properties that are tried with texts by chance, for as long as somebody has: with new chances in each round.

use std::time::{Duration, Instant, SystemTime};

use crate::line::Said;

pub(crate) const NAME: &str = "fuzz";
pub(crate) const WHAT: &str = "[MINUTES]: what is read from outside, with many texts by chance, 10 minutes where none are said; what fails says its seed";

/// How long, where nobody says so.
const MINUTES: u64 = 10;

/// Longer than a night is a slip.
const MOST_MINUTES: u64 = 12 * 60;

/// The properties, and with how many texts each of them is tried in a round, which takes a minute or some. Other people's programs
/// read the files of the second ones, so these are fewer.
const TRIED: [(&str, &[&str]); 2] = [
    (
        "20000",
        &[
            "whatever_text::",
            "machine::random::",
            "machine::in_place::",
            "machine::guided::",
        ],
    ),
    (
        "1000",
        &[
            "as_aws_tools_files::dotenv_property::",
            "as_aws_tools_files::profiles_property::",
        ],
    ),
];

/// For how many minutes these words ask; nothing where they are not understood.
pub(crate) fn parse(words: &[String]) -> Option<u64> {
    match words {
        [] => Some(MINUTES),
        [minutes] => minutes
            .parse()
            .ok()
            .filter(|minutes| (1..=MOST_MINUTES).contains(minutes)),
        _ => None,
    }
}

/// Tries them, round by round. The error is the line that fails again in the same way.
pub(crate) fn run(minutes: u64) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let mut seed = now.map_or(0, |now| now.as_secs());
    loop {
        round(seed).try_for_each(Said::run)?;
        if Instant::now() >= end {
            return Ok(());
        }
        seed += 1;
    }
}

/// The lines of a round.
fn round(seed: u64) -> impl Iterator<Item = Said> {
    TRIED.iter().map(move |(cases, properties)| {
        let test = Said::new("cargo").words(["test", "--locked", "--test", "it", "--"]);
        let test = test.words(*properties).with("PROPTEST_CASES", cases);
        test.with("PROPTEST_RNG_SEED", seed.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_may_be_said_and_a_slip_is_none() {
        let parse = |words: &[&str]| parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(parse(&[]), Some(10));
        assert_eq!(parse(&["30"]), Some(30));
        for slip in [&["0"] as &[&str], &["-1"], &["721"], &["ten"], &["1", "2"]] {
            assert_eq!(parse(slip), None, "{slip:?}");
        }
    }

    #[test]
    fn a_round_says_the_seed_with_which_it_is_the_same_again() {
        let lines: Vec<String> = round(42).map(|line| line.line()).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        for (line, cases, first) in [
            (&lines[0], 20_000, "whatever_text::"),
            (&lines[1], 1_000, "as_aws_tools_files::"),
        ] {
            let begins =
                format!("PROPTEST_CASES={cases} PROPTEST_RNG_SEED=42 cargo test --locked --test it -- {first}");
            assert!(line.starts_with(&begins), "{line}");
        }
    }
}
