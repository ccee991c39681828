//! A terminal of 80 columns: what does not fit as columns comes as cards, and no date is cut in two.

use crate::guided::desk::Desk;

const FILE: &str = r#"
[[target]]
name = "freshdesk-of-the-customer-support-team"
connector = "freshdesk"
domain = "acme"
last_rotated = "2026-06-01"

[[target]]
name = "jira"
connector = "jira"
site = "acme"
last_rotated = "2099-01-01"
"#;

fn fleet() -> Desk {
    let desk = Desk::new();
    std::fs::write(desk.path("rotate.toml"), FILE).expect("the folder is there");
    desk
}

/// What the program prints where the terminal, or whoever reads it, has this many columns.
fn printed(desk: &Desk, columns: &str, arguments: &[&str]) -> String {
    let mut command = desk.command(arguments.iter().copied());
    command.env("COLUMNS", columns);
    rotate_fixtures::place::Ran::of(command).stdout
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or_default()
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn a_narrow_terminal_gets_a_card_for_each_target_with_every_value_whole() {
    let desk = fleet();
    let wide = desk.run(["status"]).expect(0).stdout;
    assert!(
        wide.lines().next().is_some_and(|line| line.contains("GONE BY")),
        "{wide}"
    );
    let dates: Vec<&str> = words(&wide).into_iter().filter(|word| word.starts_with("20")).collect();
    assert!(dates.len() >= 2, "{wide}");
    for columns in ["80", "60", "40"] {
        let narrow = printed(&desk, columns, &["status"]);
        let limit: usize = columns.parse().expect("it is a number");
        assert!(widest(&narrow) <= limit, "{narrow}");
        assert!(!narrow.contains("GONE BY"), "{narrow}");
        for date in &dates {
            assert!(words(&narrow).contains(date), "{date} was cut: {narrow}");
        }
        // A card begins with the target's name, and is apart from the next.
        let cards: Vec<&str> = narrow.trim().split("\n\n").collect();
        assert_eq!(cards.len(), 2, "{narrow}");
        assert!(
            cards[0].starts_with("freshdesk-of-the-customer-support-team\n"),
            "{narrow}"
        );
        assert!(cards[1].starts_with("jira\n"), "{narrow}");
        for label in ["\n  gone by ", "\n  waits for ", "\n  reason "] {
            assert!(cards[0].contains(label), "no {label:?} in\n{narrow}");
        }
    }
}

#[test]
fn a_wide_one_gets_columns_of_which_only_the_last_is_broken() {
    let desk = fleet();
    let wide = printed(&desk, "150", &["status"]);
    assert!(widest(&wide) <= 150, "{wide}");
    let head = wide.lines().next().unwrap_or_default();
    let at = head.find("REASON").expect("it has columns");
    // Each target has one row; what goes on is in the last column.
    let rows: Vec<&str> = wide.lines().skip(1).filter(|line| !line.starts_with("  ")).collect();
    assert_eq!(rows.len(), 2, "{wide}");
    for line in wide.lines().skip(1).filter(|line| line.starts_with("  ")) {
        assert!(line.chars().take(at).all(|letter| letter == ' '), "{wide}");
    }
}

#[test]
fn the_connectors_fit_into_eighty_columns() {
    let desk = Desk::new();
    let listed = printed(&desk, "80", &["connectors"]);
    assert!(widest(&listed) <= 80, "{listed}");
    for connector in rotate_providers::CONNECTORS {
        assert!(
            words(&listed).contains(&connector.id),
            "{} was cut: {listed}",
            connector.id
        );
    }
    let narrow = printed(&desk, "50", &["connectors"]);
    assert!(widest(&narrow) <= 50, "{narrow}");
    assert!(narrow.contains("\n  rotates "), "{narrow}");
}

#[test]
fn a_plan_is_folded_between_words_and_its_commands_are_not() {
    let desk = fleet();
    let plain = printed(&desk, "", &["plan"]);
    let narrow = printed(&desk, "80", &["plan"]);
    assert!(widest(&plain) > 80, "{plain}");
    assert_eq!(words(&plain), words(&narrow), "nothing is lost");
    for line in narrow.lines().filter(|line| line.chars().count() > 80) {
        let is_word = words(line).iter().any(|word| word.len() > 60);
        assert!(is_word || line.contains("rotate "), "{line}\n{narrow}");
    }
}

#[test]
fn off_a_terminal_a_table_is_as_wide_as_it_is() {
    let desk = fleet();
    for columns in ["", "0", "wide"] {
        let table = printed(&desk, columns, &["status"]);
        assert_eq!(table.lines().count(), 3, "{columns:?}: {table}");
    }
}
