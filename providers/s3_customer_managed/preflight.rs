//! What can be found out before a rotation: permissions by IAM's own simulator, the bucket by a look, the clock by a reply.
//!
//! The simulator needs a permission of its own, `iam:SimulatePrincipalPolicy`, and knows nothing of the policies of the
//! organisation or of a session: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html>.

use aws_config::Region;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::PolicyEvaluationDecisionType as Decision;
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument;

use super::administrator::WHO_AM_I;
use super::bucket_policy::networks;
use super::clock::Clock;
use super::denial::is_by_the_bucket;
use super::endpoint::EndpointGuard;
use super::failure::{incomplete, translate};
use super::form;
use super::wire::{GET_USER, Listing, Wire};
use crate::call::Call;
use crate::contract::{Check, ClockTolerance, Error, Finding, Preflight, Principal, Thoroughness};
use crate::patience::patiently;
use crate::untrusted::{Label, Sanitized};

const SIMULATE: Call = Call::read("iam:SimulatePrincipalPolicy");
const LOOK_AT_BUCKET: Call = Call::read("s3:ListBucket");
const BUCKET_POLICY: Call = Call::read("s3:GetBucketPolicy");

/// What it means for the proof.
const ONLY_SOME_NETWORKS: &str = "if it lets only some networks in, a new key cannot be proven from here, and its consumer \
                                  has to: --prove consumer";

/// What a rotation calls on the user.
const NEEDED: [&str; 6] = [
    "iam:GetUser",
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
];

/// Signed requests are refused beyond five minutes:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>.
const CLOCK: ClockTolerance = ClockTolerance {
    worth_a_word: SignedDuration::from_secs(50),
    refused: SignedDuration::from_mins(5),
};

impl Wire {
    pub(super) async fn preflight(
        &self,
        owner: &Principal,
        listing: &Listing<'_>,
        thoroughness: Thoroughness,
    ) -> Preflight {
        let (identity, bucket) = tokio::join!(self.identity_and_time(), self.bucket(listing, owner, thoroughness));
        let (caller, vendor_time) = match identity {
            Ok((caller, vendor_time)) => (Ok(caller), vendor_time),
            Err(error) => (Err(error), None),
        };
        let mut findings = match self.permissions(&owner.name, caller).await {
            Ok(findings) => findings,
            Err(error) => vec![Finding {
                what: "permissions".into(),
                check: Check::Unknown {
                    why: format!("failed to {error}; whether they suffice shows only when they are used").into(),
                },
            }],
        };
        findings.push(bucket);
        Preflight {
            vendor_time,
            clock: CLOCK,
            findings,
        }
    }

    /// Who the administrator is, and AWS's time.
    async fn identity_and_time(&self) -> Result<(Sanitized, Option<Timestamp>), Error> {
        let action = || "ask AWS who is calling".to_owned();
        let clock = Clock::default();
        let config = aws_sdk_sts::config::Builder::from(&self.administrator().config)
            .interceptor(EndpointGuard)
            .interceptor(clock.clone());
        let sts = aws_sdk_sts::Client::from_conf(config.build());
        let reply = patiently(WHO_AM_I, async || {
            let sent = sts.get_caller_identity().send().await;
            sent.map_err(|e| translate(WHO_AM_I, action(), &e))
        })
        .await?;
        let arn = reply.arn.as_deref().and_then(form::arn);
        let arn = arn.ok_or_else(|| incomplete(WHO_AM_I, action(), "a name"))?;
        let _ = self.administrator().login.set(arn.clone());
        Ok((arn, clock.time()))
    }

    async fn permissions(&self, user: &str, caller: Result<Sanitized, Error>) -> Result<Vec<Finding>, Error> {
        let action = || format!("ask IAM what the administrator may do with user {user}");
        let caller = principal(&caller?);
        if is_root(&caller) {
            // It is neither a user nor a role, and no policy is attached to it.
            return Ok(vec![Finding {
                what: "permissions".into(),
                check: Check::Unknown {
                    why: format!("{caller} is the account itself, of which the simulator knows nothing").into(),
                },
            }]);
        }
        let target = self.arn_of(user).await?;
        let reply = patiently(SIMULATE, async || {
            let request = self
                .iam()
                .await
                .simulate_principal_policy()
                .policy_source_arn(&caller)
                .set_action_names(Some(NEEDED.map(str::to_owned).to_vec()))
                .resource_arns(&target);
            request.send().await.map_err(|e| translate(SIMULATE, action(), &e))
        })
        .await?;
        let findings = reply.evaluation_results().iter().map(|result| Finding {
            what: format!("permission {}", Label::or_unknown(result.eval_action_name())).into(),
            check: match result.eval_decision() {
                Decision::Allowed => Check::Fine,
                // The simulator takes for absent what it was not given: a second factor, an address.
                _ if !result.missing_context_values().is_empty() => Check::Unknown {
                    why: format!(
                        "it depends on {}, which the simulator was not told",
                        result.missing_context_values().join(", ")
                    )
                    .into(),
                },
                Decision::ExplicitDeny => Check::Wrong {
                    why: "a policy denies it".into(),
                    remedy: format!("take the Deny away from {caller}, or run as someone else"),
                },
                _ => Check::Wrong {
                    why: "no policy allows it".into(),
                    remedy: format!(
                        "allow {} on {target} for {caller}",
                        Label::or_unknown(result.eval_action_name())
                    ),
                },
            },
        });
        Ok(findings.collect())
    }

