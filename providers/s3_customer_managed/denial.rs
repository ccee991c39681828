//! Which policy denies: AWS says it in its message, each kind in its own words.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>.

/// What a message of AWS says of a denial, what it means, and what helps.
type Denial = (&'static str, &'static str, &'static str);

const DENIALS: [Denial; 12] = [
    (
        "explicit deny in an identity-based policy",
        "a policy of the caller denies it",
        "take the Deny away from the caller's policies, or run as someone else",
    ),
    (
        "explicit deny in a resource-based policy",
        "the policy of what is asked for denies it",
        "have that policy let the caller in; it may ask for a network or an account",
    ),
    (
        "explicit deny in a permissions boundary",
        "the caller's permissions boundary denies it",
        "have whoever set the caller's permissions boundary take the Deny away, or run as someone else",
    ),
    (
        "explicit deny in a session policy",
        "the policy of the caller's session denies it",
        "assume the role without that session policy",
    ),
    (
        "explicit deny in a service control policy",
        "a service control policy of the organisation denies it",
        "ask whoever manages the organisation's policies: nothing in this account allows it",
    ),
    (
        "explicit deny in a resource control policy",
        "a resource control policy of the organisation denies it",
        "ask whoever manages the organisation's policies: nothing in this account allows it",
    ),
    (
        "explicit deny in a vpc endpoint policy",
        "the policy of the VPC endpoint denies it",
        "have the policy of the VPC endpoint allow it, or call from elsewhere",
    ),
    (
        "no permissions boundary allows",
        "the caller's permissions boundary does not allow it",
        "have whoever set the caller's permissions boundary allow it, or run as someone else",
    ),
    (
        "no session policy allows",
        "the policy of the caller's session does not allow it",
        "assume the role with a session policy that allows it, or without one",
    ),
    (
        "no service control policy allows",
        "no service control policy of the organisation allows it",
        "ask whoever manages the organisation's policies: nothing in this account allows it",
    ),
    (
        "no vpc endpoint policy allows",
        "the policy of the VPC endpoint does not allow it",
        "have the policy of the VPC endpoint allow it, or call from elsewhere",
    ),
    (
        "no resource-based policy allows",
        "the policy of what is asked for does not allow it",
        "have that policy let the caller in",
    ),
];

/// What this message says of a denial, as a fragment, and what helps; `None` where it names no policy, or says that nobody has
/// allowed the call.
pub(super) fn told(message: &str) -> Option<(&'static str, &'static str)> {
    let message = message.to_ascii_lowercase();
    let known = DENIALS.into_iter().find(|(phrase, ..)| message.contains(phrase));
    known.map(|(_, why, remedy)| (why, remedy))
}

/// Whether the policy of a bucket denies, which it may do to all networks but one.
pub(super) fn is_by_the_bucket(message: &str) -> bool {
    message.contains("with an explicit deny in a resource-based policy")
}
