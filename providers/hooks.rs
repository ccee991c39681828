//! What the test suite needs inside the connectors: keys that take no time to make, and connectors of its own.
//!
//! Without the feature `test-hooks`, which no release build has, there are none.

use crate::Connector;

/// A private key in PEM that a test has put aside; each is given away once.
#[cfg(feature = "test-hooks")]
pub(crate) fn ready_made_key() -> Option<String> {
    /// A folder of such keys.
    const KEYS: &str = "ROTATE_TEST_KEYS";
    let entries = std::fs::read_dir(std::env::var_os(KEYS)?).ok()?;
    let waiting = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut waiting: Vec<_> = waiting
        .filter(|path| path.extension().is_some_and(|ending| ending == "p8"))
        .collect();
    waiting.sort();
    let first = waiting.into_iter().next()?;
    let taken = first.with_extension("taken");
    std::fs::rename(first, &taken).ok()?;
    std::fs::read_to_string(taken).ok()
}

/// There are none.
#[cfg(not(feature = "test-hooks"))]
pub(crate) fn ready_made_key() -> Option<String> {
    None
}

/// The connectors that only tests have, where one asks for them.
#[cfg(feature = "test-hooks")]
pub(crate) fn test_connectors() -> impl Iterator<Item = &'static Connector> {
    let are_asked_for = std::env::var_os("ROTATE_TEST_CONNECTOR").is_some();
    let all = [&crate::test_connector::CONNECTOR, &crate::test_password::CONNECTOR];
    all.into_iter().filter(move |_| are_asked_for)
}

/// There are none.
#[cfg(not(feature = "test-hooks"))]
pub(crate) fn test_connectors() -> impl Iterator<Item = &'static Connector> {
    std::iter::empty()
}
