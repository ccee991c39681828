//! Credentials that are tried: what a vendor's answer is taken for, where a credential is sent and where never, what is kept of it,
//! and what waits for it.
//!
//! Leans on one vendor that answers as it is told, behind a proxy that ends TLS: the program calls the vendors' own hosts.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that cannot work must stop its test"
)]

mod access_keys;
mod answers;
mod bad_secret;
mod changing_names;
mod clients;
mod desk;
mod fleet;
mod lockout;
mod other_ways;
mod reached;
mod remedies;
mod rotation;
mod shared_tries;
mod typed;
mod wiped;
