//! The statements, and what their answers mean.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tokio::sync::OnceCell;

use super::failure::{incomplete, with_grant};
use super::identifier::{UserName, literal, quote};
use super::key_pair::{public_half, public_key};
use super::session::{Administrator, Row};
use super::settings::Login;
use crate::call::{Call, local};
use crate::contract::{Error, Key, KeyId, Kind, LastUse, Observation, Principal, PublicHalf, Verdict};
use crate::patience::patiently;
use crate::secret::{Credential, Secret};

const WHO_AM_I: Call = Call::read("SELECT CURRENT_USER()");
const DESCRIBE: Call = Call::read("DESC USER");
const SET: Call = Call::effect("ALTER USER SET");
const UNSET: Call = Call::effect("ALTER USER UNSET");
const SHOW: Call = Call::read("SHOW USER KEY PAIRS");
const CREDENTIALS: Call = Call::read("ACCOUNT_USAGE.CREDENTIALS");

/// A place for one public key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    First,
    Second,
}

impl Slot {
    const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The user's property.
    fn property(self) -> &'static str {
        match self {
            Self::First => "RSA_PUBLIC_KEY",
            Self::Second => "RSA_PUBLIC_KEY_2",
        }
    }
}

/// A user as `DESC USER` shows it.
struct Described {
    login_name: String,
    slots: Vec<(Slot, Key)>,
}

impl Described {
    fn slot_of(&self, key: &KeyId) -> Option<Slot> {
        self.slots
            .iter()
            .find(|(_, held)| held.id == *key)
            .map(|(slot, _)| *slot)
    }

    fn free_slot(&self) -> Option<Slot> {
        let is_free = |slot: &Slot| self.slots.iter().all(|(taken, _)| taken != slot);
        Slot::BOTH.into_iter().find(is_free)
    }
}

/// What is to become of a key.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// It goes into the free slot; one that is there already stays where it is.
    Set(&'a KeyId, &'a PublicHalf),
    /// It was removed and comes back; one that nobody knows any more is not found.
    SetAgain(&'a KeyId, Option<&'a PublicHalf>),
    /// The slot that holds it is emptied, and no other.
    Unset(&'a KeyId),
}

impl Change<'_> {
    fn call(self) -> Call {
        match self {
            Self::Set(..) | Self::SetAgain(..) => SET,
            Self::Unset(_) => UNSET,
        }
    }
}

/// One user's keys.
pub(super) struct Wire {
    user: UserName,
    administrator: Arc<Administrator>,
    /// What the user logs in with: not always its name.
    login_name: OnceCell<String>,
    /// The administrator's role, as Snowflake names it.
    role: OnceCell<String>,
}

impl Wire {
    pub(super) fn new(user: UserName, administrator: Arc<Administrator>) -> Self {
        Self {
            user,
            administrator,
            login_name: OnceCell::new(),
            role: OnceCell::new(),
        }
    }

    pub(super) fn administrator(&self) -> &Administrator {
        &self.administrator
    }

    pub(super) fn user(&self) -> &UserName {
        &self.user
    }

    /// The administrator's role, as Snowflake names it.
    pub(super) async fn role(&self) -> Result<&str, Error> {
        let action = "ask Snowflake which role this is";
        let asked = self.role.get_or_try_init(|| async {
            let rows = self
                .administrator
                .read(WHO_AM_I, action, "SELECT CURRENT_ROLE()")
                .await?;
            let told = rows.first().and_then(|row| row.at(0)).map(str::to_owned);
            told.ok_or_else(|| incomplete(WHO_AM_I, action.to_owned(), "a role"))
        });
        asked.await.map(String::as_str)
    }

