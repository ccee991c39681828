//! A way by which people are told, as the configuration names it, and what they are told of.

use std::path::PathBuf;

use rotate_providers::authorities;
use rotate_providers::secret_from::SecretFrom;

use crate::delivery::Notified;
use crate::pattern::matches;

/// A `[[notify]]`.
#[derive(Clone)]
pub struct Notifier {
    /// Its name.
    pub name: String,
    /// How it tells.
    pub way: Way,
    /// The targets that it tells of, by name, in which `*` stands for any letters; empty: all.
    pub targets: Vec<String>,
    /// The owners whose targets it tells of; empty: all.
    pub owners: Vec<String>,
    /// Whether it may call an address of a private network.
    pub allow_private: bool,
}

/// How people are told. Addresses that are secrets are named by where they are.
#[derive(Clone)]
pub enum Way {
    /// A webhook, signed as Standard Webhooks has it.
    Webhook(WebhookAt),
    /// An incoming webhook of Slack.
    Slack(SecretFrom),
    /// A workflow's webhook of Teams.
    Teams(SecretFrom),
    /// Mail.
    Email(Box<Email>),
    /// A program on this machine.
    Exec(Notified),
}

/// Where a webhook is.
#[derive(Clone)]
pub struct WebhookAt {
    /// Its address.
    pub url: SecretFrom,
    /// What it is signed with.
    pub secret: SecretFrom,
}

/// How mail is sent.
#[derive(Clone)]
pub struct Email {
    /// The host of the mail server.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Who sends it.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// Whether the owner of the target gets it too.
    pub to_owner: bool,
    /// Who logs in there.
    pub login: Option<Login>,
    /// Authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// A login at a mail server.
#[derive(Clone)]
pub struct Login {
    /// As whom.
    pub user: String,
    /// Where the password is.
    pub password: SecretFrom,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// It begins in the clear, and goes on encrypted or not at all.
    StartTls,
    /// From its first byte.
    Tls,
    /// Not at all, which this machine alone may be reached by.
    None,
}

impl Encryption {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::StartTls, Self::Tls, Self::None];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    /// The port that servers of this kind have.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

impl Notifier {
    /// Whether it tells of this target.
    pub fn tells_of(&self, target: &str, owner: Option<&str>) -> bool {
        let is_named = self.targets.is_empty() || self.targets.iter().any(|pattern| matches(pattern, target));
        let is_owned = self.owners.is_empty() || owner.is_some_and(|owner| self.owners.iter().any(|it| it == owner));
        is_named && is_owned
    }

    /// To whom it tells of a target of this owner: each of them by a notice of their own. One without a name is the way itself.
    pub fn recipients(&self, owner: Option<&str>) -> Vec<String> {
        let Way::Email(email) = &self.way else {
            return vec![String::new()];
        };
        let mut all = email.to.clone();
        let owner = owner.filter(|owner| email.to_owner && is_mail_address(owner));
        all.extend(owner.map(str::to_owned));
        let mut once = Vec::new();
        for address in all {
            if !once.contains(&address) {
                once.push(address);
            }
        }
        once
    }
}

impl Notifier {
    /// Why nobody is told by it of any of these targets, each with its owner, or no owner where owners should be; `None`: somebody is.
    pub fn tells_nobody<'t>(&self, targets: impl Iterator<Item = (&'t str, Option<&'t str>)>) -> Option<&'static str> {
        let mut owners = targets
            .filter(|(target, owner)| self.tells_of(target, *owner))
            .map(|(_, owner)| owner)
            .peekable();
        if owners.peek().is_none() {
            let selects = !self.targets.is_empty() || !self.owners.is_empty();
            return selects.then_some("no target has such a name or owner, so nobody is told");
        }
        let Way::Email(email) = &self.way else {
            return None;
        };
        let is_none = email.to_owner && !owners.flatten().any(is_mail_address);
        is_none.then_some(match email.to.is_empty() {
            true => "to_owner: no owner of its targets is an address, so nobody is told",
            false => "to_owner: no owner of its targets is an address, so no owner is told",
        })
    }

    /// What it would need and has not, one sentence each. Nothing is sent, and no program is started.
    pub fn missing(&self) -> Vec<String> {
        let needed: Vec<(&str, &SecretFrom)> = match &self.way {
            Way::Webhook(at) => vec![("its address", &at.url), ("its secret", &at.secret)],
            Way::Slack(url) | Way::Teams(url) => vec![("its address", url)],
            Way::Email(email) => {
                let login = email.login.iter();
                login.map(|login| ("its password", &login.password)).collect()
            }
            Way::Exec(program) => return program.check().err().into_iter().collect(),
        };
        let missing = |(what, place): (&str, &SecretFrom)| {
            let why = place.read().err()?;
            Some(format!("{what}, {place}: {why}"))
        };
        let authorities = match &self.way {
            Way::Email(email) => email
                .ca_file
                .as_deref()
                .and_then(|file| authorities::of_file(file).err()),
            _ => None,
        };
        needed.into_iter().filter_map(missing).chain(authorities).collect()
    }
}

/// Whether this is one plain address of a mailbox: `name@example.com`.
pub fn is_mail_address(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(letter);
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_domain = domain.split('.').all(|label| {
        !label.is_empty()
            && label
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    });
    (1..=64).contains(&name.len()) && name.chars().all(fits) && is_domain && text.len() <= 254 && is_sendable(text)
}

/// Whether mail can be made for it: whoever sends it has the last word on what an address is.
#[cfg(feature = "notify-email")]
fn is_sendable(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

/// Where no mail is sent, nobody else has a say.
#[cfg(not(feature = "notify-email"))]
fn is_sendable(_: &str) -> bool {
    true
}
