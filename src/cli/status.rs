//! `rotate status`.

use std::collections::HashSet;

use clap::Args;
use jiff::SignedDuration;

use super::done::refused;
use super::fleet::{configured, look};
use super::named::resolve;
use super::rotate::story;
use super::session::{show, speaker, tell_folder, tell_unknown};
use super::{Exit, Global, Output, terminal};
use crate::config::{Config, Target};
use crate::engine::driver::DriveError;
use crate::engine::{OnRecord, Survey, assess};
use crate::hooks::now;
use crate::store::{Sorted, Store, Stored};
use crate::view::{TargetView, json, markdown, text};

/// Show where targets stand. Calls no vendor.
///
/// With a configuration, every target of it: how old its key is, when its rotation begins, and who is waited for.
#[derive(Args)]
pub(super) struct Command {
    /// One target only, with its whole story
    target: Option<String>,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let config = match configured(global) {
            Ok(config) => config,
            Err(exit) => return exit,
        };
        let (store, survey) = match look(global).await {
            Ok(found) => found.into_parts(),
            Err(error) => return tell_folder(global, &error),
        };
        let Some(name) = &self.target else {
            print_all(global, &all(global, config.as_ref(), &survey), config.is_some());
            return Exit::Ok;
        };
        // One target's story is told by the journal itself, each line of it checked.
        let course = match &store {
            Some(store) => match resolved(&**store, config.as_ref(), name).await {
                Ok(course) => course,
                Err(DriveError::Store(error)) => return tell_folder(global, &error.into()),
                Err(error) => return refused(global, name, &error),
            },
            None => None,
        };
        let target = config
            .as_ref()
            .and_then(|config| config.targets.iter().find(|target| target.name == *name));
        match one(global, target, course, &survey, name) {
            Some(report) => {
                show(global, &[report]);
                Exit::Ok
            }
            None => tell_unknown(global, name),
        }
    }
}

/// The latest rotation of the target that is meant.
async fn resolved(store: &dyn Store, config: Option<&Config>, name: &str) -> Result<Option<Stored>, DriveError> {
    let name = resolve(store, config, name).await?;
    Ok(store.latest(&name).await?)
}

fn print_all(global: &Global, reports: &[TargetView], is_fleet: bool) {
    terminal::print(&match global.output {
        Output::Json => json::targets(reports),
        Output::Markdown => markdown::table(reports),
        Output::Text if is_fleet => text::fleet(reports, terminal::columns()),
        Output::Text => text::table(reports, terminal::columns()),
    });
}

/// Every target that the configuration names or the journal knows, by name.
pub(super) fn all(global: &Global, config: Option<&Config>, survey: &Survey) -> Vec<TargetView> {
    let targets = config.map(|config| config.targets.as_slice()).unwrap_or_default();
    let named = |name: &str| targets.iter().any(|target| target.name == name);
    let of_file = targets
        .iter()
        .map(|target| of_target(global, target, survey.of_target(target)));
    let taken: HashSet<&str> = survey.taken_by(targets).collect();
    let others = survey
        .courses()
        .iter()
        .filter(|stored| !taken.contains(stored.target.as_str()) && !named(&stored.target))
        .map(|stored| TargetView::standing(stored, now(), &speaker(global)));
    let mut all: Vec<TargetView> = of_file.chain(others).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// A target of the configuration: where its rotation stands, or when it begins.
fn of_target(global: &Global, target: &Target, known: OnRecord<'_>) -> TargetView {
    let judged = assess(target, known, now(), SignedDuration::ZERO);
    match known.course.filter(|stored| !stored.rotation.is_closed()) {
        Some(stored) => {
            let report = TargetView::standing_as(&target.name, stored, now(), &speaker(global));
            report.assessed(target, &judged, now(), &speaker(global))
        }
        None => TargetView::judged(target, &judged, now(), &speaker(global)),
    }
}

fn one(
    global: &Global,
    target: Option<&Target>,
    course: Option<Stored>,
    survey: &Survey,
    name: &str,
) -> Option<TargetView> {
    let known = OnRecord {
        course: course.as_ref(),
        ..survey.of(name)
    };
    let judged = target.map(|target| assess(target, known, now(), SignedDuration::ZERO));
    let between = |target: &Target| of_target(global, target, known);
    let report = match (&course, target) {
        (Some(stored), Some(target)) if stored.rotation.is_closed() && known.holds().is_some() => between(target),
        (Some(stored), _) => match stored.clone().sort() {
            Sorted::Guided(guided) => story(global, &guided),
            Sorted::Automated(automated) => TargetView::now(&automated, now(), &speaker(global)),
        },
        (None, target) => between(target?),
    };
    Some(match (target, judged) {
        (Some(target), Some(judged)) => report.assessed(target, &judged, now(), &speaker(global)),
        _ => report,
    })
}
