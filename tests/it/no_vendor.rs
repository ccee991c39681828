//! What differs between vendors is data or a function of the connector: `src` names no vendor. A destination may bear the name
//! of the tools that read it, so `src/delivery` may; and so does a key service that seals, in `src/seal/services`.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read must stop the test")]

use std::path::{Path, PathBuf};

use regex::Regex;

/// The vendors of the automated connectors, what belongs to them alone, and whom all connectors connect them to.
const NAMES: &str = r"(?i)aws|\biam\b|amazon|\bs3\b|\bsts\b|snowflake|rsa_public_key|connections\.toml|gainsight|databricks|freshdesk|test.connector|test.password";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, here): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let inside = folders.iter().flat_map(|folder| files(folder));
    inside.chain(here).collect()
}

#[test]
fn the_program_names_no_vendor_but_in_its_destinations_and_key_services() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names = Regex::new(NAMES).unwrap();
    let is_ours = |path: &&PathBuf| {
        let inside = path.strip_prefix(&source).unwrap();
        // What is generated repeats what connectors say.
        let is_generated = path.extension().is_some_and(|ending| ending == "json");
        // A test of the texts of all guides is no part of the program.
        let is_test = inside.ends_with("secret_scan/of_guides.rs");
        let rooms = ["delivery", "delivery.rs", "seal/services", "seal/services.rs"];
        !rooms.iter().any(|room| inside.starts_with(room)) && !is_generated && !is_test
    };
    let all = files(&source);
    let looked_at: Vec<&PathBuf> = all.iter().filter(is_ours).collect();
    assert!(looked_at.len() > 100, "only {} files", looked_at.len());
    let mut found = Vec::new();
    for path in looked_at {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().zip(1..).filter(|(line, _)| names.is_match(line));
        found.extend(lines.map(|(line, number)| format!("{}:{number}: {}", path.display(), line.trim())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
