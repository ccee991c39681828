//! What an error of the Snowflake client means, told in our own words: its text can quote replies.

use std::error::Error as _;

use snowflake_connector_rs::{Error as ClientError, ErrorKind};

use super::asked::Asked;
use super::channel::Failed;
use super::guard::{LONGEST_ANSWER, NoTunnel, Stopped, refused_place};
use super::refusal::Refusal;
use crate::call::Call;
use crate::contract::{Effect, Error, Kind};
use crate::untrusted::Label;

/// A login that failed.
#[derive(Clone)]
pub(super) struct NoLogin {
    pub(super) error: Error,
    /// Whether another try may be let in although nobody has done anything: not past a policy, for one.
    pub(super) heals_with_time: bool,
}

impl From<Error> for NoLogin {
    /// Trouble on the way passes.
    fn from(error: Error) -> Self {
        Self {
            error,
            heals_with_time: true,
        }
    }
}

/// Translates a failed login.
pub(super) fn of_login(call: Call, action: String, failed: &Failed, asked: &Asked<'_>) -> NoLogin {
    let error = match failed {
        Failed::Client(error) => error,
        unanswered => return unanswered_by_vendor(call, action, unanswered, asked).into(),
    };
    let (refusal, code) = match (error.kind(), error.snowflake_message()) {
        (ErrorKind::Auth, Some(message)) => Refusal::of(message),
        (ErrorKind::Auth, None) => return local(Kind::Configuration, call, action, "the private key cannot be used"),
        _ => {
            let (kind, detail) = of_transport(error, asked);
            return local(kind, call, action, &detail);
        }
    };
    let error = Error {
        kind: refusal.kind(),
        effect: Effect::None,
        action: action.into(),
        call: call.name,
        code: code.and_then(Label::parse),
        request_id: error.snowflake_message().and_then(incident),
        detail: refusal.told(asked).into(),
    };
    NoLogin {
        error,
        heals_with_time: refusal.heals_with_time(),
    }
}

/// A login that Snowflake has not refused.
fn local(kind: Kind, call: Call, action: String, detail: &str) -> NoLogin {
    NoLogin::from(Error {
        kind,
        effect: Effect::None,
        action: action.into(),
        call: call.name,
        code: None,
        request_id: None,
        detail: detail.into(),
    })
}

/// The number under which an administrator finds the reason: `SYSTEM$GET_LOGIN_FAILURE_DETAILS`.
fn incident(message: &str) -> Option<Label> {
    let (_, rest) = message.rsplit_once('[')?;
    let (id, _) = rest.split_once(']')?;
    Label::uuid(id)
}

fn is_code(code: &str) -> bool {
    code.len() == 6 && code.chars().all(|c| c.is_ascii_digit())
}

/// Translates a failed statement.
pub(super) fn of_statement(call: Call, action: String, failed: &Failed, asked: &Asked<'_>) -> Error {
    let error = match failed {
        Failed::Client(error) => error,
        unanswered => return unanswered_by_vendor(call, action, unanswered, asked),
    };
    let code = error.snowflake_code().filter(|code| is_code(code)).map(str::to_owned);
    let (kind, effect, detail) = match (error.kind(), code.as_deref()) {
        (ErrorKind::Server, Some("003001")) => (
            Kind::Denied {
                permission: call.name,
                grant: None,
                remedy: None,
            },
            Effect::None,
            match asked.role {
                Some(role) => format!("role {role} lacks the privilege"),
                None => format!("the role of {} lacks the privilege", asked.user),
            },
        ),
        (ErrorKind::Server, Some("002003")) => (
            Kind::NotFound,
            Effect::None,
            "it does not exist, or this role may not see it".to_owned(),
        ),
        // The client knows one of the codes by which a session ends.
        (ErrorKind::SessionExpired, _) | (ErrorKind::Server, Some("390104" | "390111" | "390114")) => {
            (Kind::Expired, Effect::None, "the session has expired".to_owned())
        }
        (ErrorKind::Server | ErrorKind::Cancelled, _) => (
            Kind::Refused,
            Effect::None,
            "Snowflake refused the statement".to_owned(),
        ),
        _ => {
            let (kind, detail) = of_transport(error, asked);
            let effect = match kind {
                Kind::Throttled | Kind::Configuration => Effect::None,
                _ => Effect::Unknown,
            };
            (kind, effect, detail)
        }
    };
    Error {
        kind,
        effect: if call.effect { effect } else { Effect::None },
        action: action.into(),
        call: call.name,
        code: code.as_deref().and_then(Label::parse),
        request_id: error.query_id().and_then(Label::uuid),
        detail: detail.into(),
    }
}

/// Names the grant, where a privilege is missing, and where it may be: of what a role may not see, Snowflake says that it
/// does not exist.
pub(super) fn with_grant(error: Error, grant: &str) -> Error {
    match error.kind {
        Kind::Denied { permission, .. } => Error {
            kind: Kind::Denied {
                permission,
                grant: Some(grant.to_owned()),
                remedy: None,
            },
            ..error
        },
        // With a code it is Snowflake's own answer to the statement.
        Kind::NotFound if error.code.is_some() => Error {
            detail: format!(
                "{}; if it does exist, have an administrator grant: {grant}",
                error.detail
            )
            .into(),
            ..error
        },
        _ => error,
    }
}

