//! Mail, over a connection that is encrypted, or to this machine.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Message as Mail;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use rotate_providers::authorities;
use zeroize::Zeroizing;

use super::{Email, Encryption, Fault, Login, Message, Notice};

/// Sends a notice.
pub(super) async fn send(
    email: &Email,
    allow_private: bool,
    message: &Message<'_>,
    time: Duration,
) -> Result<(), Fault> {
    let mail = mail(email, message)?;
    let address = super::web::address_of(&email.server, email.port, allow_private, time).await?;
    // What is refused before a mail is handed over is refused to all of them.
    let connected = connection(email, address, time).await;
    let mut connection = connected.map_err(|fault| Fault::of_way(fault.why))?;
    let sent = connection.send(mail.envelope(), &mail.formatted()).await;
    // Once it is taken nobody waits for a farewell: a server that hangs then would get the same mail again and again.
    tokio::spawn(async move { tokio::time::timeout(FAREWELL, connection.abort()).await });
    sent.map(drop).map_err(|error| failed(&error))
}

/// How long a connection is kept for its end.
const FAREWELL: Duration = Duration::from_secs(1);

/// The message: plain text, in which nothing is understood, and by the same id each time.
fn mail(email: &Email, message: &Message<'_>) -> Result<Mail, Fault> {
    let notice = message.notice;
    let mailbox = |address: &str| -> Result<Mailbox, Fault> {
        let wrong = || Fault::of_message(format!("{address} is no address of a mailbox"));
        Ok(Mailbox::new(None, address.parse().map_err(|_| wrong())?))
    };
    let domain = email.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    Mail::builder()
        .from(mailbox(&email.from)?)
        .to(mailbox(message.recipient)?)
        .subject(format!("[rotate] {}", notice.title))
        .message_id(Some(format!("<{}@{domain}>", notice.id)))
        .date(date(notice))
        // No robot answers it.
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN)
        .body(notice.text.clone())
        .map_err(|_| Fault::of_message("no mail can be made of it"))
}

/// When it happened, which is the same in each repeat.
fn date(notice: &Notice) -> std::time::SystemTime {
    notice.timestamp.into()
}

/// A connection on which mail may be sent: encrypted, and logged in where that is asked for.
async fn connection(email: &Email, address: IpAddr, time: Duration) -> Result<AsyncSmtpConnection, Fault> {
    if email.encryption == Encryption::None && !address.is_loopback() {
        return Err(Fault::of_way(
            "its server is not on this machine, and nothing is sent there without encryption",
        ));
    }
    if email.encryption == Encryption::None && email.login.is_some() {
        return Err(Fault::of_way(
            "no password is sent over a connection that is not encrypted",
        ));
    }
    let us = ClientId::default();
    let from_the_first_byte = match email.encryption {
        Encryption::Tls => Some(parameters(email)?),
        Encryption::StartTls | Encryption::None => None,
    };
    // The address that was looked at; the certificate is that of the name.
    let at = (address, email.port);
    let connected = AsyncSmtpConnection::connect_tokio1(at, Some(time), &us, from_the_first_byte, None).await;
    let mut connection = connected.map_err(|error| failed(&error))?;
    if email.encryption == Encryption::StartTls {
        let encrypted = connection.starttls(parameters(email)?, &us).await;
        encrypted.map_err(|error| failed(&error))?;
    }
    if let Some(login) = &email.login {
        log_in(&mut connection, login).await?;
    }
    Ok(connection)
}

