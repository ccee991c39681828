//! What the test suite needs inside the connectors: keys that take no time to make, and a connector of its own.
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

/// The connector that only tests have, where one asks for it.
#[cfg(feature = "test-hooks")]
pub(crate) fn test_connector() -> Option<&'static Connector> {
    let is_asked_for = std::env::var_os("ROTATE_TEST_CONNECTOR").is_some();
    is_asked_for.then_some(&crate::test_connector::CONNECTOR)
}

/// There is none.
#[cfg(not(feature = "test-hooks"))]
pub(crate) fn test_connector() -> Option<&'static Connector> {
    None
}
