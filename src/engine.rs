//! A target's turn, and all that acts.
//!
//! [`Turn`] leads from a target to its vendor and says, before anything is done, what is to be done: `run`, `plan`, `doctor` and the
//! commands for one target all take it, and it ends in acting, explaining or examining. What the journal knows is read once for all
//! targets ([`Survey`]); [`assess`] decides from it and does nothing. [`driver`] is the only loop that acts, and [`journal`] the only
//! place that writes an event.

mod act;
mod acting;
mod assess;
mod copies;
mod credential;
mod drifted;
pub mod driver;
mod error;
mod examine;
mod expected;
mod explain;
mod give_up;
pub mod guided;
pub mod inventory;
pub mod journal;
mod order;
mod preflight;
mod request;
mod reseal;
mod spans;
mod survey;
mod turn;

pub use act::TurnOutcome;
pub use acting::{Acting, Claims};
pub use assess::{Action, Age, AgeBasis, Assessment, DriftAt, OnRecord, assess, yet_to_come};
pub use credential::{Credential, Namings};
pub use explain::{Forecast, ForecastRotation};
pub use give_up::{give_up, is_given_up};
pub use order::Order;
pub use preflight::{check, in_the_way};
pub use request::Wanted;
pub use reseal::{Resealed, reseal};
pub use spans::turn_span;
pub use survey::Survey;
pub use turn::{Turn, automated, connect};
