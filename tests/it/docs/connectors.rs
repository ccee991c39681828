//! The pages of the connectors are what the program prints. `ROTATE_BLESS=1` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use rotate_providers::CONNECTORS;

use crate::docs::page::root;

/// What stands above the table of all connectors.
const INDEX: &str = "# Every connector

Connectors marked `automated` are rotated through the vendor's API. For all others `rotate` [leads a person](../guided.md) through
the vendor's safe procedure. These pages are generated: `ROTATE_BLESS=1 cargo test --test it docs::connectors` writes them anew.
[Which guides were tried for real](../guided.md#which-guides-were-tried-for-real) says how far they can be trusted.

";

#[test]
fn the_pages_of_all_connectors_are_what_the_program_prints() {
    let pages = pages();
    if std::env::var_os("ROTATE_BLESS").is_some() {
        for (path, text) in &pages {
            std::fs::write(path, text).expect("the page can be written");
        }
    }
    let stale = pages
        .iter()
        .filter(|(path, text)| std::fs::read_to_string(path).as_ref().ok() != Some(*text));
    let stale: Vec<String> = stale.map(|(path, _)| path.display().to_string()).collect();
    assert!(
        stale.is_empty(),
        "stale: {stale:#?}\nwrite them anew: ROTATE_BLESS=1 cargo test --test it docs::connectors"
    );
    let folder = std::fs::read_dir(folder()).expect("the folder can be read");
    let found: BTreeSet<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    let left: Vec<&PathBuf> = found.iter().filter(|path| !pages.contains_key(*path)).collect();
    assert!(left.is_empty(), "no connector has these pages any more: {left:#?}");
}

#[test]
fn the_readme_counts_the_connectors_right() {
    let guided = CONNECTORS
        .iter()
        .filter(|connector| connector.automation.is_none())
        .count();
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the page can be read");
    assert!(
        readme.contains(&format!("[{guided} other kinds of credential]")),
        "there are {guided}"
    );
}

fn folder() -> PathBuf {
    root().join("docs/connectors")
}

/// Every page by its path.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut index = format!("{INDEX}{}", printed(&["connectors"]));
    let mut pages = BTreeMap::new();
    for connector in CONNECTORS {
        let id = connector.id;
        index = index.replace(&format!("| `{id}` |"), &format!("| [`{id}`]({id}.md) |"));
        pages.insert(folder().join(format!("{id}.md")), printed(&["connectors", id]));
    }
    pages.insert(folder().join("README.md"), index);
    pages
}

fn printed(arguments: &[&str]) -> String {
    let printed = Command::new(crate::docs::ROTATE)
        .args(arguments)
        .args(["--output", "markdown"])
        .output();
    let printed = printed.expect("the program can be started");
    assert!(
        printed.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&printed.stderr)
    );
    String::from_utf8(printed.stdout).expect("it is text")
}
