//! What a person gives: each value has its place, is asked for under a name of its own, and can do no harm.

use std::collections::BTreeSet;

use rotate_providers::connector;
use rotate_providers::guide::{Piece, Probe, Template};

use super::{commands as typed, examples, guides, plain_texts, steps, templates, written};

#[test]
fn what_only_a_step_can_tell_is_not_asked_for_before() {
    let guides = guides();
    let late: Vec<(&str, &str)> = guides
        .iter()
        .flat_map(|(id, guide)| guide.inputs.iter().map(move |input| (*id, input)))
        .filter(|(_, input)| input.late)
        .map(|(id, input)| (id, &*input.name))
        .collect();
    assert_eq!(
        late,
        [
            ("bigquery-oauth", "new_client_id"),
            ("bigquery-service-account", "old_key_id"),
            ("databricks-password", "client_id"),
            ("gainsight-api-m2m", "new_client_id"),
            ("mixpanel", "new_account"),
            ("s3-customer-managed", "new_key"),
            ("s3-gs-managed", "new_key"),
            ("servicenow", "new_client_id"),
            ("zuora", "new_client_id"),
        ]
    );
}

#[test]
fn every_place_for_a_value_is_an_input_and_every_input_has_its_place() {
    for (id, guide) in guides() {
        let declared: BTreeSet<&str> = guide.inputs.iter().map(|input| &*input.name).collect();
        let probes = guide.probe.iter().flat_map(Probe::ways).flat_map(Probe::texts);
        let used: BTreeSet<&str> = templates(&guide)
            .into_iter()
            .chain(probes)
            .flat_map(Template::pieces)
            .filter_map(|piece| match piece {
                Piece::Value { input, .. } => Some(input.as_str()),
                Piece::Text(_) | Piece::Step(_) => None,
            })
            .chain(
                steps(&guide)
                    .flat_map(|(_, step)| &step.only)
                    .chain(guide.negative.ways().flat_map(|way| &way.only))
                    .map(|only| only.input.as_str()),
            )
            .collect();
        assert_eq!(declared, used, "{id}");
    }
}

#[test]
fn every_input_is_an_option_that_rotate_does_not_have_already() {
    let taken = [
        "again",
        "brief",
        "dry_run",
        "help",
        "list_spacing",
        "log_format",
        "manual",
        "output",
        "procedure",
        "state_dir",
        "strict",
        "verbose",
        "verify_deadline",
        "verify_spacing",
        "verify_successes",
        "version",
    ];
    for (id, guide) in guides() {
        for input in &guide.inputs {
            assert!(!taken.contains(&&*input.name), "{id}: --{}", input.name);
            assert!(
                input.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{id}: {}",
                input.name
            );
            assert!(!input.help.is_empty(), "{id}: {}", input.name);
        }
    }
}

#[test]
fn one_input_names_the_target_and_is_needed() {
    for (id, guide) in guides() {
        let identity = guide.identity().expect(id);
        assert!(
            identity.required && identity.default.is_none(),
            "{id}: --{}",
            identity.name
        );
    }
}

#[test]
fn every_pattern_takes_what_a_person_would_give_and_nothing_that_could_do_harm() {
    for (id, guide) in guides() {
        for input in &guide.inputs {
            let place = format!("{id}: --{}", input.name);
            let example = examples::example(id, &input.name);
            assert!(input.takes(example), "{place} does not take {example}");
            // From the beginning to the end.
            for harm in ["\n", "\r", "\n'; DROP TABLE users; --"] {
                assert!(!input.takes(&format!("{example}{harm}")), "{place} takes {harm:?}");
                assert!(!input.takes(&format!("{harm}{example}")), "{place} takes {harm:?}");
            }
            for option in ["-", "-x", "--dry-run", "--help"] {
                assert!(!input.takes(option), "{place} takes {option}");
            }
            let empty = input.takes("");
            assert!(
                !empty || input.default.as_deref() == Some(""),
                "{place} takes nothing at all"
            );
        }
    }
}

#[test]
fn an_address_to_ask_has_no_login_in_it() {
    let guide = connector("custom-rest-api").and_then(|connector| connector.guide().ok());
    let guide = guide.expect("it is there");
    let url = guide
        .inputs
        .iter()
        .find(|input| input.name == "probe_url")
        .expect("it is an input");
    for good in [
        "https://api.acme.com",
        "https://api.acme.com:8443/v1/me?fields=a@b",
        "https://10.0.0.1/x",
    ] {
        assert!(url.takes(good), "{good}");
    }
    for bad in [
        "https://me@api.acme.com/v1",
        "https://me:geheim@api.acme.com/v1",
        "https://:geheim@api.acme.com/v1",
        "http://api.acme.com/v1",
        "https:///v1",
        "https://api.acme.com\\@evil.example/",
    ] {
        assert!(!url.takes(bad), "{bad}");
    }
}

#[test]
fn no_text_has_a_place_for_a_value_that_nobody_fills() {
    for (id, guide) in guides() {
        for text in plain_texts(&guide) {
            assert!(!text.contains(['{', '}']), "{id} prints as it is: {text}");
        }
    }
}

#[test]
fn a_value_in_an_address_is_encoded_for_it() {
    for (id, guide) in guides() {
        // In a command, what it is typed into decides how a value is quoted.
        let commands: Vec<&Template> = typed(&guide).into_iter().map(|command| &command.text).collect();
        for template in templates(&guide)
            .into_iter()
            .filter(|template| !commands.contains(template))
        {
            let mut before = String::new();
            for piece in template.pieces() {
                match piece {
                    Piece::Text(text) => before.push_str(text),
                    Piece::Step(id) => before.push_str(id),
                    Piece::Value { input, quoting } => {
                        let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
                        let url = word.contains("://");
                        let encoded = matches!(quoting, rotate_providers::guide::Quoting::Url);
                        assert_eq!(url, encoded, "{id}: {{{input}}} in {}", written(template));
                        before.push('x');
                    }
                }
            }
        }
    }
}
