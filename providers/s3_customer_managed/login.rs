//! The login of whoever delivers to a store of this vendor. It is found as an administrator's is.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_iam::types::PolicyEvaluationDecisionType as Decision;

use super::administrator::who_am_i;
use super::administrators::{Administrator, Administrators};
use super::preflight::principal;
use super::{Inputs, form};
use crate::Access;
use crate::contract::Error;

/// Whose credentials, and where.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The profile that they stand in.
    pub profile: Option<String>,
    /// The role that is assumed with them.
    pub assume_role: Option<String>,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// The region of the store.
    pub region: Option<String>,
}

/// What somebody lacks.
#[derive(Clone, Debug)]
pub struct Lacking {
    /// The ARN of the user or the role.
    pub who: String,
    /// The calls that are not allowed, as the simulator names them.
    pub actions: Vec<String>,
}

impl Login {
    /// The configuration with these credentials.
    pub async fn find(&self) -> Result<SdkConfig, Error> {
        Ok(self.administrator().await?.config.clone())
    }

    /// Which of these calls on this the policies of whoever logs in do not allow, as IAM's own simulator says, which only reads.
    /// `None`: none of them, or it may not be asked, or was not told enough, or does not know who that is.
    pub async fn lacks(&self, actions: &[&str], resource: &str) -> Option<Lacking> {
        let found = self.administrator().await.ok()?;
        let arn = Box::pin(who_am_i(&found.config)).await.ok()?.arn?;
        let who = principal(&form::arn(&arn)?.to_string());
        let asked = found.iam.simulate_principal_policy().policy_source_arn(&who);
        let asked = asked.set_action_names(Some(actions.iter().map(|action| (*action).to_owned()).collect()));
        let reply = Box::pin(asked.resource_arns(resource).send()).await.ok()?;
        let told = reply.evaluation_results().iter().filter(|result| {
            *result.eval_decision() != Decision::Allowed && result.missing_context_values().is_empty()
        });
        let lacking: Vec<String> = told
            .map(|result| result.eval_action_name().to_owned())
            .filter(|told| actions.contains(&told.as_str()))
            .collect();
        (!lacking.is_empty()).then_some(Lacking { who, actions: lacking })
    }

    async fn administrator(&self) -> Result<Arc<Administrator>, Error> {
        let inputs = Inputs {
            user: String::new(),
            bucket: String::new(),
            prefix: None,
            request_payer: None,
            profile: self.profile.clone(),
            assume_role: self.assume_role.clone(),
            external_id: self.external_id.clone(),
            region: self.region.clone(),
            endpoint_url: None,
        };
        let administrators = Administrators::new(&Access::default(), "");
        Box::pin(administrators.find(String::new(), &inputs)).await
    }
}
