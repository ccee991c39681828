//! Between two rotations: do the destinations still hold the key that the last one left there? Reads only.

use jiff::tz::TimeZone;
use rotate_providers::contract::{Check, Finding, KeyId};

use super::OnRecord;
use super::drifted::remedy;
use super::order::Asked;
use crate::delivery::{self, DeliveryError, Destination, same_place};
use crate::hooks::now;
use crate::machine::{CopiesDrift, HeldCopy, Phase, Rotation};

/// What was found of the destinations that show which key they hold.
#[derive(Default)]
pub(super) struct Copies {
    /// What they should hold; `None`: nothing was left there that could be told again.
    expected: Option<KeyId>,
    as_left: Vec<String>,
    others: Vec<HeldCopy>,
    /// Those that could not be looked at, and why.
    unread: Vec<(String, String)>,
}

/// Looks at the destinations that the last rotation has delivered to, as far as they are still asked for. Whoever acts logs in
/// there first, also where that starts a program.
pub(super) async fn look(asked: &Asked<'_>, known: OnRecord<'_>, acts: bool) -> Copies {
    let Some((rotation, expected)) = left_by(known) else {
        return Copies::default();
    };
    let Some(automation) = rotate_providers::automation(&rotation.spec.connector) else {
        return Copies::default();
    };
    let day = rotation.opened_at.to_zoned(TimeZone::UTC).date();
    let wanted = asked.destinations_on(day);
    let mut found = Copies {
        expected: Some(expected.clone()),
        ..Copies::default()
    };
    for name in &rotation.spec.destinations {
        if !wanted.iter().any(|wanted| same_place(wanted, name)) {
            continue;
        }
        let Ok(destination) = delivery::parse(automation.secret, name) else {
            continue;
        };
        if !destination.tells_key() {
            continue;
        }
        let destination_name = name.clone();
        match held(destination.as_ref(), acts).await {
            Ok(Held::Key(Some(held))) if held == expected => found.as_left.push(destination_name),
            Ok(Held::Key(held)) => found.others.push(HeldCopy {
                destination: destination_name,
                held,
                gone: false,
            }),
            Ok(Held::Gone) => found.others.push(HeldCopy {
                destination: destination_name,
                held: None,
                gone: true,
            }),
            Err(why) => found.unread.push((destination_name, why)),
        }
    }
    found
}

/// What was found in a destination.
enum Held {
    /// This key, or none.
    Key(Option<KeyId>),
    /// There is no such place any more.
    Gone,
}

/// Whose credential it holds; where that could not be looked at, why.
async fn held(destination: &dyn Destination, acts: bool) -> Result<Held, String> {
    let why = |error: DeliveryError| error.fault.to_string();
    if acts {
        destination.log_in().await.map_err(why)?;
    }
    match destination.shows_itself().await.map_err(why)? {
        true => match destination.key().await {
            Ok(key) => Ok(Held::Key(key)),
            Err(error) if error.fault.is_missing() => Ok(Held::Gone),
            Err(error) => Err(why(error)),
        },
        false => Err("that would start a program, which whoever only looks does not".to_owned()),
    }
}

/// The last rotation, where it has ended well and its key is in use since; and that key.
fn left_by(known: OnRecord<'_>) -> Option<(&Rotation, KeyId)> {
    let stored = known.course?;
    let rotation = stored.rotation.automated()?;
    let Phase::Done = rotation.phase else {
        return None;
    };
    let new = rotation.new_key.as_ref()?;
    // Where keys are told apart by nothing that a destination holds, nothing can be compared.
    if rotation.spec.replaces() {
        return None;
    }
    // Whoever has rotated by hand since, and was told that it was seen, looks after the destinations.
    let watch = known.watch.map(|watch| &watch.rotation);
    let seen = watch.filter(|watch| watch.seen_at > Some(stored.updated_at));
    let live = seen.and_then(|watch| watch.sighting.as_ref()?.live.as_ref());
    let is_in_use = live.is_none_or(|live| *live == new.key);
    is_in_use.then(|| (rotation, new.key.clone()))
}

impl Copies {
    /// The destinations that hold something else, but for what a person has accepted. One that cannot be read now counts as
    /// what it was known to be.
    pub(super) fn drift(&self, known: OnRecord<'_>) -> Option<CopiesDrift> {
        let expected = self.expected.clone()?;
        let watch = known.watch.map(|watch| &watch.rotation);
        let of_this_key = |drift: &&CopiesDrift| drift.expected == expected;
        let accepted = watch
            .and_then(|watch| watch.accepted_copies.as_deref())
            .filter(of_this_key);
        let before = watch.and_then(|watch| watch.copies.as_deref()).filter(of_this_key);
        let is_unread = |copy: &&HeldCopy| self.unread.iter().any(|(name, _)| *name == copy.destination);
        let unread = before.into_iter().flat_map(|drift| &drift.copies).filter(is_unread);
        let copies: Vec<HeldCopy> = self
            .others
            .iter()
            .chain(unread)
            .filter(|copy| accepted.is_none_or(|accepted| !accepted.has(copy)))
            .cloned()
            .collect();
        if copies.is_empty() {
            return None;
        }
        let since = match before.filter(|drift| drift.copies == copies) {
            Some(drift) => drift.since,
            None => now(),
        };
        Some(CopiesDrift {
            expected,
            copies,
            since,
        })
    }

    /// What could not be looked at, a sentence each.
    pub(super) fn unread(&self) -> impl Iterator<Item = String> {
        let words = |(name, why): &(String, String)| format!("could not look what destination {name} holds: {why}");
        self.unread.iter().map(words)
    }

    /// The same for whoever examines a target.
    pub(super) fn findings(self, target: &str, drift: Option<&CopiesDrift>) -> Vec<Finding> {
        let finding = |what: String, check| Finding {
            what: what.into(),
            check,
        };
        let of = |name: &str| format!("copy at {name}");
        let expected = self.expected.as_ref().map(ToString::to_string).unwrap_or_default();
        let as_left = self.as_left.iter().map(|name| {
            let what = format!("{}, holds key {expected}, as it was left", of(name));
            finding(what, Check::Fine)
        });
        let unread = self.unread.iter().map(|(name, why)| {
            let why = format!("could not look: {why}").into();
            finding(of(name), Check::Unknown { why })
        });
        let others = drift.map(|drift| {
            let names: Vec<&str> = drift.copies.iter().map(|copy| copy.destination.as_str()).collect();
            let check = Check::Wrong {
                why: drift.words().into(),
                remedy: remedy(target).join("\n"),
            };
            finding(of(&names.join(", ")), check)
        });
        as_left.chain(others).chain(unread).collect()
    }
}
