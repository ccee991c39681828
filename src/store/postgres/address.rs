//! Where the database is: a URL, which is a secret as a whole, and is never shown as one.

use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use rotate_providers::secret::Secret;
use zeroize::Zeroizing;

use crate::store::server::check_schema;

/// The port of PostgreSQL, where the URL names none.
const PORT: u16 = 5432;

/// A database, who asks there, and the schema of the journal.
pub struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) database: String,
    pub(super) schema: String,
    pub(super) tls: Tls,
}

/// Whom the server may be taken for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// Whoever has a certificate for its name, from an authority of the system or of this file.
    Full(Option<PathBuf>),
    /// Whoever listens on this machine.
    ThisMachine,
}

impl Address {
    /// Understands `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. What is wrong is said without any of it.
    pub fn parse(url: &str, schema: &str) -> Result<Self, String> {
        let rest = ["postgres://", "postgresql://"]
            .into_iter()
            .find_map(|scheme| url.strip_prefix(scheme))
            .ok_or("it does not begin with postgres://")?;
        if rest.contains('#') {
            return Err("it has a # in it: write %23".to_owned());
        }
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, place) = place.rsplit_once('@').ok_or("it names no user")?;
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password, "password")?)),
            None => (login, None),
        };
        let (server, database) = place.split_once('/').ok_or("it names no database")?;
        let (host, port) = host_and_port(server)?;
        let named = |text: &str, what: &str| match decoded(text, what)? {
            text if text.is_empty() => Err(format!("it names no {what}")),
            text => Ok(text.as_str().to_owned()),
        };
        let tls = tls(&host, options)?;
        Ok(Self {
            port,
            user: named(user, "user")?,
            password: password.map(|password| Secret::new(password.as_bytes())),
            database: named(database, "database")?,
            schema: check_schema(schema)?,
            tls,
            host,
        })
    }

    /// What people may see of it.
    pub fn shown(&self) -> PathBuf {
        let Self {
            host,
            port,
            database,
            schema,
            ..
        } = self;
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.clone(),
        };
        format!("{host}:{port}/{database} (schema {schema})").into()
    }
}

fn decoded(text: &str, what: &str) -> Result<Zeroizing<String>, String> {
    let bytes = Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
    match std::str::from_utf8(&bytes) {
        Ok(text) if !text.contains('\0') => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(format!("its {what} is no text")),
    }
}

fn host_and_port(server: &str) -> Result<(String, u16), String> {
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("its host has no ]")?;
            (host, port.strip_prefix(':'))
        }
        None => match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let is_name = |letter: u8| letter.is_ascii_alphanumeric() || b".-_:".contains(&letter);
    if host.is_empty() || !host.bytes().all(is_name) {
        return Err("its host is no name and no address; one host is named, and no socket".to_owned());
    }
    let port = port.map_or(Some(PORT), |port| port.parse().ok().filter(|port| *port != 0));
    Ok((host.to_owned(), port.ok_or("its port is no number from 1 to 65535")?))
}

/// A server elsewhere has to prove who it is, whatever the URL says.
fn tls(host: &str, options: &str) -> Result<Tls, String> {
    let (mut mode, mut authorities) = (None, None);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name {
            "sslmode" => mode = Some(value),
            "sslrootcert" if value != "system" => {
                authorities = Some(PathBuf::from(decoded(value, "sslrootcert")?.as_str()));
            }
            "sslrootcert" => {}
            _ => return Err("it has an option that is not known here: write sslmode or sslrootcert".to_owned()),
        }
    }
    let is_here = is_loopback(host);
    match mode {
        Some("verify-full") => Ok(Tls::Full(authorities)),
        None if is_here && authorities.is_none() => Ok(Tls::ThisMachine),
        None => Ok(Tls::Full(authorities)),
        Some("disable") if is_here && authorities.is_none() => Ok(Tls::ThisMachine),
        Some(_) => Err(
            "its sslmode lets another server answer: write sslmode=verify-full, or nothing, which means the same; an authority of \
             your own goes into sslrootcert"
                .to_owned(),
        ),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Result<Address, String> {
        Address::parse(url, "rotate")
    }

    #[test]
    fn a_url_is_taken_apart_and_shown_without_who_asks() {
        let address = parsed("postgres://run%40r:p%3Aw%2F@db.example:6432/fleet").unwrap();
        assert_eq!((address.user.as_str(), address.database.as_str()), ("run@r", "fleet"));
        assert_eq!(address.password.unwrap().expose(), b"p:w/");
        let address = parsed("postgresql://u@[::1]/fleet").unwrap();
        assert_eq!(
            address.shown().display().to_string(),
            "[::1]:5432/fleet (schema rotate)"
        );
        assert!(address.password.is_none());
    }

    #[test]
    fn a_server_elsewhere_proves_who_it_is_whatever_the_url_says() {
        let tls = |url: &str| parsed(url).map(|address| address.tls);
        assert_eq!(tls("postgres://u@db.example/d"), Ok(Tls::Full(None)));
        assert_eq!(
            tls("postgres://u@db.example/d?sslmode=verify-full"),
            Ok(Tls::Full(None))
        );
        let own = Tls::Full(Some("/etc/ca.pem".into()));
        assert_eq!(tls("postgres://u@db.example/d?sslrootcert=%2Fetc/ca.pem"), Ok(own));
        for mode in ["disable", "allow", "prefer", "require", "verify-ca", ""] {
            assert!(
                tls(&format!("postgres://u@db.example/d?sslmode={mode}")).is_err(),
                "{mode}"
            );
        }
        for here in ["localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(tls(&format!("postgres://u@{here}/d")), Ok(Tls::ThisMachine), "{here}");
        }
        for elsewhere in ["localhost.example", "127.0.0.1.example", "10.0.0.1", "0.0.0.0"] {
            assert_eq!(
                tls(&format!("postgres://u@{elsewhere}/d")),
                Ok(Tls::Full(None)),
                "{elsewhere}"
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_any_of_it() {
        for url in [
            "mysql://canary:canary@canary/canary",
            "postgres://canary:canary",
            "postgres://canary:canary@",
            "postgres://canary:canary@/canary",
            "postgres://canary:canary@%2Fvar%2Frun/canary",
            "postgres://canary:canary@one,two/canary",
            "postgres://canary:canary@host:99999/canary",
            "postgres://canary:canary@host/",
            "postgres://:canary@host/canary",
            "postgres://canary:%ff@host/canary",
            "postgres://canary:ca#nary@host/canary",
            "postgres://canary:canary@host/canary?options=canary",
            "postgres://canary:canary@host/canary?sslmode=canary",
        ] {
            let why = parsed(url).err().unwrap_or_else(|| panic!("{url} is taken"));
            assert!(!why.contains("canary") && !why.contains("99999"), "{url}: {why}");
        }
    }
}
