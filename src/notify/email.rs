//! Mail, over a connection that is encrypted, or to this machine.

use std::net::IpAddr;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};

use super::{Email, Encryption, Fault, Message, Notice};

/// Sends a notice.
pub(super) async fn send(
    email: &Email,
    allow_private: bool,
    message: &Message<'_>,
    time: Duration,
) -> Result<(), Fault> {
    let mail = mail(email, message)?;
    let address = super::web::address_of(&email.server, email.port, allow_private, time).await?;
    let transport = transport(email, address, time)?;
    transport.send(mail).await.map(drop).map_err(|error| failed(&error))
}

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

fn transport(email: &Email, address: IpAddr, time: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, Fault> {
    let tls = match email.encryption {
        Encryption::StartTls => Tls::Required(parameters(email)?),
        Encryption::Tls => Tls::Wrapper(parameters(email)?),
        Encryption::None if address.is_loopback() => Tls::None,
        Encryption::None => {
            return Err(Fault::of_way(
                "its server is not on this machine, and nothing is sent there without encryption",
            ));
        }
    };
    // The address that was looked at; the certificate is that of the name.
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.to_string())
        .port(email.port)
        .tls(tls)
        .timeout(Some(time));
    if let Some(login) = &email.login {
        if email.encryption == Encryption::None {
            return Err(Fault::of_way(
                "no password is sent over a connection that is not encrypted",
            ));
        }
        let password = login.password.read();
        let password = password.map_err(|why| Fault::of_way(format!("its password, {}: {why}", login.password)))?;
        let text = password.expose_text();
        let text = text.ok_or_else(|| Fault::of_way("its password is no text"))?;
        builder = builder.credentials(Credentials::new(login.user.clone(), text.to_owned()));
    }
    Ok(builder.build())
}

fn parameters(email: &Email) -> Result<TlsParameters, Fault> {
    let unusable = |what: &str| Fault::of_way(format!("{what} cannot be used"));
    let mut builder = TlsParameters::builder(email.server.clone());
    if let Some(path) = &email.ca_file {
        let shown = format!("its ca_file, {},", path.display());
        let pem = std::fs::read(path).map_err(|_| unusable(&shown))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|_| unusable(&shown))?);
    }
    builder.build().map_err(|_| unusable("TLS"))
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
