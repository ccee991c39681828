//! What wins, what is not decided, and which host it comes to.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use rotate_fixtures::snowflake::{Action, Slot, TestKey};
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{CANARY, Ground, ROTATE, by};

#[test]
fn the_account_of_a_flag_beats_the_connections_own_variable_which_beats_the_file_and_general_variables() {
    let right = "TESTORG-TESTACCT";
    let own = "SNOWFLAKE_CONNECTIONS_DEFAULT_ACCOUNT";
    for (in_file, own_variable, general, in_flag) in [
        ("OTHERORG-FILE", "OTHERORG-OWN", "OTHERORG-ENVIRONMENT", Some(right)),
        ("OTHERORG-FILE", right, "OTHERORG-ENVIRONMENT", None),
        (right, "", "OTHERORG-ENVIRONMENT", None),
    ] {
        let ground = Ground::new();
        let account = format!("account = \"{in_file}\"");
        let lines = [&account, "user = \"ROTATE_ADMIN\"", "password = \"only for the fake\""];
        ground.connect(&lines);
        // With an endpoint of its own: a host belongs to the account that it was written down for.
        let endpoint = ground.place.cloud.endpoint();
        let mut options = vec!["--endpoint-url", &endpoint, "--connection", "default"];
        options.extend(in_flag.iter().flat_map(|account| ["--account", *account]));
        ground.logs_in(&[("SNOWFLAKE_ACCOUNT", general), (own, own_variable)], &options);
        let logins = ground.place.cloud.calls();
        let refused = logins
            .iter()
            .filter(|call| call.action == Some(Action::Login) && call.status != 200);
        assert_eq!(refused.count(), 0);
    }
}

#[test]
fn the_role_of_a_flag_beats_the_environments_which_beats_the_files() {
    for (file, environment, options, expected) in [
        (
            "LOADER",
            &[("SNOWFLAKE_ROLE", "LOADER")][..],
            &["--role", "ACCOUNTADMIN"][..],
            "ACCOUNTADMIN",
        ),
        ("LOADER", &[("SNOWFLAKE_ROLE", "ACCOUNTADMIN")], &[], "ACCOUNTADMIN"),
        ("ACCOUNTADMIN", &[], &[], "ACCOUNTADMIN"),
        ("", &[], &[], "SECURITYADMIN"),
    ] {
        let ground = Ground::new();
        ground.administrator("OPS", CANARY);
        let table = format!("{}role = \"{file}\"\n", ground.table("default", "OPS", CANARY));
        ground.put(".snowflake/connections.toml", table);
        assert_eq!(ground.logs_in(environment, options).role, expected);
    }
}

/// In each way to name it. Whoever has general variables of another account in the environment would else change keys there.
#[test]
fn a_named_connection_is_its_own_variables_then_the_file_and_general_variables_last() {
    let password = |number: u32| format!("{CANARY}-{number}");
    let (first, second, third) = (password(1), password(2), password(3));
    let general = [("SNOWFLAKE_USER", "SECOND"), ("SNOWFLAKE_PASSWORD", second.as_str())];
    let own = [
        ("SNOWFLAKE_CONNECTIONS_OPS_USER", "THIRD"),
        ("SNOWFLAKE_CONNECTIONS_OPS_PASSWORD", third.as_str()),
    ];
    let of_another = [
        ("SNOWFLAKE_CONNECTIONS_OTHER_USER", "THIRD"),
        ("SNOWFLAKE_CONNECTIONS_OTHER_PASSWORD", third.as_str()),
    ];
    let elsewhere = [
        ("SNOWFLAKE_ACCOUNT", "OTHERORG-OTHERACCT"),
        ("SNOWFLAKE_HOST", "otherorg-otheracct.snowflakecomputing.com"),
        ("SNOWFLAKE_ROLE", "LOADER"),
    ];
    for (environment, expected) in [
        (vec![], "FIRST"),
        (general.to_vec(), "FIRST"),
        ([&general[..], &elsewhere].concat(), "FIRST"),
        ([&general[..], &own, &elsewhere].concat(), "THIRD"),
        (own.to_vec(), "THIRD"),
        (of_another.to_vec(), "FIRST"),
    ] {
        for by_variable in [false, true] {
            let ground = Ground::new();
            ground.administrator("FIRST", &first);
            ground.administrator("SECOND", &second);
            ground.administrator("THIRD", &third);
            let table = format!("{}role = \"ACCOUNTADMIN\"\n", ground.table("ops", "FIRST", &first));
            ground.put(".snowflake/connections.toml", table);
            let (mut environment, mut options) = (environment.clone(), vec![]);
            if by_variable {
                environment.push(("SNOWFLAKE_DEFAULT_CONNECTION_NAME", "ops"));
            } else {
                options.extend(["--connection", "ops"]);
            }
            let login = ground.logs_in(&environment, &options);
            assert_eq!((login.user.as_str(), login.role.as_str()), (expected, "ACCOUNTADMIN"));
        }
    }
}

