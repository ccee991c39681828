//! What a connector is told: one description of each input. From it come its option, its key in rotate.toml and in that
//! file's schema, its line in a guide, whose keys a target is about, and which targets share a login. Never a secret.

mod clash;
mod mistaken;
mod written;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::fault::Fault;
use crate::sql_name;
use crate::untrusted::is_harmful;

pub use clash::{Clash, clashes};
pub use mistaken::Mistaken;

/// One thing that a connector is told.
#[derive(Clone, Debug)]
pub struct InputSpec {
    /// Its name, which is also its option: `key_bits` is `--key-bits`.
    pub name: Cow<'static, str>,
    /// What it is, as a fragment.
    pub help: Cow<'static, str>,
    /// What stands for its value in a command's help; the name in capitals, unless told otherwise.
    pub value_name: Option<&'static str>,
    /// Whether nothing can be done without it; in a guide, whether the plan is of little use without it.
    pub required: bool,
    /// Whether it tells whose keys a target is about. The first that does names the target: `freshdesk/acme`.
    pub identifies: bool,
    /// Whether it tells one administrator's login from another: targets that have all of these in common share one.
    pub shared: bool,
    /// Whether nobody can know it before one of the steps by hand is taken.
    pub late: bool,
    /// Its value if nobody gives one.
    pub default: Option<Cow<'static, str>>,
    /// What is taken if nobody gives one, where that is found elsewhere.
    pub otherwise: Option<&'static str>,
    /// What it is one way of several to give, of which one is chosen: `place for the same passphrase`.
    pub one_of: Option<&'static str>,
    /// The input without which it means nothing.
    pub needs: Option<&'static str>,
    /// How a configuration file writes it.
    pub form: Form,
    /// What it must look like.
    pub rule: Rule,
    /// What people give in its place, whether or not that looks as it must.
    pub mistaken: Vec<Mistaken>,
}

/// How a value is written in a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In quotes.
    Text,
    /// In quotes: the name of a file, which the command line may give from the current folder.
    Path,
    /// As one of these numbers.
    Number(&'static [i64]),
}

/// What a value must look like.
#[derive(Clone, Debug)]
pub enum Rule {
    /// It has this form from beginning to end.
    Pattern(Regex, Meaning),
    /// The connector's own code knows; gives it in the form in which it is journaled, or what fixes it.
    Check(Check),
    /// What the program's own input of this name must look like: a guide repeats no rule.
    OfTheProgram,
}

/// Gives a value in the form in which it is journaled, or what fixes it.
pub type Check = fn(&str) -> Result<Value, String>;

/// What the text of an input means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// Itself.
    #[default]
    Text,
    /// A name in SQL: its upper-case form, unless it is in double quotes of its own.
    SqlName,
}

impl InputSpec {
    /// What has to be given.
    pub(crate) const fn required(name: &'static str, help: &'static str, check: Check) -> Self {
        let mut input = Self::optional(name, help, check);
        input.required = true;
        input
    }

    /// What may be given.
    pub(crate) const fn optional(name: &'static str, help: &'static str, check: Check) -> Self {
        Self {
            name: Cow::Borrowed(name),
            help: Cow::Borrowed(help),
            value_name: None,
            required: false,
            identifies: false,
            shared: false,
            late: false,
            default: None,
            otherwise: None,
            one_of: None,
            needs: None,
            form: Form::Text,
            rule: Rule::Check(check),
            mistaken: Vec::new(),
        }
    }

    /// It tells whose keys a target is about.
    pub(crate) const fn identifies(mut self) -> Self {
        self.identifies = true;
        self
    }

    /// It tells one administrator's login from another.
    pub(crate) const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    pub(crate) const fn called(mut self, value_name: &'static str) -> Self {
        self.value_name = Some(value_name);
        self
    }

    pub(crate) const fn otherwise(mut self, words: &'static str) -> Self {
        self.otherwise = Some(words);
        self
    }

    pub(crate) const fn one_of(mut self, what: &'static str) -> Self {
        self.one_of = Some(what);
        self
    }

    pub(crate) const fn needs(mut self, other: &'static str) -> Self {
        self.needs = Some(other);
        self
    }