/// The library's own way to log in keeps several copies of the password, and wipes none of them. Here it is in memory that is wiped, until
/// the library writes the line that holds it.
async fn log_in(connection: &mut AsyncSmtpConnection, login: &Login) -> Result<(), Fault> {
    let password = login.password.read();
    let password = password.map_err(|why| Fault::of_way(format!("its password, {}: {why}", login.password)))?;
    if password.expose_text().is_none() {
        return Err(Fault::of_way("its password is no text"));
    }
    let user = login.user.as_bytes();
    let known = [Mechanism::Plain, Mechanism::Login];
    let lines = match connection.server_info().get_auth_mechanism(&known) {
        Some(Mechanism::Plain) => vec![line("AUTH PLAIN ", &[b"\0", user, b"\0", password.expose()])],
        Some(Mechanism::Login) => vec![
            line("AUTH LOGIN", &[]),
            line("", &[user]),
            line("", &[password.expose()]),
        ],
        _ => {
            return Err(Fault::of_way(
                "the mail server offers no way to log in that is known here",
            ));
        }
    };
    drop(password);
    let last = lines.len();
    for (line, number) in lines.iter().zip(1..) {
        let response = connection
            .command(line.as_str())
            .await
            .map_err(|error| failed(&error))?;
        let goes_on = response.has_code(GO_ON);
        if goes_on == (number == last) {
            return Err(Fault::of_way("the mail server answers a login as none does"));
        }
    }
    Ok(())
}

/// What a server says that waits for the next line of a login.
const GO_ON: u16 = 334;

/// A line of a login, with what it says in base64.
fn line(before: &str, parts: &[&[u8]]) -> Zeroizing<String> {
    // None of them grows: what has grown leaves its beginning behind.
    let length = parts.iter().map(|part| part.len()).sum();
    let mut said = Zeroizing::new(Vec::with_capacity(length));
    parts.iter().for_each(|part| said.extend_from_slice(part));
    let encoded = Zeroizing::new(STANDARD.encode(&*said));
    let mut line = Zeroizing::new(String::with_capacity(before.len() + encoded.len() + END.len()));
    [before, &encoded, END].into_iter().for_each(|part| line.push_str(part));
    line
}

const END: &str = "\r\n";

fn parameters(email: &Email) -> Result<TlsParameters, Fault> {
    let unusable = |_| Fault::of_way("TLS, or an authority of its ca_file, cannot be used");
    let own = authorities::beside_the_systems(email.ca_file.as_deref()).map_err(Fault::of_way)?;
    let mut builder = TlsParameters::builder(email.server.clone());
    for authority in own {
        builder = builder.add_root_certificate(Certificate::from_der(authority.to_vec()).map_err(unusable)?);
    }
    builder.build().map_err(unusable)
}

/// What a server says to whoever comes, and not of one mail or its reader: it closes, or the login is wrong or missing.
const CLOSES: [u16; 3] = [421, 432, 454];
const OF_LOGIN: [u16; 4] = [530, 534, 535, 538];

/// What went wrong, in our own words: what the server said is not repeated.
fn failed(error: &Error) -> Fault {
    let status = error.status().map(u16::from);
    let code = status.map(|code| format!(" ({code})")).unwrap_or_default();
    match error {
        // Each try with a wrong password may be the one that locks the account: there is one in a round.
        _ if status.is_some_and(|status| OF_LOGIN.contains(&status)) => {
            Fault::of_way(format!("the mail server has refused the login, or asks for one{code}"))
        }
        _ if status.is_some_and(|status| CLOSES.contains(&status)) => {
            Fault::of_way(format!("the mail server takes no mail for now{code}"))
        }
        _ if error.is_permanent() => Fault::of_message(format!("the mail server has refused it for good{code}")),
        // A mailbox is full, or its server makes strangers wait: others are told meanwhile.
        _ if error.is_transient() => Fault::of_message(format!("the mail server has refused it for now{code}")),
        _ if error.is_timeout() => Fault::of_way("the mail server has not answered in time"),
        _ if error.is_tls() || is_of_certificate(error) => Fault::of_way(
            "no encrypted connection to the mail server came about, or nobody vouches for its certificate (ca_file names who does)",
        ),
        _ if error.is_client() => {
            Fault::of_way("the mail server does not offer what is asked of it: STARTTLS, or a way to log in")
        }
        _ => Fault::of_way("no connection to the mail server came about, or it ended half-way"),
    }
}

/// Whether what came over the connection was not what it has to be, as where a certificate is not trusted.
fn is_of_certificate(error: &Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::InvalidData;
        }
        cause = inner.source();
    }
    false
}

/// That a program has sent it: RFC 3834.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
