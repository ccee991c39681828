//! For tickets: a plan as a checklist.

use rotate_providers::guide::{Language, Procedure};
use rotate_providers::untrusted::sanitized;

use super::markup::{escaped, foreign};
use super::shared::{checkbox, findings_in_markdown};
use super::{Detail, Listed, TargetView, Who};
use crate::machine::StepOutcome;
use crate::plan::{Guidance, GuidedStep, Planned};

/// The plans of these targets.
pub fn document(views: &[TargetView]) -> String {
    let plans: Vec<String> = views.iter().map(plan).collect();
    plans.join("\n")
}

/// A table of targets.
pub fn table(views: &[TargetView]) -> String {
    let mut text = "| target | state | waits for | until | reason |\n|---|---|---|---|---|\n".to_owned();
    for view in views {
        let until = view.next.at.map(|at| at.strftime("%Y-%m-%d").to_string());
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            foreign(&view.name),
            view.state.name(),
            view.next.who.map(Who::name).unwrap_or_default(),
            until.unwrap_or_default(),
            foreign(view.reason.as_deref().unwrap_or_default())
        ));
    }
    text
}

/// A table of connectors.
pub fn connectors(listed: &[Listed]) -> String {
    let mut text = "| connector | rotates | how | old and new overlap |\n|---|---|---|---|\n".to_owned();
    for connector in listed {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            connector.id,
            escaped(&connector.title),
            connector.mode.name(),
            escaped(&connector.overlap_in_words())
        ));
    }
    text
}

fn plan(view: &TargetView) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    match &view.guide {
        Some(guide) if view.detail == Detail::Checklist => {
            line(&format!("## {} · {}\n", escaped(&guide.title), foreign(&view.name)));
        }
        Some(guide) => head(&mut line, view, guide),
        None => line(&format!("## {}: {}\n", foreign(&view.name), view.state.name())),
    }
    if !view.problems.is_empty() || !view.unknown.is_empty() {
        line(&findings_in_markdown(view));
    }
    let steps = view.steps.as_deref().unwrap_or_default();
    if view.detail == Detail::Checklist {
        checklist(&mut line, view, steps);
        return text;
    }
    let mut heading = String::new();
    for (number, step) in (1..).zip(steps) {
        let next = super::heading(view, steps, step);
        if next != heading {
            heading = next;
            line(&format!("\n### {}\n", escaped(&heading)));
        }
        one(&mut line, number, step);
    }
    if let Some(guide) = &view.guide {
        if let Some(dead) = &guide.dead {
            line(&format!("\n**Old one dead?** {}", escaped(dead)));
        }
        if let Some(typed) = &guide.dead_typed {
            fenced(&mut line, "", &typed.command, typed.language.name());
        }
        if let Some(residue) = &guide.residue {
            line(&format!("\n**Still works:** {}", escaped(residue)));
        }
        line(&format!("\n**Sources**, looked at in {}:\n", escaped(&guide.checked)));
        for page in guide.pages() {
            line(&format!("- {}", escaped(&page)));
        }
        if let (None, Some(command)) = (&view.rotation, &view.next.command) {
            line("\n**To begin it:**");
            fenced(&mut line, "", command, "shell");
        }
    }
    // A command ends with an empty line, and a heading begins with one.
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text
}

/// One line a step.
fn checklist(line: &mut impl FnMut(&str), view: &TargetView, steps: &[Planned]) {
    let mut gap = String::new();
    for (number, step) in (1..).zip(steps) {
        let in_gap = step.guided.as_ref().is_some_and(|guided| guided.in_gap);
        let next = if in_gap {
            super::heading(view, steps, step)
        } else {
            String::new()
        };
        if next != gap {
            gap = next;
            line(&format!(
                "\n**{}**\n",
                if in_gap {
                    escaped(&gap)
                } else {
                    "after the gap".to_owned()
                }
            ));
        }
        let final_ = if step.reversible { "" } else { " (cannot be undone)" };
        line(&format!(
            "- {}**{number}. {}:** {}{final_}",
            checkbox(step),
            escaped(&step.who),
            escaped(step.in_short())
        ));
    }
}

