//! What is wrong with the local configuration, before any call.

use crate::call::configuration;
use crate::contract::Error;

/// What cannot be done, and why; nothing was called.
#[derive(Debug)]
pub(super) struct Fault {
    action: &'static str,
    detail: String,
}

impl Fault {
    pub(super) fn new(action: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { action, detail }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        configuration(fault.action, fault.detail)
    }
}
