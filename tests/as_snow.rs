//! "As `snow` has it" is true: in one environment Snowflake's own command line and this program arrive at the same account, user
//! and host, or both fail; and they log in with the same private keys.
//!
//! Leans on `snow` from PyPI, which shares no code with this program, and on two strict fakes, which say who has logged in
//! where. Each tool has a home folder of its own with the same files: `snow` writes into its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use rotate_fixtures::snowflake::{FakeSnowflake, Login, Slot, SnowCli, TestKey};
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};
use tempfile::TempDir;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

const PASSWORD: &str = "only for the fakes";

/// Everyone who may be meant by a connection, by an own variable, by a general one.
const PEOPLE: [&str; 4] = ["FILE_ADMIN", "OWN_ADMIN", "GENERAL_ADMIN", "OTHER_ADMIN"];

/// Where somebody has logged in.
#[derive(Debug, PartialEq, Eq)]
struct Arrived {
    /// `first` or `second`.
    host: &'static str,
    account: String,
    user: String,
    role: String,
}

struct Ground {
    place: SnowflakeWorkplace,
    second: FakeSnowflake,
    home: TempDir,
}

impl Ground {
    fn new() -> Self {
        let place = SnowflakeWorkplace::new(ROTATE);
        let second = FakeSnowflake::start();
        second.add_user(USER);
        second.set_key(USER, Slot::One, place.old.public_base64());
        for cloud in [&place.cloud, &second] {
            for name in PEOPLE {
                cloud.add_user(name);
                for role in ["SECURITYADMIN", "ACCOUNTADMIN"] {
                    cloud.grant_role(role, name);
                }
                cloud.set_default_role(name, "SECURITYADMIN");
                cloud.set_password(name, PASSWORD);
            }
        }
        Self {
            place,
            second,
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// The same file in both homes. `AT_FIRST` and `AT_SECOND` say where the fakes are.
    fn put(&self, name: &str, text: &str) {
        for path in [self.place.path(name), self.home.path().join(name)] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, self.filled(text)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    fn filled(&self, text: &str) -> String {
        let at = |cloud: &FakeSnowflake| format!("host = \"127.0.0.1\"\nport = {}\nprotocol = \"http\"", cloud.port());
        text.replace("AT_FIRST", &at(&self.place.cloud))
            .replace("AT_SECOND", &at(&self.second))
            .replace("PORT_OF_SECOND", &self.second.port().to_string())
            .replace("PASSWORD", &format!("password = \"{PASSWORD}\""))
    }

    /// Who has logged in since the last time.
    fn arrived(&self) -> Option<Arrived> {
        let last = |cloud: &FakeSnowflake| cloud.logins().into_iter().next();
        let found = match (last(&self.place.cloud), last(&self.second)) {
            (Some(login), None) => Some(("first", login)),
            (None, Some(login)) => Some(("second", login)),
            (None, None) => None,
            both => panic!("{both:?}"),
        };
        for cloud in [&self.place.cloud, &self.second] {
            cloud.reset_calls();
        }
        found.map(|(host, login): (_, Login)| Arrived {
            host,
            account: login.account.to_uppercase(),
            user: login.user,
            role: login.role,
        })
    }

    fn by_snow(&self, snow: &SnowCli, environment: &[(&str, &str)], options: &[&str]) -> (Option<Arrived>, String) {
        let said = snow.current_user(self.home.path(), environment.iter().copied(), options);
        let arrived = self.arrived();
        assert_eq!(said.is_ok(), arrived.is_some(), "{said:?} {arrived:?}");
        (arrived, said.unwrap_or_else(|said| said))
    }

    fn by_rotate(&self, environment: &[(&str, &str)], options: &[&str]) -> (Option<Arrived>, Ran) {
        let mut command = self.place.command_with(
            environment.iter().copied(),
            ["snowflake-keypair", "--user", USER, "--dry-run"],
        );
        command.args(options);
        let ran = Ran::of(command);
        let arrived = self.arrived();
        assert_eq!(ran.code == Some(0), arrived.is_some(), "{ran:#?} {arrived:?}");
        (arrived, ran)
    }
}

/// What decides where a login leads.
struct Case {
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    environment: &'static [(&'static str, &'static str)],
    /// As both tools have it, which differ in one letter only.
    connection: Option<&'static str>,
    /// Host, account, user and role; `None`: both fail.
    leads: Option<[&'static str; 4]>,
}

const NAME: (&str, &str) = ("SNOWFLAKE_DEFAULT_CONNECTION_NAME", "ops");

/// A connection with everything in it.
const OPS: &str =
    "[ops]\naccount = \"TESTORG-TESTACCT\"\nuser = \"FILE_ADMIN\"\nrole = \"ACCOUNTADMIN\"\nPASSWORD\nAT_FIRST\n";
const OTHER: &str = "[other]\naccount = \"TESTORG-TESTACCT\"\nuser = \"OTHER_ADMIN\"\nPASSWORD\nAT_SECOND\n";
const BOTH: &str = concat!(
    "[ops]\naccount = \"TESTORG-TESTACCT\"\nuser = \"FILE_ADMIN\"\nPASSWORD\nAT_FIRST\n",
    "[other]\naccount = \"TESTORG-TESTACCT\"\nuser = \"OTHER_ADMIN\"\nPASSWORD\nAT_SECOND\n"
);
const OPS_IN_CONFIG: &str = "[connections.ops]\naccount = \"TESTORG-TESTACCT\"\nuser = \"FILE_ADMIN\"\nrole = \"ACCOUNTADMIN\"\nPASSWORD\nAT_FIRST\n";
const WITHOUT_USER: &str = "[ops]\naccount = \"TESTORG-TESTACCT\"\nPASSWORD\nAT_FIRST\n";
const EMPTY_USER: &str = "[ops]\naccount = \"TESTORG-TESTACCT\"\nuser = \"\"\nPASSWORD\nAT_FIRST\n";
const DEFAULT: &str = "[default]\naccount = \"TESTORG-TESTACCT\"\nuser = \"FILE_ADMIN\"\nPASSWORD\nAT_FIRST\n";

const CONNECTIONS: &str = ".snowflake/connections.toml";
const CONFIG: &str = ".snowflake/config.toml";

const GENERAL: &[(&str, &str)] = &[
    ("SNOWFLAKE_ACCOUNT", "TQ47213"),
    ("SNOWFLAKE_USER", "GENERAL_ADMIN"),
    ("SNOWFLAKE_ROLE", "SECURITYADMIN"),
];

const FROM_FILE: Option<[&str; 4]> = Some(["first", "TESTORG-TESTACCT", "FILE_ADMIN", "ACCOUNTADMIN"]);

const CASES: &[Case] = &[
    Case {
        what: "the file alone",
        files: &[(CONNECTIONS, OPS)],
        environment: &[],
        connection: Some("ops"),
        leads: FROM_FILE,
    },
    Case {
        what: "the file before general variables of another account",
        files: &[(CONNECTIONS, OPS)],
        environment: GENERAL,
        connection: Some("ops"),
        leads: FROM_FILE,
    },
    Case {
        what: "the same, named by a variable",
        files: &[(CONNECTIONS, OPS)],
        environment: &[NAME, GENERAL[0], GENERAL[1], GENERAL[2]],
        connection: None,
        leads: FROM_FILE,
    },
    Case {
        what: "the same in config.toml",
        files: &[(CONFIG, OPS_IN_CONFIG)],
        environment: GENERAL,
        connection: Some("ops"),
        leads: FROM_FILE,
    },
    Case {
        what: "own variables before the file and before general ones",
        files: &[(CONNECTIONS, OPS)],
        environment: &[
            GENERAL[0],
            GENERAL[1],
            GENERAL[2],
            ("SNOWFLAKE_CONNECTIONS_OPS_ACCOUNT", "TQ47213"),
            ("SNOWFLAKE_CONNECTIONS_OPS_USER", "OWN_ADMIN"),
        ],
        connection: Some("ops"),
        leads: Some(["first", "TQ47213", "OWN_ADMIN", "ACCOUNTADMIN"]),
    },
    Case {
        what: "an own variable for the port",
        files: &[(CONNECTIONS, OPS)],
        environment: &[("SNOWFLAKE_CONNECTIONS_OPS_PORT", "PORT_OF_SECOND")],
        connection: Some("ops"),
        leads: Some(["second", "TESTORG-TESTACCT", "FILE_ADMIN", "ACCOUNTADMIN"]),
    },
    Case {
        what: "own variables of another connection",
        files: &[(CONNECTIONS, OPS)],
        environment: &[("SNOWFLAKE_CONNECTIONS_OTHER_USER", "OWN_ADMIN")],
        connection: Some("ops"),
        leads: FROM_FILE,
    },
    Case {
        what: "a general variable for what the file leaves open",
        files: &[(CONNECTIONS, WITHOUT_USER)],
        environment: &[GENERAL[1]],
        connection: Some("ops"),
        leads: Some(["first", "TESTORG-TESTACCT", "GENERAL_ADMIN", "SECURITYADMIN"]),
    },
    Case {
        what: "no general variable for what the file leaves empty",
        files: &[(CONNECTIONS, EMPTY_USER)],
        environment: &[GENERAL[1]],
        connection: Some("ops"),
        leads: None,
    },
    Case {
        what: "nobody at all",
        files: &[(CONNECTIONS, WITHOUT_USER)],
        environment: &[],
        connection: Some("ops"),
        leads: None,
    },
    Case {
        what: "a flag before the variable that names the connection",
        files: &[(CONNECTIONS, BOTH)],
        environment: &[NAME],
        connection: Some("other"),
        leads: Some(["second", "TESTORG-TESTACCT", "OTHER_ADMIN", "SECURITYADMIN"]),
    },
    Case {
        what: "connections.toml in place of all of config.toml",
        files: &[(CONFIG, OPS_IN_CONFIG), (CONNECTIONS, OTHER)],
        environment: &[],
        connection: Some("ops"),
        leads: None,
    },
    Case {
        what: "connections.toml before config.toml",
        files: &[
            (
                CONFIG,
                "[connections.other]\naccount = \"TQ47213\"\nuser = \"FILE_ADMIN\"\nPASSWORD\nAT_FIRST\n",
            ),
            (CONNECTIONS, OTHER),
        ],
        environment: &[],
        connection: Some("other"),
        leads: Some(["second", "TESTORG-TESTACCT", "OTHER_ADMIN", "SECURITYADMIN"]),
    },
    Case {
        what: "an empty connections.toml in place of config.toml",
        files: &[(CONFIG, OPS_IN_CONFIG), (CONNECTIONS, "")],
        environment: &[],
        connection: Some("ops"),
        leads: None,
    },
    Case {
        what: "the default connection",
        files: &[(CONNECTIONS, DEFAULT)],
        environment: &[],
        connection: None,
        leads: Some(["first", "TESTORG-TESTACCT", "FILE_ADMIN", "SECURITYADMIN"]),
    },
    Case {
        what: "the default that config.toml names for connections.toml",
        files: &[(CONFIG, "default_connection_name = \"ops\"\n"), (CONNECTIONS, OPS)],
        environment: &[],
        connection: None,
        leads: FROM_FILE,
    },
    Case {
        what: "a default in connections.toml, where it is none",
        files: &[(
            CONNECTIONS,
            "default_connection_name = \"ops\"\n[ops]\naccount = \"TQ47213\"\n",
        )],
        environment: &[],
        connection: None,
        leads: None,
    },
    Case {
        what: "the variable before the default that config.toml names",
        files: &[(CONFIG, "default_connection_name = \"other\"\n"), (CONNECTIONS, OPS)],
        environment: &[NAME],
        connection: None,
        leads: FROM_FILE,
    },
    Case {
        what: "a default that is not there",
        files: &[(CONFIG, "default_connection_name = \"gone\"\n"), (CONNECTIONS, OPS)],
        environment: &[],
        connection: None,
        leads: None,
    },
    Case {
        what: "a connection that is not there",
        files: &[(CONNECTIONS, OPS)],
        environment: GENERAL,
        connection: Some("gone"),
        leads: None,
    },
    Case {
        what: "the same name twice",
        files: &[(
            CONNECTIONS,
            "[ops]\nuser = \"FILE_ADMIN\"\n\n[ops]\nuser = \"OTHER_ADMIN\"\n",
        )],
        environment: GENERAL,
        connection: Some("ops"),
        leads: None,
    },
    Case {
        what: "all connections in a variable, in place of both files",
        files: &[(CONFIG, OPS_IN_CONFIG), (CONNECTIONS, OTHER)],
        environment: &[("SNOWFLAKE_CONNECTIONS", OPS)],
        connection: Some("ops"),
        leads: FROM_FILE,
    },
    Case {
        what: "a connection of a file that the variable replaces",
        files: &[(CONFIG, OPS_IN_CONFIG), (CONNECTIONS, OTHER)],
        environment: &[("SNOWFLAKE_CONNECTIONS", OPS)],
        connection: Some("other"),
        leads: None,
    },
    Case {
        what: "a variable of all connections that is not TOML",
        files: &[(CONNECTIONS, OPS)],
        environment: &[("SNOWFLAKE_CONNECTIONS", "[ops")],
        connection: Some("ops"),
        leads: None,
    },
    Case {
        what: "SNOWFLAKE_HOME",
        files: &[("named/connections.toml", OPS), (CONNECTIONS, OTHER)],
        environment: &[("SNOWFLAKE_HOME", "~/named")],
        connection: Some("ops"),
        leads: FROM_FILE,
    },
    Case {
        what: "a SNOWFLAKE_HOME that is not there",
        files: &[(".config/snowflake/connections.toml", OPS), (CONNECTIONS, OTHER)],
        environment: &[("SNOWFLAKE_HOME", "~/gone")],
        connection: Some("ops"),
        leads: FROM_FILE,
    },
    Case {
        what: "the folder of connections without a dot",
        files: &[(".config/snowflake/config.toml", OPS_IN_CONFIG)],
        environment: &[],
        connection: Some("ops"),
        leads: FROM_FILE,
    },
    Case {
        what: "a name that is no word",
        files: &[(
            CONNECTIONS,
            "[\"my-ops.eu\"]\naccount = \"TESTORG-TESTACCT\"\nuser = \"FILE_ADMIN\"\nrole = \"ACCOUNTADMIN\"\nPASSWORD\nAT_FIRST\n",
        )],
        environment: &[("SNOWFLAKE_CONNECTIONS_MY-OPS.EU_USER", "OWN_ADMIN")],
        connection: Some("my-ops.eu"),
        leads: Some(["first", "TESTORG-TESTACCT", "OWN_ADMIN", "ACCOUNTADMIN"]),
    },
    Case {
        what: "an account with its region",
        files: &[(
            CONNECTIONS,
            "[ops]\naccount = \"tq47213.cn-northwest-1.aws\"\nuser = \"FILE_ADMIN\"\nrole = \"ACCOUNTADMIN\"\nPASSWORD\nAT_FIRST\n",
        )],
        environment: &[],
        connection: Some("ops"),
        leads: Some(["first", "TQ47213", "FILE_ADMIN", "ACCOUNTADMIN"]),
    },
    Case {
        what: "a user in small letters",
        files: &[(
            CONNECTIONS,
            "[ops]\naccount = \"testorg-testacct\"\nuser = \"file_admin\"\nrole = \"accountadmin\"\nPASSWORD\nAT_FIRST\n",
        )],
        environment: &[],
        connection: Some("ops"),
        leads: FROM_FILE,
    },
];

#[test]
fn both_tools_arrive_at_the_same_account_user_host_and_role_or_both_fail() {
    let snow = SnowCli::install();
    let next = Mutex::new(CASES.iter());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let case = next.lock().unwrap().next();
                    let Some(case) = case else { break };
                    compare(&snow, case);
                }
            });
        }
    });
}