#[test]
fn general_variables_fill_what_a_named_connection_leaves_open() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    let table = format!("[ops]\n{}", ground.connection(&[]));
    ground.put(".snowflake/connections.toml", table);
    let environment = [("SNOWFLAKE_USER", "OPS"), ("SNOWFLAKE_PASSWORD", CANARY)];
    assert_eq!(ground.user(&environment, &["--connection", "ops"]), "OPS");
}

/// A value that is there and empty is empty: Snowflake's own tools do not look further either.
#[test]
fn what_a_named_connection_leaves_empty_is_not_taken_from_general_variables() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    let table = format!("[ops]\n{}", ground.connection(&["user = \"\""]));
    ground.put(".snowflake/connections.toml", table);
    let environment = [("SNOWFLAKE_USER", "OPS"), ("SNOWFLAKE_PASSWORD", CANARY)];
    ground.refuses(
        &environment,
        &["--connection", "ops"],
        &["no user is set", "connection ops of"],
    );
}

#[test]
fn a_host_of_another_account_in_the_environment_is_not_where_a_named_connection_logs_in() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put(
        ".snowflake/connections.toml",
        format!("[ops]\naccount = \"OWNORG-OWN\"\nuser = \"OPS\"\npassword = \"{CANARY}\"\n"),
    );
    let port = ground.place.cloud.port().to_string();
    let proxy = Proxy::new();
    let environment = [
        ("SNOWFLAKE_ACCOUNT", ground.place.cloud.account()),
        ("SNOWFLAKE_HOST", "127.0.0.1"),
        ("SNOWFLAKE_PORT", port.as_str()),
        ("SNOWFLAKE_PROTOCOL", "http"),
        ("HTTPS_PROXY", proxy.url.as_str()),
    ];
    let ran = Ran::of(ground.rotate(&environment, &["--dry-run", "--connection", "ops"]));
    ground.hides_all(&ran);
    ran.expect(1).says(&["ownorg-own.snowflakecomputing.com"]);
    assert_eq!(
        proxy.asked()[0],
        "CONNECT ownorg-own.snowflakecomputing.com:443 HTTP/1.1"
    );
    assert!(ground.place.cloud.calls().is_empty());
}

#[test]
fn accounts_in_china_are_looked_for_in_their_own_domain() {
    for (account, region, host) in [
        (
            "xy12345.cn-northwest-1",
            "",
            "xy12345.cn-northwest-1.snowflakecomputing.cn",
        ),
        (
            "xy12345.cn-northwest-1.aws",
            "",
            "xy12345.cn-northwest-1.aws.snowflakecomputing.cn",
        ),
        (
            "xy12345",
            "region = \"cn-northwest-1\"\n",
            "xy12345.cn-northwest-1.snowflakecomputing.cn",
        ),
        ("xy12345.eu-west-1", "", "xy12345.eu-west-1.snowflakecomputing.com"),
    ] {
        let ground = Ground::new();
        ground.put(
            ".snowflake/connections.toml",
            format!("[cn]\naccount = \"{account}\"\nuser = \"OPS\"\npassword = \"{CANARY}\"\n{region}"),
        );
        let proxy = Proxy::new();
        let ran = Ran::of(ground.rotate(&[("HTTPS_PROXY", &proxy.url)], &["--dry-run", "--connection", "cn"]));
        ground.hides_all(&ran);
        ran.expect(1).says(&[host]);
        assert_eq!(proxy.asked()[0], format!("CONNECT {host}:443 HTTP/1.1"));
    }
}

// Where nobody has said which one is meant.

