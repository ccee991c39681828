//! The page in a real browser, as wide as a telephone and as a desk, light and dark, and printed.
//!
//! With `ROTATE_PICTURES=FOLDER` what was seen is kept there, for people to look at.

use std::path::{Path, PathBuf};

use rotate_fixtures::Chromium;
use rotate_fixtures::chromium::{Page, Scheme};
use serde_json::{Value, json};

use super::fleet::{HOSTILE_NOTE, HOSTILE_OWNER, fleet};

/// What the page tells of itself.
const MEASURE: &str = include_str!("measure.js");

const WIDTHS: [u32; 2] = [390, 1280];

fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("ROTATE_PICTURES") {
        std::fs::write(PathBuf::from(folder).join(name), bytes).expect("the picture can be kept");
    }
}

fn measured(page: &mut Page<'_>) -> Value {
    page.tell(MEASURE)
}

/// A page that is looked at everywhere: nothing of it may be wrong anywhere.
fn look(name: &str, browser: &mut Chromium, file: &Path) -> Value {
    let mut page = browser.open(file);
    let mut last = Value::Null;
    for width in WIDTHS {
        for scheme in [Scheme::Light, Scheme::Dark] {
            page.show(width, scheme);
            let seen = measured(&mut page);
            let shade = match scheme {
                Scheme::Light => "light",
                Scheme::Dark => "dark",
            };
            keep(&format!("{name}-{width}-{shade}.png"), &page.picture());
            let at = format!("{name}, {width} wide, {shade}");
            assert_eq!(seen["overflowing"], json!([]), "{at}: wider than the page");
            assert_eq!(seen["faint"], json!([]), "{at}: too little contrast");
            assert!(
                seen["texts"].as_u64().is_some_and(|texts| texts > 100),
                "{at}: {seen:#}"
            );
            last = seen;
        }
    }
    let dark = last["background"].clone();
    page.show(1280, Scheme::Light);
    assert_ne!(
        measured(&mut page)["background"],
        dark,
        "light and dark are not the same"
    );
    // Somebody who likes it dark has white paper all the same.
    page.show(1280, Scheme::Dark);
    page.show_printed();
    let paper = page.tell(
        "({ background: getComputedStyle(document.body).backgroundColor, breaks: [...document.querySelectorAll('.credential')].map((it) => getComputedStyle(it).breakBefore) })",
    );
    assert_eq!(paper["background"], "rgb(255, 255, 255)");
    let breaks = paper["breaks"].as_array().expect("there are targets");
    assert!(
        breaks.len() > 5 && breaks.iter().all(|it| it == "page"),
        "a page for each target: {paper:#}"
    );
    let pdf = page.pdf();
    keep(&format!("{name}.pdf"), &pdf);
    last["pages"] = json!(pages(&pdf));
    last
}

/// How many pages a PDF has.
fn pages(pdf: &[u8]) -> usize {
    assert!(pdf.starts_with(b"%PDF"), "it is no PDF");
    let text = String::from_utf8_lossy(pdf);
    let page = regex::Regex::new(r"/Type\s*/Page\b").expect("a pattern");
    page.find_iter(&text).count()
}

#[test]
fn a_page_is_read_on_a_telephone_on_a_desk_and_on_paper() {
    let place = fleet();
    place.run(["report", "--file", "report.html"]).expect(0);
    let mut browser = Chromium::start();
    let seen = look("fleet", &mut browser, &place.path("report.html"));

    assert_eq!(
        seen["title"]
            .as_str()
            .map(|it| it.starts_with("Credential rotation report")),
        Some(true),
        "{seen:#}"
    );
    assert_eq!(seen["language"], "en");
    assert_eq!(seen["headings"], json!([]), "levels are left out");
    assert_eq!(seen["first"], 1, "one heading stands above all");
    assert_eq!(seen["scripts"], 0);
    assert_eq!(seen["fetched"], json!([]), "a page needs nothing else");
    assert_eq!(seen["handlers"], json!([]), "no attribute acts");
    assert_eq!(seen["dead"], json!([]), "each link within the page leads somewhere");
    let text = seen["text"].as_str().unwrap();
    for hostile in [HOSTILE_OWNER, HOSTILE_NOTE] {
        assert!(text.contains(hostile), "{hostile} is not told as it was written");
    }
    // The first pages, and one for each target.
    assert!(
        seen["pages"].as_u64().is_some_and(|pages| pages >= 8),
        "{}",
        seen["pages"]
    );
}

#[test]
fn a_name_in_the_timeline_stays_text_and_long_words_are_broken() {
    let mut place = fleet();
    let long = "x".repeat(120);
    place.add_user(
        "thin",
        super::fleet::DAY,
        &format!(
            "owner = \"{long}\"\npolicy_basis = \"<svg onload=x>{}\"",
            "y ".repeat(450)
        ),
    );
    place.run(["run"]);
    place.run(["report", "--file", "report.html"]).expect(0);
    let mut browser = Chromium::start();
    let seen = look("long", &mut browser, &place.path("report.html"));
    assert_eq!(seen["handlers"], json!([]));
    assert!(
        seen["text"]
            .as_str()
            .is_some_and(|text| text.contains("<svg onload=x>"))
    );
}

#[test]
fn what_is_wrong_with_a_page_is_seen() {
    // The measure itself: a page with each fault, so that none of the promises above holds by accident.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.html");
    let page = "<!doctype html><title>x</title><body style='background:#fff'><h1>a</h1><h3>b</h3>\
                <p style='color:#ccc'>faint</p><p style='width:2000px'>wide</p><a href='#nowhere' onclick='x()'>dead</a>\
                <script>1</script>";
    std::fs::write(&path, page).unwrap();
    let mut browser = Chromium::start();
    let mut page = browser.open(&path);
    page.show(390, Scheme::Light);
    let seen = measured(&mut page);
    for fault in ["overflowing", "faint", "headings", "handlers", "dead"] {
        assert!(
            seen[fault].as_array().is_some_and(|it| !it.is_empty()),
            "{fault}: {seen:#}"
        );
    }
    assert_eq!(seen["scripts"], 1);
}
