//! The keys in a file of variables, in the forms in which its readers agree.
//!
//! Followed are python-dotenv, dotenv for Node, `set -a; . FILE` in a shell, `docker run --env-file` and systemd's
//! `EnvironmentFile=`. They have no grammar in common: what one of them takes for an assignment and another does not is
//! refused where it concerns the keys, and left alone elsewhere.

use std::collections::HashMap;

use super::Fault;
use super::assignments::{Assignment, Assignments, Room};
use super::format::Variables;
use super::lines::{BLANK, Line, check, lines};
use super::quotes::{self, Quoted};

/// The keys that the file assigns, by the names that the connector has for them.
pub(super) fn read<'a>(text: &'a str, names: &Variables) -> Result<Assignments<'a>, Fault> {
    let keys: Vec<&'static str> = names.id.into_iter().chain([names.secret]).collect();
    let reader = Reader::new(text);
    let mut found: Vec<Assignment<'_>> = Vec::new();
    let mut assigned: HashMap<&str, usize> = HashMap::new();
    let mut above: Option<Line<'_>> = None;
    for line in lines(text) {
        check(line)?;
        for name in keys.iter().copied().chain(names.beside.iter().copied()) {
            let Some(value) = reader.find(line, name)? else {
                continue;
            };
            if names.beside.contains(&name) {
                return wrong(
                    line,
                    &format!(
                        "it holds a session token ({name}), which no long-term key goes with: remove that line first"
                    ),
                );
            }
            if above.is_some_and(goes_on) {
                return wrong(
                    line,
                    &format!("to some readers {name} goes on with what the line above it begins"),
                );
            }
            found.push(assignment(line, name, value)?);
        }
        let name = assigned_name(line.text).filter(|_| reader.around(line.at).is_none());
        if let Some(first) = name.and_then(|name| assigned.insert(name, line.number)) {
            let shown = name.filter(|name| keys.contains(name)).unwrap_or("a name");
            return wrong(
                line,
                &format!("{shown} is assigned twice in it: line {first} assigns it too"),
            );
        }
        above = Some(line);
    }
    if found.len() < keys.len() {
        reader.may_end_here(above)?;
    }
    Ok(Assignments {
        text,
        found,
        room: Room::End,
        equals: "=",
    })
}

/// The name that a line assigns to some value.
fn assigned_name(line: &str) -> Option<&str> {
    let (name, _) = line.trim_start_matches(BLANK).split_once('=')?;
    let name = match name.strip_prefix("export") {
        Some(rest) if rest.starts_with(BLANK) => rest,
        _ => name,
    };
    let name = name.trim_matches(BLANK);
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    (!name.is_empty() && name.chars().all(fits)).then_some(name)
}

fn wrong<T>(line: Line<'_>, what: &str) -> Result<T, Fault> {
    Err(Fault::line(line.number, what.to_owned()))
}

struct Reader {
    shell: Vec<Quoted>,
    values: Vec<Quoted>,
    unfinished: Option<usize>,
}

impl Reader {
    fn new(text: &str) -> Self {
        let (values, unfinished) = quotes::of_values(text);
        Self {
            // A shell that cannot read the file is none of its readers.
            shell: quotes::of_a_shell(text).unwrap_or_default(),
            values,
            unfinished,
        }
    }

    /// What this line assigns to this name: all that follows the `=`.
    fn find<'a>(&self, line: Line<'a>, name: &str) -> Result<Option<&'a str>, Fault> {
        let said = line.text.trim_start_matches(BLANK);
        if said.starts_with('#') {
            return Ok(None);
        }
        let mut assigned = None;
        for (at, _) in line.text.match_indices(name) {
            let (before, after) = (&line.text[..at], &line.text[at + name.len()..]);
            if is_part_of_a_name(before, after) {
                continue;
            }
            let value = after.trim_start_matches(BLANK).strip_prefix('=');
            match (begins_a_line(before), value) {
                (true, Some(value)) => assigned = Some(value),
                (true, None) => return wrong(line, &odd_form(name)),
                (false, _) if self.is_harmless(line, at, before, after) => continue,
                (false, _) => return wrong(line, &odd_form(name)),
            }
            if let Some(quoted) = self.around(line.at + at) {
                return wrong(
                    line,
                    &format!(
                        "{name} stands inside the quotes that line {} opens, for some readers",
                        quoted.opened
                    ),
                );
            }
        }
        Ok(assigned)
    }

    /// Whether no reader takes the name at this place for one that is assigned.
    fn is_harmless(&self, line: Line<'_>, at: usize, before: &str, after: &str) -> bool {
        let is_in = |all: &[Quoted]| {
            all.iter()
                .any(|quoted| quoted.place.contains(&(line.at + at)) && quoted.opened == line.number)
        };
        let is_whole_value = is_in(&self.shell) && opens_its_value(line.text, before);
        !may_begin_a_line(before)
            && (is_reference(before) || is_comment(before) || is_whole_value || !leads_to_a_value(before, after))
    }

    fn around(&self, at: usize) -> Option<&Quoted> {
        self.shell
            .iter()
            .chain(&self.values)
            .find(|quoted| quoted.place.contains(&at))
    }

    /// Whether an assignment may be added behind the last line.
    fn may_end_here(&self, last: Option<Line<'_>>) -> Result<(), Fault> {
        if let Some(number) = self.unfinished {
            return Err(Fault::line(
                number,
                "nothing ends the quote that its value begins with, and some readers would take a new line for a part of it".to_owned(),
            ));
        }
        match last {
            Some(line) if goes_on(line) => {
                wrong(line, "to some readers a new line would go on with what its end begins")
            }
            _ => Ok(()),
        }
    }
}

