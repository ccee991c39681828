//! What programs read, and what help says: every document fits the published schema, and every connector tells its own
//! inputs.

use std::sync::LazyLock;

use jsonschema::Validator;
use rotate_providers::CONNECTORS;
use rotate_providers::guide::{Overlap, Procedure};
use serde_json::Value;

use crate::guided::desk::{ALL, Desk, OPEN, SHOW, STEPS, TARGET};
use crate::guides::examples::examples;

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(&rotate::view::schema()).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
});

/// The document is one that the schema describes.
#[track_caller]
fn valid(document: &Value) {
    let faults: Vec<String> = VALIDATOR
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}\n{document:#}");
}

/// What this command prints as JSON, which fits.
#[track_caller]
fn document(desk: &Desk, arguments: &[&str]) -> Value {
    let document = desk.json(arguments.iter().copied());
    valid(&document);
    document
}

#[test]
fn the_plan_of_every_procedure_fits_the_schema_with_values_and_without() {
    let desk = Desk::new();
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        for procedure in Procedure::ALL {
            if guide.steps(procedure).is_empty() {
                continue;
            }
            let mut arguments = vec![connector.id, "--dry-run", "--manual", "--procedure", procedure.name()];
            let planned = document(&desk, &arguments);
            let target = &planned["targets"][0];
            assert_eq!(target["state"], "idle");
            let expected = guide.steps_for(procedure, &std::collections::BTreeMap::new());
            assert_eq!(target["steps"].as_array().unwrap().len(), expected.len());
            assert_eq!(target["guide"]["procedure"], procedure.name());
            let options: Vec<(String, String)> = examples(connector.id, &guide)
                .into_iter()
                .map(|(name, value)| (format!("--{}", name.replace('_', "-")), value))
                .collect();
            arguments.extend(options.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
            let planned = document(&desk, &arguments);
            assert_eq!(planned["targets"][0]["guide"]["missing"], serde_json::json!([]));
        }
    }
}

#[test]
fn every_state_of_a_guided_rotation_fits_the_schema() {
    let desk = Desk::new();
    document(&desk, &["done", TARGET, "1"]);
    document(&desk, &SHOW);
    document(&desk, &[&SHOW[..], &["--dry-run"]].concat());
    document(&desk, &OPEN);
    document(&desk, &OPEN);
    document(&desk, &["run"]);
    document(&desk, &["status"]);
    document(&desk, &["status", TARGET]);
    document(&desk, &["done", TARGET, "1", "--evidence", "Gainsight only"]);
    document(&desk, &["done", TARGET, "1", "--evidence", "ticket OPS-12"]);
    document(&desk, &["done", TARGET, "--skip", "2", "--why", "open already"]);
    document(&desk, &["status", TARGET]);
    document(&desk, &["undo", TARGET, "1", "--why", "not seen after all"]);
    document(&desk, &["status", TARGET]);
    document(&desk, &["audit"]);
    document(&desk, &["abort", TARGET]);
    document(&desk, &["status", TARGET]);
    document(&desk, &OPEN);
    desk.finish(0);
    document(&desk, &["status"]);
    document(&desk, &["status", TARGET]);
    document(&desk, &["run"]);
    let journal = document(&desk, &["audit", TARGET]);
    assert_eq!(journal["events"].as_array().unwrap().len(), 6 + 1 + ALL);
    document(&desk, &["audit", "verify"]);
    // A plan that is about nothing yet.
    document(&desk, &["freshdesk"]);
}

#[test]
fn a_command_that_is_refused_prints_a_document_too() {
    let desk = Desk::opened();
    for arguments in [
        &["done", TARGET, "3"][..],
        &["done", TARGET, "9"],
        &["done", "freshdesk/nobody", "1"],
        &["freshdesk", "--domain", "acme", "--agent", "other@acme.com"],
        &["confirm", TARGET],
        &["rollback", TARGET],
    ] {
        let refused = document(&desk, arguments);
        assert_eq!(
            refused["targets"].as_array().unwrap().len(),
            1,
            "{arguments:?}: {refused:#}"
        );
        assert!(
            refused["targets"][0]["reason"].is_string(),
            "{arguments:?}: {refused:#}"
        );
    }
}

