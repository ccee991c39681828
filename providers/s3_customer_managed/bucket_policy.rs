//! What a bucket's own policy says of who may list it from where.
//!
//! Only one thing is looked for: a Deny that may meet the rotated user's `s3:ListBucket` and depends on the network that a
//! call comes from. Whether it meets this machine shows when the new key is used here. Elements and their forms:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>.

use serde_json::{Map, Value};

use crate::contract::Principal;

/// The action that a new key is proven with.
const LIST: &str = "s3:listbucket";

/// Condition keys that tell where a call comes from, in small letters.
const NETWORK: [&str; 5] = [
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpceorgid",
];

/// The network's condition keys on which it depends whether this policy denies the listing of this bucket to this user, as
/// the policy writes them. Where the policy cannot be read, none.
pub(super) fn networks(policy: &str, bucket: &str, user: &Principal) -> Vec<String> {
    let Ok(Value::Object(policy)) = serde_json::from_str(policy) else {
        return Vec::new();
    };
    let denials = several(policy.get("Statement"))
        .into_iter()
        .filter_map(Value::as_object)
        .filter(|statement| statement.get("Effect").and_then(Value::as_str) == Some("Deny"))
        .filter(|statement| is_about_listing(statement, bucket) && concerns(statement, user));
    let mut keys: Vec<String> = denials.flat_map(network_keys).collect();
    keys.sort();
    keys.dedup();
    keys
}

fn is_about_listing(statement: &Map<String, Value>, bucket: &str) -> bool {
    let action = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => texts(actions).iter().any(|pattern| fits(pattern, LIST)),
        (None, Some(others)) => !texts(others).iter().any(|pattern| fits(pattern, LIST)),
        (None, None) => false,
    };
    let is_the_bucket = |pattern: &&str| pattern.splitn(6, ':').last().is_some_and(|name| fits(name, bucket));
    let resource = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(resources), _) => texts(resources).iter().any(is_the_bucket),
        (None, Some(others)) => !texts(others).iter().any(is_the_bucket),
        (None, None) => false,
    };
    action && resource
}

/// Whether the user is among those whom the statement denies; in doubt it is.
fn concerns(statement: &Map<String, Value>, user: &Principal) -> bool {
    let Some(named) = statement.get("Principal") else {
        return true;
    };
    let of_aws = named.get("AWS").unwrap_or(named);
    let account = format!(":{}:", user.account);
    texts(of_aws).iter().any(|name| {
        *name == "*"
            || *name == user.account
            || *name == user.id
            || (name.contains(&account) && (name.ends_with(":root") || name.ends_with(&format!("/{}", user.name))))
    })
}

fn network_keys(statement: &Map<String, Value>) -> Vec<String> {
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let keys = conditions
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flat_map(Map::keys);
    keys.filter(|key| NETWORK.contains(&key.to_ascii_lowercase().as_str()))
        .cloned()
        .collect()
}

/// One value, or a list of them.
fn several(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    several(Some(value)).into_iter().filter_map(Value::as_str).collect()
}

/// Whether a pattern with `*` for any letters and `?` for one fits; capitals do not matter in actions and do not occur in
/// the names of buckets. The longest way that any star can take is tried once for each letter.
fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_ascii_lowercase().chars().collect();
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    spread(&pattern, &mut reached);
    for letter in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, sign) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match sign {
                '*' => next[at] = true,
                '?' => next[at + 1] = true,
                sign if *sign == letter => next[at + 1] = true,
                _ => {}
            }
        }
        spread(&pattern, &mut next);
        reached = next;
    }
    reached[pattern.len()]
}

