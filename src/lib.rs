//! Rotates the keys behind a company's integrations without ever breaking them.
//!
//! # Theory of operation
//!
//! A *rotation* takes a target through fixed phases: a new key is created, proven, delivered; its consumers move; the old
//! key is disabled, rests, and is deleted. Everything that happened is an event in an append-only journal, and a rotation
//! is nothing but the fold of its events ([`machine`]). What comes next is decided by a pure function of that rotation,
//! of what was just read at the vendor, and of the time ([`policy`]). The [`engine`]'s driver is the only loop that acts: it
//! records an intent, makes one call, records the result. It may be killed anywhere; the next run replays the journal and
//! goes on. A dry run asks the same pure function ([`plan`]).
//!
//! What a configuration file ([`config`]) names is judged by its key's age, and rotated in time. What is seen of it in between is
//! journaled as well. Where only a person can act, the connector's guide leads through the same phases, and each step stands in the
//! same journal.
//!
//! A secret is in clear only on the wire, inside a [`seal`]er, and in the [`delivery`] destination that the user named.
//!
//! The rooms, in the order in which one may use the next: `cli`; `view` and `engine`; `machine`, `policy`, `plan`, `store`, `seal`,
//! `delivery` and `notify`; and the contract of the providers. `ARCHITECTURE.md` says what lives in each.

pub mod cli;
pub mod config;
pub mod delivery;
pub mod duration;
pub mod engine;
#[cfg(feature = "heartbeat")]
pub mod heartbeat;
pub mod hooks;
pub mod machine;
pub mod notify;
mod pattern;
pub mod plan;
pub mod policy;
pub mod private_file;
pub mod seal;
pub mod secret_scan;
pub mod state_folder;
pub mod store;
#[cfg(feature = "otlp")]
pub mod traces;
pub mod view;
