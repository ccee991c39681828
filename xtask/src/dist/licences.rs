//! The texts of the licences of what is built in, which have to go with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::dist::bill;
use crate::dist::place::{Place, write as write_file};
use crate::line::Said;

/// How files with such a text begin.
const BEGINNINGS: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// Writes them into the stage, each text once.
pub(crate) fn write(place: &Place) -> Result<(), String> {
    let built_in = bill::built_in(place)?;
    let told = Said::new("cargo").words(["metadata", "--locked", "--format-version", "1", "--filter-platform"]);
    let told = told.word(place.arch.triple()).at(&place.root).read()?;
    let told: Value = serde_json::from_str(&told).map_err(|why| format!("cargo metadata: {why}"))?;
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut without: BTreeSet<String> = BTreeSet::new();
    for package in told["packages"].as_array().into_iter().flatten() {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let named = bill::Package {
            name: text("name").to_owned(),
            version: text("version").to_owned(),
        };
        if !built_in.contains(&named) {
            continue;
        }
        let shown = format!("{} {}", named.name, named.version);
        let found = Path::new(text("manifest_path"))
            .parent()
            .map_or_else(|| Ok(Vec::new()), texts_in)?;
        if found.is_empty() {
            without.insert(format!("{shown}: {}", text("license")));
        }
        for text in found {
            texts.entry(text).or_default().insert(shown.clone());
        }
    }
    write_file(&place.stage().join("licences.txt"), &laid_out(&texts, &without))
}

/// The texts of a package, as it has them in its folder.
fn texts_in(folder: &Path) -> Result<Vec<String>, String> {
    let told = |why: std::io::Error| format!("{}: {why}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().to_uppercase())
            .unwrap_or_default();
        if path.is_file() && BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
            let bytes = fs::read(&path).map_err(told)?;
            found.push(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim().to_owned());
        }
    }
    Ok(found)
}

fn laid_out(texts: &BTreeMap<String, BTreeSet<String>>, without: &BTreeSet<String>) -> String {
    let rule = "=".repeat(80);
    let mut by_packages: Vec<(&BTreeSet<String>, &String)> =
        texts.iter().map(|(text, packages)| (packages, text)).collect();
    by_packages.sort();
    let mut page = String::from("What is built into rotate, each text once, below those whose it is.\n");
    for (packages, text) in by_packages {
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        page.push_str(&format!("\n{rule}\n{}\n{rule}\n\n{text}\n", packages.join("\n")));
    }
    page.push_str(&format!(
        "\n{rule}\nThese have no text of their own, and name their licence:\n{rule}\n\n"
    ));
    for package in without {
        page.push_str(package);
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_two_have_stands_once_below_both() {
        let both: BTreeSet<String> = ["a 1.0.0".to_owned(), "b 2.0.0".to_owned()].into();
        let page = laid_out(
            &[("Permission is granted".to_owned(), both)].into(),
            &["c 3.0.0: MIT".to_owned()].into(),
        );
        assert_eq!(page.matches("Permission is granted").count(), 1);
        assert!(
            page.contains("a 1.0.0\nb 2.0.0\n") && page.ends_with("c 3.0.0: MIT\n"),
            "{page}"
        );
    }
}
