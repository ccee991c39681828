//! What is shown, one vendor after the other.

mod aws;
mod fleet;
mod guided;
mod snowflake;

pub(crate) use aws::play as aws;
pub(crate) use fleet::play as fleet;
pub(crate) use guided::play as guided;
pub(crate) use snowflake::play as snowflake;
