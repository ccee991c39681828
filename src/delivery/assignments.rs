//! Edits the lines `name = value` of a text and leaves every other byte alone.

use ini_roundtrip::{Item, Parser};
use zeroize::Zeroizing;

use super::Fault;

/// How assignments are written.
#[derive(Clone, Copy)]
pub(super) enum Dialect<'a> {
    /// `NAME=value` or `export NAME="value"`, anywhere in the file.
    Dotenv,
    /// `name = value` in this section. Names in any case, as the AWS tools read them.
    Section(&'a str),
}

/// The assignments of a text that matter, each with the place of its line and of its value.
pub(super) struct Assignments<'a> {
    text: &'a str,
    dialect: Dialect<'a>,
    found: Vec<Assignment<'a>>,
    /// Where a new assignment goes; `None` where its section does not exist.
    end: Option<usize>,
}

struct Assignment<'a> {
    name: &'a str,
    value: &'a str,
    value_at: usize,
    line_at: usize,
    line: &'a str,
    /// Whether the value is all there is, but for a comment.
    plain: bool,
}

impl<'a> Assignments<'a> {
    /// Finds them. A section or a name that stands twice is refused: no two tools agree which one counts.
    pub(super) fn parse(text: &'a str, dialect: Dialect<'a>) -> Result<Self, Fault> {
        let mut found: Vec<Assignment<'a>> = Vec::new();
        let mut end = match dialect {
            Dialect::Dotenv => Some(0),
            Dialect::Section(_) => None,
        };
        let mut inside = end.is_some();
        let mut indent = None;
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        for item in Parser::new(body) {
            let (header, raw) = match item {
                Item::Section { name, raw } => (Some(name), raw),
                // A header with a comment or blanks behind it.
                Item::Error(raw) => (raw[1..].split(']').next().map(str::trim), raw),
                Item::Property { key, val, raw } => {
                    // A line that is indented deeper than the assignment above belongs to it.
                    let depth = raw.len() - raw.trim_start().len();
                    let continues = indent.is_some_and(|above| depth > above);
                    if inside && !raw.trim().is_empty() {
                        end = Some(after_line(text, raw));
                        if let (true, Some(above)) = (continues, found.last_mut()) {
                            above.plain = false;
                        }
                        if let (false, Some(value)) = (continues, val) {
                            indent = Some(depth);
                            found.push(assignment(text, dialect, key, value, raw));
                        }
                    }
                    continue;
                }
                Item::SectionEnd | Item::Comment { .. } | Item::Blank { .. } => continue,
            };
            if let Dialect::Section(wanted) = dialect {
                inside = header == Some(wanted);
                indent = None;
                if inside && end.is_some() {
                    return Err(Fault::Content("the profile stands in it twice"));
                }
                if inside {
                    end = Some(after_line(text, raw));
                }
            }
        }
        let this = Self {
            text,
            dialect,
            found,
            end,
        };
        match this
            .found
            .iter()
            .enumerate()
            .any(|(i, a)| this.found[..i].iter().any(|b| this.same(a.name, b.name)))
        {
            true => Err(Fault::Content("a name is assigned twice in it")),
            false => Ok(this),
        }
    }

    /// Whether this name is assigned.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Whether this name, if it is assigned at all, is assigned one value and nothing more.
    pub(super) fn is_plain(&self, name: &str) -> bool {
        self.find(name).is_none_or(|assignment| assignment.plain)
    }

