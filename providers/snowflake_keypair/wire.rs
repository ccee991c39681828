//! The statements, and what their answers mean.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::{Mutex, OnceCell};

use super::failure::{NoLogin, incomplete, with_grant};
use super::identifier::{UserName, is_name, literal, quote};
use super::login::Login;
use super::session::{Administrator, Prover, REFUSED_FOR, Row};
use super::slots::{Described, Slot};
use crate::call::{Call, local};
use crate::contract::{Caller, Error, KeyId, Kind, Listed, Observation, Principal, PublicHalf, Verdict};
use crate::patience::repeatedly;
use crate::secret::{Credential, Secret};
use crate::untrusted::Label;

const WHO_AM_I: Call = Call::read("SELECT CURRENT_USER()");
const DESCRIBE: Call = Call::read("DESC USER");
const SET: Call = Call::effect("ALTER USER SET");
const UNSET: Call = Call::effect("ALTER USER UNSET");

/// What is to become of a key.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// It goes into the free slot; one that is there already stays where it is.
    Set(&'a KeyId, &'a PublicHalf),
    /// It was removed and comes back; one that nobody knows any more is not found.
    SetAgain(&'a KeyId, Option<&'a PublicHalf>),
    /// The slot that holds it is emptied, and no other.
    Disable(&'a KeyId),
    /// The same; with its user it is gone.
    Unset(&'a KeyId),
}

impl Change<'_> {
    fn call(self) -> Call {
        match self {
            Self::Set(..) | Self::SetAgain(..) => SET,
            Self::Disable(_) | Self::Unset(_) => UNSET,
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
    prover: Mutex<Option<Prover>>,
    /// The key of which Snowflake has told that it logs in as this user.
    identified: OnceLock<KeyId>,
    /// A refusal of a proof that time does not heal, and when it was: the same proof would only be refused again.
    refused: Mutex<Option<(KeyId, Instant, Error)>>,
}

impl Wire {
    pub(super) fn new(user: UserName, administrator: Arc<Administrator>) -> Self {
        Self {
            user,
            administrator,
            login_name: OnceCell::new(),
            role: OnceCell::new(),
            prover: Mutex::default(),
            identified: OnceLock::new(),
            refused: Mutex::default(),
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
            let told = told.filter(|role| is_name(role));
            told.ok_or_else(|| incomplete(WHO_AM_I, action.to_owned(), "a role"))
        });
        asked.await.map(String::as_str)
    }

    /// The user has no id that could not be given away, but each effect names a fingerprint, and a user of the same name
    /// would not hold it.
    pub(super) async fn observe(&self) -> Result<Observation, Error> {
        const ASK: &str = "SELECT CURRENT_ACCOUNT(), CURRENT_REGION(), CURRENT_USER(), CURRENT_ROLE()";
        let action = "ask Snowflake which account this is";
        self.administrator.enter().await?;
        let who = self.administrator.read(WHO_AM_I, action, ASK);
        let (rows, described) = tokio::join!(who, self.reading());
        let rows = rows?;
        // A reply may hold anything, what was sent included: only what is of the right form is kept.
        // A dot stands between a region and its group.
        let plain =
            |text: &&str| text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
        let cell = |index| rows.first().and_then(|row: &Row| row.at(index));
        let told = |index| match index {
            0 | 1 => cell(index).filter(plain),
            _ => cell(index).filter(|name| is_name(name)),
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
        // Not before the role is known: the grant names it.
        let described = described.map_err(|error| with_grant(error, &self.grant()))?;
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
            vendor_time: None,
            caller_keys,
        })
    }

    /// The administrator's login, as it is configured: Snowflake tells the same once it has let it in.
    pub(super) async fn caller(&self) -> Result<Caller, Error> {
        self.administrator.enter().await?;
        let settings = self.administrator.settings();
        Ok(Caller {
            login: settings.user.as_str().into(),
            found_in: settings.found_in.as_str().into(),
        })
    }

    /// When they were described is not told, and what is made here needs no such time.
    pub(super) async fn keys(&self) -> Result<Listed, Error> {
        let slots = self.describe().await?.slots;
        Ok(Listed {
            keys: slots.into_iter().map(|(_, key)| key).collect(),
            vendor_time: None,
        })
    }

    async fn describe(&self) -> Result<Described, Error> {
        let described = self.reading().await;
        described.map_err(|error| with_grant(error, &self.grant()))
    }

    async fn reading(&self) -> Result<Described, Error> {
        let action = format!("read user {}", self.user.as_str());
        let rows = self.administrator.read(DESCRIBE, &action, &self.description()).await?;
        self.described(&rows)
            .map_err(|what| incomplete(DESCRIBE, action, &what))
    }

    /// The same, without patience: whoever asks has its own.
    async fn describe_once(&self) -> Result<Described, Error> {
        let action = format!("read user {}", self.user.as_str());
        let grant = self.grant();
        let statement = self.description();
        let (rows, _) = self.administrator.once(DESCRIBE, &action, &statement, &grant).await?;
        self.described(&rows)
            .map_err(|what| incomplete(DESCRIBE, action, &what))
    }

    fn description(&self) -> String {
        format!("DESC USER {}", self.user.quoted())
    }

    /// What the rows say, or what they leave open.
    fn described(&self, rows: &[Row]) -> Result<Described, String> {
        let described = Described::read(&self.user, rows)?;
        // The first reading stays: nobody renames a login in the middle of a proof.
        let _ = self.login_name.set(described.login_name.clone());
        Ok(described)
    }

    /// Changes a slot. Each attempt looks at the slots first: since the last one someone else may have acted.
    pub(super) async fn change(&self, change: Change<'_>) -> Result<Option<Label>, Error> {
        let mut expired = false;
        loop {
            match repeatedly(change.call(), async || self.attempt(change).await).await {
                // A session lasts for hours, and a rotation for weeks.
                Err(error) if error.kind == Kind::Expired && !expired => expired = true,
                result => return result,
            }
        }
    }

    async fn attempt(&self, change: Change<'_>) -> Result<Option<Label>, Error> {
        let described = match (self.describe_once().await, change) {
            // Snowflake says the same of a user that this role may not see: then the key may work, and is not taken for disabled.
            (Err(error), Change::Unset(_)) if error.kind == Kind::NotFound => return Ok(None),
            (described, _) => described?,
        };
        match change {
            Change::Set(key, _) if described.slot_of(key).is_some() => Ok(None),
            Change::Set(key, public) => self.fill(described.free_slot(), &described, key, public).await,
            // The description may be late, and the consumers cannot wait: what it shows is set once more.
            Change::SetAgain(key, Some(public)) => {
                let slot = described.slot_of(key).or_else(|| described.free_slot());
                self.fill(slot, &described, key, public).await
            }
            Change::SetAgain(key, None) if described.slot_of(key).is_some() => Ok(None),
            Change::SetAgain(key, None) => {
                let action = format!("register key {key} again for user {}", self.user.as_str());
                let detail = "it is in no slot, and its public half is not known".to_owned();
                Err(local(Kind::NotFound, &action, detail))
            }
            Change::Disable(key) | Change::Unset(key) => match described.slot_of(key) {
                Some(slot) => self.empty(slot, key).await,
                None => Ok(None),
            },
        }
    }

    async fn fill(
        &self,
        slot: Option<Slot>,
        described: &Described,
        key: &KeyId,
        public: &PublicHalf,
    ) -> Result<Option<Label>, Error> {
        let action = format!("register key {key} for user {}", self.user.as_str());
        let Some(slot) = slot else {
            let held: Vec<String> = described.slots.iter().map(|(_, held)| held.id.to_string()).collect();
            let detail = format!("both slots are taken: {}", held.join(" and "));
            return Err(local(Kind::Quota, &action, detail));
        };
        let (user, property) = (self.user.quoted(), slot.property());
        let statement = format!("ALTER USER {user} SET {property} = {}", literal(public.as_str()));
        let (_, id) = self.administrator.once(SET, &action, &statement, &self.grant()).await?;
        Ok(id)
    }

    async fn empty(&self, slot: Slot, key: &KeyId) -> Result<Option<Label>, Error> {
        let action = format!("remove key {key} from user {}", self.user.as_str());
        let statement = format!("ALTER USER {} UNSET {}", self.user.quoted(), slot.property());
        let (_, id) = self
            .administrator
            .once(UNSET, &action, &statement, &self.grant())
            .await?;
        Ok(id)
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
                        reason: error.to_string().into(),
                    };
                }
            },
        };
        if let Some((key, since, error)) = &*self.refused.lock().await
            && *key == credential.key
            && since.elapsed() < REFUSED_FOR
        {
            return Verdict::Barred {
                reason: error.to_string().into(),
            };
        }
        let is_identified = self.identified.get() == Some(&credential.key);
        let asked = (!is_identified).then_some("SELECT CURRENT_USER()");
        let proved = self
            .administrator
            .prove(&self.prover, &login_name, &credential.secret, passphrase, asked)
            .await;
        match proved {
            Ok(_) if is_identified => Verdict::Accepted,
            Ok(rows) => match rows.first().and_then(|row| row.at(0)) {
                Some(name) if name == owner.name => {
                    let _ = self.identified.set(credential.key.clone());
                    Verdict::Accepted
                }
                Some(_) => Verdict::Rejected {
                    reason: format!("it logs in as somebody else than {}", owner.name).into(),
                    may_be_lag: false,
                },
                None => Verdict::Inconclusive {
                    reason: "Snowflake did not say who logged in".into(),
                },
            },
            Err(NoLogin { error, .. }) if error.kind == Kind::BadCredentials => Verdict::Rejected {
                reason: error.to_string().into(),
                may_be_lag: true,
            },
            Err(NoLogin { error, heals_with_time }) => {
                let reason = error.to_string().into();
                if heals_with_time {
                    return Verdict::Inconclusive { reason };
                }
                *self.refused.lock().await = Some((credential.key.clone(), Instant::now(), error));
                Verdict::Barred { reason }
            }
        }
    }

    /// A record that this account does not have, or does not show to this role, is no record.
    pub(super) async fn look(&self, call: Call, action: &str, statement: &str) -> Result<Vec<Row>, Error> {
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
