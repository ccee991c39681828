//! The new key is what others take for one: OpenSSL reads it and computes the same fingerprint, and the vendor's own
//! connector for Python logs in with it; with and without a passphrase, whose file has rules of its own.
//!
//! Leans on `openssl` and on PyPI, which share no code with this program, and on the strict fake, which verifies what
//! the connector signs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

mod passphrase;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rotate_fixtures::snowflake::{Means, PythonConnector, PythonLine, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};
use rotate_fixtures::{Ran, SnowflakeWorkplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// The whole rotation in one command.
const AT_ONCE: [&str; 4] = ["--cutover", "immediate", "--soak", "0s"];

const PASSPHRASE: &str = "correct horse battery staple";

const TO_GET_OPENSSL: &str = "these tests need the program `openssl`, version 3 (apt-get install openssl, \
                              dnf install openssl, brew install openssl@3)";

fn fresh() -> SnowflakeWorkplace {
    SnowflakeWorkplace::in_memory(ROTATE)
}

/// Runs `openssl` with this input; what it answered, and whether it was content.
fn try_openssl(arguments: &[&str], input: &[u8]) -> (bool, Vec<u8>, String) {
    let mut command = rotate_fixtures::tool("openssl");
    command.args(arguments).stdin(Stdio::piped());
    let started = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.unwrap_or_else(|error| panic!("openssl cannot be started: {error}; {TO_GET_OPENSSL}"));
    // It may have left before it has read anything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), output.stdout, talk)
}

/// The same; it has to be content.
#[track_caller]
fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let (is_content, answer, talk) = try_openssl(arguments, input);
    assert!(is_content, "openssl {arguments:?}: {talk}; {TO_GET_OPENSSL}");
    answer
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// How keys were encrypted by `openssl pkcs8 -topk8` over the years, the vendor's own instructions among them.
const BY_OPENSSL: [&[&str]; 5] = [
    &[],
    // The encryption of PKCS#12, which older tools wrote into PKCS#8 without being asked.
    &["-v1", "PBE-SHA1-3DES"],
    &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"],
    &["-v2", "des3"],
    &["-v2", "des3", "-v2prf", "hmacWithSHA1"],
];

/// A key in a file of this name, encrypted by `openssl` with these options; the file `passphrase` opens it.
fn encrypted_by_openssl(place: &SnowflakeWorkplace, key: &TestKey, name: &str, options: &[&str]) -> PathBuf {
    let passphrase = write(place, "passphrase", format!("{PASSPHRASE}\n"), 0o600);
    let plain = write(place, "plain.p8", key.private_pem(), 0o600);
    let encrypted = place.path(name);
    let source = format!("file:{}", text(&passphrase));
    let arguments = [
        "pkcs8",
        "-topk8",
        "-in",
        text(&plain),
        "-out",
        text(&encrypted),
        "-passout",
        &source,
    ];
    openssl(&[&arguments[..], options].concat(), &[]);
    fs::remove_file(plain).unwrap();
    fs::set_permissions(&encrypted, fs::Permissions::from_mode(0o600)).unwrap();
    encrypted
}

/// What `DESC USER` shows of this public key: `SHA256:` and base64, by OpenSSL's reckoning.
fn fingerprint_by_openssl(public_der: &[u8]) -> String {
    let digest = openssl(&["dgst", "-sha256", "-binary"], public_der);
    let base64 = openssl(&["base64", "-A"], &digest);
    format!("SHA256:{}", String::from_utf8(base64).unwrap().trim())
}

/// A file of this mode in the place.
fn write(place: &SnowflakeWorkplace, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
    let path = place.path(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// Begins a rotation to an encrypted key, whose passphrase is in the file `passphrase`.
fn rotate_encrypted(place: &SnowflakeWorkplace, more: &[&str]) -> Command {
    place.rotate([&["--passphrase-file", "passphrase", "--verify-deadline", "1s"], more].concat())
}

/// A rotation to an encrypted key that waits for a person.
fn delivered_encrypted() -> SnowflakeWorkplace {
    let place = fresh();
    write(&place, "passphrase", format!("{PASSPHRASE}\n"), 0o600);
    Ran::of(rotate_encrypted(&place, &[])).expect(0);
    assert_eq!(place.state_name(), "delivered");
    place
}

// The key.

#[test]
fn openssl_reads_the_key_at_every_length_and_finds_the_registered_fingerprint() {
    std::thread::scope(|scope| {
        for bits in ["2048", "3072", "4096"] {
            scope.spawn(move || {
                let place = fresh();
                Ran::of(place.rotate([&AT_ONCE[..], &["--key-bits", bits]].concat())).expect(0);
                let file = place.delivered();
                let told = openssl(&["pkey", "-in", text(&file), "-noout", "-text", "-check"], &[]);
                let told = String::from_utf8(told).unwrap();
                for words in ["Key is valid", &format!("({bits} bit, 2 primes)"), "65537"] {
                    assert!(told.contains(words), "{words}: {told}");
                }
                let public = openssl(&["pkey", "-in", text(&file), "-pubout", "-outform", "DER"], &[]);
                let [_, registered] = place.fingerprints();
                assert_eq!(registered, Some(fingerprint_by_openssl(&public)));
                // The public key's file is the other half of the same pair.
                let beside = place.path("rsa_key_new.pub");
                let beside = openssl(&["pkey", "-pubin", "-in", text(&beside), "-outform", "DER"], &[]);
                assert_eq!(beside, public);
                assert!(place.holder_of(&file).works());
            });
        }
    });
}

#[test]
fn the_key_is_pkcs8_and_nothing_else() {
    let place = fresh();
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    let pem = fs::read_to_string(place.delivered()).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{}", &pem[..30]);
    assert!(pem.ends_with("-----END PRIVATE KEY-----\n"));
    assert!(!pem.contains('\r') && pem.lines().all(|line| line.len() <= 64));
    assert_eq!(pem.matches("-----").count(), 4, "one key in one file");
    let structure = openssl(&["asn1parse"], pem.as_bytes());
    let structure = String::from_utf8(structure).unwrap();
    let mut lines = structure.lines();
    // A sequence of version 0, the algorithm, and the key in an octet string.
    for words in [
        "SEQUENCE",
        "INTEGER           :00",
        "SEQUENCE",
        ":rsaEncryption",
        "NULL",
        "OCTET STRING",
    ] {
        let line = lines.next().unwrap();
        assert!(line.contains(words), "{words}: {structure}");
    }
    // OpenSSL would write the very same bytes.
    let rewritten = openssl(&["pkcs8", "-topk8", "-nocrypt"], pem.as_bytes());
    assert_eq!(String::from_utf8(rewritten).unwrap(), pem);
}

#[test]
fn an_encrypted_key_is_pbes2_and_opens_with_the_passphrase_alone() {
    let place = fresh();
    let passphrase = write(&place, "passphrase", format!("{PASSPHRASE}\n"), 0o600);
    Ran::of(rotate_encrypted(&place, &AT_ONCE)).expect(0);
    let file = place.delivered();
    let pem = fs::read_to_string(&file).unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert!(pem.ends_with("-----END ENCRYPTED PRIVATE KEY-----\n"));
    let structure = String::from_utf8(openssl(&["asn1parse"], pem.as_bytes())).unwrap();
    for object in [":PBES2", ":PBKDF2", ":hmacWithSHA256", ":aes-256-cbc"] {
        assert!(structure.contains(object), "{object}: {structure}");
    }
    let source = format!("file:{}", text(&passphrase));
    let opened = ["pkey", "-in", text(&file), "-passin", &source];
    let public = openssl(&[&opened[..], &["-pubout", "-outform", "DER"]].concat(), &[]);
    let [_, registered] = place.fingerprints();
    assert_eq!(registered, Some(fingerprint_by_openssl(&public)));
    for wrong in [
        "pass:",
        "pass:correct horse battery stapl",
        "pass:Correct horse battery staple",
    ] {
        let (is_content, _, _) = try_openssl(&["pkey", "-in", text(&file), "-passin", wrong, "-noout"], &[]);
        assert!(!is_content, "it opens with {wrong}");
    }
}

#[test]
fn no_two_encrypted_keys_share_a_salt() {
    let place = delivered_encrypted();
    let first = openssl(&["asn1parse"], &fs::read(place.delivered()).unwrap());
    place.run(["abort", TARGET]).expect(0);
    Ran::of(rotate_encrypted(&place, &[])).expect(0);
    let second = openssl(&["asn1parse"], &fs::read(place.delivered()).unwrap());
    // The salt and the initial vector are the two octet strings before the key.
    let strings = |structure: Vec<u8>| -> Vec<String> {
        let structure = String::from_utf8(structure).unwrap();
        let octets = structure.lines().filter(|line| line.contains("OCTET STRING"));
        octets.map(|line| line.rsplit(':').next().unwrap().to_owned()).collect()
    };
    let (first, second) = (strings(first), strings(second));
    assert_eq!(first.len(), 3);
    for (one, other) in first.iter().zip(&second).take(2) {
        assert_eq!(one.len(), 32, "sixteen bytes: {one}");
        assert_ne!(one, other);
    }
}

#[test]
fn the_vendors_connector_logs_in_with_the_key() {
    let python = PythonConnector::install(PythonLine::Current);
    let place = fresh();
    Ran::of(place.rotate(AT_ONCE)).expect(0);
    let user = python.current_user(&place.cloud, USER, &place.delivered(), None);
    assert_eq!(user.as_deref(), Ok(USER));
    place.cloud.expect_all_understood();
}

#[test]
fn the_vendors_connector_logs_in_with_the_encrypted_key() {
    for line in PythonLine::ALL {
        let python = PythonConnector::install(line);
        let place = fresh();
        write(&place, "passphrase", format!("{PASSPHRASE}\n"), 0o600);
        Ran::of(rotate_encrypted(
            &place,
            &[&AT_ONCE[..], &["--key-bits", "3072"]].concat(),
        ))
        .expect(0);
        let user = python.current_user(&place.cloud, USER, &place.delivered(), Some(PASSPHRASE));
        assert_eq!(user.as_deref(), Ok(USER), "{line:?}");
    }
}

/// The consumer's own key may be under the same passphrase, as OpenSSL writes it.
#[test]
fn an_encrypted_key_of_openssl_shows_which_key_is_live() {
    for options in BY_OPENSSL {
        let place = fresh();
        let second = TestKey::numbered(2);
        place.cloud.set_key(USER, Slot::Two, second.public_base64());
        encrypted_by_openssl(&place, &place.old, "current.p8", options);
        let ran = Ran::of(rotate_encrypted(&place, &["--current-key", "current.p8"])).expect(3);
        // The old key is known; the other one is still in the way.
        assert!(
            ran.stderr.contains(&format!("{}: live", place.old.fingerprint())),
            "{options:?}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains("UNSET RSA_PUBLIC_KEY_2"), "{}", ran.stderr);
    }
}

/// The vendor's client knows fewer ciphers than are read here.
#[test]
fn an_administrator_logs_in_with_any_key_that_openssl_encrypted() {
    for options in BY_OPENSSL {
        let place = fresh();
        let own = TestKey::numbered(4);
        let admin = place.cloud.admin_user();
        place.cloud.set_key(admin, Slot::One, own.public_base64());
        let file = encrypted_by_openssl(&place, &own, "admin.p8", options);
        let mut command = place.rotate(AT_ONCE);
        command
            .env_remove("SNOWFLAKE_PASSWORD")
            .env("SNOWFLAKE_PRIVATE_KEY_FILE", file)
            .env("PRIVATE_KEY_PASSPHRASE", PASSPHRASE);
        Ran::of(command).expect(0);
        let logins = place.cloud.logins().into_iter();
        let means: Vec<Means> = logins
            .filter(|login| login.user == admin)
            .map(|login| login.means)
            .collect();
        let with_key = Means::KeyPair(own.fingerprint().to_owned());
        assert!(!means.is_empty(), "{options:?}");
        assert!(means.iter().all(|means| *means == with_key), "{options:?}: {means:?}");
    }
}

#[test]
fn a_key_under_a_cipher_that_is_not_known_is_said_to_be_one_and_can_be_converted_as_told() {
    for options in [&["-v1", "PBE-SHA1-2DES"], &["-v2", "camellia-256-cbc"]] {
        let place = fresh();
        let current = encrypted_by_openssl(&place, &place.old, "current.p8", options);
        let ran = Ran::of(rotate_encrypted(&place, &["--current-key", "current.p8"])).expect(64);
        assert!(!ran.stderr.contains("damaged"), "{}", ran.stderr);
        ran.says(&[
            "--current-key",
            "current.p8",
            "a cipher that rotate does not know",
            "openssl pkcs8 -topk8 -v2 aes-256-cbc -in current.p8 -out current.p8.p8",
            "nothing was touched",
        ]);
        assert!(place.cloud.calls().is_empty() && !place.state().exists());
        let converted = place.path("converted.p8");
        let passphrase = format!("pass:{PASSPHRASE}");
        let arguments = [
            "pkcs8",
            "-topk8",
            "-v2",
            "aes-256-cbc",
            "-in",
            text(&current),
            "-out",
            text(&converted),
            "-passin",
            &passphrase,
            "-passout",
            &passphrase,
        ];
        openssl(&arguments, &[]);
        fs::set_permissions(&converted, fs::Permissions::from_mode(0o600)).unwrap();
        Ran::of(rotate_encrypted(
            &place,
            &["--current-key", "converted.p8", "--dry-run"],
        ))
        .expect(0);
    }
}