/// A star may stand for nothing.
fn spread(pattern: &[char], reached: &mut [bool]) {
    for (at, sign) in pattern.iter().enumerate() {
        if *sign == '*' && reached[at] {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{fits, networks};
    use crate::contract::Principal;

    fn found(statement: serde_json::Value) -> Vec<String> {
        let user = Principal {
            account: "123456789012".to_owned(),
            name: "gainsight-s3".to_owned(),
            id: "AIDAEXAMPLE".to_owned(),
        };
        let policy = json!({ "Version": "2012-10-17", "Statement": statement });
        networks(&policy.to_string(), "acme-data", &user)
    }

    #[test]
    fn a_denial_that_depends_on_the_network_is_found_in_every_form_that_a_policy_has() {
        let deny = |principal: serde_json::Value, action: serde_json::Value| {
            json!({
                "Effect": "Deny",
                "Principal": principal,
                "Action": action,
                "Resource": ["arn:aws:s3:::acme-data", "arn:aws:s3:::acme-data/*"],
                "Condition": { "NotIpAddress": { "aws:SourceIp": ["192.0.2.0/24"] } },
            })
        };
        for principal in [
            json!("*"),
            json!({ "AWS": "*" }),
            json!({ "AWS": ["123456789012"] }),
            json!({ "AWS": "arn:aws:iam::123456789012:root" }),
            json!({ "AWS": ["AIDAOTHER", "arn:aws:iam::123456789012:user/etl/gainsight-s3"] }),
            json!({ "AWS": "AIDAEXAMPLE" }),
        ] {
            for action in [
                json!("s3:*"),
                json!(["s3:GetObject", "s3:List*"]),
                json!("*"),
                json!("S3:ListBucket"),
            ] {
                let statement = deny(principal.clone(), action.clone());
                assert_eq!(found(statement.clone()), ["aws:SourceIp"], "{principal} {action}");
                assert_eq!(found(json!([statement])), ["aws:SourceIp"], "{principal} {action}");
            }
        }
        let endpoints = json!({
            "Effect": "Deny", "NotPrincipal": { "AWS": "arn:aws:iam::123456789012:user/other" }, "NotAction": "s3:Put*",
            "NotResource": "arn:aws:s3:::acme-logs",
            "Condition": { "StringNotEquals": { "AWS:sourcevpce": "vpce-1", "aws:PrincipalTag/a": "b" } },
        });
        assert_eq!(found(endpoints), ["AWS:sourcevpce"]);
    }

    #[test]
    fn what_denies_others_or_something_else_or_for_another_reason_is_not_in_the_way() {
        let condition = json!({ "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } });
        for (effect, principal, action, resource, condition) in [
            ("Allow", "*", "s3:*", "arn:aws:s3:::acme-data", &condition),
            (
                "Deny",
                "arn:aws:iam::123456789012:user/other",
                "s3:*",
                "arn:aws:s3:::acme-data",
                &condition,
            ),
            (
                "Deny",
                "arn:aws:iam::210987654321:root",
                "s3:*",
                "arn:aws:s3:::acme-data",
                &condition,
            ),
            ("Deny", "*", "s3:PutObject", "arn:aws:s3:::acme-data", &condition),
            ("Deny", "*", "s3:*", "arn:aws:s3:::acme-data/*", &condition),
            (
                "Deny",
                "*",
                "s3:*",
                "arn:aws:s3:::acme-data",
                &json!({ "Bool": { "aws:SecureTransport": "false" } }),
            ),
        ] {
            let statement = json!({
                "Effect": effect, "Principal": { "AWS": principal }, "Action": action, "Resource": resource,
                "Condition": condition,
            });
            assert!(found(statement.clone()).is_empty(), "{statement}");
        }
        assert!(found(json!("nonsense")).is_empty());
        assert!(found(json!([[], {}, { "Effect": "Deny" }])).is_empty());
    }

    #[test]
    fn a_pattern_has_stars_and_question_marks_and_takes_no_time() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("s3:?istBucket", "s3:listbucket", true),
            ("s3:*bucket*", "s3:listbucket", true),
            ("s3:*buckets", "s3:listbucket", false),
            ("", "a", false),
            ("a", "", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!fits(&"*a".repeat(400), &"a".repeat(399)));
    }
}
