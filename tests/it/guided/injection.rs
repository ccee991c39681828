//! Whatever is given as a value comes out as a value: in text, in a shell, in SQL, in Markdown and in JSON.
//!
//! What a pattern refuses is filled in past it, so that the pattern is not the only thing that keeps harm away.

mod commands;

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use rotate::plan::{Guidance, lead};
use rotate::secret_scan::value_looks_secret;
use rotate::view::{Speaker, TargetView, json, markdown, text};
use rotate_providers::guide::{Guide, Procedure};
use rotate_providers::{CONNECTORS, Connector};
use serde_json::Value;

use crate::guided::desk::{Desk, TARGET};
use crate::guides::examples::examples;

/// What people have tried elsewhere.
const HARM: &[&str] = &[
    "'; DROP TABLE users; --",
    "\"; DROP USER x; --",
    "\\'; DROP TABLE users; --",
    "$(touch pwned)",
    "`touch pwned`",
    "${IFS}&&touch${IFS}pwned",
    "';touch pwned;'",
    "\";touch pwned;\"",
    "a;touch pwned",
    "a|touch pwned",
    "a\ntouch pwned\n",
    "a\r\ntouch pwned",
    "\u{1b}[2J\u{1b}[1;1H",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "a\u{85}b",
    "a\u{2028}b\u{2029}c",
    "\u{202e}txt.exe",
    "a\u{200b}b\u{feff}",
    "a\u{61c}b",
    "a\u{2066}b\u{2069}",
    "a\u{2060}b\u{2063}",
    "](http://evil.example)",
    "[click](http://evil.example)",
    "![x](http://evil.example/x.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- x",
    "&lt;script&gt;",
    "```",
    "````sh",
    "~~~",
    "**x**",
    "__x__",
    "a | b",
    "# x",
    "- [x] done",
    "\n- [x] done",
    "\n\n# Heading\n",
    "> x",
    "{user}",
    "{user|sh}",
    "<NEW PASSWORD>",
    "a\\",
    "a\0b",
    "--help",
    "-rf",
    "http://evil.example",
    "javascript:alert(1)",
    "\u{feff}",
    "🙂",
];

/// Something in each of the shapes that the patterns ask for.
fn shaped(harm: &str) -> Vec<String> {
    vec![
        harm.to_owned(),
        format!("a{harm}"),
        format!("{harm}@acme.com"),
        format!("a@{harm}"),
        format!("https://acme.com/{harm}"),
        harm.replace(' ', "\u{a0}"),
        format!("{}@acme.com", harm.replace(' ', "${IFS}")),
    ]
}

fn procedures() -> Vec<(&'static Connector, Guide, Procedure)> {
    let mut all = Vec::new();
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        for procedure in Procedure::ALL {
            if !guide.steps(procedure).is_empty() {
                all.push((connector, guide.clone(), procedure));
            }
        }
    }
    all
}

fn report(connector: &Connector, guide: &Guide, procedure: Procedure, values: &BTreeMap<String, String>) -> TargetView {
    let steps = lead(guide, procedure, values, None);
    TargetView::unwalked(connector.id, Guidance::of(guide, procedure, values), steps)
}

/// Calls this with every plan, and with every harmful value of each of its inputs beside examples for the others.
fn each(mut call: impl FnMut(&TargetView, &TargetView, &str)) {
    for (connector, guide, procedure) in procedures() {
        for input in &guide.inputs {
            let mut values = examples(connector.id, &guide);
            let plain = |values: &mut BTreeMap<String, String>, value: &str| {
                values.insert(input.name.to_string(), value.to_owned());
                report(connector, &guide, procedure, values)
            };
            let benign = plain(&mut values, "zzz");
            for harm in HARM {
                let doctored = plain(&mut values, harm);
                call(
                    &benign,
                    &doctored,
                    &format!("{}: --{} {harm:?}", connector.id, input.name),
                );
            }
        }
    }
}

