//! The rules and the dashboard that `docs/monitoring` has are ones that Prometheus takes, and name what a run leaves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;
use rotate_fixtures::Promtool;
use serde_json::Value;

use super::{DAY, read, textfile, watched};

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring").join(name)
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\brotate_[a-z_]+").unwrap();
    name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

fn expressions(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read(&docs("dashboard.json"))).unwrap()
}

#[test]
fn the_rules_have_no_mistake_and_say_what_their_tests_expect() {
    let promtool = Promtool::find();
    let (fine, said) = promtool.says_of(&["check", "rules", "alerts.yml"], &docs("alerts.yml"));
    assert!(fine && said.contains("SUCCESS: 11 rules found"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let test = folder.path().join("alerts_test.yml");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/monitoring/alerts_test.yml");
    std::fs::copy(kept, &test).unwrap();
    std::fs::copy(docs("alerts.yml"), folder.path().join("alerts.yml")).unwrap();
    let (fine, said) = promtool.says_of(&["test", "rules", "alerts_test.yml"], &test);
    assert!(fine, "{said}");
    // Each rule is expected to tell something at least once.
    let tests = read(&test);
    let rules = read(&docs("alerts.yml"));
    let alert = Regex::new(r"- alert: (\w+)").unwrap();
    for found in alert.captures_iter(&rules) {
        let told = format!("alertname: {}\n        exp_alerts", &found[1]);
        assert!(tests.contains(&told), "no test expects {}", &found[1]);
    }
}

#[test]
fn every_expression_of_the_dashboard_is_one_that_prometheus_takes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.yml");
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    let all = expressions(&dashboard());
    for (number, expression) in all.iter().enumerate() {
        let quoted = expression.replace('\'', "''");
        rules.push_str(&format!("      - record: panel:{number}\n        expr: '{quoted}'\n"));
    }
    std::fs::write(&file, rules).unwrap();
    let (fine, said) = Promtool::find().says_of(&["check", "rules", "dashboard.yml"], &file);
    assert!(fine && all.len() > 10, "{said}");
}

#[test]
fn a_machine_that_runs_no_more_is_not_hidden_behind_one_that_does() {
    for metric in [
        "rotate_last_run_timestamp_seconds",
        "rotate_last_success_timestamp_seconds",
    ] {
        let oldest = format!("time() - min({metric})");
        let all = expressions(&dashboard());
        let of_it: Vec<&String> = all.iter().filter(|it| it.contains(metric)).collect();
        assert_eq!(of_it, [&oldest]);
    }
}

#[test]
fn every_metric_that_they_name_is_in_what_a_run_leaves_and_each_of_those_is_named_in_the_docs() {
    let mut place = watched("");
    place.add_user("one", DAY * 2, "");
    place.run(["run"]).expect(0);
    let left = names(&read(&textfile(&place)));
    let text = dashboard().to_string();
    let named: BTreeSet<String> = names(&read(&docs("alerts.yml")))
        .union(&names(&text))
        .cloned()
        .collect();
    let missing: Vec<&String> = named.difference(&left).collect();
    assert!(missing.is_empty(), "no run leaves {missing:?}\n{left:?}");
    assert!(named.len() > 8, "{named:?}");
    let documented = names(&read(&docs("../monitoring.md")));
    let missing: Vec<&String> = left.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/monitoring.md does not tell of {missing:?}");
    let invented: Vec<&String> = documented.difference(&left).collect();
    assert!(invented.is_empty(), "docs/monitoring.md tells of {invented:?}");
}

#[test]
fn the_dashboard_has_panels_that_do_not_overlap_and_asks_for_its_data_source() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_i64().unwrap()));
        let at = |key: &str| panel["gridPos"][key].as_i64().unwrap();
        assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
            }
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
    }
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert!(variables.iter().any(|it| it["name"] == "datasource"));
}
