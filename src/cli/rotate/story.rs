//! Where a guided rotation stands, for people and programs.

use crate::cli::Global;
use crate::cli::session::speaker;
use crate::hooks::now;
use crate::machine::GuidedRotation;
use crate::plan::{Guidance, lead, procedure_of};
use crate::store::Guided;
use crate::view::TargetView;

/// Where a guided rotation stands, and whether its end counts.
pub(super) fn walking(global: &Global, guided: &Guided) -> TargetView {
    let walk = &guided.rotation;
    let mut report = TargetView::walking(&guided.target, &guided.id, walk, now(), &speaker(global));
    if walk.rotates() && walk.is_done() && walk.rotated_at().is_none() {
        let progress = report.reason.take().unwrap_or_default();
        report.reason = Some(format!("{NOT_ROTATED}; {progress}"));
    }
    report
}

/// What is said of a walk to the end of which the steps that matter were left out.
const NOT_ROTATED: &str =
    "closed, not rotated: every step was left out that makes the new credential, or delivers it, or proves it";

/// What a walk has come to, once no step is open.
pub(in crate::cli) fn ending(walk: &GuidedRotation) -> Option<String> {
    let progress = walk.progress();
    walk.is_done().then(|| match walk.rotated_at() {
        Some(at) => format!("{progress}: rotated on {}", at.strftime("%Y-%m-%d")),
        None if walk.rotates() => format!("{NOT_ROTATED}; {progress}"),
        None => format!("`{}` has ended: {progress}", walk.itinerary.procedure),
    })
}

/// The report of a guided rotation with its whole plan, from what the journal keeps.
pub(in crate::cli) fn story(global: &Global, guided: &Guided) -> TargetView {
    let walk = &guided.rotation;
    let report = walking(global, guided);
    let itinerary = &walk.itinerary;
    match procedure_of(itinerary) {
        Some((guide, procedure)) => {
            let guidance = Guidance::of(&guide, procedure, &itinerary.values);
            let steps = lead(&guide, procedure, &itinerary.values, Some(walk));
            report.with_guide(guidance, steps)
        }
        None => report,
    }
}