fn compare(snow: &SnowCli, case: &Case) {
    let ground = Ground::new();
    for (path, text) in case.files {
        ground.put(path, text);
    }
    let filled: Vec<(&str, String)> = case
        .environment
        .iter()
        .map(|(name, value)| (*name, ground.filled(value)))
        .collect();
    let environment: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let options: Vec<&str> = case
        .connection
        .into_iter()
        .flat_map(|name| ["--connection", name])
        .collect();
    let (theirs, said) = ground.by_snow(snow, &environment, &options);
    let (ours, ran) = ground.by_rotate(&environment, &options);
    let leads = case.leads.map(|[host, account, user, role]| Arrived {
        host,
        account: account.to_owned(),
        user: user.to_owned(),
        role: role.to_owned(),
    });
    assert_eq!(theirs, leads, "snow: {}: {said}", case.what);
    assert_eq!(ours, leads, "rotate: {}: {ran:#?}", case.what);
}

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
    let next = Mutex::new(FORMS.iter());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let form = next.lock().unwrap().next();
                    let Some(form) = form else { break };
                    log_in_with(&snow, form);
                }
            });
        }
    });
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

/// The one difference that is meant: `snow` takes the file's default connection without a word.
#[test]
fn where_nobody_has_named_one_and_the_environment_differs_snow_takes_the_file_and_rotate_asks() {
    let snow = SnowCli::install();
    let ground = Ground::new();
    ground.put(CONNECTIONS, DEFAULT);
    let (theirs, said) = ground.by_snow(&snow, GENERAL, &[]);
    assert_eq!(
        theirs.map(|theirs| theirs.user),
        Some("FILE_ADMIN".to_owned()),
        "{said}"
    );
    let (ours, ran) = ground.by_rotate(GENERAL, &[]);
    assert_eq!(ours, None);
    ran.expect(1).says(&[
        "account is TQ47213 in $SNOWFLAKE_ACCOUNT and TESTORG-TESTACCT in the connection",
        "user is GENERAL_ADMIN in $SNOWFLAKE_USER and FILE_ADMIN in the connection",
        "--connection default",
        "$SNOWFLAKE_CONNECTIONS_DEFAULT_ACCOUNT and $SNOWFLAKE_CONNECTIONS_DEFAULT_USER",
    ]);
    // The connection that is named is the one that `snow` takes.
    let (ours, ran) = ground.by_rotate(GENERAL, &["--connection", "default"]);
    assert_eq!(ours.map(|ours| ours.user), Some("FILE_ADMIN".to_owned()), "{ran:#?}");
}

