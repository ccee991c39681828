//! What `run` would do with each target of a fleet, for people, tickets and programs.

use jiff::Timestamp;
use rotate_providers::contract::{Check, Finding};
use rotate_providers::untrusted::inert;
use serde::Serialize;

use super::Speaker;
use super::markdown::checkbox;
use super::markup::{escaped, foreign};
use super::text::{day, folded, minute};
use crate::config::{How, Target};
use crate::engine::driver::Identity;
use crate::engine::{Foreseen, Verdict};
use crate::plan::{Planned, StepState};

/// What would be done with one target, and why.
#[derive(Debug, Serialize)]
pub struct Outlook {
    /// The target's name.
    pub name: String,
    /// Its connector.
    pub connector: &'static str,
    /// Who takes the steps: `automated` or `guided`.
    pub mode: &'static str,
    /// Who is asked about it.
    pub owner: Option<String>,
    /// What would be done.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// When its rotation begins; null where that is not known.
    pub due_at: Option<Timestamp>,
    /// When its key has to be gone; null where that is not known.
    pub gone_by: Option<Timestamp>,
    /// The steps, from here to the end; empty where none would be taken.
    pub steps: Vec<Planned>,
    /// Whose credentials it would be done with; null where no vendor was asked.
    pub identity: Option<Identity>,
    /// What would stand in the way.
    pub problems: Vec<Noted>,
    /// What shows only later.
    pub unknown: Vec<Noted>,
    /// What a person does about it, one command or sentence a line.
    pub remedy: Vec<String>,
    #[serde(skip)]
    failed: bool,
    #[serde(skip)]
    is_pressing: bool,
}

/// Something that was found out beforehand.
#[derive(Clone, Debug, Serialize)]
pub struct Noted {
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub why: String,
    /// What mends it; null where that is not known.
    pub remedy: Option<String>,
}

impl Outlook {
    /// What was foreseen for this target.
    pub fn of(target: &Target, foreseen: Foreseen, speaker: &Speaker) -> Self {
        let failed = foreseen.would_fail();
        let judgement = foreseen.judgement;
        let deadline = judgement.age.map(|age| age.deadline);
        let (mut problems, mut unknown) = noted(foreseen.findings);
        for noted in problems.iter_mut().chain(&mut unknown) {
            noted.why = target.in_its_words(&noted.why);
            noted.remedy = noted.remedy.as_ref().map(|remedy| target.in_its_words(remedy));
        }
        let remedy = judgement.remedy.iter();
        Self {
            name: target.name.clone(),
            connector: target.connector.id,
            mode: match target.how {
                How::Automatic(_) => "automated",
                How::ByHand(_) => "guided",
            },
            owner: target.owner.clone(),
            verdict: judgement.verdict,
            reason: target.in_its_words(&judgement.reason),
            due_at: deadline.map(|deadline| deadline.begin_at),
            gone_by: deadline.map(|deadline| deadline.gone_by),
            steps: foreseen.steps,
            identity: foreseen.identity,
            problems,
            unknown,
            remedy: remedy.map(|line| speaker.line(&target.in_its_words(line))).collect(),
            failed,
            is_pressing: judgement.is_pressing,
        }
    }

    /// Whether it would fail, or could not be looked at.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether someone or something has to act.
    pub fn is_to_do(&self) -> bool {
        self.verdict.is_to_do()
    }
}

pub(super) fn noted(findings: Vec<Finding>) -> (Vec<Noted>, Vec<Noted>) {
    let (mut problems, mut unknown) = (Vec::new(), Vec::new());
    for Finding { what, check } in findings {
        match check {
            Check::Fine => {}
            Check::Wrong { why, remedy } => problems.push(Noted {
                what: what.into(),
                why: why.into(),
                remedy: Some(remedy),
            }),
            Check::Unknown { why } => unknown.push(Noted {
                what: what.into(),
                why: why.into(),
                remedy: None,
            }),
        }
    }
    (problems, unknown)
}

/// How many of each.
fn counted(outlooks: &[Outlook]) -> String {
    let all = [
        Verdict::Start,
        Verdict::Continue,
        Verdict::Guided,
        Verdict::Blocked,
        Verdict::Wait,
        Verdict::NotDue,
    ];
    let counts = all.into_iter().filter_map(|verdict| {
        let count = outlooks.iter().filter(|outlook| outlook.verdict == verdict).count();
        (count > 0).then(|| format!("{count} {}", verdict.name()))
    });
    let plural = if outlooks.len() == 1 { "" } else { "s" };
    format!(
        "{} target{plural}: {}",
        outlooks.len(),
        counts.collect::<Vec<_>>().join(", ")
    )
}

