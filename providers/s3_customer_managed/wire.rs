//! The calls to IAM, STS and S3: the only place of this connector where a secret meets the network.
//!
//! The SDK's retries are off for every call, because with them on a lost answer to `CreateAccessKey` makes a second key.
//! [`patiently`] retries instead, and only what is known to be without effect or harmless to repeat.

mod proof;

use std::sync::{Arc, OnceLock};

use aws_credential_types::Credentials;
use aws_sdk_iam::operation::RequestId;
use aws_sdk_iam::types::StatusType;
use aws_sdk_s3::types::RequestPayer;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use jiff::Timestamp;

use super::administrator::{WHO_AM_I, who_am_i};
use super::administrators::Administrator;
use super::clock::Clock;
use super::endpoint::EndpointGuard;
use super::failure::{endless, incomplete, malformed, translate};
use super::form;
use super::pages::Pages;
use super::user_name;
use crate::call::Call;
use crate::contract::{Caller, Error, Key, KeyId, Kind, LastUse, Listed, Principal};
use crate::patience::patiently;
use crate::secret::{Credential, Secret};
use crate::shell::quoted;
use crate::untrusted::{Label, Sanitized};
use crate::vendor_time;

pub(super) const GET_USER: Call = Call::read("iam:GetUser");
const LIST_KEYS: Call = Call::read("iam:ListAccessKeys");
const CREATE_KEY: Call = Call::effect_once("iam:CreateAccessKey");
const UPDATE_KEY: Call = Call::effect("iam:UpdateAccessKey");
const DELETE_KEY: Call = Call::effect("iam:DeleteAccessKey");
const LAST_USED: Call = Call::read("iam:GetAccessKeyLastUsed");

/// What a key has to be able to list.
pub(super) struct Listing<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: Option<&'a str>,
    pub(super) requester_pays: bool,
}

impl Listing<'_> {
    pub(super) fn payer(&self) -> Option<RequestPayer> {
        self.requester_pays.then_some(RequestPayer::Requester)
    }
}

/// One user's keys.
pub(super) struct Wire {
    administrator: Arc<Administrator>,
    /// The user's full name, once it was read.
    arn: OnceLock<Sanitized>,
    /// The key of which AWS has told that it is the user's.
    identified: OnceLock<KeyId>,
}

impl Wire {
    pub(super) fn new(administrator: Arc<Administrator>) -> Self {
        Self {
            administrator,
            arn: OnceLock::new(),
            identified: OnceLock::new(),
        }
    }

    pub(super) fn administrator(&self) -> &Administrator {
        &self.administrator
    }

    /// The user's full name, where it was read.
    pub(super) fn arn(&self) -> Option<&Sanitized> {
        self.arn.get()
    }

    /// Whether AWS has told whose key this is.
    pub(super) fn is_identified(&self, credential: &Credential) -> bool {
        self.identified.get() == Some(&credential.key)
    }

    /// Waits for the account's turn.
    pub(super) async fn turn(&self) {
        self.administrator.rate.turn().await;
    }

    /// The client of IAM, once the account's turn has come.
    pub(super) async fn iam(&self) -> &aws_sdk_iam::Client {
        self.turn().await;
        &self.administrator.iam
    }

    /// The user's immutable id and account.
    pub(super) async fn user(&self, user: &str) -> Result<Principal, Error> {
        let action = || format!("read user {user}");
        let reply = patiently(GET_USER, async || {
            let request = self.iam().await.get_user().user_name(user);
            request.send().await.map_err(|e| translate(GET_USER, action(), &e))
        })
        .await?;
        let found = reply.user().ok_or_else(|| incomplete(GET_USER, action(), "a user"))?;
        let account = account_of(found.arn()).ok_or_else(|| incomplete(GET_USER, action(), "an account"))?;
        let id = form::user_id(found.user_id()).ok_or_else(|| malformed(GET_USER, action(), "an id of the user"))?;
        user_name(found.user_name()).map_err(|_| malformed(GET_USER, action(), "a name of the user"))?;
        if let Some(arn) = form::arn(found.arn()) {
            let _ = self.arn.set(arn);
        }
        Ok(Principal {
            account,
            name: found.user_name().to_owned(),
            id,
        })
    }

