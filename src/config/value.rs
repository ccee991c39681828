//! Values: each is taken by its key, checked, and told of if it is not what it should be.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::DeValue;

use super::reader::{Reader, Section, with_article};
use crate::duration;
use crate::machine::{Day, Window};

/// A value that was taken, and where it stands.
pub(super) struct Taken<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// Text.
pub(super) fn text(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> Option<Taken<String>> {
    let (_, value) = section.take(key)?;
    string(reader, &section.key(key), value)
}

fn string(reader: &mut Reader<'_>, key: &str, value: Spanned<DeValue<'_>>) -> Option<Taken<String>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::String(text) => Some(Taken {
            value: text.into_owned(),
            span,
        }),
        other => {
            let what = format!("it is {} and should be text", with_article(other.type_str()));
            reader.mistake(Some(span), key, &what, "write it in quotes");
            None
        }
    }
}

/// Text that is understood by this function, which says what is wrong with any other.
pub(super) fn parsed<T>(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Taken<T>> {
    let Taken { value, span } = text(reader, section, key)?;
    match parse(&value) {
        Ok(value) => Some(Taken { value, span }),
        Err(remedy) => {
            reader.mistake(Some(span), &section.key(key), "this value is not understood", &remedy);
            None
        }
    }
}

/// A duration, such as `180d`.
pub(super) fn duration(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> Option<SignedDuration> {
    let seconds = |text: &str| duration::seconds(text);
    let taken = parsed(reader, section, key, seconds)?;
    Some(SignedDuration::from_secs(
        i64::try_from(taken.value).unwrap_or(i64::MAX),
    ))
}

/// A date, in quotes or bare.
pub(super) fn date(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> Option<Taken<Date>> {
    let (_, value) = section.take(key)?;
    let span = value.span();
    let text = match value.into_inner() {
        DeValue::String(text) => text.into_owned(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        _ => String::new(),
    };
    match text.parse::<Date>() {
        Ok(value) if text.len() == 10 => Some(Taken { value, span }),
        _ => {
            reader.mistake(
                Some(span),
                &section.key(key),
                "it is not a date",
                "write it like 2026-01-10",
            );
            None
        }
    }
}

/// A whole number in these bounds.
pub(super) fn number(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &str,
    bounds: std::ops::RangeInclusive<u32>,
) -> Option<u32> {
    let (_, value) = section.take(key)?;
    let span = value.span();
    let number = match value.get_ref() {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    let number = number.filter(|number| bounds.contains(number));
    if number.is_none() {
        let what = format!(
            "it should be a whole number from {} to {}",
            bounds.start(),
            bounds.end()
        );
        reader.mistake(Some(span), &section.key(key), &what, "write it without quotes");
    }
    number
}

/// Yes or no.
pub(super) fn flag(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> bool {
    let Some((_, value)) = section.take(key) else {
        return false;
    };
    match value.get_ref() {
        DeValue::Boolean(flag) => *flag,
        _ => {
            let key = section.key(key);
            reader.mistake(
                Some(value.span()),
                &key,
                "it is neither true nor false",
                "write true or false, without quotes",
            );
            false
        }
    }
}

/// A list of texts.
pub(super) fn texts(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> Vec<Taken<String>> {
    let Some((_, value)) = section.take(key) else {
        return Vec::new();
    };
    let (full, span) = (section.key(key), value.span());
    let DeValue::Array(items) = value.into_inner() else {
        reader.mistake(
            Some(span),
            &full,
            "it is not a list",
            "write it in brackets: [\"…\", \"…\"]",
        );
        return Vec::new();
    };
    items
        .into_iter()
        .filter_map(|item| string(reader, &full, item))
        .collect()
}

/// The whole path of a folder; `~/` is the home folder.
pub(super) fn folder(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> Option<PathBuf> {
    path(reader, section, key).map(|taken| taken.value)
}

/// A whole path: what is relative means something else each time the program is started elsewhere.
pub(super) fn path(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> Option<Taken<PathBuf>> {
    parsed(reader, section, key, |text| {
        let path = match text.strip_prefix("~/") {
            Some(rest) => std::env::home_dir().map(|home| home.join(rest)),
            None => Some(PathBuf::from(text)),
        };
        path.filter(|path| path.is_absolute())
            .ok_or_else(|| "write the whole path, beginning with / or ~/".to_owned())
    })
}

/// One of these, by its name.
pub(super) fn one_of<T: Copy>(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Option<Taken<T>> {
    parsed(reader, section, key, |text| {
        let named = all.iter().copied().find(|one| name(*one) == text);
        named.ok_or_else(|| {
            let mut names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
            let last = names.pop().unwrap_or_default();
            format!("write {} or {last}", names.join(", "))
        })
    })
}

/// When effects are allowed.
pub(super) fn window<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>, key: &str) -> Option<Window> {
    section.has(key).then_some(())?;
    let mut table = reader.table(section, key);
    let days = days(reader, &mut table);
    let mut time = |key: &str, default: &str| {
        let parse = |text: &str| {
            let clock = text.len() == 5 && text.is_ascii();
            text.parse::<Time>()
                .ok()
                .filter(|_| clock)
                .ok_or_else(|| "write a time of day like 09:00".to_owned())
        };
        parsed(reader, &mut table, key, parse)
            .map(|taken| taken.value)
            .or_else(|| parse(default).ok())
            .unwrap_or(Time::MIN)
    };
    let (from, to) = (time("from", "00:00"), time("to", "00:00"));
    let zone = parsed(reader, &mut table, "zone", |text| match TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("there is no such time zone; write its IANA name, like Europe/Berlin or UTC".to_owned()),
    });
    reader.close(table);
    Some(Window {
        days,
        from,
        to,
        zone: zone.map_or_else(|| "UTC".to_owned(), |taken| taken.value),
    })
}

fn days(reader: &mut Reader<'_>, table: &mut Section<'_>) -> BTreeSet<Day> {
    let given = table.has("days");
    let before = reader.mistakes();
    let named = texts(reader, table, "days");
    let mut days = BTreeSet::new();
    for Taken { value, span } in &named {
        match Day::ALL.into_iter().find(|day| day.name() == value) {
            Some(day) => {
                days.insert(day);
            }
            None => {
                let key = table.key("days");
                reader.mistake(
                    Some(span.clone()),
                    &key,
                    "there is no such day",
                    "write mon, tue, wed, thu, fri, sat, sun",
                );
            }
        }
    }
    if given && named.is_empty() && reader.mistakes() == before {
        let key = table.key("days");
        let at = table.span.clone();
        reader.mistake(
            Some(at),
            &key,
            "the window never opens",
            "name at least one day, or leave days out",
        );
    }
    if days.is_empty() { Day::ALL.into() } else { days }
}
