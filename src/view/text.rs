//! For people.

mod guided;
mod sheet;

pub use guided::{connector, opening as guided_opening, plan as guided_plan, step as guided_step};

use sheet::Sheet;
pub(super) use sheet::folded;

use super::shared::{day, findings, minute, steps};
use super::{AgeView, Listed, TargetView, Who};
use rotate_providers::contract::LastUse;
use rotate_providers::guide::Overlap;
use rotate_providers::untrusted::sanitized;

use crate::machine::{Begun, Event, HookAnswer, SwitchedBy};
use crate::plan::Planned;
use crate::store::{Anchored, Line, Verified};

/// One target's whole story, as wide as this at most.
pub fn story(view: &TargetView, columns: Option<usize>) -> String {
    let mut lines = vec![format!("{}: {}", view.name, view.state.name())];
    let mut fact = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            lines.push(format!("  {name:<9}{value}"));
        }
    };
    fact("old key", &view.old_key);
    fact("new key", &view.new_key);
    fact("rotation", &view.rotation);
    fact("with", &view.identity.as_ref().map(ToString::to_string));
    for destination in &view.destinations {
        fact("goes to", &Some(destination.clone()));
    }
    fact("age", &view.age.as_ref().map(age));
    fact("reason", &view.reason);
    if let Some(plan) = &view.steps {
        lines.extend(findings(view));
        lines.extend(whole_plan(plan));
    }
    let mut lines: Vec<String> = lines
        .iter()
        .flat_map(|line| folded(&sanitized(line), columns))
        .collect();
    if view.steps.is_none() {
        lines.extend(next(view, columns));
    }
    // Remedies of several lines are lines of their own; whatever else is in a text, it is one.
    let lines = lines.iter().flat_map(|line| line.split('\n')).map(sanitized);
    lines.map(|line| line + "\n").collect()
}

/// What comes next. Commands are there to be copied, so they stay as they are.
fn next(view: &TargetView, columns: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    let at = view.next.at.map(|at| format!(" by {}", day(at))).unwrap_or_default();
    if !view.handover.is_empty() {
        lines.push(format!("Now a person moves every consumer{at}:"));
        let numbered = view.handover.iter().zip(1..);
        lines.extend(numbered.flat_map(|(line, number)| folded(&format!("  {number}. {line}"), columns)));
        lines.extend(view.next.command.iter().map(|command| format!("Then:     {command}")));
    } else if let (Some(who), Some(what)) = (view.next.who, &view.next.what) {
        let when = view
            .next
            .at
            .map(|at| format!(" (at {})", minute(at)))
            .unwrap_or_default();
        lines.extend(folded(&format!("Next:     {}: {what}{when}", who.name()), columns));
        lines.extend(view.next.command.iter().map(|command| format!("          {command}")));
    }
    lines.extend(view.undo.iter().map(|command| format!("To undo:  {command}")));
    lines
}

fn whole_plan(plan: &[Planned]) -> Vec<String> {
    if plan.is_empty() {
        return vec!["Plan:     nothing would be done".to_owned()];
    }
    let mut lines = vec!["Plan, if all goes well (nothing has been done):".to_owned()];
    lines.extend(steps(plan));
    lines
}

/// All targets, as wide as this at most.
pub fn table(views: &[TargetView], columns: Option<usize>) -> String {
    if views.is_empty() {
        return "no rotation is on record\n".to_owned();
    }
    let mut sheet = Sheet::new(["TARGET", "STATE", "OLD KEY", "NEW KEY", "WAITS FOR", "UNTIL"]);
    for view in views {
        sheet.add([
            view.name.clone(),
            view.state.name().to_owned(),
            view.old_key.clone().unwrap_or_default(),
            view.new_key.clone().unwrap_or_default(),
            view.next.who.map(Who::name).unwrap_or_default().to_owned(),
            view.next.at.map(day).unwrap_or_default(),
        ]);
    }
    sheet.text(columns)
}

/// All targets of a fleet, with their keys' ages, as wide as this at most.
pub fn fleet(views: &[TargetView], columns: Option<usize>) -> String {
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
    for view in views {
        let age = view.age.as_ref();
        sheet.add([
            view.name.clone(),
            age.map(|age| bar(age.share)).unwrap_or_default(),
            age.map(|age| age.days.to_string()).unwrap_or_default(),
            age.map(|age| day(age.begins_at)).unwrap_or_default(),
            age.map(|age| day(age.gone_by)).unwrap_or_default(),
            view.state.name().to_owned(),
            view.next.who.map(Who::name).unwrap_or_default().to_owned(),
            view.reason.clone().unwrap_or_default(),
        ]);
    }
    sheet.text(columns)
}

