//! What a probe found. Every word of it is ours: an answer's own text is never kept.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::web::Unanswered;

/// The three verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The vendor let it in.
    Accepted,
    /// The vendor refused this credential.
    Rejected,
    /// Nothing is known of the credential.
    Inconclusive,
}

impl Verdict {
    /// Its name, in documents and in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// The class of the answer: `http-401`, `sqlstate-28P01`, `tls`, `time-out`. Letters, digits and hyphens.
    pub class: Cow<'static, str>,
    /// Why, as a fragment of our own words.
    pub reason: Cow<'static, str>,
    /// Whether a second try may find more: nothing was said about the credential, and nobody was counted as refused.
    pub may_be_repeated: bool,
    /// Whether a proxy stood between: then nobody here saw which address was called.
    pub through_proxy: bool,
}

/// Classes of tries that ended before anything of the secret was sent.
const UNSENT: [&str; 14] = [
    "address",
    "another-secret",
    "authorities",
    "client",
    "dns",
    "host",
    "input-missing",
    "no-probe",
    "no-tls",
    "private-address",
    "proxy",
    "secret",
    "secret-form",
    "tls",
];

impl Outcome {
    /// Whether something of the secret may have been sent in a try of this class.
    pub fn may_have_sent(class: &str) -> bool {
        !UNSENT.contains(&class)
    }

    /// The vendor let it in.
    pub fn accepted(class: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Verdict::Accepted, class.into(), reason.into())
    }

    /// The vendor refused this credential.
    pub fn rejected(class: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Verdict::Rejected, class.into(), reason.into())
    }

    /// Nothing is known of the credential.
    pub fn inconclusive(class: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Verdict::Inconclusive, class.into(), reason.into())
    }

    /// An inconclusive one after which a second try does no harm.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.may_be_repeated = self.verdict == Verdict::Inconclusive;
        self
    }

    /// A verdict of this class.
    pub fn of(verdict: Verdict, class: Cow<'static, str>, reason: Cow<'static, str>) -> Self {
        Self {
            verdict,
            class,
            reason,
            may_be_repeated: false,
            through_proxy: false,
        }
    }
}

impl From<Unanswered> for Outcome {
    fn from(unanswered: Unanswered) -> Self {
        let reason = match unanswered.class {
            "private-address" => format!("{}; if that is right, add --allow-private", unanswered.why).into(),
            _ => unanswered.why,
        };
        Self {
            may_be_repeated: unanswered.may_be_repeated,
            through_proxy: unanswered.through_proxy,
            ..Self::inconclusive(unanswered.class, reason)
        }
    }
}
