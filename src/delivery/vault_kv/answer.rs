//! What the store's answers mean. Its own words are not repeated: they may have what was sent in them.

use rotate_providers::endpoint::place;

use super::faults::{denied, passing, unfit};
use super::wire::{Call, Reply};
use crate::delivery::Fault;
use crate::delivery::fault::Answer;

const DOOR: &str = "see what VAULT_ADDR or address= leads to";

/// An answer that is none to go on with.
pub(super) fn refused(call: &Call<'_>, reply: &Reply, address: &str) -> Fault {
    let (verb, path, status) = (call.verb, call.path, reply.status);
    match status {
        503 if reply.says("sealed") => Fault::Store {
            kind: Answer::Passing,
            what: format!("the store at {address} is sealed, and can neither be read nor written"),
            remedy: "have it unsealed (vault operator unseal), then run the same command again".to_owned(),
        },
        300..400 => {
            let to = reply.leads_to.as_deref().map(place);
            unfit(
                format!(
                    "{address} sends its callers to {}, and no token is sent where an answer leads",
                    to.as_deref().unwrap_or("another place")
                ),
                "a standby does so: name the active server, or what stands before them all, with VAULT_ADDR or address=",
            )
        }
        429 => passing(format!("{address} has had too many calls ({verb} {path})")),
        412 | 472 | 473 | 500..600 => passing(format!("{address} cannot {verb} {path} now (HTTP {status})")),
        405 => unfit(
            format!("what is mounted there cannot {verb} {path} (HTTP {status})"),
            "deliver to a key-value store of version 2",
        ),
        404 => unfit(
            format!("{address} cannot {verb} {path} (HTTP 404), which is no answer of a mount that has no such secret"),
            "see whether the mount is still there (vault secrets list), and what VAULT_ADDR or address= leads to",
        ),
        _ => unfit(format!("{address} does not {verb} {path} (HTTP {status})"), DOOR),
    }
}

/// Nobody could log in.
pub(super) fn no_login(call: &Call<'_>, reply: &Reply, address: &str) -> Fault {
    match reply.status {
        400 | 401 | 403 | 404 => denied(
            format!(
                "the login at {} of {address} is refused (HTTP {})",
                call.path, reply.status
            ),
            "see the role, and whether its secret id or the service account's token has expired; auth_mount= names another mount",
        ),
        _ => refused(call, reply, address),
    }
}
