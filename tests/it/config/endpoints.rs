//! Whoever may change the file, in a pull request even, does not decide where secrets go.
//!
//! Leans on the strict fakes behind a proxy that ends TLS, at which every host that is asked for would be seen.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rotate_fixtures::snowflake_workplace::USER;
use rotate_fixtures::workplace::BUCKET;
use rotate_fixtures::{HttpsProxy, Ran, SnowflakeWorkplace, Workplace};

use super::{ROTATE, accepted, refused};

const AWS: &str = "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nuser = \"gainsight-s3\"\n\
                   bucket = \"acme-data\"\ndeliver = [\"file:/srv/main.json\"]\nendpoint_url = \"URL\"\n";
const SNOWFLAKE: &str = "[[target]]\nname = \"dwh\"\nconnector = \"snowflake-keypair\"\nuser = \"U\"\n\
                         deliver = [\"file:/srv/dwh.p8\"]\nendpoint_url = \"URL\"\n";

#[test]
fn the_vendors_own_hosts_and_this_machine_need_nobodys_leave() {
    for url in [
        "https://iam.amazonaws.com",
        "https://sts.eu-central-1.amazonaws.com",
        "https://iam.amazonaws.com:443/x",
        "http://127.0.0.1:4566",
        "http://localhost:4566",
        "https://localhost",
        "http://[::1]:4566",
    ] {
        accepted(&AWS.replace("URL", url));
    }
    for url in ["https://myorg-myaccount.snowflakecomputing.com", "http://127.0.0.1:1"] {
        accepted(&SNOWFLAKE.replace("URL", url));
    }
}

#[test]
fn another_host_is_a_mistake_with_its_line_and_the_flag_that_lets_it_be() {
    for (text, url, host) in [
        (AWS, "https://evil.example", "evil.example"),
        (AWS, "https://Evil.Example:8443/a", "evil.example"),
        (
            AWS,
            "https://iam.amazonaws.com.evil.example",
            "iam.amazonaws.com.evil.example",
        ),
        (AWS, "https://evil.s3.amazonaws.com", "evil.s3.amazonaws.com"),
        (
            AWS,
            "https://evil.s3-website-us-east-1.amazonaws.com",
            "evil.s3-website-us-east-1.amazonaws.com",
        ),
        (AWS, "https://iam.amazonaws.com./", "iam.amazonaws.com."),
        (AWS, "https://169.254.169.254/", "169.254.169.254"),
        (AWS, "https://[2001:db8::1]/", "[2001:db8::1]"),
        (
            AWS,
            "https://myorg.snowflakecomputing.com",
            "myorg.snowflakecomputing.com",
        ),
        (SNOWFLAKE, "https://evil.example", "evil.example"),
        (
            SNOWFLAKE,
            "https://x.snowflakecomputing.com.evil.example",
            "x.snowflakecomputing.com.evil.example",
        ),
        (SNOWFLAKE, "https://iam.amazonaws.com", "iam.amazonaws.com"),
    ] {
        let mistakes = refused(&text.replace("URL", url));
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        let mistake = &mistakes[0];
        let lines = text.lines().count();
        assert_eq!(mistake.line, Some(lines), "{mistake:#?}");
        assert!(mistake.key.ends_with("endpoint_url"), "{mistake:#?}");
        assert!(mistake.what.starts_with(host), "{mistake:#?}");
        assert!(
            mistake.remedy.contains(&format!("--allow-endpoint {host},")),
            "{mistake:#?}"
        );
        assert!(
            mistake.remedy.contains(&format!("ROTATE_ALLOW_ENDPOINT={host}")),
            "{mistake:#?}"
        );
    }
}

/// The name of a region becomes a part of the host.
#[test]
fn a_region_that_is_no_name_is_a_mistake() {
    let with = |region: &str| AWS.replace("endpoint_url", "region").replace("URL", region);
    accepted(&with("eu-central-1"));
    for region in ["evil.example/", "evil.example#", "a@evil.example", "EU", "-a", ""] {
        let mistakes = refused(&with(region));
        assert!(mistakes[0].key.ends_with("region"), "{mistakes:#?}");
    }
}

fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Commands that would call.
const CALLING: [&[&str]; 3] = [&["plan"], &["doctor"], &["run", "--due-within", "3650d"]];