    /// What this name is assigned.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.find(name).map(|assignment| assignment.value)
    }

    /// The text with these assignments made, or removed where no value is given.
    pub(super) fn set(&self, changes: &[(&str, Option<&str>)]) -> Zeroizing<String> {
        let newline = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        // (from, to, new text), in the order of the text.
        let mut edits: Vec<(usize, usize, Zeroizing<String>)> = Vec::new();
        // Room for everything, here and below: a string that grows leaves copies behind.
        let room = changes
            .iter()
            .map(|(name, value)| name.len() + value.map_or(0, str::len) + 8)
            .sum::<usize>();
        let mut added = Zeroizing::new(String::with_capacity(room));
        for (name, value) in changes {
            match (self.find(name), value) {
                (Some(old), Some(value)) => {
                    let to = old.value_at + old.value.len();
                    edits.push((old.value_at, to, Zeroizing::new((*value).to_owned())));
                }
                (Some(old), None) => {
                    edits.push((old.line_at, after_line(self.text, old.line), Zeroizing::default()));
                }
                (None, Some(value)) => {
                    let parts = match self.dialect {
                        Dialect::Dotenv => [name, "=", value, newline],
                        Dialect::Section(_) => [name, " = ", value, newline],
                    };
                    parts.iter().for_each(|part| added.push_str(part));
                }
                (None, None) => {}
            }
        }
        if !added.is_empty() {
            let at = self.end.unwrap_or(self.text.len());
            let section = match self.dialect {
                Dialect::Section(section) => section.len(),
                Dialect::Dotenv => 0,
            };
            let mut new = Zeroizing::new(String::with_capacity(room + section + 16));
            if at > 0 && !self.text[..at].ends_with('\n') {
                new.push_str(newline);
            }
            if let (Dialect::Section(section), None) = (self.dialect, self.end) {
                if !self.text.is_empty() {
                    new.push_str(newline);
                }
                ["[", section, "]", newline].iter().for_each(|part| new.push_str(part));
            }
            new.push_str(&added);
            edits.push((at, at, new));
        }
        edits.sort_by_key(|(from, to, _)| (*from, *to));
        self.apply(&edits)
    }

    fn apply(&self, edits: &[(usize, usize, Zeroizing<String>)]) -> Zeroizing<String> {
        let grown: usize = edits.iter().map(|(_, _, new)| new.len()).sum();
        let mut changed = Zeroizing::new(String::with_capacity(self.text.len() + grown));
        let mut done = 0;
        for (from, to, new) in edits {
            changed.push_str(&self.text[done..*from]);
            changed.push_str(new);
            done = *to;
        }
        changed.push_str(&self.text[done..]);
        changed
    }

    fn find(&self, name: &str) -> Option<&Assignment<'a>> {
        self.found.iter().find(|assignment| self.same(assignment.name, name))
    }

    fn same(&self, a: &str, b: &str) -> bool {
        match self.dialect {
            Dialect::Dotenv => a == b,
            Dialect::Section(_) => a.eq_ignore_ascii_case(b),
        }
    }
}

fn assignment<'a>(text: &str, dialect: Dialect<'_>, key: &'a str, value: &'a str, line: &'a str) -> Assignment<'a> {
    let name = match dialect {
        Dialect::Dotenv => key.strip_prefix("export ").map_or(key, str::trim),
        Dialect::Section(_) => key,
    };
    // The value ends at a blank, or at the quote that it began with: what follows is a comment.
    let whole = value;
    let value = match (dialect, value.chars().next()) {
        (Dialect::Dotenv, Some(quote @ ('"' | '\''))) => value[1..].split(quote).next(),
        _ => value.split_whitespace().next(),
    }
    .unwrap_or(&value[..0]);
    let behind = whole[offset(whole, value) + value.len()..]
        .trim_start_matches(['"', '\''])
        .trim_start();
    Assignment {
        name,
        value,
        value_at: offset(text, value),
        line_at: offset(text, line),
        line,
        plain: behind.is_empty() || behind.starts_with(['#', ';']),
    }
}

/// Where a part of the text begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// The place behind a line and its line break.
fn after_line(text: &str, line: &str) -> usize {
    let end = offset(text, line) + line.len();
    let rest = &text[end..];
    let newline = ["\r\n", "\n", "\r"].iter().find(|newline| rest.starts_with(**newline));
    end + newline.map_or(0, |newline| newline.len())
}

#[cfg(test)]
mod tests;
