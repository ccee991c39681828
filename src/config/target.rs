//! One `[[target]]`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::civil::Date;
use rotate_providers::field::{Field, Form};
use rotate_providers::guide::{Guide, Input};
use rotate_providers::{Automation, CONNECTORS, Connector, SecretKind, connector};
use serde_json::{Map, Value};
use toml::de::DeValue;

use super::defaults::Defaults;
use super::reader::{Reader, Section};
use super::value::{Taken, date, flag, parsed, path, text, texts};
use crate::delivery;
use crate::duration::written;
use crate::evidence::value_looks_secret;
use crate::machine::{Cutover, Window};
use crate::policy::{Lead, Terms};

/// What stands in a destination for the day on which a rotation is opened.
const DAY_OF_OPENING: &str = "{date}";

/// One credential of the fleet.
pub struct Target {
    /// Its name, in the file and in the journal.
    pub name: String,
    /// Its connector.
    pub connector: &'static Connector,
    /// Who is asked about it.
    pub owner: Option<String>,
    /// How old its key may become.
    pub terms: Terms,
    /// How long a cut-over may take, in seconds; where a person takes every step, all of them.
    pub allowance_seconds: u64,
    /// How it is rotated.
    pub how: How,
    span: Range<usize>,
}

/// How a target is rotated.
pub enum How {
    /// By the program.
    Automatic(Box<Automatic>),
    /// By a person.
    ByHand(ByHand),
}

/// What the program needs to rotate a target.
pub struct Automatic {
    /// What rotates it.
    pub automation: &'static Automation,
    /// The connector's inputs, as its provider reads them.
    pub inputs: Value,
    /// Where new keys go; `{date}` stands for the day of the opening.
    pub deliver: Vec<String>,
    /// How it becomes known that every consumer has moved.
    pub cutover: Cutover,
    /// How long the old key rests, in seconds.
    pub soak_seconds: u64,
    /// How long the vendor's record of use is watched at least, in seconds.
    pub observe_seconds: u64,
    /// When effects are allowed.
    pub window: Option<Window>,
    /// Whether it may be the identity that the program itself runs as.
    pub allow_self: bool,
    /// The private key that the consumer uses now.
    pub current_key: Option<PathBuf>,
}

/// What a person needs to rotate a target.
#[derive(Debug)]
pub struct ByHand {
    /// The values of the guide's inputs.
    pub values: BTreeMap<String, String>,
    /// When it was rotated last, as far as the journal does not know it better.
    pub last_rotated: Option<Date>,
}

impl Automatic {
    /// The destinations of a rotation that is opened on this day.
    pub fn destinations(&self, day: Date) -> Vec<String> {
        let day = day.to_string();
        self.deliver
            .iter()
            .map(|name| name.replace(DAY_OF_OPENING, &day))
            .collect()
    }

    /// What tells whose keys these are, as far as the file says it.
    fn owner(&self) -> String {
        let of = |name| self.inputs.get(name).map(Value::to_string).unwrap_or_default();
        let names = [
            "user",
            "profile",
            "assume_role",
            "connection",
            "account",
            "endpoint_url",
        ];
        let parts: Vec<String> = names.into_iter().map(of).collect();
        format!("{} {}", self.automation.id, parts.join(" "))
    }
}

