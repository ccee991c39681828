//! Who is told what: notices of each change of a target's state, by mail, webhook, chat or a program.
//!
//! A notice is a row beside the journal, written in the transaction that appends the event which makes it, and sent after the
//! targets' turns, at least once. Whether it arrives changes nothing of a rotation. [`standing`] says which change makes which
//! notice, [`recorder`] writes them down, [`post`] sends what waits.

#[cfg(feature = "notify-email")]
mod email;
mod exec;
mod message;
mod notice;
mod notifier;
pub mod post;
mod readers;
pub mod recorder;
#[cfg(feature = "notify-slack")]
mod slack;
pub mod standing;
#[cfg(feature = "notify-teams")]
mod teams;
#[cfg(any(
    feature = "notify-email",
    feature = "notify-slack",
    feature = "notify-teams",
    feature = "notify-webhook"
))]
mod web;
#[cfg(feature = "notify-webhook")]
mod webhook;

pub use message::Message;
pub use notice::{Content, Digest, Kind, Need, Notice, TargetNotice, TestNotice};
pub use notifier::{Email, Encryption, Login, Notifier, Way, WebhookAt, is_mail_address};
pub use post::{Fault, Limits, Posted, Untold};
pub use readers::Readers;
pub use recorder::{Announcer, Compose, NotifyingStore};
pub use standing::{BlockedBy, Now, Reason, Standing, Told};