    pub(crate) const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        // Nothing is dropped where constants are made.
        std::mem::forget(self.default.replace(Cow::Borrowed(default)));
        self
    }

    /// The option that gives it.
    pub fn option(&self) -> String {
        option(&self.name)
    }

    /// The value that this text means, in the form in which it is journaled; or what fixes it.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        if let Some(mistaken) = self.mistaken(text) {
            return Err(format!("it should be {}: {mistaken}", self.help));
        }
        match &self.rule {
            // What holds where nothing is given may also be given.
            Rule::Check(_) if self.form == Form::Text && self.default.as_deref() == Some(text) => Ok(Value::from(text)),
            Rule::Check(check) => check(text),
            Rule::Pattern(pattern, meaning) => {
                let fits = pattern.is_match(text) && !text.chars().any(char::is_control);
                let meant = fits.then(|| meaning.of(text)).flatten();
                meant.map(Value::from).ok_or_else(|| self.expected_of(pattern))
            }
            Rule::OfTheProgram => Err(format!("nothing is known of the form of {}", self.name)),
        }
    }

    /// The same of the name of a file, as it is found from the current folder: it is needed again on other days and from
    /// other folders.
    pub fn read_from_here(&self, text: &str) -> Result<Value, String> {
        self.read(text)?;
        let path = std::path::absolute(expanded(Path::new(text))).map_err(|error| error.to_string())?;
        path.to_str()
            .map(Value::from)
            .ok_or_else(|| "its whole path is not UTF-8".to_owned())
    }

    /// The text that this text means; `None` where it does not look as it must.
    pub fn meant(&self, text: &str) -> Option<String> {
        match self.read(text).ok()? {
            Value::String(meant) => Some(meant),
            other => Some(other.to_string()),
        }
    }

    /// The values that it can have, where it is a choice between some words.
    pub fn choices(&self) -> Vec<&str> {
        let Rule::Pattern(pattern, _) = &self.rule else {
            return Vec::new();
        };
        let words: Vec<&str> = form_of(pattern).split('|').collect();
        let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match words.len() > 1 && words.iter().all(is_word) {
            true => words,
            false => Vec::new(),
        }
    }

    /// Whether it can be this.
    pub fn takes(&self, text: &str) -> bool {
        self.read(text).is_ok()
    }

    /// What it should be, told of a text that it is not.
    pub fn expected(&self, text: &str) -> String {
        if let Some(mistaken) = self.mistaken(text) {
            return format!("it should be {}: {mistaken}", self.help);
        }
        match (&self.rule, self.read(text)) {
            (Rule::Pattern(pattern, _), _) => self.expected_of(pattern),
            (_, Err(remedy)) => format!("it should be {}: {remedy}", self.help),
            (_, Ok(_)) => format!("it should be {}", self.help),
        }
    }

    fn mistaken(&self, text: &str) -> Option<&str> {
        let mistaken = self.mistaken.iter().find(|mistaken| mistaken.pattern.is_match(text));
        mistaken.map(|mistaken| mistaken.is.as_str())
    }

    fn expected_of(&self, pattern: &Regex) -> String {
        format!("it should be {}, of the form {}", self.help, form_of(pattern))
    }

    /// What it is, with what holds if nobody gives it.
    pub fn described(&self) -> String {
        match self.default.as_deref().or(self.otherwise) {
            Some(otherwise) if !self.required && !otherwise.is_empty() => format!("{}; else {otherwise}", self.help),
            _ => self.help.clone().into_owned(),
        }
    }
}

/// What a pattern asks for, as it stands in the guide.
fn form_of(pattern: &Regex) -> &str {
    pattern.as_str().trim_start_matches("^(?:").trim_end_matches(")$")
}

impl Meaning {
    fn of(self, text: &str) -> Option<String> {
        match self {
            Self::Text => Some(text.to_owned()),
            Self::SqlName => sql_name::meant(text).ok(),
        }
    }
}

/// The option of this name.
pub fn option(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// What tells whose keys these are, as far as the inputs say it.
pub fn owner(inputs: &[InputSpec], values: &Value) -> String {
    told(inputs.iter().filter(|input| input.identifies), values)
}

/// What tells the login that these inputs ask for from another.
pub(crate) fn login(inputs: &[InputSpec], values: &Value) -> String {
    told(inputs.iter().filter(|input| input.shared), values)
}

/// The same values as the connector's own type.
pub(crate) fn typed<T: DeserializeOwned>(values: Value) -> Result<T, Fault> {
    serde_json::from_value(values).map_err(|error| Fault::new("read the inputs of the connector", error.to_string()))
}

/// The value that names the target.
pub fn name_of<'v>(inputs: &[InputSpec], values: &'v Value) -> Option<&'v str> {
    let first = inputs.iter().find(|input| input.identifies)?;
    values.get(&*first.name)?.as_str()
}

