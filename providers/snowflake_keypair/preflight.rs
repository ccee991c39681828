//! What can be found out before a rotation: the clock by a statement, the privilege by what is granted on the user, the
//! network policy by the user's parameters, the passphrase by reading it.
//!
//! Snowflake shows what is granted to a role itself, and not what it inherits, so a privilege that is not shown proves
//! nothing: <https://docs.snowflake.com/en/sql-reference/sql/show-grants>.

use jiff::{SignedDuration, Timestamp};

use super::identifier::quote;
use super::passphrase::PassphraseFrom;
use super::session::Row;
use super::wire::Wire;
use crate::call::Call;
use crate::contract::{Check, ClockTolerance, Error, Finding, Preflight, Thoroughness};

const NOW: Call = Call::read("SELECT CURRENT_TIMESTAMP()");
const GRANTS: Call = Call::read("SHOW GRANTS ON USER");
const PARAMETERS: Call = Call::read("SHOW PARAMETERS FOR USER");

/// Either one is enough to set and unset a user's keys.
const ENOUGH: [&str; 2] = ["MODIFY PROGRAMMATIC AUTHENTICATION METHODS", "OWNERSHIP"];

/// One minute is where Snowflake begins to refuse a token, by a clock of which its answer tells only the time of a query: what
/// is refused for certain is what no clock of its own can explain.
const CLOCK: ClockTolerance = ClockTolerance {
    worth_a_word: SignedDuration::from_secs(50),
    refused: SignedDuration::from_mins(5),
};

impl Wire {
    pub(super) async fn preflight(&self, passphrase: Option<&PassphraseFrom>, thoroughness: Thoroughness) -> Preflight {
        let (vendor_time, shown) = match thoroughness {
            // Neither what is granted nor what a policy is called says for certain that a rotation would fail.
            Thoroughness::Obstacles => (self.time().await, Vec::new()),
            Thoroughness::Everything => {
                let (vendor_time, privilege, network) = tokio::join!(self.time(), self.privilege(), self.network());
                (vendor_time, [privilege].into_iter().chain(network).collect())
            }
        };
        Preflight {
            vendor_time,
            clock: CLOCK,
            findings: shown.into_iter().chain(passphrase.map(readable)).collect(),
        }
    }

    /// Snowflake's time. Where it cannot be asked, other findings say why.
    async fn time(&self) -> Option<Timestamp> {
        let rows = self
            .administrator()
            .read(NOW, "ask Snowflake for the time", NOW.name)
            .await;
        let rows = rows.inspect_err(|error| tracing::debug!("{error}")).ok()?;
        rows.first()?.time_at(0)
    }

    async fn privilege(&self) -> Finding {
        let check = match self.has_privilege().await {
            Ok((_, true)) => Check::Fine,
            Ok((role, false)) => Check::Unknown {
                why: format!(
                    "it is not granted to role {role} itself; it may come through another role, which shows only when it is \
                     used"
                )
                .into(),
            },
            Err(error) => Check::Unknown {
                why: format!("failed to {error}; whether the role has it shows only when it is used").into(),
            },
        };
        Finding {
            what: format!("privilege to change the keys of user {}", self.user().as_str()).into(),
            check,
        }
    }

    /// Whether a network policy applies to the user, its own or the account's: it may let in none but the consumer. Where that
    /// is not shown, the login itself tells. Source: <https://docs.snowflake.com/en/sql-reference/sql/show-parameters>.
    async fn network(&self) -> Option<Finding> {
        let user = self.user().as_str();
        let statement = format!(
            "SHOW PARAMETERS LIKE 'NETWORK_POLICY' FOR USER {}",
            self.user().quoted()
        );
        let action = format!("read which network policy applies to {user}");
        let rows = self.look(PARAMETERS, &action, &statement).await;
        let rows = rows.inspect_err(|error| tracing::debug!("{error}")).ok()?;
        let policy = rows.first()?.text("value").filter(|policy| !policy.is_empty())?;
        Some(Finding {
            what: format!("network policy {policy}").into(),
            check: Check::Unknown {
                why: format!(
                    "it says from where {user} may log in; if it lets in none but the consumer, a new key cannot be proven from \
                     here, and its consumer has to: --prove consumer"
                )
                .into(),
            },
        })
    }

    /// The administrator's role, and whether it holds the privilege itself.
    async fn has_privilege(&self) -> Result<(&str, bool), Error> {
        let role = self.role().await?;
        let action = format!("read what is granted on user {}", self.user().as_str());
        let statement = format!("SHOW GRANTS ON USER {}", self.user().quoted());
        let rows = self.administrator().read(GRANTS, &action, &statement).await?;
        Ok((role, rows.iter().any(|row| lets_change_keys(row, role))))
    }
}

fn lets_change_keys(row: &Row, role: &str) -> bool {
    let is_enough = |privilege: &str| ENOUGH.contains(&privilege.replace('_', " ").as_str());
    let is_ours = |name: &str| name == role || name == quote(role);
    row.text("granted_to") == Some("ROLE")
        && row.text("privilege").is_some_and(is_enough)
        && row.text("grantee_name").is_some_and(is_ours)
}

/// Whether the passphrase of the new key is where it should be. It is forgotten at once.
fn readable(passphrase: &PassphraseFrom) -> Finding {
    let check = match passphrase.look() {
        Ok(_) => Check::Fine,
        Err(why) => Check::Wrong {
            why: why.into(),
            remedy: passphrase.remedy(),
        },
    };
    Finding {
        what: passphrase.to_string().into(),
        check,
    }
}
