//! What can be found out beforehand: permissions, the bucket, clocks, destinations. Reads only.

use jiff::{SignedDuration, Timestamp};
use rotate_providers::contract::{Check, Finding, Principal, Provider};

use super::Wanted;
use crate::delivery::Destination;
use crate::hooks::signing_time;

/// Signed requests are refused beyond five minutes:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>; a token of Snowflake's beyond one.
const CLOCK_REFUSED: SignedDuration = SignedDuration::from_mins(5);

/// Worth a word: one minute is where Snowflake begins to refuse.
const CLOCK_OFF: SignedDuration = SignedDuration::from_secs(50);

/// Looks at everything that a rotation of this target would need.
pub async fn check(provider: &dyn Provider, owner: &Principal, wanted: Option<&Wanted<'_>>) -> Vec<Finding> {
    let preflight = provider.preflight(owner).await;
    let mut findings = preflight.findings;
    findings.extend(preflight.vendor_time.map(|told| clock(told, signing_time())));
    for destination in wanted.map(Wanted::destinations).unwrap_or_default() {
        findings.push(place(destination.as_ref()).await);
    }
    findings
}

/// Whether a delivery could work.
pub(super) async fn place(destination: &dyn Destination) -> Finding {
    let check = match destination.inspect().await {
        Ok(()) => Check::Fine,
        Err(error) => Check::Wrong {
            why: error.fault.to_string(),
            remedy: error.fault.remedy().unwrap_or_else(|| "deliver elsewhere".to_owned()),
        },
    };
    Finding {
        what: format!("destination {}", destination.name()),
        check,
    }
}

fn clock(told: Timestamp, now: Timestamp) -> Finding {
    let off = now.duration_since(told);
    let seconds = off.as_secs();
    let check = if off.abs() >= CLOCK_REFUSED {
        Check::Wrong {
            why: format!("this machine's is {seconds} s off the vendor's"),
            remedy: "set this machine's clock: timedatectl set-ntp true".to_owned(),
        }
    } else if off.abs() >= CLOCK_OFF {
        Check::Unknown {
            why: format!("this machine's is {seconds} s off the vendor's: logins may be refused"),
        }
    } else {
        Check::Fine
    };
    Finding {
        what: "clock".to_owned(),
        check,
    }
}
