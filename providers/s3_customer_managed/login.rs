//! The login of whoever delivers to a store of this vendor. It is found as an administrator's is.

use aws_config::SdkConfig;

use super::Inputs;
use super::administrators::Administrators;
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

impl Login {
    /// The configuration with these credentials.
    pub async fn find(&self) -> Result<SdkConfig, Error> {
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
        let found = Box::pin(administrators.find(String::new(), &inputs)).await?;
        Ok(found.config.clone())
    }
}
