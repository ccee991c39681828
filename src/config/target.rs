//! One `[[target]]`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::civil::Date;
use rotate_providers::guide::{Guide, Probe};
use rotate_providers::inputs::InputSpec;
use rotate_providers::secret_from::SecretFrom;
use rotate_providers::{Connector, connector, connectors};

use super::automatic::{self, Automatic};
use super::defaults::Defaults;
use super::evidence::{Exception, exception, policy_basis};
use super::reader::{Reader, Section};
use super::value::{Taken, date, duration, flag, parsed, path, text};
use crate::duration::written;
use crate::policy::{Lead, Terms};
use crate::secret_scan::{looks_secret, value_looks_secret};

/// One credential of the fleet.
pub struct Target {
    /// Its name, in the file and in the journal.
    pub name: String,
    /// Its connector.
    pub connector: &'static Connector,
    /// Who is asked about it.
    pub owner: Option<String>,
    /// What its limit rests on: a rule, a risk analysis.
    pub policy_basis: Option<String>,
    /// Who has allowed it to be beyond its limit, and until when.
    pub exception: Option<Exception>,
    /// How old its key may become.
    pub terms: Terms,
    /// How long a cut-over may take, in seconds; where a person takes every step, all of them.
    pub allowance_seconds: u64,
    /// How it is rotated.
    pub how: How,
    /// Where it is written: the file and the line.
    pub place: String,
    pub(super) span: Range<usize>,
}

/// How a target is rotated.
pub enum How {
    /// By the program.
    Automatic(Box<Automatic>),
    /// By a person.
    ByHand(ByHand),
}

/// What a person needs to rotate a target.
#[derive(Debug)]
pub struct ByHand {
    /// The values of the guide's inputs.
    pub values: BTreeMap<String, String>,
    /// When it was rotated last, as far as the journal does not know it better.
    pub last_rotated: Option<Date>,
    /// Where its secret is, where the program may try it.
    pub secret: Option<SecretFrom>,
    /// How often `run` tries it.
    pub verify_every: Option<SignedDuration>,
    /// Whether it is tried although wrong tries may lock whoever signs in.
    pub risk_lockout: bool,
    /// Whether it may go to a private address.
    pub allow_private: bool,
    /// Authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// Where a secret may be.
const PLACES: [&str; 3] = ["secret_file", "secret_env", "secret_credential"];

/// Understands one table; `None` where too little of it can be. Names are those of the tables before it, with their places:
/// a table that cannot be used has one as well.
pub(super) fn read<'t>(
    reader: &mut Reader<'t>,
    table: &mut Section<'t>,
    defaults: &Defaults,
    names: &mut HashMap<String, usize>,
    place: String,
) -> Option<Target> {
    let span = table.span.clone();
    let name = parsed(reader, table, "name", target_name);
    if let Some(name) = &name {
        table.name = format!("target \"{}\"", name.value);
        if let Some(first) = names.insert(name.value.clone(), span.start) {
            let what = format!("another target has this name (line {})", reader.line(first));
            reader.mistake(Some(span.clone()), &table.key("name"), &what, "give each its own");
        }
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
    let policy_basis = policy_basis(reader, table);
    let exception = exception(reader, table);
    let before = reader.mistakes();
    let schedule = defaults.overridden(reader, table);
    let schedule_is_right = reader.mistakes() == before;
    let by_hand = flag(reader, table, "by_hand");
    let Some(connector) = connector else {
        // What its keys are is not known, so nothing is said of them.
        table.forget();
        return None;
    };
    let allowance_seconds = schedule.allowance_seconds();
    let how = match connector.automation {
        Some(automation) if !by_hand => How::Automatic(Box::new(automatic::read(reader, table, automation, &schedule))),
        _ => {
            if schedule_is_right {
                of_no_use_by_hand(reader, table);
            }
            How::ByHand(guided(reader, table, connector)?)
        }
    };
    let schedule = match &how {
        How::Automatic(automatic) => schedule.of(automatic.automation),
        How::ByHand(_) => schedule,
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
        policy_basis,
        exception,
        terms,
        allowance_seconds,
        how,
        place,
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
        let nearest = connectors()
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
            values.insert(input.name.to_string(), value);
        }
    }
    let last_rotated = date(reader, table, "last_rotated").map(|taken| taken.value);
    let mut by_hand = ByHand {
        values,
        last_rotated,
        secret: None,
        verify_every: None,
        risk_lockout: false,
        allow_private: false,
        ca_file: None,
    };
    // What cannot be tried has no such keys.
    if let Some(probe) = &guide.probe {
        trials(reader, table, probe, &mut by_hand);
    }
    Some(by_hand)
}