/// Accounts as people write them, and the region that may stand beside one.
const ACCOUNTS: &[(&str, &str)] = &[
    ("MYORG-MYACCOUNT", ""),
    ("myorg-my_account", ""),
    ("xy12345", ""),
    ("xy12345.eu-central-1", ""),
    ("xy12345.west-europe.azure", ""),
    ("xy12345.us-east-1.privatelink", ""),
    ("myorg-myaccount.privatelink", ""),
    ("xy12345.cn-northwest-1", ""),
    ("xy12345.cn-northwest-1.aws", ""),
    ("xy12345.CN-NORTHWEST-1", ""),
    ("cn-company", ""),
    ("xy12345", "cn-northwest-1"),
    ("xy12345", "eu-west-1"),
    ("xy12345.us-east-1", "eu-west-1"),
    ("xy12345", "us-west-2"),
    ("acme-83a9f.global", ""),
];

const HOSTS: &str = "
import sys
from snowflake.connector.util_text import construct_hostname, parse_account
for line in sys.argv[1:]:
    account, _, region = line.partition('|')
    print('HOST', construct_hostname(region or None, account), parse_account(account))
";

#[test]
fn an_accounts_host_is_the_one_that_the_official_connector_asks() {
    let snow = SnowCli::install();
    let home = tempfile::tempdir().unwrap();
    let lines: Vec<String> = ACCOUNTS
        .iter()
        .map(|(account, region)| format!("{account}|{region}"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let said = snow.python(home.path(), HOSTS, &lines).unwrap();
    let hosts: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("HOST ")?.split(' ').next())
        .collect();
    assert_eq!(hosts.len(), ACCOUNTS.len(), "{said}");
    thread::scope(|scope| {
        for ((account, region), host) in ACCOUNTS.iter().zip(hosts) {
            scope.spawn(move || {
                // No host name has an underscore, and Snowflake answers to a hyphen in its place.
                let host = host.to_lowercase().replace('_', "-");
                assert_eq!(asked_by_rotate(account, region), host, "{account} {region}");
            });
        }
    });
}

/// The first host that the program asks a proxy for.
fn asked_by_rotate(account: &str, region: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut first = String::new();
        BufReader::new(stream).read_line(&mut first).unwrap();
        first
    });
    let place = SnowflakeWorkplace::new(ROTATE);
    let path = place.path(".snowflake");
    fs::create_dir(&path).unwrap();
    let region = if region.is_empty() {
        String::new()
    } else {
        format!("region = \"{region}\"\n")
    };
    let text = format!("[ops]\naccount = \"{account}\"\nuser = \"OPS\"\npassword = \"{PASSWORD}\"\n{region}");
    let file = path.join("connections.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let command = place.command_with(
        [("HTTPS_PROXY", proxy.as_str())],
        ["snowflake-keypair", "--user", USER, "--dry-run", "--connection", "ops"],
    );
    Ran::of(command).expect(1);
    // Where nobody has called, this does.
    drop(TcpStream::connect(proxy.trim_start_matches("http://")));
    let first = asked.join().unwrap();
    let host = first.strip_prefix("CONNECT ").and_then(|rest| rest.split(':').next());
    host.unwrap_or_else(|| panic!("{first}")).to_owned()
}
