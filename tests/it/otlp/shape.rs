//! What is in a trace: one root, a turn for each target, its steps, and what each of them called.

use std::collections::BTreeSet;
use std::path::Path;

use rotate_fixtures::aws::{Action, Fault};
use rotate_fixtures::place::Place;
use rotate_fixtures::probed_vendor::{ProbedVendor, Said};
use rotate_fixtures::{Collector, DeadMansSwitch, Ran, SnowflakeWorkplace, memory_folder};

use super::{AT_ONCE, DAY, ROTATE, command, one, place, run, tree, warnings};

/// A rotation that goes through in one run.
const WHOLE: &str = "\
rotate run
  turn
    iam:GetUser
    iam:ListAccessKeys
    iam:SimulatePrincipalPolicy
    s3:ListBucket
    sts:GetCallerIdentity
    create
      iam:CreateAccessKey
    prove
      s3:ListBucket
      s3:ListBucket
      sts:GetCallerIdentity
    deliver
      read destination
      deliver
    record
    read-keys
      iam:GetAccessKeyLastUsed
      iam:ListAccessKeys
    deactivate
      iam:UpdateAccessKey
    prove
      iam:ListAccessKeys
      s3:ListBucket
    record
    delete
      iam:DeleteAccessKey
    read-keys
      iam:ListAccessKeys
    record
";

#[test]
fn a_run_is_one_trace_in_which_each_call_stands_below_its_step_and_each_step_below_its_target() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("old", DAY * 179, AT_ONCE);
    run(&place, &collector, &["run"]).expect(0);
    let spans = collector.spans();
    let traces: BTreeSet<&str> = spans.iter().map(|span| span.trace.as_str()).collect();
    let roots = spans.iter().filter(|span| span.parent.is_empty()).count();
    assert_eq!((traces.len(), roots), (1, 1), "{}", tree(&spans));
    assert_eq!(tree(&spans), WHOLE);
    for span in &spans {
        let parent = spans.iter().find(|parent| parent.id == span.parent);
        assert!(parent.is_none_or(|parent| parent.began <= span.began), "{}", span.name);
        assert!(span.began <= span.ended, "{}", span.name);
    }
    // As many calls as the vendor was asked.
    let calls = spans
        .iter()
        .filter(|span| span.attributes.contains_key("rotate.call"))
        .count();
    assert_eq!(calls, place.cloud.calls().len(), "{}", tree(&spans));
}

#[test]
fn spans_say_what_they_are_about_in_names_that_the_documentation_has() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("old", DAY * 179, AT_ONCE);
    run(&place, &collector, &["run"]).expect(0);
    let spans = collector.spans();
    let root = one(&spans, "rotate run");
    assert_eq!(root.attributes["rotate.command"], "run");
    assert_eq!(root.attributes["process.exit.code"], "0");
    assert_eq!(root.attributes["rotate.run.id"].len(), 36);
    let turn = one(&spans, "turn");
    assert_eq!(turn.attributes["rotate.target"], "old");
    assert_eq!(turn.attributes["rotate.connector"], "s3-customer-managed");
    let create = one(&spans, "create");
    assert_eq!(create.attributes["rotate.phase"], "opened");
    let call = one(&spans, "iam:CreateAccessKey");
    assert!(call.is_client);
    assert_eq!(call.attributes["rotate.call.effect"], "true");
    let look = spans.iter().find(|span| span.name == "iam:ListAccessKeys").unwrap();
    assert_eq!(look.attributes["rotate.call.effect"], "false");
    let destination = one(&spans, "read destination");
    assert!(destination.attributes["rotate.destination"].starts_with("file:"));
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "rotate");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring.md")).unwrap();
    for key in spans.iter().flat_map(|span| span.attributes.keys()) {
        assert!(
            page.contains(&format!("`{key}`")),
            "docs/monitoring.md says nothing of {key}"
        );
    }
}

#[test]
fn what_the_environment_calls_the_service_it_is_called() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("one", DAY * 2, "");
    let mut named = command(&place, &collector, &["run"]);
    named.env("OTEL_SERVICE_NAME", "keys");
    named.env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod");
    Ran::of(named).expect(0);
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "keys");
    assert_eq!(resource["deployment.environment.name"], "prod");
}