fn age(age: &AgeView) -> String {
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
            Overlap::None => "NO",
            other => other.name(),
        };
        sheet.add([
            connector.id.to_owned(),
            connector.mode.name().to_owned(),
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
            "{:>6}  {at}  {}  {}{}{}",
            line.seq,
            line.target,
            event.name(),
            detail(event),
            asked(event)
        );
        sanitized(&told) + "\n"
    };
    lines.iter().map(one).collect()
}

/// What made a rotation begin, and who.
fn why_begun(begun: Option<&Begun>) -> String {
    let told = begun.map(|begun| format!(", {} by {}", begun.trigger.name(), begun.by.name()));
    told.unwrap_or_default().replace(", due by rotate", ", due")
}

/// What the vendor calls the request that did it.
fn asked(event: &Event) -> String {
    let told = event.request().map(|id| format!("  request {id}"));
    told.unwrap_or_default()
}

fn detail(event: &Event) -> String {
    let told = |text: &str| format!("  {text}");
    match event {
        Event::Opened { spec, begun } => told(&format!("old key {}{}", spec.old_key, why_begun(begun.as_ref()))),
        Event::HostPinned { host } => told(host),
        Event::Minted { key, .. } | Event::Created { key, .. } | Event::Discarded { key, .. } => told(key.as_str()),
        Event::DiscardIntended { key, why } => told(&format!("{key}: {why}")),
        Event::DeliverIntended { destination } | Event::Delivered { destination } => told(destination),
        Event::Restored { destination, outcome } => {
            let outcome = serde_json::to_value(outcome).unwrap_or_default();
            told(&format!("{destination} {}", outcome.as_str().unwrap_or_default()))
        }
        Event::HookIntended { hook } | Event::HookRan { hook } => told(hook),
        Event::HookFailed { hook, why } => told(&format!("{hook}: {why}")),
        Event::HookAnswered { hook, by, answer } => {
            let answer = match answer {
                HookAnswer::Done => "done",
                HookAnswer::Again => "to be run again",
            };
            told(&format!("{hook} by {by}: {answer}"))
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
        Event::UndoRequested { why, by, .. } => told(&format!("by {}: {why}", by.name())),
        Event::CreateFailed { why } | Event::ReactivateIntended { why } | Event::Blocked { why } => told(why),
        Event::Resumed { by } | Event::WalkAborted { by } => told(&format!("by {by}")),
        Event::WalkOpened { itinerary, begun } => {
            told(&format!("{}{}", itinerary.procedure, why_begun(begun.as_ref())))
        }
        Event::StepDone { step, by, evidence } => {
            let evidence = evidence.iter().map(|text| format!(": {text}")).collect::<String>();
            told(&format!("{step} by {by}{evidence}"))
        }
        Event::Sighted { sighting } => match &sighting.live {
            Some(key) => told(&format!("key {key} is in use")),
            None => told("which key is in use is not known"),
        },
        Event::Drifted { why, .. } => told(why),
        Event::CopiesDrifted { copies, .. } => {
            let names: Vec<&str> = copies.iter().map(|copy| copy.destination.as_str()).collect();
            told(&names.join(", "))
        }
        Event::Rekeyed {
            by,
            from,
            to,
            sealed,
            already,
            left,
        } => {
            let from = from.iter().map(|from| format!(" from {from}")).collect::<String>();
            told(&format!(
                "by {by}:{from} to {to}: {sealed} sealed anew, {already} were so already, {left} left as they were"
            ))
        }
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

/// A journal that is intact.
pub fn verified(verified: &Verified, against: Option<i64>, anchored: Option<&Anchored>) -> String {
    let count = |number: i64, what| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let noted = against.map(|seq| {
        format!("the head that was noted down is that of event {seq}: everything up to there is as it was\n")
    });
    let anchored = anchored.map(|anchored| {
        let (seq, at) = (anchored.head.seq, minute(anchored.at));
        format!("it has every head of its anchor, the last of them, of event {seq}, noted down at {at}\n")
    });
    format!(
        "the journal is intact: {} of {}\nhead {}\n{}{}",
        count(verified.events, "event"),
        count(verified.rotations, "rotation"),
        verified.head,
        noted.unwrap_or_default(),
        anchored.unwrap_or_default()
    )
}
