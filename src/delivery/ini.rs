//! The grammar of the AWS tools' two files, as far as their readers agree on it.
//!
//! Two readers are followed: Python's configparser, in which boto3 and the AWS CLI read
//! (<https://docs.python.org/3/library/configparser.html#supported-ini-file-structure>), and that of the SDKs
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>). One bad line makes the first give up the whole file, so
//! a file that it cannot read is refused, wherever the line stands. No crate tells what two readers make of one line.

use std::collections::HashMap;
use std::ops::Range;

use super::Fault;
use super::lines::{BLANK, Line, check, lines};

/// A section with its options.
pub(super) struct Section<'a> {
    /// As it stands between the brackets.
    pub(super) name: &'a str,
    pub(super) line: usize,
    /// Behind the last line that belongs to it.
    pub(super) end: usize,
    pub(super) options: Vec<Entry<'a>>,
    /// Lines that belong to the value above them and look like assignments: their names, and where they stand.
    pub(super) hidden: Vec<(String, usize)>,
}

impl Section<'_> {
    /// Whether it has this option.
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|option| option.name == name)
    }
}

/// One option.
pub(super) struct Entry<'a> {
    /// In small letters, as all readers compare it.
    pub(super) name: String,
    pub(super) number: usize,
    pub(super) line: Range<usize>,
    pub(super) delimiter: char,
    pub(super) value: &'a str,
    pub(super) value_at: usize,
    /// The line that goes on with its value.
    pub(super) continued: Option<usize>,
}

/// The sections of a text.
pub(super) fn sections(text: &str) -> Result<Vec<Section<'_>>, Fault> {
    if text.starts_with('\u{feff}') {
        return Err(Fault::line(
            1,
            "the file begins with a byte order mark, with which boto3 and the SDKs read none of it: save it without"
                .to_owned(),
        ));
    }
    let mut reader = Reader::default();
    for line in lines(text) {
        reader.take(line)?;
    }
    Ok(reader.sections)
}

#[derive(Default)]
struct Reader<'a> {
    sections: Vec<Section<'a>>,
    /// Where the sections begin, by their names.
    names: HashMap<&'a str, usize>,
    /// Where the options of this section stand, by their names.
    options: HashMap<String, usize>,
    /// How deep the last option or header stands: what is deeper than an option belongs to it.
    depth: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, line: Line<'a>) -> Result<(), Fault> {
        check(line)?;
        let said = line.text.trim_matches(BLANK);
        if said.is_empty() {
            return Ok(());
        }
        let depth = line.text.len() - line.text.trim_start_matches(BLANK).len();
        if said.starts_with(['#', ';']) {
            if depth > 0 {
                self.comment_that_belongs(line);
            }
            return Ok(());
        }
        if said
            .chars()
            .any(|letter| letter.is_whitespace() && !BLANK.contains(&letter))
        {
            return Err(Fault::line(
                line.number,
                "it has a blank that is none of the keyboard's, which readers take in different ways".to_owned(),
            ));
        }
        let has_option = self.sections.last().is_some_and(|section| !section.options.is_empty());
        if has_option && depth > self.depth {
            return self.continuation(line, said);
        }
        self.depth = depth;
        match said.strip_prefix('[') {
            Some(rest) => self.header(line, depth, rest),
            None => self.option(line, said),
        }
    }

    /// The SDKs take a comment for one only at the very beginning of a line.
    fn comment_that_belongs(&mut self, line: Line<'_>) {
        if let Some(section) = self.sections.last_mut() {
            section.end = line.after;
            if let Some(option) = section.options.last_mut() {
                option.continued.get_or_insert(line.number);
            }
        }
    }

    fn continuation(&mut self, line: Line<'a>, said: &'a str) -> Result<(), Fault> {
        let Some(section) = self.sections.last_mut() else {
            return Ok(());
        };
        section.end = line.after;
        let Some(option) = section.options.last_mut() else {
            return Ok(());
        };
        option.continued.get_or_insert(line.number);
        let split = said.split_once(['=', ':']);
        if option.value.is_empty() && !said.contains('=') {
            return Err(Fault::line(
                line.number,
                "it belongs to the option above it, whose parts have to be `name = value`".to_owned(),
            ));
        }
        if let (false, Some((name, _))) = (option.value.is_empty(), split) {
            section.hidden.push((lowercase(name), line.number));
        }
        Ok(())
    }

    fn header(&mut self, line: Line<'a>, depth: usize, rest: &'a str) -> Result<(), Fault> {
        let wrong = |what: &str| Err(Fault::line(line.number, what.to_owned()));
        let Some((name, behind)) = rest.split_once(']') else {
            return wrong("it begins with [ and is no [section]");
        };
        let behind = behind.trim_start_matches(BLANK);
        let is_plain = behind.is_empty() || behind.starts_with(['#', ';']) && !behind.contains(']');
        if name.is_empty() || name.contains(['[', '#', ';']) || !is_plain {
            return wrong("readers differ in what [section] that is");
        }
        if depth > 0 {
            return wrong("readers differ in whether an indented [section] is one");
        }
        if let Some(first) = self.names.insert(name, line.number) {
            return wrong(&format!(
                "the profile stands in it twice: [{}] is in line {first} too, and boto3 reads nothing of such a file",
                name.escape_debug()
            ));
        }
        self.options.clear();
        self.sections.push(Section {
            name,
            line: line.number,
            end: line.after,
            options: Vec::new(),
            hidden: Vec::new(),
        });
        Ok(())
    }

    fn option(&mut self, line: Line<'a>, said: &'a str) -> Result<(), Fault> {
        let wrong = |what: String| Err(Fault::line(line.number, what));
        let Some(section) = self.sections.last_mut() else {
            return wrong("it stands before any [section]: this is no file of AWS profiles".to_owned());
        };
        let Some(at) = said.find(['=', ':']) else {
            return wrong(
                "it is neither a [section] nor `name = value`, and boto3 reads no profile of such a file".to_owned(),
            );
        };
        let (name, value) = (&said[..at], said[at + 1..].trim_start_matches(BLANK));
        let name = lowercase(name);
        if name.is_empty() {
            return wrong("it assigns a value to no name, and boto3 reads no profile of such a file".to_owned());
        }
        if let Some(first) = self.options.insert(name.clone(), line.number) {
            return wrong(format!(
                "it assigns a second time what line {first} assigns, and boto3 reads no profile of such a file"
            ));
        }
        let value_at = line.at + (line.text.trim_end_matches(BLANK).len() - value.len());
        section.end = line.after;
        section.options.push(Entry {
            name,
            number: line.number,
            line: line.at..line.after,
            delimiter: if said[at..].starts_with(':') { ':' } else { '=' },
            value,
            value_at,
            continued: None,
        });
        Ok(())
    }
}

fn lowercase(name: &str) -> String {
    name.trim_matches(BLANK).to_lowercase()
}