#[test]
fn a_call_that_fails_is_marked_in_each_try_and_so_are_its_target_and_the_command_before_it_ends() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("old", DAY * 179, AT_ONCE);
    place.add_user("young", DAY * 2, "");
    for nth in 1..=3 {
        place
            .cloud
            .break_call(Action::CreateAccessKey, nth, Fault::ServerErrorBefore);
    }
    run(&place, &collector, &["run"]).expect(1);
    let spans = collector.spans();
    let calls: Vec<_> = spans.iter().filter(|span| span.name == "iam:CreateAccessKey").collect();
    assert!(
        !calls.is_empty() && calls.iter().all(|call| call.is_failed),
        "{}",
        tree(&spans)
    );
    assert_eq!(calls[0].attributes["error.type"], "vendor-fault");
    let turns: Vec<(&str, bool)> = spans
        .iter()
        .filter(|span| span.name == "turn")
        .map(|turn| (turn.attributes["rotate.target"].as_str(), turn.is_failed))
        .collect();
    assert!(
        turns.contains(&("old", true)) && turns.contains(&("young", false)),
        "{turns:?}"
    );
    let root = one(&spans, "rotate run");
    assert!(root.is_failed);
    assert_eq!(root.attributes["process.exit.code"], "1");
}

#[test]
fn a_person_who_is_needed_and_another_run_at_work_are_in_the_trace_by_their_exit_code() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("full", DAY * 179, AT_ONCE);
    let _ = place.cloud.add_key("full");
    run(&place, &collector, &["run"]).expect(3);
    let lock = std::fs::File::options()
        .write(true)
        .open(place.state().join("rotate.lock"))
        .unwrap();
    lock.lock().unwrap();
    run(&place, &collector, &["run"]).expect(4);
    let spans = collector.spans();
    let ends: Vec<(&str, bool)> = spans
        .iter()
        .filter(|span| span.name == "rotate run")
        .map(|root| (root.attributes["process.exit.code"].as_str(), root.is_failed))
        .collect();
    assert_eq!(ends, [("3", false), ("4", false)]);
}

#[test]
fn a_one_shot_and_a_word_of_a_person_are_traces_too() {
    let place = rotate_fixtures::Workplace::new(ROTATE);
    let collector = Collector::start();
    let sent = |mut command: std::process::Command| {
        command.env(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            format!("{}/v1/traces", collector.url()),
        );
        Ran::of(command)
    };
    sent(place.rotate::<&str>([])).expect(0);
    sent(place.command(["confirm", rotate_fixtures::workplace::TARGET])).expect(0);
    let spans = collector.spans();
    for root in ["rotate s3-customer-managed", "rotate confirm"] {
        let root = one(&spans, root);
        let turn = spans
            .iter()
            .find(|span| span.parent == root.id && span.name == "turn")
            .unwrap();
        assert_eq!(turn.attributes["rotate.target"], rotate_fixtures::workplace::TARGET);
        assert_eq!(turn.attributes["rotate.connector"], "s3-customer-managed");
        assert!(spans.iter().any(|span| span.parent == turn.id), "{}", tree(&spans));
    }
}

#[test]
fn statements_and_logins_are_calls_by_the_name_that_the_vendor_gives_them() {
    let place = SnowflakeWorkplace::new(ROTATE);
    let collector = Collector::start();
    let mut rotating = place.rotate::<&str>([]);
    rotating.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    Ran::of(rotating).expect(0);
    let spans = collector.spans();
    let of = |name: &str| spans.iter().filter(|span| span.name == name && span.is_client).count();
    assert_eq!(of("ALTER USER SET"), 1, "{}", tree(&spans));
    assert!(of("DESC USER") > 1 && of("login") > 1, "{}", tree(&spans));
    let roots = spans.iter().filter(|span| span.parent.is_empty()).count();
    assert_eq!(roots, 1, "{}", tree(&spans));
}

