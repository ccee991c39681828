//! The names of the crash points, as the program's own source has them: one place each, and each is passed by some walk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

static CALL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"crash_point\("([^"]+)"\)"#).unwrap());

/// Every name in the source.
pub(crate) fn in_the_source() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (path, text) in source() {
        for found in CALL.captures_iter(&text) {
            let name = found[1].to_owned();
            assert!(
                names.insert(name.clone()),
                "{}: a second crash point is called {name:?}",
                path.display()
            );
        }
    }
    assert!(!names.is_empty(), "no crash point was found");
    names
}

/// Every file of the program's source.
pub(crate) fn source() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "providers"] {
        collect(&root.join(folder), &mut files);
    }
    files
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
}
