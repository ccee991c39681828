//! What became of each target of a run: for people, for programs, and for the exit code.

use crate::cli::notices::After;
use crate::cli::session::{show, speaker};
use crate::cli::{Exit, Global, Output, terminal};
use crate::config::Target;
use crate::engine::{Action, Assessment};
use crate::hooks::now;
use crate::view::{TargetView, Who};

/// What became of one target.
pub(super) struct Ended {
    /// The target's name.
    pub(super) name: String,
    pub(super) exit: Exit,
    /// Whether a person should see it.
    is_told: bool,
    /// In one word.
    what: &'static str,
    /// What is shown of it; of a target of which nobody sees anything none is kept: there may be fifty thousand.
    report: Option<Box<TargetView>>,
    /// What people are told of it.
    pub(super) after: Option<Box<After>>,
}

impl Ended {
    pub(super) fn new(report: TargetView, exit: Exit, is_told: bool, what: &'static str) -> Self {
        Self {
            name: report.name.clone(),
            exit,
            is_told,
            what,
            report: Some(Box::new(report)),
            after: None,
        }
    }

    /// Without what is shown, where that is nobody's.
    pub(super) fn only_if_shown(self, global: &Global) -> Self {
        let is_shown = self.is_told || shows_all(global) || self.after.is_some();
        Self {
            report: self.report.filter(|_| is_shown),
            ..self
        }
    }

    /// What people are told of it, with what is shown.
    pub(super) fn told(&mut self) -> Option<(After, &TargetView)> {
        Some((*self.after.take()?, self.report.as_deref()?))
    }

    /// Whether a person has to look at it. What only this run has found, such as two full slots or a credential that is refused, stands
    /// in no journal.
    pub(super) fn is_held_up(&self) -> bool {
        self.exit == Exit::PersonNeeded && matches!(self.what, "blocked" | "refused")
    }

    /// Its credential is dead, whatever else is to be said of it.
    pub(super) fn refused(&mut self, target: &Target, refused: &str, global: &Global) {
        self.exit = self.exit.max(Exit::PersonNeeded);
        self.is_told = true;
        self.after = self.after.take().map(|after| Box::new(after.refused()));
        self.what = "refused";
        let Some(report) = &mut self.report else { return };
        let before = report.reason.take().map(|reason| format!("; {reason}"));
        report.reason = Some(format!("{refused}{}", before.unwrap_or_default()));
        report.next.who = Some(Who::Person);
        report.next.what = Some("put the right secret in its place, and try it".to_owned());
        report.next.command = Some(speaker(global).command(&format!("verify {}", target.name)));
    }
}

pub(super) fn of_judgement(target: &Target, judged: &Assessment, global: &Global) -> Ended {
    let overdue = judged.age.is_some_and(|age| age.deadline.gone_by <= now());
    let (exit, what) = match judged.action {
        Action::Blocked => (Exit::PersonNeeded, "blocked"),
        Action::NotDue => (Exit::Ok, "not due"),
        _ if overdue => (Exit::PersonNeeded, "overdue"),
        _ => (Exit::Ok, "waiting"),
    };
    let report = TargetView::judged(target, judged, now(), &speaker(global));
    Ended::new(report, exit, judged.is_pressing, what)
}

/// What a person should see, what programs get, and a line that counts, which is given back.
pub(super) fn tell(global: &Global, ended: &[Ended], all: usize) -> String {
    let told = ended.iter().filter(|ended| shows_all(global) || ended.is_told);
    let told: Vec<TargetView> = told.filter_map(|ended| ended.report.as_deref().cloned()).collect();
    show(global, &told);
    let mut counts: Vec<String> = Vec::new();
    for what in [
        "ended", "waiting", "by hand", "not due", "overdue", "blocked", "refused", "failed",
    ] {
        let count = ended.iter().filter(|ended| ended.what == what).count();
        if count > 0 {
            counts.push(format!("{count} {what}"));
        }
    }
    let plural = if all == 1 { "" } else { "s" };
    let counts = format!("{all} target{plural}: {}", counts.join(", "));
    terminal::note(&counts);
    counts
}

/// Programs get every target.
fn shows_all(global: &Global) -> bool {
    global.output == Output::Json
}
