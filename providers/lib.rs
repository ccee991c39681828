//! The connectors of `rotate`.
//!
//! A folder here is a connector, a file is shared. The list below is the registry: explicit and alphabetical, and a test
//! fails when a folder is missing from it.

mod authorities;
mod call;
pub mod contract;
pub mod endpoint;
mod environment;
mod fault;
pub mod field;
pub mod folder;
pub mod guide;
mod hooks;
mod key_id;
mod patience;
pub mod private_file;
pub mod regular;
pub mod s3_customer_managed;
pub mod secret;
pub mod shell;
pub mod snowflake_keypair;
mod sql_name;
pub mod untrusted;
pub mod vendor_time;
mod vendors;
mod way;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use contract::{Error, Provider};
use field::Field;
use guide::{Flaw, Guide};
use serde_json::Value;

pub use vendors::{Access, Ask, CredentialsFrom, Vendors};

/// Every connector, by id.
pub const CONNECTORS: &[Connector] = &[
    guided("aha", include_str!("aha/guide.toml")),
    guided("bigquery-oauth", include_str!("bigquery_oauth/guide.toml")),
    guided(
        "bigquery-service-account",
        include_str!("bigquery_service_account/guide.toml"),
    ),
    guided("bulk-api", include_str!("bulk_api/guide.toml")),
    guided("bulk-api-oauth", include_str!("bulk_api_oauth/guide.toml")),
    guided("custom-rest-api", include_str!("custom_rest_api/guide.toml")),
    guided("databricks-oauth", include_str!("databricks_oauth/guide.toml")),
    guided("databricks-password", include_str!("databricks_password/guide.toml")),
    guided("dynamics-certificate", include_str!("dynamics_certificate/guide.toml")),
    guided(
        "dynamics-client-secret",
        include_str!("dynamics_client_secret/guide.toml"),
    ),
    guided("ecosystem", include_str!("ecosystem/guide.toml")),
    guided("eventstream", include_str!("eventstream/guide.toml")),
    guided("freshdesk", include_str!("freshdesk/guide.toml")),
    guided("gainsight-api-key", include_str!("gainsight_api_key/guide.toml")),
    guided("gainsight-api-m2m", include_str!("gainsight_api_m2m/guide.toml")),
    guided("google-analytics", include_str!("google_analytics/guide.toml")),
    guided("jira", include_str!("jira/guide.toml")),
    guided("mixpanel", include_str!("mixpanel/guide.toml")),
    guided("mysql", include_str!("mysql/guide.toml")),
    guided("postgres", include_str!("postgres/guide.toml")),
    guided("productboard", include_str!("productboard/guide.toml")),
    guided("redshift", include_str!("redshift/guide.toml")),
    automated(
        &s3_customer_managed::AUTOMATION,
        include_str!("s3_customer_managed/guide.toml"),
    ),
    guided("s3-gs-managed", include_str!("s3_gs_managed/guide.toml")),
    guided("sap-datasphere", include_str!("sap_datasphere/guide.toml")),
    guided("segment", include_str!("segment/guide.toml")),
    guided("servicenow", include_str!("servicenow/guide.toml")),
    automated(
        &snowflake_keypair::AUTOMATION,
        include_str!("snowflake_keypair/guide.toml"),
    ),
    guided("snowflake-oauth", include_str!("snowflake_oauth/guide.toml")),
    guided("snowflake-password", include_str!("snowflake_password/guide.toml")),
    guided("zuora", include_str!("zuora/guide.toml")),
];

/// The connector of this id.
pub fn connector(id: &str) -> Option<&'static Connector> {
    CONNECTORS.iter().find(|connector| connector.id == id)
}

/// What rotates the connector of this id through the vendor's API.
pub fn automation(id: &str) -> Option<&'static Automation> {
    connector(id)?.automation
}

/// One kind of credential at one vendor.
pub struct Connector {
    /// The id, which is also its command: `s3-customer-managed`.
    pub id: &'static str,
    /// What rotates it through the vendor's API, where there is anything.
    pub automation: Option<&'static Automation>,
    guide: &'static str,
}

impl Connector {
    /// The procedure by hand, which every connector has.
    pub fn guide(&self) -> Result<Guide, Flaw> {
        Guide::read(self.guide)
    }
}

const fn guided(id: &'static str, guide: &'static str) -> Connector {
    Connector {
        id,
        automation: None,
        guide,
    }
}

const fn automated(automation: &'static Automation, guide: &'static str) -> Connector {
    Connector {
        id: automation.id,
        automation: Some(automation),
        guide,
    }
}

/// What the driver has to know of a vendor beside its [`Provider`].
pub struct Automation {
    /// The connector's id.
    pub id: &'static str,
    /// What it rotates, in a few words.
    pub title: &'static str,
    /// Builds the provider from the inputs that were recorded when the rotation was opened.
    pub connect: fn(Value, &Arc<Vendors>) -> Connecting,
    /// What a person does at the consumer to move it to the new key, one action a line.
    /// `{key}` stands for the new key's id, `{destination}` for where its secret lies.
    pub handover: &'static [&'static str],
    /// How the administrator's credentials are given.
    pub credentials: &'static str,
    /// How a person finds out whether they work.
    pub try_credentials: &'static str,
    /// Whether a host, in small letters, is the vendor's own. The whole name is looked at: anybody can rent one that ends like
    /// a vendor's.
    pub is_vendors_host: fn(&str) -> bool,
    /// Where an endpoint may come from.
    pub endpoint_from: &'static str,
    /// Whether the vendor can disable a key; others only remove it.
    pub disables: bool,
    /// Whether a login can be proven apart from the permission that the consumer needs.
    pub tells_identity: bool,
    /// Whether the program may be told to rotate the key that it runs on itself.
    pub rotates_itself: bool,
    /// What its secrets are, which decides where they can be delivered.
    pub secret: SecretKind,
    /// What it is told.
    pub fields: &'static [Field],
}

/// What a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// A key id and a secret, both short text.
    AccessKey,
    /// A private key in PEM.
    PrivateKey,
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
            .filter(|entry| entry.path().join("guide.toml").exists() || entry.path().join("mod.rs").exists())
            .map(|entry| entry.file_name().into_string().unwrap().replace('_', "-"))
            .collect();
        folders.sort();
        let registered: Vec<&str> = CONNECTORS.iter().map(|connector| connector.id).collect();
        assert_eq!(registered, folders);
    }
}
