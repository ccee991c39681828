//! One profile in a file of the AWS tools: where its keys stand, and whether it answers with them.

use super::Fault;
use super::assignments::{Assignment, Assignments, Room};
use super::ini::{Entry, Section, sections};
use super::lines::BLANK;

pub(super) const ID: &str = "aws_access_key_id";
pub(super) const SECRET: &str = "aws_secret_access_key";

/// Names for a session token: boto3 reads both.
const TOKENS: [&str; 2] = ["aws_session_token", "aws_security_token"];

/// What makes a profile answer with something else than the keys in it, besides all that begins with `sso_`.
const SOURCES: [&str; 6] = [
    "role_arn",
    "source_profile",
    "credential_source",
    "credential_process",
    "web_identity_token_file",
    "login_session",
];

/// Which of the two files it is: they name a profile in different ways.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `[name]`.
    Credentials,
    /// `[profile name]`, and `[default]`.
    Config,
}

impl Kind {
    /// What a file that is neither of the default ones is by its content; an empty one is a credentials file.
    pub(super) fn of(text: &str) -> Result<Self, Fault> {
        let all = sections(text)?;
        let is_config = |section: &&Section<'_>| {
            let (kind, name) = section.name.split_once(BLANK).unwrap_or((section.name, ""));
            matches!(kind, "profile" | "sso-session" | "services") && !name.is_empty()
        };
        let is_credentials = |section: &&Section<'_>| section.name != DEFAULT && section.has(ID) && !is_config(section);
        match (all.iter().find(is_config), all.iter().find(is_credentials)) {
            (None, _) => Ok(Self::Credentials),
            (Some(_), None) => Ok(Self::Config),
            (Some(one), Some(other)) => Err(Fault::line(
                one.line,
                format!(
                    "[{}] is of a config file and [{}] (line {}) of a credentials file, and nothing says which this is: \
                     set AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE to it, as its readers do",
                    one.name.escape_debug(),
                    other.name.escape_debug(),
                    other.line
                ),
            )),
        }
    }

    /// The other file of the pair.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Credentials => Self::Config,
            Self::Config => Self::Credentials,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials file",
            Self::Config => "config file",
        }
    }

    /// How the header of this profile is written.
    pub(super) fn header(self, profile: &str) -> String {
        match self {
            Self::Config if profile != DEFAULT => format!("[profile {profile}]"),
            Self::Credentials | Self::Config => format!("[{profile}]"),
        }
    }

    /// The profile that a section is, to any reader: boto3 takes off quotes, and the SDKs take off blanks.
    fn profile_of(self, section: &str) -> Option<&str> {
        let bare = section.trim_matches(BLANK);
        match self {
            Self::Config if bare != DEFAULT => {
                let rest = bare.strip_prefix("profile").filter(|rest| rest.starts_with(BLANK))?;
                Some(rest.trim_matches(BLANK).trim_matches(['"', '\'']))
            }
            Self::Credentials | Self::Config => Some(bare),
        }
    }
}

pub(super) const DEFAULT: &str = "default";

/// The section of this profile, if there is one.
fn find<'s, 'a>(all: &'s [Section<'a>], kind: Kind, profile: &str) -> Result<Option<&'s Section<'a>>, Fault> {
    let mut same = all
        .iter()
        .filter(|section| kind.profile_of(section.name) == Some(profile));
    let first = same.next();
    match (first, same.next()) {
        (Some(first), Some(second)) => Err(Fault::line(
            second.line,
            format!(
                "the profile stands in it twice for some AWS tools: as [{}] here and as [{}] in line {}",
                second.name.escape_debug(),
                first.name.escape_debug(),
                first.line
            ),
        )),
        _ => Ok(first),
    }
}

/// The keys of this profile, in a file in which it answers with them.
pub(super) fn read<'a>(text: &'a str, kind: Kind, profile: &str) -> Result<Assignments<'a>, Fault> {
    let all = sections(text)?;
    let section = find(&all, kind, profile)?;
    if section.is_none_or(|section| !section.has(ID)) {
        is_not_meant_otherwise(&all, kind, profile)?;
    }
    let mut found = Vec::new();
    if let Some(section) = section {
        answers_with_its_keys(section)?;
        all_may_look_here(section, kind, profile)?;
        for option in &section.options {
            if let Some(name) = [ID, SECRET].into_iter().find(|name| *name == option.name) {
                found.push(assignment(text, name, option)?);
            }
        }
    }
    Ok(Assignments {
        text,
        found,
        room: match section {
            Some(section) => Room::After(section.end),
            None => Room::Section(kind.header(profile)),
        },
        equals: " = ",
    })
}

