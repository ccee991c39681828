//! The guides of all connectors: what each of them keeps, and that none can be added that does not.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

mod branches;
mod commands;
mod doctored;
pub(crate) mod examples;
mod procedures;
mod proofs;
mod values;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use rotate_providers::guide::{Command, Guide, Piece, Procedure, Step, Template};
use rotate_providers::{CONNECTORS, automation, connector};

const HEADINGS: &str = include_str!("../../fixtures/headings.txt");

/// Every connector that was asked for.
const IDS: [&str; 31] = [
    "aha",
    "bigquery-oauth",
    "bigquery-service-account",
    "bulk-api",
    "bulk-api-oauth",
    "custom-rest-api",
    "databricks-oauth",
    "databricks-password",
    "dynamics-certificate",
    "dynamics-client-secret",
    "ecosystem",
    "eventstream",
    "freshdesk",
    "gainsight-api-key",
    "gainsight-api-m2m",
    "google-analytics",
    "jira",
    "mixpanel",
    "mysql",
    "postgres",
    "productboard",
    "redshift",
    "s3-customer-managed",
    "s3-gs-managed",
    "sap-datasphere",
    "segment",
    "servicenow",
    "snowflake-keypair",
    "snowflake-oauth",
    "snowflake-password",
    "zuora",
];

fn guides() -> Vec<(&'static str, Guide)> {
    CONNECTORS
        .iter()
        .map(|connector| {
            let guide = connector.guide();
            (
                connector.id,
                guide.unwrap_or_else(|flaw| unsound(connector.id, &flaw.to_string())),
            )
        })
        .collect()
}

#[expect(clippy::panic, reason = "a test that cannot go on must stop")]
fn unsound(id: &str, flaw: &str) -> Guide {
    panic!("the guide of {id} cannot be used: {flaw}")
}

/// Every step, with the name of its procedure.
fn steps(guide: &Guide) -> impl Iterator<Item = (Procedure, &Step)> {
    Procedure::ALL
        .into_iter()
        .flat_map(|procedure| guide.steps(procedure).iter().map(move |step| (procedure, step)))
}

/// Everything that is typed.
fn commands(guide: &Guide) -> Vec<&Command> {
    let of_steps = steps(guide).flat_map(|(_, step)| step.commands());
    let of_ends = guide.negative.ways().flat_map(|way| &way.command);
    of_steps.chain(of_ends).collect()
}

/// Every text that values go into.
fn templates(guide: &Guide) -> Vec<&Template> {
    let of_steps = steps(guide).flat_map(|(_, step)| step.texts());
    let of_ends = guide.negative.ways().flat_map(|way| way.texts());
    of_steps.chain(of_ends).collect()
}

/// Every text that is printed as it is written.
fn plain_texts(guide: &Guide) -> Vec<&str> {
    let credential = &guide.credential;
    let mut texts: Vec<&String> = vec![
        &guide.title,
        &guide.vendor,
        &credential.what,
        &credential.coexist,
        &credential.expires,
    ];
    texts.extend(
        credential
            .depends
            .iter()
            .chain(&credential.gap)
            .chain(&credential.pause),
    );
    texts.extend(guide.roles.iter().chain(&guide.affects).chain(&guide.prepare));
    texts.extend(guide.corrections.iter().flat_map(|one| [&one.says, &one.instead]));
    texts.extend(steps(guide).filter_map(|(_, step)| step.evidence.as_ref()));
    texts.extend(steps(guide).flat_map(|(_, step)| &step.choices));
    texts.extend(guide.negative.ways().map(|way| &way.residue));
    texts.extend(guide.sources.iter().map(|source| &source.says));
    let helps = guide.inputs.iter().map(|input| &*input.help);
    texts.into_iter().map(String::as_str).chain(helps).collect()
}

/// A template as it is written, without its values.
fn written(template: &Template) -> String {
    let pieces = template.pieces().iter();
    let written = pieces.map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value { input, .. } => format!("{{{input}}}"),
        Piece::Step(id) => format!("step {id}"),
    });
    written.collect()
}

