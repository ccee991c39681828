//! The connectors of `rotate`.
//!
//! A folder here is a connector, a file is shared. The list below is the registry: explicit and alphabetical, and a test
//! fails when a folder is missing from it.

pub mod authorities;
mod automation;
mod call;
pub mod contract;
pub mod controls;
pub mod endpoint;
mod environment;
mod error;
mod fault;
pub mod folder;
pub mod form;
pub mod guide;
mod hooks;
pub mod inputs;
mod key_id;
pub mod password;
mod patience;
mod phase;
pub mod private_file;
mod refused;
pub mod regular;
pub mod s3_customer_managed;
pub mod secret;
pub mod secret_from;
pub mod shell;
pub mod snowflake_keypair;
mod sql_name;
#[cfg(feature = "test-hooks")]
mod test_connector;
#[cfg(feature = "test-hooks")]
mod test_password;
#[cfg(feature = "test-hooks")]
mod test_vendor;
pub mod trace;
pub mod untrusted;
pub mod vendor_time;
mod vendors;
mod way;
pub mod web;

use guide::{Flaw, Guide};

pub use phase::PhaseName;

pub use automation::{Automation, Capabilities, Connecting, KeyShown, ShownKey, Unready, VendorPace, is_public};
pub use vendors::{Access, Ask, CredentialsFrom, Paces, Vendors};

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
    guided("freshdesk", include_str!("freshdesk/guide.toml")).with_example(include_str!("freshdesk/example.toml")),
    guided("gainsight-api-key", include_str!("gainsight_api_key/guide.toml")),
    guided("gainsight-api-m2m", include_str!("gainsight_api_m2m/guide.toml")),
    guided("google-analytics", include_str!("google_analytics/guide.toml")),
    guided("jira", include_str!("jira/guide.toml")),
    guided("mixpanel", include_str!("mixpanel/guide.toml")),
    guided("mysql", include_str!("mysql/guide.toml")),
    guided("postgres", include_str!("postgres/guide.toml")),
    guided("productboard", include_str!("productboard/guide.toml")),
    guided("redshift", include_str!("redshift/guide.toml")),
    s3_customer_managed::CONNECTOR,
    guided("s3-gs-managed", include_str!("s3_gs_managed/guide.toml")).with_probe(s3_customer_managed::probe),
    guided("sap-datasphere", include_str!("sap_datasphere/guide.toml")),
    guided("segment", include_str!("segment/guide.toml")),
    guided("servicenow", include_str!("servicenow/guide.toml")),
    snowflake_keypair::CONNECTOR,
    guided("snowflake-oauth", include_str!("snowflake_oauth/guide.toml")),
    guided("snowflake-password", include_str!("snowflake_password/guide.toml")),
    guided("zuora", include_str!("zuora/guide.toml")),
];

/// Every connector, by id, and in tests that ask for them those that are theirs alone.
pub fn connectors() -> impl Iterator<Item = &'static Connector> {
    CONNECTORS.iter().chain(hooks::test_connectors())
}

/// The connector of this id.
pub fn connector(id: &str) -> Option<&'static Connector> {
    connectors().find(|connector| connector.id == id)
}

/// What rotates the connector of this id through the vendor's API.
pub fn automation(id: &str) -> Option<&'static Automation> {
    connector(id)?.automation
}

/// What the vendor of this connector can do; the least, where nobody knows.
pub fn capabilities(id: &str) -> Capabilities {
    automation(id).map_or(Capabilities::LEAST, |automation| automation.capabilities)
}

/// One kind of credential at one vendor.
pub struct Connector {
    /// The id, which is also its command: `s3-customer-managed`.
    pub id: &'static str,
    /// What rotates it through the vendor's API, where there is anything.
    pub automation: Option<&'static Automation>,
    /// How a target of it may be written, for a configuration to begin with.
    pub example: Option<&'static str>,
    /// How a credential of it is tried, where that takes code of its own.
    pub probe: Option<guide::probe::Own>,
    guide: &'static str,
}

impl Connector {
    /// The procedure by hand, which every connector has.
    pub fn guide(&self) -> Result<Guide, Flaw> {
        Guide::read_beside(self.guide, self.automation.map_or(&[], |automation| automation.inputs))
    }

    const fn with_example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    const fn with_probe(mut self, probe: guide::probe::Own) -> Self {
        self.probe = Some(probe);
        self
    }
}

const fn guided(id: &'static str, guide: &'static str) -> Connector {
    Connector {
        id,
        automation: None,
        example: None,
        probe: None,
        guide,
    }
}

const fn automated(automation: &'static Automation, guide: &'static str) -> Connector {
    Connector {
        id: automation.id,
        automation: Some(automation),
        example: None,
        probe: None,
        guide,
    }
}

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
            .filter(|id| !id.starts_with("test-"))
            .collect();
        folders.sort();
        let registered: Vec<&str> = CONNECTORS.iter().map(|connector| connector.id).collect();
        assert_eq!(registered, folders);
    }
}
