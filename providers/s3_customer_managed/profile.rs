//! Which profile is meant, and what it asks for: before any call, so that what it lacks is told in plain words.
//!
//! An explicit profile wins over the environment's keys, as in every AWS tool; one that only `AWS_PROFILE` names does not.
//! The SDK takes the environment first in both cases, so the choice is made here. What a profile means is described at
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use aws_config::profile::{self, Profile, ProfileSet};
use aws_credential_types::Credentials;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use super::readable::{FIND, file};
use super::{Inputs, readable};
use crate::CredentialsFrom;
pub(super) use crate::environment::variable;
use crate::fault::Fault;

/// Who says which profile it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The target's own `profile`.
    Target,
    /// This environment variable.
    Variable(&'static str),
    /// Nobody: it is the default.
    Nobody,
}

/// The profile that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) by: By,
}

impl Asked {
    /// botocore reads `AWS_DEFAULT_PROFILE` first, and the SDKs `AWS_PROFILE` alone.
    pub(super) fn of(inputs: &Inputs, from: CredentialsFrom) -> Result<Self, Fault> {
        let variables = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].map(|name| variable(name).map(|value| (name, value)));
        let asked = |name: String, by| Ok(Self { name, by });
        if let (Some(profile), CredentialsFrom::Configured) = (&inputs.profile, from) {
            return asked(profile.clone(), By::Target);
        }
        match variables {
            [Some((_, one)), Some((_, other))] if one != other => Err(Fault::new(
                FIND,
                format!(
                    "AWS_PROFILE is {} and AWS_DEFAULT_PROFILE is {}, and AWS tools differ in which they take: unset one, \
                     or say --profile",
                    one.escape_debug(),
                    other.escape_debug()
                ),
            )),
            [Some((name, value)), _] | [None, Some((name, value))] => asked(value, By::Variable(name)),
            [None, None] => asked("default".to_owned(), By::Nobody),
        }
    }
}

/// What the profile's credentials come from in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Keys,
    SingleSignOn,
    ConsoleLogin,
    Process,
    Other,
    Nothing,
}

/// A role that is assumed with a one-time code.
#[derive(Debug)]
pub(super) struct SecondFactor<'a> {
    pub(super) role: &'a str,
    pub(super) serial: &'a str,
    pub(super) external_id: Option<&'a str>,
    pub(super) session_name: Option<&'a str>,
    /// The profile with whose credentials it is assumed.
    pub(super) source: &'a str,
}

/// What a profile asks for.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    /// The profile at its end, which holds something.
    pub(super) end: &'a str,
    pub(super) source: Source,
    pub(super) second_factor: Option<SecondFactor<'a>>,
    /// The first role that it assumes.
    pub(super) role: Option<&'a str>,
}

/// All profiles of the two files.
pub(super) struct Profiles {
    all: ProfileSet,
    /// Which profiles each file has. What is in them is kept once.
    files: Vec<(PathBuf, BTreeSet<String>)>,
}

