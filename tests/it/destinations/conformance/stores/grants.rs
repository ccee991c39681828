//! What the page on destinations tells to grant, held against what the program tells where a right is missing.

use std::collections::BTreeSet;

use regex::Regex;

use super::*;

/// What a section of the page shows in this language.
fn shown<'p>(section: &'p str, language: &str) -> Vec<&'p str> {
    let fence = format!("```{language}\n");
    let blocks = section.split(&fence).skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect()
}

/// The actions of AWS in it, as policies write them.
fn actions(text: &str) -> BTreeSet<String> {
    let action = Regex::new(r#""((?:secretsmanager|ssm):[A-Z]\w+)""#).expect("it is one");
    action.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

pub(super) fn what_the_page_grants_is_what_is_told_to_be_missing<S: Store>() {
    let way = Way::<S>::new();
    way.store.suffer(Trouble::Denied);
    let told = way.rotate(&["--yes"]).expect(1).stderr;
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/destinations.md");
    let page = std::fs::read_to_string(page).expect("the page can be read");
    let title = format!("\n## {}: ", S::KIND);
    let (_, rest) = page.split_once(&title).expect("it has a section");
    let section = rest.split("\n## ").next().unwrap_or_default();
    let policies: BTreeSet<String> = shown(section, "json").into_iter().flat_map(actions).collect();
    assert_eq!(policies, actions(&told), "{told}");
    let lines = ["hcl", "yaml"]
        .into_iter()
        .flat_map(|language| shown(section, language));
    // How many versions a mount keeps need not be told.
    let blocks = lines.flat_map(|block| block.split("path \"secret/config\"").take(1));
    let lines: Vec<&str> = blocks
        .flat_map(str::lines)
        .map(str::trim)
        .filter(|line| line.len() > 1)
        .collect();
    for line in &lines {
        assert!(told.contains(line), "`{line}` is not told: {told}");
    }
    // Rights of GitHub are called by name, in a table.
    let named = ["Secrets: Read and write"]
        .into_iter()
        .filter(|right| section.contains(right));
    let named = named.inspect(|right| assert!(told.contains(right), "`{right}` is not told: {told}"));
    assert!(
        named.count() + lines.len() + policies.len() > 0,
        "the page grants nothing"
    );
}
