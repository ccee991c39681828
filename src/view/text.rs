//! For people.

mod guided;
mod sheet;

pub use guided::{connector, opening as guided_opening, plan as guided_plan, step as guided_step};

use sheet::Sheet;
pub(super) use sheet::folded;

use super::outlook::findings;
use super::{AgeReport, Listed, Noted, Report};
use rotate_providers::contract::LastUse;
use rotate_providers::untrusted::inert;

use crate::machine::{Event, SwitchedBy};
use crate::plan::Planned;
use crate::store::{Line, Verified};

/// One target's whole story, as wide as this at most.
pub fn story(report: &Report, columns: Option<usize>) -> String {
    let mut lines = vec![format!("{}: {}", report.name, report.state)];
    let mut fact = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            lines.push(format!("  {name:<9}{value}"));
        }
    };
    fact("old key", &report.old_key);
    fact("new key", &report.new_key);
    fact("rotation", &report.rotation);
    fact("with", &report.identity.as_ref().map(ToString::to_string));
    for destination in &report.destinations {
        fact("goes to", &Some(destination.clone()));
    }
    fact("age", &report.age.as_ref().map(age));
    fact("reason", &report.reason);
    if let Some(plan) = &report.plan {
        let of = |noted: &Option<Vec<Noted>>| noted.clone().unwrap_or_default();
        lines.extend(findings(&of(&report.problems), &of(&report.unknown)));
        lines.extend(steps(plan));
    }
    let mut lines: Vec<String> = lines.iter().flat_map(|line| folded(&inert(line), columns)).collect();
    if report.plan.is_none() {
        lines.extend(next(report, columns));
    }
    // Remedies of several lines are lines of their own; whatever else is in a text, it is one.
    let lines = lines.iter().flat_map(|line| line.split('\n')).map(inert);
    lines.map(|line| line + "\n").collect()
}

/// What comes next. Commands are there to be copied, so they stay as they are.
fn next(report: &Report, columns: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    let at = report.next.at.map(|at| format!(" by {}", day(at))).unwrap_or_default();
    if !report.handover.is_empty() {
        lines.push(format!("Now a person moves every consumer{at}:"));
        let numbered = report.handover.iter().zip(1..);
        lines.extend(numbered.flat_map(|(line, number)| folded(&format!("  {number}. {line}"), columns)));
        lines.extend(report.next.command.iter().map(|command| format!("Then:     {command}")));
    } else if let (Some(who), Some(what)) = (report.next.who, &report.next.what) {
        let when = report
            .next
            .at
            .map(|at| format!(" (at {})", minute(at)))
            .unwrap_or_default();
        lines.extend(folded(&format!("Next:     {who}: {what}{when}"), columns));
        lines.extend(report.next.command.iter().map(|command| format!("          {command}")));
    }
    lines.extend(report.undo.iter().map(|command| format!("To undo:  {command}")));
    lines
}

fn steps(plan: &[Planned]) -> Vec<String> {
    if plan.is_empty() {
        return vec!["Plan:     nothing would be done".to_owned()];
    }
    let mut lines = vec!["Plan, if all goes well (nothing has been done):".to_owned()];
    for (step, number) in plan.iter().zip(1..) {
        let mut line = format!("  {number:>2}. {:<12}{}: {}", step.phase, step.who, step.what);
        if let Some(at) = step.at {
            line.push_str(&format!(" (until {})", minute(at)));
        }
        if step.effect && !step.reversible {
            line.push_str(" [cannot be undone]");
        }
        lines.push(line);
    }
    lines
}

/// All targets, as wide as this at most.
pub fn table(reports: &[Report], columns: Option<usize>) -> String {
    if reports.is_empty() {
        return "no rotation is on record\n".to_owned();
    }
    let mut sheet = Sheet::new(["TARGET", "STATE", "OLD KEY", "NEW KEY", "WAITS FOR", "UNTIL"]);
    for report in reports {
        sheet.add([
            report.name.clone(),
            report.state.to_owned(),
            report.old_key.clone().unwrap_or_default(),
            report.new_key.clone().unwrap_or_default(),
            report.next.who.unwrap_or_default().to_owned(),
            report.next.at.map(day).unwrap_or_default(),
        ]);
    }
    sheet.text(columns)
}

/// All targets of a fleet, with their keys' ages, as wide as this at most.
pub fn fleet(reports: &[Report], columns: Option<usize>) -> String {
    let mut sheet = Sheet::new([
        "TARGET",
        "AGE",
        "DAYS",
        "BEGINS",
        "GONE BY",
        "STATE",
        "WAITS FOR",
        "REASON",
    ]);
    for report in reports {
        let age = report.age.as_ref();
        sheet.add([
            report.name.clone(),
            age.map(|age| bar(age.share)).unwrap_or_default(),
            age.map(|age| age.days.to_string()).unwrap_or_default(),
            age.map(|age| day(age.begins_at)).unwrap_or_default(),
            age.map(|age| day(age.gone_by)).unwrap_or_default(),
            report.state.to_owned(),
            report.next.who.unwrap_or_default().to_owned(),
            report.reason.clone().unwrap_or_default(),
        ]);
    }
    sheet.text(columns)
}

