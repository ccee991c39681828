//! Where a login must not be sent: a forbidden endpoint is refused without a connection.

use std::fs;
use std::net::TcpListener;

use rotate_fixtures::SnowflakeWorkplace;
use rotate_fixtures::snowflake_workplace::USER;

use super::{ROTATE, put, refused};

/// A forbidden endpoint at which someone listens: on Linux a connection to 0.0.0.0, which is not a loopback address,
/// arrives there.
struct Trap(TcpListener);

impl Trap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn is_untouched(&self) -> bool {
        self.0.accept().is_err()
    }
}

const FORBIDDEN: [&str; 4] = [
    "neither https nor http on the loopback",
    "--endpoint-url",
    "http://0.0.0.0",
    "nothing was changed",
];

#[test]
fn a_forbidden_endpoint_in_a_connection_is_refused_without_a_connection() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let trap = Trap::new();
    fs::create_dir(place.path(".snowflake")).unwrap();
    let connection = format!(
        "[ops]\naccount = \"TESTORG-TESTACCT\"\nuser = \"ROTATE_ADMIN\"\npassword = \"canary\"\nhost = \"0.0.0.0\"\n\
         port = {}\nprotocol = \"http\"\n",
        trap.port()
    );
    put(&place.path(".snowflake/connections.toml"), connection);
    let ran = refused(&place, 1, &FORBIDDEN, || {
        place.command_with(
            [("LANG", "C")],
            ["snowflake-keypair", "--user", USER, "--connection", "ops"],
        )
    });
    assert!(!ran.stderr.contains("canary"));
    assert!(trap.is_untouched() && place.cloud.calls().is_empty());
    place.expect_untouched();
}