/// How its credential is tried.
fn trials(reader: &mut Reader<'_>, table: &mut Section<'_>, probe: &Probe, by_hand: &mut ByHand) {
    let file = path(reader, table, "secret_file").map(|taken| SecretFrom::File(taken.value));
    let variable = parsed(reader, table, "secret_env", name_of_a_place).map(|taken| SecretFrom::Variable(taken.value));
    let credential =
        parsed(reader, table, "secret_credential", name_of_a_place).map(|taken| SecretFrom::Credential(taken.value));
    by_hand.secret = file.or(variable).or(credential);
    let places: Vec<_> = PLACES
        .iter()
        .filter_map(|key| Some((key, table.place_of(key)?)))
        .collect();
    if let [_, (second, at), ..] = places.as_slice() {
        let (key, what) = (table.key(second), "its secret has several places");
        let remedy = format!("write one of {}", PLACES.join(", "));
        reader.mistake(Some(at.clone()), &key, what, &remedy);
    }
    by_hand.verify_every = duration(reader, table, "verify_every");
    let at = table.place_of("verify_every");
    by_hand.risk_lockout = flag(reader, table, "risk_lockout");
    by_hand.allow_private = flag(reader, table, "allow_private");
    by_hand.ca_file = path(reader, table, "ca_file").map(|taken| taken.value);
    let Some(at) = at else { return };
    let key = table.key("verify_every");
    if by_hand.secret.is_none() {
        let what = "nothing says where the secret is that is to be tried";
        reader.mistake(
            Some(at),
            &key,
            what,
            "write secret_file, secret_env or secret_credential",
        );
    } else if probe.ways().any(|way| way.locks) && !by_hand.risk_lockout {
        let what = "wrong tries of a password may lock its user, and this would try one again and again";
        reader.mistake(Some(at), &key, what, "leave it out, or write risk_lockout = true");
    }
}

/// A variable of the environment, or a credential of a service.
pub(super) fn name_of_a_place(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let begins = text.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
    match begins && text.len() <= 128 && text.chars().all(fits) && looks_secret(text).is_none() {
        true => Ok(text.to_owned()),
        false => Err("it should be the name of the place, and never the secret".to_owned()),
    }
}

/// What only the program keeps to would be a false promise here.
fn of_no_use_by_hand(reader: &mut Reader<'_>, table: &Section<'_>) {
    for key in ["cutover", "prove", "lost_key", "observe", "soak", "window"] {
        if let Some(at) = table.place_of(key) {
            let key = table.key(key);
            let what = "a person takes every step of this target, so it would be of no use";
            reader.mistake(Some(at), &key, what, "leave it out");
        }
    }
}

fn input_value(reader: &mut Reader<'_>, table: &mut Section<'_>, input: &InputSpec) -> Option<String> {
    let parse = |text: &str| {
        if let Some(why) = value_looks_secret(&input.name, text) {
            return Err(format!("{why}: no secret belongs here, so leave it out"));
        }
        input.meant(text).ok_or_else(|| input.expected(text))
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
        late: lead.late(),
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

pub(super) fn seconds(time: SignedDuration) -> u64 {
    time.as_secs().unsigned_abs()
}
