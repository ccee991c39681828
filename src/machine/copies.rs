//! What the destinations of a rotation hold after its end, as far as they can be read: somebody may have put another key there.

use jiff::Timestamp;
use rotate_providers::contract::KeyId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Event, Inventory};

/// What one destination holds.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldCopy {
    /// Its name.
    pub destination: String,
    /// The key that it holds. Absent where it holds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<KeyId>,
    /// Whether there is no such place any more. Absent where there is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// Destinations that do not hold what was left there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiesDrift {
    /// The key that they should hold.
    pub expected: KeyId,
    /// Those that do not.
    pub copies: Vec<HeldCopy>,
    /// Since when that is known.
    pub since: Timestamp,
}

impl CopiesDrift {
    /// What has changed, in words.
    pub fn words(&self) -> String {
        let one = |copy: &HeldCopy| {
            let name = &copy.destination;
            match &copy.held {
                _ if copy.gone => {
                    format!("destination {name} is gone, or these credentials do not lead there any more")
                }
                Some(key) => format!("destination {name} holds key {key}, and not {}", self.expected),
                None => format!("destination {name} holds no key, and not {}", self.expected),
            }
        };
        let all: Vec<String> = self.copies.iter().map(one).collect();
        format!(
            "{}; rotate delivered {} there, which is in use",
            all.join("; "),
            self.expected
        )
    }

    /// Whether this one is among them, and holds just that.
    pub fn has(&self, copy: &HeldCopy) -> bool {
        self.copies.contains(copy)
    }
}

impl Inventory {
    /// What is known of the destinations after one more look or word.
    pub(super) fn take_copies(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::CopiesDrifted { expected, copies } => {
                self.copies = Some(Box::new(CopiesDrift {
                    expected: expected.clone(),
                    copies: copies.clone(),
                    since: at,
                }));
            }
            Event::CopiesAsLeft => self.copies = None,
            // What a person accepts is told again only once it is another key, or was put back meanwhile.
            // Whoever was told of the vendor's side has accepted that, and is told of the destinations next.
            Event::Released { .. } if self.drift.is_none() => self.accept_copies(),
            _ => {}
        }
    }

    /// What was accepted before of others stays accepted, as long as they should hold the same key.
    fn accept_copies(&mut self) {
        let Some(mut accepted) = self.copies.take() else {
            return;
        };
        let before = self.accepted_copies.take();
        let before = before.filter(|before| before.expected == accepted.expected);
        let others: Vec<HeldCopy> = before
            .into_iter()
            .flat_map(|before| before.copies)
            .filter(|copy| accepted.copies.iter().all(|new| new.destination != copy.destination))
            .collect();
        accepted.copies.extend(others);
        self.accepted_copies = Some(accepted);
    }
}
