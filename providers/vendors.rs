//! What the targets of one run share at their vendors: logins, connections, and the rate at which an account is called.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::s3_customer_managed::Administrators;
use crate::snowflake_keypair::Logins;

/// How vendors are reached.
#[derive(Clone, Copy, Default)]
pub struct Access {
    /// How often one account is called at most; `None` is as often as it takes. AWS publishes no rates for IAM, and throttles
    /// a whole account.
    pub calls_per_second: Option<NonZeroU32>,
    /// Where administrators' credentials are looked for.
    pub credentials: CredentialsFrom,
    /// Who is asked for what only a person has; `None`: nobody is there.
    pub ask: Option<Ask>,
}

/// Where administrators' credentials are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialsFrom {
    /// Where the target says: its profile or connection.
    #[default]
    Configured,
    /// In the environment alone: what the target says of profiles and connections is for other machines.
    Environment,
}

/// Puts a question to a person and gives their answer; `None` where they have none.
pub type Ask = fn(&str) -> Option<String>;

/// What targets share. A command for one target has one of its own.
pub struct Vendors {
    pub(crate) aws: Administrators,
    pub(crate) snowflake: Logins,
}

impl Vendors {
    /// Nothing is shared yet.
    pub fn new(access: Access) -> Arc<Self> {
        Arc::new(Self {
            aws: Administrators::new(access),
            snowflake: Logins::new(access.credentials),
        })
    }
}
