//! What a configuration names: each target is judged by its key's age, and moved in time.
//!
//! [`judge`] decides and does nothing, like the policy below it; `plan`, `run` and `status` all ask it. What it knows is
//! read once for all targets ([`Survey`]). [`Fleet`] looks at the vendor where that is not enough, and acts.

mod attend;
mod check;
mod credential;
mod expected;
mod foresight;
mod judge;
mod request;
mod survey;

pub use attend::{Attended, Claims, Fleet};
pub use check::{check, in_the_way};
pub use credential::{Credential, Namings};
pub use expected::at_home;
pub use foresight::{Foreseen, Foreseer, Opening, foretell};
pub use judge::{Age, Judgement, Known, Verdict, judge, yet_to_come};
pub use request::Wanted;
pub use survey::Survey;
