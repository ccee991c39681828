//! Where keys must not be sent: an endpoint that is neither https nor loopback is refused before anything is sent there,
//! wherever it was named.
//!
//! Leans on the strict fake for the cloud, and on a bare listener that answers nobody: on Linux a connection to 0.0.0.0,
//! which is not a loopback address, arrives at it. So a request that got past the check would be seen.

use std::process::Command;
use std::time::{Duration, Instant};

use rotate_fixtures::{Ran, Trap, Workplace};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const ROLE: &str = "arn:aws:iam::123456789012:role/rotator";

fn url(trap: &Trap) -> String {
    format!("http://{}", trap.elsewhere())
}

/// The command is refused without a connection and without any change.
fn refused(place: &Workplace, trap: &Trap, command: Command) {
    let ran = Ran::of(command);
    assert!(trap.is_untouched(), "a connection was made; {ran:#?}");
    ran.expect(1)
        .says(&["neither https nor http on the loopback", "AWS_ENDPOINT_URL"]);
    place.expect_untouched();
}

#[test]
fn the_trap_catches() {
    let trap = Trap::set();
    let address = url(&trap).replace("http://", "");
    assert!(trap.is_untouched());
    let _connection = std::net::TcpStream::connect(address).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while trap.is_untouched() {
        assert!(Instant::now() < deadline, "a connection to 0.0.0.0 does not arrive");
    }
}

#[test]
fn a_forbidden_endpoint_of_one_service_is_refused_before_a_key_is_created() {
    for variable in ["AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_S3"] {
        let place = Workplace::new(ROTATE);
        let trap = Trap::set();
        let mut command = place.rotate(["--cutover", "immediate", "--verify-deadline", "1s"]);
        command.env(variable, url(&trap));
        refused(&place, &trap, command);
    }
}

#[test]
fn a_forbidden_endpoint_in_a_profile_is_refused() {
    let place = Workplace::new(ROTATE);
    let trap = Trap::set();
    std::fs::write(
        place.path("config"),
        format!("[profile ops]\nendpoint_url = {}\n", url(&trap)),
    )
    .unwrap();
    let mut command = place.rotate(["--profile", "ops"]);
    command
        .env_remove("AWS_ENDPOINT_URL")
        .env("AWS_CONFIG_FILE", place.path("config"));
    // The keys come from the profile too, because one was named.
    let admin = place.cloud.admin();
    let keys = format!(
        "[ops]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        admin.id, admin.secret
    );
    std::fs::write(place.path("credentials"), keys).unwrap();
    command.env("AWS_SHARED_CREDENTIALS_FILE", place.path("credentials"));
    refused(&place, &trap, command);
}

#[test]
fn no_role_is_assumed_at_a_forbidden_endpoint() {
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"] {
        let place = Workplace::new(ROTATE);
        let trap = Trap::set();
        let mut command = place.rotate(["--assume-role", ROLE]);
        command.env(variable, url(&trap));
        refused(&place, &trap, command);
    }
}

/// Where tokens of a sign-in go, and where a machine's own credentials come from.
#[test]
fn no_token_and_no_credentials_pass_a_forbidden_endpoint() {
    for variable in [
        "AWS_ENDPOINT_URL_SSO",
        "AWS_ENDPOINT_URL_SSO_OIDC",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ] {
        for has_keys in [true, false] {
            let place = Workplace::new(ROTATE);
            let trap = Trap::set();
            let mut command = place.rotate(["--cutover", "immediate"]);
            command.env(variable, url(&trap));
            if !has_keys {
                for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
                    command.env_remove(name);
                }
                command.env_remove("AWS_EC2_METADATA_DISABLED");
            }
            refused(&place, &trap, command);
        }
    }
}

/// What a profile says of them is met by the client that would call there.
#[test]
fn no_metadata_is_asked_for_at_a_forbidden_endpoint_of_a_profile() {
    let place = Workplace::new(ROTATE);
    let trap = Trap::set();
    let config = format!(
        "[profile ops]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n\
         ec2_metadata_service_endpoint = {}\n",
        url(&trap)
    );
    std::fs::write(place.path("config"), config).unwrap();
    let mut command = place.rotate(["--profile", "ops"]);
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_EC2_METADATA_DISABLED",
    ] {
        command.env_remove(name);
    }
    command.env("AWS_CONFIG_FILE", place.path("config"));
    refused(&place, &trap, command);
}

/// A container's credentials from this machine, as everywhere.
#[test]
fn credentials_are_asked_for_at_this_machine_over_plain_http() {
    let place = Workplace::new(ROTATE);
    let trap = Trap::set();
    let mut command = place.rotate(["--dry-run"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(name);
    }
    command.env(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        format!("http://{}/creds", trap.address()),
    );
    let mut child = command.spawn().unwrap();
    while trap.is_untouched() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let is_asked = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_asked, "nobody asked");
}
