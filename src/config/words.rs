//! What is said of options, in the words of the file.
//!
//! Messages of a connector and of the driver name what was given on a command line: `--user`. Whoever has written a target
//! into rotate.toml has given no option, but the key `user`.

use super::target::{How, Target};

/// What stands right before an option of which a sentence speaks. In a command to be pasted another word does.
const BEFORE: &[&str] = &["with", "use", "or", "and", "add", "at", "see", "check", "name", "by"];

/// Keys that every automated target may have, beside those of its connector.
const KEYS: &[&str] = &[
    "deliver",
    "cutover",
    "prove",
    "lost_key",
    "observe",
    "soak",
    "current_key",
    "allow_self",
];

impl Target {
    /// The same text, in which each option that stands for a key of this target is that key.
    pub fn in_its_words(&self, text: &str) -> String {
        let How::Automatic(automatic) = &self.how else {
            return text.to_owned();
        };
        let inputs = automatic.automation.inputs;
        let is_key = |name: &str| KEYS.contains(&name) || inputs.iter().any(|input| input.name == name);
        let mut said = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, option)) = rest.split_once("--") {
            said.push_str(before);
            let end = option.find(|letter: char| !letter.is_ascii_lowercase() && letter != '-');
            let (name, after) = option.split_at(end.unwrap_or(option.len()));
            let key = name.replace('-', "_");
            if is_key(&key) && is_spoken_of(&said) {
                said.push_str(&format!("`{key}`"));
            } else {
                said.push_str(&format!("--{name}"));
            }
            rest = after;
        }
        said + rest
    }
}

/// Whether a sentence goes on here, and not a command.
fn is_spoken_of(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '`']);
    let word = before.rsplit(|letter: char| !letter.is_ascii_alphabetic()).next();
    before.is_empty() || before.ends_with([',', ':', ';', '(']) || word.is_some_and(|word| BEFORE.contains(&word))
}