/// Understands one table; `None` where too little of it can be.
pub(super) fn read<'t>(reader: &mut Reader<'t>, table: &mut Section<'t>, defaults: &Defaults) -> Option<Target> {
    let span = table.span.clone();
    let name = parsed(reader, table, "name", target_name);
    if let Some(name) = &name {
        table.name = format!("target \"{}\"", name.value);
    } else if !table.was_there("name") {
        reader.mistake(
            Some(span.clone()),
            "target: name",
            "the target has no name",
            "write name = \"…\", by which the journal knows it",
        );
    }
    let connector = connector_of(reader, table);
    let owner = text(reader, table, "owner").map(|taken| taken.value);
    let before = reader.mistakes();
    let schedule = defaults.overridden(reader, table);
    let schedule_is_right = reader.mistakes() == before;
    let by_hand = flag(reader, table, "by_hand");
    let Some(connector) = connector else {
        // What its keys are is not known, so nothing is said of them.
        table.forget();
        return None;
    };
    let allowance_seconds = seconds(schedule.cutover_allowance);
    let how = match connector.automation {
        Some(automation) if !by_hand => How::Automatic(Box::new(automatic(reader, table, automation, &schedule))),
        _ => {
            if schedule_is_right {
                of_no_use_by_hand(reader, table);
            }
            How::ByHand(guided(reader, table, connector)?)
        }
    };
    let terms = terms(&how, &schedule);
    let name = name?.value;
    if !terms.are_possible() {
        impossible(reader, table, &how, &schedule, &terms);
    }
    Some(Target {
        name,
        connector,
        owner,
        terms,
        allowance_seconds,
        how,
        span,
    })
}

fn target_name(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-.@+=,%/".contains(letter);
    let begins = text.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    if begins && text.len() <= 128 && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a name has up to 128 letters, digits and _-.@+=,%/ and begins with a letter or a digit".to_owned())
    }
}

fn connector_of(reader: &mut Reader<'_>, table: &mut Section<'_>) -> Option<&'static Connector> {
    let Some(Taken { value: id, span }) = text(reader, table, "connector") else {
        if !table.was_there("connector") {
            let key = table.key("connector");
            let at = table.span.clone();
            reader.mistake(
                Some(at),
                &key,
                "the target has no connector",
                "see them all: rotate connectors",
            );
        }
        return None;
    };
    let found = connector(&id);
    if found.is_none() {
        let likeness = |other: &str| strsim::jaro_winkler(other, &id);
        let nearest = CONNECTORS
            .iter()
            .max_by(|a, b| likeness(a.id).total_cmp(&likeness(b.id)))
            .filter(|nearest| likeness(nearest.id) > 0.7);
        let remedy = match nearest {
            Some(nearest) => format!("did you mean {}? see them all: rotate connectors", nearest.id),
            None => "see them all: rotate connectors".to_owned(),
        };
        let key = table.key("connector");
        reader.mistake(Some(span), &key, "there is no such connector", &remedy);
    }
    found
}

fn automatic(
    reader: &mut Reader<'_>,
    table: &mut Section<'_>,
    automation: &'static Automation,
    schedule: &Defaults,
) -> Automatic {
    let mut inputs = Map::new();
    for field in automation.fields {
        if let Some(value) = field_value(reader, table, field) {
            inputs.insert(field.name.to_owned(), value);
        }
    }
    let passphrases: Vec<&str> = inputs
        .keys()
        .map(String::as_str)
        .filter(|key| key.starts_with("passphrase_"))
        .collect();
    if let [first, second, ..] = passphrases.as_slice() {
        let (at, key) = (table.span.clone(), table.key(second));
        let what = format!("{first} names another place for the same passphrase");
        reader.mistake(Some(at), &key, &what, "leave one of them out");
    }
    let deliver = destinations(reader, table, automation.secret);
    let allow_self = automation.rotates_itself && flag(reader, table, "allow_self");
    if allow_self && schedule.cutover == Cutover::Observed {
        let (at, key) = (table.span.clone(), table.key("allow_self"));
        reader.mistake(
            Some(at),
            &key,
            "it does not go with cutover = \"observed\": rotate's own logins would be the evidence",
            "write cutover = \"confirm\" for this target",
        );
    }
    let current_key = match automation.secret {
        SecretKind::PrivateKey => path(reader, table, "current_key").map(|taken| taken.value),
        SecretKind::AccessKey => None,
    };
    Automatic {
        automation,
        inputs: Value::Object(inputs),
        deliver,
        cutover: schedule.cutover,
        soak_seconds: seconds(schedule.soak),
        observe_seconds: seconds(schedule.observe),
        window: schedule.window.clone(),
        allow_self,
        current_key,
    }
}

