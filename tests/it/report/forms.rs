//! One report in three forms, to stdout or into a file.

use std::os::unix::fs::PermissionsExt;

use super::fleet::{HOSTILE_OWNER, fleet, json, report};
use rotate_fixtures::{FleetWorkplace, has};

#[test]
fn the_document_is_one_that_the_published_schema_describes() {
    let place = fleet();
    let schema: serde_json::Value = serde_json::from_str(&rotate::view::schema()).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    let document = report(&place, &["--output", "json"]).json();
    let faults: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    for (at, value) in [
        ("/report/credentials/0/standing", serde_json::json!("fine")),
        ("/report/credentials/0/surprise", serde_json::json!(1)),
        ("/report/integrity/head", serde_json::json!("x")),
        ("/report/integrity/intact", serde_json::json!(false)),
        ("/report/credentials/1/rotations/0/opened_at", serde_json::json!("soon")),
    ] {
        let mut broken = document.clone();
        let (parent, key) = at.rsplit_once('/').unwrap();
        broken.pointer_mut(parent).unwrap()[key] = value;
        assert!(!validator.is_valid(&broken), "{at}");
    }
}

#[test]
fn a_table_has_one_line_for_each_credential_and_no_formula() {
    let place = fleet();
    let text = report(&place, &["--output", "csv"]).stdout;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let names: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(names, ["Help.Desk", "rotated", "shut", "strange", "waiting", "young"]);
    let cell = |row: usize, heading: &str| {
        let at = headings
            .iter()
            .position(|it| it == heading)
            .expect("it has this heading");
        rows[row][at].to_owned()
    };
    assert_eq!(cell(2, "owner"), HOSTILE_OWNER);
    assert!(
        cell(2, "exception_reason").starts_with("'=HYPERLINK"),
        "{}",
        cell(2, "exception_reason")
    );
    assert_eq!(cell(2, "standing"), "overdue");
    assert_eq!(cell(5, "limit_basis"), "PCI DSS 4.0.1 8.6.3, risk analysis RA-12");
    for row in &rows {
        for cell in row {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
}

#[test]
fn a_page_stands_alone_and_what_people_wrote_is_text_in_it() {
    let place = fleet();
    let page = report(&place, &[]).stdout;
    assert!(page.starts_with("<!doctype html>"));
    for needs in [
        "<script",
        "<link",
        "<img",
        "<iframe",
        "@import",
        "url(",
        "src=\"",
        "onmouseover=x>",
    ] {
        assert!(!page.contains(needs), "{needs}");
    }
    assert!(page.contains("&#60;script&#62;"), "the owner is told as text");
    assert!(page.contains("{{ 7*7 }}"), "a note is no template");
}

#[test]
fn no_form_holds_a_secret() {
    let place = fleet();
    let mut secrets = Vec::new();
    for user in ["rotated", "waiting"] {
        secrets.push(place.delivered_key(user).expect("it was delivered").secret);
    }
    for form in ["html", "csv", "json"] {
        let ran = report(&place, &["--output", form]);
        for secret in &secrets {
            assert!(!has(ran.stdout.as_bytes(), secret.as_bytes()), "{form}");
        }
    }
}

#[test]
fn a_file_is_its_owners_alone_and_is_never_overwritten() {
    let place = fleet();
    let path = place.path("evidence.html");
    let told = report(&place, &["--file", "evidence.html"]);
    assert_eq!(told.stdout, "");
    assert!(told.stderr.contains("wrote evidence.html"), "{}", told.stderr);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&path).unwrap();
    for name in ["evidence.html", "rotate.toml"] {
        let again = place.run(["report", "--file", name]).expect(1);
        assert!(
            again.stderr.contains(&format!("{name} exists, and is not overwritten")),
            "{}",
            again.stderr
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let nowhere = place.run(["report", "--file", "not/there.html"]).expect(1);
    assert!(
        nowhere.stderr.contains("not/there.html cannot be written"),
        "{}",
        nowhere.stderr
    );
}

#[test]
fn the_forms_of_a_report_are_its_own() {
    let place = fleet();
    for wrong in [
        &["status", "--output", "html"][..],
        &["--output", "csv", "status"],
        &["report", "--output", "markdown"],
        &["--output", "markdown", "report"],
        &["report", "--since", "2026-03-01", "--until", "2026-02-01"],
        &["report", "--since", "soon"],
    ] {
        let ran = place.run(wrong).expect(64);
        assert_eq!(ran.stdout, "", "{wrong:?}");
    }
    // A global option may stand before.
    let before = place.run(["--output", "csv", "report"]).expect(0);
    assert!(before.stdout.starts_with("name,system"), "{}", before.stdout);
    assert!(
        place
            .run(["--output", "html", "report"])
            .expect(0)
            .stdout
            .starts_with("<!doctype")
    );
}

#[test]
fn a_report_of_nothing_says_so_and_writes_nothing() {
    let place = rotate_fixtures::Workplace::new(super::fleet::ROTATE);
    let page = place.run(["report"]).expect(0).stdout;
    assert!(
        page.contains("No credential is listed, and the journal knows none."),
        "{page}"
    );
    assert!(!place.state().exists());
}

#[test]
fn a_fleet_without_a_journal_is_told_with_nothing_recorded() {
    let mut place = FleetWorkplace::new(super::fleet::ROTATE);
    place.configure("[defaults]\nrequire_state = false\n");
    place.add_user("new", super::fleet::DAY, "");
    let report = json(&place, &[]);
    assert_eq!(report["credentials"][0]["standing"], "age-unknown");
    assert_eq!(report["integrity"]["events"], 0);
    assert!(!place.state().exists());
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.configure(&text.replace("require_state = false", "require_state = true"));
    let ran = place.run(["report"]).expect(1);
    assert!(ran.stderr.contains("require_state"), "{}", ran.stderr);
}
