//! What the stores of AWS have in common: who logs in, where they are, what their refusals mean, and what would allow a call.

mod grant;

use rotate_providers::contract::{Error, Kind};
use rotate_providers::form::SecretForm;
use rotate_providers::s3_customer_managed::Login;

use super::fault::Answer;
use super::fields::Mapping;
use super::object::Shape;
use super::options::Options;
use super::{Fault, Occupied};

pub(super) use super::remote::{overtaken, passing, unfit};
pub(super) use grant::Permissions;

/// Who logs in, as the options have it: `profile=…&role=…&external_id=…&region=…`.
pub(super) fn login(options: &mut Options, region_of_place: Option<String>) -> Login {
    Login {
        profile: options.take("profile"),
        assume_role: options.take("role"),
        external_id: options.take("external_id"),
        region: options.take("region").or(region_of_place),
    }
}

/// How our fields stand there: as members of an object, or with `plain=FIELD` that one alone.
pub(super) fn shape(form: SecretForm, options: &mut Options) -> Result<Shape, Fault> {
    match options.take("plain") {
        Some(field) => match form.field(&field) {
            Some(field) => Ok(Shape::Plain(field.name)),
            None => Err(Fault::Option("plain".to_owned(), "the secret has no such field")),
        },
        None => Ok(Shape::Members(Mapping::read(form, options)?)),
    }
}

/// Where this is, as far as that is said: the name in the store, whose credentials lead there, region and account.
pub(super) fn place(name: &str, login: &Login, account: Option<&str>) -> String {
    let whose = |part: &Option<String>| part.clone().unwrap_or_default();
    let known = |part: Option<&str>| part.unwrap_or(Occupied::ANY).to_owned();
    let parts = [
        name.to_owned(),
        whose(&login.profile),
        whose(&login.assume_role),
        known(login.region.as_deref()),
        known(account),
    ];
    parts.join("\t")
}

/// What a refusal means in whichever store. Its own words are not repeated: they may have what was sent in them.
pub(super) fn refusal(call: &str, code: &str, message: Option<&str>, permissions: &Permissions) -> Fault {
    match code {
        "AccessDeniedException" => Fault::Store {
            kind: Answer::Denied,
            what: format!("{call} is not allowed to these credentials"),
            remedy: permissions.remedy(message),
        },
        "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidSignatureException" => Fault::Store {
            kind: Answer::Denied,
            what: format!("{call}: the credentials are not accepted ({code})"),
            remedy: "log in again, or name others: ?profile=NAME".to_owned(),
        },
        "ThrottlingException"
        | "InternalServiceError"
        | "InternalServerError"
        | "InternalFailure"
        | "ServiceUnavailable" => passing(format!("{call}: {code}")),
        _ => unfit(
            format!("{call}: {code}"),
            "see what the store says of it, or deliver elsewhere",
        ),
    }
}

/// The same name leads to another thing than when the rotation was opened.
pub(super) fn elsewhere(now: &str, then: &str) -> Fault {
    unfit(
        format!("it is {now} now, and was {then} when the rotation was opened"),
        "find out who has replaced it, or whose credentials these are",
    )
}

/// The version that has to be put back is kept no more.
pub(super) fn version_is_gone(which: &str) -> Fault {
    unfit(
        format!("what it held before the new key is kept no more ({which})"),
        "write the old secret there yourself, then end it with --force",
    )
}

/// Nobody could log in.
pub(super) fn no_login(error: &Error) -> Fault {
    let kind = match error.kind {
        Kind::Unreachable | Kind::Throttled => Answer::Passing,
        _ => Answer::Denied,
    };
    Fault::Store {
        kind,
        what: format!("failed to {error}"),
        remedy: "give credentials as for every AWS tool, or name a profile: ?profile=NAME".to_owned(),
    }
}
