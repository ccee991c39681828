//! What is said of options, in the words of the file.
//!
//! Messages of a connector and of the driver name what was given on a command line: `--user`. Whoever has written a target
//! into rotate.toml has given no option, but the key `user`.

use std::collections::BTreeMap;

use rotate_providers::inputs::InputSpec;

use super::target::{How, Target};

/// What stands right before an option of which a sentence speaks. In a command to be pasted another word does.
const BEFORE: &[&str] = &[
    "with", "use", "or", "and", "add", "at", "see", "check", "name", "by", "give",
];

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
    /// The same text, in which each option that stands for a key of this target is that key. Of a target that a person rotates
    /// the file says how its credential is tried, and the first key is named with its place there.
    pub fn in_its_words(&self, text: &str) -> String {
        if !text.contains("--") {
            return text.to_owned();
        }
        let is_by_hand = matches!(self.how, How::ByHand(_));
        let key_of = match &self.how {
            How::Automatic(automatic) => keys(KEYS, &[], automatic.automation.inputs),
            How::ByHand(_) => {
                let inputs = self.connector.guide().map(|guide| guide.inputs).unwrap_or_default();
                keys(&["ca_file"], &["allow_private", "risk_lockout"], &inputs)
            }
        };
        let mut is_placed = !is_by_hand;
        let mut said = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, option)) = rest.split_once("--") {
            said.push_str(before);
            let end = option.find(|letter: char| !letter.is_ascii_lowercase() && letter != '-');
            let (name, after) = option.split_at(end.unwrap_or(option.len()));
            match key_of.get(&name.replace('-', "_")).filter(|_| is_spoken_of(&said)) {
                Some(key) if is_placed => said.push_str(key),
                Some(key) => {
                    is_placed = true;
                    said.push_str(&format!("{key} ({})", self.place));
                }
                // What one command is told of a host, every command is told so.
                None if is_by_hand && name == "allow-host" => said.push_str("--allow-endpoint"),
                None => said.push_str(&format!("--{name}")),
            }
            rest = after;
        }
        said + rest
    }
}

/// How keys are written in a sentence, by their names: as they are, or as what they have to be.
fn keys(plain: &[&str], switches: &[&str], inputs: &[InputSpec]) -> BTreeMap<String, String> {
    let inputs = inputs.iter().map(|input| input.name.to_string());
    let plain = plain.iter().map(|name| (*name).to_owned()).chain(inputs);
    let plain = plain.map(|name| (name.clone(), format!("`{name}`")));
    let switches = switches
        .iter()
        .map(|name| ((*name).to_owned(), format!("`{name} = true`")));
    plain.chain(switches).collect()
}

/// Whether a sentence goes on here, and not a command.
fn is_spoken_of(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '`']);
    let word = before.rsplit(|letter: char| !letter.is_ascii_alphabetic()).next();
    before.is_empty() || before.ends_with([',', ':', ';', '(']) || word.is_some_and(|word| BEFORE.contains(&word))
}
