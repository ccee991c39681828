//! What answers are taken for, of every probe that is one HTTP request.

use std::collections::BTreeSet;
use std::time::Duration;

use rotate_fixtures::hostile::{Hostile, Text};
use rotate_fixtures::probed_vendor::Said;
use rotate_providers::guide::probe::{Answer, Auth, How, Http, Meant};
use rotate_providers::{Connector, connectors};
use serde_json::{Value, json};

use super::desk::{AGENT, CANARY, Desk, verdict};

/// What each of them is told.
pub(crate) fn told(id: &str) -> &'static [&'static str] {
    const GUID: &str = "11111111-2222-3333-4444-555555555555";
    match id {
        "aha" => &["--company", "acme"],
        "freshdesk" => &["--domain", "acme"],
        "productboard" => &["--workspace", "acme"],
        "bulk-api" | "gainsight-api-key" | "segment" => &["--tenant", "acme.gainsightcloud.com"],
        "gainsight-api-m2m" => &["--tenant", "acme.gainsightcloud.com", "--client-id", "client-1"],
        "zuora" => &["--host", "rest.na.zuora.com", "--client-id", "client-1"],
        "databricks-oauth" => &["--workspace", "dbc-a1b2.cloud.databricks.com", "--client-id", GUID],
        "dynamics-client-secret" => &[
            "--org",
            "acme.crm4.dynamics.com",
            "--tenant",
            "contoso.example",
            "--client-id",
            GUID,
        ],
        "servicenow" => &["--instance", "acme", "--client-id", "client-1"],
        "mixpanel" => &["--old-account", "gainsight.1a2b.mp-service-account"],
        other => panic!("say what {other} is told"),
    }
}

/// Every connector with such a probe.
pub(crate) fn probed() -> Vec<(&'static Connector, Http)> {
    let probed: Vec<(&Connector, Http)> = connectors()
        .filter_map(|connector| match connector.guide().unwrap().probe?.how {
            // Where the person names the address, there is a test of its own.
            How::Http(http) if !http.hosts.is_empty() => Some((connector, http)),
            _ => None,
        })
        .collect();
    assert!(probed.len() >= 12, "{} probes", probed.len());
    probed
}

/// A body that this rule is about.
fn body(answer: &Answer) -> String {
    let Some(at) = &answer.at else {
        return "<html>".to_owned();
    };
    let mark = match (answer.is.first(), answer.begins.first()) {
        (Some(is), _) if is == "true" => json!(true),
        (Some(is), _) => json!(is),
        (_, Some(begins)) => json!(format!("{begins}: what the vendor says, {CANARY}")),
        (None, None) => json!("anything"),
    };
    let parts: Vec<&str> = at.trim_start_matches('/').split('/').collect();
    let inside = |inner: Value, part: &&str| json!({ *part: inner });
    parts.iter().rev().fold(mark, inside).to_string()
}

fn code(meant: Meant) -> (i32, &'static str) {
    match meant {
        Meant::Accepted => (0, "accepted"),
        Meant::Rejected => (3, "rejected"),
        Meant::Inconclusive => (1, "inconclusive"),
    }
}

#[test]
fn each_answer_is_taken_for_what_its_guide_says() {
    let desk = Desk::new();
    for (connector, http) in probed() {
        let mut seen: Vec<(u16, String)> = Vec::new();
        for answer in http.answers.iter() {
            for &status in &answer.status {
                let body = body(answer);
                // The first rule decides: a later one of the same form is never asked.
                if seen.contains(&(status, body.clone())) {
                    continue;
                }
                seen.push((status, body.clone()));
                desk.vendor.says(Said::Plain(status, body));
                let ran = desk.verify([connector.id].iter().chain(told(connector.id)).copied());
                let (exit, name) = code(answer.verdict);
                let context = format!("{} {status}: {}\n{ran:#?}", connector.id, answer.means);
                assert_eq!(ran.code, Some(exit), "{context}");
                assert_eq!(verdict(&ran), (name.to_owned(), format!("http-{status}")), "{context}");
                assert_eq!(desk.vendor.asked().len(), 1, "{context}");
            }
        }
    }
}

#[test]
fn the_secret_goes_into_the_head_or_the_form_and_the_request_only_reads_or_asks_for_a_token() {
    let desk = Desk::new();
    for (connector, _) in probed() {
        desk.vendor.says(Said::json(401, "{}"));
        desk.verify([connector.id].iter().chain(told(connector.id)).copied());
        let [asked] = desk.vendor.asked().try_into().expect("one request");
        assert!(!asked.path.contains(CANARY), "{asked:?}");
        let text = asked.text();
        // In base64 its letters stand at one of three places.
        let is_there = [CANARY, "Y2FuYXJ5Qz", "NhbmFyeUMw", "jYW5hcnlDM"]
            .iter()
            .any(|part| text.contains(part));
        assert!(is_there, "{}: {asked:?}", connector.id);
        match asked.method.as_str() {
            "GET" => assert!(asked.body.is_empty(), "{asked:?}"),
            "POST" => assert!(asked.body.contains("grant_type=client_credentials"), "{asked:?}"),
            other => panic!("{}: {other}", connector.id),
        }
    }
}

