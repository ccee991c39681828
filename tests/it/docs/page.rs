//! Pages of Markdown, taken apart.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A page, and what is looked at of it.
pub(crate) struct Page {
    /// Its path from the root of the repository.
    pub(crate) path: PathBuf,
    pub(crate) blocks: Vec<Block>,
    pub(crate) links: Vec<Link>,
    pub(crate) spans: Vec<Span>,
    pub(crate) anchors: Vec<String>,
}

/// A fenced block of code.
pub(crate) struct Block {
    /// The line of its fence.
    pub(crate) line: usize,
    /// The first word behind the fence: `sh`.
    pub(crate) language: String,
    /// The words behind that one, which no reader sees: `8 days later`.
    pub(crate) note: String,
    pub(crate) text: String,
}

/// A link, as it is written.
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) to: String,
}

/// Code in the middle of a sentence.
pub(crate) struct Span {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page that people are meant to read, the generated ones included.
pub(crate) fn all() -> Vec<Page> {
    let mut paths = markdown_in(root(), false);
    paths.extend(markdown_in(&root().join("docs"), true));
    paths.sort();
    assert!(paths.len() > 20, "only {} pages were found", paths.len());
    paths.iter().map(|path| Page::read(path)).collect()
}

fn markdown_in(folder: &Path, with_folders: bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && with_folders {
            found.extend(markdown_in(&path, true));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found
}

impl Page {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the page can be read");
        let path = path.strip_prefix(root()).expect("it is in the repository").to_owned();
        Self::parse(path, &text)
    }

    pub(crate) fn parse(path: PathBuf, text: &str) -> Self {
        let mut page = Self {
            path,
            blocks: Vec::new(),
            links: Vec::new(),
            spans: Vec::new(),
            anchors: Vec::new(),
        };
        let line = |range: &Range<usize>| text[..range.start].matches('\n').count() + 1;
        let mut heading: Option<String> = None;
        let mut block: Option<Block> = None;
        let mut slugs = Slugs::default();
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let (language, note) = info.split_once(' ').unwrap_or((&info, ""));
                    block = Some(Block {
                        line: line(&range),
                        language: language.to_owned(),
                        note: note.trim().to_owned(),
                        text: String::new(),
                    });
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    page.anchors.extend(heading.take().map(|text| slugs.next(&text)));
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => page.links.push(Link {
                    line: line(&range),
                    to: dest_url.to_string(),
                }),
                Event::Text(text) => match (&mut block, &mut heading) {
                    (Some(block), _) => block.text.push_str(&text),
                    (None, Some(heading)) => heading.push_str(&text),
                    (None, None) => {}
                },
                Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                    page.spans.push(Span {
                        line: line(&range),
                        text: text.to_string(),
                    });
                }
                _ => {}
            }
        }
        page
    }

    /// A place in it, for whoever has to mend it.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    /// Whether a person keeps it true: the changelog says what was, and the pages of connectors are generated.
    pub(crate) fn is_kept_true(&self) -> bool {
        self.path != Path::new("CHANGELOG.md") && !self.path.starts_with("docs/connectors")
    }
}

/// The anchors of headings, as GitHub makes them.
#[derive(Default)]
struct Slugs(BTreeMap<String, usize>);

impl Slugs {
    fn next(&mut self, heading: &str) -> String {
        let kept = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        let slug: String = heading.to_lowercase().chars().filter(|letter| kept(*letter)).collect();
        let slug = slug.trim().replace(' ', "-");
        let seen = self.0.entry(slug.clone()).or_insert(0);
        *seen += 1;
        match *seen {
            1 => slug,
            again => format!("{slug}-{}", again - 1),
        }
    }
}

#[test]
fn a_page_is_taken_apart_as_its_readers_see_it() {
    let text = "# `blocked` at 3 a.m.\n\n[x](y.md#z), `rotate run`\n\n```sh 8 days later\nrotate run\n```\n\n## Keys\n## Keys\n";
    let page = Page::parse("a.md".into(), text);
    assert_eq!(page.anchors, ["blocked-at-3-am", "keys", "keys-1"]);
    assert_eq!((page.links[0].line, page.links[0].to.as_str()), (3, "y.md#z"));
    assert_eq!(page.spans[1].text, "rotate run");
    let block = &page.blocks[0];
    assert_eq!(
        (block.line, block.language.as_str(), block.note.as_str()),
        (5, "sh", "8 days later")
    );
    assert_eq!(block.text, "rotate run\n");
}