    /// The user's keys, every page.
    pub(super) async fn keys(&self, user: &str) -> Result<Listed, Error> {
        let action = || format!("list the access keys of user {user}");
        let mut keys = Vec::new();
        let clock = Clock::default();
        let mut marker: Option<String> = None;
        let mut pages = Pages::begin();
        loop {
            let page = patiently(LIST_KEYS, async || {
                let request = self
                    .iam()
                    .await
                    .list_access_keys()
                    .user_name(user)
                    .set_marker(marker.clone());
                let sent = request.customize().interceptor(clock.clone()).send().await;
                sent.map_err(|e| translate(LIST_KEYS, action(), &e))
            })
            .await?;
            for entry in page.access_key_metadata() {
                // One that cannot be read is not left out: a list that shows too little misleads.
                let id = entry.access_key_id().and_then(form::key_id);
                let id = id.ok_or_else(|| malformed(LIST_KEYS, action(), "an access key"))?;
                keys.push(Key {
                    active: entry.status() != Some(&StatusType::Inactive),
                    created_at: entry.create_date().and_then(timestamp),
                    public: None,
                    delete_by_hand: delete_by_hand(user, &id),
                    id,
                });
            }
            marker = pages
                .next(page.is_truncated(), page.marker(), keys.len())
                .map_err(|why| endless(LIST_KEYS, action(), why))?;
            if marker.is_none() {
                let vendor_time = clock.time();
                return Ok(Listed { keys, vendor_time });
            }
        }
    }

