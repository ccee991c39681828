//! A symmetric key of AWS KMS, named by its ARN: that says in which account and region it is, for good.
//!
//! It encrypts the identity of one rotation, some seventy bytes, for the target and the rotation that KMS gets as encryption context:
//! it decrypts it for no other, and both stand in the account's CloudTrail. Neither call changes anything, so each is tried again.

mod answer;
mod wire;

use async_trait::async_trait;
use aws_sdk_kms::Client;
use percent_encoding::percent_decode_str;
use rotate_providers::s3_customer_managed::Login;
use rotate_providers::secret::Secret;
use tokio::sync::OnceCell;

use super::{KeyService, WRITTEN};
use crate::seal::{Purpose, SealError};

/// One key.
pub(super) struct AwsKms {
    spelling: String,
    arn: String,
    login: Login,
    client: OnceCell<Client>,
}

impl AwsKms {
    /// `aws-kms:ARN?profile=…&role=…&external_id=…`.
    pub(super) fn parse(spelling: &str) -> Result<Self, String> {
        let is_written = spelling.bytes().all(|byte| byte.is_ascii_graphic());
        let place = spelling.split_once(':').filter(|_| is_written).map(|(_, place)| place);
        let place = place.ok_or_else(|| format!("write {WRITTEN}"))?;
        let (arn, options) = place.split_once('?').unwrap_or((place, ""));
        let region = region_of(arn)?;
        let mut login = Login {
            profile: None,
            assume_role: None,
            external_id: None,
            region: Some(region.to_owned()),
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let place = match key {
                "profile" => &mut login.profile,
                "role" => &mut login.assume_role,
                "external_id" => &mut login.external_id,
                _ => return Err("behind its ? stand profile, role and external_id, as with a destination".to_owned()),
            };
            let value = percent_decode_str(value).decode_utf8();
            let value = value
                .ok()
                .filter(|value| !value.is_empty() && !value.chars().any(char::is_control));
            let value = value.ok_or_else(|| format!("its option {key} says nothing that can be understood"))?;
            if place.replace(value.into_owned()).is_some() {
                return Err(format!("its option {key} is given twice"));
            }
        }
        Ok(Self {
            spelling: spelling.to_owned(),
            arn: arn.to_owned(),
            login,
            client: OnceCell::new(),
        })
    }
}

/// The region of this key. An alias may lead to another key tomorrow, and is none.
fn region_of(arn: &str) -> Result<&str, String> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition, "kms", region, account, key] = parts.as_slice() else {
        return Err(format!("write the whole ARN of the key: {WRITTEN}"));
    };
    let is_name = |text: &str| {
        (1..=63).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    match key.strip_prefix("key/") {
        Some(id) if is_name(partition) && is_name(region) && is_account && is_name(id) => Ok(region),
        None if key.starts_with("alias/") => Err(format!(
            "an alias may lead to another key tomorrow: write the ARN of the key itself, {WRITTEN}"
        )),
        _ => Err(format!("this is the ARN of no key: {WRITTEN}")),
    }
}

#[async_trait]
impl KeyService for AwsKms {
    fn spelling(&self) -> &str {
        &self.spelling
    }

    async fn wrap(&self, purpose: &Purpose<'_>, key: &Secret) -> Result<Vec<u8>, SealError> {
        self.encrypt(purpose, key).await
    }

    async fn unwrap(&self, purpose: &Purpose<'_>, wrapped: &[u8]) -> Result<Secret, SealError> {
        self.decrypt(purpose, wrapped).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "aws-kms:arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn a_key_is_named_by_its_arn_and_says_where_it_is() {
        let key = AwsKms::parse(&format!("{KEY}?profile=a%20b&external_id=x"))
            .ok()
            .unwrap();
        assert_eq!(key.login.region.as_deref(), Some("eu-central-1"));
        assert_eq!(key.login.profile.as_deref(), Some("a b"));
        assert!(key.arn.ends_with("90ab"));
        let replica = "aws-kms:arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234";
        assert!(AwsKms::parse(replica).is_ok());
    }

    #[test]
    fn what_names_no_key_for_good_is_refused() {
        for wrong in [
            "aws-kms:",
            "aws-kms:1234abcd-12ab-34cd-56ef-1234567890ab",
            "aws-kms:alias/rotate",
            "aws-kms:arn:aws:kms:eu-central-1:123456789012:alias/rotate",
            "aws-kms:arn:aws:kms::123456789012:key/1",
            "aws-kms:arn:aws:kms:eu-central-1:1234:key/1",
            "aws-kms:arn:aws:kms:eu.example.com/:123456789012:key/1",
            "aws-kms:arn:aws:iam:eu-central-1:123456789012:key/1",
            &format!("{KEY}?region=eu-west-1"),
            &format!("{KEY}?profile=a&profile=b"),
            &format!("{KEY}?profile"),
            &format!("{KEY} "),
        ] {
            assert!(AwsKms::parse(wrong).is_err(), "{wrong}");
        }
    }
}
