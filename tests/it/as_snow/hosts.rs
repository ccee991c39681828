//! Where an account is.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::thread;

use rotate_fixtures::snowflake::SnowCli;
use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::{Ran, SnowflakeWorkplace};

use super::{PASSWORD, ROTATE};

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