    async fn arn_of(&self, user: &str) -> Result<String, Error> {
        if let Some(known) = self.arn() {
            return Ok(known.to_string());
        }
        let action = || format!("read user {user}");
        let reply = patiently(GET_USER, async || {
            let request = self.iam().await.get_user().user_name(user);
            request.send().await.map_err(|e| translate(GET_USER, action(), &e))
        })
        .await?;
        let arn = reply.user().and_then(|user| form::arn(user.arn()));
        arn.map(String::from)
            .ok_or_else(|| incomplete(GET_USER, action(), "a user"))
    }

    /// Whether the bucket is there, and whether its policy lets only some networks in. Whether the user's key may list it is
    /// proven by each rotation with the key itself.
    async fn bucket(&self, listing: &Listing<'_>, owner: &Principal, thoroughness: Thoroughness) -> Finding {
        let bucket = listing.bucket;
        let policy = async |region: Option<&str>| match thoroughness {
            Thoroughness::Everything => self.policy(bucket, region, owner).await,
            // It stops nothing: who is let in is shown by the new key itself.
            Thoroughness::Obstacles => None,
        };
        let sent = self
            .s3(None)
            .list_objects_v2()
            .bucket(bucket)
            .set_request_payer(listing.payer())
            .max_keys(1)
            .send()
            .instrument(LOOK_AT_BUCKET.span())
            .await;
        let check = match sent {
            Ok(_) => policy(None).await.unwrap_or(Check::Fine),
            Err(error) => {
                let code = error.code().map(str::to_owned);
                let reply = error.raw_response();
                let elsewhere = reply.and_then(|reply| form::region(reply.headers().get("x-amz-bucket-region")?));
                match (code.as_deref(), elsewhere) {
                    (Some("NoSuchBucket"), _) => Check::Wrong {
                        why: "it does not exist".into(),
                        remedy: "write the bucket's right name".to_owned(),
                    },
                    (_, Some(region)) => policy(Some(&region)).await.unwrap_or(Check::Fine),
                    (Some("AccessDenied"), _) if error.message().is_some_and(is_by_the_bucket) => Check::Unknown {
                        why: format!("its own policy denies the administrator; {ONLY_SOME_NETWORKS}").into(),
                    },
                    (Some("AccessDenied"), _) => policy(None).await.unwrap_or_else(|| Check::Unknown {
                        why: "the administrator may not list it; the user's own key has to, and is asked to".into(),
                    }),
                    _ => Check::Unknown {
                        why: translate(LOOK_AT_BUCKET, format!("list bucket {bucket}"), &error).detail,
                    },
                }
            }
        };
        Finding {
            what: format!("bucket {bucket}").into(),
            check,
        }
    }

    /// What the bucket's policy says of networks. A bucket without one, or one that is not shown, says nothing.
    async fn policy(&self, bucket: &str, region: Option<&str>, owner: &Principal) -> Option<Check> {
        let request = self.s3(region).get_bucket_policy().bucket(bucket);
        let action = || format!("read the policy of bucket {bucket}");
        let sending = async {
            request
                .send()
                .await
                .map_err(|error| translate(BUCKET_POLICY, action(), &error))
        };
        let reply = BUCKET_POLICY
            .traced(sending)
            .await
            .inspect_err(|error| tracing::debug!("{error}"))
            .ok()?;
        let networks = networks(reply.policy()?, bucket, owner);
        (!networks.is_empty()).then(|| Check::Unknown {
            why: format!(
                "a Deny of its policy depends on {}; {ONLY_SOME_NETWORKS}",
                networks.join(" and ")
            )
            .into(),
        })
    }

    fn s3(&self, region: Option<&str>) -> aws_sdk_s3::Client {
        let mut config = aws_sdk_s3::config::Builder::from(&self.administrator().config)
            .force_path_style(self.administrator().path_style)
            .interceptor(EndpointGuard);
        if let Some(region) = region {
            config = config.region(Region::new(region.to_owned()));
        }
        aws_sdk_s3::Client::from_conf(config.build())
    }
}

/// The policies of a session are those of its role, whose path the session does not name.
pub(super) fn principal(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        [arn, partition, "sts", _, account, rest] => match rest.split('/').collect::<Vec<_>>().as_slice() {
            ["assumed-role", role, ..] => format!("{arn}:{partition}:iam::{account}:role/{role}"),
            _ => parts.join(":"),
        },
        _ => arn.to_owned(),
    }
}

/// Whether these are the credentials of the account's root user.
fn is_root(principal: &str) -> bool {
    principal.starts_with("arn:") && principal.ends_with(":root")
}

#[cfg(test)]
mod tests {
    use super::{is_root, principal};

    #[test]
    fn the_account_itself_is_no_user_and_no_role() {
        assert!(is_root("arn:aws:iam::123456789012:root"));
        for other in [
            "arn:aws:iam::123456789012:user/root",
            "arn:aws:iam::123456789012:role/a:root/b",
        ] {
            assert!(!is_root(other), "{other}");
        }
    }

    #[test]
    fn a_session_is_judged_by_its_role() {
        let role = principal("arn:aws:sts::123456789012:assumed-role/rotator/session");
        assert_eq!(role, "arn:aws:iam::123456789012:role/rotator");
        let user = "arn:aws:iam::123456789012:user/path/rotator";
        assert_eq!(principal(user), user);
    }
}