    /// The user has no id that could not be given away, but each effect names a fingerprint, and a user of the same name
    /// would not hold it.
    pub(super) async fn observe(&self) -> Result<Observation, Error> {
        const ASK: &str = "SELECT CURRENT_ACCOUNT(), CURRENT_REGION(), CURRENT_USER(), CURRENT_ROLE()";
        let action = "ask Snowflake which account this is";
        let rows = self.administrator.read(WHO_AM_I, action, ASK).await?;
        // A reply may hold anything, what was sent included: only what is of the right form is kept.
        // A dot stands between a region and its group.
        let plain =
            |text: &&str| text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
        let cell = |index| rows.first().and_then(|row: &Row| row.at(index));
        let told = |index| match index {
            0 | 1 => cell(index).filter(plain),
            _ => cell(index),
        };
        let (Some(account), Some(caller)) = (told(0), told(2)) else {
            return Err(incomplete(WHO_AM_I, action.to_owned(), "an account and a user"));
        };
        if let Some(role) = told(3) {
            let _ = self.role.set(role.to_owned());
        }
        let account = match told(1) {
            Some(region) => format!("{account} in {region}"),
            None => account.to_owned(),
        };
        let described = self.describe().await?;
        let caller_keys = match &self.administrator.settings().login {
            Login::KeyPair { key, .. } => vec![key.clone()],
            Login::Password(_) | Login::Token(_) => Vec::new(),
        };
        let name = self.user.as_str().to_owned();
        Ok(Observation {
            is_caller: caller == name,
            owner: Principal {
                account,
                id: name.clone(),
                name,
            },
            keys: described.slots.into_iter().map(|(_, key)| key).collect(),
            caller_keys,
        })
    }

    pub(super) async fn keys(&self) -> Result<Vec<Key>, Error> {
        Ok(self.describe().await?.slots.into_iter().map(|(_, key)| key).collect())
    }

    async fn describe(&self) -> Result<Described, Error> {
        let action = format!("read user {}", self.user.as_str());
        let rows = self.administrator.read(DESCRIBE, &action, &self.description()).await;
        let rows = rows.map_err(|error| with_grant(error, &self.grant()))?;
        self.described(&rows)
            .map_err(|what| incomplete(DESCRIBE, action, &what))
    }

    /// The same, without patience: whoever asks has its own.
    async fn describe_once(&self) -> Result<Described, Error> {
        let action = format!("read user {}", self.user.as_str());
        let grant = self.grant();
        let rows = self
            .administrator
            .once(DESCRIBE, &action, &self.description(), &grant)
            .await?;
        self.described(&rows)
            .map_err(|what| incomplete(DESCRIBE, action, &what))
    }

    fn description(&self) -> String {
        format!("DESC USER {}", self.user.quoted())
    }

    /// What the rows say, or what they do not name: they may be about someone else, or leave open what is in a slot.
    fn described(&self, rows: &[Row]) -> Result<Described, String> {
        let shown = |name: &str| {
            let row = rows.iter().find(|row| row.text("property") == Some(name))?;
            row.text_or_empty("value")
        };
        let property = |name: &str| shown(name).filter(|value| is_set(value));
        if property("NAME") != Some(self.user.as_str()) {
            return Err("this user".to_owned());
        }
        let mut slots = Vec::new();
        for slot in Slot::BOTH {
            let name = slot.property();
            let held = held(shown(name), shown(&format!("{name}_FP")));
            let Some(id) = held.map_err(|Unclear| format!("what is in {name}"))? else {
                continue;
            };
            let key = Key {
                active: true,
                created_at: property(&format!("{name}_LAST_SET_TIME")).and_then(set_time),
                public: property(name).and_then(|shown| public_half(shown, &id)),
                delete_by_hand: format!("ALTER USER {} UNSET {name};", self.user.quoted()),
                id,
            };
            slots.push((slot, key));
        }
        let described = Described {
            login_name: property("LOGIN_NAME").unwrap_or(self.user.as_str()).to_owned(),
            slots,
        };
        // The first reading stays: nobody renames a login in the middle of a proof.
        let _ = self.login_name.set(described.login_name.clone());
        Ok(described)
    }

    /// Changes a slot. Each attempt looks at the slots first: since the last one someone else may have acted.
    pub(super) async fn change(&self, change: Change<'_>) -> Result<(), Error> {
        let mut expired = false;
        loop {
            match patiently(change.call(), async || self.attempt(change).await).await {
                // A session lasts for hours, and a rotation for weeks.
                Err(error) if error.kind == Kind::Expired && !expired => expired = true,
                result => return result,
            }
        }
    }

    async fn attempt(&self, change: Change<'_>) -> Result<(), Error> {
        let described = match (self.describe_once().await, change) {
            // With its user a key is gone.
            (Err(error), Change::Unset(_)) if error.kind == Kind::NotFound => return Ok(()),
            (described, _) => described?,
        };
        match change {
            Change::Set(key, _) if described.slot_of(key).is_some() => Ok(()),
            Change::Set(key, public) => self.fill(described.free_slot(), &described, key, public).await,
            // The description may be late, and the consumers cannot wait: what it shows is set once more.
            Change::SetAgain(key, Some(public)) => {
                let slot = described.slot_of(key).or_else(|| described.free_slot());
                self.fill(slot, &described, key, public).await
            }
            Change::SetAgain(key, None) if described.slot_of(key).is_some() => Ok(()),
            Change::SetAgain(key, None) => {
                let action = format!("register key {key} again for user {}", self.user.as_str());
                let detail = "it is in no slot, and its public half is not known".to_owned();
                Err(local(Kind::NotFound, &action, detail))
            }
            Change::Unset(key) => match described.slot_of(key) {
                Some(slot) => self.empty(slot, key).await,
                None => Ok(()),
            },
        }
    }

