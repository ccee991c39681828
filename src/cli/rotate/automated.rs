//! `rotate <connector>` for connectors that the program rotates.

use std::path::PathBuf;

use clap::ArgMatches;
use rotate_providers::{Automation, inputs};
use serde_json::{Map, Value};

use super::options::{of_program, of_rotation};
use crate::cli::one_shot::{Options, rotate};
use crate::cli::target_name::target_name;
use crate::cli::{Exit, Global, terminal};
use crate::config::Defaults;
use crate::delivery::{self, Destination, Hook};
use crate::engine::driver::{LiveKey, Request};
use crate::machine::{Cutover, LostKey, Prove};
use crate::policy::proof_fault;

/// Its command, with its inputs as options.
pub(super) fn command(automation: &'static Automation) -> clap::Command {
    let about = format!("Rotate the {}", automation.title);
    let again = "The same command again goes on where the rotation stands.";
    let more = match automation.note {
        "" => again.to_owned(),
        note => format!("{note} {again}"),
    };
    clap::Command::new(automation.id)
        .long_about(format!("{about}.\n\n{more}"))
        .about(about)
        .args(of_program(automation.inputs))
        .args(of_rotation(automation))
}

/// Runs the command of an automated connector.
pub(super) async fn run(global: &Global, automation: &'static Automation, matches: &ArgMatches) -> Exit {
    let asked = match Asked::read(automation, matches) {
        Ok(asked) => asked,
        Err(Misuse { what, remedy }) => {
            terminal::error(&what, &remedy);
            return Exit::Usage;
        }
    };
    let name = inputs::name_of(automation.inputs, &asked.inputs).map(str::to_owned);
    let target = target_name(automation.id, name.as_deref());
    let request = Request {
        connector: automation,
        target: &target,
        inputs: asked.inputs,
        destinations: &asked.destinations,
        after_delivery: &asked.after_delivery,
        cutover: asked.cutover,
        prove: asked.prove,
        lost_key: asked.lost_key,
        soak_seconds: asked.soak_seconds,
        observe_seconds: asked.observe_seconds,
        allowance_seconds: Defaults::default().allowance_seconds(),
        again: asked.options.again,
        live: asked.live,
        allow_self: asked.allow_self,
        window: None,
    };
    let whose = name.as_deref().unwrap_or(automation.id);
    let question = format!("Rotate the {} of {whose}?", automation.noun);
    rotate(global, &request, &asked.options, &question).await
}

/// The command line, checked as far as nobody has to be asked.
struct Asked {
    inputs: Value,
    destinations: Vec<Box<dyn Destination>>,
    after_delivery: Vec<Hook>,
    live: Option<LiveKey>,
    cutover: Cutover,
    prove: Prove,
    lost_key: LostKey,
    soak_seconds: u64,
    observe_seconds: u64,
    allow_self: bool,
    options: Options,
}

/// What was asked for cannot be.
struct Misuse {
    what: String,
    remedy: Vec<String>,
}