#[test]
fn an_environment_and_a_default_connection_that_lead_apart_are_refused_before_any_call_with_both_and_what_chooses() {
    for is_in_config in [false, true] {
        for (variable, key, general, in_file) in [
            ("SNOWFLAKE_ACCOUNT", "account", "OTHERORG-OTHERACCT", "TESTORG-TESTACCT"),
            ("SNOWFLAKE_USER", "user", "OTHER", "OPS"),
            ("SNOWFLAKE_HOST", "host", "other.snowflakecomputing.com", "127.0.0.1"),
        ] {
            let ground = Ground::new();
            ground.administrator("OPS", CANARY);
            let (path, text) = if is_in_config {
                let table = ground.table("connections.main", "OPS", CANARY);
                (
                    ".snowflake/config.toml",
                    format!("default_connection_name = \"main\"\n{table}"),
                )
            } else {
                (".snowflake/connections.toml", ground.table("default", "OPS", CANARY))
            };
            ground.put(path, text);
            let name = if is_in_config { "main" } else { "default" };
            let whole = ground.place.path(path);
            let both = [
                &format!("{key} is {general} in ${variable} and {in_file} in the connection"),
                whole.to_str().unwrap(),
                &format!("--connection {name}"),
                &format!("SNOWFLAKE_DEFAULT_CONNECTION_NAME={name}"),
                &format!("$SNOWFLAKE_CONNECTIONS_{}_{}", name.to_uppercase(), key.to_uppercase()),
            ];
            ground.refuses(&[(variable, general)], &[], &both);
            // Each of the ways that are told leads on.
            let named = ("SNOWFLAKE_DEFAULT_CONNECTION_NAME", name);
            Ran::of(ground.rotate(&[(variable, general), named], &["--dry-run"])).expect(0);
            assert_eq!(ground.user(&[(variable, general)], &["--connection", name]), "OPS");
        }
    }
}

#[test]
fn the_environment_is_chosen_over_a_default_connection_by_the_connections_own_variables() {
    let ground = Ground::new();
    ground.administrator("OPS", &format!("{CANARY}-1"));
    ground.administrator("OTHER", &format!("{CANARY}-2"));
    ground.connect(&["user = \"OPS\"", &format!("password = \"{CANARY}-1\"")]);
    let password = format!("{CANARY}-2");
    let environment = [("SNOWFLAKE_USER", "OTHER"), ("SNOWFLAKE_PASSWORD", password.as_str())];
    ground.refuses(
        &environment,
        &[],
        &["user is OTHER in $SNOWFLAKE_USER and OPS in the connection"],
    );
    let chosen = [&environment[..], &[("SNOWFLAKE_CONNECTIONS_DEFAULT_USER", "OTHER")]].concat();
    assert_eq!(ground.user(&chosen, &[]), "OTHER");
}

#[test]
fn an_environment_and_a_default_connection_that_agree_or_complete_each_other_need_no_choice() {
    for (lines, environment) in [
        // One of the two.
        (&["user = \"OPS\"", "password = \"PASSWORD\""][..], &[][..]),
        // Both, however they are written.
        (
            &["user = \"OPS\"", "password = \"PASSWORD\""],
            &[
                ("SNOWFLAKE_USER", "ops"),
                ("SNOWFLAKE_ACCOUNT", "testorg-testacct"),
                ("SNOWFLAKE_HOST", "127.0.0.1"),
            ],
        ),
        // Each a part.
        (&["password = \"PASSWORD\""], &[("SNOWFLAKE_USER", "OPS")]),
        (
            &["user = \"OPS\""],
            &[
                ("SNOWFLAKE_PASSWORD", CANARY),
                ("SNOWFLAKE_ACCOUNT", "TESTORG-TESTACCT"),
            ],
        ),
    ] {
        let ground = Ground::new();
        ground.administrator("OPS", CANARY);
        let lines: Vec<String> = lines.iter().map(|line| line.replace("PASSWORD", CANARY)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        ground.connect(&lines);
        assert_eq!(ground.user(environment, &[]), "OPS", "{lines:?} {environment:?}");
    }
    // And the environment alone, with no file at all.
    let place = SnowflakeWorkplace::new(ROTATE);
    place.run(["snowflake-keypair", "--user", USER]).expect(0);
}

#[test]
fn an_empty_variable_counts_as_none() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put(".snowflake/connections.toml", ground.table("default", "OPS", CANARY));
    let empty = [
        "SNOWFLAKE_USER",
        "SNOWFLAKE_PASSWORD",
        "SNOWFLAKE_ROLE",
        "SNOWFLAKE_CONNECTIONS_DEFAULT_USER",
    ];
    assert_eq!(ground.user(&empty.map(|name| (name, "")), &[]), "OPS");
}