    async fn fill(
        &self,
        slot: Option<Slot>,
        described: &Described,
        key: &KeyId,
        public: &PublicHalf,
    ) -> Result<(), Error> {
        let action = format!("register key {key} for user {}", self.user.as_str());
        let Some(slot) = slot else {
            let held: Vec<String> = described.slots.iter().map(|(_, held)| held.id.to_string()).collect();
            let detail = format!("both slots are taken: {}", held.join(" and "));
            return Err(local(Kind::Quota, &action, detail));
        };
        let (user, property) = (self.user.quoted(), slot.property());
        let statement = format!("ALTER USER {user} SET {property} = {}", literal(public.as_str()));
        self.administrator.once(SET, &action, &statement, &self.grant()).await?;
        Ok(())
    }

    async fn empty(&self, slot: Slot, key: &KeyId) -> Result<(), Error> {
        let action = format!("remove key {key} from user {}", self.user.as_str());
        let statement = format!("ALTER USER {} UNSET {}", self.user.quoted(), slot.property());
        self.administrator
            .once(UNSET, &action, &statement, &self.grant())
            .await?;
        Ok(())
    }

    /// What lets the administrator's role do all this.
    fn grant(&self) -> String {
        let role = self.role.get().map_or_else(|| "<ROLE>".to_owned(), |role| quote(role));
        format!(
            "GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS ON USER {} TO ROLE {role};",
            self.user.quoted()
        )
    }

    /// Whether the key logs in as this user.
    pub(super) async fn probe(
        &self,
        credential: &Credential,
        passphrase: Option<&Secret>,
        owner: &Principal,
    ) -> Verdict {
        let login_name = match self.login_name.get() {
            Some(known) => known.clone(),
            None => match self.describe().await {
                Ok(described) => described.login_name,
                Err(error) => {
                    return Verdict::Inconclusive {
                        reason: error.to_string(),
                    };
                }
            },
        };
        let asked = "SELECT CURRENT_USER()";
        let proved = self
            .administrator
            .prove(&login_name, &credential.secret, passphrase, asked)
            .await;
        match proved {
            Ok(rows) => match rows.first().and_then(|row| row.at(0)) {
                Some(name) if name == owner.name => Verdict::Accepted,
                Some(_) => Verdict::Rejected {
                    reason: format!("it logs in as somebody else than {}", owner.name),
                    may_be_lag: false,
                },
                None => Verdict::Inconclusive {
                    reason: "Snowflake did not say who logged in".to_owned(),
                },
            },
            Err(error) if error.kind == Kind::BadCredentials => Verdict::Rejected {
                reason: error.to_string(),
                may_be_lag: true,
            },
            Err(error) => Verdict::Inconclusive {
                reason: error.to_string(),
            },
        }
    }

    /// Where Snowflake keeps a record of the key: beside the named key pairs, or in the account's usage views.
    pub(super) async fn last_use(&self, key: &KeyId) -> Result<LastUse, Error> {
        let action = format!("read the last use of key {key}");
        let show = format!("SHOW USER KEY PAIRS FOR USER {}", self.user.quoted());
        let shown = self.look(SHOW, &action, &show).await?;
        let same = |row: &&Row| row.text("fingerprint").is_some_and(|text| same_fingerprint(text, key));
        if let Some(row) = shown.iter().find(same) {
            return Ok(used(row.seconds("last_used_on")));
        }
        let view = format!(
            "SELECT LAST_USED_ON, ADDITIONAL_DETAILS FROM SNOWFLAKE.ACCOUNT_USAGE.CREDENTIALS \
             WHERE TYPE = 'KEYPAIR' AND USER_NAME = {}",
            literal(self.user.as_str())
        );
        let viewed = self.look(CREDENTIALS, &action, &view).await?;
        let names = |row: &&Row| {
            let details = row.json("ADDITIONAL_DETAILS").unwrap_or_default();
            details.contains(bare(key.as_str()))
        };
        Ok(match viewed.iter().find(names) {
            Some(row) => used(row.seconds("LAST_USED_ON")),
            None => LastUse::NotReported,
        })
    }