impl Profiles {
    pub(super) async fn load(asked: &Asked) -> Result<Self, Fault> {
        readable::check_named()?;
        let all = read(&EnvConfigFiles::default(), &asked.name).await?;
        let mut files = Vec::new();
        let config = EnvConfigFiles::builder().include_default_config_file(true).build();
        let credentials = EnvConfigFiles::builder().include_default_credentials_file(true).build();
        for (file, which) in [
            (file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), credentials),
            (file("AWS_CONFIG_FILE", "config"), config),
        ] {
            let found = read(&which, &asked.name).await?;
            files.push((file, found.profiles().map(str::to_owned).collect()));
        }
        Ok(Self { all, files })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.all.get_profile(name).is_some()
    }

    pub(super) fn option(&self, profile: &str, option: &str) -> Option<&str> {
        self.all
            .get_profile(profile)?
            .get(option)
            .filter(|value| !value.is_empty())
    }

    /// `profile admin of ~/.aws/credentials`.
    pub(super) fn place_of(&self, name: &str) -> String {
        let files: Vec<String> = self
            .files
            .iter()
            .filter(|(_, found)| found.contains(name))
            .map(|(path, _)| path.display().to_string())
            .collect();
        format!("profile {} of {}", name.escape_debug(), files.join(" and "))
    }

    /// What to say of a profile that is not there.
    pub(super) fn missing(&self, name: &str, by: By) -> Fault {
        let places: Vec<String> = self.files.iter().map(|(path, _)| path.display().to_string()).collect();
        let mut known: Vec<&str> = self.all.profiles().collect();
        known.sort_unstable();
        let mut detail = format!("there is no profile {} in {}", name.escape_debug(), places.join(" or "));
        if let By::Variable(variable) = by {
            detail.push_str(&format!(" ({variable} names it)"));
        }
        match nearest(name, &known) {
            Some(near) => detail.push_str(&format!("; did you mean {}?", near.escape_debug())),
            None if known.is_empty() => detail.push_str("; there are no profiles at all"),
            None => detail.push_str(&format!("; there are {}", known.join(", ").escape_debug())),
        }
        if by == By::Target && environment_has_keys() {
            detail.push_str(
                "; the environment has AWS_ACCESS_KEY_ID, which a named profile wins over: to use it, --credentials environment",
            );
        }
        Fault::new(FIND, detail)
    }

    /// What this profile asks for, and what is wrong with it.
    pub(super) fn chain<'a>(&'a self, name: &'a str) -> Result<Chain<'a>, Fault> {
        let mut second_factor = None;
        let mut role = None;
        let mut seen: Vec<&str> = Vec::new();
        let mut at = name;
        loop {
            let Some(profile) = self.all.get_profile(at) else {
                return Err(self.no_source(seen.last().copied().unwrap_or(name), at));
            };
            if seen.contains(&at) {
                seen.push(at);
                return Err(wrong(
                    name,
                    &format!(
                        "its profiles name each other as their source: {}",
                        seen.join(" \u{2192} ")
                    ),
                ));
            }
            seen.push(at);
            let own = option(profile, "role_arn").filter(|_| option(profile, "web_identity_token_file").is_none());
            role = role.or(own);
            let end = |source, second_factor| {
                Ok(Chain {
                    end: at,
                    source,
                    second_factor,
                    role,
                })
            };
            if seen.len() > 1 && keys(profile).is_some() {
                return end(Source::Keys, second_factor);
            }
            let Some(arn) = own else {
                return end(self.source(profile)?, second_factor);
            };
            let (source, is_named) = match (option(profile, "source_profile"), option(profile, "credential_source")) {
                (Some(source), None) => (source, false),
                (None, Some(source)) => (source, true),
                (Some(_), Some(_)) => {
                    return Err(wrong(at, "it has both source_profile and credential_source: leave one"));
                }
                (None, None) => {
                    return Err(wrong(
                        at,
                        "it has a role_arn and neither source_profile nor credential_source, which says with \
                                          what the role is assumed",
                    ));
                }
            };
            if let Some(serial) = option(profile, "mfa_serial") {
                if is_named || seen.len() > 1 {
                    return Err(wrong(
                        at,
                        "its role asks for a one-time code (mfa_serial), which is asked for only where the \
                                          profile itself has it and a source_profile",
                    ));
                }
                second_factor = Some(SecondFactor {
                    role: arn,
                    serial,
                    external_id: option(profile, "external_id"),
                    session_name: option(profile, "role_session_name"),
                    source,
                });
            }
            match source {
                _ if is_named => return end(Source::Other, second_factor),
                own if own == at && keys(profile).is_some() => return end(Source::Keys, second_factor),
                own if own == at => return Err(wrong(at, "it names itself as its source and holds no keys")),
                next => at = next,
            }
        }
    }

    fn source(&self, profile: &Profile) -> Result<Source, Fault> {
        let has = |name: &str| option(profile, name).is_some();
        let name = profile.name();
        if let Some(path) = option(profile, "web_identity_token_file") {
            readable::check(Path::new(path), &format!("profile {}", name.escape_debug()))?;
        }
        if has("web_identity_token_file") || has("credential_source") {
            return Ok(Source::Other);
        }
        if ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"]
            .into_iter()
            .any(has)
        {
            if let Some(session) =
                option(profile, "sso_session").filter(|session| self.all.sso_session(session).is_none())
            {
                let known: Vec<&str> = self.all.sso_sessions().collect();
                let near = nearest(session, &known).map(|near| format!("; did you mean {}?", near.escape_debug()));
                let session = session.escape_debug();
                return Err(wrong(
                    name,
                    &format!("there is no [sso-session {session}]{}", near.unwrap_or_default()),
                ));
            }
            readable::check_tokens()?;
            return Ok(Source::SingleSignOn);
        }
        Ok(match () {
            () if has("login_session") => Source::ConsoleLogin,
            () if has("credential_process") && keys(profile).is_some() => {
                return Err(wrong(
                    name,
                    "it has both keys and a credential_process, and AWS tools differ in which they take: \
                                        leave one",
                ));
            }
            () if has("credential_process") => Source::Process,
            () if keys(profile).is_some() => Source::Keys,
            () => Source::Nothing,
        })
    }

    fn no_source(&self, of: &str, missing: &str) -> Fault {
        let mut known: Vec<&str> = self.all.profiles().collect();
        known.sort_unstable();
        let right = match nearest(missing, &known) {
            Some(near) => format!("did you mean {}?", near.escape_debug()),
            None => format!("there are {}", known.join(", ").escape_debug()),
        };
        wrong(
            of,
            &format!("its source_profile {} does not exist; {right}", missing.escape_debug()),
        )
    }

    /// The keys that stand in this profile.
    pub(super) fn keys_of(&self, name: &str) -> Option<Credentials> {
        keys(self.all.get_profile(name)?)
    }
}

