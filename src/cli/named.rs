//! Which guided rotation a name means, and the line that begins one.
//!
//! One credential may be called by its connector, by `connector/value`, and by its name in rotate.toml: whatever identifies
//! it is accepted.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use rotate_providers::Connector;
use rotate_providers::guide::{Guide, Procedure};
use rotate_providers::shell::quoted;
use rotate_providers::untrusted::sanitized;

use super::Global;
use super::target_name::{MANUAL, target_name};
use crate::config::{self, Config, How, Target};
use crate::engine::driver::{DriveError, Refusal};
use crate::engine::{Credential, Namings};
use crate::machine::AnyRotation;
use crate::plan::Guidance;
use crate::secret_scan::value_looks_secret;
use crate::store::{Store, Stored};

/// The configuration, if there is one and nothing is wrong with it: whoever only ticks a step is not kept from it by a
/// mistake in another target.
pub(super) fn readable_config(global: &Global) -> Option<Config> {
    Config::read(&config::locate(global.config.as_deref())?, &global.allowed).ok()
}

/// The name under which the journal keeps the rotation that is meant: the name itself, unless what is open is called
/// otherwise there.
pub(super) async fn resolve(store: &dyn Store, config: Option<&Config>, name: &str) -> Result<String, DriveError> {
    let own = store.latest(name).await?;
    if own.as_ref().is_some_and(|stored| !stored.rotation.is_closed()) {
        return Ok(name.to_owned());
    }
    let mut namings = Namings::default();
    let summaries = store.summaries().await?;
    let meant = Meant::of(config, own.as_ref(), name, &mut namings);
    let mut matching: Vec<&Stored> = Vec::new();
    for stored in &summaries {
        if let AnyRotation::Guided(walk) = &stored.rotation
            && let Some(credential) = namings.of_walk(walk)
            && meant.is(&credential)
        {
            matching.push(stored);
        }
    }
    let open: Vec<&str> = matching
        .iter()
        .filter(|stored| !stored.rotation.is_closed())
        .map(|stored| stored.target.as_str())
        .collect();
    match open.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] if own.is_some() => Ok(name.to_owned()),
        [] => {
            let latest = matching.iter().max_by_key(|stored| stored.updated_at);
            Ok(latest.map_or(name, |stored| &stored.target).to_owned())
        }
        several => {
            let refusal = Refusal::because(
                format!(
                    "{name} may mean several rotations that are open: {}",
                    several.join(", ")
                ),
                "name one of them; see them all:",
            );
            Err(DriveError::Refused(refusal.with("rotate status")))
        }
    }
}

/// What a name may mean.
struct Meant<'n> {
    name: &'n str,
    credential: Option<Credential>,
}

impl<'n> Meant<'n> {
    fn of(config: Option<&Config>, own: Option<&Stored>, name: &'n str, namings: &mut Namings) -> Self {
        let of_file = config
            .and_then(|config| config.targets.iter().find(|target| target.name == name))
            .and_then(credential_of);
        let of_journal = || match own.map(|stored| &stored.rotation) {
            Some(AnyRotation::Guided(walk)) => namings.of_walk(walk),
            _ => None,
        };
        Self {
            name,
            // Where nobody has told which credential it is, the name alone counts.
            credential: of_file
                .or_else(of_journal)
                .filter(|credential| credential.name.is_some()),
        }
    }

    fn is(&self, found: &Credential) -> bool {
        match &self.credential {
            Some(credential) => credential == found,
            None if self.name == found.connector => true,
            None => {
                let plain = found.name.as_ref().map(|name| format!("{}/{name}", found.connector));
                self.name == target_name(&found.connector, found.name.as_deref()) || plain.as_deref() == Some(self.name)
            }
        }
    }
}

/// The credential of a target that a person rotates.
fn credential_of(target: &Target) -> Option<Credential> {
    let How::ByHand(by_hand) = &target.how else { return None };
    let guide = target.connector.guide().ok()?;
    Some(Credential::of(target.connector.id, &guide, &by_hand.values))
}

/// The target of the configuration that has this credential.
pub(super) fn target_of<'c>(config: Option<&'c Config>, credential: &Credential) -> Option<&'c Target> {
    let mut of_connector = config?
        .targets
        .iter()
        .filter(|target| target.connector.id == credential.connector);
    of_connector.find(|target| credential_of(target).as_ref() == Some(credential))
}

/// The one target of this connector that a person rotates, where there is but one.
pub(super) fn only_target_of<'c>(config: Option<&'c Config>, connector: &Connector) -> Option<&'c Target> {
    let mut by_hand = config?
        .targets
        .iter()
        .filter(|target| target.connector.id == connector.id && matches!(target.how, How::ByHand(_)));
    by_hand.next().filter(|_| by_hand.next().is_none())
}

/// What is told of a name of which no rotation is on record: where it could be begun, the line that does it.
pub(super) fn unknown(config: Option<&Config>, name: &str) -> Refusal {
    let Some((connector, values)) = beginning(config, name) else {
        return Refusal::unknown_target(name);
    };
    let Ok(guide) = connector.guide() else {
        return Refusal::unknown_target(name);
    };
    Refusal::because(format!("no rotation of {name} is on record"), "begin one:")
        .with(begin_line(connector, &guide, Procedure::Rotate, &values))
        .with("or see what is on record:")
        .with("rotate status")
}

/// What a name says of the rotation that could be begun.
fn beginning(config: Option<&Config>, name: &str) -> Option<(&'static Connector, BTreeMap<String, String>)> {
    let of_file = config.and_then(|config| config.targets.iter().find(|target| target.name == name));
    if let Some(target) = of_file {
        let How::ByHand(by_hand) = &target.how else { return None };
        return Some((
            rotate_providers::connector(target.connector.id)?,
            by_hand.values.clone(),
        ));
    }
    let (id, value) = match name.split_once('/') {
        Some((id, value)) => (id, Some(percent_decode_str(value).decode_utf8().ok()?)),
        None => (name, None),
    };
    let connector = rotate_providers::connector(id)?;
    let guide = connector.guide().ok()?;
    let mut values = BTreeMap::new();
    if let (Some(input), Some(value)) = (guide.identity(), value) {
        if value_looks_secret(&input.name, &value).is_some() {
            return None;
        }
        let fits = input.takes(&value) && !value.starts_with('-') && !value.chars().any(char::is_control);
        if !fits {
            return None;
        }
        values.insert(input.name.to_string(), value.into_owned());
    }
    Some((connector, values))
}

/// The line that begins a rotation with these values, as a shell reads it. What is needed and was not given is in capitals.
pub(super) fn begin_line(
    connector: &Connector,
    guide: &Guide,
    procedure: Procedure,
    values: &BTreeMap<String, String>,
) -> String {
    let mut line = format!("rotate {}", connector.id);
    if connector.automation.is_some() {
        line.push_str(&format!(" {MANUAL}"));
    }
    if procedure != Procedure::Rotate {
        line.push_str(&format!(" --procedure {}", procedure.name()));
    }
    let guidance = Guidance::of(guide, procedure, values);
    for input in &guide.inputs {
        let option = input.option();
        if let Some(value) = values.get(&*input.name) {
            line.push_str(&format!(" {option} {}", quoted(&sanitized(value))));
        } else if guidance
            .missing
            .iter()
            .any(|missing| missing.required && missing.option == option)
        {
            line.push_str(&format!(" {option} {}", input.name.to_uppercase()));
        }
    }
    line + " --begin"
}
