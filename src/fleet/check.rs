//! What can be found out beforehand: permissions, the bucket, clocks, destinations. Reads only.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Check, Finding, Principal, Provider};
use rotate_providers::guide::{Guide, Procedure};

use crate::delivery::Destination;
use crate::driver::Refusal;
use crate::hooks::signing_time;
use crate::plan::Guidance;

/// Signed requests are refused beyond five minutes:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>; a token of Snowflake's beyond one.
const CLOCK_REFUSED: SignedDuration = SignedDuration::from_mins(5);

/// Worth a word: one minute is where Snowflake begins to refuse.
const CLOCK_OFF: SignedDuration = SignedDuration::from_secs(50);

/// Looks at everything that a rotation of this owner's keys would need, with the destinations that it would write to.
pub async fn check(provider: &dyn Provider, owner: &Principal, destinations: &[Box<dyn Destination>]) -> Vec<Finding> {
    let preflight = provider.preflight(owner).await;
    let mut findings = preflight.findings;
    findings.extend(preflight.vendor_time.map(|told| clock(told, signing_time())));
    for destination in destinations {
        findings.push(place(destination.as_ref()).await);
    }
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

/// Whether a delivery could work.
pub(super) async fn place(destination: &dyn Destination) -> Finding {
    let check = match destination.inspect().await {
        Ok(()) => Check::Fine,
        Err(error) => Check::Wrong {
            why: error.fault.to_string().into(),
            remedy: error.fault.remedy().unwrap_or_else(|| "deliver elsewhere".to_owned()),
        },
    };
    Finding {
        what: format!("destination {}", destination.name()).into(),
        check,
    }
}

fn clock(told: Timestamp, now: Timestamp) -> Finding {
    let off = now.duration_since(told);
    let seconds = off.as_secs();
    let check = if off.abs() >= CLOCK_REFUSED {
        Check::Wrong {
            why: format!("this machine's is {seconds} s off the vendor's").into(),
            remedy: "set this machine's clock: timedatectl set-ntp true".to_owned(),
        }
    } else if off.abs() >= CLOCK_OFF {
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
