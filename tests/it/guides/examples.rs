//! A value for every input of every guide, as a person might give it.

use std::collections::BTreeMap;

use rotate_providers::guide::Guide;

/// The value; it fits the pattern of the input, which a test makes sure of.
pub(crate) fn example(connector: &str, input: &str) -> &'static str {
    const APPLICATION: &str = "6f1c3f0e-9d1b-4b7a-8a51-2f7c9c2b1a11";
    match (connector, input) {
        ("ecosystem", "account") => "acme",
        ("snowflake-keypair" | "snowflake-password", "account") => "acme-main",
        ("bigquery-oauth", "client_id") => "123456789012-abc123.apps.googleusercontent.com",
        ("bigquery-oauth", "new_client_id") => "123456789012-def456.apps.googleusercontent.com",
        ("bulk-api-oauth" | "eventstream", "client_id") => "gainsight-loader-1",
        ("servicenow", "client_id") => "0a1b2c3d4e5f",
        ("zuora", "host") => "rest.eu.zuora.com",
        ("mixpanel", "new_account") => "gainsight.9b8c7d.mp-service-account",
        ("mixpanel", "old_account") => "gainsight.4f2a1c.mp-service-account",
        ("mixpanel", "project") => "1234567",
        ("google-analytics", "project") => "Web usage",
        ("dynamics-certificate" | "dynamics-client-secret", "tenant") => "8b87af7d-8647-4dc7-8df4-5f69a2011bb5",
        ("mysql" | "postgres" | "redshift", "user") => "gainsight_a",
        ("s3-customer-managed", "user") => "gainsight-s3",
        ("servicenow", "user") => "gainsight.reader",
        ("snowflake-keypair" | "snowflake-password", "user") => "GS_GAINSIGHT_USER",
        ("databricks-oauth" | "databricks-password", "workspace") => "dbc-a1b2345c-d6e7.cloud.databricks.com",
        ("segment", "workspace") => "Acme production",
        (_, "account" | "agent" | "user") => "gainsight@acme.com",
        (_, "account_host") => "10.0.%",
        (_, "application") => "Data loader",
        (_, "bucket") => "acme-data",
        (_, "client") => "data-lake",
        (_, "client_id") => APPLICATION,
        (_, "new_client_id") => "9f8e7d6c5b4a",
        (_, "company" | "domain" | "instance" | "site" | "workspace") => "acme",
        (_, "connection") => "Web shop",
        (_, "custom_connector") => "Slack messages",
        (_, "database") => "analytics",
        (_, "database_user") => "SALES#GAINSIGHT",
        (_, "folder") => "gainsight-dynamics",
        ("sap-datasphere", "held") => "no",
        (_, "held") => "yes",
        ("mixpanel", "kind") => "service-account",
        (_, "kind") => "header",
        ("snowflake-password", "user_stays") => "no",
        ("databricks-password", "kept") => "token",
        ("bigquery-oauth", "replace") => "secret",
        (_, "keys") => "one",
        (_, "can_rest" | "shared" | "two_at_once" | "person_keeps_access") => "yes",
        (_, "way") => "second",
        (_, "new_consent" | "parameters") => "yes",
        (_, "provider") => "snowflake",
        (_, "successor") => "key-pair",
        (_, "google_account" | "old_account") => "maria@acme.com",
        (_, "host") => "eu.mixpanel.com",
        (_, "integration") => "GAINSIGHT_OAUTH",
        (_, "key_file") => "new-key.json",
        (_, "new_account") => "gainsight@acme.com",
        (_, "new_key") => "AKIAI44QH8DHBEXAMPLE",
        (_, "new_user") => "gainsight_b",
        (_, "object") => "Page views",
        (_, "old_key") => "AKIAIOSFODNN7EXAMPLE",
        (_, "old_key_id") => "0123456789abcdef0123456789abcdef01234567",
        (_, "org") => "acme.crm4.dynamics.com",
        (_, "port") => "6543",
        (_, "prefix") => "gainsight/",
        (_, "probe_header") => "X-Api-Key",
        (_, "probe_marker") => "\"email\"",
        (_, "probe_user") => "gainsight",
        (_, "probe_url") => "https://api.acme.com/v1/me",
        (_, "project") => "acme-data",
        (_, "property") => "123456789",
        (_, "region") => "eu-central-1",
        (_, "server") => "db.acme.com",
        (_, "service_account") => "gainsight@acme-data.iam.gserviceaccount.com",
        (_, "space") => "SALES",
        (_, "system") => "slack",
        (_, "tenant") => "acme.gainsightcloud.com",
        _ => "no example",
    }
}

/// An example for every input of this guide.
pub(crate) fn examples(connector: &str, guide: &Guide) -> BTreeMap<String, String> {
    let names = guide.inputs.iter().map(|input| input.name.to_string());
    names
        .map(|name| (name.clone(), example(connector, &name).to_owned()))
        .collect()
}
