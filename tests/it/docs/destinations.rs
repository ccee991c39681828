//! The table of destinations is what the program itself says of them. `ROTATE_BLESS=1` writes it anew.

use std::fmt::Write;

use rotate::delivery::KINDS;

use crate::docs::page::root;

const BEGIN: &str = "<!-- generated: ROTATE_BLESS=1 cargo test --test it docs::destinations -->\n";
const END: &str = "<!-- end -->\n";

fn table() -> String {
    let mut table = "| destination | readable | versioned | conditional | write-only | guard of a write | proof |\n\
                     |---|---|---|---|---|---|---|\n"
        .to_owned();
    for kind in KINDS {
        let can = kind.capabilities;
        let marks = [can.readable, can.versioned, can.conditional, can.is_write_only()];
        let marks = marks.map(|can| if can { "yes" } else { "" }).join(" | ");
        let help = kind.help.split_once([',', ' ']).map_or(kind.help, |(place, _)| place);
        let (guard, proof) = (kind.guard, kind.proof);
        let _ = writeln!(table, "| `{help}` | {marks} | {guard} | {proof} |");
    }
    table
}

#[test]
fn the_table_of_destinations_is_what_they_declare() {
    let path = root().join("docs/destinations.md");
    let page = std::fs::read_to_string(&path).expect("the page can be read");
    let (above, rest) = page.split_once(BEGIN).expect("the table has a place");
    let (shown, below) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("ROTATE_BLESS").is_some() {
        let blessed = format!("{above}{BEGIN}{}{END}{below}", table());
        std::fs::write(&path, blessed).expect("the page can be written");
        return;
    }
    assert_eq!(
        shown,
        table(),
        "stale: ROTATE_BLESS=1 cargo test --test it docs::destinations"
    );
}