fn field_value(reader: &mut Reader<'_>, table: &mut Section<'_>, field: &Field) -> Option<Value> {
    let Some((_, value)) = table.take(field.name) else {
        if field.required {
            let (at, key) = (table.span.clone(), table.key(field.name));
            let remedy = format!("write {} = …: {}", field.name, field.help);
            reader.mistake(Some(at), &key, "it is missing", &remedy);
        }
        return None;
    };
    let written = match (value.get_ref(), field.form) {
        (DeValue::String(text), Form::Text) => Some(text.to_string()),
        (DeValue::Integer(number), Form::Number(_)) => Some(number.as_str().to_owned()),
        _ => None,
    };
    let read = match written {
        Some(text) => (field.read)(&text),
        None => Err(match field.form {
            Form::Text => "write it as text, in quotes".to_owned(),
            Form::Number(_) => "write it as a number, without quotes".to_owned(),
        }),
    };
    match read {
        Ok(value) => Some(value),
        Err(remedy) => {
            let key = table.key(field.name);
            reader.mistake(Some(value.span()), &key, "this value does not do", &remedy);
            None
        }
    }
}

fn destinations(reader: &mut Reader<'_>, table: &mut Section<'_>, secret: SecretKind) -> Vec<String> {
    let key = table.key("deliver");
    let before = reader.mistakes();
    let named = texts(reader, table, "deliver");
    if !table.was_there("deliver") {
        let at = table.span.clone();
        reader.mistake(
            Some(at),
            &key,
            "nobody says where its new keys go",
            "write deliver = [\"…\"], as with --deliver",
        );
    } else if named.is_empty() && reader.mistakes() == before {
        let at = table.span.clone();
        reader.mistake(Some(at), &key, "the list is empty", "name at least one destination");
    }
    let mut kept = Vec::new();
    for Taken { value, span } in named {
        match destination(secret, &value) {
            Ok(name) if kept.contains(&name) => reader.mistake(Some(span), &key, "it is named twice", "leave one out"),
            Ok(name) => kept.push(name),
            Err(remedy) => reader.mistake(Some(span), &key, "this is no destination for its keys", &remedy),
        }
    }
    kept
}

/// A destination by its full name, in which the day of the opening is still open.
fn destination(secret: SecretKind, name: &str) -> Result<String, String> {
    let (_, place) = name.split_once(':').unwrap_or_default();
    if name.starts_with("file:") && !place.starts_with(['/', '~']) {
        return Err("write the whole path, beginning with / or ~/: cron starts the program elsewhere".to_owned());
    }
    // Any day will do to see whether it can be understood.
    let (day, mark) = ("2000-01-01", DAY_OF_OPENING);
    let parsed = delivery::parse_for(secret, &name.replace(mark, day)).map_err(|error| error.fault.to_string())?;
    Ok(match name.contains(mark) {
        true => parsed.name().replace(day, mark),
        false => parsed.name().to_owned(),
    })
}

fn guided(reader: &mut Reader<'_>, table: &mut Section<'_>, connector: &Connector) -> Option<ByHand> {
    let guide: Guide = match connector.guide() {
        Ok(guide) => guide,
        Err(flaw) => {
            reader.mistake(None, connector.id, &flaw.to_string(), "this is a fault of the program");
            return None;
        }
    };
    let mut values = BTreeMap::new();
    for input in &guide.inputs {
        if let Some(value) = input_value(reader, table, input) {
            values.insert(input.name.clone(), value);
        }
    }
    let last_rotated = date(reader, table, "last_rotated").map(|taken| taken.value);
    Some(ByHand { values, last_rotated })
}

/// What only the program keeps to would be a false promise here.
fn of_no_use_by_hand(reader: &mut Reader<'_>, table: &Section<'_>) {
    for key in ["cutover", "observe", "soak", "window"] {
        if let Some(at) = table.place_of(key) {
            let key = table.key(key);
            let what = "a person takes every step of this target, so it would be of no use";
            reader.mistake(Some(at), &key, what, "leave it out");
        }
    }
}

