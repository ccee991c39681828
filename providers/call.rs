//! One call to a vendor, as errors and retries see it, and errors that never reached one.

use tracing::Span;
use tracing::field::Empty;

use crate::error::{Effect, Error, Kind};
use crate::trace;

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

    /// Makes it, once, within its span.
    pub(crate) fn traced<T>(
        self,
        made: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        trace::traced(self.span(), made, |error: &Error| error.kind.name())
    }

    /// The span of one try.
    pub(crate) fn span(self) -> Span {
        tracing::info_span!(
            "call",
            otel.name = self.name,
            otel.kind = "client",
            otel.status_code = Empty,
            rotate.call = self.name,
            rotate.call.effect = self.effect,
            error.type = Empty,
        )
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
