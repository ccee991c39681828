//! Whether a tag names the version that everything else names.

use std::fs;
use std::path::Path;

use crate::line::Said;

pub(crate) const NAME: &str = "version";
pub(crate) const WHAT: &str = "TAG: whether it is the version of Cargo.toml, with its lines in both changelogs";

/// Checks it.
pub(crate) fn check(tag: &str) -> Result<(), String> {
    let told = Said::new("cargo")
        .words(["metadata", "--no-deps", "--locked", "--format-version", "1"])
        .read()?;
    let told: serde_json::Value = serde_json::from_str(&told).map_err(|why| format!("cargo metadata: {why}"))?;
    let packages = told["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rotate = packages.iter().find(|package| package["name"] == "rotate");
    let version = rotate
        .and_then(|package| package["version"].as_str())
        .unwrap_or_default();
    let repository = rotate.and_then(|package| package["repository"].as_str());
    let root = Path::new(told["workspace_root"].as_str().unwrap_or_default());
    let read = |path: &str| fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"));
    agree(
        tag,
        version,
        &read("CHANGELOG.md")?,
        &read("packaging/debian/changelog")?,
    )?;
    lies_somewhere(repository)
}

/// Whether it is known where the release will lie: `cargo binstall` looks there, and nowhere else.
fn lies_somewhere(repository: Option<&str>) -> Result<(), String> {
    let known = repository.filter(|address| address.starts_with("https://"));
    known
        .map(drop)
        .ok_or_else(|| "Cargo.toml names no `repository`, an https address: where will the release lie?".to_owned())
}

/// Whether all of them name this version.
fn agree(tag: &str, version: &str, changelog: &str, debian: &str) -> Result<(), String> {
    if tag != format!("v{version}") {
        return Err(format!(
            "Cargo.toml has {version}: its tag is v{version}, and not {tag}"
        ));
    }
    let heading = format!("## {version}");
    if !changelog
        .lines()
        .any(|line| line == heading || line.starts_with(&format!("{heading} ")))
    {
        return Err(format!(
            "CHANGELOG.md has no heading `{heading}`: what is under \"Unreleased\" goes there"
        ));
    }
    let first = debian.lines().next().unwrap_or_default();
    if !first.starts_with(&format!("rotate ({version}-")) {
        return Err(format!(
            "packaging/debian/changelog begins with another version: {first}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## Unreleased\n\n## 1.2.3 (2027-01-02)\n";
    const DEBIAN: &str = "rotate (1.2.3-1) unstable; urgency=medium\n";

    #[test]
    fn a_tag_is_the_version_that_everything_names() {
        assert_eq!(agree("v1.2.3", "1.2.3", CHANGELOG, DEBIAN), Ok(()));
    }

    #[test]
    fn a_release_lies_somewhere() {
        assert_eq!(lies_somewhere(Some("https://git.example/rotate")), Ok(()));
        for nowhere in [None, Some(""), Some("git@git.example:rotate")] {
            assert!(lies_somewhere(nowhere).is_err_and(|why| why.contains("no `repository`")));
        }
    }

    #[test]
    fn whatever_names_another_version_is_told() {
        let told = |tag, version, changelog, debian| agree(tag, version, changelog, debian).expect_err("they differ");
        assert!(told("1.2.3", "1.2.3", CHANGELOG, DEBIAN).contains("its tag is v1.2.3"));
        assert!(told("v1.2.3", "1.2.4", CHANGELOG, DEBIAN).contains("Cargo.toml has 1.2.4"));
        assert!(told("v1.2.3", "1.2.3", "## 1.2.30\n", DEBIAN).contains("no heading `## 1.2.3`"));
        assert!(told("v1.2.3", "1.2.3", CHANGELOG, "rotate (1.2.30-1) x\n").contains("begins with another version"));
    }
}
