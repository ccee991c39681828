//! What can be found out beforehand: what the connector can tell, clocks, destinations. Reads only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rotate_providers::contract::{Check, ClockTolerance, Finding, Principal, Provider, Thoroughness};
use rotate_providers::guide::{Guide, Procedure};

use crate::delivery::{Asked, Destination, Hook, Inspected, at_once_of_each_place};
use crate::engine::driver::Refusal;
use crate::hooks::signing_time;
use crate::plan::Guidance;

/// Looks at everything that a rotation of this owner's keys would need, with the destinations that it would write to.
pub async fn check(
    provider: &dyn Provider,
    owner: &Principal,
    destinations: &[Box<dyn Destination>],
    thoroughness: Thoroughness,
) -> Vec<Finding> {
    let places = destinations
        .iter()
        .map(|destination| Box::pin(place(destination.as_ref(), thoroughness)) as Asked<'_, Finding>);
    let places = at_once_of_each_place(destinations, places.collect());
    let (preflight, places) = tokio::join!(provider.preflight(owner, thoroughness), places);
    let mut findings = preflight.findings;
    findings.extend(
        preflight
            .vendor_time
            .map(|told| clock(told, signing_time(), preflight.clock)),
    );
    findings.extend(places);
    findings
}

/// What is known to stand in the way; `None` where nothing is. What shows only when it is used is no reason to stop.
pub fn in_the_way(findings: &[Finding]) -> Option<Refusal> {
    let (mut whys, mut remedies) = (Vec::new(), Vec::new());
    for Finding { what, check } in findings {
        if let Check::Wrong { why, remedy } = check {
            whys.push(format!("{what}: {why}"));
            remedies.extend(remedy.lines().map(str::to_owned));
        }
    }
    remedies.dedup();
    let why = whys.join("; ");
    remedies.push("nothing was changed".to_owned());
    (!why.is_empty()).then_some(Refusal {
        why,
        remedy: remedies,
        blocked: false,
    })
}

/// Whether the programs after a delivery could be started. None is.
pub(super) fn programs(hooks: &[Hook]) -> impl Iterator<Item = Finding> {
    hooks.iter().map(|hook| {
        let check = match hook.check() {
            Ok(()) => Check::Fine,
            Err(error) => Check::Wrong {
                why: error.fault.to_string().into(),
                remedy: error.fault.remedy().unwrap_or_else(|| "run another program".to_owned()),
            },
        };
        Finding {
            what: format!("after the delivery, {} (not started)", hook.name()).into(),
            check,
        }
    })
}

/// Whether a delivery could work.
pub(super) async fn place(destination: &dyn Destination, thoroughness: Thoroughness) -> Finding {
    let check = match (destination.inspect().await, thoroughness) {
        // Before a key is made the rights are tried, which tells more.
        (Ok(Inspected::Fit), Thoroughness::Obstacles) => Check::Fine,
        (Ok(Inspected::Fit), Thoroughness::Everything) => destination.lacks().await.unwrap_or(Check::Fine),
        (Ok(Inspected::NotLookedAt(why)), _) => Check::Unknown { why: why.into() },
        (Err(error), _) => Check::Wrong {
            why: error.fault.to_string().into(),
            remedy: error.fault.remedy().unwrap_or_else(|| "deliver elsewhere".to_owned()),
        },
    };
    Finding {
        what: format!("destination {} ({})", destination.name(), destination.capabilities()).into(),
        check,
    }
}

fn clock(told: Timestamp, now: Timestamp, tolerance: ClockTolerance) -> Finding {
    let off = now.duration_since(told);
    let seconds = off.as_secs();
    let check = if off.abs() >= tolerance.refused {
        Check::Wrong {
            why: format!("this machine's is {seconds} s off the vendor's").into(),
            remedy: "set this machine's clock: timedatectl set-ntp true".to_owned(),
        }
    } else if off.abs() >= tolerance.worth_a_word {
        Check::Unknown {
            why: format!("this machine's is {seconds} s off the vendor's: logins may be refused").into(),
        }
    } else {
        Check::Fine
    };
    Finding {
        what: "clock".into(),
        check,
    }
}

/// What the plan by hand needs and the file does not say: a rotation is not begun without it.
pub(super) fn lacking(guide: &Guide, values: &BTreeMap<String, String>) -> Option<Refusal> {
    let guidance = Guidance::of(guide, Procedure::Rotate, values);
    let needed = guidance
        .missing
        .iter()
        .filter(|missing| missing.required && !missing.late);
    let keys: Vec<String> = needed
        .map(|missing| missing.option.trim_start_matches('-').replace('-', "_"))
        .collect();
    (!keys.is_empty()).then(|| {
        Refusal::because(
            format!("its plan needs what the file does not say: {}", keys.join(", ")),
            format!(
                "write {} = \u{2026} for this target in rotate.toml",
                keys.join(" = \u{2026} and ")
            ),
        )
    })
}