    /// Whether one of the credentials that the program runs on belongs to this user.
    ///
    /// A long-term key is found by its name in the user's list; only a session has to ask who it is.
    pub(super) async fn runs_as(&self, owner: &Principal, keys: &[Key]) -> Result<bool, Error> {
        for caller in &self.administrator.callers {
            if caller.session_token().is_none() {
                if keys.iter().any(|key| key.id.as_str() == caller.access_key_id()) {
                    return Ok(true);
                }
            } else {
                let who = patiently(WHO_AM_I, async || self.caller_identity(caller.clone()).await).await?;
                if who.user_id() == Some(&owner.id) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Who the administrator is.
    pub(super) async fn caller(&self) -> Result<Caller, Error> {
        let asking = async || {
            let arn = who_am_i(&self.administrator.config).await?.arn;
            let arn = arn.as_deref().and_then(form::arn);
            arn.ok_or_else(|| incomplete(WHO_AM_I, "ask AWS who is calling".to_owned(), "a name"))
        };
        let login = self.administrator.login.get_or_try_init(asking).await?;
        Ok(Caller {
            login: login.clone(),
            found_in: self.administrator.found_in.clone(),
        })
    }

    /// The names of the credentials that the program runs on.
    pub(super) fn caller_keys(&self) -> Vec<KeyId> {
        self.administrator
            .callers
            .iter()
            .filter_map(|caller| KeyId::parse(caller.access_key_id()).ok())
            .collect()
    }

    /// Creates a key, by one call that leaves at once.
    pub(super) async fn create(&self, user: &str) -> Result<(Credential, Option<Label>), Error> {
        let action = || format!("create an access key for user {user}");
        let request = self.administrator.iam.create_access_key().user_name(user);
        let sending = async { request.send().await.map_err(|e| translate(CREATE_KEY, action(), &e)) };
        let reply = CREATE_KEY.traced(sending).await?;
        let request = named(&reply);
        let key = reply
            .access_key
            .filter(|key| !key.access_key_id.is_empty() && !key.secret_access_key.is_empty())
            .ok_or_else(|| incomplete(CREATE_KEY, action(), "a key"))?;
        let id = form::key_id(&key.access_key_id);
        let fits = form::is_secret(&key.secret_access_key);
        let secret = Secret::new(key.secret_access_key);
        match id.filter(|_| fits) {
            Some(key) => {
                let public = None;
                Ok((Credential { key, public, secret }, request))
            }
            None => Err(malformed(CREATE_KEY, action(), "a key")),
        }
    }

    pub(super) async fn deactivate(&self, user: &str, key: &KeyId) -> Result<Option<Label>, Error> {
        match self.update(user, key, StatusType::Inactive, "deactivate").await {
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            result => result,
        }
    }

    pub(super) async fn reactivate(&self, user: &str, key: &KeyId) -> Result<Option<Label>, Error> {
        self.update(user, key, StatusType::Active, "reactivate").await
    }

    async fn update(&self, user: &str, key: &KeyId, status: StatusType, verb: &str) -> Result<Option<Label>, Error> {
        let updated = patiently(UPDATE_KEY, async || {
            let request = self.iam().await.update_access_key().user_name(user);
            let request = request.access_key_id(key.as_str()).status(status.clone());
            let action = || format!("{verb} access key {key} of user {user}");
            request.send().await.map_err(|e| translate(UPDATE_KEY, action(), &e))
        })
        .await?;
        Ok(named(&updated))
    }

    pub(super) async fn delete(&self, user: &str, key: &KeyId) -> Result<Option<Label>, Error> {
        let deleted = patiently(DELETE_KEY, async || {
            let request = self.iam().await.delete_access_key().user_name(user);
            let action = || format!("delete access key {key} of user {user}");
            let sent = request.access_key_id(key.as_str()).send().await;
            sent.map_err(|e| translate(DELETE_KEY, action(), &e))
        })
        .await;
        match deleted {
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            result => result.map(|reply| named(&reply)),
        }
    }

    pub(super) async fn last_use(&self, key: &KeyId) -> Result<LastUse, Error> {
        let reply = patiently(LAST_USED, async || {
            let request = self.iam().await.get_access_key_last_used().access_key_id(key.as_str());
            let action = || format!("read the last use of access key {key}");
            request.send().await.map_err(|e| translate(LAST_USED, action(), &e))
        })
        .await?;
        let Some(record) = reply.access_key_last_used() else {
            return Ok(LastUse::NotReported);
        };
        // "N/A" and no date is how IAM says: no use on record. A date that cannot be says nothing.
        Ok(match record.last_used_date().map(timestamp) {
            Some(Some(at)) => LastUse::At {
                at,
                service: Label::or_unknown(record.service_name()),
                region: Label::or_unknown(record.region()),
            },
            Some(None) => LastUse::NotReported,
            None => LastUse::NeverSeen,
        })
    }

    async fn caller_identity(&self, login: Credentials) -> Result<GetCallerIdentityOutput, Error> {
        let config = aws_sdk_sts::config::Builder::from(&self.administrator.config)
            .credentials_provider(login)
            .interceptor(EndpointGuard)
            .build();
        let reply = aws_sdk_sts::Client::from_conf(config)
            .get_caller_identity()
            .send()
            .await;
        reply.map_err(|e| translate(WHO_AM_I, "ask AWS whose key this is".to_owned(), &e))
    }
}

/// What AWS calls the request that this answers: `requestID` in CloudTrail.
fn named(reply: &impl RequestId) -> Option<Label> {
    reply.request_id().and_then(Label::uuid)
}

/// `arn:aws:iam::123456789012:user/name`: the fifth field is the account.
fn account_of(arn: &str) -> Option<String> {
    form::account(arn.split(':').nth(4)?)
}

/// A command for a person to paste.
fn delete_by_hand(user: &str, id: &KeyId) -> String {
    let (user, id) = (quoted(user), quoted(id.as_str()));
    format!("aws iam delete-access-key --user-name {user} --access-key-id {id}")
}

fn timestamp(time: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    vendor_time::from_seconds(time.secs())
}

#[cfg(test)]
mod tests {
    use super::account_of;

    #[test]
    fn the_account_is_the_fifth_field_of_an_arn() {
        assert_eq!(
            account_of("arn:aws:iam::123456789012:user/a:b").as_deref(),
            Some("123456789012")
        );
        assert_eq!(account_of("arn:aws:iam:::user/x"), None);
        assert_eq!(account_of("nonsense"), None);
    }
}
