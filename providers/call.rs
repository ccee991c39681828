//! One call to a vendor, as errors and retries see it, and errors that never reached one.

use crate::error::{Effect, Error, Kind};

/// One call, as errors name it.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// `iam:CreateAccessKey`: the permission and the call are the same word at AWS.
    pub(crate) name: &'static str,
    /// Whether it changes anything at the vendor.
    pub(crate) effect: bool,
    /// Whether a second one does no harm.
    pub(crate) repeatable: bool,
}

impl Call {
    pub(crate) const fn read(name: &'static str) -> Self {
        Self {
            name,
            effect: false,
            repeatable: true,
        }
    }

    pub(crate) const fn effect(name: &'static str) -> Self {
        Self {
            name,
            effect: true,
            repeatable: true,
        }
    }

    pub(crate) const fn effect_once(name: &'static str) -> Self {
        Self {
            name,
            effect: true,
            repeatable: false,
        }
    }
}

/// An error that never reached a vendor.
pub(crate) fn configuration(action: &str, detail: String) -> Error {
    local(Kind::Configuration, action, detail)
}

/// An error of this kind that never reached a vendor.
pub(crate) fn local(kind: Kind, action: &str, detail: String) -> Error {
    Error {
        kind,
        effect: Effect::None,
        action: action.into(),
        call: "before any call",
        code: None,
        request_id: None,
        detail: detail.into(),
    }
}
