//! Logins and statements: the only place of this connector where a secret meets the network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use snowflake_connector_rs::{
    AuthConfig, CellValue, ClientConfig, DynamicRow, EndpointConfig, KeyPairConfig, QueryConfig, SessionConfig,
};
use tokio::sync::Mutex;

use super::address::bare_account;
use super::asked::Asked;
use super::channel::{Channel, Failed, Line, STATEMENT_PATIENCE};
use super::failure::{NoLogin, of_login, of_statement, with_grant};
use super::key_pair::{is_encrypted, opened};
use super::login::Login;
use super::settings::Settings;
use crate::call::Call;
use crate::contract::{Error, Kind};
use crate::endpoint::remote_host;
use crate::patience::repeatedly;
use crate::secret::Secret;
use crate::trace;
use crate::untrusted::Label;
use crate::vendor_time;

const LOGIN: Call = Call::read("login");

/// A row of a result.
pub(super) struct Row(DynamicRow);

type Answered = (Vec<Row>, Option<Label>);

/// What a cell says of when something was.
#[derive(Clone, Copy)]
pub(super) enum When {
    /// Nothing is on record.
    Never,
    At(Timestamp),
    /// It is no point in time, or one that cannot be.
    Impossible,
}

/// How long a login that was refused, or not answered, is not tried again: many targets share it, each try may take its
/// time, and a user is locked after a few.
pub(super) const REFUSED_FOR: Duration = Duration::from_secs(60);

/// The administrator's sessions.
pub(super) struct Administrator {
    settings: Settings,
    open: Mutex<Option<Arc<Line>>>,
    refused: Mutex<Option<(Instant, Error)>>,
    /// The program's own new key, once it is proven: tried before what is configured.
    adopted: Mutex<Option<Adopted>>,
}

struct Adopted {
    pem: Secret,
    passphrase: Option<Secret>,
}

/// A user with one key, and its client. Each proof is a login of its own; the client is kept because making one reads all
/// of the system's certificates.
pub(super) struct Prover {
    user: String,
    key: [u8; 32],
    channel: Channel,
}

impl Prover {
    fn is_for(&self, user: &str, pem: &Secret) -> bool {
        self.user == user && self.key == digest(pem)
    }
}

fn digest(pem: &Secret) -> [u8; 32] {
    Sha256::digest(pem.expose()).into()
}

impl Administrator {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            open: Mutex::new(None),
            refused: Mutex::new(None),
            adopted: Mutex::new(None),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The host that is called; `None` where it is this machine.
    pub(super) fn host(&self) -> Option<String> {
        remote_host(&self.settings.base_url)
    }

    /// Logs in with this key from here on.
    pub(super) async fn adopt(&self, pem: Secret, passphrase: Option<Secret>) {
        *self.adopted.lock().await = Some(Adopted { pem, passphrase });
        *self.open.lock().await = None;
        *self.refused.lock().await = None;
    }

    /// Logs in, if nobody has yet. What is asked side by side afterwards does not log in, or fail to, twice.
    pub(super) async fn enter(&self) -> Result<(), Error> {
        repeatedly(LOGIN, async || self.session().await.map(drop)).await
    }

    /// Runs a statement that changes nothing, as often as it takes.
    pub(super) async fn read(&self, call: Call, action: &str, statement: &str) -> Result<Vec<Row>, Error> {
        let answered = repeatedly(call, async || match self.attempt(call, action, statement, None).await {
            // A session lasts for hours, and a rotation for weeks.
            Err(error) if error.kind == Kind::Expired => self.attempt(call, action, statement, None).await,
            result => result,
        });
        answered.await.map(|(rows, _)| rows)
    }

    /// Runs a statement once. Before it is repeated, whoever asks for it has to look again.
    pub(super) async fn once(&self, call: Call, action: &str, statement: &str, grant: &str) -> Result<Answered, Error> {
        self.attempt(call, action, statement, Some(grant)).await
    }

    async fn attempt(&self, call: Call, action: &str, statement: &str, grant: Option<&str>) -> Result<Answered, Error> {
        let session = self.session().await?;
        let asked = self.asked();
        let asking = async {
            let answered = ask(&session, statement).await;
            answered.map_err(|failed| of_statement(call, action.to_owned(), &failed, &asked))
        };
        match call.traced(asking).await {
            Ok(answered) => Ok(answered),
            Err(error) => {
                if error.kind == Kind::Expired {
                    self.log_out(&session).await;
                }
                Err(match grant {
                    Some(grant) => with_grant(error, grant),
                    None => error,
                })
            }
        }
    }

