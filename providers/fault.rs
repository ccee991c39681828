//! What is wrong with the local configuration, before any call. Small, where the error that it becomes is not.

use crate::call::local;
use crate::contract::{Error, Kind};

/// What cannot be done, and why; nothing was called.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: Kind,
    action: &'static str,
    detail: String,
}

impl Fault {
    pub(crate) fn new(action: &'static str, detail: impl Into<String>) -> Self {
        Self::of(Kind::Configuration, action, detail)
    }

    pub(crate) fn of(kind: Kind, action: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, action, detail }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        local(fault.kind, fault.action, fault.detail)
    }
}
