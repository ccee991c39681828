//! Reads tables key by key, and remembers every mistake instead of stopping at the first.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::parts::{MANY, Parts, parse};
use super::{AllowedHosts, Mistake, Mistakes};
use crate::delivery::Folders;
use crate::secret_scan::looks_secret;

/// How many bytes the names of the keys of a table take.
const SOME_KEYS: usize = 512;

/// A table that is being read: what is taken from it is known, and what is left at the end is a mistake.
pub(super) struct Section<'t> {
    /// How mistakes name it: `target "main"`; nothing for the file itself.
    pub(super) name: String,
    /// Where it begins.
    pub(super) span: Range<usize>,
    entries: DeTable<'t>,
    /// The keys that it may have, for whoever mistypes one, each with a line's end: ten thousand tables have thirty each.
    known: String,
    taken: Vec<(Cow<'t, str>, Range<usize>)>,
}

/// The file and its mistakes so far.
pub(super) struct Reader<'t> {
    text: &'t str,
    allowed: &'t AllowedHosts,
    mistakes: Vec<Mistake>,
    /// Where the folders of its destinations lead.
    pub(super) folders: Folders,
    /// Its parts, where it is read in parts.
    parts: Option<Parts>,
}

/// One of many tables.
enum Many<'t> {
    Parsed(Spanned<DeTable<'t>>),
    /// It is parsed when its turn comes.
    Part(Range<usize>),
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, allowed: &'t AllowedHosts) -> Self {
        Self {
            text,
            allowed,
            mistakes: Vec::new(),
            folders: Folders::default(),
            parts: None,
        }
    }

    /// The same, target by target, where the file allows that. What it says of mistakes is of no use, but that there are any.
    pub(super) fn in_parts(text: &'t str, allowed: &'t AllowedHosts) -> Option<Self> {
        let parts = Parts::of(text)?;
        Some(Self {
            parts: Some(parts),
            ..Self::new(text, allowed)
        })
    }

    /// The whole file, but for the targets where it is read in parts. What is no TOML is a mistake, and what can be read all the same
    /// is read.
    pub(super) fn root(&mut self) -> Section<'t> {
        let head = self.parts.as_ref().map(|parts| parts.head.clone());
        let text = head.and_then(|head| self.text.get(head)).unwrap_or(self.text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map(|span| self.line(span.start));
            self.mistakes.push(Mistake {
                line,
                key: "TOML".to_owned(),
                what: error.message().lines().next().unwrap_or_default().to_owned(),
                remedy: "see https://toml.io for how this is written".to_owned(),
            });
        }
        Section::new(String::new(), table)
    }

    /// Takes a table; an empty one where there is none.
    pub(super) fn table(&mut self, from: &mut Section<'t>, key: &str) -> Section<'t> {
        let name = from.key(key);
        let empty = || Section::empty(name.clone());
        match from.take(key) {
            None => empty(),
            Some((_, value)) => {
                let span = value.span();
                match value.into_inner() {
                    DeValue::Table(table) => Section::new(name, Spanned::new(span, table)),
                    other => {
                        let what = format!("it is {} and should be a table", with_article(other.type_str()));
                        let remedy = match from.name.as_str() {
                            "" => format!("write [{key}] and its keys below"),
                            _ => format!("write {key} = {{ … }}"),
                        };
                        self.mistake(Some(span), &name, &what, &remedy);
                        empty()
                    }
                }
            }
        }
    }

    /// Takes a list of tables. Each is taken apart when its turn comes: ten thousand at once would need much memory.
    pub(super) fn tables(
        &mut self,
        from: &mut Section<'t>,
        key: &'static str,
    ) -> impl ExactSizeIterator<Item = Section<'t>> + use<'t> {
        let mut tables: Vec<_> = self.list_of_tables(from, key).into_iter().map(Many::Parsed).collect();
        if let Some(parts) = self.parts.take_if(|_| key == MANY) {
            if from.was_there(key) {
                self.mistake(None, key, "it has two forms", "write [[target]] alone");
            }
            tables = parts.targets.into_iter().map(Many::Part).collect();
        }
        let text = self.text;
        tables.into_iter().map(move |table| {
            let table = match table {
                Many::Parsed(table) => Some(table),
                Many::Part(part) => parse(text, part),
            };
            // A part that is no table has nothing of what has to be there, which is a mistake.
            table.map_or_else(
                || Section::empty(key.to_owned()),
                |table| Section::new(key.to_owned(), table),
            )
        })
    }

    fn list_of_tables(&mut self, from: &mut Section<'t>, key: &str) -> Vec<Spanned<DeTable<'t>>> {
        let Some((_, value)) = from.take(key) else {
            return Vec::new();
        };
        let whole = value.span();
        let remedy = format!("write [[{key}]] once for each, and its keys below");
        let DeValue::Array(items) = value.into_inner() else {
            self.mistake(Some(whole), key, "it is not a list of tables", &remedy);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            let span = item.span();
            match item.into_inner() {
                DeValue::Table(table) => tables.push(Spanned::new(span, table)),
                _ => self.mistake(Some(span), key, "it is not a table", &remedy),
            }
        }
        tables
    }

    /// Ends a table: whatever is left in it is unknown.
    pub(super) fn close(&mut self, section: Section<'t>) {
        for (key, _) in section.entries {
            let (span, key) = (key.span(), key.into_inner());
            let known: Vec<&str> = section.known.lines().collect();
            let nearest = known
                .iter()
                .map(|known| (strsim::jaro_winkler(known, &key), known))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .filter(|(likeness, _)| *likeness > 0.8);
            let remedy = match nearest {
                Some((_, known)) => format!("did you mean {known}?"),
                None => format!("known here: {}", known.join(", ")),
            };
            // What was pasted here by mistake is not shown.
            let key = match looks_secret(&key) {
                Some(_) => Cow::Borrowed("(not shown)"),
                None => key,
            };
            let full = match section.name.as_str() {
                "" => key.into_owned(),
                name => format!("{name}: {key}"),
            };
            self.mistake(Some(span), &full, "this key is not known", &remedy);
        }
    }

    /// Remembers a mistake.
    pub(super) fn mistake(&mut self, at: Option<Range<usize>>, key: &str, what: &str, remedy: &str) {
        let line = at.map(|span| self.line(span.start));
        self.mistakes.push(Mistake {
            line,
            key: key.to_owned(),
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        });
    }

    /// Whether whoever starts the program lets secrets go to this host.
    pub(super) fn allows(&self, host: &str) -> bool {
        self.allowed.have(host)
    }

    /// How much was wrong so far.
    pub(super) fn mistakes(&self) -> usize {
        self.mistakes.len()
    }

    /// The mistakes, if there are any.
    pub(super) fn end(self, path: &Path) -> Result<(), Mistakes> {
        if self.mistakes.is_empty() {
            Ok(())
        } else {
            Err(Mistakes::new(path, self.mistakes))
        }
    }

    /// The number of the line at this byte, from one.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        1 + before.filter(|byte| **byte == b'\n').count()
    }

    /// The same, counted on from a place whose line is known: ten thousand tables are not each counted from the beginning.
    pub(super) fn line_after(&self, (from, line): (usize, usize), at: usize) -> usize {
        let Some(between) = self.text.as_bytes().get(from..at) else {
            return self.line(at);
        };
        line + between.iter().filter(|byte| **byte == b'\n').count()
    }
}