fn input_value(reader: &mut Reader<'_>, table: &mut Section<'_>, input: &Input) -> Option<String> {
    let parse = |text: &str| {
        if let Some(why) = value_looks_secret(&input.name, text) {
            return Err(format!("{why}: no secret belongs here, so leave it out"));
        }
        if input.pattern.is_match(text) && !text.chars().any(char::is_control) {
            Ok(text.to_owned())
        } else {
            Err(format!("it should be {}, of the form {}", input.help, input.form()))
        }
    };
    parsed(reader, table, &input.name, parse).map(|taken| taken.value)
}

fn terms(how: &How, schedule: &Defaults) -> Terms {
    let (cutover, soak, window) = match how {
        How::Automatic(automatic) => (Some(schedule.cutover), schedule.soak, automatic.window.as_ref()),
        How::ByHand(_) => (None, SignedDuration::ZERO, None),
    };
    let lead = Lead {
        cutover,
        allowance: schedule.cutover_allowance,
        soak,
        run_every: schedule.run_every,
        window,
    };
    Terms {
        max_age: schedule.max_age,
        lead: lead.total(),
        warn_before: schedule.warn_before,
    }
}

fn impossible(reader: &mut Reader<'_>, table: &Section<'_>, how: &How, schedule: &Defaults, terms: &Terms) {
    let days = |time: SignedDuration| format!("{:.1} days", time.as_secs_f64() / 86_400.0);
    let parts = match how {
        How::ByHand(_) => format!("cutover_allowance {}", written(schedule.cutover_allowance)),
        How::Automatic(automatic) => {
            let window = automatic
                .window
                .as_ref()
                .map(|_| ", and until its window opens")
                .unwrap_or_default();
            format!(
                "cutover_allowance {}, soak {}{window}",
                written(schedule.cutover_allowance),
                written(schedule.soak)
            )
        }
    };
    let what = format!(
        "a key would have to go after {}, and its rotation may take {} ({parts}, and run_every for each run that has to come by)",
        written(schedule.max_age),
        days(terms.lead),
    );
    let (at, key) = (table.span.clone(), table.key("max_age"));
    reader.mistake(Some(at), &key, &what, "raise max_age, or lower what it takes");
}

fn seconds(time: SignedDuration) -> u64 {
    time.as_secs().unsigned_abs()
}

/// What is wrong only beside other targets.
pub(super) fn check_together(reader: &mut Reader<'_>, targets: &[Target]) {
    let mut names: HashMap<&str, &Target> = HashMap::new();
    let mut owners: HashMap<String, &Target> = HashMap::new();
    let mut places: HashMap<&str, &Target> = HashMap::new();
    for target in targets {
        let mut told = |key: &str, first: &Target, what: &str, remedy: &str| {
            let what = format!("{what} (line {})", reader.line(first.span.start));
            let key = format!("target \"{}\": {key}", target.name);
            reader.mistake(Some(target.span.clone()), &key, &what, remedy);
        };
        if let Some(first) = names.insert(&target.name, target) {
            told("name", first, "another target has this name", "give each its own");
        }
        let How::Automatic(automatic) = &target.how else {
            continue;
        };
        if let Some(first) = owners.insert(automatic.owner(), target) {
            let what = format!("target \"{}\" rotates the keys of the same user", first.name);
            told(
                "user",
                first,
                &what,
                "name each user once: two rotations at once would meet",
            );
        }
        for place in &automatic.deliver {
            if let Some(first) = places.insert(place, target)
                && first.name != target.name
            {
                let what = format!("target \"{}\" delivers to the same destination", first.name);
                told(
                    "deliver",
                    first,
                    &what,
                    "give each a destination of its own: the later key would replace the other",
                );
            }
        }
    }
}
