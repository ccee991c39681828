//! The plan of every procedure of every connector, as a person reads it: each was read once, and is held as a file in
//! `tests/snapshots/`. After a guide has changed, read the difference, then accept it with `INSTA_UPDATE=always`.
//!
//! By the library, at one width: what a terminal adds to that is tested with the program.

#![expect(clippy::expect_used, reason = "in a test, what cannot be is the failure itself")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rotate::machine::{GuidedRotation, GuidedSpec};
use rotate::plan::{Guidance, lead};
use rotate::view::{Detail, Speaker, TargetView, markdown, text};
use rotate_providers::guide::{Certainty, Guide, Overlap, Procedure};
use rotate_providers::{CONNECTORS, Connector, PhaseName, connector};

use crate::guides::examples;

/// What fits into a terminal of most people.
const WIDTH: usize = 100;

type Values = BTreeMap<String, String>;

/// Every procedure that a connector has.
fn procedures() -> Vec<(&'static Connector, Guide, Procedure)> {
    let mut all = Vec::new();
    for connector in CONNECTORS {
        let guide = connector.guide().expect("the guide is sound");
        for procedure in Procedure::ALL {
            if !guide.steps(procedure).is_empty() {
                all.push((connector, guide.clone(), procedure));
            }
        }
    }
    all
}

/// Without values, with a value for every input, and where something is chosen with the other answer to each.
fn variants(connector: &Connector, guide: &Guide) -> Vec<(&'static str, Values)> {
    let filled = examples::examples(connector.id, guide);
    let mut other = filled.clone();
    for input in &guide.inputs {
        let answered = filled.get(&*input.name);
        let answers = input.choices();
        if let Some(answer) = answers
            .into_iter()
            .find(|answer| answered.is_none_or(|it| it != answer))
        {
            other.insert(input.name.to_string(), answer.to_owned());
        }
    }
    let chooses = other != filled;
    let other = chooses.then_some(("other", other));
    [("bare", Values::new()), ("filled", filled)]
        .into_iter()
        .chain(other)
        .collect()
}

fn report(connector: &Connector, guide: &Guide, procedure: Procedure, values: &Values) -> TargetView {
    let identity = guide.identity().and_then(|input| values.get(&*input.name));
    let target = match identity {
        // In a target's name, what a shell would not take as it is is encoded; no matter here.
        Some(identity) => format!("{}/{identity}", connector.id),
        None => connector.id.to_owned(),
    };
    let steps = lead(guide, procedure, values, None);
    TargetView::unwalked(&target, Guidance::of(guide, procedure, values), steps)
}

fn name(connector: &Connector, procedure: Procedure, form: &str, variant: &str) -> String {
    format!("{}.{}.{form}.{variant}", connector.id, procedure.name())
}

fn hold(form: &str, print: impl Fn(&TargetView) -> String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (connector, guide, procedure) in procedures() {
            for (variant, values) in variants(connector, &guide) {
                let printed = print(&report(connector, &guide, procedure, &values));
                insta::assert_snapshot!(name(connector, procedure, form, variant), printed);
            }
        }
    });
}

#[test]
fn every_plan_in_text_is_the_one_that_was_read() {
    hold("text", |report| {
        text::guided_plan(report, WIDTH, &Speaker::new(None, None))
    });
}

#[test]
fn every_plan_in_markdown_is_the_one_that_was_read() {
    hold("markdown", |report| markdown::document(std::slice::from_ref(report)));
}

