//! Text within Markdown that stays text, wherever it is pasted: no links, no markup, no HTML, and nobody is called.

use rotate_providers::untrusted::sanitized;

/// A text of a guide, which may have the guide's own links in it, and a person's values.
pub(super) fn escaped(text: &str) -> String {
    let inert = sanitized(text);
    let words = inert.split_whitespace().map(|word| match link(word) {
        Some(link) => link,
        None => one(word, &calls_somebody),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// An address as a link of its own, in which nothing has to be escaped, and would be taken for a part of it. What ends a
/// sentence or stands around an address is none of it.
fn link(word: &str) -> Option<String> {
    let at = word.find("https://")?;
    let (before, rest) = word.split_at(at);
    let end = rest.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '\'']);
    let after = &rest[end.len()..];
    let is_plain = |letter: char| letter.is_ascii_graphic() && !"<>|`\\".contains(letter);
    let is_link =
        end.len() > "https://".len() && end.chars().all(is_plain) && before.chars().all(|c| "(\"'".contains(c));
    is_link.then(|| format!("{}<{end}>{}", without_markup(before), without_markup(after)))
}

/// A text that may be a vendor's, or a note of somebody's: a bare link in it is no link either.
pub(super) fn foreign(text: &str) -> String {
    words(text, |word| calls_somebody(word) || leads_away(word))
}

fn words(text: &str, acts: impl Fn(&str) -> bool) -> String {
    let inert = sanitized(text);
    let words = inert.split_whitespace().map(|word| one(word, &acts));
    words.collect::<Vec<_>>().join(" ")
}

fn one(word: &str, acts: &dyn Fn(&str) -> bool) -> String {
    match acts(word) {
        true => quiet(word),
        false => without_markup(word),
    }
}

/// `@team`: an at sign with no name before it. Addresses of e-mail call nobody.
fn calls_somebody(word: &str) -> bool {
    word.match_indices('@').any(|(at, _)| {
        let before = word[..at].chars().next_back();
        let after = word[at + 1..].chars().next();
        let is_name = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        is_name(after) && !is_name(before)
    })
}

/// What those who show Markdown make a link of by themselves.
fn leads_away(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.contains("://") || lower.contains("www.") || lower.contains("mailto:") || lower.contains("xmpp:")
}

/// As code nothing becomes a link, and it is copied as it is.
fn quiet(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_graphic() && !"`|\\<>".contains(letter);
    if word.chars().all(is_plain) {
        return format!("`{word}`");
    }
    // What is neither a link nor a name is broken where it would become one.
    let broken = ["@", "://", "www.", "WWW.", "mailto:", "xmpp:"];
    let mut safe = without_markup(word);
    for mark in broken {
        safe = safe.replace(mark, &format!("{mark}&#8203;"));
    }
    safe
}

fn without_markup(word: &str) -> String {
    let mut safe = String::with_capacity(word.len());
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        // The name or the number of a letter would become that letter, a harmful one too.
        let begins_entity = letter == '&'
            && letters
                .peek()
                .is_some_and(|next| *next == '#' || next.is_alphanumeric());
        if begins_entity || "\\`*_[]<>|#~".contains(letter) {
            safe.push('\\');
        }
        safe.push(letter);
    }
    safe
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser};

    use super::{escaped, foreign};

    /// What a reader sees, and whether any of it does something. Within code nobody looks for names and links.
    fn seen(markdown: &str) -> (String, String, bool) {
        let (mut text, mut outside, mut acts) = (String::new(), String::new(), false);
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
            match event {
                Event::Text(part) => {
                    text.push_str(&part);
                    outside.push_str(&part);
                }
                Event::Code(part) => text.push_str(&part),
                Event::Start(tag) => acts |= !matches!(tag, pulldown_cmark::Tag::Paragraph),
                Event::End(_) => {}
                _ => acts = true,
            }
        }
        (text, outside, acts)
    }

    const HARM: &[&str] = &[
        "@team",
        "see @acme/admins.",
        "(@team)",
        "https://evil.example/x?y=z#f",
        "HTTP://evil.example",
        "www.evil.example",
        "a|https://evil.example|b",
        "[x](https://evil.example)",
        "<https://evil.example>",
        "`https://evil.example`",
        "<img src=x>",
        "**x** __y__ ~~z~~",
        "# h",
        "a | b |",
        "&#8238;x &lt;b&gt; &rlm;",
        "mailto:a@b.example",
        "\\@team \\https://evil.example",
    ];

    #[test]
    fn no_text_of_a_vendor_becomes_a_link_a_call_or_markup() {
        for harm in HARM {
            let markdown = foreign(harm);
            let (text, outside, acts) = seen(&markdown);
            assert!(!acts, "{harm:?} became {markdown:?}");
            assert_eq!(text.replace('\u{200b}', ""), *harm, "{markdown:?}");
            let outside = outside.to_ascii_lowercase();
            for mark in ["://", "www.", "mailto:"] {
                let at = outside.find(mark).map(|at| &outside[at + mark.len()..]);
                assert!(at.is_none_or(|rest| rest.starts_with('\u{200b}')), "{markdown:?}");
            }
            let called = outside.match_indices('@').any(|(at, _)| {
                let (before, after) = (&outside[..at], &outside[at + 1..]);
                !before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_alphanumeric)
            });
            assert!(!called, "{markdown:?}");
            assert!(!text.contains('\u{202e}') && !text.contains('\u{200f}'), "{markdown:?}");
        }
    }

    #[test]
    fn a_guides_own_links_stay_and_nobody_is_called_all_the_same() {
        assert_eq!(escaped("https://docs.acme.com/a_b#c"), "<https://docs.acme.com/a_b#c>");
        assert_eq!(
            escaped("see (https://docs.acme.com/a_b)."),
            "see (<https://docs.acme.com/a_b>)."
        );
        assert_eq!(escaped("https://a.b/`x`"), "https://a.b/\\`x\\`");
        assert_eq!(escaped("maria@acme.com"), "maria@acme.com");
        assert_eq!(escaped("ask @team"), "ask `@team`");
    }

    #[test]
    fn a_cell_of_a_table_stays_one() {
        for harm in HARM {
            let table = format!("| a | b |\n|---|---|\n| {} | z |\n", foreign(harm));
            let mut cells = 0;
            for event in Parser::new_ext(&table, Options::ENABLE_TABLES) {
                cells += usize::from(matches!(event, Event::Start(pulldown_cmark::Tag::TableCell)));
            }
            assert_eq!(cells, 4, "{harm:?}");
        }
    }
}