/// What moves a cursor, breaks a line, or turns writing around.
fn strange(letter: char) -> bool {
    letter.is_control() && letter != '\n'
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[test]
fn no_value_moves_the_cursor_breaks_a_line_or_turns_the_writing_around() {
    each(|benign, doctored, context| {
        // Wide enough that nothing is wrapped.
        let print = |report: &TargetView| text::guided_plan(report, 100_000, &Speaker::new(None, None));
        let (benign, doctored) = (print(benign), print(doctored));
        let found = doctored.chars().find(|letter| strange(*letter));
        assert_eq!(found, None, "{context}");
        assert_eq!(doctored.lines().count(), benign.lines().count(), "{context}");
    });
}

#[test]
fn no_value_does_so_in_markdown_either() {
    each(|benign, doctored, context| {
        let print = |report: &TargetView| markdown::document(std::slice::from_ref(report));
        let (benign, doctored) = (print(benign), print(doctored));
        assert_eq!(doctored.chars().find(|letter| strange(*letter)), None, "{context}");
        assert_eq!(doctored.lines().count(), benign.lines().count(), "{context}");
    });
}

/// The structure of a document as those who show it see it: everything but its text.
fn structure(text: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    let mut structure: Vec<String> = Vec::new();
    for event in Parser::new_ext(text, options) {
        let name = match event {
            Event::Text(_) => "text".to_owned(),
            // An address of the guide's own, with the value encoded in it.
            Event::Start(Tag::Link { dest_url, .. }) if is_own(&dest_url) => "address".to_owned(),
            Event::Start(Tag::Link { dest_url, .. }) => format!("link to {dest_url}"),
            Event::Start(Tag::Image { dest_url, .. }) => format!("image of {dest_url}"),
            Event::Start(Tag::CodeBlock(kind)) => format!("code {kind:?}"),
            Event::Start(Tag::Heading { level, .. }) => format!("heading {level}"),
            Event::Start(tag) => format!("{:?}", TagEnd::from(tag)),
            Event::End(_) => "end".to_owned(),
            Event::Html(html) | Event::InlineHtml(html) => format!("html {html}"),
            // So are names and links of others, which are shown as code for that.
            Event::Code(_) => "text".to_owned(),
            Event::TaskListMarker(done) => format!("box {done}"),
            other => format!("{other:?}"),
        };
        // A text is one, in however many pieces it is told.
        if name != "text" || structure.last().is_none_or(|last| last != "text") {
            structure.push(name);
        }
    }
    structure
}

/// No value decides where it leads: what of one stands in the name of the host is encoded, and the name goes on behind it.
fn is_own(address: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_graphic() && !"<>'\"`".contains(letter);
    let rest = address.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let leads_away = host.contains('@') || (!host.contains('%') && host.ends_with("evil.example"));
    !host.is_empty() && !leads_away && address.chars().all(plain)
}

#[test]
fn no_value_becomes_markup_in_markdown() {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    each(|benign, doctored, context| {
        let print = |report: &TargetView| markdown::document(std::slice::from_ref(report));
        let benign = print(benign);
        let expected = known.entry(benign.clone()).or_insert_with(|| structure(&benign));
        let found = structure(&print(doctored));
        let wrong = found.iter().zip(&*expected).find(|(found, expected)| found != expected);
        assert_eq!(wrong, None, "{context}");
        assert_eq!(found.len(), expected.len(), "{context}");
        assert!(
            !found
                .iter()
                .any(|name| name.starts_with("html") || name.starts_with("link")),
            "{context}"
        );
    });
}

#[test]
fn no_value_changes_the_form_of_a_document_for_programs() {
    fn shape(value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), shape(value)))
                .collect(),
            Value::Array(items) => items.iter().map(shape).collect(),
            Value::String(_) => Value::from("text"),
            other => other.clone(),
        }
    }
    each(|benign, doctored, context| {
        let read = |report: &TargetView| -> Value {
            serde_json::from_str(&json::targets(std::slice::from_ref(report))).expect(context)
        };
        assert_eq!(shape(&read(doctored)), shape(&read(benign)), "{context}");
    });
}

