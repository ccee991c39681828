//! The programs that run after the delivery of a `[[target]]`.

use toml::de::DeValue;

use super::reader::{Reader, Section, with_article};
use super::value::{Taken, text, texts};
use crate::delivery::{Fault, Hook, Options};

/// Understands each `[[target.after_delivery]]`, by the name that the journal will know it by.
pub(super) fn hooks<'t>(reader: &mut Reader<'t>, table: &mut Section<'t>) -> Vec<String> {
    let name = table.key("after_delivery");
    let mut kept: Vec<String> = Vec::new();
    for mut section in reader.tables(table, "after_delivery") {
        section.name.clone_from(&name);
        let before = reader.mistakes();
        let hook = understood(reader, &mut section);
        let (key, span) = (section.key("exec"), section.span.clone());
        reader.close(section);
        match hook {
            None if reader.mistakes() == before => {
                let remedy = "write exec = \"/PATH/OF/PROGRAM ARG…\"";
                reader.mistake(Some(span), &key, "it is missing", remedy);
            }
            None => {}
            Some(Err(fault)) => reader.mistake(Some(span), &key, "this program cannot be run", &fault.to_string()),
            Some(Ok(hook)) if kept.iter().any(|other| other == hook.name()) => {
                reader.mistake(Some(span), &key, "it is named twice", "leave one out");
            }
            Some(Ok(hook)) => kept.push(hook.name().to_owned()),
        }
    }
    kept
}

fn understood(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Result<Hook, Fault>> {
    let line = line(reader, section);
    let timeout = text(reader, section, "timeout").map(|taken| ("timeout".to_owned(), taken.value));
    let names = texts(reader, section, "env").into_iter();
    let names: Vec<String> = names.map(|Taken { value, .. }| value).collect();
    let env = (!names.is_empty()).then(|| ("env".to_owned(), names.join(",")));
    let line = line?;
    Some(Options::of(timeout.into_iter().chain(env)).and_then(|options| Hook::new(&line, options)))
}

/// The command line: quoted as for a shell, or word by word.
pub(super) fn line(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<String> {
    let (_, value) = section.take("exec")?;
    let key = section.key("exec");
    let span = value.span();
    let words: Option<Vec<String>> = match value.into_inner() {
        DeValue::String(text) => return Some(text.into_owned()),
        DeValue::Array(items) => items
            .into_iter()
            .map(|item| match item.into_inner() {
                DeValue::String(text) => Some(text.into_owned()),
                _ => None,
            })
            .collect(),
        other => {
            let what = format!("it is {} and should be text or a list", with_article(other.type_str()));
            reader.mistake(Some(span), &key, &what, "write exec = \"/PATH/OF/PROGRAM ARG…\"");
            return None;
        }
    };
    let joined = words.and_then(|words| shlex::try_join(words.iter().map(String::as_str)).ok());
    if joined.is_none() {
        let what = "one of its words is no text, or cannot be written down";
        reader.mistake(Some(span), &key, what, "write each in quotes");
    }
    joined
}
