//! Where quotes of a dotenv file run over several lines, to one reader or another.

use std::ops::Range;

use super::lines::lines;

/// A part of a text that stands in quotes, and the line that opens them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) place: Range<usize>,
    pub(super) opened: usize,
}

/// What a shell takes for quoted; `None` where it could not read the file to its end.
pub(super) fn of_a_shell(text: &str) -> Option<Vec<Quoted>> {
    let mut all = Vec::new();
    let mut open: Option<(char, usize, usize)> = None;
    let mut number = 1;
    let mut at_word = true;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match (letter, open) {
            ('\\', None | Some(('"' | '`', ..))) => {
                if let Some((_, '\n')) = letters.next() {
                    number += 1;
                }
                at_word = false;
                continue;
            }
            ('#', None) if at_word => {
                for (_, skipped) in letters.by_ref() {
                    if skipped == '\n' {
                        number += 1;
                        break;
                    }
                }
                continue;
            }
            ('"' | '\'' | '`', None) => open = Some((letter, at, number)),
            (_, Some((quote, from, opened))) if letter == quote => {
                all.push(Quoted {
                    place: from..at + 1,
                    opened,
                });
                open = None;
            }
            _ => {}
        }
        if letter == '\n' {
            number += 1;
        }
        at_word = letter.is_ascii_whitespace() || matches!(letter, ';' | '&' | '|' | '(' | ')');
    }
    open.is_none().then_some(all)
}

/// What readers of values take for one that goes on over several lines: it begins with a quote, and another line ends it.
/// The second is the line whose quote nothing ends.
pub(super) fn of_values(text: &str) -> (Vec<Quoted>, Option<usize>) {
    let mut all = Vec::new();
    let mut unfinished = None;
    let mut done = 0;
    for line in lines(text) {
        if line.at < done {
            continue;
        }
        let Some((at, quote)) = opens(line.text) else { continue };
        let from = line.at + at;
        let within = from + 1;
        let end = match closing(&text[within..], quote) {
            Some(end) => within + end,
            None => {
                unfinished.get_or_insert(line.number);
                continue;
            }
        };
        if end >= line.after {
            all.push(Quoted {
                place: from..end + 1,
                opened: line.number,
            });
            done = end;
        }
    }
    (all, unfinished)
}

/// Where a quote begins the value of this line, or its name: python-dotenv lets both run over several lines.
fn opens(line: &str) -> Option<(usize, char)> {
    let said = line.trim_start_matches(is_blank);
    let said = match said.strip_prefix("export") {
        Some(rest) if rest.starts_with(is_blank) => rest.trim_start_matches(is_blank),
        _ => said,
    };
    let place = |part: &str| line.len() - part.len();
    let rest = match said.strip_prefix('\'') {
        Some(name) => match name.split_once('\'') {
            Some((_, rest)) => rest.trim_start_matches(is_blank),
            None => return Some((place(said), '\'')),
        },
        None => {
            let end = said.find(|letter: char| is_blank(letter) || matches!(letter, '=' | '#'));
            said[end.unwrap_or(said.len())..].trim_start_matches(is_blank)
        }
    };
    let begun = said.len() > rest.len();
    // A name with a colon behind it has come with the name.
    let value = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(is_blank);
    let first = value.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
    begun.then_some((place(value), first))
}

/// What python-dotenv passes over before a name or a value: all that Python takes for white space.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}')
}

fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return Some(at),
            _ => {}
        }
    }
    // To most readers a backslash is a letter where nothing else would end the value.
    text.rfind(quote)
}
