//! Whose word it is, for the journal: what the system says, and beside it, marked as a claim, what anybody can set.

use std::fs::File;
use std::io::{BufRead, BufReader};

/// Where the system keeps the names of its own users.
const USERS: &str = "/etc/passwd";

/// No such file is longer.
const LONGEST: u64 = 1 << 20;

/// The user who runs this, by the number that the kernel knows, and the name that belongs to it on this machine. What sudo
/// and the shell say of who that is can be set by anybody, so it is told as what it is.
pub(super) fn person() -> String {
    let uid = rustix::process::getuid().as_raw();
    let known = File::open(USERS)
        .ok()
        .and_then(|users| name_of(uid, BufReader::new(users)));
    let claims = ["SUDO_USER", "USER", "LOGNAME"];
    told(
        uid,
        known.as_deref(),
        claims.map(|name| (name, std::env::var(name).ok())),
    )
}

/// `maria (uid 1000)`; `root (uid 0), SUDO_USER claims maria`.
fn told(uid: u32, known: Option<&str>, claims: [(&str, Option<String>); 3]) -> String {
    let who = match known {
        Some(name) => format!("{name} (uid {uid})"),
        None => format!("uid {uid}"),
    };
    let mut claims = claims
        .into_iter()
        .filter_map(|(variable, name)| Some((variable, name?)));
    let claim = claims.find(|(_, name)| is_name(name));
    match claim {
        Some((variable, name)) if Some(name.as_str()) != known => format!("{who}, {variable} claims {name}"),
        _ => who,
    }
}

/// A name that a system gives to a user; of a domain perhaps.
fn is_name(text: &str) -> bool {
    let fits = |letter: char| letter.is_alphanumeric() || "._-@+$\\".contains(letter);
    !text.is_empty() && text.chars().count() <= 64 && text.chars().all(fits)
}

/// `name:x:1000:…`, one user a line.
fn name_of(uid: u32, users: impl BufRead) -> Option<String> {
    let lines = users.take(LONGEST).lines().map_while(Result::ok);
    lines
        .filter_map(|line| {
            let mut fields = line.split(':');
            let (name, number) = (fields.next()?, fields.nth(1)?);
            (number.parse() == Ok(uid)).then(|| name.to_owned())
        })
        .find(|name| is_name(name))
}

#[cfg(test)]
mod tests {
    use super::{name_of, told};

    fn claims(sudo: Option<&str>, user: Option<&str>) -> [(&'static str, Option<String>); 3] {
        let owned = |name: Option<&str>| name.map(str::to_owned);
        [("SUDO_USER", owned(sudo)), ("USER", owned(user)), ("LOGNAME", None)]
    }

    #[test]
    fn what_sudo_says_stands_beside_the_real_user_and_is_called_a_claim() {
        let of = |known, sudo, user| told(0, known, claims(sudo, user));
        assert_eq!(
            of(Some("root"), Some("maria"), Some("root")),
            "root (uid 0), SUDO_USER claims maria"
        );
        assert_eq!(of(Some("root"), None, Some("root")), "root (uid 0)");
        assert_eq!(of(Some("root"), None, Some("maria")), "root (uid 0), USER claims maria");
        assert_eq!(of(None, None, Some("maria")), "uid 0, USER claims maria");
        assert_eq!(of(None, None, None), "uid 0");
    }

    #[test]
    fn a_claim_that_is_no_name_is_not_repeated() {
        let long = "m".repeat(65);
        for harm in [
            "\u{1b}[2J",
            "a\nb",
            "\u{202e}x",
            "@team root (uid 0)",
            "<b>",
            "a b",
            "",
            &long,
        ] {
            let said = told(1000, Some("maria"), claims(Some(harm), None));
            assert_eq!(said, "maria (uid 1000)", "{harm:?}");
        }
    }

    #[test]
    fn the_systems_own_name_is_the_one_of_the_number() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\nbad line\nmaria:x:1000:1000::/home/maria:/bin/sh\n\u{1b}:x:7:7::/:/x\n";
        assert_eq!(name_of(1000, users.as_bytes()).as_deref(), Some("maria"));
        assert_eq!(name_of(0, users.as_bytes()).as_deref(), Some("root"));
        for nobody in [7, 8] {
            assert_eq!(name_of(nobody, users.as_bytes()), None);
        }
    }
}