#[test]
fn what_stands_between_here_and_the_vendor_is_no_verdict() {
    const HUGE: Text = Text::of_spaces((64 << 10) + 1);
    let desk = Desk::new();
    for (connector, _) in probed() {
        let mut all = vec![
            (Said::json(500, "{}"), "http-500", 2),
            (Said::json(429, "{}"), "http-429", 1),
            (Said::json(403, "<html>a firewall</html>"), "http-403", 1),
            (
                Said::Hostile(Hostile::Redirect(302, "https://evil.example/")),
                "http-302",
                1,
            ),
            (
                Said::Hostile(Hostile::Redirect(307, "https://evil.example/")),
                "http-307",
                1,
            ),
        ];
        // One that gives tokens, and one that reads: a second try takes a second of waiting.
        if ["aha", "zuora"].contains(&connector.id) {
            all.push((Said::json(503, r#"{"access_token":"x","result":true}"#), "http-503", 2));
            all.push((Said::Nothing, "", 2));
        }
        // 200 with an error, with nothing, with a page of somebody else's (a login, a captive portal), and without end.
        for body in [
            r#"{"error":"no","result":false}"#,
            "{}",
            "<html>sign in</html>",
            r#"{"access_token":null,"result":null,"id":null,"data":null,"user":{"id":null},"results":{"projects":null}}"#,
            r#"{"access_token":"","result":false,"id":"","data":false,"user":{"id":""},"results":{"projects":false}}"#,
        ] {
            all.push((Said::json(200, body), "http-200", 1));
        }
        all.push((Said::Hostile(Hostile::Long(HUGE)), "answer-too-long", 1));
        for (said, class, requests) in all {
            let context = format!("{}: {said:?}", connector.id);
            desk.vendor.says(said);
            let ran = desk.verify([connector.id].iter().chain(told(connector.id)).copied());
            assert_eq!(ran.code, Some(1), "{context}\n{ran:#?}");
            let (verdict, found) = verdict(&ran);
            assert_eq!(verdict, "inconclusive", "{context}");
            assert!(class.is_empty() || found == class, "{context}: {found}");
            assert_eq!(desk.vendor.asked().len(), requests, "{context}");
        }
    }
    let hosts = desk.vendor.hosts();
    assert!(!hosts.iter().any(|host| host.contains("evil")), "{hosts:?}");
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for_without_end_in_whatever_way_the_secret_was_sent() {
    let desk = Desk::new();
    // In the head as a bearer's, as a user's, as a password and under a name of its own; and in a form.
    let ways = [
        "aha",
        "freshdesk",
        "gainsight-api-m2m",
        "mixpanel",
        "gainsight-api-key",
        "zuora",
    ];
    let styles: BTreeSet<&str> = probed()
        .iter()
        .filter(|(connector, _)| ways.contains(&connector.id))
        .map(|(_, http)| style(http))
        .collect();
    let all: BTreeSet<&str> = probed().iter().map(|(_, http)| style(http)).collect();
    assert_eq!(styles, all, "a way to send a secret is left out");
    for id in ways {
        desk.vendor
            .says(Said::Late(Duration::from_secs(60), 200, "{}".to_owned()));
        let ran = desk.verify([id].iter().chain(told(id)).chain(&["--time-out", "1s"]).copied());
        assert_eq!(ran.code, Some(1), "{id}: {ran:#?}");
        assert_eq!(
            verdict(&ran),
            ("inconclusive".to_owned(), "time-out".to_owned()),
            "{id}"
        );
        assert_eq!(desk.vendor.asked().len(), 2, "{id}");
    }
}

/// How a secret is sent.
fn style(http: &Http) -> &'static str {
    match http.auth {
        Auth::Bearer => "bearer",
        Auth::Basic => "basic",
        Auth::BasicUser { .. } => "basic-user",
        Auth::Header { .. } => "header",
        Auth::Form => "form",
    }
}

#[test]
fn an_old_credential_is_tried_once_and_should_be_refused() {
    let desk = Desk::new();
    for (said, exit, verdict_is) in [
        (Said::json(401, "{}"), 0, "rejected"),
        (Said::json(200, AGENT), 3, "accepted"),
        (Said::json(500, "{}"), 1, "inconclusive"),
    ] {
        desk.vendor.says(said);
        let ran = desk.verify(["freshdesk/acme", "--old"]).expect(exit);
        assert_eq!(verdict(&ran).0, verdict_is);
        assert_eq!(desk.vendor.asked().len(), 1);
        assert_eq!(ran.json()["verification"]["credential"], "old");
    }
}