impl<'t> Section<'t> {
    fn new(name: String, table: Spanned<DeTable<'t>>) -> Self {
        let span = table.span();
        let entries = table.into_inner();
        Self {
            name,
            span,
            known: String::with_capacity(SOME_KEYS),
            taken: Vec::with_capacity(entries.len()),
            entries,
        }
    }

    fn empty(name: String) -> Self {
        Self::new(name, Spanned::new(0..0, DeTable::new()))
    }

    /// Takes a value with the place of its key.
    pub(super) fn take(&mut self, key: &str) -> Option<(Range<usize>, Spanned<DeValue<'t>>)> {
        self.knows(key);
        let (key, value) = self.entries.remove_entry(key)?;
        let span = key.span();
        self.taken.push((key.into_inner(), span.clone()));
        Some((span, value))
    }

    /// Whether it had this key, whatever became of its value.
    pub(super) fn was_there(&self, key: &str) -> bool {
        self.place_of(key).is_some()
    }

    /// Where a key stood that was taken.
    pub(super) fn place_of(&self, key: &str) -> Option<Range<usize>> {
        let taken = self.taken.iter().find(|(taken, _)| taken == key);
        taken.map(|(_, span)| span.clone())
    }

    /// Leaves this key alone, which it may have.
    pub(super) fn leave(&mut self, key: &str) {
        self.knows(key);
        self.entries.remove(key);
    }

    /// Leaves the rest of it alone.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
    }

    /// Whether it has this key, which it may have.
    pub(super) fn has(&mut self, key: &str) -> bool {
        self.knows(key);
        self.entries.contains_key(key)
    }

    fn knows(&mut self, key: &str) {
        self.known.push_str(key);
        self.known.push('\n');
    }

    /// How a mistake names a key of this table.
    pub(super) fn key(&self, key: &str) -> String {
        match self.name.as_str() {
            "" => key.to_owned(),
            name => format!("{name}: {key}"),
        }
    }
}

/// `a string`, `an integer`: what a value is, for a mistake.
pub(super) fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind}")
}
