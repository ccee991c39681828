//! The tests' own files: each is compiled, and is short enough to be read.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

use std::fs;
use std::path::{Path, PathBuf};

/// More than this is more than one promise.
const MOST_LINES: usize = 500;

/// Every file with tests: of the program, and of the stand-ins.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in [
        "tests",
        "fixtures/tests",
        "fixtures/aws/tests",
        "fixtures/snowflake/tests",
        "examples/demo/tests",
    ] {
        collect(&root.join(folder), &mut found);
    }
    assert!(!found.is_empty(), "no file was found");
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The file that has to name this one, so that it is compiled.
fn parent(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap();
    let main = folder.join("main.rs");
    if main.is_file() {
        main
    } else {
        folder.with_extension("rs")
    }
}

#[test]
fn every_file_is_compiled_and_into_the_one_binary_of_its_package() {
    for path in files() {
        if path.ends_with("it/main.rs") {
            continue;
        }
        let parent = parent(&path);
        let text = fs::read_to_string(&parent).unwrap_or_default();
        let name = path.file_stem().unwrap().to_str().expect("names are text");
        let is_named = text
            .lines()
            .any(|line| line.trim_start_matches("pub(crate) ") == format!("mod {name};"));
        assert!(
            is_named,
            "{} says nothing of {}: its tests are not run, or in a binary of their own",
            parent.display(),
            path.display()
        );
    }
}

#[test]
fn no_file_is_longer_than_anybody_reads() {
    let mut long = Vec::new();
    for path in files() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > MOST_LINES {
            long.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "split these by promise:\n{}", long.join("\n"));
}