/// For people, as wide as this at most: what is to be done in full, and the rest in a line.
pub fn text(outlooks: &[Outlook], columns: Option<usize>) -> String {
    let mut lines = vec![counted(outlooks)];
    for outlook in outlooks {
        let whole = outlook.is_to_do() || outlook.is_pressing || outlook.failed;
        if whole {
            lines.push(String::new());
            lines.extend(in_full(outlook, columns));
        } else {
            let (verdict, name) = (outlook.verdict.name(), &outlook.name);
            let line = format!("  {verdict:<9} {name}: {}", outlook.reason);
            lines.extend(folded(&inert(&line), columns));
        }
    }
    lines.iter().map(|line| line.to_owned() + "\n").collect()
}

fn in_full(outlook: &Outlook, columns: Option<usize>) -> Vec<String> {
    let due = outlook
        .due_at
        .map(|at| format!(", due {}", day(at)))
        .unwrap_or_default();
    let owner = outlook
        .owner
        .as_ref()
        .map(|owner| format!(", {owner}"))
        .unwrap_or_default();
    let head = format!(
        "{}: {} ({}, {}{owner}{due})",
        outlook.name,
        outlook.verdict.name(),
        outlook.connector,
        outlook.mode
    );
    let fold = |line: String| folded(&inert(&line), columns);
    let mut lines = fold(head);
    lines.extend(fold(format!("  {}", outlook.reason)));
    let whose = outlook.identity.iter().map(|identity| format!("  {identity}"));
    lines.extend(whose.flat_map(fold));
    // There are commands among them, to be copied: they stay as they are.
    lines.extend(outlook.remedy.iter().map(|line| inert(&format!("    {line}"))));
    let findings = findings(&outlook.problems, &outlook.unknown).into_iter();
    lines.extend(findings.chain(steps(&outlook.steps)).flat_map(fold));
    lines
}

/// What was found out beforehand, a line each, and what mends it.
pub(super) fn findings(problems: &[Noted], unknown: &[Noted]) -> Vec<String> {
    let mut lines = Vec::new();
    for problem in problems {
        lines.push(format!("  ! {}: {}", problem.what, problem.why));
        let remedy = problem.remedy.iter().flat_map(|remedy| remedy.lines());
        lines.extend(remedy.map(|line| format!("      {line}")));
    }
    lines.extend(unknown.iter().map(|noted| format!("  ? {}: {}", noted.what, noted.why)));
    lines
}

/// The same as a list, for tickets.
pub(super) fn findings_in_markdown(problems: &[Noted], unknown: &[Noted]) -> String {
    let mut text = String::new();
    for problem in problems {
        let remedy = problem.remedy.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "- **{}:** {}; {}\n",
            foreign(&problem.what),
            foreign(&problem.why),
            foreign(remedy)
        ));
    }
    for noted in unknown {
        text.push_str(&format!("- {}: {}\n", foreign(&noted.what), foreign(&noted.why)));
    }
    text
}

fn steps(plan: &[Planned]) -> impl Iterator<Item = String> {
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

/// For a pull request: a table, and the steps below it, folded.
pub fn markdown(outlooks: &[Outlook]) -> String {
    let mut text = format!("## Key rotations: {}\n\n", counted(outlooks));
    text.push_str("| target | connector | verdict | due | reason |\n|---|---|---|---|---|\n");
    for outlook in outlooks {
        let due = outlook.due_at.map(day).unwrap_or_default();
        text.push_str(&format!(
            "| {} | {} | {}{} | {due} | {} |\n",
            foreign(&outlook.name),
            outlook.connector,
            if outlook.failed { "**!** " } else { "" },
            outlook.verdict.name(),
            foreign(&outlook.reason)
        ));
    }
    for outlook in outlooks {
        if outlook.steps.is_empty()
            && outlook.problems.is_empty()
            && outlook.unknown.is_empty()
            && outlook.remedy.is_empty()
        {
            continue;
        }
        let (name, verdict) = (foreign(&outlook.name), outlook.verdict.name());
        text.push_str(&format!("\n<details><summary>{name}: {verdict}</summary>\n\n"));
        if let Some(identity) = &outlook.identity {
            text.push_str(&format!("- {}\n", foreign(&identity.to_string())));
        }
        for line in &outlook.remedy {
            text.push_str(&format!("- {}\n", foreign(line)));
        }
        text.push_str(&findings_in_markdown(&outlook.problems, &outlook.unknown));
        for (step, number) in outlook.steps.iter().zip(1..) {
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
