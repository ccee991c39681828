//! Every link between the pages leads to a file that is there, and to a heading that it has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::docs::page::{Page, all, root};

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let pages = all();
    let anchors: BTreeMap<&Path, &Page> = pages.iter().map(|page| (page.path.as_path(), page)).collect();
    let mut dead = Vec::new();
    let mut followed = 0;
    for page in &pages {
        for link in page.links.iter().filter(|link| !is_elsewhere(&link.to)) {
            followed += 1;
            let (path, anchor) = target(page, &link.to);
            let place = page.at(link.line);
            if !root().join(&path).exists() {
                dead.push(format!("{place}: {} is not there", path.display()));
            } else if let Some(anchor) = anchor
                && !anchors
                    .get(path.as_path())
                    .is_some_and(|page| page.anchors.contains(&anchor))
            {
                dead.push(format!("{place}: {} has no heading #{anchor}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(followed > 100, "only {followed} links were followed");
}

#[test]
fn every_page_of_docs_can_be_reached_from_its_table_of_contents() {
    let pages = all();
    let page = |path: &Path| pages.iter().find(|page| page.path == path);
    let mut reached: BTreeSet<PathBuf> = BTreeSet::new();
    let mut ahead = vec![
        PathBuf::from("docs/README.md"),
        PathBuf::from("docs/connectors/README.md"),
    ];
    while let Some(path) = ahead.pop() {
        let Some(toc) = page(&path) else {
            panic!("{} is no page", path.display());
        };
        reached.insert(path);
        let links = toc.links.iter().filter(|link| !is_elsewhere(&link.to));
        reached.extend(links.map(|link| target(toc, &link.to).0));
    }
    let lost = pages
        .iter()
        .filter(|page| page.path.starts_with("docs") && !reached.contains(&page.path));
    let lost: Vec<String> = lost.map(|page| page.path.display().to_string()).collect();
    assert!(lost.is_empty(), "docs/README.md does not lead to: {lost:?}");
}

#[test]
fn a_path_of_the_repository_in_a_sentence_is_there() {
    let is_path = regex::Regex::new(r"^[a-z_./][A-Za-z0-9_./-]*/[A-Za-z0-9_.-]*$").expect("a pattern");
    let rooms = [
        "src",
        "providers",
        "fixtures",
        "tests",
        "docs",
        "xtask",
        "benches",
        "examples",
        "packaging",
        ".ci",
        ".cargo",
    ];
    let in_src = [
        "cli", "config", "engine", "view", "machine", "policy", "plan", "store", "seal", "delivery",
    ];
    let mut gone = Vec::new();
    let mut looked_up = 0;
    for page in all().iter().filter(|page| page.is_kept_true()) {
        for span in page.spans.iter().filter(|span| is_path.is_match(&span.text)) {
            let first = span.text.split('/').next().unwrap_or_default();
            let path = match first {
                first if rooms.contains(&first) => root().join(&span.text),
                first if in_src.contains(&first) => root().join("src").join(&span.text),
                _ => continue,
            };
            looked_up += 1;
            if !path.exists() {
                gone.push(format!("{}: {}", page.at(span.line), span.text));
            }
        }
    }
    assert!(gone.is_empty(), "these are not there:\n{}", gone.join("\n"));
    assert!(looked_up > 20, "only {looked_up} paths were looked up");
}

fn is_elsewhere(link: &str) -> bool {
    ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| link.starts_with(scheme))
}

/// The file that a link on this page means, and the heading.
fn target(page: &Page, link: &str) -> (PathBuf, Option<String>) {
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (link, None),
    };
    if path.is_empty() {
        return (page.path.clone(), anchor);
    }
    let mut found = page.path.parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                found.pop();
            }
            Component::Normal(name) => found.push(name),
            _ => {}
        }
    }
    (found, anchor)
}
