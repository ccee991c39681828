//! Private keys' files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rotate_fixtures::snowflake::{Slot, SnowCli, TestKey};

use super::{CONNECTIONS, Ground, each};

/// A private key's file: how it is made of `plain.p8`, and whether each tool logs in with it.
struct Form {
    what: &'static str,
    making: &'static str,
    snow: bool,
    rotate: bool,
}

/// A form that both take, or both refuse.
const fn form(what: &'static str, making: &'static str, logs_in: bool) -> Form {
    Form {
        what,
        making,
        snow: logs_in,
        rotate: logs_in,
    }
}

const FORMS: &[Form] = &[
    form("PKCS#8", "cp plain.p8 admin.p8", true),
    form(
        "PBES2 as OpenSSL writes it",
        "openssl pkcs8 -topk8 -in plain.p8 -passout env:PASS -out admin.p8",
        true,
    ),
    form(
        "PBES2 with triple DES, as the vendor's instructions have it",
        "openssl pkcs8 -topk8 -v2 des3 -in plain.p8 -passout env:PASS -out admin.p8",
        true,
    ),
    form(
        "PBES2 with scrypt",
        "openssl pkcs8 -topk8 -scrypt -in plain.p8 -passout env:PASS -out admin.p8",
        true,
    ),
    form(
        "PBES1 with triple DES",
        "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in plain.p8 -passout env:PASS -out admin.p8",
        true,
    ),
    form(
        "PBES1 with two keys of DES",
        "openssl pkcs8 -topk8 -v1 PBE-SHA1-2DES -in plain.p8 -passout env:PASS -out admin.p8",
        false,
    ),
    form(
        "another passphrase",
        "openssl pkcs8 -topk8 -in plain.p8 -passout pass:another -out admin.p8",
        false,
    ),
    form(
        "a certificate behind it",
        "openssl req -x509 -new -key plain.p8 -subj /CN=etl -days 2 -out cert.pem && cat plain.p8 cert.pem > admin.p8",
        true,
    ),
    form("another key behind it", "cat plain.p8 other.p8 > admin.p8", true),
    form("another key before it", "cat other.p8 plain.p8 > admin.p8", false),
    form("blanks at line ends", "sed 's/$/  /' plain.p8 > admin.p8", true),
    form(
        "Windows line ends",
        "awk '{ printf \"%s\\r\\n\", $0 }' plain.p8 > admin.p8",
        true,
    ),
    form(
        "no line break at the end",
        "printf %s \"$(cat plain.p8)\" > admin.p8",
        true,
    ),
    form("PKCS#1", "openssl rsa -traditional -in plain.p8 -out admin.p8", false),
    form(
        "PKCS#1 with DEK-Info",
        "openssl rsa -traditional -aes256 -passout env:PASS -in plain.p8 -out admin.p8",
        false,
    ),
    form(
        "an elliptic curve",
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out admin.p8",
        false,
    ),
    form("a public key", "openssl pkey -in plain.p8 -pubout -out admin.p8", false),
    form("half a key", "head -c 900 plain.p8 > admin.p8", false),
    form("nothing", ": > admin.p8", false),
    // The connector behind `snow` takes it, and `snow` looks at the first letters of a file.
    Form {
        what: "a certificate before it",
        making: "openssl req -x509 -new -key plain.p8 -subj /CN=etl -days 2 -out cert.pem && cat cert.pem plain.p8 > admin.p8",
        snow: false,
        rotate: true,
    },
];

#[test]
fn every_private_key_that_snow_logs_in_with_logs_in_here() {
    let snow = SnowCli::install();
    each(FORMS, |one| log_in_with(&snow, one));
}

fn log_in_with(snow: &SnowCli, form: &Form) {
    const PASSPHRASE: &str = "correct horse battery";
    let ground = Ground::new();
    let (own, other) = (TestKey::numbered(4), TestKey::numbered(5));
    ground.place.cloud.set_key("FILE_ADMIN", Slot::One, own.public_base64());
    ground.put("plain.p8", own.private_pem());
    ground.put("other.p8", other.private_pem());
    let made = Command::new("sh")
        .args(["-c", form.making])
        .current_dir(ground.home.path())
        .env("PASS", PASSPHRASE)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}: {made:?}", form.what);
    let file = ground.home.path().join("admin.p8");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    ground.put(
        CONNECTIONS,
        &format!(
            "[ops]\naccount = \"TESTORG-TESTACCT\"\nuser = \"FILE_ADMIN\"\nauthenticator = \"SNOWFLAKE_JWT\"\n\
             private_key_file = \"{}\"\nAT_FIRST\n",
            file.display()
        ),
    );
    let environment = [("PRIVATE_KEY_PASSPHRASE", PASSPHRASE)];
    let options = ["--connection", "ops"];
    let (theirs, said) = ground.by_snow(snow, &environment, &options);
    let (ours, ran) = ground.by_rotate(&environment, &options);
    assert_eq!(theirs.is_some(), form.snow, "snow: {}: {said}", form.what);
    assert_eq!(ours.is_some(), form.rotate, "rotate: {}: {ran:#?}", form.what);
}