fn head(line: &mut impl FnMut(&str), view: &TargetView, guide: &Guidance) {
    let procedure = match guide.procedure {
        Procedure::Rotate => String::new(),
        other => format!(" · {}", other.name()),
    };
    let (title, name) = (escaped(&guide.title), foreign(&view.name));
    line(&format!("## {title} · {name}{procedure}\n"));
    match guide.opening() {
        (Some(warning), what) => line(&format!("> **{warning}** {}\n", escaped(&what))),
        (None, what) => line(&format!("{}\n", escaped(&what))),
    }
    line(&format!(
        "- **Credential:** {}; {}; expires: {}",
        escaped(&guide.credential),
        escaped(&guide.coexist),
        escaped(&guide.expires)
    ));
    let mut list = |name: &str, items: &[String]| {
        for item in items {
            line(&format!("- **{name}:** {}", escaped(item)));
        }
    };
    list("Also affected", &guide.affects);
    list("Role", &guide.roles);
    list("Have ready", &guide.prepare);
    list("Differs", &guide.corrections);
    for missing in &guide.missing {
        line(&format!(
            "- **Not given:** `{}` ({}): {}",
            missing.option,
            missing.need(),
            escaped(&missing.help)
        ));
    }
}

fn one(line: &mut impl FnMut(&str), number: usize, step: &Planned) {
    let guided = step.guided.as_ref();
    line(&format!(
        "- {}**{number}. {}:** {}",
        checkbox(step),
        escaped(&step.who),
        escaped(&step.what)
    ));
    let mut detail = |name: &str, text: &str| line(&format!("  - {name}: {text}"));
    let Some(guided) = guided else {
        if step.effect && !step.reversible {
            detail("Careful", "this cannot be undone.");
        }
        return;
    };
    details(&mut detail, step, guided);
    if let Some(command) = &guided.command {
        fenced(
            line,
            "  ",
            command,
            guided.language.map(Language::name).unwrap_or_default(),
        );
    }
    let Some(back) = &guided.back else { return };
    for (name, told, typed) in [
        ("Way back", &back.what, &back.typed),
        ("Then", &back.finish, &back.finish_typed),
    ] {
        line(&format!("  - {name}: {}", escaped(told)));
        if let Some(typed) = typed {
            if let Some(once) = &typed.once {
                line(&format!("  - Run it once: {}", escaped(once)));
            }
            fenced(line, "  ", &typed.command, typed.language.name());
        }
    }
}

/// A command to be copied.
fn fenced(line: &mut impl FnMut(&str), indent: &str, command: &str, language: &str) {
    let fence = "`".repeat(longest_run(command).max(2) + 1);
    line(&format!("\n{indent}{fence}{language}"));
    for text in command.trim().lines() {
        line(&format!("{indent}{}", sanitized(text)));
    }
    line(&format!("{indent}{fence}\n"));
}

fn details(detail: &mut impl FnMut(&str, &str), step: &Planned, guided: &GuidedStep) {
    let mut told = |name: &str, text: &Option<String>| {
        if let Some(text) = text {
            detail(name, &escaped(text));
        }
    };
    told("Only with", &guided.only);
    told("Where", &guided.place);
    told("See", &guided.expect);
    told("Note", &guided.noted());
    let careful = (!step.reversible).then(|| "this cannot be undone.".to_owned());
    told("Careful", &careful);
    told("Careful", &guided.caution);
    told("Run it once", &guided.once);
    told("More", &guided.link);
    if let Some(tick) = &guided.tick {
        let (name, told_of) = match &tick.outcome {
            StepOutcome::Done { evidence } => ("Done", evidence.clone()),
            StepOutcome::Skipped { why } => ("Skipped", Some(why.clone())),
        };
        let more = told_of.map(|text| format!(": {text}")).unwrap_or_default();
        detail(name, &foreign(&format!("{} by {}{more}", tick.at, tick.by)));
        for note in &tick.added {
            let added = format!("{} by {}: {}", note.at, note.by, note.evidence);
            detail("Added", &foreign(&added));
        }
    }
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
