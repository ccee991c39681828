//! The token that GitHub is asked with. It is found where `gh` finds it, or where an option says; it stands in no file of ours.

use std::path::PathBuf;

use reqwest::header::HeaderValue;
use rotate_providers::secret_from::SecretFrom;
use rotate_providers::web::hidden_header;
use zeroize::Zeroizing;

use super::address::Api;
use super::faults::denied;
use crate::delivery::Fault;
use crate::delivery::options::Options;

/// Where `gh` looks: <https://cli.github.com/manual/gh_help_environment>.
const OF_GITHUB: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];
const OF_AN_ENTERPRISE: [&str; 2] = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];

/// The host that whoever starts this program works with.
const HOST: &str = "GH_HOST";

/// How tokens begin: <https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github>.
const CLASSIC: [&str; 2] = ["ghp_", "gho_"];
const OTHERS: [&str; 3] = ["github_pat_", "ghs_", "ghu_"];
/// Those of old servers: so many hexadecimal digits.
const OLD_LENGTH: usize = 40;

/// A token is shorter.
const LONGEST: usize = 4096;

/// Where it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenFrom {
    /// As `gh` does.
    Usual,
    /// There.
    Named(SecretFrom),
}

/// What every request shows.
pub(super) struct Token {
    /// The whole header.
    pub(super) header: HeaderValue,
    /// Where it was found.
    pub(super) from: String,
    /// Whether it has scopes, where others have permissions.
    pub(super) is_classic: bool,
}

impl TokenFrom {
    pub(super) fn take(options: &mut Options) -> Result<Self, Fault> {
        match (options.take("token_env"), options.take("token_file")) {
            (None, None) => Ok(Self::Usual),
            (Some(_), Some(_)) => Err(Fault::Option("token_file".to_owned(), "token_env is given too")),
            (Some(name), None) => {
                let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                match name.chars().all(fits) && !name.is_empty() {
                    true => Ok(Self::Named(SecretFrom::Variable(name))),
                    false => Err(Fault::Option("token_env".to_owned(), "write the name of a variable")),
                }
            }
            (None, Some(path)) => match path.starts_with(['/', '~']) {
                true => Ok(Self::Named(SecretFrom::File(PathBuf::from(path)))),
                false => Err(Fault::Option(
                    "token_file".to_owned(),
                    "write the whole path, beginning with /",
                )),
            },
        }
    }

    /// Reads it, for this API and no other.
    pub(super) fn find(&self, api: &Api) -> Result<Token, Fault> {
        check_host(api)?;
        let (from, read) = match self {
            Self::Named(from) => (from.to_string(), from.read()),
            Self::Usual => {
                let names = match api.is_usual() || api.host().is_some_and(|host| host.ends_with(".ghe.com")) {
                    true => OF_GITHUB,
                    false => OF_AN_ENTERPRISE,
                };
                let found = names.into_iter().find_map(|name| {
                    let from = SecretFrom::Variable(name.to_owned());
                    Some((from.to_string(), from.read().ok()?))
                });
                let Some((from, secret)) = found else {
                    let [first, second] = names;
                    return Err(denied(
                        format!("there is no token for it: neither ${first} nor ${second} is set"),
                        format!("set {first}, or name another place: ?token_env=NAME or ?token_file=PATH"),
                    ));
                };
                (from, Ok(secret))
            }
        };
        let secret = read.map_err(|why| {
            denied(
                format!("its token cannot be read from {from}: {why}"),
                "put the token there, or name another place: ?token_env=NAME or ?token_file=PATH".to_owned(),
            )
        })?;
        let text = secret.expose_text().unwrap_or_default();
        // Any other secret that somebody has named by mistake is not sent away.
        if !is_token(text) {
            return Err(denied(
                format!("what is in {from} is no token of GitHub's, and was not sent"),
                "put a token there that begins with github_pat_, ghs_ or ghp_".to_owned(),
            ));
        }
        let mut header = Zeroizing::new(String::with_capacity("Bearer ".len() + text.len()));
        header.push_str("Bearer ");
        header.push_str(text);
        let is_classic = !OTHERS.iter().any(|begin| text.starts_with(begin));
        match hidden_header(header) {
            Some(header) => Ok(Token {
                header,
                from,
                is_classic,
            }),
            None => Err(denied(
                format!("what is in {from} is no token of GitHub's, and was not sent"),
                "put the token there".to_owned(),
            )),
        }
    }
}

/// A file that somebody else may have written names the host. A token goes there only if whoever started this program knows it.
fn check_host(api: &Api) -> Result<(), Fault> {
    let Some(host) = api.host().filter(|_| !api.is_usual()) else {
        return Ok(());
    };
    match std::env::var(HOST).is_ok_and(|known| known.eq_ignore_ascii_case(&host)) {
        true => Ok(()),
        false => Err(denied(
            format!("no token is sent to {host}, which ${HOST} does not name"),
            format!("set {HOST}={host} where rotate runs, if that is your server"),
        )),
    }
}

fn is_token(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let begins = CLASSIC.iter().chain(&OTHERS).any(|begin| text.starts_with(begin));
    let is_old = text.len() == OLD_LENGTH && text.chars().all(|letter| letter.is_ascii_hexdigit());
    text.len() <= LONGEST && text.chars().all(fits) && (begins || is_old)
}
