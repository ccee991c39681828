//! The connectors of `rotate`.
//!
//! A folder here is a connector, a file is shared. The list below is the registry: explicit and alphabetical, and a test
//! fails when a folder is missing from it.

pub mod contract;
pub mod s3_customer_managed;
pub mod secret;

use std::future::Future;
use std::pin::Pin;

use contract::{Error, KeyId, Principal, Provider};
use serde_json::Value;

/// Every connector, by id.
pub const CONNECTORS: &[Connector] = &[s3_customer_managed::CONNECTOR];

/// The connector of this id.
pub fn connector(id: &str) -> Option<&'static Connector> {
    CONNECTORS.iter().find(|connector| connector.id == id)
}

/// One kind of credential at one vendor.
pub struct Connector {
    /// The id, which is also its command: `s3-customer-managed`.
    pub id: &'static str,
    /// What it rotates, in a few words.
    pub title: &'static str,
    /// Builds the provider from the inputs that were recorded when the rotation was opened.
    pub connect: fn(Value) -> Connecting,
    /// What a person does at the consumer to move it to the new key, one action a line.
    /// `{key}` stands for the new key's id, `{destination}` for where its secret lies.
    pub handover: &'static [&'static str],
    /// The vendor's own command that deletes a key: the way out that an error message can name.
    pub delete_by_hand: fn(&Principal, &KeyId) -> String,
}

/// A provider on its way.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Box<dyn Provider>, Error>> + Send>>;

#[cfg(test)]
mod tests {
    use super::CONNECTORS;

    #[test]
    fn every_folder_is_registered_once_and_in_order() {
        let mut folders: Vec<String> = std::fs::read_dir(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap().replace('_', "-"))
            .collect();
        folders.sort();
        let registered: Vec<&str> = CONNECTORS.iter().map(|connector| connector.id).collect();
        assert_eq!(registered, folders);
    }
}
