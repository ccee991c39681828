//! What the targets of one run share at their vendors: logins, connections, and the rate at which an account is called.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::s3_customer_managed::Administrators;
use crate::snowflake_keypair::Logins;

/// What targets share. A command for one target has one of its own.
pub struct Vendors {
    pub(crate) aws: Administrators,
    pub(crate) snowflake: Logins,
}

impl Vendors {
    /// Nothing is shared yet. AWS publishes no rates for IAM, and throttles a whole account: `calls_per_second` is how
    /// often one account's IAM is called at most; `None` is as often as it takes.
    pub fn new(calls_per_second: Option<NonZeroU32>) -> Arc<Self> {
        Arc::new(Self {
            aws: Administrators::new(calls_per_second),
            snowflake: Logins::default(),
        })
    }
}
