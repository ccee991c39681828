//! When nothing is sent: unless it is asked for, and by commands that only look.

use rotate_fixtures::{Collector, Ran};

use super::{AT_ONCE, DAY, command, place, run, warnings};

#[test]
fn nothing_is_sent_unless_the_environment_names_a_collector() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("one", DAY * 2, "");
    let mut plain = place.command(["run"]);
    plain.env("OTEL_SERVICE_NAME", "rotate");
    let ran = Ran::of(plain).expect(0);
    assert!(warnings(&ran).is_empty(), "{}", ran.stderr);
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ] {
        let mut off = command(&place, &collector, &["run"]);
        off.env(name, value);
        let ran = Ran::of(off).expect(0);
        assert!(warnings(&ran).is_empty(), "{name}: {}", ran.stderr);
    }
    assert!(collector.requests().is_empty());
    run(&place, &collector, &["run"]).expect(0);
    assert_eq!(collector.requests().len(), 1, "the collector is real");
}

#[test]
fn commands_that_only_look_send_nothing_for_somebody_else_may_have_said_where_they_look() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("one", DAY * 179, "");
    let one_shot = [
        "s3-customer-managed",
        "--user",
        "one",
        "--bucket",
        "acme-data",
        "--dry-run",
    ];
    for look in [
        &["plan"] as &[&str],
        &["doctor"],
        &["status"],
        &["report", "--output", "json"],
        &["audit"],
        &["connectors"],
        &one_shot,
        &["jira"],
    ] {
        let ran = run(&place, &collector, look);
        assert!(warnings(&ran).is_empty(), "{look:?}: {}", ran.stderr);
    }
    assert!(collector.requests().is_empty());
}

#[test]
fn a_collector_that_may_not_be_called_is_a_warning_that_names_the_variable() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("one", DAY * 2, "");
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://canary.example:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:canary@otel.example"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "canary"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "canary"),
    ] {
        let mut running = command(&place, &collector, &["run"]);
        running.env(name, value);
        let ran = Ran::of(running).expect(0);
        let warnings = warnings(&ran);
        assert!(warnings.len() == 1 && warnings[0].contains(name), "{}", ran.stderr);
        assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
        assert!(ran.stderr.contains("1 target: 1 not due"), "{}", ran.stderr);
    }
    assert!(collector.requests().is_empty());
}

#[test]
fn what_is_said_on_stderr_is_the_same_with_a_trace_and_without() {
    let (mut place, collector) = (place(), Collector::start());
    place.add_user("one", DAY * 2, "");
    place.run(["run"]).expect(0);
    for words in [
        &["run"] as &[&str],
        &["run", "-vv"],
        &["run", "-v", "--log-format", "json"],
    ] {
        let said = |traced: bool| {
            let ran = match traced {
                true => run(&place, &collector, words),
                false => place.run(words.iter().copied()),
            };
            let lines = ran
                .stderr
                .lines()
                .filter(|line| !line.contains("this command is trace"));
            let lines: Vec<String> = lines.map(|line| without_time(line).to_owned()).collect();
            (ran.code, ran.stdout, lines)
        };
        assert_eq!(said(true), said(false), "{words:?}");
    }
    let loud = run(&place, &collector, &["run", "-v"]).expect(0);
    let trace = collector.spans().last().unwrap().trace.clone();
    assert!(
        loud.stderr.contains(&format!("this command is trace {trace}")),
        "{}",
        loud.stderr
    );
}

#[test]
fn no_line_on_stderr_says_in_which_span_it_was_written() {
    for format in ["text", "json"] {
        let (mut place, collector) = (place(), Collector::start());
        place.add_user("old", DAY * 179, AT_ONCE);
        let loud = run(&place, &collector, &["run", "-vv", "--log-format", format]).expect(0);
        let within = loud
            .stderr
            .lines()
            .filter(|line| line.contains("next") && line.contains("deactivate"));
        assert!(within.count() > 0, "something is said within a span: {}", loud.stderr);
        for span in ["command{", "turn{", "step{", "\"span\":", "\"spans\":"] {
            assert!(!loud.stderr.contains(span), "{span}: {}", loud.stderr);
        }
        assert!(collector.spans().len() > 10, "the trace is real");
    }
}

fn without_time(line: &str) -> &str {
    line.split_once("\"level\"").map_or(line, |(_, rest)| rest)
}
