//! What Snowflake has on record of a key's logins.
//!
//! Three places tell of them, and not every account has, or shows, all three. `SHOW USER KEY PAIRS` knows a key by its
//! fingerprint and tells its last use. The view `CREDENTIALS` does the same up to two hours late, and gives each credential a
//! number; by that number `LOGIN_HISTORY_BY_USER` tells of the logins of the last seven days, refused ones too, at once. A
//! login that says nothing of its credential counts for no key: anybody can fail to log in. Sources:
//! <https://docs.snowflake.com/en/sql-reference/account-usage/credentials>,
//! <https://docs.snowflake.com/en/sql-reference/functions/login_history>.

use jiff::Timestamp;

use super::identifier::literal;
use super::session::{Row, When};
use super::wire::Wire;
use crate::call::Call;
use crate::contract::{Error, KeyId, LastUse, RefusedLogin};

const SHOW: Call = Call::read("SHOW USER KEY PAIRS");
const CREDENTIALS: Call = Call::read("ACCOUNT_USAGE.CREDENTIALS");
const LOGINS: Call = Call::read("LOGIN_HISTORY_BY_USER");

/// A key as the view `CREDENTIALS` shows it.
struct Viewed {
    /// By which logins name it.
    number: Option<i128>,
    last_used: When,
}

impl Wire {
    /// When the key was last used, by the first record that knows the key.
    pub(super) async fn last_use(&self, key: &KeyId) -> Result<LastUse, Error> {
        let action = format!("read the last use of key {key}");
        let show = format!("SHOW USER KEY PAIRS FOR USER {}", self.user().quoted());
        let shown = self.look(SHOW, &action, &show).await?;
        let same = |row: &&Row| {
            row.text("fingerprint")
                .is_some_and(|text| bare(text) == bare(key.as_str()))
        };
        if let Some(row) = shown.iter().find(same) {
            return Ok(used(row.time("last_used_on")));
        }
        let Some(viewed) = self.viewed(key, &action).await? else {
            return Ok(LastUse::NotReported);
        };
        let logged_in = match viewed.number {
            Some(number) => self.last_login(number, "YES", &action).await?,
            None => None,
        };
        Ok(used(
            match (logged_in.map(|row| row.time("EVENT_TIMESTAMP")), viewed.last_used) {
                (Some(When::At(one)), When::At(other)) => When::At(one.max(other)),
                (Some(When::At(at)), _) => When::At(at),
                (Some(When::Impossible), When::Never) => When::Impossible,
                (_, viewed) => viewed,
            },
        ))
    }

    /// The last login with the key that was refused since then.
    pub(super) async fn refused_since(&self, key: &KeyId, since: Timestamp) -> Result<Option<RefusedLogin>, Error> {
        let action = format!("read the refused logins with key {key}");
        let Some(number) = self.viewed(key, &action).await?.and_then(|viewed| viewed.number) else {
            return Ok(None);
        };
        let Some(row) = self.last_login(number, "NO", &action).await? else {
            return Ok(None);
        };
        let When::At(at) = row.time("EVENT_TIMESTAMP") else {
            return Ok(None);
        };
        let why = match row.integer("ERROR_CODE") {
            Some(code) => format!("Snowflake's login history gives error code {code}"),
            None => "Snowflake's login history gives no error code".to_owned(),
        };
        Ok((at > since).then(|| RefusedLogin { at, why: why.into() }))
    }

    async fn viewed(&self, key: &KeyId, action: &str) -> Result<Option<Viewed>, Error> {
        let statement = format!(
            "SELECT CREDENTIAL_ID, LAST_USED_ON, ADDITIONAL_DETAILS FROM SNOWFLAKE.ACCOUNT_USAGE.CREDENTIALS \
             WHERE TYPE = 'KEYPAIR' AND USER_NAME = {}",
            literal(self.user().as_str())
        );
        let rows = self.look(CREDENTIALS, action, &statement).await?;
        let names = |row: &&Row| {
            let details = row.json("ADDITIONAL_DETAILS").unwrap_or_default();
            details.contains(bare(key.as_str()))
        };
        Ok(rows.iter().find(names).map(|row| Viewed {
            number: row.integer("CREDENTIAL_ID"),
            last_used: row.time("LAST_USED_ON"),
        }))
    }

    /// The last login with this credential that ended like this, as far as the history goes back.
    async fn last_login(&self, number: i128, is_success: &str, action: &str) -> Result<Option<Row>, Error> {
        // Without a limit of its own the function looks at a hundred logins only, whoever made them.
        let statement = format!(
            "SELECT EVENT_TIMESTAMP, ERROR_CODE \
             FROM TABLE(SNOWFLAKE.INFORMATION_SCHEMA.LOGIN_HISTORY_BY_USER(USER_NAME => {}, RESULT_LIMIT => 10000)) \
             WHERE FIRST_AUTHENTICATION_FACTOR_ID = '{number}' AND IS_SUCCESS = '{is_success}' \
             ORDER BY EVENT_TIMESTAMP DESC LIMIT 1",
            literal(&self.user().quoted())
        );
        Ok(self.look(LOGINS, action, &statement).await?.into_iter().next())
    }
}

/// To the second: a use is not made later than it was. A date that cannot be says nothing.
fn used(when: When) -> LastUse {
    match when {
        When::At(at) => LastUse::At {
            at: Timestamp::from_second(at.as_second()).unwrap_or(at),
            service: "a login".into(),
            region: "Snowflake".into(),
        },
        When::Never => LastUse::NeverSeen,
        When::Impossible => LastUse::NotReported,
    }
}

fn bare(fingerprint: &str) -> &str {
    fingerprint.strip_prefix("SHA256:").unwrap_or(fingerprint)
}
