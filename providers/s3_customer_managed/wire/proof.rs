//! Whether a credential works: whose it is, and whether it may do what its consumer does.

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_sdk_iam::error::ProvideErrorMetadata;
use tracing::Instrument;

use super::{Listing, Wire};
use crate::call::Call;
use crate::contract::{Error, Kind, Principal, Verdict};
use crate::s3_customer_managed::administrator::WHO_AM_I;
use crate::s3_customer_managed::denial::is_by_the_bucket;
use crate::s3_customer_managed::endpoint::EndpointGuard;
use crate::s3_customer_managed::failure::translate;
use crate::s3_customer_managed::form;
use crate::secret::Credential;
use crate::trace;

const LIST_BUCKET: Call = Call::read("s3:ListBucket");

impl Wire {
    /// Whether the credential logs in as this owner.
    pub(in crate::s3_customer_managed) async fn identity(&self, credential: &Credential, owner: &Principal) -> Verdict {
        let Some(login) = login(credential) else {
            return unusable();
        };
        match WHO_AM_I.traced(self.caller_identity(login)).await {
            Ok(reply) if reply.user_id() == Some(&owner.id) && reply.account() == Some(&owner.account) => {
                let _ = self.identified.set(credential.key.clone());
                Verdict::Accepted
            }
            Ok(reply) => Verdict::Rejected {
                reason: format!(
                    "it logs in as {} and not as user {} of account {}",
                    reply.arn().and_then(form::arn).as_deref().unwrap_or("someone else"),
                    owner.name,
                    owner.account
                )
                .into(),
                may_be_lag: false,
            },
            // It needs no permission, so someone has denied it; and a key whose owner is unknown is not trusted.
            Err(error) if matches!(error.kind, Kind::Denied { .. }) => Verdict::Rejected {
                reason: format!("it may not call {}, so whose key it is cannot be proven", error.call).into(),
                may_be_lag: false,
            },
            Err(error) => verdict(&error),
        }
    }

    /// Whether the credential may list this prefix of the bucket, wherever the bucket is.
    pub(in crate::s3_customer_managed) async fn list_bucket(
        &self,
        credential: &Credential,
        listing: &Listing<'_>,
    ) -> Verdict {
        let (bucket, prefix) = (listing.bucket, listing.prefix);
        let Some(login) = login(credential) else {
            return unusable();
        };
        let mut region: Option<String> = None;
        loop {
            let mut config = aws_sdk_s3::config::Builder::from(&self.administrator.config)
                .credentials_provider(login.clone())
                .force_path_style(self.administrator.path_style)
                .interceptor(EndpointGuard);
            if let Some(region) = &region {
                config = config.region(Region::new(region.clone()));
            }
            let request = aws_sdk_s3::Client::from_conf(config.build())
                .list_objects_v2()
                .bucket(bucket)
                .set_prefix(prefix.map(str::to_owned))
                .set_request_payer(listing.payer())
                .max_keys(1);
            let span = LIST_BUCKET.span();
            let Err(error) = request.send().instrument(span.clone()).await else {
                return Verdict::Accepted;
            };
            // A bucket in another region answers with the name of that region.
            let elsewhere = error
                .raw_response()
                .and_then(|reply| form::region(reply.headers().get("x-amz-bucket-region")?));
            if let (None, Some(elsewhere)) = (&region, elsewhere)
                && Some(elsewhere.as_str()) != self.administrator.config.region().map(Region::as_ref)
            {
                region = Some(elsewhere);
                continue;
            }
            let by_the_bucket = error.message().is_some_and(is_by_the_bucket);
            let error = translate(LIST_BUCKET, format!("list bucket {bucket}"), &error);
            trace::failed(&span, error.kind.name());
            return match (&error.kind, by_the_bucket) {
                (Kind::Denied { .. }, true) => Verdict::Barred {
                    reason: format!("the policy of bucket {bucket} denies s3:ListBucket from here").into(),
                },
                _ => bucket_verdict(&error, bucket, prefix),
            };
        }
    }
}

fn login(credential: &Credential) -> Option<Credentials> {
    let secret = credential.secret.expose_text()?;
    let id = credential.key.as_str();
    Some(Credentials::new(id, secret, None, None, "the key under rotation"))
}

fn unusable() -> Verdict {
    Verdict::Rejected {
        reason: "its secret is not text".into(),
        may_be_lag: false,
    }
}

fn verdict(error: &Error) -> Verdict {
    let reason = format!("{}: {}", error.call, error.detail).into();
    match error.kind {
        Kind::BadCredentials => Verdict::Rejected {
            reason,
            may_be_lag: error.code.as_deref() != Some("SignatureDoesNotMatch"),
        },
        _ => Verdict::Inconclusive { reason },
    }
}

fn bucket_verdict(error: &Error, bucket: &str, prefix: Option<&str>) -> Verdict {
    let refused = |reason: String| Verdict::Rejected {
        reason: reason.into(),
        may_be_lag: false,
    };
    match (&error.kind, error.code.as_deref()) {
        (_, Some("NoSuchBucket")) => refused(format!("bucket {bucket} does not exist")),
        (Kind::Denied { .. }, _) => refused(match prefix {
            Some(prefix) => format!("it may not list {bucket}/{prefix} (s3:ListBucket)"),
            None => format!("it may not list bucket {bucket} (s3:ListBucket)"),
        }),
        _ => verdict(error),
    }
}
