//! The probes that are code: one login with a credential, and what its outcome means.
//!
//! Databases are real ones, found or started by the fixtures; before them stands a door of the fixtures that shows certificates of
//! its own and counts who comes. What no real server can be brought to do is done by a listener in the test itself.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

mod assertions;
mod mysql;
mod postgres;
mod program;
mod snowflake;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use rotate_providers::connector;
use rotate_providers::guide::Guide;
use rotate_providers::guide::probe::{Attempt, Outcome, Verdict, Which};
use rotate_providers::secret::Secret;
use rotate_providers::web::Network;

type Values = BTreeMap<String, String>;

fn values(pairs: &[(&str, &str)]) -> Values {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn guide(id: &str) -> Guide {
    let guide = connector(id).and_then(|connector| connector.guide().ok());
    guide.expect("the guide is sound")
}

/// One try of this credential, as the guide says.
async fn try_once(guide: &Guide, given: &Values, secret: &str, network: &Network) -> Outcome {
    let values = guide.with_defaults(given);
    let probe = guide.probe.as_ref().expect("the guide has a probe");
    let probe = probe.fitting(&values, None).expect("it has a way for these values");
    let login = probe.login_of(Which::Present).map(|login| login.fill(&values));
    let secret = Secret::new(secret);
    let attempt = Attempt {
        values: &values,
        login: login.as_deref(),
        secret: &secret,
        network,
    };
    probe.run(None, attempt).await
}

/// With no patience to speak of, and these authorities besides the system's.
fn network(ca_file: Option<&Path>) -> Network {
    Network {
        ca_file: ca_file.map(Path::to_owned),
        time_out: Duration::from_secs(10),
        ..Network::default()
    }
}

fn address((host, port): (&str, u16)) -> SocketAddr {
    let address = std::net::ToSocketAddrs::to_socket_addrs(&(host, port));
    address.ok().and_then(|mut found| found.next()).expect("an address")
}

#[track_caller]
fn expect(outcome: &Outcome, verdict: Verdict, class: &str) {
    assert_eq!(
        (outcome.verdict, &*outcome.class),
        (verdict, class),
        "{}",
        outcome.reason
    );
}

/// A port where nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
