//! The kinds of what a cluster may refuse, for whoever says why.

use std::error::Error as StdError;

use super::place::Place;
use crate::delivery::Fault;
use crate::delivery::fault::Answer;

pub(super) use crate::delivery::remote::{passing, unfit};

/// Errors that hold each other are not followed further.
const DEEPEST: usize = 16;

/// No answer came. A certificate that nobody vouches for is no better in a minute.
pub(super) fn unreachable(error: &kube::Error) -> Fault {
    let mut next: Option<&dyn StdError> = Some(error);
    for _ in 0..DEEPEST {
        let Some(error) = next else {
            break;
        };
        // The library has no type for it that could be asked. Its words are looked at, and not shown.
        if error.to_string().contains("certificate") {
            return unfit(
                "its certificate is not one that this machine, or the kubeconfig, trusts".to_owned(),
                "give the cluster the right certificate-authority-data in the kubeconfig",
            );
        }
        next = error.source();
    }
    passing("the cluster cannot be reached, or breaks off".to_owned())
}

/// Our keys are not as they were when the rotation began.
pub(super) fn changed_meanwhile(place: &Place) -> Fault {
    let Place { namespace, secret, .. } = place;
    Fault::Store {
        kind: Answer::Changed,
        what: "somebody else has written to the very keys meanwhile, and was left alone".to_owned(),
        remedy: format!(
            "see who: kubectl -n {namespace} get secret {secret} --show-managed-fields -o yaml; the same command again writes over it"
        ),
    }
}

/// No write of ours was the next one.
pub(super) fn overtaken() -> Fault {
    Fault::Store {
        kind: Answer::Passing,
        what: "the server did not say that it has written, or somebody else was first each time".to_owned(),
        remedy: "stop whoever else writes there, then run the same command again".to_owned(),
    }
}
