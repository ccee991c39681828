//! How a request leaves this machine: to a host that was looked at, by addresses that were looked at, with a secret that no
//! diagnostics show. It goes nowhere else than it was sent, is sent once, and no more of its answer is read than there can be.
//!
//! Whoever calls one host says so with a [`Request`] over a [`Network`]; a store that is called many times has a [`client`] of its own.

mod address;
mod client;
mod hidden;
mod network;
mod request;
mod span;

use std::borrow::Cow;

pub use client::{Broken, body, client};
pub use hidden::{hidden_body, hidden_header};
pub use network::{Host, Network};
pub use request::{Body, Reply, Request, form};
pub use span::{answered, of_request, sent};

pub(crate) use request::{connection_failed, tls_failed};

/// Why there is no answer that counts. Every word of it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Its class: `tls`, `time-out`, `private-address`. Letters, digits and hyphens.
    pub class: &'static str,
    /// Why, as a fragment.
    pub why: Cow<'static, str>,
    /// Whether a second try may find more.
    pub may_be_repeated: bool,
    /// Whether a proxy stood between: then nobody here saw which address was called.
    pub through_proxy: bool,
}

impl Unanswered {
    fn new(class: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            class,
            why: why.into(),
            may_be_repeated: false,
            through_proxy: false,
        }
    }

    fn repeatable(mut self) -> Self {
        self.may_be_repeated = true;
        self
    }
}
