//! Every `[[notify]]`: who is told what, and how. Addresses and secrets are named by where they are, and never stand here.

use std::collections::HashMap;

use rotate_providers::endpoint::host_elsewhere;
use rotate_providers::secret_from::SecretFrom;

use super::after_delivery::line;
use super::reader::{Reader, Section};
use super::target::name_of_a_place;
use super::value::{Taken, flag, number, one_of, parsed, path, texts};
use crate::delivery::{Notified, Options};
use crate::notify::{Email, Encryption, Login, Notifier, Way, WebhookAt, is_mail_address};
use crate::secret_scan::looks_secret;

/// The ways, by their keys.
const WAYS: [&str; 5] = ["webhook", "slack", "teams", "email", "exec"];

/// Understands each of them.
pub(super) fn notifiers<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Vec<Notifier> {
    let mut all: Vec<Notifier> = Vec::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    for mut table in reader.tables(root, "notify") {
        let span = table.span.clone();
        let given = parsed(reader, &mut table, "name", name);
        let way = way(reader, &mut table);
        let was_named = table.was_there("name");
        let name = given.map(|taken| taken.value).or_else(|| {
            let (key, _) = way.as_ref().filter(|_| !was_named)?;
            Some((*key).to_owned())
        });
        if let Some(name) = &name {
            if let Some(first) = names.insert(name.clone(), span.start) {
                let line = reader.line(first);
                let what = format!("another notifier is called {name} (line {line})");
                reader.mistake(Some(span), "notify: name", &what, "give each its own: name = \"…\"");
            }
            table.name = format!("notify \"{name}\"");
        }
        let targets = words(
            reader,
            &mut table,
            "targets",
            "write names of targets; * stands for any letters",
        );
        let owners = words(
            reader,
            &mut table,
            "owner",
            "write owners of targets, as their tables have them",
        );
        let allow_private = flag(reader, &mut table, "allow_private");
        reader.close(table);
        if let (Some(name), Some((_, way))) = (name, way) {
            all.push(Notifier {
                name,
                way,
                targets,
                owners,
                allow_private,
            });
        }
    }
    all
}

fn name(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let begins = text.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    match begins && text.len() <= 64 && text.chars().all(fits) && looks_secret(text).is_none() {
        true => Ok(text.to_owned()),
        false => Err("a name has up to 64 letters, digits and _-. and begins with a letter or a digit".to_owned()),
    }
}

/// A list of words, none of which is empty or a secret.
fn words(reader: &mut Reader<'_>, table: &mut Section<'_>, key: &str, remedy: &str) -> Vec<String> {
    let was_there = table.has(key);
    let before = reader.mistakes();
    let mut all = Vec::new();
    for Taken { value, span } in texts(reader, table, key) {
        let fits = !value.trim().is_empty() && value.chars().count() <= 256 && !value.chars().any(char::is_control);
        match fits && looks_secret(&value).is_none() {
            true => all.push(value),
            false => reader.mistake(Some(span), &table.key(key), "this value is not understood", remedy),
        }
    }
    if was_there && all.is_empty() && reader.mistakes() == before {
        names_nobody(reader, table, key);
    }
    all
}

/// The one way that a notifier has.
fn way<'t>(reader: &mut Reader<'t>, table: &mut Section<'t>) -> Option<(&'static str, Way)> {
    let named: Vec<&'static str> = WAYS.into_iter().filter(|key| table.has(key)).collect();
    let key = match named.as_slice() {
        [key] => *key,
        [] => {
            let remedy = format!("write one of {}", WAYS.join(", "));
            let at = table.span.clone();
            reader.mistake(Some(at), "notify", "nothing says how it tells anybody", &remedy);
            return None;
        }
        [_, second, ..] => {
            for key in &named {
                table.take(key);
            }
            let at = table.place_of(second);
            let remedy = "write a [[notify]] for each";
            reader.mistake(at, &table.key(second), "it has several ways to tell", remedy);
            return None;
        }
    };
    if !is_built(key) {
        let at = table.take(key).map(|(at, _)| at);
        let what = "this program was built without it";
        let remedy = format!("leave it out, or build rotate with the feature notify-{key}");
        reader.mistake(at, &table.key(key), what, &remedy);
        return None;
    }
    let way = match key {
        "exec" => exec(reader, table)?,
        _ => {
            let mut section = reader.table(table, key);
            let way = match key {
                "webhook" => webhook(reader, &mut section),
                "slack" => secret(reader, &mut section, "url").map(Way::Slack),
                "teams" => secret(reader, &mut section, "url").map(Way::Teams),
                _ => email(reader, &mut section),
            };
            reader.close(section);
            way?
        }
    };
    Some((key, way))
}

