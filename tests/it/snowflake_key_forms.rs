//! Every private key that OpenSSL wrote and Snowflake's own tools log in with is read here too, as the administrator's own key
//! and as `--current-key`; every other one is told as what it is, with the command that converts it, which does.
//!
//! Leans on `openssl`, which makes each of the files and shares no code with this program, and on the strict fake.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rotate_fixtures::snowflake::{Means, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// Letters of two bytes and of none at all in ASCII: PKCS#12 turns them into UTF-16.
const PASSPHRASE: &str = "p\u{e4}ssw\u{f6}rd \u{1f511}";

const TO_GET_OPENSSL: &str = "these tests need the program `openssl`, version 3 (apt-get install openssl, \
                              dnf install openssl, brew install openssl@3)";

/// Runs a command line in this folder, as a person would type it; it has to be content.
#[track_caller]
fn shell(folder: &Path, line: &str) -> Vec<u8> {
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .current_dir(folder)
        .env("PASSPHRASE", PASSPHRASE);
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("sh cannot be started: {error}"));
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {talk}; {TO_GET_OPENSSL}");
    output.stdout
}

fn put(place: &SnowflakeWorkplace, name: &str, content: impl AsRef<[u8]>) {
    let path = place.path(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A place with the administrator's key in the file `plain.p8`; it is registered, and there is no other way in.
fn place_of(key: &TestKey) -> SnowflakeWorkplace {
    let place = SnowflakeWorkplace::in_memory(ROTATE);
    place
        .cloud
        .set_key(place.cloud.admin_user(), Slot::One, key.public_base64());
    put(&place, "plain.p8", key.private_pem());
    place
}

fn folder(place: &SnowflakeWorkplace) -> std::path::PathBuf {
    place.path("")
}

/// The one-shot command, with the administrator logging in with this file, if it opens with this passphrase.
fn as_administrator(place: &SnowflakeWorkplace, name: &str, passphrase: Option<&str>) -> Command {
    let mut command = place.rotate(["--cutover", "immediate", "--soak", "0s"]);
    command
        .env_remove("SNOWFLAKE_PASSWORD")
        .env("SNOWFLAKE_PRIVATE_KEY_FILE", place.path(name));
    if let Some(passphrase) = passphrase {
        command.env("PRIVATE_KEY_PASSPHRASE", passphrase);
    }
    command
}

/// Stops the test unless this file is the administrator's way in, and is read as `--current-key` as well.
#[track_caller]
fn expect_read(place: &SnowflakeWorkplace, key: &TestKey, name: &str, passphrase: Option<&str>) {
    // As one of two keys that the user has, it is known for the live one.
    place.cloud.set_key(USER, Slot::Two, key.public_base64());
    let mut current = place.rotate(["--dry-run", "--current-key", name]);
    if let Some(passphrase) = passphrase {
        put(place, "passphrase", passphrase);
        current.args(["--passphrase-file", "passphrase"]);
    }
    Ran::of(current)
        .expect(3)
        .says(&[&format!("{}: live", key.fingerprint())]);
    place.cloud.unset_key(USER, Slot::Two);
    let before = place.cloud.logins().len();
    Ran::of(as_administrator(place, name, passphrase)).expect(0);
    let with_key = Means::KeyPair(key.fingerprint().to_owned());
    let logins = place.cloud.logins();
    let own: Vec<&Means> = logins[before..]
        .iter()
        .filter(|login| login.user != USER)
        .map(|login| &login.means)
        .collect();
    assert!(
        !own.is_empty() && own.iter().all(|means| **means == with_key),
        "{name}: {own:?}"
    );
}

#[test]
fn a_key_is_found_among_other_blocks_and_whatever_is_blank_around_it() {
    let key = TestKey::numbered(4);
    let pem = key.private_pem();
    let (first, rest) = pem.split_once('\n').unwrap();
    for (what, form) in [
        ("a certificate behind it", "KEYCERT".to_owned()),
        ("a certificate before it", "CERTKEY".to_owned()),
        (
            "another key behind it",
            format!("KEY{}", TestKey::numbered(5).private_pem()),
        ),
        ("blanks at line ends", pem.replace('\n', "  \t\n")),
        ("Windows line ends", pem.replace('\n', "\r\n")),
        ("blanks and Windows line ends", pem.replace('\n', " \r\n")),
        (
            "blanks before lines",
            format!("{first}\n{}", rest.replace('\n', "\n  ")),
        ),
        (
            "a bag's attributes before it",
            format!("Bag Attributes\n    friendlyName: etl\n{pem}"),
        ),
        ("no line break at the end", pem.trim_end().to_owned()),
    ] {
        let place = place_of(&key);
        let certificate = "openssl req -x509 -new -key plain.p8 -subj /CN=etl -days 2";
        let certificate = String::from_utf8(shell(&folder(&place), certificate)).unwrap();
        let form = form.replace("CERTKEY", &format!("{certificate}{pem}"));
        let form = form.replace("KEYCERT", &format!("{pem}{certificate}"));
        let form = form.replace("KEY-----BEGIN", &format!("{pem}-----BEGIN"));
        put(&place, what, form);
        expect_read(&place, &key, what, None);
    }
}

#[test]
fn a_key_under_the_encryption_of_pkcs12_opens_with_its_passphrase_and_no_other() {
    let key = TestKey::numbered(4);
    for rounds in [2048, 1] {
        let place = place_of(&key);
        let line = format!(
            "umask 077; openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -iter {rounds} -in plain.p8 -out admin.p8 -passout env:PASSPHRASE"
        );
        shell(&folder(&place), &line);
        for wrong in ["passw\u{f6}rd", "", PASSPHRASE.trim_end_matches('\u{1f511}')] {
            let words: &[&str] = if wrong.is_empty() {
                &["is encrypted", "PRIVATE_KEY_PASSPHRASE"]
            } else {
                &["the passphrase does not open it"]
            };
            Ran::of(as_administrator(&place, "admin.p8", Some(wrong)))
                .expect(1)
                .says(words);
        }
        assert!(place.cloud.calls().is_empty());
        expect_read(&place, &key, "admin.p8", Some(PASSPHRASE));
    }
}

/// Each file, the line that makes it, what it is told as, and whether the told command needs a passphrase.
const OTHERS: &[(&str, &str, &[&str])] = &[
    (
        "my key.pem",
        "openssl rsa -traditional -in plain.p8 -out 'my key.pem'",
        &["PKCS#1 form", "convert it with: openssl pkcs8 -topk8 -nocrypt"],
    ),
    (
        "traditional.pem",
        "openssl rsa -traditional -aes256 -passout env:PASSPHRASE -in plain.p8 -out traditional.pem",
        &[
            "PKCS#1 form",
            "DEK-Info",
            "convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc",
        ],
    ),
    (
        "des.pem",
        "openssl rsa -traditional -des3 -passout env:PASSPHRASE -in plain.p8 -out des.pem",
        &[
            "PKCS#1 form",
            "DEK-Info",
            "convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc",
        ],
    ),
    (
        "curve.p8",
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out curve.p8",
        &["elliptic curve", "RSA keys only"],
    ),
    (
        "sec1.pem",
        "openssl ecparam -name prime256v1 -genkey -out sec1.pem",
        &["elliptic curve", "RSA keys only"],
    ),
    (
        "ed25519.p8",
        "openssl genpkey -algorithm ed25519 -out ed25519.p8",
        &["not an RSA key", "RSA keys only"],
    ),
    (
        "public.pem",
        "openssl pkey -in plain.p8 -pubout -out public.pem",
        &["is a public key", "the private one"],
    ),
    (
        "certificate.pem",
        "openssl req -x509 -new -key plain.p8 -subj /CN=etl -days 2 -out certificate.pem",
        &["is a certificate", "the private one"],
    ),
    (
        "openssh",
        "printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\\nAAAA\\n-----END OPENSSH PRIVATE KEY-----\\n' > openssh",
        &["OpenSSH's own form", "ssh-keygen -p -m PKCS8 -f"],
    ),
];

#[test]
fn any_other_key_is_told_as_what_it_is_and_converted_by_the_command_that_is_told() {
    let key = TestKey::numbered(4);
    for (name, making, words) in OTHERS {
        let place = place_of(&key);
        shell(&folder(&place), &format!("umask 077; {making}"));
        let ran = Ran::of(place.rotate(["--current-key", name])).expect(64);
        let ran = ran.says(&["--current-key", name, "nothing was touched"]).says(words);
        assert!(!ran.stderr.contains("damaged"), "{}", ran.stderr);
        let ran = Ran::of(as_administrator(&place, name, None)).expect(1).says(words);
        assert!(place.cloud.calls().is_empty());
        let Some((_, command)) = ran.stderr.split_once("convert it with: ") else {
            continue;
        };
        let command = command.lines().next().unwrap().trim_end_matches(" (before any call)");
        let needs_passphrase = command.contains(" -v2 ");
        let passphrases = if needs_passphrase {
            " -passin env:PASSPHRASE -passout env:PASSPHRASE"
        } else {
            ""
        };
        // From any folder: it names the whole path.
        shell(Path::new("/"), &format!("{command}{passphrases}"));
        let converted = format!("{name}.p8");
        expect_read(&place, &key, &converted, needs_passphrase.then_some(PASSPHRASE));
    }
}
