//! Where a connection leads.

use rotate_fixtures::snowflake::SnowCli;

use super::{Arrived, CONNECTIONS, Ground, each};

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
    each(CASES, |one| compare(&snow, one));
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
