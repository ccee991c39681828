//! What a `[[target]]` says that the program rotates.

use std::ops::Range;
use std::path::PathBuf;

use jiff::civil::Date;
use rotate_providers::Automation;
use rotate_providers::endpoint::host_elsewhere;
use rotate_providers::inputs::{self, Form, InputSpec};
use serde_json::{Map, Value};
use toml::de::DeValue;

use super::after_delivery::hooks;
use super::defaults::Defaults;
use super::destinations::{DAY_OF_OPENING, destinations};
use super::reader::{Reader, Section};
use super::value::{Taken, flag, path};
use crate::delivery::Occupied;
use crate::machine::{Cutover, LostKey, Prove, Window};
use crate::policy::proof_fault;

/// The input that names a host.
const ENDPOINT: &str = "endpoint_url";

/// What the program needs to rotate a target.
pub struct Automatic {
    /// What rotates it.
    pub automation: &'static Automation,
    /// The connector's inputs, as its provider reads them.
    pub inputs: Value,
    /// Where new keys go; `{date}` stands for the day of the opening.
    pub deliver: Vec<String>,
    /// The programs that run once they are there, by their names.
    pub after_delivery: Vec<String>,
    /// How it becomes known that every consumer has moved.
    pub cutover: Cutover,
    /// What the proofs of the new key rest on.
    pub prove: Prove,
    /// What becomes of a new key whose secret was lost.
    pub lost_key: LostKey,
    /// How long the old key rests, in seconds.
    pub soak_seconds: u64,
    /// How long the vendor's record of use is watched at least, in seconds.
    pub observe_seconds: u64,
    /// When effects are allowed.
    pub window: Option<Window>,
    /// Whether it may be the identity that the program itself runs as.
    pub allow_self: bool,
    /// The key that the consumer uses now.
    pub current_key: Option<PathBuf>,
    /// What deliveries replace, to be compared with what those of other targets do.
    pub(super) occupied: Vec<Occupied>,
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
    pub(super) fn owner(&self) -> String {
        let told = inputs::owner(self.automation.inputs, &self.inputs);
        format!("{} {told}", self.automation.id)
    }
}

/// Understands what its table says.
pub(super) fn read<'t>(
    reader: &mut Reader<'t>,
    table: &mut Section<'t>,
    automation: &'static Automation,
    schedule: &Defaults,
) -> Automatic {
    let mut values = Map::new();
    for input in automation.inputs {
        if let Some(Taken { value, span }) = input_value(reader, table, input) {
            if input.name == ENDPOINT {
                endpoint(reader, table, automation, &value, span);
            }
            values.insert(input.name.to_string(), value);
        }
    }
    for clash in inputs::clashes(automation.inputs, |name| values.contains_key(name)) {
        let (at, key) = (table.span.clone(), table.key(&clash.name));
        reader.mistake(Some(at), &key, &clash.what, &clash.remedy);
    }
    let deliver = destinations(reader, table, automation.secret, schedule.of(automation).cutover);
    let (deliver, occupied) = deliver.into_iter().unzip();
    let after_delivery = hooks(reader, table);
    let allow_self = automation.capabilities.rotates_itself && flag(reader, table, "allow_self");
    if allow_self && schedule.cutover == Cutover::Observed {
        let (at, key) = (table.span.clone(), table.key("allow_self"));
        reader.mistake(
            Some(at),
            &key,
            "it does not go with cutover = \"observed\": rotate's own logins would be the evidence",
            "write cutover = \"confirm\" for this target",
        );
    }
    if let Some(fault) = proof_fault(automation, schedule.prove, schedule.cutover) {
        let (at, key) = (table.span.clone(), table.key("prove"));
        reader.mistake(Some(at), &key, &fault.why, &fault.remedy);
    }
    if automation.capabilities.replaces {
        of_no_use_in_place(reader, table, schedule);
    }
    let schedule = &schedule.of(automation);
    let current_key = automation
        .shown_key
        .as_ref()
        .and_then(|_| path(reader, table, "current_key"))
        .map(|taken| taken.value);
    Automatic {
        automation,
        inputs: Value::Object(values),
        deliver,
        after_delivery,
        cutover: schedule.cutover,
        prove: schedule.prove,
        lost_key: schedule.lost_key,
        soak_seconds: schedule.soak.as_secs().unsigned_abs(),
        observe_seconds: schedule.observe.as_secs().unsigned_abs(),
        window: schedule.window.clone(),
        allow_self,
        current_key,
        occupied,
    }
}

/// Where a secret is replaced where it stands, nothing can be waited for, and nothing is left to rest.
fn of_no_use_in_place(reader: &mut Reader<'_>, table: &Section<'_>, schedule: &Defaults) {
    let waits = "its secret is replaced where it stands: the delivery is the cut-over, and nothing can be waited for";
    let rests = "its secret is replaced where it stands: no old one is left to rest";
    let is_lost = "its secret is made and sealed here, so none can be lost";
    let cutover = match schedule.cutover {
        Cutover::Immediate => None,
        Cutover::Confirm | Cutover::Observed => Some(("cutover", waits)),
    };
    let others = [("observe", waits), ("soak", rests), ("lost_key", is_lost)];
    for (key, what) in cutover.into_iter().chain(others) {
        if let Some(at) = table.place_of(key) {
            reader.mistake(Some(at), &table.key(key), what, "leave it out");
        }
    }
}

/// Whoever may change the file, in a pull request even, must not be able to send the administrator's secrets elsewhere.
fn endpoint(reader: &mut Reader<'_>, table: &Section<'_>, automation: &Automation, value: &Value, span: Range<usize>) {
    let host = value.as_str().and_then(host_elsewhere);
    let Some(host) = host.filter(|host| !(automation.is_vendors_host)(host) && !reader.allows(host)) else {
        return;
    };
    let what = format!("{host} is no host of the vendor's own, and the file alone does not decide where secrets go");
    let remedy = format!("if it is right: --allow-endpoint {host}, or ROTATE_ALLOW_ENDPOINT={host}");
    reader.mistake(Some(span), &table.key(ENDPOINT), &what, &remedy);
}

fn input_value(reader: &mut Reader<'_>, table: &mut Section<'_>, input: &InputSpec) -> Option<Taken<Value>> {
    let Some((_, value)) = table.take(&input.name) else {
        if input.required {
            let (at, key) = (table.span.clone(), table.key(&input.name));
            let remedy = format!("write {} = …: {}", input.name, input.help);
            reader.mistake(Some(at), &key, "it is missing", &remedy);
        }
        return None;
    };
    let written = match (value.get_ref(), input.form) {
        (DeValue::String(text), Form::Text | Form::Path) => Some(text.to_string()),
        (DeValue::Integer(number), Form::Number(_)) => Some(number.as_str().to_owned()),
        _ => None,
    };
    let read = match written {
        Some(text) => input.read(&text),
        None => Err(match input.form {
            Form::Text | Form::Path => "write it as text, in quotes".to_owned(),
            Form::Number(_) => "write it as a number, without quotes".to_owned(),
        }),
    };
    match read {
        Ok(read) => Some(Taken {
            value: read,
            span: value.span(),
        }),
        Err(remedy) => {
            let key = table.key(&input.name);
            reader.mistake(Some(value.span()), &key, "this value cannot be used", &remedy);
            None
        }
    }
}
