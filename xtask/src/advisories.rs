//! What is known of the packages that are built in: vulnerabilities, and versions that were taken back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::line::{Said, is_there};

pub(crate) const NAME: &str = "advisories";
pub(crate) const WHAT: &str =
    "known vulnerabilities of the packages; offline, with a clone of the database at $ROTATE_ADVISORIES";

/// What `cargo deny` calls the database of `RustSec` in the folder of databases.
const DATABASE: &str = "advisory-db-3157b0e258782691";

/// Asks `cargo deny`, and `cargo audit` where it is installed.
pub(crate) fn check() -> Result<(), String> {
    let deny = fs::read_to_string("deny.toml").map_err(|why| format!("deny.toml: {why}"))?;
    let database = std::env::var_os("ROTATE_ADVISORIES").map(PathBuf::from);
    let mut said = Said::new("cargo").word("deny");
    if let Some(database) = &database {
        let database = database
            .canonicalize()
            .map_err(|why| format!("ROTATE_ADVISORIES: {why}"))?;
        let folder = std::env::temp_dir().join(format!("rotate-advisories-{}", std::process::id()));
        let config = offline(&deny, &database, &folder)?;
        let checked = said
            .words(["--offline", "--config"])
            .word(config)
            .words(["check", "advisories"])
            .run();
        fs::remove_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        checked?;
    } else {
        said = said.words(["check", "advisories"]);
        said.run()?;
    }
    let mut audit = Said::new("cargo").word("audit");
    if let Some(database) = &database {
        audit = audit.word("--db").word(database).words(["--no-fetch", "--stale"]);
    }
    for id in ignored(&deny)? {
        audit = audit.words(["--ignore", &id]);
    }
    if is_there("cargo-audit") {
        return audit.run();
    }
    audit.leave_out("cargo-audit is not installed, and cargo-deny has read the same database");
    Ok(())
}

/// The configuration of `cargo deny` with the database in this place, under the name that it looks for.
fn offline(deny: &str, database: &Path, folder: &Path) -> Result<PathBuf, String> {
    let told = |why: std::io::Error| format!("{}: {why}", folder.display());
    fs::create_dir(folder).map_err(told)?;
    symlink(database, folder.join(DATABASE)).map_err(told)?;
    let place = format!("[advisories]\ndb-path = '{}'", folder.display());
    let config = folder.join("deny.toml");
    fs::write(&config, deny.replace("[advisories]", &place)).map_err(told)?;
    Ok(config)
}

/// What `deny.toml` has reasons to ignore.
fn ignored(deny: &str) -> Result<Vec<String>, String> {
    let deny: toml::Table = deny.parse().map_err(|why| format!("deny.toml: {why}"))?;
    let ignored = deny.get("advisories").and_then(|advisories| advisories.get("ignore"));
    let ignored = ignored
        .and_then(toml::Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let id = |entry: &toml::Value| entry.get("id").and_then(toml::Value::as_str).map(str::to_owned);
    Ok(ignored.iter().filter_map(id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_tool_ignores_for_a_reason_the_other_ignores_too() {
        let deny = "[advisories]\nignore = [{ id = \"RUSTSEC-2023-0071\", reason = \"none\" }]\n";
        assert_eq!(ignored(deny), Ok(vec!["RUSTSEC-2023-0071".to_owned()]));
    }
}