/// Whether this program has that way.
fn is_built(key: &str) -> bool {
    let built = [
        ("webhook", cfg!(feature = "notify-webhook")),
        ("slack", cfg!(feature = "notify-slack")),
        ("teams", cfg!(feature = "notify-teams")),
        ("email", cfg!(feature = "notify-email")),
        ("exec", true),
    ];
    built.contains(&(key, true))
}

fn webhook(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Way> {
    let (url, secret) = (secret(reader, section, "url"), secret(reader, section, "secret"));
    Some(Way::Webhook(WebhookAt {
        url: url?,
        secret: secret?,
    }))
}

fn exec(reader: &mut Reader<'_>, table: &mut Section<'_>) -> Option<Way> {
    let line = line(reader, table);
    let names = words(reader, table, "env", "write names of variables");
    let env = (!names.is_empty()).then(|| ("env".to_owned(), names.join(",")));
    let line = line?;
    let program = Options::of(env).and_then(|options| Notified::new(&line, options));
    match program {
        Ok(program) => Some(Way::Exec(program)),
        Err(fault) => {
            let (at, key) = (table.place_of("exec"), table.key("exec"));
            reader.mistake(at, &key, "this program cannot be run", &fault.to_string());
            None
        }
    }
}

fn email(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Way> {
    let server = parsed(reader, section, "server", host);
    needed(
        reader,
        section,
        "server",
        "write the host of the mail server: smtp.example.com",
    );
    let encryption = one_of(reader, section, "tls", &Encryption::ALL, Encryption::name);
    let encryption = encryption.map_or(Encryption::StartTls, |taken| taken.value);
    let port = number(reader, section, "port", 1..=65_535);
    let port = port.and_then(|port| u16::try_from(port).ok());
    let from = parsed(reader, section, "from", address).map(|taken| taken.value);
    needed(reader, section, "from", "write who sends it: rotate@example.com");
    let to = addresses(reader, section);
    let to_owner = flag(reader, section, "to_owner");
    let was_told = section.was_there("to") || to_owner;
    if !was_told {
        let at = section.span.clone();
        let remedy = "write to = [\"…\"], or to_owner = true";
        reader.mistake(Some(at), &section.key("to"), "nobody gets it", remedy);
    }
    let user = parsed(reader, section, "user", |text| {
        match text.is_empty() || text.chars().any(char::is_control) {
            true => Err("write as whom to log in".to_owned()),
            false => Ok(text.to_owned()),
        }
    });
    let password = references(reader, section, "password");
    let login = match (user, password) {
        (Some(user), Some(password)) => Some(Login {
            user: user.value,
            password,
        }),
        (None, None) => None,
        (user, _) => {
            let at = section.span.clone();
            let (key, remedy) = match user {
                Some(_) => (
                    "password_env",
                    "write password_env, password_file or password_credential",
                ),
                None => ("user", "write as whom to log in"),
            };
            reader.mistake(Some(at), &section.key(key), "half of the login is missing", remedy);
            None
        }
    };
    let ca_file = path(reader, section, "ca_file").map(|taken| taken.value);
    if encryption == Encryption::None {
        in_the_clear(reader, section, server.as_ref(), login.is_some());
    }
    Some(Way::Email(Box::new(Email {
        server: server?.value,
        port: port.unwrap_or(encryption.usual_port()),
        encryption,
        from: from?,
        to,
        to_owner,
        login,
        ca_file,
    })))
}

/// Without encryption, mail goes to this machine alone, and no password goes anywhere.
fn in_the_clear(reader: &mut Reader<'_>, section: &Section<'_>, server: Option<&Taken<String>>, has_login: bool) {
    let at = section.place_of("tls");
    let key = section.key("tls");
    let is_elsewhere = server.is_some_and(|server| {
        let bracketed = match server.value.contains(':') {
            true => format!("http://[{}]/", server.value),
            false => format!("http://{}/", server.value),
        };
        host_elsewhere(&bracketed).is_some()
    });
    if is_elsewhere {
        let what = "without encryption, everybody on the way would read the mail";
        reader.mistake(
            at.clone(),
            &key,
            what,
            "write tls = \"starttls\" or \"tls\"; none is for a server on this machine",
        );
    }
    if has_login {
        let what = "without encryption, everybody on the way would read the password";
        reader.mistake(
            at,
            &key,
            what,
            "write tls = \"starttls\" or \"tls\", or leave the login out",
        );
    }
}

fn host(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-._:".contains(letter);
    let is_one = (1..=253).contains(&text.len()) && text.chars().all(fits) && !text.starts_with(['-', '.']);
    let is_host = is_one && (!text.contains(':') || text.parse::<std::net::Ipv6Addr>().is_ok());
    match is_host {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("write the host alone, without a port: smtp.example.com".to_owned()),
    }
}

fn address(text: &str) -> Result<String, String> {
    match is_mail_address(text) {
        true => Ok(text.to_owned()),
        false => Err("write one plain address: name@example.com".to_owned()),
    }
}

fn addresses(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<String> {
    let was_there = section.has("to");
    let before = reader.mistakes();
    let mut all = Vec::new();
    for Taken { value, span } in texts(reader, section, "to") {
        match address(&value) {
            Ok(address) => all.push(address),
            Err(remedy) => reader.mistake(Some(span), &section.key("to"), "this value is not understood", &remedy),
        }
    }
    if was_there && all.is_empty() && reader.mistakes() == before {
        names_nobody(reader, section, "to");
    }
    all
}

/// A list in which nobody stands: whoever wrote it believes that somebody does.
fn names_nobody(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) {
    let remedy = "name at least one, or leave it out";
    reader.mistake(section.place_of(key), &section.key(key), "it names nobody", remedy);
}

fn needed(reader: &mut Reader<'_>, section: &Section<'_>, key: &str, remedy: &str) {
    if !section.was_there(key) {
        let at = section.span.clone();
        reader.mistake(Some(at), &section.key(key), "it is missing", remedy);
    }
}

/// Where something is that is no matter of this file; it has to be somewhere.
fn secret(reader: &mut Reader<'_>, section: &mut Section<'_>, what: &str) -> Option<SecretFrom> {
    let before = reader.mistakes();
    let found = references(reader, section, what);
    if found.is_none() && reader.mistakes() == before {
        let (at, key) = (section.span.clone(), section.key(&format!("{what}_env")));
        let remedy = format!("write {what}_env, {what}_file or {what}_credential");
        reader.mistake(Some(at), &key, "it is missing", &remedy);
    }
    found
}

fn references(reader: &mut Reader<'_>, section: &mut Section<'_>, what: &str) -> Option<SecretFrom> {
    let keys = ["env", "file", "credential"].map(|place| format!("{what}_{place}"));
    let [env, file, credential] = &keys;
    let variable = parsed(reader, section, env, name_of_a_place).map(|taken| SecretFrom::Variable(taken.value));
    let at_path = path(reader, section, file).map(|taken| SecretFrom::File(taken.value));
    let handed = parsed(reader, section, credential, name_of_a_place).map(|taken| SecretFrom::Credential(taken.value));
    let mut places = keys.iter().filter_map(|key| Some((key, section.place_of(key)?)));
    if let (Some(_), Some((second, at))) = (places.next(), places.next()) {
        let remedy = format!("write one of {}", keys.join(", "));
        reader.mistake(Some(at), &section.key(second), "it has several places", &remedy);
    }
    variable.or(at_path).or(handed)
}