#[test]
fn every_input_refuses_harm_or_makes_it_harmless_on_the_command_line_too() {
    let desk = Desk::new();
    let mut let_through = 0;
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        for input in &guide.inputs {
            let option = format!("--{}", input.name.replace('_', "-"));
            let line = |value: &str| format!("{option}={value}");
            let mut refused_one = false;
            for value in HARM.iter().flat_map(|harm| shaped(harm)) {
                if value.contains('\0') {
                    // No command line can hold it.
                    continue;
                }
                let taken = value_looks_secret(&input.name, &value).is_none() && !value.starts_with('-');
                let fits = taken && input.takes(&value) && !value.chars().any(char::is_control);
                if !fits && refused_one {
                    continue;
                }
                let argument = line(&value);
                let ran = desk.run([connector.id, "--manual", "--dry-run", &argument]);
                let context = format!("{} {argument:?}: {}", connector.id, ran.stderr);
                assert_eq!(ran.code, Some(if fits { 0 } else { 64 }), "{context}");
                assert_eq!(ran.stdout.chars().find(|letter| strange(*letter)), None, "{context}");
                if fits {
                    let_through += 1;
                    let printed = desk.json([connector.id, "--manual", "--dry-run", &argument]);
                    assert_eq!(printed["targets"][0]["connector"], connector.id, "{context}");
                } else {
                    refused_one = true;
                }
            }
        }
    }
    assert!(
        let_through > 50,
        "the patterns let only {let_through} of them through: nothing is tested"
    );
    assert!(!desk.state().exists());
    assert!(!desk.path("pwned").exists());
}

#[test]
fn what_is_let_through_is_kept_and_comes_back_harmless() {
    let desk = Desk::new();
    // Everything that the pattern of a login name lets through, at once.
    let user = "`id`$(id)|\u{202e}](http://evil)<script>;*@acme.com";
    let open = ["servicenow", "--begin", "--instance", "acme", "--user"];
    desk.run(open.into_iter().chain(["a`$(id)|](http://evil)<script>;*@acme.com"]))
        .expect(0);
    desk.run(open.into_iter().chain([user])).expect(1);
    let target = "servicenow/acme";
    for command in [
        &["status"][..],
        &["status", target],
        &["audit"],
        &["run"],
        &["done", target, "1"],
    ] {
        for output in ["text", "markdown", "json"] {
            let ran = desk.run(command.iter().copied().chain(["--output", output]));
            assert_eq!(ran.stdout.chars().find(|letter| strange(*letter)), None, "{command:?}");
        }
    }
    let story = desk.run(["status", target, "--output", "markdown"]).expect(0).stdout;
    let found = structure(&story);
    assert!(
        !found
            .iter()
            .any(|name| name.starts_with("html") || name.starts_with("link")),
        "{found:?}"
    );
}

#[test]
fn a_note_comes_back_harmless() {
    let desk = Desk::opened();
    // What cannot be seen is refused at the door.
    let unseen = "\u{202e}[x](http://evil)\u{2028}x\u{61c}\u{200b}";
    desk.run(["done", TARGET, "1", "--evidence", unseen]).expect(64);
    desk.run(["done", TARGET, "--skip", "1", "--why", unseen]).expect(64);
    // What can be seen is taken as it is, and is text wherever it comes back.
    let note = "[x](http://evil.example) ![y](http://evil.example/y.png) <script>alert(1)</script> | **b** `id` $(id) '; DROP \
                # - [x] done";
    desk.run(["done", TARGET, "1", "--evidence", note]).expect(0);
    desk.run(["done", TARGET, "--skip", "2", "--why", note]).expect(0);
    let target = desk.target();
    assert_eq!(target["steps"][0]["tick"]["outcome"]["done"]["evidence"], note);
    assert_eq!(target["steps"][1]["tick"]["outcome"]["skipped"]["why"], note);
    for command in [&["status", TARGET][..], &["audit"]] {
        let ran = desk.run(command.iter().copied()).expect(0);
        assert_eq!(ran.stdout.chars().find(|letter| strange(*letter)), None, "{command:?}");
        assert_eq!(ran.stdout.matches("$(id)").count(), 2, "{command:?}: {}", ran.stdout);
    }
    let story = |desk: &Desk| desk.run(["status", TARGET, "--output", "markdown"]).expect(0).stdout;
    let found = structure(&story(&desk));
    let plain = Desk::opened();
    plain.run(["done", TARGET, "1", "--evidence", "none"]).expect(0);
    plain.run(["done", TARGET, "--skip", "2", "--why", "none"]).expect(0);
    assert_eq!(found, structure(&story(&plain)), "a note has become markup");
}
