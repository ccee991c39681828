//! A call to a vendor that did not work: what is known of its effect, what a remedy depends on, and our own words for it.

use std::error::Error as StdError;
use std::{fmt, io};

use crate::untrusted::{Label, Sanitized};

/// What is known of an effect after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing happened at the vendor.
    None,
    /// It happened, or it may have: list the keys before deciding.
    Unknown,
}

/// What went wrong, as far as a remedy differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The connector's inputs or the local configuration do not work.
    Configuration,
    /// No credentials of our own were found.
    NoCredentials,
    /// Our own credentials are wrong.
    BadCredentials,
    /// Our own credentials have expired.
    Expired,
    /// Our clock and the vendor's differ too much.
    ClockSkew,
    /// We lack this permission.
    Denied {
        /// The permission, as the vendor names it.
        permission: &'static str,
        /// The vendor's own command that gives it, where there is one.
        grant: Option<String>,
        /// What helps, where the vendor has said which of its policies is in the way.
        remedy: Option<&'static str>,
    },
    /// The thing we asked about does not exist.
    NotFound,
    /// The vendor's limit is reached.
    Quota,
    /// The vendor refuses, for a reason that says nothing of the credentials: a network policy, a second factor, a lock.
    Refused,
    /// The vendor asks us to slow down; nothing happened.
    Throttled,
    /// The vendor was not reached, or its answer was lost.
    Unreachable,
    /// The vendor did not answer in the time that it was given; waiting once more is no use.
    TimedOut,
    /// The vendor failed.
    VendorFault,
    /// The vendor's answer could not be understood.
    Malformed,
    /// The endpoint is neither https nor loopback.
    ForbiddenEndpoint,
    /// The answer leads to another place. Nothing was sent there.
    Redirected,
}

impl Kind {
    /// Its name, which stays what it is.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::NoCredentials => "no-credentials",
            Self::BadCredentials => "bad-credentials",
            Self::Expired => "expired",
            Self::ClockSkew => "clock-skew",
            Self::Denied { .. } => "denied",
            Self::NotFound => "not-found",
            Self::Quota => "quota",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::VendorFault => "vendor-fault",
            Self::Malformed => "malformed",
            Self::ForbiddenEndpoint => "forbidden-endpoint",
            Self::Redirected => "redirected",
        }
    }
}

/// A call to the vendor that did not work. Holds nothing of the reply but its code and request id.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Error {
    /// What went wrong.
    pub kind: Kind,
    /// What is known of the effect.
    pub effect: Effect,
    /// What was tried, as a fragment that follows "failed to": `list the access keys of user u`.
    pub action: Sanitized,
    /// The call at the vendor: `iam:ListAccessKeys`.
    pub call: &'static str,
    /// The vendor's own error code.
    pub code: Option<Label>,
    /// The vendor's name for the request.
    pub request_id: Option<Label>,
    /// Our own words for what happened, as a fragment.
    pub detail: Sanitized,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({}", self.action, self.detail, self.call)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

/// The cause of this type, however deep it lies.
pub fn cause<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    // No chain of causes is that long; one that leads back to itself would be walked for ever.
    for _ in 0..16 {
        let here = next?;
        if let Some(found) = here.downcast_ref::<T>() {
            return Some(found);
        }
        let inside = here.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inside
            .map(|inside| inside as &(dyn StdError + 'static))
            .or_else(|| here.source());
    }
    None
}