/// Whether some reader takes the next line for a part of this one: a backslash at its end, or a name and a colon.
fn goes_on(line: Line<'_>) -> bool {
    let said = line.text.trim_start_matches(BLANK);
    let said = said
        .strip_prefix("export")
        .map_or(said, |rest| rest.trim_start_matches(BLANK));
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_alphanumeric() || "_.-".contains(letter))
    };
    said.trim_end_matches(BLANK).ends_with('\\') || said.strip_suffix(':').is_some_and(is_name)
}

fn odd_form(name: &str) -> String {
    format!(
        "{name} stands there in a form that not all readers take in the same way: write {name}=… on a line of its own"
    )
}

fn is_part_of_a_name(before: &str, after: &str) -> bool {
    let belongs = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-');
    before.ends_with(belongs) || after.starts_with(belongs)
}

/// Nothing before it, or `export`.
fn begins_a_line(before: &str) -> bool {
    let before = before.trim_start_matches(BLANK);
    match before.strip_prefix("export") {
        Some(rest) => !rest.is_empty() && rest.trim_matches(BLANK).is_empty(),
        None => before.is_empty(),
    }
}

/// The same to a reader who knows more blanks, or quotes around a name.
fn may_begin_a_line(before: &str) -> bool {
    let is_nothing = |letter: char| letter.is_whitespace() || matches!(letter, '\u{feff}' | '"' | '\'');
    let before = before.trim_start_matches(is_nothing);
    before
        .strip_prefix("export")
        .unwrap_or(before)
        .trim_matches(is_nothing)
        .is_empty()
}

fn is_reference(before: &str) -> bool {
    before.ends_with('$') || before.ends_with("${")
}

/// Behind the mark of a comment, where no quote makes that doubtful.
fn is_comment(before: &str) -> bool {
    !before.contains(['"', '\'', '`']) && (before.contains(" #") || before.contains("\t#"))
}

/// Whether the quote that it stands in is the first letter of the line's value, so that all readers see it.
fn opens_its_value(line: &str, before: &str) -> bool {
    let Some((_, value)) = line.split_once('=') else {
        return false;
    };
    let value = value.trim_start_matches(BLANK);
    let opening = line.len() - value.len();
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        return false;
    };
    opening < before.len() && !before[opening + 1..].contains(quote)
}

/// Whether some reader could take what follows for its value, and what precedes it for the end of something else.
fn leads_to_a_value(before: &str, after: &str) -> bool {
    let is_apart = before.ends_with(|letter: char| letter.is_whitespace() || "\u{feff};&|({'\"`".contains(letter));
    let after = after.trim_start_matches(['"', '\'']).trim_start();
    let is_unset = before.trim_start().starts_with("unset");
    is_apart && (is_unset || after.starts_with(['=', ':']) || after.starts_with("+="))
}

fn assignment<'a>(line: Line<'a>, name: &'static str, rest: &'a str) -> Result<Assignment<'a>, Fault> {
    let value = match rest.trim_start_matches(BLANK) {
        // A value goes right behind the =, or a shell would take it for a command.
        "" => rest,
        value => value,
    };
    let is_exported = line.text.trim_start_matches(BLANK).starts_with("export");
    if is_exported && value.len() < rest.len() && !value.is_empty() {
        return wrong(
            line,
            &format!("{name} is empty to a shell, because of the blank behind its =, and to others is not"),
        );
    }
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (value, behind) = match quote {
        Some(quote) => match value[1..].split_once(quote) {
            Some(parts) => parts,
            None => {
                return wrong(
                    line,
                    &format!("nothing ends the quote that the value of {name} begins with"),
                );
            }
        },
        None => value.split_at(value.find(BLANK).unwrap_or(value.len())),
    };
    if quote.is_none() && value.starts_with('#') {
        return wrong(
            line,
            &format!("{name} has a comment for its value, which some readers take for the value itself"),
        );
    }
    let comment = behind.trim_start_matches(BLANK);
    let is_comment = comment.len() < behind.len() && comment.starts_with('#');
    if !(comment.is_empty() || is_comment) {
        return wrong(line, &format!("{name} holds more than one value"));
    }
    if value.contains(['$', '`', '\\', '"', '\'', ';', '&', '|', '<', '>', '(', ')']) {
        return wrong(
            line,
            &format!("the value of {name} is computed, or has a character that some readers do not take as it stands"),
        );
    }
    Ok(Assignment {
        name,
        value,
        value_at: line.at + line.text.len() - rest.len() + offset_in(rest, value),
        line: line.at..line.after,
    })
}

/// Where a part of a text begins in it.
fn offset_in(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}
