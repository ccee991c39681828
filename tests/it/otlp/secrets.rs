//! Neither a secret in a trace, nor what lets a trace in in anything that is said.

use rotate_fixtures::aws::{Action, Fault};
use rotate_fixtures::{Collector, Ran, has};

use super::{AT_ONCE, DAY, command, place, warnings};

const TOKEN: &str = "canary-of-the-collector";

#[test]
fn no_secret_is_in_a_trace_and_no_token_of_the_collector_in_what_is_said() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("old", DAY * 179, AT_ONCE);
    place.add_user("broken", DAY * 179, AT_ONCE);
    place
        .cloud
        .break_call(Action::CreateAccessKey, 2, Fault::MalformedAfter);
    for format in ["text", "json"] {
        let mut loud = command(&place, &collector, &["run", "-vvv", "--log-format", format]);
        loud.env("RUST_LOG", "trace");
        loud.env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            format!("authorization=Bearer%20{TOKEN},x-team={TOKEN}"),
        );
        let ran = Ran::of(loud);
        assert!(
            !ran.stderr.contains(TOKEN) && !ran.stdout.contains(TOKEN),
            "{}",
            ran.stderr
        );
        assert!(warnings(&ran).is_empty(), "{}", ran.stderr);
    }
    let requests = collector.requests();
    assert!(!requests.is_empty());
    for request in &requests {
        let text = String::from_utf8_lossy(request).to_ascii_lowercase();
        assert!(
            text.contains(&format!("authorization: bearer {TOKEN}")),
            "the token is real"
        );
        assert!(!has(request, place.cloud.canary().as_bytes()), "a secret is in a trace");
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(!body.contains(TOKEN), "the token is in a trace");
    }
    assert!(
        place
            .delivered_key("old")
            .unwrap()
            .secret
            .contains(&place.cloud.canary()),
        "the canary is real"
    );
}

#[test]
fn a_collector_that_refuses_or_leads_elsewhere_gets_nothing_more_and_is_one_warning() {
    use rotate_fixtures::collector::Collects;
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("one", DAY * 2, "");
    for (status, words) in [
        (302, "leads elsewhere (status 302)"),
        (401, "answered with status 401"),
        (500, "answered with status 500"),
    ] {
        collector.collects(Collects::Status(status));
        let before = collector.requests().len();
        let mut running = command(&place, &collector, &["run", "-vv"]);
        running.env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{TOKEN}"));
        let ran = Ran::of(running).expect(0);
        let said = warnings(&ran);
        assert!(said.len() == 1 && said[0].contains(words), "{}", ran.stderr);
        assert!(said[0].contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{}", said[0]);
        assert!(
            !ran.stderr.contains(TOKEN) && !ran.stderr.contains(&collector.url()),
            "{}",
            ran.stderr
        );
        if status == 302 {
            assert_eq!(collector.requests().len() - before, 1, "it was followed or repeated");
        }
    }
}
