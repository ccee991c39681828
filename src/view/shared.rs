//! What several forms of a plan have in common: findings, steps, and how a time is written.

use super::TargetView;
use super::markup::foreign;
use crate::plan::{Planned, StepState};

/// What was found out beforehand, a line each, and what fixes it.
pub(super) fn findings(view: &TargetView) -> Vec<String> {
    let mut lines = Vec::new();
    for problem in &view.problems {
        lines.push(format!("  ! {}: {}", problem.what, problem.why));
        let remedy = problem.remedy.iter().flat_map(|remedy| remedy.lines());
        lines.extend(remedy.map(|line| format!("      {line}")));
    }
    lines.extend(
        view.unknown
            .iter()
            .map(|noted| format!("  ? {}: {}", noted.what, noted.why)),
    );
    lines
}

/// The same as a list, for tickets.
pub(super) fn findings_in_markdown(view: &TargetView) -> String {
    let mut text = String::new();
    for problem in &view.problems {
        let remedy = problem.remedy.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "- **{}:** {}; {}\n",
            foreign(&problem.what),
            foreign(&problem.why),
            foreign(remedy)
        ));
    }
    for noted in &view.unknown {
        text.push_str(&format!("- {}: {}\n", foreign(&noted.what), foreign(&noted.why)));
    }
    text
}

/// The steps, a line each.
pub(super) fn steps(plan: &[Planned]) -> impl Iterator<Item = String> {
    plan.iter().zip(1..).map(|(step, number)| {
        let mark = match step.guided.as_ref().map(|guided| guided.state) {
            Some(StepState::Done) => "\u{2713} ",
            Some(StepState::Skipped) => "\u{2013} skipped: ",
            Some(StepState::Open) | None => "",
        };
        let when = step.at.map(|at| format!(" (until {})", minute(at))).unwrap_or_default();
        let careful = if step.effect && !step.reversible {
            " [cannot be undone]"
        } else {
            ""
        };
        format!(
            "  {number:>2}. {mark}{:<12}{}: {}{when}{careful}",
            step.phase, step.who, step.what
        )
    })
}

/// The box of a step. One that was skipped has none: it is neither done nor open.
pub(super) fn checkbox(step: &Planned) -> &'static str {
    match step.guided.as_ref().map(|guided| guided.state) {
        Some(StepState::Done) => "[x] ",
        Some(StepState::Skipped) => "*Skipped:* ",
        Some(StepState::Open) | None => "[ ] ",
    }
}

/// The day of a time.
pub(super) fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// A time, to the minute.
pub(super) fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