    /// Gives up this session; one that was opened since stays.
    async fn log_out(&self, session: &Arc<Line>) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            *open = None;
        }
    }

    async fn session(&self) -> Result<Arc<Line>, Error> {
        let mut open = self.open.lock().await;
        if let Some(session) = &*open {
            return Ok(Arc::clone(session));
        }
        // Whoever waited for the lock shares what the login came to.
        let mut refused = self.refused.lock().await;
        if let Some((since, error)) = &*refused
            && since.elapsed() < REFUSED_FOR
        {
            return Err(error.clone());
        }
        match self.log_in().await {
            Ok(session) => {
                let session = Arc::new(session);
                *open = Some(Arc::clone(&session));
                Ok(session)
            }
            Err(error) => {
                let is_final = matches!(
                    error.kind,
                    Kind::BadCredentials | Kind::Refused | Kind::Configuration | Kind::TimedOut | Kind::Redirected
                );
                *refused = is_final.then(|| (Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// With the adopted key, and with what is configured only where that one is refused: it may have been taken back.
    async fn log_in(&self) -> Result<Line, Error> {
        let settings = &self.settings;
        let asked = self.asked();
        for part in settings.lead() {
            tracing::info!(
                "the administrator's {} is {}, from {}",
                part.what,
                part.value,
                part.from
            );
        }
        if let Some(adopted) = &*self.adopted.lock().await {
            let auth = key_pair(&adopted.pem, adopted.passphrase.as_ref());
            let config = self.config(&settings.user, auth).with_session(self.session_settings());
            match self.log_in_with(config, &asked).await {
                Err(error) if error.kind == Kind::BadCredentials => {
                    tracing::info!("the adopted key is refused; logging in as configured");
                }
                result => return result,
            }
        }
        let auth = match &settings.login {
            Login::Password(password) => AuthConfig::password(plain(password)),
            Login::Token(token) => AuthConfig::oauth(plain(token)),
            Login::KeyPair { pem, passphrase, .. } => key_pair(pem, passphrase.as_ref()),
        };
        let config = self.config(&settings.user, auth).with_session(self.session_settings());
        self.log_in_with(config, &asked).await
    }

    async fn log_in_with(&self, config: ClientConfig, asked: &Asked<'_>) -> Result<Line, Error> {
        let channel = self.channel(config, asked).await.map_err(|failed| failed.error)?;
        open(&channel, asked).await.map_err(|failed| failed.error)
    }

    async fn channel(&self, config: ClientConfig, asked: &Asked<'_>) -> Result<Channel, NoLogin> {
        let channel = Channel::new(config, &self.settings.base_url).await;
        channel.map_err(|failed| unopened(&failed, asked))
    }

    /// Whatever the account's own settings: times are read in UTC, and a name in quotes means itself.
    fn session_settings(&self) -> SessionConfig {
        let settings = &self.settings;
        let session = SessionConfig::new()
            .with_session_parameter("TIMEZONE", Value::from("UTC"))
            .with_session_parameter("QUOTED_IDENTIFIERS_IGNORE_CASE", Value::from(false));
        let session = match &settings.role {
            Some(role) => session.with_role(role),
            None => session,
        };
        match &settings.warehouse {
            Some(warehouse) => session.with_warehouse(warehouse),
            None => session,
        }
    }

    /// One login as someone else, and one statement, if there is something to ask: the proof of a key. What the last proof
    /// leaves serves the next one of the same key.
    pub(super) async fn prove(
        &self,
        last: &Mutex<Option<Prover>>,
        user: &str,
        pem: &Secret,
        passphrase: Option<&Secret>,
        statement: Option<&str>,
    ) -> Result<Vec<Row>, NoLogin> {
        let asked = Asked {
            user,
            role: None,
            ..self.asked()
        };
        let known = last.lock().await.take().filter(|prover| prover.is_for(user, pem));
        let prover = match known {
            Some(prover) => prover,
            None => Prover {
                user: user.to_owned(),
                key: digest(pem),
                channel: self
                    .channel(self.config(user, key_pair(pem, passphrase)), &asked)
                    .await?,
            },
        };
        let session = open(&prover.channel, &asked).await;
        *last.lock().await = Some(prover);
        let session = session?;
        let Some(statement) = statement else {
            return Ok(Vec::new());
        };
        let call = Call::read("select");
        let asking = async {
            let answered = ask(&session, statement).await;
            answered.map_err(|failed| of_statement(call, format!("ask Snowflake who {user} is"), &failed, &asked))
        };
        Ok(call.traced(asking).await?.0)
    }

    fn config(&self, user: &str, auth: AuthConfig) -> ClientConfig {
        ClientConfig::new(user, bare_account(&self.settings.account), auth)
            .with_endpoint(EndpointConfig::custom_base_url(self.settings.base_url.clone()))
            .with_query(QueryConfig::new().with_query_response_timeout(STATEMENT_PATIENCE))
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            user: &self.settings.user,
            account: &self.settings.account,
            host: self.settings.host(),
            role: self.settings.role.as_deref(),
            found_in: &self.settings.found_in,
        }
    }
}

async fn open(channel: &Channel, asked: &Asked<'_>) -> Result<Line, NoLogin> {
    let entering = async { channel.log_in().await.map_err(|failed| unopened(&failed, asked)) };
    trace::traced(LOGIN.span(), entering, |refused| refused.error.kind.name()).await
}

fn unopened(failed: &Failed, asked: &Asked<'_>) -> NoLogin {
    of_login(LOGIN, login_of(asked), failed, asked)
}

fn login_of(asked: &Asked<'_>) -> String {
    format!("log in to Snowflake account {} as {}", asked.account, asked.user)
}

async fn ask(session: &Line, statement: &str) -> Result<Answered, Failed> {
    let (rows, id) = session.ask(statement).await?;
    Ok((rows.into_iter().map(Row).collect(), id))
}

impl Row {
    /// A cell's text; `None` where there is none.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        match self.0.value(column).ok()? {
            CellValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The first cell's text, whatever the column is called.
    pub(super) fn at(&self, index: usize) -> Option<&str> {
        match self.0.value_at(index).ok()? {
            CellValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// A cell's text, where one without anything in it is an empty text; `None` where there is no such cell.
    pub(super) fn text_or_empty(&self, column: &str) -> Option<&str> {
        match self.0.value(column).ok()? {
            CellValue::String(text) => Some(text),
            CellValue::Null => Some(""),
            _ => None,
        }
    }

    /// A cell's point in time.
    pub(super) fn time(&self, column: &str) -> When {
        match self.0.value(column) {
            Ok(CellValue::Null) | Err(_) => When::Never,
            Ok(value) => point(value).map_or(When::Impossible, When::At),
        }
    }

    /// A cell's whole number.
    pub(super) fn integer(&self, column: &str) -> Option<i128> {
        match self.0.value(column).ok()? {
            CellValue::Integer(number) => Some(*number),
            CellValue::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The same, whatever the column is called.
    pub(super) fn time_at(&self, index: usize) -> Option<Timestamp> {
        point(self.0.value_at(index).ok()?)
    }

    /// A cell that holds an object, as text.
    pub(super) fn json(&self, column: &str) -> Option<String> {
        match self.0.value(column).ok()? {
            CellValue::Json(value) => Some(value.to_string()),
            CellValue::String(text) => Some(text.clone()),
            _ => None,
        }
    }
}

fn point(value: &CellValue) -> Option<Timestamp> {
    let at = match value {
        CellValue::TimestampLtz(at) => *at,
        CellValue::TimestampTz(at) => at.to_utc(),
        CellValue::TimestampNtz(at) => at.and_utc(),
        _ => return None,
    };
    let at = Timestamp::new(at.timestamp(), i32::try_from(at.timestamp_subsec_nanos()).ok()?).ok()?;
    vendor_time::plausible(at)
}

/// The client wants its own copy, which lives as long as itself.
fn plain(secret: &Secret) -> String {
    secret.expose_text().unwrap_or_default().to_owned()
}

/// A passphrase goes with an encrypted key only: one may be configured for a key that has none. The client knows fewer
/// ciphers, so it gets the key opened; a key that does not open it refuses by itself.
fn key_pair(pem: &Secret, passphrase: Option<&Secret>) -> AuthConfig {
    let passphrase = passphrase.filter(|_| is_encrypted(pem));
    let opened = passphrase.and_then(|passphrase| opened(pem, passphrase).ok());
    AuthConfig::key_pair(KeyPairConfig::from_pem(plain(opened.as_ref().unwrap_or(pem))))
}
