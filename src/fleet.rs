//! What a configuration names: each target is judged by its key's age, and moved in time.
//!
//! [`judge`] decides and does nothing, like the policy below it; `plan`, `run` and `status` all ask it. What it knows is
//! read once for all targets ([`Survey`]). A [`Turn`] looks at the vendor where that is not enough, and acts, explains or examines.

mod act;
mod check;
mod credential;
mod examine;
mod expected;
mod explain;
mod judge;
mod order;
mod request;
mod survey;
mod turn;

pub use act::{Acting, Attended, Claims};
pub use check::{check, in_the_way};
pub use credential::{Credential, Namings};
pub use explain::{Foreseen, Foretold};
pub use judge::{Age, Judgement, Known, Verdict, judge, yet_to_come};
pub use order::Order;
pub use request::Wanted;
pub use survey::Survey;
pub use turn::{Turn, automated, connect};
