//! Where secrets are at GitHub, as names of destinations and as paths of its API.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rotate_providers::endpoint::{check_endpoint, host_elsewhere};

use crate::delivery::Fault;
use crate::delivery::options::Options;

/// Its API, unless an option says otherwise.
const USUAL: &str = "https://api.github.com";

/// What separates a repository from one of its environments.
const ENVIRONMENTS: &str = "environments";

/// What is written as it is in one part of a path.
const IN_A_PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same in the name of a destination, where a slash separates nothing any more.
const IN_A_NAME: &AsciiSet = &IN_A_PART.remove(b'/');

/// No name of an environment is longer.
const LONGEST_ENVIRONMENT: usize = 255;

/// Where secrets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a repository, or in one of its environments.
    Repository {
        owner: String,
        name: String,
        environment: Option<String>,
    },
    /// In an organization, for some of its repositories.
    Organization(String),
}

/// Whom they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum App {
    Actions,
    Dependabot,
}

impl Place {
    /// `OWNER/REPO`, `OWNER/REPO/environments/ENVIRONMENT`.
    pub(super) fn repository(text: &str) -> Result<Self, Fault> {
        let wrong =
            Fault::Name("it names no repository: write github:OWNER/REPO or github:OWNER/REPO/environments/NAME");
        let mut parts = text.splitn(3, '/');
        let (Some(owner), Some(name)) = (parts.next(), parts.next()) else {
            return Err(wrong);
        };
        if !is_owner(owner) || !is_repository(name) {
            return Err(wrong);
        }
        let environment = match parts.next() {
            None => None,
            Some(rest) => {
                let Some(encoded) = rest.strip_prefix(ENVIRONMENTS).and_then(|rest| rest.strip_prefix('/')) else {
                    return Err(wrong);
                };
                let decoded = percent_decode_str(encoded)
                    .decode_utf8()
                    .map_err(|_| Fault::Name("the name of its environment is not UTF-8 text"))?;
                let is_one = (1..=LONGEST_ENVIRONMENT).contains(&decoded.chars().count())
                    && !decoded.chars().any(char::is_control);
                if !is_one {
                    return Err(Fault::Name("the name of its environment cannot be one"));
                }
                Some(decoded.into_owned())
            }
        };
        Ok(Self::Repository {
            owner: owner.to_owned(),
            name: name.to_owned(),
            environment,
        })
    }

    pub(super) fn organization(text: &str) -> Result<Self, Fault> {
        match is_owner(text) {
            true => Ok(Self::Organization(text.to_owned())),
            false => Err(Fault::Name("it names no organization: write github-org:NAME")),
        }
    }
}

/// What a destination there is called.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository {
                owner,
                name,
                environment: None,
            } => write!(f, "github:{owner}/{name}"),
            Self::Repository {
                owner,
                name,
                environment: Some(environment),
            } => {
                let environment = utf8_percent_encode(environment, IN_A_NAME);
                write!(f, "github:{owner}/{name}/{ENVIRONMENTS}/{environment}")
            }
            Self::Organization(name) => write!(f, "github-org:{name}"),
        }
    }
}

impl App {
    pub(super) fn take(options: &mut Options, place: &Place) -> Result<Self, Fault> {
        let wrong = |why| Err(Fault::Option("app".to_owned(), why));
        match (options.take("app").as_deref(), place) {
            (None | Some("actions"), _) => Ok(Self::Actions),
            (
                Some("dependabot"),
                Place::Repository {
                    environment: Some(_), ..
                },
            ) => wrong("environments have secrets for actions alone"),
            (Some("dependabot"), _) => Ok(Self::Dependabot),
            _ => wrong("write actions or dependabot"),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::Dependabot => "dependabot",
        }
    }
}

/// Where GitHub's API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Api {
    base: String,
}

impl Api {
    pub(super) fn take(options: &mut Options) -> Result<Self, Fault> {
        let wrong = |why| Fault::Option("api".to_owned(), why);
        let Some(told) = options.take("api") else {
            return Ok(Self { base: USUAL.to_owned() });
        };
        if check_endpoint(&told).is_err() {
            return Err(wrong("write it as https://HOST/api/v3, without a user"));
        }
        if told.contains(['?', '#', '%']) {
            return Err(wrong("it has more than a host and a path"));
        }
        Ok(Self {
            base: told.trim_end_matches('/').to_owned(),
        })
    }

    pub(super) fn is_usual(&self) -> bool {
        self.base == USUAL
    }

    /// Its host, as `gh` calls it; `None` where it is this machine.
    pub(super) fn host(&self) -> Option<String> {
        let host = host_elsewhere(&self.base)?;
        match host.strip_prefix("api.") {
            Some(tenant) if tenant.ends_with(".ghe.com") => Some(tenant.to_owned()),
            _ => Some(host),
        }
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The path of an address of this API.
    pub(super) fn path_of<'a>(&self, address: &'a str) -> Option<&'a str> {
        address.strip_prefix(&self.base)
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// One part of a path.
pub(super) fn part(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, IN_A_PART)
}

/// What GitHub calls a secret: <https://docs.github.com/en/actions/reference/security/secrets#naming-your-secrets>.
pub(super) fn check_name(field: &str, name: &str) -> Result<(), Fault> {
    let wrong = |why| Err(Fault::Option(field.to_owned(), why));
    let begins = name.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_');
    let fits = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    if !begins || !name.chars().all(fits) || name.len() > 255 {
        return wrong("GitHub calls secrets by capitals, digits and _ alone");
    }
    match name.starts_with("GITHUB_") {
        true => wrong("names that begin with GITHUB_ are GitHub's own"),
        false => Ok(()),
    }
}

fn is_owner(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    (1..=100).contains(&text.len()) && text.chars().all(fits)
}

fn is_repository(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    (1..=100).contains(&text.len()) && text.chars().all(fits) && text != "." && text != ".."
}
