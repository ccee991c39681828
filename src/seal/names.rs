//! Under which names secrets are sealed, and which events of the journal seal one.

use crate::machine::Event;

/// The new key's secret.
pub const NEW_KEY: &str = "new-key";

/// The secret that is replaced where it stands.
pub const OLD_KEY: &str = "old-key";

/// What a destination held before.
pub fn before(destination: &str) -> String {
    format!("before/{destination}")
}

/// What a secret is for: the rotation, and its name there.
pub fn label(rotation: &str, name: &str) -> String {
    format!("{rotation}/{name}")
}

/// The name of the secret that is sealed, in the same transaction, with this event. It stays until the rotation has ended.
pub fn sealed_with(event: &Event) -> Option<String> {
    match event {
        Event::Created { .. } | Event::Minted { .. } | Event::Generated { .. } => Some(NEW_KEY.to_owned()),
        Event::OldSealed => Some(OLD_KEY.to_owned()),
        Event::DeliverIntended { destination } => Some(before(destination)),
        _ => None,
    }
}
