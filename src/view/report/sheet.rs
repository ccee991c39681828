//! For spreadsheets: one line a credential. What a person has written is text there, and never a formula.

use std::io::{self, Write};

use super::words::{day, second};
use super::{CredentialView, Report};
use crate::machine::Trigger;
use crate::view::Mode;

const HEADINGS: [&str; 34] = [
    "name",
    "system",
    "connector",
    "mode",
    "owner",
    "standing",
    "blocked",
    "waits_for_person",
    "state",
    "reason",
    "account",
    "user",
    "immutable_id",
    "key",
    "created_at",
    "other_active_keys",
    "looked_at",
    "age_days",
    "limit_days",
    "limit_basis",
    "next_due",
    "gone_by",
    "last_use",
    "destinations",
    "exception_reason",
    "exception_approved_by",
    "exception_until",
    "exception_expired",
    "rotations_in_period",
    "last_rotation_opened_at",
    "last_rotation_ended_at",
    "last_rotation_trigger",
    "last_rotation_initiated_by",
    "last_rotation_request_ids",
];

/// Writes the table.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADINGS)?;
    for credential in &report.credentials {
        writer.write_record(cells(credential).map(|cell| harmless(&cell)))?;
    }
    writer.flush()
}

fn cells(it: &CredentialView) -> [String; 34] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let keys: Vec<&str> = it.other_active_keys.iter().map(|key| key.id.as_str()).collect();
    let exception = it.exception.as_ref();
    let last = it.rotations.last();
    let requests = last.and_then(|last| last.request_ids.as_deref()).unwrap_or_default();
    let requests = requests.iter().map(|it| format!("{}:{}", it.event, it.id));
    let requests: Vec<String> = requests.collect();
    [
        it.name.clone(),
        text(&it.system),
        it.connector.clone(),
        it.mode.map(Mode::name).unwrap_or_default().to_owned(),
        text(&it.owner),
        it.standing.name().to_owned(),
        yes(it.blocked),
        yes(it.waits_for_person),
        it.state.name().to_owned(),
        text(&it.reason),
        text(&it.account),
        text(&it.user),
        text(&it.immutable_id),
        text(&it.key),
        it.created_at.map(second).unwrap_or_default(),
        keys.join(" "),
        it.looked_at.map(second).unwrap_or_default(),
        it.age.as_ref().map(|age| age.days.to_string()).unwrap_or_default(),
        it.limit_days.map(|days| days.to_string()).unwrap_or_default(),
        text(&it.limit_basis),
        it.age.as_ref().map(|age| day(age.begins_at)).unwrap_or_default(),
        it.age.as_ref().map(|age| day(age.gone_by)).unwrap_or_default(),
        it.last_use.as_ref().map(|used| second(used.at)).unwrap_or_default(),
        it.destinations.join(" "),
        exception.map(|it| it.reason.clone()).unwrap_or_default(),
        exception.map(|it| it.approved_by.clone()).unwrap_or_default(),
        exception.map(|it| it.until.clone()).unwrap_or_default(),
        exception.map(|it| yes(it.expired)).unwrap_or_default(),
        it.rotations.len().to_string(),
        last.map(|last| second(last.opened_at)).unwrap_or_default(),
        last.and_then(|last| last.ended_at).map(second).unwrap_or_default(),
        last.and_then(|last| last.trigger)
            .map(Trigger::name)
            .unwrap_or_default()
            .to_owned(),
        last.and_then(|last| last.initiated_by.clone()).unwrap_or_default(),
        requests.join(" "),
    ]
}

/// What begins like a formula is one to a spreadsheet, unless a quote stands before it. A spreadsheet that takes another letter than
/// the comma for the end of a cell sees one begin after each of those as well.
fn harmless(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len() + 1);
    if begins_like_a_formula(cell) {
        text.push('\'');
    }
    for (index, part) in cell.split_inclusive([';', '\t', '|']).enumerate() {
        if index > 0 && begins_like_a_formula(part) {
            text.push('\'');
        }
        text.push_str(part);
    }
    text
}

fn begins_like_a_formula(text: &str) -> bool {
    let first = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '"');
    first.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_cell_that_would_be_a_formula_is_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\"=1\"", "＝1"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for (formula, text) in [
            ("\t=1", "'\t'=1"),
            ("a;=1", "a;'=1"),
            ("a; @SUM(A1)", "a;' @SUM(A1)"),
            ("a\t+1|b", "a\t'+1|b"),
            ("a|\u{a0}-1", "a|'\u{a0}-1"),
            ("a;;\"＝1", "a;;'\"＝1"),
        ] {
            assert_eq!(harmless(formula), text);
        }
        for text in ["", "a=1", "a; b=1", "a | b", ";", "2026-01-01", "maria", "'=1"] {
            assert_eq!(harmless(text), text);
        }
    }
}