/// An error about this profile.
pub(super) fn wrong(profile: &str, why: &str) -> Fault {
    Fault::new(FIND, format!("profile {}: {why}", profile.escape_debug()))
}

/// Whether the environment has keys of its own.
pub(super) fn environment_has_keys() -> bool {
    variable("AWS_ACCESS_KEY_ID").is_some() && variable("AWS_SECRET_ACCESS_KEY").is_some()
}

async fn read(files: &EnvConfigFiles, selected: &str) -> Result<ProfileSet, Fault> {
    let selected = Some(Cow::Owned(selected.to_owned()));
    let loaded = profile::load(&Fs::real(), &Env::real(), files, selected).await;
    loaded.map_err(|error| {
        // The innermost words name the file and the line, and repeat nothing of it.
        let mut innermost: &dyn StdError = &error;
        while let Some(cause) = innermost.source() {
            innermost = cause;
        }
        let words = innermost.to_string();
        Fault::new(FIND, words.split_whitespace().collect::<Vec<_>>().join(" "))
    })
}

fn option<'a>(profile: &'a Profile, name: &str) -> Option<&'a str> {
    profile.get(name).filter(|value| !value.is_empty())
}

/// A token may stand under its old name, which botocore still reads and the SDK does not.
fn keys(profile: &Profile) -> Option<Credentials> {
    let (id, secret) = (
        option(profile, "aws_access_key_id")?,
        option(profile, "aws_secret_access_key")?,
    );
    let token = option(profile, "aws_session_token").or_else(|| option(profile, "aws_security_token"));
    Some(Credentials::new(id, secret, token.map(str::to_owned), None, "profile"))
}

/// The name that was meant, if one is like it.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    let best = known
        .iter()
        .copied()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.8).then_some(best)
}