#[test]
fn the_environment_beats_the_file_under_whichever_of_its_names_a_key_is_given() {
    let (in_file, in_environment) = (TestKey::numbered(2), TestKey::numbered(3));
    for (line, variable) in [
        ("private_key_file", "SNOWFLAKE_PRIVATE_KEY_PATH"),
        ("private_key_path", "SNOWFLAKE_PRIVATE_KEY_FILE"),
        ("private_key_file", "SNOWFLAKE_PRIVATE_KEY_RAW"),
    ] {
        let ground = Ground::new();
        ground.key_holder("OPS", &in_file);
        ground
            .place
            .cloud
            .set_key("OPS", Slot::Two, in_environment.public_base64());
        ground.put("file.p8", in_file.private_pem());
        ground.put("environment.p8", in_environment.private_pem());
        let line = format!("{line} = \"{}\"", ground.place.path("file.p8").display());
        let lines = ["user = \"OPS\"", "authenticator = \"SNOWFLAKE_JWT\"", &line];
        ground.connect(&lines);
        let path = ground.place.path("environment.p8");
        let value = if variable.ends_with("RAW") {
            in_environment.private_pem()
        } else {
            path.to_str().unwrap()
        };
        let login = ground.logs_in(&[(variable, value)], &[]);
        assert_eq!(login.means, by(&in_environment), "{variable}");
    }
}

// Which host.

/// A proxy that lets nothing out, and remembers where it was asked to connect to.
struct Proxy {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&asked);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut first, mut line) = (String::new(), String::new());
                stream.read_line(&mut first).unwrap();
                while stream.read_line(&mut line).unwrap_or(0) > 2 {
                    line.clear();
                }
                remembered.lock().unwrap().push(first.trim_end().to_owned());
                let refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.get_mut().write_all(refusal.as_bytes()).unwrap();
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[test]
fn the_connections_host_is_used_for_its_own_account_however_the_flag_writes_it() {
    for written in ["TESTORG-TESTACCT", "testorg-testacct"] {
        let ground = Ground::new();
        ground.administrator("OPS", CANARY);
        ground.put(".snowflake/connections.toml", ground.table("default", "OPS", CANARY));
        let proxy = Proxy::new();
        let ran = Ran::of(ground.rotate(&[("HTTPS_PROXY", &proxy.url)], &["--dry-run", "--account", written]));
        assert_eq!(proxy.asked(), [""; 0], "{written} is sent elsewhere; {ran:#?}");
        ran.expect(0);
    }
}

#[test]
fn another_accounts_login_is_not_sent_to_the_connections_host() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put(".snowflake/connections.toml", ground.table("default", "OPS", CANARY));
    let proxy = Proxy::new();
    let options = ["--dry-run", "--account", "OTHER_ORG-ACCT"];
    let ran = Ran::of(ground.rotate(&[("HTTPS_PROXY", &proxy.url)], &options));
    ground.hides_all(&ran);
    ran.expect(1)
        .says(&["OTHER_ORG-ACCT", "other-org-acct.snowflakecomputing.com"]);
    assert_eq!(
        proxy.asked()[0],
        "CONNECT other-org-acct.snowflakecomputing.com:443 HTTP/1.1"
    );
    assert!(ground.place.cloud.calls().is_empty());
}

/// With `-v`, whose keys it is about and where that was found; and where an account that is not there was found.
#[test]
fn each_part_of_where_a_login_leads_is_told_with_the_place_that_it_was_found_in() {
    let ground = Ground::new();
    ground.administrator("OPS", CANARY);
    ground.put(".snowflake/connections.toml", ground.table("ops", "OPS", CANARY));
    let file = ground.place.path(".snowflake/connections.toml");
    let connection = format!("connection ops of {}", file.display());
    let environment = [
        ("SNOWFLAKE_CONNECTIONS_OPS_USER", "ops"),
        ("SNOWFLAKE_ROLE", "ACCOUNTADMIN"),
    ];
    let options = ["--dry-run", "-v", "--connection", "ops"];
    let ran = Ran::of(ground.rotate(&environment, &options));
    ground.hides_all(&ran);
    ran.expect(0).says(&[
        &format!("account is TESTORG-TESTACCT, from {connection}"),
        "user is ops, from SNOWFLAKE_CONNECTIONS_OPS_USER",
        "role is ACCOUNTADMIN, from SNOWFLAKE_ROLE",
        &format!("host is 127.0.0.1, from {connection}"),
    ]);
    let gone = [("SNOWFLAKE_CONNECTIONS_OPS_ACCOUNT", "GONEORG-GONE")];
    let ran = Ran::of(ground.rotate(&gone, &["--connection", "ops"]));
    ground.hides_all(&ran);
    ran.expect(1).says(&[
        "there is no account GONEORG-GONE at 127.0.0.1",
        &format!("found in SNOWFLAKE_CONNECTIONS_OPS_ACCOUNT, {connection}"),
        "--account",
    ]);
}
