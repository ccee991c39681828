//! The kinds of what a cluster may refuse, for whoever says why.

use std::error::Error as StdError;

use crate::delivery::Fault;

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
