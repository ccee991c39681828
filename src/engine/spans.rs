//! What a target's turn consists of, as spans.

use tracing::Span;
use tracing::field::Empty;

use super::error::DriveError;
use crate::delivery::{Answer, DeliveryError, Fault};

/// The turn of a target, of whatever connector that is known to be.
pub fn turn_span(target: &str, connector: Option<&str>) -> Span {
    tracing::info_span!(
        "turn",
        otel.status_code = Empty,
        rotate.target = target,
        rotate.connector = connector,
        error.type = Empty,
    )
}

/// A step of a rotation, which stands in this phase.
pub(super) fn step(name: &'static str, rotation: &str, phase: &'static str) -> Span {
    tracing::info_span!(
        "step",
        otel.name = name,
        otel.status_code = Empty,
        rotate.step = name,
        rotate.rotation = rotation,
        rotate.phase = phase,
        error.type = Empty,
    )
}

/// What is done with a destination.
pub(super) fn at_destination(what: &'static str, destination: &str) -> Span {
    tracing::info_span!(
        "destination",
        otel.name = what,
        otel.status_code = Empty,
        rotate.destination = destination,
        error.type = Empty,
    )
}

impl DriveError {
    /// What kind of error it is, in a word that stays.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Provider(error) => error.kind.name(),
            Self::Store(_) => "journal",
            Self::Seal(_) => "seal",
            Self::Delivery(error) => class_of(error),
            Self::Hook(_) => "hook",
            Self::Illegal(_) => "illegal",
            Self::Refused(refusal) if refusal.blocked => "blocked",
            Self::Refused(_) => "not-begun",
            Self::Useless(_) | Self::NotWithdrawn(..) => "new-key-useless",
            Self::Inconclusive(_) => "inconclusive",
            Self::NotTaken => "not-taken",
            Self::Lagging => "lagging",
            Self::Slow => "journal-slow",
            Self::SecretMissing => "secret-missing",
            Self::UnknownConnector(_) => "unknown-connector",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The same of a delivery.
pub(super) fn class_of(error: &DeliveryError) -> &'static str {
    match &error.fault {
        Fault::Store { kind, .. } => match kind {
            Answer::Passing => "store-passing",
            Answer::Denied => "store-denied",
            _ => "store",
        },
        Fault::Program(_) => "program",
        Fault::File(_) | Fault::Exists(_) | Fault::Moved => "file",
        Fault::ReadBack => "read-back",
        _ => "destination",
    }
}
