//! The guides of all connectors: what each of them keeps, and that none can be added that does not.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

#[path = "guides/doctored.rs"]
mod doctored;
#[path = "guides/examples.rs"]
mod examples;
#[path = "guides/readme.rs"]
mod readme;

use std::collections::{BTreeMap, BTreeSet};

use rotate_providers::guide::{Command, Guide, Language, Overlap, Phase, Piece, Procedure, Step, Template};
use rotate_providers::{CONNECTORS, automation, connector};

const HEADINGS: &str = include_str!("../fixtures/headings.txt");

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
    of_steps.chain(&guide.negative.command).collect()
}

/// Every text that values go into.
fn templates(guide: &Guide) -> Vec<&Template> {
    let of_steps = steps(guide).flat_map(|(_, step)| step.texts());
    of_steps.chain(guide.negative.texts()).collect()
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
    texts.extend(guide.inputs.iter().map(|input| &input.help));
    texts.extend(guide.corrections.iter().flat_map(|one| [&one.says, &one.instead]));
    texts.extend(steps(guide).filter_map(|(_, step)| step.evidence.as_ref()));
    texts.extend(steps(guide).flat_map(|(_, step)| &step.choices));
    texts.extend(&guide.negative.residue);
    texts.extend(guide.sources.iter().map(|source| &source.says));
    texts.into_iter().map(String::as_str).collect()
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
fn every_name_of_a_step_is_its_own_and_says_what_it_does() {
    for (id, guide) in guides() {
        for procedure in Procedure::ALL {
            let mut names = BTreeSet::new();
            for step in guide.steps(procedure) {
                assert!(names.insert(&step.id), "{id}: step {} exists twice", step.id);
                assert!(
                    step.id.starts_with(|c: char| c.is_ascii_lowercase()),
                    "{id}: {} is no word",
                    step.id
                );
                assert!(step.id.len() <= 48, "{id}: {} is long to type", step.id);
            }
        }
    }
}

#[test]
fn the_phases_of_a_rotation_are_in_order_and_nothing_is_revoked_before_the_cut_over() {
    for (id, guide) in guides() {
        let phases: Vec<Phase> = guide.rotate.iter().map(|step| step.phase).collect();
        assert!(phases.is_sorted(), "{id}: {phases:?}");
        let cut_over = phases.iter().position(|phase| *phase == Phase::CutOver);
        let cut_over = cut_over.expect(id);
        for (position, step) in guide.rotate.iter().enumerate() {
            assert!(
                !step.phase.revokes() || position > cut_over,
                "{id}: {} revokes before the cut-over is proven",
                step.id
            );
        }
    }
}

#[test]
fn what_cannot_be_undone_before_the_cut_over_is_warned_of_where_old_and_new_overlap() {
    // Such a step is the exception, of a person who has another credential than the guide hopes for.
    for (id, guide) in guides() {
        if guide.credential.overlap == Overlap::Yes {
            for step in &guide.rotate {
                assert!(
                    step.reversible || step.phase >= Phase::CutOver || step.caution.is_some(),
                    "{id}: {} cannot be undone, comes before the cut-over, and has no caution",
                    step.id
                );
            }
        }
    }
}

#[test]
fn what_is_gone_for_good_is_told_to_be() {
    let mut comes_back = Vec::new();
    for (id, guide) in guides() {
        for (procedure, step) in steps(&guide) {
            if step.phase == Phase::Deleted && step.changes() && step.reversible {
                comes_back.push((id, procedure.name(), step.id.clone()));
            }
        }
    }
    // Its public file, which is kept, can be uploaded again.
    let certificate = ("dynamics-certificate", "rotate", "delete-old-certificate".to_owned());
    // A consent that is given once more can be taken back once more.
    let consent = ("snowflake-oauth", "rotate", "authorise-after-the-revocation".to_owned());
    assert_eq!(
        comes_back,
        [certificate, consent],
        "deletes, and is told to be reversible"
    );
}

#[test]
fn nothing_is_changed_before_a_new_credential_is_made() {
    let mut changed = Vec::new();
    for (id, guide) in guides() {
        for (procedure, step) in steps(&guide) {
            if step.phase == Phase::Opened && step.changes() {
                changed.push((id, procedure.name(), step.id.clone()));
                assert!(!step.reversible && step.caution.is_some(), "{id}: {}", step.id);
            }
        }
    }
    // Where both places are taken, a key that nobody uses has to go first.
    let place = ("s3-customer-managed", "rotate", "free-a-place".to_owned());
    assert_eq!(changed, [place]);
}

#[test]
fn a_rotation_makes_delivers_and_proves_something() {
    for (id, guide) in guides() {
        for phase in [Phase::Created, Phase::Delivered] {
            let changes = guide.rotate.iter().any(|step| step.phase == phase && step.changes());
            assert!(changes, "{id}: nothing is changed in `{}`", phase.name());
        }
        let proven = guide
            .rotate
            .iter()
            .any(|step| step.phase == Phase::CutOver && !step.changes());
        assert!(proven, "{id}: nobody looks whether it works");
    }
}

#[test]
fn a_step_that_is_told_to_change_nothing_does_not_say_that_it_does() {
    // The first word of what is done tells it, but for words such as "run" and "open", which do not.
    let doing = [
        "Delete", "Revoke", "Disable", "Replace", "Save", "Reset", "Remove", "Grant", "Give",
    ];
    for (id, guide) in guides() {
        for (procedure, step) in steps(&guide) {
            let action = written(&step.action);
            let first = action.split_whitespace().next().unwrap_or_default();
            let own = action.contains("machine") || action.contains("copy") || action.contains("workstation");
            let dead = step.id == "remove-copies";
            assert!(
                step.changes() || own || dead || !doing.contains(&first),
                "{id}: {} step {} changes nothing, it says: {action}",
                procedure.name(),
                step.id
            );
        }
    }
}

#[test]
fn every_step_of_a_rotation_says_what_to_see() {
    for (id, guide) in guides() {
        let blind: Vec<&str> = guide
            .rotate
            .iter()
            .filter(|step| step.expect.is_none())
            .map(|step| step.id.as_str())
            .collect();
        assert!(blind.is_empty(), "{id}: {blind:?}");
    }
}

#[test]
fn a_gap_is_told_where_there_is_one_and_nowhere_else() {
    for (id, guide) in guides() {
        let credential = &guide.credential;
        assert_eq!(credential.gap.is_some(), credential.overlap != Overlap::Yes, "{id}");
        assert_eq!(
            credential.depends.is_some(),
            credential.overlap == Overlap::Depends,
            "{id}"
        );
        assert!(credential.pause.is_none() || credential.overlap == Overlap::Yes, "{id}");
        if credential.overlap != Overlap::Yes {
            assert!(!guide.prepare.is_empty(), "{id}: nothing keeps the gap short");
            assert!(
                guide
                    .rotate
                    .iter()
                    .any(|step| step.phase <= Phase::Delivered && !step.reversible),
                "{id}: no step is told to end the old credential"
            );
        }
    }
}

#[test]
fn the_overlap_depends_where_the_other_side_is_unknown_and_one_connection_pauses() {
    let with = |holds: fn(&Guide) -> bool| -> Vec<&str> {
        let guides = guides();
        guides
            .iter()
            .filter(|(_, guide)| holds(guide))
            .map(|(id, _)| *id)
            .collect()
    };
    let depends = with(|guide| guide.credential.overlap == Overlap::Depends);
    assert_eq!(depends, ["custom-rest-api", "ecosystem"]);
    assert_eq!(with(|guide| guide.credential.pause.is_some()), ["servicenow"]);
}

#[test]
fn what_only_a_step_can_tell_is_not_asked_for_before() {
    let guides = guides();
    let late: Vec<(&str, &str)> = guides
        .iter()
        .flat_map(|(id, guide)| guide.inputs.iter().map(move |input| (*id, input)))
        .filter(|(_, input)| input.late)
        .map(|(id, input)| (id, input.name.as_str()))
        .collect();
    assert_eq!(
        late,
        [
            ("bigquery-service-account", "old_key_id"),
            ("databricks-password", "client_id"),
            ("s3-customer-managed", "new_key"),
        ]
    );
}

#[test]
fn every_place_for_a_value_is_an_input_and_every_input_has_its_place() {
    for (id, guide) in guides() {
        let declared: BTreeSet<&str> = guide.inputs.iter().map(|input| input.name.as_str()).collect();
        let used: BTreeSet<&str> = templates(&guide)
            .into_iter()
            .flat_map(Template::pieces)
            .filter_map(|piece| match piece {
                Piece::Value { input, .. } => Some(input.as_str()),
                Piece::Text(_) | Piece::Step(_) => None,
            })
            .chain(
                steps(&guide)
                    .flat_map(|(_, step)| &step.only)
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
            assert!(!taken.contains(&input.name.as_str()), "{id}: --{}", input.name);
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
            assert!(input.pattern.is_match(example), "{place} does not take {example}");
            // From the beginning to the end.
            for harm in ["\n", "\r", "\n'; DROP TABLE users; --"] {
                assert!(
                    !input.pattern.is_match(&format!("{example}{harm}")),
                    "{place} takes {harm:?}"
                );
                assert!(
                    !input.pattern.is_match(&format!("{harm}{example}")),
                    "{place} takes {harm:?}"
                );
            }
            for option in ["-", "-x", "--dry-run", "--help"] {
                assert!(!input.pattern.is_match(option), "{place} takes {option}");
            }
            let empty = input.pattern.is_match("");
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
        assert!(url.pattern.is_match(good), "{good}");
    }
    for bad in [
        "https://me@api.acme.com/v1",
        "https://me:geheim@api.acme.com/v1",
        "https://:geheim@api.acme.com/v1",
        "http://api.acme.com/v1",
        "https:///v1",
        "https://api.acme.com\\@evil.example/",
    ] {
        assert!(!url.pattern.is_match(bad), "{bad}");
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

#[test]
fn a_value_in_an_address_is_encoded_for_it() {
    for (id, guide) in guides() {
        // In a command, what it is typed into decides how a value is quoted.
        let commands: Vec<&Template> = commands(&guide).into_iter().map(|command| &command.text).collect();
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

#[test]
fn no_secret_is_typed_into_a_shell_where_its_history_would_keep_it() {
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let Some(command) = step
                .command
                .as_ref()
                .filter(|command| command.language == Language::Shell)
            else {
                continue;
            };
            let text = written(&command.text).to_uppercase();
            for secret in [
                "PASSWORD>",
                "SECRET>",
                "TOKEN>",
                "SECRET KEY>",
                "PRIVATE KEY>",
                "API KEY>",
            ] {
                assert!(!text.contains(secret), "{id}: {} types a secret: {text}", step.id);
            }
        }
    }
}

#[test]
fn a_terminal_that_was_silenced_is_heard_again_whatever_happens() {
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let Some(command) = &step.command else { continue };
            let text = written(&command.text);
            if let Some((before, _)) = text.split_once("stty -echo") {
                assert!(before.contains("trap 'stty echo' EXIT"), "{id}: {}", step.id);
            }
        }
    }
}

#[test]
fn every_command_is_one_that_a_shell_can_read() {
    let mut wrong = Vec::new();
    for (id, guide) in guides() {
        let values = examples::examples(id, &guide);
        for (_, step) in steps(&guide) {
            let Some(command) = step
                .command
                .as_ref()
                .filter(|command| command.language == Language::Shell)
            else {
                continue;
            };
            let text = command.text.fill(&values);
            let read = std::process::Command::new("sh").args(["-n", "-c", &text]).output();
            let read = read.expect("there is a shell");
            if !read.status.success() {
                wrong.push(format!("{id}: {}: {}", step.id, String::from_utf8_lossy(&read.stderr)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_command_in_which_a_value_is_missing_does_nothing_if_it_is_run_all_the_same() {
    // `<KEY ID>` is two redirections to a shell: it has to stop at them, and before anything else.
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let Some(command) = step
                .command
                .as_ref()
                .filter(|command| command.language == Language::Shell)
            else {
                continue;
            };
            let text = command.text.fill(&BTreeMap::new());
            let missing = text != command.text.fill(&examples::examples(id, &guide));
            if !missing {
                continue;
            }
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let ran = std::process::Command::new("/bin/sh")
                .args(["-c", &text])
                // Without a path, no program of this machine is found; what a shell does by itself is seen.
                .env_clear()
                .env("PATH", folder.path().join("nowhere"))
                .current_dir(folder.path())
                .stdin(std::process::Stdio::null())
                .output()
                .expect("there is a shell");
            let left: Vec<_> = std::fs::read_dir(folder.path()).expect("it can be read").collect();
            assert!(left.is_empty(), "{id}: {} made {left:?}: {ran:?}", step.id);
        }
    }
}

#[test]
fn what_a_person_fills_in_by_hand_is_written_like_it() {
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let Some(command) = &step.command else { continue };
            let text = written(&command.text);
            for (at, _) in text.match_indices('<') {
                let rest = &text[at + 1..];
                // `<<`, `<=`, `<>` and a redirection are no places.
                let Some(inner) = rest.split('>').next().filter(|_| rest.contains('>')) else {
                    continue;
                };
                if inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    let fits = inner
                        .chars()
                        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || " -_".contains(c));
                    assert!(fits, "{id}: {}: <{inner}>", step.id);
                }
            }
        }
    }
}