#[test]
fn the_connectors_fit_the_schema_all_and_one() {
    let desk = Desk::new();
    let all = document(&desk, &["connectors"]);
    let listed = all["connectors"].as_array().unwrap();
    assert_eq!(listed.len(), 31);
    for (listed, connector) in listed.iter().zip(CONNECTORS) {
        let guide = connector.guide().unwrap();
        assert_eq!(listed["id"], connector.id);
        let mode = if connector.automation.is_some() {
            "automated"
        } else {
            "guided"
        };
        assert_eq!(listed["mode"], mode);
        assert_eq!(listed["roles"].as_array().unwrap().len(), guide.roles.len());
        assert_eq!(listed["inputs"].as_array().unwrap().len(), guide.inputs.len());
        let one = document(&desk, &["connectors", connector.id]);
        assert_eq!(one["connectors"][0], *listed);
    }
    assert!(!desk.state().exists(), "looking makes no state folder");
}

#[test]
fn the_list_of_connectors_tells_mode_and_overlap_and_each_one_its_roles() {
    let desk = Desk::new();
    let table = desk.run(["connectors"]).expect(0).stdout;
    assert_eq!(table.lines().count(), 32);
    for (line, connector) in table.lines().skip(1).zip(CONNECTORS) {
        let guide = connector.guide().unwrap();
        assert!(line.trim_start().starts_with(connector.id), "{line}");
        assert!(line.contains(&guide.title), "{line}");
        assert!(
            line.contains(if connector.automation.is_some() {
                " automated "
            } else {
                " guided "
            }),
            "{line}"
        );
        assert!(
            line.contains(match guide.credential.overlap {
                Overlap::Yes => " yes ",
                Overlap::None => " NO ",
                Overlap::Depends => " depends ",
            }),
            "{line}"
        );
        assert!(line.chars().count() <= 110, "{line}");
    }
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        let one = desk.run(["connectors", connector.id]).expect(0).stdout;
        for input in &guide.inputs {
            assert!(one.contains(&format!("--{}:", input.name.replace('_', "-"))), "{one}");
        }
        let flat = one.split_whitespace().collect::<Vec<_>>().join(" ");
        for role in &guide.roles {
            let role = role.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(&role), "{role}: {one}");
        }
        for procedure in Procedure::ALL {
            let listed = one
                .lines()
                .any(|line| line.starts_with("Procedures") && line.contains(procedure.name()));
            assert_eq!(listed, !guide.steps(procedure).is_empty(), "{one}");
        }
    }
}

#[test]
fn the_help_of_a_connector_lists_its_own_inputs_and_no_others() {
    let desk = Desk::new();
    let mut every: Vec<String> = Vec::new();
    for connector in CONNECTORS {
        every.extend(
            connector
                .guide()
                .unwrap()
                .inputs
                .into_iter()
                .map(|input| input.name.into_owned()),
        );
    }
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        let manual: &[&str] = if connector.automation.is_some() {
            &["--manual"]
        } else {
            &[]
        };
        let help = desk
            .run([&[connector.id], manual, &["--help"]].concat())
            .expect(0)
            .stdout;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for name in &every {
            let option = format!("--{} <{}>", name.replace('_', "-"), name.to_uppercase());
            let own = guide.inputs.iter().find(|input| input.name == *name);
            assert_eq!(
                help.contains(&option),
                own.is_some(),
                "{}: {option} in {help}",
                connector.id
            );
            if let Some(input) = own {
                let rest: String = input.help.chars().skip(1).collect();
                assert!(help.contains(&rest), "{}: {option} in {help}", connector.id);
                if let Some(default) = input.default.as_ref().filter(|default| !default.is_empty()) {
                    assert!(
                        help.contains(&format!("[default: {default}]")),
                        "{}: {help}",
                        connector.id
                    );
                }
            }
        }
        for procedure in Procedure::ALL {
            let has = !guide.steps(procedure).is_empty();
            let offered = help.split_once("[possible values: ").is_some_and(|(_, rest)| {
                rest.split(']')
                    .next()
                    .is_some_and(|values| values.contains(procedure.name()))
            });
            assert_eq!(offered, has, "{}: {}", connector.id, procedure.name());
        }
        // The short help does too.
        let help = desk.run([&[connector.id], manual, &["-h"]].concat()).expect(0).stdout;
        for input in &guide.inputs {
            assert!(
                help.contains(&format!("--{} <", input.name.replace('_', "-"))),
                "{help}"
            );
        }
        let asked = desk.run(["help", connector.id]).expect(0).stdout;
        assert!(asked.contains("Usage: rotate"), "{asked}");
    }
    assert!(!desk.state().exists());
}

