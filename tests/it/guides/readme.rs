//! The table of connectors in the README is what the program prints.

use std::process::Command;

const README: &str = include_str!("../../../README.md");
const BEGIN: &str = "<!-- connectors -->";
const END: &str = "<!-- end of connectors -->";

#[test]
fn the_table_of_connectors_in_the_readme_is_what_the_program_prints() {
    let printed = Command::new(env!("CARGO_BIN_EXE_rotate"))
        .args(["connectors", "--output", "markdown"])
        .output()
        .expect("the program can be started");
    let printed = String::from_utf8(printed.stdout).expect("it is text");
    let between = README
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .map(|(table, _)| table.trim());
    assert_eq!(
        between,
        Some(printed.trim()),
        "the README is stale: put what `cargo run -- connectors --output markdown` prints between `{BEGIN}` and `{END}`"
    );
    assert_eq!(README.matches(BEGIN).count(), 1, "{BEGIN} stands there once");
}
