//! Edits assignments of a text and leaves every other byte alone.

use std::ops::Range;

use zeroize::Zeroizing;

use super::lines::line_end;

/// An assignment that every reader takes for one.
pub(super) struct Assignment<'a> {
    /// As it is looked for, however it is written in the text.
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) value_at: usize,
    /// Its line, with the end.
    pub(super) line: Range<usize>,
}

/// Where a new assignment goes.
pub(super) enum Room {
    /// Behind the line that ends here.
    After(usize),
    /// At the end.
    End,
    /// At the end, under this header.
    Section(String),
}

/// The assignments of a text that matter.
pub(super) struct Assignments<'a> {
    pub(super) text: &'a str,
    pub(super) found: Vec<Assignment<'a>>,
    pub(super) room: Room,
    /// What stands between a new name and its value.
    pub(super) equals: &'static str,
}

impl<'a> Assignments<'a> {
    /// What this name is assigned.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.find(name).map(|assignment| assignment.value)
    }

    /// The text with these assignments made, or removed where no value is given.
    pub(super) fn set(&self, changes: &[(&str, Option<&str>)]) -> Zeroizing<String> {
        // In the order of the text.
        let mut edits: Vec<(Range<usize>, Zeroizing<String>)> = Vec::new();
        let mut added: Vec<(&str, &str)> = Vec::new();
        for (name, value) in changes {
            match (self.find(name), value) {
                (Some(old), Some(value)) => {
                    let place = old.value_at..old.value_at + old.value.len();
                    edits.push((place, Zeroizing::new((*value).to_owned())));
                }
                (Some(old), None) => edits.push((old.line.clone(), Zeroizing::default())),
                (None, Some(value)) => added.push((name, value)),
                (None, None) => {}
            }
        }
        if !added.is_empty() {
            let (at, new) = self.addition(&added);
            edits.push((at..at, new));
        }
        edits.sort_by_key(|(place, _)| (place.start, place.end));
        self.apply(&edits)
    }

    fn addition(&self, added: &[(&str, &str)]) -> (usize, Zeroizing<String>) {
        let (at, header) = match &self.room {
            Room::After(at) => (*at, None),
            Room::End => (self.text.len(), None),
            Room::Section(header) => (self.text.len(), Some(header.as_str())),
        };
        let is_unfinished = at > 0 && !self.text[..at].ends_with('\n');
        let end = match self.room {
            // To a shell a carriage return would become a part of the last value.
            Room::End if is_unfinished => "\n",
            _ => line_end(self.text, at),
        };
        let mut parts: Vec<&str> = Vec::new();
        if is_unfinished {
            parts.push(end);
        }
        if let Some(header) = header {
            if !self.text.is_empty() {
                parts.push(end);
            }
            parts.extend([header, end]);
        }
        for (name, value) in added {
            parts.extend([*name, self.equals, *value, end]);
        }
        // Room for everything, here and below: a string that grows leaves copies behind.
        let mut new = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.into_iter().for_each(|part| new.push_str(part));
        (at, new)
    }

    fn apply(&self, edits: &[(Range<usize>, Zeroizing<String>)]) -> Zeroizing<String> {
        let grown: usize = edits.iter().map(|(_, new)| new.len()).sum();
        let mut changed = Zeroizing::new(String::with_capacity(self.text.len() + grown));
        let mut done = 0;
        for (place, new) in edits {
            changed.push_str(&self.text[done..place.start]);
            changed.push_str(new);
            done = place.end;
        }
        changed.push_str(&self.text[done..]);
        changed
    }

    fn find(&self, name: &str) -> Option<&Assignment<'a>> {
        self.found.iter().find(|assignment| assignment.name == name)
    }
}