#[test]
fn the_request_of_a_probe_names_host_method_and_status_and_nothing_behind_the_host() {
    let place = Place::new(Path::new(ROTATE), &memory_folder());
    let vendor = ProbedVendor::start(Said::Plain(401, String::new()));
    let collector = Collector::start();
    let mut verify = place.command(
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())],
        ["verify", "freshdesk", "--domain", "acme"],
    );
    vendor.lead(&place, &mut verify);
    let input = place.path("secret");
    std::fs::write(&input, "canaryC0fFeeC0fFee12\n").unwrap();
    verify.stdin(std::fs::File::open(&input).unwrap());
    Ran::of(verify);
    let spans = collector.spans();
    let request = one(&spans, "GET");
    let keys: Vec<&str> = request.attributes.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "error.type",
            "http.request.method",
            "http.response.status_code",
            "server.address",
            "server.port"
        ]
    );
    assert_eq!(request.attributes["server.address"], "acme.freshdesk.com");
    assert_eq!(request.attributes["http.response.status_code"], "401");
    assert_eq!(request.attributes["error.type"], "401");
    let probe = one(&spans, "probe");
    assert_eq!(request.parent, probe.id);
    assert_eq!(probe.attributes["rotate.probe.verdict"], "rejected");
}

#[test]
fn a_request_whose_place_is_a_secret_names_no_host() {
    let (mut place, collector, switch) = (place(), Collector::start(), DeadMansSwitch::start());
    place.configure("[heartbeat]\nurl_env = \"BEAT_URL\"\n[defaults]\naws_calls_per_second = 0\n");
    place.add_user("one", DAY * 2, "");
    let mut running = command(&place, &collector, &["run"]);
    running.env("BEAT_URL", switch.url());
    Ran::of(running).expect(0);
    let spans = collector.spans();
    let root = one(&spans, "rotate run");
    let told: Vec<_> = spans.iter().filter(|span| span.name == "POST").collect();
    assert_eq!(told.len(), 2, "{}", tree(&spans));
    for post in told {
        assert_eq!(post.parent, root.id);
        assert_eq!(post.attributes["http.response.status_code"], "200");
        assert!(!post.attributes.contains_key("server.address"), "{post:?}");
        assert!(!post.attributes.contains_key("server.port"), "{post:?}");
    }
    let beats = switch.beats();
    assert_eq!(root.attributes["rotate.run.id"], beats[0].run, "both are of one run");
}

#[test]
fn a_command_is_a_part_of_the_trace_in_which_it_was_started() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("one", DAY * 2, "");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let started = |said: &str| {
        let mut command = command(&place, &collector, &["run"]);
        command.env("TRACEPARENT", said);
        Ran::of(command).expect(0);
    };
    started(&format!("00-{trace}-b7ad6b7169203331-01"));
    let spans = collector.spans();
    let root = one(&spans, "rotate run");
    assert_eq!((root.trace.as_str(), root.parent.as_str()), (trace, "b7ad6b7169203331"));
    // Who has started it keeps no trace, and says so.
    started(&format!("00-{trace}-b7ad6b7169203331-00"));
    assert_eq!(collector.spans().len(), spans.len());
    // What is none is none.
    started("00-not-a-trace-01");
    let spans = collector.spans();
    let own: Vec<_> = spans
        .iter()
        .filter(|span| span.trace != trace && span.parent.is_empty())
        .collect();
    assert_eq!(own.len(), 1, "{}", tree(&spans));
}

#[test]
fn what_waits_is_a_span_of_each_of_many_targets_and_none_of_them_is_lost() {
    let (mut place, collector) = (place(), Collector::start());
    let names: Vec<String> = (0..120).map(|number| format!("user-{number}")).collect();
    place.add_users(names.iter().map(String::as_str), DAY * 2);
    let mut running = command(&place, &collector, &["run"]);
    running.env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50");
    let ran = Ran::of(running).expect(0);
    assert!(warnings(&ran).is_empty(), "{}", ran.stderr);
    let spans = collector.spans();
    let turns: BTreeSet<&str> = spans
        .iter()
        .filter(|span| span.name == "turn")
        .map(|turn| turn.attributes["rotate.target"].as_str())
        .collect();
    assert_eq!(turns.len(), names.len());
    let roots = spans.iter().filter(|span| span.parent.is_empty()).count();
    assert_eq!(roots, 1);
    // Each call is below the turn of a target, whichever thread has made it.
    let is_turn = |id: &str| spans.iter().any(|span| span.id == id && span.name == "turn");
    let mut calls = spans.iter().filter(|span| span.attributes.contains_key("rotate.call"));
    assert!(calls.all(|call| is_turn(&call.parent) || call.name.starts_with("sts:")));
    assert!(collector.requests().len() > 1, "more than one request brought them");
}
