//! The programs that run after a delivery. Each is an effect of its own that nobody here knows how to repeat: it is run once, and
//! where it failed, or nobody knows how it ended, a person says what becomes of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Event, Phase, Rotation};

/// Where the programs of a rotation stand, by their names. One that is not here has not been begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    /// After the new secret was delivered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    delivered: BTreeMap<String, HookRun>,
    /// After the old one was put back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    put_back: BTreeMap<String, HookRun>,
}

/// One run of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookRun {
    /// It may have been started; how it ended is not recorded.
    Begun,
    /// It ended well.
    Ran,
    /// It did not, for this reason.
    Failed(String),
    /// A person has seen to it.
    SeenTo,
}

/// What a person says of a program that failed, or of which nobody knows how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookAnswer {
    /// What it was to do is done.
    Done,
    /// It is to be run once more.
    Again,
}

impl Hooks {
    /// Whether there is nothing to tell of.
    pub fn is_empty(&self) -> bool {
        self.delivered.is_empty() && self.put_back.is_empty()
    }
}

impl Rotation {
    /// Where a program stands, on the way that the rotation is on; `None`: it has not been begun.
    pub fn hook_run(&self, hook: &str) -> Option<&HookRun> {
        let runs = match self.undo {
            None => &self.hooks.delivered,
            Some(_) => &self.hooks.put_back,
        };
        runs.get(hook)
    }

    /// The first program of which a person has to say what becomes of it.
    pub fn unsettled_hook(&self) -> Option<&str> {
        let mut all = self.spec.after_delivery.iter();
        let found = all.find(|hook| matches!(self.hook_run(hook), Some(HookRun::Begun | HookRun::Failed(_))));
        found.map(String::as_str)
    }

    /// Whether each program has run, or was seen to.
    pub fn has_run_hooks(&self) -> bool {
        let mut all = self.spec.after_delivery.iter();
        all.all(|hook| matches!(self.hook_run(hook), Some(HookRun::Ran | HookRun::SeenTo)))
    }

    /// Whether this event may come before the programs have run: no consumer is taken for moved that was not told.
    pub(super) fn may_precede_hooks(&self, event: &Event) -> bool {
        let moves_on = match event {
            Event::CutOver { .. } => true,
            Event::Done => self.phase.is_in_gap(),
            _ => false,
        };
        !moves_on || self.has_run_hooks()
    }

    /// Takes what happened to a program; `None` where it cannot have happened.
    pub(super) fn take_hook(&mut self, event: &Event) -> Option<()> {
        let may_begin = self.may_begin_hooks();
        let is_told = self.blocked.is_some();
        let (Event::HookIntended { hook }
        | Event::HookRan { hook }
        | Event::HookFailed { hook, .. }
        | Event::HookAnswered { hook, .. }) = event
        else {
            return None;
        };
        if !self.spec.after_delivery.contains(hook) {
            return None;
        }
        let runs = match self.undo {
            None => &mut self.hooks.delivered,
            Some(_) => &mut self.hooks.put_back,
        };
        let run = match (event, runs.get(hook)) {
            (Event::HookIntended { .. }, None) if may_begin => HookRun::Begun,
            (Event::HookRan { .. }, Some(HookRun::Begun)) => HookRun::Ran,
            (Event::HookFailed { why, .. }, Some(HookRun::Begun)) => HookRun::Failed(why.clone()),
            (Event::HookAnswered { answer, .. }, Some(HookRun::Begun | HookRun::Failed(_))) if is_told => {
                self.blocked = None;
                match answer {
                    HookAnswer::Done => HookRun::SeenTo,
                    HookAnswer::Again => {
                        runs.remove(hook);
                        return Some(());
                    }
                }
            }
            _ => return None,
        };
        runs.insert(hook.clone(), run);
        Some(())
    }

    /// Whether whatever the consumers are told of is there: the new secret everywhere, or the old one again.
    fn may_begin_hooks(&self) -> bool {
        match &self.undo {
            None => match &self.phase {
                Phase::Delivered(..) => true,
                Phase::Replaced(_) => {
                    let new = self.new_key.as_ref();
                    new.is_some_and(|new| new.is_delivered_to(&self.spec.destinations))
                }
                _ => false,
            },
            Some(_) => self.phase.may_restore() && self.is_put_back(),
        }
    }
}
