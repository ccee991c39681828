//! A user's two slots, as `DESC USER` shows them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::identifier::{UserName, is_name};
use super::key_pair::{public_half, public_key};
use super::session::Row;
use crate::contract::{Key, KeyId};
use crate::vendor_time;

/// A place for one public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    First,
    Second,
}

impl Slot {
    pub(super) const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The user's property.
    pub(super) fn property(self) -> &'static str {
        match self {
            Self::First => "RSA_PUBLIC_KEY",
            Self::Second => "RSA_PUBLIC_KEY_2",
        }
    }
}

/// A user as `DESC USER` shows it.
pub(super) struct Described {
    pub(super) login_name: String,
    pub(super) slots: Vec<(Slot, Key)>,
}

impl Described {
    /// What the rows say, or what they do not name: they may be about someone else, or leave open what is in a slot.
    pub(super) fn read(user: &UserName, rows: &[Row]) -> Result<Self, String> {
        let shown = |name: &str| {
            let row = rows.iter().find(|row| row.text("property") == Some(name))?;
            row.text_or_empty("value")
        };
        let property = |name: &str| shown(name).filter(|value| is_set(value));
        if property("NAME") != Some(user.as_str()) {
            return Err("this user".to_owned());
        }
        let mut slots = Vec::new();
        for slot in Slot::BOTH {
            let name = slot.property();
            let held = held(shown(name), shown(&format!("{name}_FP")));
            let Some(id) = held.map_err(|Unclear| format!("what is in {name}"))? else {
                continue;
            };
            let key = Key {
                active: true,
                created_at: property(&format!("{name}_LAST_SET_TIME")).and_then(set_time),
                public: property(name).and_then(|shown| public_half(shown, &id)),
                delete_by_hand: format!("ALTER USER {} UNSET {name};", user.quoted()),
                id,
            };
            slots.push((slot, key));
        }
        Ok(Self {
            login_name: match property("LOGIN_NAME") {
                Some(name) if is_name(name) => name.to_owned(),
                Some(_) => return Err("a login name of this user".to_owned()),
                None => user.as_str().to_owned(),
            },
            slots,
        })
    }

    pub(super) fn slot_of(&self, key: &KeyId) -> Option<Slot> {
        self.slots
            .iter()
            .find(|(_, held)| held.id == *key)
            .map(|(slot, _)| *slot)
    }

    pub(super) fn free_slot(&self) -> Option<Slot> {
        let is_free = |slot: &Slot| self.slots.iter().all(|(taken, _)| taken != slot);
        Slot::BOTH.into_iter().find(is_free)
    }
}

/// What is in a slot cannot be told from what is shown of it.
#[derive(Debug, PartialEq, Eq)]
struct Unclear;

/// The key in a slot, by the row of the key and the row of its fingerprint. An account may hide either one, so a slot is
/// free only where both say so: whatever else there is must not be replaced.
fn held(key: Option<&str>, fingerprint: Option<&str>) -> Result<Option<KeyId>, Unclear> {
    if let Some(fingerprint) = fingerprint.filter(|text| is_fingerprint(text)) {
        return KeyId::parse(fingerprint).map(Some).map_err(|_| Unclear);
    }
    match (key, fingerprint) {
        (Some(key), _) if is_set(key) => match public_key(key) {
            Some((id, _)) => Ok(Some(id)),
            None => Err(Unclear),
        },
        (Some(_), Some(fingerprint)) if !is_set(fingerprint) => Ok(None),
        _ => Err(Unclear),
    }
}

/// What is not set is the word null.
fn is_set(value: &str) -> bool {
    !value.is_empty() && value != "null"
}

/// `SHA256:` and 32 bytes in base64.
fn is_fingerprint(text: &str) -> bool {
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    text.strip_prefix("SHA256:")
        .is_some_and(|rest| rest.len() == 44 && rest.chars().all(base64))
}

/// `2026-11-21 10:02:03.000`, in the session's time zone, which is UTC.
fn set_time(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.get(..19)?.replace(' ', "T").parse().ok()?;
    vendor_time::plausible(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A public key, and its fingerprint as OpenSSL computes it.
    const KEY: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    const FINGERPRINT: &str = "SHA256:oekVYFTgT6yJmunydRMs3Ael28TqLCrTof/G4NJTaB8=";

    #[test]
    fn a_slot_is_free_only_where_both_its_rows_say_so() {
        let taken = || -> Result<Option<KeyId>, Unclear> { Ok(Some(KeyId::parse(FINGERPRINT).unwrap())) };
        let unusable = [None, Some(""), Some("null"), Some("SHA256:short"), Some("********")];
        for fingerprint in unusable {
            assert_eq!(held(Some(KEY), fingerprint), taken(), "{fingerprint:?}");
            assert_eq!(held(Some("********"), fingerprint), Err(Unclear), "{fingerprint:?}");
        }
        for key in [None, Some(""), Some("null"), Some("********"), Some(KEY)] {
            assert_eq!(held(key, Some(FINGERPRINT)), taken(), "{key:?}");
        }
        for free in ["", "null"] {
            assert_eq!(held(Some(free), Some("null")), Ok(None));
            assert_eq!(held(Some(free), Some("")), Ok(None));
            assert_eq!(held(Some(free), Some("SHA256:short")), Err(Unclear));
            assert_eq!(held(Some(free), None), Err(Unclear));
            assert_eq!(held(None, Some(free)), Err(Unclear));
        }
        assert_eq!(held(None, None), Err(Unclear));
    }

    #[test]
    fn the_time_of_setting_is_read_as_far_as_it_is_plain() {
        let at = set_time("2026-11-21 10:02:03.000");
        assert_eq!(at.map(|at| at.to_string()).as_deref(), Some("2026-11-21T10:02:03Z"));
        assert_eq!(set_time("yesterday"), None);
        assert_eq!(set_time(""), None);
    }
}