fn age(age: &AgeReport) -> String {
    format!(
        "{} {} days; its rotation begins on {}, and it is gone by {}",
        bar(age.share),
        age.days,
        day(age.begins_at),
        day(age.gone_by)
    )
}

/// A share as a bar of ten.
fn bar(share: f64) -> String {
    let full = (0..10).filter(|tenth| share * 10.0 > f64::from(*tenth)).count();
    "\u{2588}".repeat(full) + &"\u{2591}".repeat(10 - full)
}

/// All connectors, as wide as this at most. The roles of each are told with it alone.
pub fn connectors(listed: &[Listed], columns: Option<usize>) -> String {
    let mut sheet = Sheet::new(["CONNECTOR", "HOW", "OVERLAP", "ROTATES"]);
    for connector in listed {
        let overlap = match connector.overlap {
            "none" => "NO",
            other => other,
        };
        sheet.add([
            connector.id.to_owned(),
            connector.mode.to_owned(),
            overlap.to_owned(),
            connector.title.clone(),
        ]);
    }
    sheet.text(columns)
}

/// The journal.
pub fn journal(lines: &[Line]) -> String {
    let one = |line: &Line| {
        let event = &line.record.event;
        let at = line.record.at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let told = format!(
            "{:>6}  {at}  {}  {}{}",
            line.seq,
            line.target,
            event.name(),
            detail(event)
        );
        inert(&told) + "\n"
    };
    lines.iter().map(one).collect()
}

fn detail(event: &Event) -> String {
    let told = |text: &str| format!("  {text}");
    match event {
        Event::Opened { charter } => told(&format!("old key {}", charter.old_key)),
        Event::HostPinned { host } => told(host),
        Event::Minted { key, .. } | Event::Created { key } | Event::Discarded { key } => told(key.as_str()),
        Event::DiscardIntended { key, why } => told(&format!("{key}: {why}")),
        Event::DeliverIntended { destination } | Event::Delivered { destination } => told(destination),
        Event::Restored { destination, outcome } => {
            let outcome = serde_json::to_value(outcome).unwrap_or_default();
            told(&format!("{destination} {}", outcome.as_str().unwrap_or_default()))
        }
        Event::CutOver { by } => match by {
            SwitchedBy::Person(name) => told(&format!("confirmed by {name}")),
            SwitchedBy::Attested { by, evidence } => told(&format!("confirmed by {by}: {evidence}")),
            SwitchedBy::Observed { .. } => told("observed"),
            SwitchedBy::Delivery => told("by delivery"),
        },
        Event::Used {
            last_use: LastUse::At { at, .. },
        } => told(&format!("at {at}")),
        Event::Attested { by, evidence } => told(&format!("by {by}: {evidence}")),
        Event::UndoRequested { why, by, .. } => told(&format!("by {by}: {why}")),
        Event::CreateFailed { why } | Event::ReactivateIntended { why } | Event::Blocked { why } => told(why),
        Event::Resumed { by } | Event::WalkAborted { by } => told(&format!("by {by}")),
        Event::WalkOpened { itinerary } => told(&itinerary.procedure),
        Event::StepDone { step, by, evidence } => {
            let evidence = evidence.iter().map(|text| format!(": {text}")).collect::<String>();
            told(&format!("{step} by {by}{evidence}"))
        }
        Event::Sighted { sighting } => match &sighting.live {
            Some(key) => told(&format!("key {key} is in use")),
            None => told("which key is in use is not known"),
        },
        Event::Drifted { why, .. } => told(why),
        Event::Released { by } => told(&format!("by {by}")),
        Event::StepUndone { step, by, why } => {
            let why = why.iter().map(|text| format!(": {text}")).collect::<String>();
            told(&format!("{step} by {by}{why}"))
        }
        Event::Tried {
            credential,
            verdict,
            class,
            by,
        } => {
            let (which, verdict) = (credential.name(), verdict.name());
            told(&format!("the {which} credential by {by}: {verdict} ({class})"))
        }
        Event::EvidenceAdded { step, by, evidence } => told(&format!("{step} by {by}: {evidence}")),
        Event::StepSkipped { step, by, why } => told(&format!("{step} by {by}: {why}")),
        _ => String::new(),
    }
}

/// A journal that is whole.
pub fn verified(verified: &Verified) -> String {
    let count = |number: i64, what| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    format!(
        "the journal is whole: {} of {}\nhead {}\n",
        count(verified.events, "event"),
        count(verified.rotations, "rotation"),
        verified.head
    )
}

pub(super) fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

pub(super) fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
