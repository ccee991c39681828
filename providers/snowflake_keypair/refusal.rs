//! Why Snowflake refuses a login: a closed list. The client passes on what Snowflake says and not its code, so each reason
//! is known by its phrase, and a code is told only where it is on record that this phrase comes with it and with no other.

use super::asked::Asked;
use crate::contract::Kind;

/// A reason that has a remedy of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The key is not this user's, or not yet; or the clock is off.
    Key,
    Password,
    ExpiredPassword,
    Token,
    /// The token is for other roles.
    TokenRole,
    Role,
    /// A network policy keeps this address out.
    Address,
    /// There is no network policy, where there has to be one.
    NoNetworkPolicy,
    AuthenticationPolicy,
    SecondFactor,
    Locked,
    Disabled,
    Unknown,
}

/// In small letters; the first of which every part is found counts. Names of the account's own stand in what Snowflake says of
/// roles only, so those come first.
const PHRASES: &[(&[&str], Refusal, Option<&str>)] = &[
    (&["specified in the connect string"], Refusal::Role, Some("390189")),
    (&["is not listed in the access token"], Refusal::TokenRole, None),
    (&["jwt token is invalid"], Refusal::Key, Some("390144")),
    (&["incorrect username or password"], Refusal::Password, Some("390100")),
    (&["password has expired"], Refusal::ExpiredPassword, None),
    (
        &["is not allowed to access snowflake"],
        Refusal::Address,
        Some("390422"),
    ),
    (
        &["network policy is required"],
        Refusal::NoNetworkPolicy,
        Some("390432"),
    ),
    (
        &["rejected by the current authentication policy"],
        Refusal::AuthenticationPolicy,
        None,
    ),
    (&["authentication policy"], Refusal::AuthenticationPolicy, None),
    (&["invalid oauth access token"], Refusal::Token, Some("390303")),
    (&["oauth access token expired"], Refusal::Token, None),
    (&["oauth access token", "invalid"], Refusal::Token, None),
    (&["oauth access token", "expired"], Refusal::Token, None),
    (&["programmatic access token", "invalid"], Refusal::Token, None),
    (&["programmatic access token", "expired"], Refusal::Token, None),
    (&["multi-factor"], Refusal::SecondFactor, None),
    (&["mfa"], Refusal::SecondFactor, None),
    (&["passcode"], Refusal::SecondFactor, None),
    (&["user access disabled"], Refusal::Disabled, None),
    (&["temporarily locked"], Refusal::Locked, None),
];

impl Refusal {
    /// What this message is about, and the code that came with it.
    pub(super) fn of(message: &str) -> (Self, Option<&'static str>) {
        let message = message.to_ascii_lowercase();
        let known = PHRASES
            .iter()
            .find(|(parts, ..)| parts.iter().all(|part| message.contains(part)));
        known.map_or((Self::Unknown, None), |(_, refusal, code)| (*refusal, *code))
    }

    /// Whether the same login may be let in a while later, from here as from elsewhere. What is not known may be.
    pub(super) fn heals_with_time(self) -> bool {
        match self {
            // A key that is seconds old may be refused; and who is locked or disabled is so for every machine, until they are not.
            Self::Key | Self::Locked | Self::Disabled | Self::Unknown => true,
            Self::Password
            | Self::ExpiredPassword
            | Self::Token
            | Self::TokenRole
            | Self::Role
            | Self::Address
            | Self::NoNetworkPolicy
            | Self::AuthenticationPolicy
            | Self::SecondFactor => false,
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Key | Self::Password | Self::Token => Kind::BadCredentials,
            Self::Role | Self::TokenRole => Kind::Configuration,
            _ => Kind::Refused,
        }
    }