fn of_transport(error: &ClientError, asked: &Asked<'_>) -> (Kind, String) {
    let (account, host) = (asked.account, asked.host);
    let told = |kind, detail: String| (kind, detail);
    match error.kind() {
        ErrorKind::Network if is_redirect(error) => told(Kind::Redirected, redirected_nowhere(asked)),
        ErrorKind::Network if let Some(place) = refused_place(&error.to_string()) => {
            told(Kind::Redirected, redirected(asked, &place))
        }
        ErrorKind::Network => match http_status(error) {
            Some(404) => told(
                Kind::Configuration,
                format!(
                    "there is no account {account} at {host} (HTTP status 404); it was found in {}: set it right there, or give \
                     another one with --account",
                    asked.found_in
                ),
            ),
            Some(300..=399) => told(Kind::Redirected, redirected_nowhere(asked)),
            Some(403) => told(
                Kind::Refused,
                format!(
                    "{host} refuses the request (HTTP status 403): there may be no account {account}, or a proxy or a \
                     network policy stands between"
                ),
            ),
            Some(429) => told(Kind::Throttled, "Snowflake asks to slow down".to_owned()),
            Some(status) => told(Kind::VendorFault, format!("{host} answered with HTTP status {status}")),
            None => told(
                Kind::Unreachable,
                format!("{host} of account {account} was not reached, or its answer was lost"),
            ),
        },
        ErrorKind::Timeout => told(Kind::TimedOut, format!("no answer from {host} in time")),
        ErrorKind::Config if error.to_string().starts_with("HTTP client build") => told(
            Kind::Configuration,
            "no HTTPS client could be made on this machine; are certificates of authorities installed (ca-certificates)?"
                .to_owned(),
        ),
        ErrorKind::Config => told(Kind::Configuration, format!("{host} cannot be used as an address")),
        _ => told(Kind::Malformed, format!("the answer of {host} could not be understood")),
    }
}

/// The client follows no redirect to anything but http and https, nor ten in a row, and says so at the root of its error.
fn is_redirect(error: &ClientError) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if text.starts_with("error following redirect") || text == "URL scheme is not allowed" {
            return true;
        }
        source = cause.source();
    }
    false
}

/// The client gives the status nowhere but at the beginning of its text.
fn http_status(error: &ClientError) -> Option<u16> {
    let text = error.to_string();
    text.strip_prefix("HTTP ")?.split([':', ' ']).next()?.parse().ok()
}

/// The client has nothing to say of the answer: there was none in time, or it was stopped.
fn unanswered_by_vendor(call: Call, action: String, failed: &Failed, asked: &Asked<'_>) -> Error {
    let (host, account) = (asked.host, asked.account);
    let (kind, is_sent, detail) = match failed {
        Failed::Late => (
            Kind::TimedOut,
            true,
            format!("no answer from {host} of account {account} in time"),
        ),
        Failed::Stopped(Stopped::Redirect(place)) => (Kind::Redirected, true, redirected(asked, place)),
        Failed::Stopped(Stopped::Endless) => (Kind::VendorFault, true, too_long(host)),
        Failed::Stopped(Stopped::Unserved) => (
            Kind::Configuration,
            true,
            "this process has no file descriptor left to call Snowflake with (ulimit -n)".to_owned(),
        ),
        Failed::Stopped(Stopped::Proxy { address, why }) => match why {
            NoTunnel::Login => (
                Kind::Configuration,
                false,
                format!(
                    "the proxy {address} asks for a user and a password, or does not accept those that it was given; they stand \
                     in the address: HTTPS_PROXY=http://USER:PASSWORD@{address}"
                ),
            ),
            NoTunnel::Refused => (
                Kind::Unreachable,
                false,
                format!("{host} of account {account} was not reached: the proxy {address} does not answer, or refuses"),
            ),
            NoTunnel::Scheme => (
                Kind::Configuration,
                false,
                format!("the proxy {address} is not one that rotate can use: it takes http:// and https:// ones"),
            ),
        },
        Failed::Client(_) | Failed::TooMuch => (Kind::Malformed, true, too_much(host)),
        Failed::Unguarded => (
            Kind::Configuration,
            false,
            "no port of the loopback interface could be opened, through which rotate calls Snowflake".to_owned(),
        ),
    };
    Error {
        kind,
        effect: if call.effect && is_sent {
            Effect::Unknown
        } else {
            Effect::None
        },
        action: action.into(),
        call: call.name,
        code: None,
        request_id: None,
        detail: detail.into(),
    }
}

fn redirected(asked: &Asked<'_>, place: &str) -> String {
    let (host, account) = (asked.host, asked.account);
    format!(
        "{host} of account {account} answered with a redirect to {place}; it was refused, and nothing was sent there"
    )
}

/// Where it leads is no address, or was none that the client takes for one.
fn redirected_nowhere(asked: &Asked<'_>) -> String {
    let (host, account) = (asked.host, asked.account);
    format!(
        "{host} of account {account} answered with a redirect that leads nowhere; it was refused, and nothing was sent"
    )
}

fn too_long(host: &str) -> String {
    let longest = LONGEST_ANSWER >> 10;
    format!(
        "the answer of {host} is longer than {longest} KiB, which no answer to this call is; it was not read to its end"
    )
}

fn too_much(host: &str) -> String {
    format!(
        "the answer of {host} has more rows than were asked for, or would have to be fetched in parts; it was not used"
    )
}

/// An answer without what it is there for.
pub(super) fn incomplete(call: Call, action: String, what: &str) -> Error {
    Error {
        kind: Kind::Malformed,
        effect: Effect::None,
        action: action.into(),
        call: call.name,
        code: None,
        request_id: None,
        detail: format!("the answer does not name {what}").into(),
    }
}
