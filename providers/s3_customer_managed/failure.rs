//! What an SDK error means, told without its text: the SDK's own rendering can hold the raw reply.

use std::error::Error as StdError;

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use http_body_util::LengthLimitError;

use super::denial;
use crate::call::Call;
use crate::contract::{Effect, Error, Kind, cause};
use crate::endpoint::{ForbiddenEndpoint, place};
use crate::untrusted::Label;

/// Translates what the SDK says of a failed call.
pub(super) fn translate<E>(call: Call, action: String, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let (kind, effect, detail) = match error {
        _ if cause::<LengthLimitError>(error).is_some() => (Kind::VendorFault, Effect::Unknown, TOO_LONG.to_owned()),
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => from_reply(call, error),
        other => match cause::<ForbiddenEndpoint>(other) {
            Some(forbidden) => (Kind::ForbiddenEndpoint, Effect::None, forbidden.to_string()),
            None => from_transport(other),
        },
    };
    Error {
        kind,
        effect: if call.effect { effect } else { Effect::None },
        action: action.into(),
        call: call.name,
        code: error.code().and_then(Label::parse),
        request_id: error.request_id().and_then(Label::parse),
        detail: detail.into(),
    }
}

fn from_transport<E, R>(error: &SdkError<E, R>) -> (Kind, Effect, String) {
    let (effect, detail) = match error {
        SdkError::ConstructionFailure(_) => (Effect::None, "the request could not be built or signed"),
        SdkError::TimeoutError(_) => (Effect::Unknown, "no answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => (Effect::Unknown, "no answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_user() => (Effect::None, "the request could not be sent"),
        _ => (Effect::Unknown, "the vendor was not reached, or its answer was lost"),
    };
    (Kind::Unreachable, effect, detail.to_owned())
}

fn from_reply<E>(call: Call, error: &SdkError<E, HttpResponse>) -> (Kind, Effect, String)
where
    E: ProvideErrorMetadata,
{
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let code = error.code().unwrap_or_default();
    let denial = error.message().and_then(denial::told);
    let told = |kind, detail: &str| (kind, Effect::None, detail.to_owned());
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => (
            Kind::Denied {
                permission: call.name,
                grant: None,
                remedy: denial.map(|(_, remedy)| remedy),
            },
            Effect::None,
            match denial {
                Some((why, _)) => format!("{} is not allowed: {why}", call.name),
                None => format!("the permission {} is missing", call.name),
            },
        ),
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException" | "SlowDown" => {
            told(Kind::Throttled, "AWS asks to slow down")
        }
        "NoSuchEntity" => told(Kind::NotFound, "it does not exist"),
        "LimitExceeded" => told(Kind::Quota, "the user holds as many access keys as AWS allows"),
        "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException" => told(
            Kind::BadCredentials,
            "AWS does not know the access key, or it is inactive",
        ),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            told(Kind::Expired, "the session token has expired")
        }
        "RequestTimeTooSkewed" => told(Kind::ClockSkew, CLOCK),
        "SignatureDoesNotMatch" if is_about_time(error.message()) => told(Kind::ClockSkew, CLOCK),
        "SignatureDoesNotMatch" => told(Kind::BadCredentials, "the secret does not belong to the access key"),
        // S3 names a bucket's own region like this, and whoever asks for a bucket has looked for that before.
        "" if (300..400).contains(&status) => {
            let location = error
                .raw_response()
                .and_then(|response| response.headers().get("location"));
            let place = place(location.unwrap_or_default());
            (
                Kind::Redirected,
                Effect::Unknown,
                format!("the answer was a redirect to {place}; it was not followed, and nothing was sent there"),
            )
        }
        _ if status >= 500 => (
            Kind::VendorFault,
            Effect::Unknown,
            format!("AWS answered with HTTP status {status}"),
        ),
        "" => (
            Kind::Malformed,
            Effect::Unknown,
            format!("the answer could not be understood (HTTP status {status})"),
        ),
        _ => (
            Kind::VendorFault,
            Effect::None,
            format!("AWS refused the request with HTTP status {status}"),
        ),
    }
}

const TOO_LONG: &str =
    "the answer is longer than a megabyte, which no answer to this call is; it was not read to its end";

const CLOCK: &str = "this machine's clock and that of AWS differ by more than AWS allows";

/// IAM and STS report a wrong clock as a wrong signature; only the message tells them apart.
fn is_about_time(message: Option<&str>) -> bool {
    message.is_some_and(|text| text.contains("Signature expired") || text.contains("Signature not yet current"))
}

/// A list that is none.
pub(super) fn endless(call: Call, action: String, why: &str) -> Error {
    Error {
        kind: Kind::VendorFault,
        effect: Effect::None,
        action: action.into(),
        call: call.name,
        code: None,
        request_id: None,
        detail: format!("the list that AWS gave cannot be one: {why}").into(),
    }
}

/// An answer without what it is there for.
pub(super) fn incomplete(call: Call, action: String, what: &str) -> Error {
    not_understood(call, action, format!("the answer does not name {what}"))
}

/// An answer with something in it that cannot be what it is called. It is not repeated: it may be anything.
pub(super) fn malformed(call: Call, action: String, what: &str) -> Error {
    let detail = format!("the answer of AWS names {what} that is not of the form that AWS gives such names");
    not_understood(call, action, detail)
}

fn not_understood(call: Call, action: String, detail: String) -> Error {
    Error {
        kind: Kind::Malformed,
        effect: if call.effect { Effect::Unknown } else { Effect::None },
        action: action.into(),
        call: call.name,
        code: None,
        request_id: None,
        detail: detail.into(),
    }
}
