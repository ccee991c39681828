//! Rows with headings: as columns where they fit, and else as cards, one for each row.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use rotate_providers::untrusted::sanitized;
use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter};

/// What the last column needs at least, to be read with ease.
const LAST: usize = 30;

/// Rows with headings. The last column holds what is long.
pub(super) struct Sheet<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Sheet<N> {
    pub(super) fn new(headings: [&'static str; N]) -> Self {
        Self {
            headings,
            rows: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, row: [String; N]) {
        self.rows.push(row.map(|cell| sanitized(&cell)));
    }

    /// As wide as this at most; `None`: as wide as it is.
    pub(super) fn text(&self, columns: Option<usize>) -> String {
        let widths: Vec<usize> = (0..N).map(|at| self.width(at)).collect();
        let last = widths.last().copied().unwrap_or_default();
        // Each column stands between two blanks.
        let others: usize = widths.iter().map(|width| width + 2).sum::<usize>().saturating_sub(last);
        match columns {
            Some(columns) if columns < others + last.min(LAST) => self.cards(columns),
            _ => self.table(columns),
        }
    }

    fn width(&self, at: usize) -> usize {
        let cells = self.rows.iter().map(|row| display_width(&row[at]));
        cells
            .chain([display_width(self.headings[at])])
            .max()
            .unwrap_or_default()
    }

    fn table(&self, columns: Option<usize>) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(self.headings);
        for row in &self.rows {
            table.add_row(row);
        }
        match columns {
            None => table.set_content_arrangement(ContentArrangement::Disabled),
            Some(columns) => {
                // Only what is long is broken; a date never is.
                for column in table.column_iter_mut().take(N.saturating_sub(1)) {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                let width = u16::try_from(columns).unwrap_or(u16::MAX);
                table
                    .set_content_arrangement(ContentArrangement::Dynamic)
                    .set_width(width)
            }
        };
        table.trim_fmt() + "\n"
    }

    fn cards(&self, columns: usize) -> String {
        let labels = self.headings.map(str::to_lowercase);
        let widest = labels.iter().skip(1).map(|label| display_width(label)).max();
        let widest = widest.unwrap_or_default();
        let mut lines: Vec<String> = Vec::new();
        for row in &self.rows {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(row.first().cloned());
            for (label, value) in labels.iter().zip(row).skip(1).filter(|(_, value)| !value.is_empty()) {
                let first = format!("  {label:<widest$}  ");
                let rest = " ".repeat(widest + 4);
                lines.extend(wrapped(value, columns, &first, &rest));
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// A line that is wider than this is folded between words, and goes on further in.
pub(in crate::view) fn folded(line: &str, columns: Option<usize>) -> Vec<String> {
    let text = line.trim_start();
    match columns {
        Some(columns) if display_width(line) > columns => {
            let first = " ".repeat(line.len() - text.len());
            wrapped(text, columns, &first, &format!("{first}    "))
        }
        _ => vec![line.to_owned()],
    }
}

fn wrapped(text: &str, columns: usize, first: &str, rest: &str) -> Vec<String> {
    let options = Options::new(columns)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(text, options)
        .into_iter()
        .map(|line| line.into_owned())
        .collect()
}
