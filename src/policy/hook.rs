//! The programs that run after a delivery: in their order, each once, and none by itself a second time.

use super::{Step, block};
use crate::machine::{Event, HookRun, Rotation};

/// The next of them, or why a person has to look; `None`: each has run, or was seen to.
pub(super) fn next(rotation: &Rotation) -> Option<Step> {
    // Whoever has an undo go on by force was told of it.
    let is_forced = rotation.undo.as_ref().is_some_and(|undo| undo.forced);
    let mut all = rotation.spec.after_delivery.iter();
    all.find_map(|hook| match rotation.hook_run(hook) {
        None => Some(Step::RunHook(hook.clone())),
        Some(HookRun::Ran | HookRun::SeenTo) => None,
        Some(HookRun::Begun | HookRun::Failed(_)) if is_forced => None,
        Some(HookRun::Begun) => Some(block(&format!(
            "{hook} may have been started after {}, and the run was ended before it was known how it ended; it is not run \
             again by itself",
            what_was_done(rotation)
        ))),
        Some(HookRun::Failed(why)) => Some(block(&format!(
            "{hook}, which runs after {}, failed: {why}; it is not run again by itself",
            what_was_done(rotation)
        ))),
    })
}

/// The program of which a person was told and has to say what becomes of it; `None` where something else blocks, or nothing does.
pub fn told_hook(rotation: &Rotation) -> Option<&str> {
    let block = rotation.blocked.as_ref()?;
    match next(rotation) {
        Some(Step::Record(Event::Blocked { why })) if why == block.why => rotation.unsettled_hook(),
        _ => None,
    }
}

fn what_was_done(rotation: &Rotation) -> &'static str {
    match rotation.undo {
        None => "the delivery",
        Some(_) => "the old secret was put back",
    }
}