impl Asked {
    fn read(automation: &'static Automation, matches: &ArgMatches) -> Result<Self, Misuse> {
        let seconds = |name: &str| told_of::<u64>(matches, name).unwrap_or_default();
        let otherwise = match automation.capabilities.replaces {
            true => Cutover::Immediate,
            false => Defaults::default().cutover,
        };
        let cutover = told_of(matches, "cutover").unwrap_or(otherwise);
        let prove: Prove = told_of(matches, "prove").unwrap_or_default();
        if let Some(fault) = proof_fault(automation, prove, cutover) {
            return Err(Misuse {
                what: format!("--prove {}: {}", prove.name(), fault.why),
                remedy: vec![fault.remedy, "nothing was touched".to_owned()],
            });
        }
        let misuse = |what: String| Misuse {
            what,
            remedy: vec![format!("nothing was touched; see: rotate {} --help", automation.id)],
        };
        let allow_self = automation.capabilities.rotates_itself && matches.get_flag("allow_self");
        if allow_self && cutover == Cutover::Observed {
            return Err(misuse(
                "--cutover observed does not go with --allow-self: rotate's own logins would be the evidence"
                    .to_owned(),
            ));
        }
        let destinations = destinations(automation, matches, cutover).map_err(misuse)?;
        let after_delivery = after_delivery(matches).map_err(misuse)?;
        let inputs = told(automation, matches);
        (automation.ready)(&inputs)
            .map_err(|unready| misuse(format!("{}: {}", inputs::option(unready.input), unready.why)))?;
        let live = live(automation, matches, &inputs).map_err(misuse)?;
        Ok(Self {
            inputs,
            destinations,
            after_delivery,
            live,
            cutover,
            prove,
            lost_key: told_of(matches, "lost_key").unwrap_or_default(),
            soak_seconds: seconds("soak"),
            observe_seconds: seconds("observe"),
            allow_self,
            options: Options {
                dry_run: matches.get_flag("dry_run"),
                yes: matches.get_flag("yes"),
                again: matches.get_flag("again"),
            },
        })
    }
}

/// The value of an option that not every connector has.
fn told_of<T: Copy + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Option<T> {
    matches.try_get_one(name).ok().flatten().copied()
}

/// The connector's inputs, as they are journaled.
fn told(automation: &Automation, matches: &ArgMatches) -> Value {
    let given = automation.inputs.iter().filter_map(|input| {
        let value: &Value = matches.get_one(&input.name)?;
        Some((input.name.to_string(), value.clone()))
    });
    Value::Object(given.collect::<Map<String, Value>>())
}

/// Understands the destinations.
fn destinations(
    automation: &Automation,
    matches: &ArgMatches,
    cutover: Cutover,
) -> Result<Vec<Box<dyn Destination>>, String> {
    let mut names: Vec<&str> = matches
        .get_many::<String>("deliver")
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if names.is_empty() {
        names.extend(automation.default_destination);
    }
    let mut parsed: Vec<Box<dyn Destination>> = Vec::new();
    for name in names {
        let destination = delivery::parse(automation.secret, name).map_err(|error| format!("--deliver: {error}"))?;
        if parsed.iter().any(|other| other.name() == destination.name()) {
            return Err(format!("--deliver: {} is given twice", destination.name()));
        }
        let occupied = destination.occupies();
        if let Some(other) = parsed
            .iter()
            .find(|other| other.occupies().shared_with(&occupied).is_some())
        {
            return Err(format!(
                "--deliver: {} and {} write to the same place under the same name",
                other.name(),
                destination.name()
            ));
        }
        if let Some(why) = delivery::cutover_fault(destination.as_ref(), cutover) {
            return Err(format!("--cutover immediate does not go with one of --deliver: {why}"));
        }
        parsed.push(destination);
    }
    Ok(parsed)
}

/// Understands the programs that run after the delivery.
fn after_delivery(matches: &ArgMatches) -> Result<Vec<Hook>, String> {
    let mut hooks: Vec<Hook> = Vec::new();
    for text in matches.get_many::<String>("after_delivery").into_iter().flatten() {
        let hook = Hook::parse(text).map_err(|fault| format!("--after-delivery: {fault}"))?;
        if hooks.iter().any(|other| other.name() == hook.name()) {
            return Err(format!("--after-delivery: {} is given twice", hook.name()));
        }
        hooks.push(hook);
    }
    Ok(hooks)
}

/// The key that the person shows to be the consumer's.
fn live(automation: &Automation, matches: &ArgMatches, inputs: &Value) -> Result<Option<LiveKey>, String> {
    let Some(shown) = &automation.shown_key else {
        return Ok(None);
    };
    let Some(path) = matches.get_one::<PathBuf>("current_key") else {
        return Ok(None);
    };
    let key = (shown.read)(path, inputs).map_err(|why| format!("--current-key: {}: {why}", path.display()))?;
    Ok(Some(key.into()))
}
