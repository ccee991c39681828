//! What people do meanwhile: those who wait for the rotation, and those who know nothing of it.

use jiff::{SignedDuration, Timestamp};
use rotate::machine::{Event, Phase, Retirement, SwitchedBy, UndoKind};
use rotate::policy::Waiting;
use rotate_providers::contract::KeyId;

use super::vendor::public_half;
use super::{Checked, World};

impl World {
    /// The program has ended, and is started again later.
    pub(super) fn wait(&mut self, on: Waiting, until: Option<Timestamp>) -> Checked {
        self.stop()?;
        self.vendor.lag(0);
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let by = "someone".to_owned();
        match (on, self.roll(6)) {
            (Waiting::Cutover, 0) | (Waiting::Evidence, 3) if !self.has_taken_the_new_key() => {
                let by = SwitchedBy::Person(by);
                self.record(Event::CutOver { by })?;
            }
            (Waiting::Person, 0) => self.resolve()?,
            // Says so without having looked.
            (Waiting::Person, 3) => self.record(Event::Resumed { by })?,
            (Waiting::Soak, 0) => self.now = until.unwrap_or(self.now),
            (Waiting::Soak, 3) => self.bring_back_by_hand(),
            (_, 1) => self.ask_for_undo()?,
            (_, 2) => self.pass(days(20)),
            (_, 4) => self.stranger_comes(),
            _ => self.pass(days(2)),
        }
        Ok(())
    }

    /// Whoever rotated by hand and took the program's key away does not say that their consumers have moved to it.
    fn has_taken_the_new_key(&self) -> bool {
        self.rotated_by_hand && !self.vendor.is_active(&self.new_key())
    }

    /// A person looks, takes away what nobody can attribute, and says what the program said to say.
    fn resolve(&mut self) -> Checked {
        if self.rotated_by_hand && self.rotation.may_undo(UndoKind::Abort) {
            // What is there works, and the program is to keep its hands off; or it was told to, and said what to do by hand.
            if self.rotation.undo.is_some() {
                let new = self.new_key();
                self.vendor.remove(&new);
            }
            return self.request(UndoKind::Abort, true);
        }
        self.clear_away();
        let old = self.rotation.spec.old_key.clone();
        let is_off = matches!(self.rotation.phase, Phase::Soaking(..) | Phase::Deleting(..));
        if is_off && self.rotation.spec.retirement != Retirement::RemoveForGood {
            self.vendor.switch_off(&old);
        }
        let works = self.vendor.is_active(&old);
        match &self.rotation.undo {
            Some(undo) if works => {
                let kind = undo.kind;
                self.request(kind, true)
            }
            _ => self.record(Event::Resumed {
                by: "someone".to_owned(),
            }),
        }
    }

    fn clear_away(&mut self) {
        if self.rotated_by_hand && !self.has_cut_over() {
            return;
        }
        // Once their consumers have moved to the program's key they have no use for their own.
        self.rotated_by_hand = false;
        let known: [KeyId; 2] = [self.rotation.spec.old_key.clone(), self.new_key()];
        self.vendor.clear_away(&known);
    }

    /// Someone reads that there is no room, and makes some, sooner or later.
    pub(super) fn make_room(&mut self) {
        if self.roll(3) == 0 {
            self.clear_away();
        }
    }

    /// A person asks for it, whatever the moment.
    pub(super) fn ask_for_undo(&mut self) -> Checked {
        let kinds = [UndoKind::Abort, UndoKind::Rollback];
        let Some(kind) = kinds.into_iter().find(|kind| self.rotation.may_undo(*kind)) else {
            return Ok(());
        };
        let told = self.rotation.blocked.is_some() && self.rotation.undo.is_some();
        if told && !self.vendor.is_active(&self.rotation.spec.old_key) {
            // Whoever was told that the old key does not work does not insist on losing the other one.
            return Ok(());
        }
        let forced = self.roll(2) == 1;
        self.request(kind, forced)
    }

    fn request(&mut self, kind: UndoKind, forced: bool) -> Checked {
        let (why, by) = ("someone asked for it".to_owned(), "someone".to_owned());
        self.record(Event::UndoRequested {
            kind,
            why,
            by: by.into(),
            forced,
        })
    }

    /// Someone who knows nothing of this takes a slot, if there is one.
    pub(super) fn stranger_comes(&mut self) {
        self.may_lag();
        self.met_strangers |= self.vendor.stranger(self.now);
    }

    /// Someone takes the old key away themselves, once its consumers have moved and nobody wants to go back.
    pub(super) fn finish_by_hand(&mut self) -> Checked {
        if self.has_cut_over() && self.rotation.undo.is_none() {
            self.stop()?;
            self.vendor.lag(0);
            self.vendor.remove(&self.rotation.spec.old_key);
            self.finished_by_hand = true;
        }
        Ok(())
    }

    /// Someone rotates by hand: a key of theirs, which their consumers use, and the old one goes.
    pub(super) fn rotate_by_hand(&mut self) -> Checked {
        if self.has_cut_over() || self.rotation.undo.is_some() || self.rotated_by_hand {
            return Ok(());
        }
        self.stop()?;
        self.vendor.lag(0);
        self.vendor.remove(&self.rotation.spec.old_key);
        self.met_strangers |= self.vendor.stranger(self.now);
        self.rotated_by_hand = true;
        Ok(())
    }

    /// Someone needs the old key after all, and does not ask the program for it.
    fn bring_back_by_hand(&mut self) {
        let old = self.rotation.spec.old_key.clone();
        let public = public_half(&old);
        // Where there is no room, there is none for them either.
        let _ = self.vendor.switch_on(&old, Some(&public), self.now);
    }
}