    /// A record that this account does not have, or does not show to this role, is no record.
    async fn look(&self, call: Call, action: &str, statement: &str) -> Result<Vec<Row>, Error> {
        match self.administrator.read(call, action, statement).await {
            // A code is Snowflake's own answer to the statement; anything else is trouble on the way.
            Err(error)
                if error.code.is_some()
                    && matches!(error.kind, Kind::Refused | Kind::NotFound | Kind::Denied { .. }) =>
            {
                tracing::debug!("{error}");
                Ok(Vec::new())
            }
            result => result,
        }
    }
}

/// What is in a slot cannot be told from what is shown of it.
#[derive(Debug, PartialEq, Eq)]
struct Unclear;

/// The key in a slot, by the row of the key and the row of its fingerprint. An account may hide either one, so a slot is
/// free only where both say so: whatever else there is must not be replaced.
fn held(key: Option<&str>, fingerprint: Option<&str>) -> Result<Option<KeyId>, Unclear> {
    if let Some(fingerprint) = fingerprint.filter(|text| is_fingerprint(text)) {
        return Ok(Some(KeyId::new(fingerprint)));
    }
    match (key, fingerprint) {
        (Some(key), _) if is_set(key) => match public_key(key) {
            Some((id, _)) => Ok(Some(id)),
            None => Err(Unclear),
        },
        (Some(_), Some(fingerprint)) if !is_set(fingerprint) => Ok(None),
        _ => Err(Unclear),
    }
}

/// What is not set is the word null.
fn is_set(value: &str) -> bool {
    !value.is_empty() && value != "null"
}

fn used(seconds: Option<i64>) -> LastUse {
    match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(at) => LastUse::At {
            at,
            service: "a login".to_owned(),
            region: "Snowflake".to_owned(),
        },
        None => LastUse::NeverSeen,
    }
}

/// `SHA256:` and 32 bytes in base64.
fn is_fingerprint(text: &str) -> bool {
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    text.strip_prefix("SHA256:")
        .is_some_and(|rest| rest.len() == 44 && rest.chars().all(base64))
}

fn same_fingerprint(text: &str, key: &KeyId) -> bool {
    bare(text) == bare(key.as_str())
}

fn bare(fingerprint: &str) -> &str {
    fingerprint.strip_prefix("SHA256:").unwrap_or(fingerprint)
}

/// `2026-11-21 10:02:03.000`, in the session's time zone, which is UTC.
fn set_time(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.get(..19)?.replace(' ', "T").parse().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A public key, and its fingerprint as OpenSSL computes it.
    const KEY: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    const FINGERPRINT: &str = "SHA256:oekVYFTgT6yJmunydRMs3Ael28TqLCrTof/G4NJTaB8=";

    #[test]
    fn a_slot_is_free_only_where_both_its_rows_say_so() {
        let taken = || -> Result<Option<KeyId>, Unclear> { Ok(Some(KeyId::new(FINGERPRINT))) };
        let unusable = [None, Some(""), Some("null"), Some("SHA256:short"), Some("********")];
        for fingerprint in unusable {
            assert_eq!(held(Some(KEY), fingerprint), taken(), "{fingerprint:?}");
            assert_eq!(held(Some("********"), fingerprint), Err(Unclear), "{fingerprint:?}");
        }
        for key in [None, Some(""), Some("null"), Some("********"), Some(KEY)] {
            assert_eq!(held(key, Some(FINGERPRINT)), taken(), "{key:?}");
        }
        for free in ["", "null"] {
            assert_eq!(held(Some(free), Some("null")), Ok(None));
            assert_eq!(held(Some(free), Some("")), Ok(None));
            assert_eq!(held(Some(free), Some("SHA256:short")), Err(Unclear));
            assert_eq!(held(Some(free), None), Err(Unclear));
            assert_eq!(held(None, Some(free)), Err(Unclear));
        }
        assert_eq!(held(None, None), Err(Unclear));
    }

    #[test]
    fn the_time_of_setting_is_read_as_far_as_it_is_plain() {
        let at = set_time("2026-11-21 10:02:03.000");
        assert_eq!(at.map(|at| at.to_string()).as_deref(), Some("2026-11-21T10:02:03Z"));
        assert_eq!(set_time("yesterday"), None);
        assert_eq!(set_time(""), None);
    }
}