#[test]
fn the_connectors_are_those_that_were_asked_for() {
    let ids: Vec<&str> = CONNECTORS.iter().map(|connector| connector.id).collect();
    assert_eq!(ids, IDS);
    let automated: Vec<&str> = IDS.into_iter().filter(|id| automation(id).is_some()).collect();
    assert_eq!(automated, ["s3-customer-managed", "snowflake-keypair"]);
    assert!(connector("nonsense").is_none());
}

#[test]
fn every_heading_of_the_source_documents_is_covered_and_no_other_is_named() {
    let headings: Vec<&str> = HEADINGS.lines().collect();
    let all: BTreeSet<&str> = headings.iter().copied().collect();
    assert_eq!(
        all.len(),
        29,
        "a heading is missing from the fixture, or is there twice"
    );
    assert_eq!(headings.len(), 29);
    let guides = guides();
    let named: BTreeSet<&str> = guides
        .iter()
        .flat_map(|(_, guide)| &guide.seeds)
        .map(String::as_str)
        .collect();
    let uncovered: Vec<&&str> = all.difference(&named).collect();
    let invented: Vec<&&str> = named.difference(&all).collect();
    assert!(uncovered.is_empty(), "no guide covers {uncovered:?}");
    assert!(invented.is_empty(), "the source documents have no heading {invented:?}");
    for (id, guide) in &guides {
        assert!(!guide.seeds.is_empty(), "{id} covers nothing");
    }
}

#[test]
fn a_heading_has_one_guide_and_that_of_the_databases_has_three() {
    let mut covering: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (id, guide) in guides() {
        for seed in guide.seeds {
            covering.entry(seed).or_default().push(id);
        }
    }
    for (heading, ids) in covering {
        if heading == "Postgres, MySQL, or Redshift" {
            assert_eq!(ids, ["mysql", "postgres", "redshift"]);
        } else {
            assert_eq!(ids.len(), 1, "{heading}: {ids:?}");
        }
    }
}

#[test]
fn disconnecting_and_reconnecting_is_told_where_the_source_documents_tell_it() {
    let have = |procedure: Procedure| -> Vec<&str> {
        let guides = guides();
        let with = guides.iter().filter(|(_, guide)| !guide.steps(procedure).is_empty());
        with.map(|(id, _)| *id).collect()
    };
    assert_eq!(have(Procedure::Rotate), IDS);
    let both = [
        "bigquery-oauth",
        "bigquery-service-account",
        "dynamics-certificate",
        "dynamics-client-secret",
        "servicenow",
    ];
    assert_eq!(have(Procedure::Reconnect), both);
    let disconnect: Vec<&str> = both.into_iter().chain(["snowflake-password"]).collect();
    assert_eq!(have(Procedure::Disconnect), disconnect);
}

#[test]
fn every_text_is_one_clean_line() {
    for (id, guide) in guides() {
        let lines = templates(&guide)
            .into_iter()
            .filter(|template| !commands(&guide).iter().any(|command| command.text == **template));
        let texts = plain_texts(&guide).into_iter().map(str::to_owned);
        for text in texts.chain(lines.map(written)) {
            assert!(!text.trim().is_empty(), "{id} has an empty text");
            assert!(!text.chars().any(char::is_control), "{id}: {text:?}");
            assert_eq!(text.trim(), text, "{id}");
            assert!(!text.contains("  "), "{id}: {text}");
            assert!(!text.contains("TODO") && !text.contains("FIXME"), "{id}: {text}");
        }
    }
}

#[test]
fn every_link_is_https_and_names_a_host() {
    for (id, guide) in guides() {
        let links = steps(&guide).filter_map(|(_, step)| step.link.as_deref());
        for link in links.chain(guide.sources.iter().map(|source| source.url.as_str())) {
            let host = link.strip_prefix("https://").and_then(|rest| rest.split('/').next());
            assert!(host.is_some_and(|host| host.contains('.')), "{id}: {link}");
            assert!(!link.contains([' ', '@', '<', '{']), "{id}: {link}");
        }
        assert!(!guide.sources.is_empty(), "{id} has no source");
    }
    // Nor does a text lead anywhere else.
    for (id, guide) in guides() {
        let texts = templates(&guide).into_iter().map(written);
        for text in texts.chain(plain_texts(&guide).into_iter().map(str::to_owned)) {
            assert!(!text.contains("http://"), "{id}: {text}");
        }
    }
}
