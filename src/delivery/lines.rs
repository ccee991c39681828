//! The lines of a text, each with the end that it has.

use super::Fault;

/// One line, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    /// Where it begins in the text.
    pub(super) at: usize,
    /// What it says, without its end.
    pub(super) text: &'a str,
    /// Behind its end.
    pub(super) after: usize,
}

/// All lines of a text. One ends at `\n` or `\r\n`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, whole)| {
        let begin = at;
        at += whole.len();
        let inner = whole.strip_suffix('\n').unwrap_or(whole);
        Line {
            number: index + 1,
            at: begin,
            text: inner.strip_suffix('\r').unwrap_or(inner),
            after: at,
        }
    })
}

/// How the line before this place ends, so that a new one there ends likewise.
pub(super) fn line_end(text: &str, at: usize) -> &'static str {
    let before = &text[..at];
    let finished = match before.strip_suffix('\n') {
        Some(_) => before,
        None => &before[..before.rfind('\n').map_or(0, |found| found + 1)],
    };
    if finished.ends_with("\r\n") { "\r\n" } else { "\n" }
}

/// Refuses letters that end a line for some readers and not for others.
pub(super) fn check(line: Line<'_>) -> Result<(), Fault> {
    let odd = |letter: &char| letter.is_control() && *letter != '\t' || matches!(letter, '\u{2028}' | '\u{2029}');
    match line.text.chars().find(odd) {
        None => Ok(()),
        Some(letter) => Err(Fault::line(
            line.number,
            format!(
                "it has the character U+{:04X}, at which some readers end a line and others do not",
                u32::from(letter)
            ),
        )),
    }
}

/// Blanks to every reader.
pub(super) const BLANK: [char; 2] = [' ', '\t'];
