//! Why each call of a whole rotation is made: what a bench counts, a test holds against the calls really made, and
//! docs/figures.md shows. Whoever adds a call gives its reason here.

/// One call to a vendor.
pub(crate) struct Reason {
    /// Calls of one step are made side by side; the steps are the critical path.
    pub(crate) step: u32,
    /// The call, as the vendor names it.
    pub(crate) call: &'static str,
    /// Who makes it.
    pub(crate) with: With,
    /// What would not be known or done without it.
    pub(crate) why: &'static str,
}

/// Whose credentials a call is made with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum With {
    /// The administrator's.
    Administrator,
    /// The new key itself.
    NewKey,
}

impl With {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::NewKey => "new key",
        }
    }
}

/// How many steps follow upon each other.
pub(crate) fn steps(reasons: &[Reason]) -> u32 {
    reasons.iter().map(|reason| reason.step).max().unwrap_or(0)
}

const fn administrator(step: u32, call: &'static str, why: &'static str) -> Reason {
    Reason {
        step,
        call,
        with: With::Administrator,
        why,
    }
}

const fn new_key(step: u32, call: &'static str, why: &'static str) -> Reason {
    Reason {
        step,
        call,
        with: With::NewKey,
        why,
    }
}

/// An access key of AWS: immediate cut-over, no soak, nothing lags.
pub(crate) const AWS: &[Reason] = &[
    administrator(
        1,
        "iam:GetUser",
        "the user's immutable id: a name may have been given to someone else",
    ),
    administrator(
        1,
        "iam:ListAccessKeys",
        "which key is to go, whether there is room for another one, and AWS's own time: a lost key is told from others by it",
    ),
    administrator(
        2,
        "sts:GetCallerIdentity",
        "in which account, and as whom: said, and looked at, before a key is made",
    ),
    administrator(
        2,
        "s3:ListObjectsV2",
        "whether the bucket exists: else the new key could not be proven",
    ),
    administrator(
        3,
        "iam:SimulatePrincipalPolicy",
        "whether every later call is allowed: no rotation is begun that cannot be finished or undone",
    ),
    administrator(4, "iam:CreateAccessKey", "the new key: sent once, never repeated"),
    new_key(
        5,
        "sts:GetCallerIdentity",
        "whose key it is: it has to be this very user's",
    ),
    new_key(
        6,
        "s3:ListObjectsV2",
        "that it has the permission that its consumer needs",
    ),
    new_key(
        7,
        "s3:ListObjectsV2",
        "the same in a row: one of AWS's machines may know a fresh key, and the next not yet",
    ),
    administrator(
        8,
        "iam:ListAccessKeys",
        "the reading right before the disabling: the new key is listed, and active",
    ),
    administrator(
        8,
        "iam:GetAccessKeyLastUsed",
        "that nobody has used the old key since the cut-over",
    ),
    administrator(9, "iam:UpdateAccessKey", "the old key is disabled"),
    new_key(
        10,
        "s3:ListObjectsV2",
        "that the new key works without the old one: else the old one comes back",
    ),
    administrator(
        10,
        "iam:ListAccessKeys",
        "that the old key is off, that no stranger's key is there, and the reading right before the deletion",
    ),
    administrator(11, "iam:DeleteAccessKey", "the old key is deleted"),
    administrator(12, "iam:ListAccessKeys", "that it is gone"),
];

/// A key pair of Snowflake, in the same way.
pub(crate) const SNOWFLAKE: &[Reason] = &[
    administrator(1, "login", "one session serves all of the administrator's statements"),
    administrator(
        2,
        "SELECT CURRENT_USER()",
        "in which account, as whom and in which role: said, and looked at, before a key is made",
    ),
    administrator(2, "DESC USER", "which key is to go, and what the user logs in as"),
    administrator(
        3,
        "SELECT CURRENT_TIMESTAMP()",
        "whether the clocks agree: else the new key's logins would be refused",
    ),
    administrator(
        4,
        "DESC USER",
        "the reading right before the setting: a slot is filled only where it is free",
    ),
    administrator(5, "ALTER USER SET", "the new key"),
    administrator(
        6,
        "DESC USER",
        "that the fingerprint in the slot is ours, and the new key listed before the old one goes",
    ),
    new_key(7, "login", "that the new key is accepted"),
    new_key(
        8,
        "SELECT CURRENT_USER()",
        "as whom it logs in: asked once, for a key never changes its user",
    ),
    new_key(
        9,
        "login",
        "the same in a row: one of Snowflake's machines may know a fresh key, and the next not yet",
    ),
    new_key(
        10,
        "login",
        "a proof from after the cut-over: a key that can only be removed is not switched on again within a second",
    ),
    administrator(
        10,
        "SHOW USER KEY PAIRS",
        "that nobody has used the old key since the cut-over",
    ),
    administrator(
        11,
        "DESC USER",
        "the reading right before the removal: a slot is emptied only while it holds that very key",
    ),
    administrator(12, "ALTER USER UNSET", "the old key is removed"),
    new_key(
        13,
        "login",
        "that the new key works without the old one: else the old one is set again",
    ),
    administrator(13, "DESC USER", "that the old key is gone, and no stranger's key there"),
];
