//! Where the keys of a `[[target]]` go.

use std::ops::Range;

use rotate_providers::form::SecretForm;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::reader::{Reader, Section, with_article};
use crate::delivery::{self, Destination, Folders, Occupied, Options};
use crate::machine::Cutover;

/// What stands in a destination for the day on which a rotation is opened.
pub(super) const DAY_OF_OPENING: &str = "{date}";

/// Any day will do to see whether a destination can be understood.
const SOME_DAY: &str = "2000-01-01";

/// The key of a table that names the place; all others are its options.
const PLACE: &str = "to";

/// The key whose table names fields.
const FIELDS: &str = "fields";

/// Understands `deliver`: each destination by its full name, and what a delivery there replaces.
pub(super) fn destinations(
    reader: &mut Reader<'_>,
    table: &mut Section<'_>,
    form: SecretForm,
    cutover: Cutover,
) -> Vec<(String, Occupied)> {
    let key = table.key("deliver");
    let before = reader.mistakes();
    let named = listed(reader, table, &key);
    if !table.was_there("deliver") {
        let at = table.span.clone();
        reader.mistake(
            Some(at),
            &key,
            "`deliver` is missing: where do its new keys go?",
            "write deliver = [\"…\"], as with --deliver",
        );
    } else if named.is_empty() && reader.mistakes() == before {
        let at = table.span.clone();
        reader.mistake(Some(at), &key, "the list is empty", "name at least one destination");
    }
    let mut kept: Vec<(String, Occupied)> = Vec::new();
    for (value, span) in named {
        let (name, destination) = match understood(form, &value, &mut reader.folders) {
            Ok(found) => found,
            Err(remedy) => {
                reader.mistake(Some(span), &key, "this is no destination for its keys", &remedy);
                continue;
            }
        };
        let occupied = destination.occupies();
        // Whoever may change the file, in a pull request even, must not be able to send a login or a key elsewhere.
        if let Some(host) = destination.host_named().filter(|host| !reader.allows(host)) {
            let what = format!("it alone names the host {host}, and the file alone does not decide where secrets go");
            let remedy = format!("if it is right: --allow-endpoint {host}, or ROTATE_ALLOW_ENDPOINT={host}");
            reader.mistake(Some(span), &key, &what, &remedy);
        } else if let Some(why) = delivery::cutover_fault(destination.as_ref(), cutover) {
            let remedy = "write cutover = \"confirm\" or \"observed\" for this target";
            reader.mistake(
                Some(span),
                &key,
                &format!("cutover = \"immediate\" does not go with it: {why}"),
                remedy,
            );
        } else if kept.iter().any(|(other, _)| *other == name) {
            reader.mistake(Some(span), &key, "it is named twice", "leave one out");
        } else if kept.iter().any(|(_, other)| other.shared_with(&occupied).is_some()) {
            let what = "another destination of this target writes to the same place under the same name";
            reader.mistake(Some(span), &key, what, "leave one out, or give its fields other names");
        } else {
            kept.push((name, occupied));
        }
    }
    kept
}

/// Each item as a name: text is one already, and a table says the same in more words.
fn listed(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &str) -> Vec<(String, Range<usize>)> {
    let Some((_, value)) = section.take("deliver") else {
        return Vec::new();
    };
    let span = value.span();
    let DeValue::Array(items) = value.into_inner() else {
        let remedy = "write it in brackets: [\"…\", \"…\"]";
        reader.mistake(Some(span), key, "it is not a list", remedy);
        return Vec::new();
    };
    let mut names = Vec::new();
    for item in items {
        let span = item.span();
        let name = match item.into_inner() {
            DeValue::String(text) => Ok(text.into_owned()),
            DeValue::Table(table) => of_table(&table),
            other => {
                let what = format!("it is {} and should be text or a table", with_article(other.type_str()));
                reader.mistake(Some(span), key, &what, "write it in quotes, or as { to = \"…\", … }");
                continue;
            }
        };
        match name {
            Ok(name) => names.push((name, span)),
            Err(remedy) => reader.mistake(Some(span), key, "this table is no destination", &remedy),
        }
    }
    names
}

fn of_table(table: &DeTable<'_>) -> Result<String, String> {
    let (mut place, mut options) = (None, Vec::new());
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        match (key, value.get_ref()) {
            (PLACE, DeValue::String(text)) => place = Some(text.to_string()),
            (FIELDS, DeValue::Table(fields)) => {
                for (field, name) in fields {
                    options.push((field.get_ref().to_string(), text(FIELDS, name)?));
                }
            }
            (FIELDS, _) => return Err("write fields = { access_key_id = \"NAME_THERE\" }".to_owned()),
            (_, DeValue::Array(items)) => {
                let words: Result<Vec<String>, String> = items.iter().map(|item| text(key, item)).collect();
                options.push((key.to_owned(), words?.join(",")));
            }
            _ => options.push((key.to_owned(), text(key, value)?)),
        }
    }
    let place = place
        .ok_or_else(|| "write to = \"…\", as with --deliver, and what else there is to say beside it".to_owned())?;
    let told = match place.split_once(':') {
        // What stands behind the program's name is its own.
        Some(("exec", rest)) => rest.starts_with('?'),
        _ => place.contains('?'),
    };
    if told {
        return Err("its options stand in the table, so `to` has none".to_owned());
    }
    let options = Options::of(options).map_err(|fault| fault.to_string())?;
    Ok(delivery::named(&place, &options))
}

fn text(key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err(format!("write the value of {key} as text, in quotes")),
    }
}

/// A destination by its full name, in which the day of the opening is still open.
fn understood(form: SecretForm, name: &str, folders: &mut Folders) -> Result<(String, Box<dyn Destination>), String> {
    let (_, place) = name.split_once(':').unwrap_or_default();
    if name.starts_with("file:") && !place.starts_with(['/', '~']) {
        return Err("write the whole path, beginning with / or ~/: cron starts the program elsewhere".to_owned());
    }
    let (day, mark) = (SOME_DAY, DAY_OF_OPENING);
    let parsed = delivery::parse_among(form, &name.replace(mark, day), folders);
    let parsed = parsed.map_err(|error| error.fault.to_string())?;
    let full = match name.contains(mark) {
        true => parsed.name().replace(day, mark),
        false => parsed.name().to_owned(),
    };
    Ok((full, parsed))
}