#[test]
fn nothing_is_coloured_off_a_terminal() {
    let desk = Desk::new();
    let dry_run = [&SHOW[..], &["--dry-run"]].concat();
    let commands: &[&[&str]] = &[
        &dry_run,
        &OPEN,
        &["done", TARGET, "1"],
        &["done", TARGET, "1"],
        &["done", TARGET, "--skip", "2", "--why", "open already"],
        &["undo", TARGET, "2"],
        &["status"],
        &["status", TARGET],
        &["status", TARGET, "--output", "markdown"],
        &["run"],
        &["audit"],
        &["connectors"],
        &["connectors", "jira"],
        &["connectors", "jirra"],
        &["jirra"],
        &["freshdesk", "--help"],
        &["freshdesk", "--nonsense"],
        &["walk", TARGET],
        &["-vvv", "abort", TARGET],
    ];
    for command in commands {
        let ran = desk.run(command.iter().copied());
        for (name, said) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            let strange = said.chars().find(|letter| letter.is_control() && *letter != '\n');
            assert_eq!(strange, None, "{command:?} on {name}: {said:?}");
        }
    }
}

#[test]
fn a_plan_in_markdown_is_a_checklist_that_is_ticked_as_the_rotation_is() {
    let desk = Desk::opened();
    let boxes = |mark: &str| {
        let text = desk.run(["status", TARGET, "--output", "markdown"]).expect(0).stdout;
        text.lines()
            .filter(|line| line.starts_with(&format!("- [{mark}] **")))
            .count()
    };
    assert_eq!((boxes("x"), boxes(" ")), (0, ALL));
    desk.done(STEPS[0]);
    desk.run(["done", TARGET, "--skip", "2", "--why", "open already"])
        .expect(0);
    // What was skipped is neither done nor open.
    assert_eq!((boxes("x"), boxes(" ")), (1, ALL - 2));
    let text = desk.run(["status", TARGET, "--output", "markdown"]).expect(0).stdout;
    assert_eq!(text.matches("- *Skipped:* **2. ").count(), 1, "{text}");
    desk.finish(2);
    assert_eq!((boxes("x"), boxes(" ")), (ALL - 1, 0));
}

#[test]
fn a_plan_in_markdown_names_its_procedure() {
    let desk = Desk::new();
    for procedure in ["disconnect", "reconnect"] {
        let text = desk
            .run([
                "servicenow",
                "--dry-run",
                "--procedure",
                procedure,
                "--output",
                "markdown",
            ])
            .expect(0)
            .stdout;
        let heading = text.lines().find(|line| line.starts_with("## ")).unwrap();
        assert!(heading.contains(procedure), "{heading}");
        let what = match procedure {
            "disconnect" => "This cuts Gainsight off from ServiceNow",
            _ => "This connects Gainsight to ServiceNow again",
        };
        assert!(text.contains(what), "{text}");
        for of_rotation in ["Have ready", "Old one dead?", "PAUSE"] {
            assert!(!text.contains(of_rotation), "{of_rotation}: {text}");
        }
    }
}

#[test]
fn the_options_that_were_not_given_are_code_in_markdown() {
    let desk = Desk::new();
    let text = desk
        .run(["freshdesk", "--dry-run", "--output", "markdown"])
        .expect(0)
        .stdout;
    assert!(text.contains("`--domain`"), "{text}");
    assert!(!text.contains("\\`"), "{text}");
}
