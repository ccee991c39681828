//! What it costs to deliver to stores that are reached over a network.

use std::time::Instant;

use rotate_fixtures::{Ran, Workplace};

use super::reasons::{AWS, steps};
use super::{CALL, ROTATE, Report, call, children, median};

const SECRETS: [&str; 2] = ["gainsight/s3", "another/app"];
const PARAMETER: &str = "/gainsight/s3";
const FOUND: &str = r#"{"theirs":"kept"}"#;

/// What a rotation may need beside the calls that have to wait for another.
const MOST_BESIDE_THE_PATH: f64 = 1.3;

/// One rotation that delivers to three stores at once.
pub(super) fn three_destinations(report: &mut Report) {
    let call = call::bare(CALL);
    let all = [
        format!("secretsmanager:{}", SECRETS[0]),
        format!("secretsmanager:{}", SECRETS[1]),
        format!("ssm:{PARAMETER}"),
    ];
    let all = all.each_ref().map(String::as_str);
    // The calls to one store wait for one another; those to another store do not wait for them.
    let longest = all.iter().map(|one| rotated(&[one]).1).max().unwrap_or_default();
    let mut walls: Vec<f64> = (0..9).map(|_| rotated(&all).0).collect();
    let path = call * (f64::from(steps(AWS)) + longest as f64);
    let wall = median(&mut walls);
    println!(
        "  ({:.0} ms; {longest} calls to one store, one after the other)",
        wall * 1e3
    );
    report.figure(
        "three remote destinations: wall ÷ critical path, median of 9",
        wall / path,
        MOST_BESIDE_THE_PATH,
        "×",
    );
    let megabytes = children().max_rss() as f64 / 1024.0;
    report.figure("three remote destinations: peak resident memory", megabytes, 45.0, "MB");
}

/// The seconds of a whole rotation with these destinations, and the calls to their stores.
fn rotated(destinations: &[&str]) -> (f64, usize) {
    let place = Workplace::new(ROTATE);
    for name in SECRETS {
        place.cloud.add_secret(name, FOUND);
    }
    place.cloud.add_parameter(PARAMETER, "SecureString", FOUND);
    place.cloud.latency(CALL);
    let command = place.rotate_to(destinations, ["--cutover", "immediate", "--soak", "0s"]);
    let started = Instant::now();
    Ran::of(command).expect(0);
    let seconds = started.elapsed().as_secs_f64();
    let calls = place.cloud.secret_calls().len() + place.cloud.parameter_calls().len();
    (seconds, calls)
}
