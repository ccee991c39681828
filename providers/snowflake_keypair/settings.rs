//! The administrator's connection, found the way Snowflake's own tools find it: where a value is looked for stands in
//! `sources`.

use url::Url;

use super::FIND;
use super::address::Address;
use super::login::Login;
use super::sources::{Origin, Sources};
use super::told::{Inputs, is_account};
use crate::CredentialsFrom;
use crate::fault::Fault;

/// What names something: <https://docs.snowflake.com/en/sql-reference/identifiers>.
const NAMES: &[&str] = &[
    "account",
    "user",
    "role",
    "warehouse",
    "authenticator",
    "host",
    "region",
    "protocol",
    "port",
];
const LONGEST_NAME: usize = 255;

/// What is written on one line, unlike a key.
const SECRETS: &[&str] = &["password", "token", "private_key_passphrase", "private_key_file_pwd"];
const LONGEST_SECRET: usize = 64 * 1024;

/// Everything that a login needs.
pub(super) struct Settings {
    pub(super) account: String,
    pub(super) user: String,
    pub(super) login: Login,
    pub(super) role: Option<String>,
    pub(super) warehouse: Option<String>,
    pub(super) base_url: Url,
    /// Where account, user and host were found, in one phrase that names each place once.
    pub(super) found_in: String,
    origins: Origins,
}

/// Where those parts were found that decide whose keys are changed.
struct Origins {
    account: Origin,
    user: Origin,
    role: Option<Origin>,
    /// `None`: it follows from the account's name.
    host: Option<Origin>,
}

/// One part of where a login leads, and where it was found. Never a secret.
pub(super) struct Found<'a> {
    pub(super) what: &'static str,
    pub(super) value: &'a str,
    /// A phrase: `SNOWFLAKE_ACCOUNT`, `connection admin of /home/x/.snowflake/connections.toml`.
    pub(super) from: String,
}

impl Settings {
    pub(super) fn find(inputs: &Inputs, credentials: CredentialsFrom) -> Result<Self, Fault> {
        let sources = Sources::read(inputs.connection.as_deref(), credentials)?;
        sources.one_line(NAMES, LONGEST_NAME)?;
        sources.one_line(SECRETS, LONGEST_SECRET)?;
        // What the target names itself is decided.
        let mut keys = vec!["user"];
        if inputs.account.is_none() {
            keys.insert(0, "account");
        }
        if inputs.endpoint_url.is_none() {
            keys.push("host");
        }
        sources.decided(&keys)?;
        let (account, account_from) = match &inputs.account {
            Some(account) => (account.clone(), Origin::Target("account")),
            None => needed(&sources, "account", "--account, $SNOWFLAKE_ACCOUNT")?,
        };
        if !is_account(&account) {
            let detail = format!("`{}` is not an account identifier", account.escape_debug());
            return Err(Fault::new(FIND, detail));
        }
        let (user, user_from) = needed(&sources, "user", "$SNOWFLAKE_USER")?;
        let (role, role_from) = match (&inputs.role, sources.found(&["role"])) {
            (Some(role), _) => (Some(role.clone()), Some(Origin::Target("role"))),
            (None, Some(found)) => {
                let origin = found.origin.clone();
                (Some(found.text()), Some(origin))
            }
            (None, None) => (None, None),
        };
        let address = Address::find(inputs, &sources, &account)?;
        let origins = Origins {
            account: account_from,
            user: user_from,
            role: role_from,
            host: address.origin,
        };
        Ok(Self {
            login: Login::find(&sources)?,
            warehouse: sources.text("warehouse"),
            base_url: address.url,
            account,
            user,
            role,
            found_in: origins.found_in(),
            origins,
        })
    }

    /// The host that logins go to, without its port.
    pub(super) fn host(&self) -> &str {
        self.base_url.host_str().unwrap_or("the host")
    }

    /// Where these settings lead, part by part.
    pub(super) fn lead(&self) -> Vec<Found<'_>> {
        let Origins {
            account,
            user,
            role,
            host,
        } = &self.origins;
        let part = |what, value, from: &Origin| Found {
            what,
            value,
            from: from.to_string(),
        };
        let role = self.role.as_deref().zip(role.as_ref());
        let mut parts = vec![part("account", &self.account, account), part("user", &self.user, user)];
        parts.extend(role.map(|(role, from)| part("role", role, from)));
        parts.push(match host {
            Some(from) => part("host", self.host(), from),
            None => Found {
                what: "host",
                value: self.host(),
                from: "the account's name".to_owned(),
            },
        });
        parts
    }
}

impl Origins {
    fn found_in(&self) -> String {
        let mut places: Vec<String> = Vec::new();
        for origin in [Some(&self.account), Some(&self.user), self.host.as_ref()]
            .into_iter()
            .flatten()
        {
            let place = origin.to_string();
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.join(", ")
    }
}

fn needed(sources: &Sources, key: &'static str, elsewhere: &str) -> Result<(String, Origin), Fault> {
    let found = sources.found(&[key]);
    found
        .map(|found| {
            let origin = found.origin.clone();
            (found.text(), origin)
        })
        .ok_or_else(|| sources.missing(key, elsewhere))
}