fn told<'i>(inputs: impl Iterator<Item = &'i InputSpec>, values: &Value) -> String {
    let of = |input: &InputSpec| values.get(&*input.name).map(Value::to_string).unwrap_or_default();
    inputs.map(of).collect::<Vec<_>>().join(" ")
}

/// `~` at the beginning of a path, as shells read it.
pub(crate) fn expanded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// No name and no path is longer.
const LONGEST: usize = 2048;

/// Any text but none, on one visible line.
pub(crate) fn text(text: &str) -> Result<Value, String> {
    if text.is_empty() || text.chars().any(is_harmful) {
        Err("it should be text, on one line and without invisible letters".to_owned())
    } else if text.len() > LONGEST {
        Err(format!("it is longer than {LONGEST} bytes"))
    } else {
        Ok(Value::from(text))
    }
}

/// The same, where it may become a word of a command that a person types: what begins with a hyphen is an option there.
pub(crate) fn word(given: &str) -> Result<Value, String> {
    if given.starts_with('-') {
        return Err("what begins with a hyphen is an option to the tools that it is given to".to_owned());
    }
    text(given)
}

/// An endpoint that keys may be sent to.
pub(crate) fn endpoint(text: &str) -> Result<Value, String> {
    crate::endpoint::check_endpoint(text)
        .map(|()| Value::from(text))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::CONNECTORS;

    fn inputs(id: &str) -> &'static [InputSpec] {
        crate::automation(id).unwrap().inputs
    }

    #[test]
    fn a_login_is_shared_by_those_alone_who_ask_for_the_same_one() {
        let s3 = inputs("s3-customer-managed");
        let asked = json!({ "user": "a", "bucket": "one", "profile": "admin", "region": "eu-west-1" });
        let other_user = json!({ "user": "b", "bucket": "two", "profile": "admin", "region": "eu-west-1" });
        assert_eq!(login(s3, &asked), login(s3, &other_user));
        assert_ne!(owner(s3, &asked), owner(s3, &other_user));
        for (name, value) in [
            ("profile", "other"),
            ("assume_role", "r"),
            ("external_id", "x"),
            ("region", "eu-west-2"),
            ("endpoint_url", "http://127.0.0.1:1"),
        ] {
            let mut other = asked.clone();
            other[name] = json!(value);
            assert_ne!(login(s3, &asked), login(s3, &other), "{name}");
        }
        // What stands in one place does not stand in another.
        let (role, id) = (json!({ "assume_role": "x" }), json!({ "external_id": "x" }));
        assert_ne!(login(s3, &role), login(s3, &id));
    }

    #[test]
    fn every_automated_connector_says_whose_keys_a_target_is_about() {
        for automation in CONNECTORS.iter().filter_map(|connector| connector.automation) {
            let first = automation.inputs.iter().find(|input| input.identifies);
            assert!(first.is_some_and(|input| input.required), "{}", automation.id);
            let names: Vec<&str> = automation.inputs.iter().map(|input| &*input.name).collect();
            for input in automation.inputs {
                assert!(
                    input.needs.is_none_or(|needed| names.contains(&needed)),
                    "{}",
                    input.name
                );
                let default = input.default.as_deref();
                assert!(default.is_none_or(|default| input.takes(default)), "{}", input.name);
            }
        }
    }

    #[test]
    fn a_path_is_whole_once_it_is_read_from_here() {
        let snowflake = inputs("snowflake-keypair");
        let file = snowflake.iter().find(|input| input.form == Form::Path).unwrap();
        let read = file.read_from_here("passphrase").unwrap();
        assert!(read.as_str().unwrap().starts_with('/') && read.as_str().unwrap().ends_with("/passphrase"));
        assert_eq!(
            file.read_from_here("/srv/passphrase").unwrap(),
            json!("/srv/passphrase")
        );
    }
}
