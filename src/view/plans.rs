//! What `run` would do with each target of a fleet, for people, tickets and programs.

use rotate_providers::untrusted::sanitized;

use super::markup::{escaped, foreign};
use super::shared::{checkbox, day, findings, findings_in_markdown, minute, steps};
use super::text::folded;
use super::{Mode, TargetView};
use crate::engine::Action;

fn action(view: &TargetView) -> &'static str {
    view.action.map(Action::name).unwrap_or_default()
}

fn reason(view: &TargetView) -> &str {
    view.reason.as_deref().unwrap_or_default()
}

fn due(view: &TargetView) -> Option<String> {
    view.age.as_ref().map(|age| day(age.begins_at))
}

/// How many of each.
fn counted(views: &[TargetView]) -> String {
    let all = [
        Action::Start,
        Action::Continue,
        Action::Guided,
        Action::Blocked,
        Action::Wait,
        Action::NotDue,
    ];
    let counts = all.into_iter().filter_map(|kind: Action| {
        let count = views.iter().filter(|view| view.action == Some(kind)).count();
        (count > 0).then(|| format!("{count} {}", kind.name()))
    });
    let plural = if views.len() == 1 { "" } else { "s" };
    format!(
        "{} target{plural}: {}",
        views.len(),
        counts.collect::<Vec<_>>().join(", ")
    )
}

/// For people, as wide as this at most: what is to be done in full, and the rest in a line.
pub fn text(views: &[TargetView], columns: Option<usize>) -> String {
    let mut text = counted(views) + "\n";
    for view in views {
        let whole = view.is_to_do() || view.is_pressing || view.has_failed;
        let lines = if whole {
            text.push('\n');
            in_full(view, columns)
        } else {
            let (action, name, reason) = (action(view), &view.name, reason(view));
            let line = format!("  {action:<9} {name}: {reason}");
            folded(&sanitized(&line), columns)
        };
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn in_full(view: &TargetView, columns: Option<usize>) -> Vec<String> {
    let due = due(view).map(|day| format!(", due {day}")).unwrap_or_default();
    let owner = view
        .owner
        .as_ref()
        .map(|owner| format!(", {owner}"))
        .unwrap_or_default();
    let head = format!(
        "{}: {} ({}, {}{owner}{due})",
        view.name,
        action(view),
        view.connector,
        view.mode.map(Mode::name).unwrap_or_default()
    );
    let fold = |line: String| folded(&sanitized(&line), columns);
    let mut lines = fold(head);
    lines.extend(fold(format!("  {}", reason(view))));
    let whose = view.identity.iter().map(|identity| format!("  {identity}"));
    lines.extend(whose.flat_map(fold));
    // There are commands among them, to be copied: they stay as they are.
    lines.extend(view.remedy.iter().map(|line| sanitized(&format!("    {line}"))));
    let findings = findings(view).into_iter();
    lines.extend(
        findings
            .chain(steps(view.steps.as_deref().unwrap_or_default()))
            .flat_map(fold),
    );
    lines
}

/// For a pull request: a table, and the steps below it, folded.
pub fn markdown(views: &[TargetView]) -> String {
    let mut text = format!("## Key rotations: {}\n\n", counted(views));
    text.push_str("| target | connector | action | due | reason |\n|---|---|---|---|---|\n");
    for view in views {
        let due = due(view).unwrap_or_default();
        text.push_str(&format!(
            "| {} | {} | {}{} | {due} | {} |\n",
            foreign(&view.name),
            view.connector,
            if view.has_failed { "**!** " } else { "" },
            action(view),
            foreign(reason(view))
        ));
    }
    for view in views {
        let steps = view.steps.as_deref().unwrap_or_default();
        if steps.is_empty() && view.problems.is_empty() && view.unknown.is_empty() && view.remedy.is_empty() {
            continue;
        }
        let (name, action) = (foreign(&view.name), action(view));
        text.push_str(&format!("\n<details><summary>{name}: {action}</summary>\n\n"));
        if let Some(identity) = &view.identity {
            text.push_str(&format!("- {}\n", foreign(&identity.to_string())));
        }
        for line in &view.remedy {
            text.push_str(&format!("- {}\n", foreign(line)));
        }
        text.push_str(&findings_in_markdown(view));
        for (step, number) in steps.iter().zip(1..) {
            let when = step.at.map(|at| format!(" (until {})", minute(at))).unwrap_or_default();
            text.push_str(&format!(
                "- {}**{number}. {}**, {}: {}{when}\n",
                checkbox(step),
                escaped(&step.who),
                step.phase,
                escaped(&step.what)
            ));
        }
        text.push_str("\n</details>\n");
    }
    text
}