/// Whether the other file of the pair leaves this profile's keys alone; that file is of this kind.
pub(super) fn allows(text: &str, kind: Kind, profile: &str) -> Result<(), Fault> {
    let all = sections(text)?;
    let Some(section) = find(&all, kind, profile)? else {
        return Ok(());
    };
    answers_with_its_keys(section)?;
    let key = section
        .options
        .iter()
        .find(|option| [ID, SECRET].contains(&option.name.as_str()));
    match (kind, key) {
        (Kind::Credentials, Some(key)) => Err(Fault::line(
            key.number,
            format!(
                "the profile has its {} here too, and what stands here wins: deliver to this file",
                key.name
            ),
        )),
        _ => Ok(()),
    }
}

/// Whether the keys stand in it already under the header that the other kind of file has: then nobody can tell which of the
/// two its readers take it for.
fn is_not_meant_otherwise(all: &[Section<'_>], kind: Kind, profile: &str) -> Result<(), Fault> {
    let is_ours = |kind: Kind, section: &Section<'_>| kind.profile_of(section.name) == Some(profile);
    let other = kind.other();
    let meant = all
        .iter()
        .find(|section| is_ours(other, section) && !is_ours(kind, section) && section.has(ID));
    match meant {
        None => Ok(()),
        Some(section) => Err(Fault::line(
            section.line,
            format!(
                "[{}] holds keys, and AWS tools read no such profile in a {}: write {} there if it is one",
                section.name.escape_debug(),
                kind.name(),
                kind.header(profile)
            ),
        )),
    }
}

/// Where a header is not this profile's to all readers, it gets no keys that it has not had: only who reads it now may need
/// them.
fn all_may_look_here(section: &Section<'_>, kind: Kind, profile: &str) -> Result<(), Fault> {
    let header = kind.header(profile);
    let is_clear = header.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) == Some(section.name);
    if is_clear || kind == Kind::Config && profile == DEFAULT || section.has(ID) && section.has(SECRET) {
        return Ok(());
    }
    Err(Fault::line(
        section.line,
        format!(
            "[{}] is not this profile to all AWS tools: write {header}",
            section.name.escape_debug()
        ),
    ))
}

fn answers_with_its_keys(section: &Section<'_>) -> Result<(), Fault> {
    let is_source = |name: &str| SOURCES.contains(&name) || name.starts_with("sso_");
    for option in &section.options {
        let name = option.name.as_str();
        if TOKENS.contains(&name) {
            return Err(Fault::line(
                option.number,
                format!("it holds a session token ({name}), which no long-term key goes with: remove that line first"),
            ));
        }
        if is_source(name) {
            return Err(Fault::line(
                option.number,
                format!(
                    "the profile has {}, so AWS tools answer with something else than the keys in it: remove that line, or \
                     deliver to a profile without it",
                    shown(name)
                ),
            ));
        }
    }
    let concerns = |name: &str| is_source(name) || TOKENS.contains(&name) || [ID, SECRET].contains(&name);
    match section.hidden.iter().find(|(name, _)| concerns(name)) {
        None => Ok(()),
        Some((name, line)) => Err(Fault::line(
            *line,
            format!(
                "{} is indented and so belongs to the value above it for some AWS tools, and is an option of its own for others: \
                 begin it at the beginning of its line",
                shown(name)
            ),
        )),
    }
}

/// A name out of a file: what follows `sso_` may be anything.
fn shown(name: &str) -> std::str::EscapeDebug<'_> {
    name.escape_debug()
}

fn assignment<'a>(text: &str, name: &'a str, option: &Entry<'a>) -> Result<Assignment<'a>, Fault> {
    let wrong = |line: usize, what: &str| Err(Fault::line(line, format!("{name} {what}")));
    let number = option.number;
    let written = &text[option.line.clone()];
    if !written.to_ascii_lowercase().contains(name) {
        return wrong(
            number,
            "is written with a letter that only looks like it: boto3 reads it, and the SDKs do not",
        );
    }
    if let Some(line) = option.continued {
        return wrong(
            line,
            "holds more than one value: this line, which is indented, goes on with it",
        );
    }
    // A comment behind it stays: to boto3 it is a part of the value, before and after.
    let (value, behind) = option
        .value
        .split_at(option.value.find(BLANK).unwrap_or(option.value.len()));
    let behind = behind.trim_start_matches(BLANK);
    if !behind.is_empty() && !behind.starts_with(['#', ';']) || value.starts_with(['#', ';']) && !behind.is_empty() {
        return wrong(number, "holds more than one value");
    }
    if option.delimiter == ':' && value.contains('=') {
        return wrong(
            number,
            "has both : and =, at which AWS tools split it in different places: write name = value",
        );
    }
    Ok(Assignment {
        name,
        value,
        value_at: option.value_at,
        line: option.line.clone(),
    })
}
