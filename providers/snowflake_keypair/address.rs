//! Where an account is.
//!
//! A host belongs to the account that it was written down for. What is not written down follows from the account's name,
//! as in Snowflake's own connectors: <https://docs.snowflake.com/en/user-guide/admin-account-identifier>.

use url::Url;

use super::FIND;
use super::sources::{Found, Origin, Sources, is_name, plain};
use super::told::Inputs;
use crate::contract::Kind;
use crate::endpoint::check_endpoint;
use crate::fault::Fault;

/// The one region that stands in no name.
const UNNAMED_REGION: &str = "us-west-2";

/// Where accounts are.
const DOMAINS: [&str; 2] = [".snowflakecomputing.com", ".snowflakecomputing.cn"];

/// `xy12345.us-east-2.aws.privatelink`.
const MOST_LABELS: usize = 4;

/// An address, and where it was written down; `None`: it follows from the account's name.
pub(super) struct Address {
    pub(super) url: Url,
    pub(super) origin: Option<Origin>,
}

impl Address {
    pub(super) fn find(inputs: &Inputs, sources: &Sources, account: &str) -> Result<Self, Fault> {
        let (text, origin) = match &inputs.endpoint_url {
            Some(url) => (url.clone(), Some(Origin::Target("endpoint_url"))),
            None => written_down(sources, account)?,
        };
        check_endpoint(&text).map_err(|forbidden| {
            let detail = match Url::parse(&text).ok().as_ref().and_then(shown) {
                Some(shown) => format!("{forbidden}: {shown}"),
                None => forbidden.to_string(),
            };
            Fault::of(Kind::ForbiddenEndpoint, FIND, detail)
        })?;
        let url = Url::parse(&text).map_err(|_| Fault::new(FIND, "the endpoint is not a URL"))?;
        Ok(Self { url, origin })
    }
}

/// The connection's own address, unless another account than the connection's is asked for.
fn written_down(sources: &Sources, account: &str) -> Result<(String, Option<Origin>), Fault> {
    let found = |key| sources.belonging(key, account);
    let (host, origin) = match found("host") {
        Some(found) => {
            let origin = found.origin.clone();
            (found.text(), Some(origin))
        }
        None => {
            // There is no general variable for it.
            let region = sources.own("region", account).map(Found::text);
            (host_of(account, region.as_deref()), None)
        }
    };
    if !is_name(&host) || host.contains('@') {
        let detail = "the connection's host is to be a name alone: protocol and port have their own keys";
        return Err(Fault::new(FIND, detail));
    }
    let protocol = found("protocol").map_or_else(|| "https".to_owned(), Found::text);
    let text = match found("port") {
        Some(port) => format!("{protocol}://{host}:{}", port.text()),
        None => format!("{protocol}://{host}"),
    };
    Ok((text, origin))
}

/// The host of an account. Regions in China have a domain of their own.
fn host_of(account: &str, region: Option<&str>) -> String {
    // A host name has no underscores; an account's name may.
    let account = plain(account);
    let region = region.map(str::to_ascii_lowercase);
    let region = region.filter(|region| !region.is_empty() && region != UNNAMED_REGION);
    let name = match region {
        Some(region) => format!("{}.{region}", account.split('.').next().unwrap_or_default()),
        None => account,
    };
    let is_in_china = name.split('.').nth(1).is_some_and(|region| region.starts_with("cn-"));
    let domain = if is_in_china { "cn" } else { "com" };
    format!("{name}.snowflakecomputing.{domain}")
}

/// Whether this is the full name of an account's host: the account, and where it is not left out its region, its cloud and
/// the way to it. Snowflake gives these names to accounts and to nothing else.
pub(super) fn is_of_snowflake(host: &str) -> bool {
    let name = DOMAINS.into_iter().find_map(|domain| host.strip_suffix(domain));
    let Some(name) = name else {
        return false;
    };
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(fits);
    name.split('.').count() <= MOST_LABELS && name.split('.').all(is_label)
}

/// The name that an account logs in with: without its region, and without what stands for all its regions.
pub(super) fn bare_account(account: &str) -> &str {
    match account.split_once('.') {
        Some((name, rest)) if rest == "global" || rest.starts_with("global.") => {
            name.rsplit_once('-').map_or(name, |(name, _)| name)
        }
        Some((name, _)) => name,
        None => account,
    }
}

/// The scheme and the host of a URL: the whole of it may hold a password.
fn shown(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(format!("{}://{host}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `construct_hostname` of Snowflake's connector for Python has it, but for underscores, which no host name has.
    #[test]
    fn an_accounts_host_is_where_the_official_connectors_look_for_it() {
        for (account, region, host) in [
            ("MYORG-MYACCOUNT", None, "myorg-myaccount.snowflakecomputing.com"),
            ("MYORG-MY_ACCOUNT", None, "myorg-my-account.snowflakecomputing.com"),
            (
                "xy12345.eu-central-1",
                None,
                "xy12345.eu-central-1.snowflakecomputing.com",
            ),
            (
                "xy12345.us-east-1.privatelink",
                None,
                "xy12345.us-east-1.privatelink.snowflakecomputing.com",
            ),
            (
                "xy12345.cn-northwest-1",
                None,
                "xy12345.cn-northwest-1.snowflakecomputing.cn",
            ),
            (
                "xy12345.CN-NORTHWEST-1.aws",
                None,
                "xy12345.cn-northwest-1.aws.snowflakecomputing.cn",
            ),
            (
                "xy12345.cn-northwest-1.privatelink",
                None,
                "xy12345.cn-northwest-1.privatelink.snowflakecomputing.cn",
            ),
            ("cn-company", None, "cn-company.snowflakecomputing.com"),
            (
                "xy12345",
                Some("cn-northwest-1"),
                "xy12345.cn-northwest-1.snowflakecomputing.cn",
            ),
            (
                "xy12345.us-east-1",
                Some("eu-west-1"),
                "xy12345.eu-west-1.snowflakecomputing.com",
            ),
            ("xy12345", Some("us-west-2"), "xy12345.snowflakecomputing.com"),
            ("xy12345", Some(""), "xy12345.snowflakecomputing.com"),
        ] {
            assert_eq!(host_of(account, region), host, "{account} {region:?}");
        }
    }

    #[test]
    fn only_the_whole_name_of_an_accounts_host_is_one_of_snowflake() {
        for own in [
            "myorg-myaccount.snowflakecomputing.com",
            "myorg-my_account.snowflakecomputing.com",
            "xy12345.us-east-2.aws.privatelink.snowflakecomputing.com",
            "xy12345.cn-northwest-1.snowflakecomputing.cn",
        ] {
            assert!(is_of_snowflake(own), "{own}");
        }
        for other in [
            "snowflakecomputing.com",
            ".snowflakecomputing.com",
            "evilsnowflakecomputing.com",
            "x.snowflakecomputing.com.evil.example",
            "x.snowflakecomputing.com.",
            "abc-myorg-acct.snowflakecomputing.app",
            "x.snowflake.com",
            "a.b.c.d.e.snowflakecomputing.com",
            "a..snowflakecomputing.com",
            "",
        ] {
            assert!(!is_of_snowflake(other), "{other}");
        }
    }

    #[test]
    fn an_account_logs_in_without_its_region() {
        for (account, bare) in [
            ("MYORG-MYACCOUNT", "MYORG-MYACCOUNT"),
            ("xy12345.cn-northwest-1.aws", "xy12345"),
            ("xy12345.us-east-1.privatelink", "xy12345"),
            ("acme-83a9f.global", "acme"),
        ] {
            assert_eq!(bare_account(account), bare);
        }
    }
}