    /// What it means for whoever asked, and what helps.
    pub(super) fn told(self, asked: &Asked<'_>) -> String {
        let Asked {
            user, account, role, ..
        } = asked;
        let role = role.unwrap_or("of the connection");
        match self {
            Self::Key => format!(
                "Snowflake does not accept the key of {user} in account {account}; it says the same where this machine's clock \
                 is off by a minute"
            ),
            Self::Password => format!("the password of {user} in account {account} is wrong"),
            Self::ExpiredPassword => format!(
                "the password of {user} in account {account} has expired; change it in Snowsight, or let {user} log in with a \
                 key pair (SNOWFLAKE_PRIVATE_KEY_FILE)"
            ),
            Self::Token => {
                format!("the token of {user} in account {account} is not valid, or not any more; get a new one")
            }
            Self::TokenRole => format!(
                "the token of {user} is not for role {role}; name one that it is for with --role, or get a token for this one"
            ),
            Self::Role => format!(
                "role {role} does not exist or is not granted to {user}; name another one with --role, or: GRANT ROLE … TO \
                 USER …"
            ),
            Self::Address => {
                "a network policy does not let this machine's address in, so the key was not looked at; allow the \
                              address, or run rotate where it is allowed"
                    .to_owned()
            }
            Self::NoNetworkPolicy => format!(
                "{user} logs in with a programmatic access token, and Snowflake wants a network policy for that, of which there \
                 is none; give it one (CREATE NETWORK POLICY …; ALTER USER … SET NETWORK_POLICY = …), or log in with a key pair \
                 (SNOWFLAKE_PRIVATE_KEY_FILE)"
            ),
            Self::AuthenticationPolicy => format!(
                "the authentication policy of {user}, or of the account, does not allow this way to log in, so nothing is said \
                 of what was shown; look with SHOW AUTHENTICATION POLICIES ON USER …, and have it allow the method (KEYPAIR for \
                 keys) and the client type DRIVERS"
            ),
            Self::SecondFactor => format!(
                "Snowflake asks {user} for a second factor, which only a person has; let it log in with a key pair \
                 (SNOWFLAKE_PRIVATE_KEY_FILE) or a programmatic access token"
            ),
            Self::Locked => format!(
                "{user} is locked or disabled: locked for some minutes, after logins that failed; wait, or undo it with ALTER \
                 USER … SET MINS_TO_UNLOCK = 0"
            ),
            Self::Disabled => format!(
                "{user} is locked or disabled: disabled until somebody undoes it with ALTER USER … SET DISABLED = FALSE"
            ),
            Self::Unknown => format!(
                "Snowflake refuses the login of {user} for a reason that rotate does not know; an administrator finds it with \
                 SELECT * FROM TABLE(INFORMATION_SCHEMA.LOGIN_HISTORY_BY_USER(USER_NAME => …))"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as Snowflake sends it, with the code that it sends.
    #[test]
    fn each_reason_is_known_by_what_snowflake_says_and_a_code_is_told_only_where_it_is_on_record() {
        for (message, refusal, code) in [
            ("JWT token is invalid. [0ce3]", Refusal::Key, Some("390144")),
            (
                "Incorrect username or password was specified.",
                Refusal::Password,
                Some("390100"),
            ),
            (
                "Specified password has expired. Password must be changed using the Snowflake web console.",
                Refusal::ExpiredPassword,
                None,
            ),
            (
                "Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake. Contact your local security \
                 administrator.",
                Refusal::Address,
                Some("390422"),
            ),
            ("Network policy is required.", Refusal::NoNetworkPolicy, Some("390432")),
            (
                "Authentication attempt rejected by the current authentication policy.",
                Refusal::AuthenticationPolicy,
                None,
            ),
            (
                "Role 'MFA_LOADER' specified in the connect string does not exist or not authorized.",
                Refusal::Role,
                Some("390189"),
            ),
            (
                "User access disabled. Contact your local system administrator.",
                Refusal::Disabled,
                None,
            ),
            ("Invalid OAuth access token. [0ce3]", Refusal::Token, Some("390303")),
            ("Programmatic access token is invalid.", Refusal::Token, None),
            (
                "MFA with TOTP is required. To authenticate, provide both your password and a current TOTP passcode.",
                Refusal::SecondFactor,
                None,
            ),
            (
                "Your user account has been temporarily locked due to too many failed attempts. Try again after 15 minutes.",
                Refusal::Locked,
                None,
            ),
            ("The account is being moved.", Refusal::Unknown, None),
        ] {
            assert_eq!(Refusal::of(message), (refusal, code), "{message}");
        }
    }

    #[test]
    fn only_a_lag_a_lock_a_disabled_user_and_what_is_not_known_may_heal_with_time() {
        let heals = |refusal: &Refusal| refusal.heals_with_time();
        let healing: Vec<Refusal> = PHRASES.iter().map(|(_, refusal, _)| *refusal).filter(heals).collect();
        assert_eq!(healing, [Refusal::Key, Refusal::Disabled, Refusal::Locked]);
        assert!(Refusal::Unknown.heals_with_time());
    }
}
