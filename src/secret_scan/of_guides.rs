//! What a guide asks for is never refused in the guide's own words, word by word and as whole texts.

use std::collections::{BTreeMap, BTreeSet};

use rotate_providers::CONNECTORS;
use rotate_providers::guide::{Form, Guide, Procedure, Step};

use super::{refused, words, words_of};

/// Every step that takes any text, with the words of its guide.
fn steps_with_text(hold: impl Fn(&str, &Step, &BTreeSet<String>)) {
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        let says = words_of(&guide, &BTreeMap::new());
        for step in Procedure::ALL.into_iter().flat_map(|procedure| guide.steps(procedure)) {
            if step.form == Form::Text {
                hold(connector.id, step, &says);
            }
        }
    }
}

/// What the step itself says.
fn own_texts(step: &Step) -> Vec<String> {
    let texts = step.texts().map(|text| text.fill(&BTreeMap::new()));
    texts.chain(step.evidence.clone()).collect()
}

fn guide(id: &str) -> Guide {
    rotate_providers::connector(id).unwrap().guide().unwrap()
}

fn taken(id: &str, step: &str, note: &str) {
    let guide = guide(id);
    let says = words_of(&guide, &BTreeMap::new());
    let step = guide.rotate.iter().find(|it| it.id == step).unwrap();
    assert_eq!(refused(note, step, &says), None, "{id} {}: {note}", step.id);
}

#[test]
fn every_word_of_a_step_is_taken() {
    steps_with_text(|id, step, says| {
        for text in own_texts(step).iter().filter(|text| text.len() < 300) {
            for word in words(text) {
                assert_eq!(refused(word, step, says), None, "{id} {}: {word}", step.id);
            }
        }
    });
}

#[test]
fn every_whole_text_of_a_step_is_taken() {
    steps_with_text(|id, step, says| {
        let commands: Vec<String> = step
            .commands()
            .map(|command| command.text.fill(&BTreeMap::new()))
            .collect();
        for text in own_texts(step).iter().filter(|text| !commands.contains(text)) {
            assert_eq!(refused(text, step, says), None, "{id} {}: {text}", step.id);
        }
    });
}

#[test]
fn every_answer_that_a_step_gives_is_taken() {
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        let says = words_of(&guide, &BTreeMap::new());
        for step in Procedure::ALL.into_iter().flat_map(|procedure| guide.steps(procedure)) {
            for choice in &step.choices {
                assert_eq!(refused(choice, step, &says), None, "{} {}", connector.id, step.id);
            }
        }
    }
}

#[test]
fn what_people_note_where_it_is_asked_for_is_taken() {
    for (id, step, note) in [
        // The row of the statement, as a console prints it.
        (
            "mysql",
            "look-at-account",
            "gainsight | % | caching_sha2_password | N | N | 2026-11-27 10:02:11 | NULL | 0",
        ),
        (
            "mysql",
            "look-at-account",
            "host %, plugin caching_sha2_password, has_second_password 0, password_last_changed 2026-11-27 10:02:11",
        ),
        (
            "mysql",
            "look-at-account-again",
            "has_second_password 1, password_last_changed 2026-11-28 03:02:11",
        ),
        (
            "gainsight-api-m2m",
            "find-connection",
            "6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11; Data lake",
        ),
        (
            "snowflake-oauth",
            "look-at-the-external-integration",
            "EXTERNAL_OAUTH_TYPE AZURE, issuer sts.windows.net, roles ANALYST",
        ),
        (
            "s3-customer-managed",
            "find-the-idle-key",
            "AKIAIOSFODNN7EXAMPLE; Last used says never",
        ),
        (
            "bigquery-oauth",
            "add-client",
            "123456789012-def456.apps.googleusercontent.com",
        ),
    ] {
        taken(id, step, note);
    }
}

#[test]
fn a_secret_beside_the_words_of_a_guide_is_refused_all_the_same() {
    let guide = guide("mysql");
    let says = words_of(&guide, &BTreeMap::new());
    let step = guide.rotate.iter().find(|step| step.id == "look-at-account").unwrap();
    for note in [
        "plugin caching_sha2_password, password: hunter2hunter",
        "caching_sha2_password wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "has_second_password=0, the new password is hunter2hunter",
    ] {
        assert!(refused(note, step, &says).is_some(), "{note}");
    }
}