/// The file's host is refused without a call, and with leave it is called.
fn only_with_leave(proxy: &HttpsProxy, command: impl Fn(&[&str]) -> Command) {
    for words in CALLING {
        let ran = Ran::of(command(words)).expect(64);
        let ran = ran.says(&[
            "rotate.toml:",
            "gateway.example.com",
            "--allow-endpoint",
            "nothing was touched",
        ]);
        assert_eq!(proxy.hosts(), [""; 0], "{words:?}: {ran:#?}");
        // Another host's leave is none.
        for other in ["example.com", "evil.gateway.example.com", "www.example.com,example.org"] {
            let mut command = command(words);
            command.args(["--allow-endpoint", other]);
            Ran::of(command).expect(64).says(&["gateway.example.com"]);
        }
        assert_eq!(proxy.hosts(), [""; 0], "{words:?}");
    }
    let mut flagged = command(&["plan"]);
    flagged.args(["--allow-endpoint", "Gateway.Example.com"]);
    Ran::of(flagged).expect(0);
    assert!(
        proxy.hosts().iter().all(|host| host == "gateway.example.com"),
        "{:?}",
        proxy.hosts()
    );
    let asked = proxy.hosts().len();
    assert!(asked > 0);
    let mut variable = command(&["plan"]);
    variable.env("ROTATE_ALLOW_ENDPOINT", "vault.example.com, gateway.example.com");
    Ran::of(variable).expect(0);
    assert!(proxy.hosts().len() > asked);
}

#[test]
fn no_password_goes_to_a_host_that_the_file_alone_names() {
    let at = SnowflakeWorkplace::new(ROTATE);
    let proxy = HttpsProxy::start(&at.cloud.endpoint());
    put(&at.path("ca.pem"), proxy.authority());
    let (file, url) = (at.path("key.p8"), "https://gateway.example.com");
    let text = SNOWFLAKE.replace("/srv/dwh.p8", &file.display().to_string());
    put(
        &at.path("rotate.toml"),
        &text.replace("\"U\"", &format!("\"{USER}\"")).replace("URL", url),
    );
    only_with_leave(&proxy, |words| {
        let mut command = at.command(words);
        command
            .env("HTTPS_PROXY", proxy.url())
            .env("SSL_CERT_FILE", at.path("ca.pem"));
        command
    });
    at.expect_untouched();
}

#[test]
fn no_signature_goes_to_a_host_that_the_file_alone_names() {
    let at = Workplace::new(ROTATE);
    let proxy = HttpsProxy::start(&at.cloud.endpoint());
    put(&at.path("ca.pem"), proxy.authority());
    let text = AWS.replace("/srv/main.json", &at.delivered().display().to_string());
    let text = text.replace("acme-data", BUCKET);
    put(
        &at.path("rotate.toml"),
        &text.replace("URL", "https://gateway.example.com"),
    );
    only_with_leave(&proxy, |words| {
        let mut command = at.command(words);
        command
            .env_remove("AWS_ENDPOINT_URL")
            .env("HTTPS_PROXY", proxy.url())
            .env("AWS_CA_BUNDLE", at.path("ca.pem"));
        command
    });
    at.expect_untouched();
}

/// What a person says on the command line or in the environment is theirs.
#[test]
fn an_endpoint_of_the_persons_own_needs_no_leave() {
    let at = Workplace::new(ROTATE);
    let proxy = HttpsProxy::start(&at.cloud.endpoint());
    put(&at.path("ca.pem"), proxy.authority());
    for by_flag in [true, false] {
        let mut command = at.rotate(["--dry-run"]);
        if by_flag {
            command.args(["--endpoint-url", "https://gateway.example.com"]);
        } else {
            command.env("AWS_ENDPOINT_URL", "https://gateway.example.com");
        }
        command
            .env("HTTPS_PROXY", proxy.url())
            .env("AWS_CA_BUNDLE", at.path("ca.pem"));
        Ran::of(command).expect(0);
    }
    assert_eq!(proxy.hosts()[0], "gateway.example.com");
}

#[test]
fn leave_for_what_is_no_host_is_a_wrong_command_line() {
    let at = Workplace::new(ROTATE);
    for wrong in [
        "https://gateway.example.com",
        "*.example.com",
        "gateway.example.com:443",
    ] {
        let mut command = at.command(["status"]);
        command.args(["--allow-endpoint", wrong]);
        Ran::of(command)
            .expect(64)
            .says(&["--allow-endpoint: write the host alone"]);
        let mut command = at.command(["status"]);
        command.env("ROTATE_ALLOW_ENDPOINT", wrong);
        Ran::of(command)
            .expect(64)
            .says(&["ROTATE_ALLOW_ENDPOINT: write the host alone"]);
    }
}