#[test]
fn no_plan_is_held_that_nobody_prints() {
    let mut expected = BTreeSet::new();
    for (connector, guide, procedure) in procedures() {
        for form in ["text", "markdown"] {
            for (variant, _) in variants(connector, &guide) {
                expected.insert(format!("{}.snap", name(connector, procedure, form, variant)));
            }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let held: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("snapshots are there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        // What a failing run leaves to look at.
        .filter(|name| !name.ends_with(".snap.new"))
        .collect();
    let stale: Vec<&String> = held.difference(&expected).collect();
    assert!(stale.is_empty(), "delete tests/snapshots/{stale:?}");
}

#[test]
fn no_line_of_a_plan_is_wider_than_asked_unless_it_is_to_be_copied() {
    for (connector, guide, procedure) in procedures() {
        for (_, values) in variants(connector, &guide) {
            let report = report(connector, &guide, procedure, &values);
            for width in [60, 80, 100, 110] {
                let printed = text::guided_plan(&report, width, &Speaker::new(None, None));
                for line in printed.lines().filter(|line| line.chars().count() > width) {
                    // Commands are never broken; nor is a word, such as an address.
                    let is_command = line.starts_with(&" ".repeat(16));
                    let is_word = line.split_whitespace().any(|word| word.chars().count() + 16 > width);
                    let is_advice = line.starts_with("When a step is done:") || line.starts_with("One by one:");
                    let is_heading = line.contains(" · ");
                    assert!(
                        is_command || is_word || is_advice || is_heading,
                        "{} at {width}: {line}",
                        connector.id
                    );
                }
            }
        }
    }
}

#[test]
fn a_link_is_never_broken() {
    // It is there to be opened.
    let mut broken = BTreeSet::new();
    for (connector, guide, procedure) in procedures() {
        let report = report(connector, &guide, procedure, &Values::new());
        let printed = text::guided_plan(&report, WIDTH, &Speaker::new(None, None));
        for step in guide.steps(procedure) {
            if let Some(link) = step.link.as_ref().filter(|link| !printed.contains(link.as_str())) {
                broken.insert(format!("{}: {link}", connector.id));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn what_was_not_given_stays_visible_and_is_listed() {
    for (connector, guide, procedure) in procedures() {
        let values = Values::new();
        let report = report(connector, &guide, procedure, &values);
        let in_text = text::guided_plan(&report, WIDTH, &Speaker::new(None, None));
        let in_markdown = markdown::document(std::slice::from_ref(&report));
        let asked = guide.inputs_of(procedure);
        for input in guide.inputs.iter().filter(|input| input.default.is_none()) {
            let is_asked = asked.iter().any(|asked| asked.name == input.name);
            let need = match (input.required, input.late) {
                (true, _) => "needed",
                (false, true) => "later",
                (false, false) => "optional",
            };
            let option = format!("{} ({need}): ", input.option());
            assert_eq!(in_text.contains(&option), is_asked, "{}: {option}", connector.id);
            let option = format!("`{}` ({need}): ", input.option());
            assert_eq!(in_markdown.contains(&option), is_asked, "{}: {option}", connector.id);
        }
    }
}

#[test]
fn every_page_is_named_and_what_was_not_read_there_is_marked() {
    for (connector, guide, procedure) in procedures() {
        let report = report(connector, &guide, procedure, &Values::new());
        let in_text = text::guided_plan(&report, WIDTH, &Speaker::new(None, None));
        let in_markdown = markdown::document(std::slice::from_ref(&report));
        assert!(in_text.contains("\nSources"), "{}", connector.id);
        assert_eq!(in_markdown.matches("**Sources**").count(), 1, "{}", connector.id);
        let guidance = report.guide.as_ref().expect("it is guided");
        assert_eq!(guidance.sources.len(), guide.sources.len(), "{}", connector.id);
        let checked = &guide.checked;
        assert!(
            in_text.contains(&format!("\nLooked at       {checked}\n")),
            "{}",
            connector.id
        );
        let pages: BTreeSet<&str> = guide.sources.iter().map(|source| source.url.as_str()).collect();
        assert_eq!(guidance.pages().len(), pages.len(), "{}", connector.id);
        for url in pages {
            let seen = guide
                .sources
                .iter()
                .any(|source| source.url == url && source.certainty == Certainty::Seen);
            let page = guidance
                .pages()
                .into_iter()
                .find(|page| page.starts_with(&format!("{url} ")));
            let page = page.expect("it is among the pages");
            assert_eq!(page.contains("seen: "), seen, "{}: {page}", connector.id);
            for source in guide.sources.iter().filter(|source| source.url == url) {
                assert!(page.contains(&source.says), "{}: {page}", connector.id);
                let mark = page.find("UNCHECKED: ");
                let told = page.find(&source.says);
                let is_marked = mark.is_some_and(|mark| told.is_some_and(|told| mark < told));
                assert_eq!(
                    is_marked,
                    source.certainty == Certainty::Unchecked,
                    "{}: {page}",
                    connector.id
                );
            }
            assert!(in_markdown.contains(&format!("<{url}>")), "{}: {url}", connector.id);
            assert!(in_text.contains(url), "{}: {url}", connector.id);
        }
    }
}

#[test]
fn a_plan_says_first_what_stops() {
    for (connector, guide, procedure) in procedures() {
        let report = report(connector, &guide, procedure, &Values::new());
        let in_text = text::guided_plan(&report, WIDTH, &Speaker::new(None, None));
        let first = in_text.lines().nth(1).unwrap_or_default();
        let begins = match (procedure, guide.credential.overlap, &guide.credential.pause) {
            (Procedure::Disconnect, ..) => "This cuts Gainsight off",
            (Procedure::Reconnect, ..) => "This connects Gainsight to",
            (Procedure::Rotate, Overlap::None, _) => "NO OVERLAP. The gap: ",
            (Procedure::Rotate, Overlap::Depends, _) => "OVERLAP DEPENDS on ",
            (Procedure::Rotate, Overlap::Yes, Some(_)) => "A PAUSE: ",
            (Procedure::Rotate, Overlap::Yes, None) => "Old and new work at the same time",
        };
        assert!(first.starts_with(begins), "{}: {first}", connector.id);
        // What is about a rotation is told of a rotation alone.
        let rotates = procedure == Procedure::Rotate;
        assert_eq!(in_text.contains("\nOld one dead?"), rotates, "{}", connector.id);
        assert_eq!(
            in_text.contains("\nHave ready"),
            rotates && !guide.prepare.is_empty(),
            "{}",
            connector.id
        );
    }
}

#[test]
fn nothing_is_left_open_once_every_value_is_given() {
    for (connector, guide, procedure) in procedures() {
        let values = examples::examples(connector.id, &guide);
        let report = report(connector, &guide, procedure, &values);
        let guidance = report.guide.as_ref().expect("it is guided");
        assert_eq!(guidance.missing, [], "{}", connector.id);
        for step in report.steps.iter().flatten() {
            let guided = step.guided.as_ref().expect("it is guided");
            let texts = [Some(&step.what), guided.place.as_ref(), guided.command.as_ref()];
            for input in &guide.inputs {
                let place = format!("<{}>", input.name.to_uppercase().replace('_', " "));
                let left = texts.iter().flatten().find(|text| text.contains(&place));
                assert_eq!(left, None, "{}: {place} is left in {}", connector.id, guided.step);
            }
        }
    }
}

#[test]
fn a_checklist_has_one_line_a_step_in_text_and_in_markdown() {
    for (connector, guide, procedure) in procedures() {
        for (_, values) in variants(connector, &guide) {
            let report = report(connector, &guide, procedure, &values).in_detail(Detail::Checklist);
            let steps = report.steps.as_ref().expect("it has a plan").len();
            for width in [60, 80, 100] {
                let printed = text::guided_plan(&report, width, &Speaker::new(None, None));
                let lines: Vec<&str> = printed.lines().filter(|line| line.contains(" ☐")).collect();
                assert_eq!(lines.len(), steps, "{}: {printed}", connector.id);
                let wide = lines.iter().find(|line| line.chars().count() > width);
                assert_eq!(wide, None, "{} at {width}", connector.id);
            }
            let in_markdown = markdown::document(std::slice::from_ref(&report));
            assert_eq!(
                in_markdown.matches("\n- [ ] ").count(),
                steps,
                "{}: {in_markdown}",
                connector.id
            );
            assert!(!in_markdown.contains("```"), "{}", connector.id);
        }
    }
}

#[test]
fn the_steps_of_a_gap_stand_together_with_who_has_to_be_on_the_call() {
    for (connector, guide, procedure) in procedures() {
        let report = report(connector, &guide, procedure, &Values::new());
        let printed = text::guided_plan(&report, 200, &Speaker::new(None, None));
        let headings: Vec<&str> = printed
            .lines()
            .filter(|line| line.starts_with("during the gap"))
            .collect();
        let has_gap = procedure == Procedure::Rotate && guide.credential.overlap != Overlap::Yes;
        assert_eq!(headings.len(), usize::from(has_gap), "{}: {headings:?}", connector.id);
        let steps = report.steps.as_ref().expect("it has a plan");
        let in_gap: Vec<_> = steps
            .iter()
            .filter(|step| step.guided.as_ref().is_some_and(|guided| guided.in_gap))
            .collect();
        for step in &in_gap {
            assert!(headings[0].contains(&step.who), "{}: {headings:?}", connector.id);
        }
        if has_gap {
            // It begins with the end of the old one, and ends when the last consumer has the new one.
            assert!(!in_gap[0].reversible, "{}", connector.id);
            assert_eq!(
                in_gap.last().map(|step| step.phase),
                Some(PhaseName::Delivered),
                "{}",
                connector.id
            );
        }
    }
}

#[test]
fn a_branch_is_chosen_by_an_answer_and_told_while_nobody_has_given_it() {
    let guide = connector("snowflake-oauth")
        .and_then(|connector| connector.guide().ok())
        .expect("it is there");
    let plan = |answer: Option<&str>| {
        let answers = answer.map(|answer| ("provider".to_owned(), answer.to_owned()));
        let held = ("held".to_owned(), "yes".to_owned());
        lead(
            &guide,
            Procedure::Rotate,
            &answers.into_iter().chain([held]).collect(),
            None,
        )
    };
    let has = |steps: &[rotate::plan::Planned], id: &str| {
        let mut guided = steps.iter().filter_map(|step| step.guided.as_ref());
        guided.any(|guided| guided.step == id)
    };
    let (own, external) = ("refresh-the-free-secret", "add-a-secret-at-the-identity-provider");
    let (asked, snowflake, provider) = (plan(None), plan(Some("snowflake")), plan(Some("external")));
    assert!(has(&asked, own) && has(&asked, external));
    assert!(has(&snowflake, own) && !has(&snowflake, external));
    assert!(!has(&provider, own) && has(&provider, external));
    let only = |steps: &[rotate::plan::Planned]| -> Vec<String> {
        let guided = steps.iter().filter_map(|step| step.guided.as_ref());
        guided.filter_map(|guided| guided.only.clone()).collect()
    };
    assert!(
        only(&asked).contains(&"--provider external".to_owned()),
        "{:?}",
        only(&asked)
    );
    assert_eq!(only(&snowflake), Vec::<String>::new());
}

#[test]
fn no_text_calls_a_step_by_its_name_where_it_has_a_number() {
    for (connector, guide, procedure) in procedures() {
        let report = report(connector, &guide, procedure, &Values::new());
        let printed = text::guided_plan(&report, 4_000, &Speaker::new(None, None));
        for step in guide.steps(procedure) {
            // Its own heading has the name behind a dot.
            let named = format!("step {}", step.id);
            assert!(!printed.contains(&named), "{}: {named}", connector.id);
        }
    }
}

#[test]
fn a_warning_stands_above_what_is_typed() {
    let mysql = connector("mysql").expect("it is there");
    let guide = mysql.guide().expect("it is sound");
    let values = examples::examples("mysql", &guide);
    let printed = text::guided_plan(
        &report(mysql, &guide, Procedure::Rotate, &values),
        WIDTH,
        &Speaker::new(None, None),
    );
    let at = |text: &str| printed.find(text).unwrap_or(printed.len());
    assert!(
        at("! Once  Run it once.") < at("IDENTIFIED BY <NEW PASSWORD>"),
        "{printed}"
    );
    assert!(
        at("It ends whichever password is the second one") < at("DISCARD OLD PASSWORD;"),
        "{printed}"
    );
}

#[test]
fn an_open_walk_keeps_its_steps_and_their_numbers_whatever_has_become_of_the_guide() {
    let guide = connector("freshdesk")
        .and_then(|connector| connector.guide().ok())
        .expect("it is there");
    let mut itinerary = GuidedSpec::of("freshdesk", &guide, Procedure::Rotate, &Values::new(), 60);
    // As the guide was one day: with a step that is gone, and without one that has come.
    itinerary.steps = ["reset", "tell-the-cat", "try-the-new-key"].map(str::to_owned).to_vec();
    let walk = GuidedRotation {
        itinerary,
        opened_at: jiff::Timestamp::UNIX_EPOCH,
        ticks: Vec::new(),
        aborted: false,
        tries: Vec::new(),
    };
    let steps = lead(&guide, Procedure::Rotate, &Values::new(), Some(&walk));
    let names: Vec<&str> = steps
        .iter()
        .filter_map(|step| Some(step.guided.as_ref()?.step.as_str()))
        .collect();
    assert_eq!(names, ["reset", "tell-the-cat", "try-the-new-key"]);
    assert!(steps[1].what.contains("has this step no longer"), "{}", steps[1].what);
    assert!(!steps[0].reversible && steps[2].guided.as_ref().is_some_and(|guided| guided.command.is_some()));
}
