//! The life of one rotation, as a pure fold: no I/O and no clock.
//!
//! The journal is the only truth. A [`Rotation`] is what its events say; [`Rotation::after`] is the only way to get one.

mod any;
mod begun;
mod copies;
mod event;
mod guided;
mod hook;
mod in_place;
mod inventory;
mod key;
mod phase;
mod request;
mod rotation;
mod sealing;
mod spec;
mod stream;
mod summary;
mod tried;
mod undo;
mod window;

pub use any::AnyRotation;
pub use begun::{Begun, Trigger};
pub use copies::{CopiesDrift, HeldCopy};
pub use event::{Event, Record};
pub use guided::{GuidedRotation, GuidedSpec, Note, Proof, StepOutcome, StepRecord, Try};
pub use hook::{HookAnswer, HookRun, Hooks};
pub use in_place::Replacement;
pub use inventory::{Drift, Inventory, InventoryReading, SeenKey, Trial};
pub use key::{Attempt, Issued, Retired, Span, Switch, SwitchedBy};
pub use phase::Phase;
pub use rotation::{Block, Illegal, Rotation};
pub use sealing::Sealing;
pub use spec::{Cutover, LostKey, Prove, Retirement, RotationSpec};
pub use stream::StreamState;
pub use tried::Tried;
pub use undo::{Actor, Restored, Undo, UndoKind};
pub use window::{Day, Window};
