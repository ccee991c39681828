//! A long file, target by target: parsed as a whole, ten thousand of them would need much memory at once.
//!
//! A file is cut only where that changes nothing: everything else stands before the first `[[target]]`, and behind it come targets
//! alone. Whatever is wrong in a part, the file is read again as a whole, which then says what and where.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::lexer::{Lexer, Token, TokenKind};
use toml_parser::{Source, Span};

/// The tables that a file may have many of.
pub(super) const MANY: &str = "target";

/// Where the parts of a file are.
pub(super) struct Parts {
    /// All that is no target.
    pub(super) head: Range<usize>,
    /// A target each.
    pub(super) targets: Vec<Range<usize>>,
}

/// What the header of a table begins.
enum Header {
    /// A target.
    Target,
    /// Something inside the target before it.
    Inside,
    /// Anything else.
    Other,
}

impl Parts {
    /// Cuts a file; `None` where it has no targets, or something else between them.
    pub(super) fn of(text: &str) -> Option<Self> {
        let source = Source::new(text);
        let mut tokens = source.lex();
        let mut begins = Vec::new();
        while let Some(token) = tokens.next() {
            match token.kind() {
                TokenKind::Newline | TokenKind::Whitespace | TokenKind::Comment | TokenKind::Eof => {}
                TokenKind::LeftSquareBracket => match (header(source, &mut tokens), begins.is_empty()) {
                    (Header::Target, _) => begins.push(token.span().start()),
                    (Header::Inside, false) | (Header::Other, true) => {}
                    (Header::Inside, true) | (Header::Other, false) => return None,
                },
                _ => pass_value(&mut tokens)?,
            }
        }
        let ends = begins.iter().skip(1).copied().chain([text.len()]);
        Some(Self {
            head: 0..*begins.first()?,
            targets: begins
                .iter()
                .copied()
                .zip(ends)
                .map(|(begin, end)| begin..end)
                .collect(),
        })
    }
}

/// Reads a header to the end of its line; its first bracket was read.
fn header(source: Source<'_>, tokens: &mut Lexer<'_>) -> Header {
    let line = tokens.take_while(|token| token.kind() != TokenKind::Newline);
    let telling = line.filter(|token| !matches!(token.kind(), TokenKind::Whitespace | TokenKind::Comment));
    let line: Vec<Token> = telling.take(6).collect();
    let kinds: Vec<TokenKind> = line.iter().map(Token::kind).collect();
    let is_many = |at: usize| {
        let span: Option<Span> = line.get(at).map(Token::span);
        span.and_then(|span| source.get(span))
            .is_some_and(|raw| raw.as_str() == MANY)
    };
    use TokenKind::{Atom, Dot, Eof, LeftSquareBracket as Open, RightSquareBracket as Close};
    match kinds.as_slice() {
        [Open, Atom, Close, Close] | [Open, Atom, Close, Close, Eof] if is_many(1) => Header::Target,
        [Open, Atom, Dot, ..] if is_many(1) => Header::Inside,
        [Atom, Dot, ..] if is_many(0) => Header::Inside,
        _ => Header::Other,
    }
}

/// Reads the rest of a key and its value, over as many lines as they have; `None` where its brackets do not end.
fn pass_value(tokens: &mut Lexer<'_>) -> Option<()> {
    let mut depth = 0_usize;
    for token in tokens {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth = depth.checked_sub(1)?,
            TokenKind::Newline | TokenKind::Eof if depth == 0 => return Some(()),
            _ => {}
        }
    }
    None
}

/// The one table of a part; `None` where it is not that.
pub(super) fn parse(text: &str, part: Range<usize>) -> Option<Spanned<DeTable<'_>>> {
    let begin = part.start;
    let (table, errors) = DeTable::parse_recoverable(text.get(part)?);
    let mut table = Some(table.into_inner()).filter(|_| errors.is_empty())?;
    let (_, many) = table.remove_entry(MANY)?;
    let DeValue::Array(many) = many.into_inner() else {
        return None;
    };
    let one = many.into_iter().next()?;
    let span = one.span();
    match one.into_inner() {
        DeValue::Table(one) => Some(Spanned::new(begin + span.start..begin + span.end, one)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Parts, parse};

    #[test]
    fn a_file_is_cut_at_its_targets_where_nothing_else_comes_behind_them() {
        let text = "[defaults]\nsoak = \"1d\"\n\n# One.\n[[target]]\nname = \"a\"\nlist = [\n[ \"[[target]]\" ],\n]\n[target.inputs]\nx = 1\n[[ target ]] # two\nname = '''\n[[target]]\n'''";
        let parts = Parts::of(text).expect("it can be cut");
        assert!(text[parts.head].ends_with("# One.\n"));
        assert_eq!(parts.targets.len(), 2);
        let tables: Vec<_> = parts.targets.into_iter().map(|part| parse(text, part)).collect();
        let names: Vec<_> = tables
            .iter()
            .map(|table| {
                table.as_ref().expect("a table").get_ref()["name"]
                    .get_ref()
                    .as_str()
                    .expect("text")
                    .to_owned()
            })
            .collect();
        assert_eq!(names, ["a", "[[target]]\n"]);
    }

    #[test]
    fn a_file_that_cannot_be_cut_without_changing_what_it_says_is_left_whole() {
        for text in [
            "",
            "[defaults]\n",
            "[[target]]\n[defaults]\n",
            "[[target]]\n[[notify]]\n",
            "[target.x]\n[[target]]\n",
            "[[target]]\nx = [\n",
            "[[target]]\nx = ]\n",
        ] {
            assert!(Parts::of(text).is_none(), "{text}");
        }
        for part in ["[[target]]\nx = \n", "[[target]]\nx = 1\nx = 2\n", "[[target]]x\n"] {
            assert!(parse(part, 0..part.len()).is_none(), "{part}");
        }
    }
}
