//! Lines: none longer than 80 columns, in colour where a terminal shows them.

use std::io::IsTerminal;

use textwrap::{Options, WordSeparator, WordSplitter, wrap};

use crate::running::Ended;

/// No line is longer, however wide the terminal is.
const WIDEST: usize = 80;

/// What a program prints stands that far in.
const MARGIN: &str = "  ";

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "1;36";

/// Where lines go.
pub(crate) struct Page {
    width: usize,
    colour: bool,
}

impl Page {
    pub(crate) fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let unset = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        Self {
            width: if terminal {
                textwrap::termwidth().clamp(40, WIDEST)
            } else {
                WIDEST
            },
            colour: terminal && unset("NO_COLOR") && !dumb,
        }
    }

    /// How wide what a program prints may be.
    pub(crate) fn inner(&self) -> usize {
        self.width - MARGIN.len()
    }

    pub(crate) fn heading(&self, title: &str) {
        let rest = self.width.saturating_sub(title.chars().count() + 6);
        println!();
        self.line(CYAN, &format!("════ {title} {}", "═".repeat(rest)));
    }

    pub(crate) fn text(&self, text: &str) {
        println!();
        self.folded("", text, "", "");
    }

    pub(crate) fn remark(&self, text: &str) {
        println!();
        self.folded(YELLOW, text, "── ", "   ");
    }

    pub(crate) fn aside(&self, text: &str) {
        self.folded(DIM, text, "   ", "     ");
    }

    /// A command as somebody would type it, on as many lines as it needs.
    pub(crate) fn command(&self, words: &[&str]) {
        const NEXT: &str = " \\";
        println!();
        let mut line = "$ rotate".to_owned();
        for word in words {
            let word = quoted(word);
            if line.chars().count() + 1 + word.chars().count() + NEXT.len() > self.width {
                self.line(BOLD, &format!("{line}{NEXT}"));
                line = format!("    {word}");
            } else {
                line = format!("{line} {word}");
            }
        }
        self.line(BOLD, &line);
    }

    /// A line that a program has printed.
    pub(crate) fn output(&self, line: &str) {
        let line = line.trim_end();
        let words = line.trim_start();
        let indent = format!("{MARGIN}{}", &line[..line.len() - words.len()]);
        self.folded("", words, &indent, &format!("{indent}  "));
    }

    pub(crate) fn ended(&self, ended: Ended) {
        let style = match ended {
            Ended::With(0) => DIM,
            Ended::With(_) => YELLOW,
            Ended::Killed => RED,
        };
        self.line(style, &format!("{MARGIN}[{ended}]"));
    }

    pub(crate) fn good(&self, text: &str) {
        self.folded(GREEN, text, MARGIN, MARGIN);
    }

    pub(crate) fn bad(&self, text: &str) {
        self.folded(RED, text, MARGIN, "    ");
    }

    pub(crate) fn fact(&self, name: &str, text: &str) {
        let first = format!("{MARGIN}{name:<10}");
        let next = " ".repeat(first.chars().count());
        self.folded("", text, &first, &next);
    }

    fn folded(&self, style: &str, text: &str, first: &str, next: &str) {
        // A name, or an option, stays in one piece.
        let options = Options::new(self.width)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .initial_indent(first)
            .subsequent_indent(next);
        for line in wrap(text, options) {
            self.line(style, &line);
        }
    }

    fn line(&self, style: &str, text: &str) {
        let text = text.trim_end();
        if self.colour && !style.is_empty() {
            println!("\x1b[{style}m{text}\x1b[0m");
        } else {
            println!("{text}");
        }
    }
}

fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@=,+%".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("\"{word}\""),
    }
}
