//! Whatever key boto3 takes, the program takes.

use rotate_fixtures::aws::Boto3;
use serde_json::{Value, json};

use crate::as_aws_tools::desk::{Desk, section};

/// Asks who is calling, with the profile that is named, and says what it took.
const ASK: &str = r#"
import json, sys, boto3, botocore.exceptions
profile = json.load(sys.stdin)
try:
    session = boto3.Session(profile_name=profile)
    region = session.region_name or "us-east-1"
    session.client("sts", region_name=region).get_caller_identity()
    print(json.dumps({"key": session.get_credentials().access_key}))
except botocore.exceptions.BotoCoreError as error:
    print(json.dumps({"error": type(error).__name__}))
except botocore.exceptions.ClientError as error:
    print(json.dumps({"refused": error.response["Error"]["Code"]}))
"#;

/// What is set in one case: a profile has the key of this number, and the environment, if it has one, the fourth.
struct Case {
    name: &'static str,
    profile: Option<&'static str>,
    variables: &'static [(&'static str, &'static str)],
    has_environment_key: bool,
    credentials: &'static [(&'static str, usize)],
    config: &'static str,
}

const PLAIN: Case = Case {
    name: "",
    profile: None,
    variables: &[],
    has_environment_key: false,
    credentials: &[("default", 0), ("a", 1), ("b", 2)],
    config: "",
};

const CASES: &[Case] = &[
    Case {
        name: "the default profile",
        ..PLAIN
    },
    Case {
        name: "the environment before the default profile",
        has_environment_key: true,
        ..PLAIN
    },
    Case {
        name: "a named profile before the environment",
        profile: Some("a"),
        has_environment_key: true,
        ..PLAIN
    },
    Case {
        name: "AWS_PROFILE",
        variables: &[("AWS_PROFILE", "b")],
        ..PLAIN
    },
    Case {
        name: "AWS_DEFAULT_PROFILE",
        variables: &[("AWS_DEFAULT_PROFILE", "b")],
        ..PLAIN
    },
    Case {
        name: "the environment before AWS_PROFILE",
        variables: &[("AWS_PROFILE", "b")],
        has_environment_key: true,
        ..PLAIN
    },
    Case {
        name: "a named profile before AWS_PROFILE",
        profile: Some("a"),
        variables: &[("AWS_PROFILE", "b")],
        ..PLAIN
    },
    Case {
        name: "a profile that is not there",
        profile: Some("c"),
        has_environment_key: true,
        ..PLAIN
    },
    Case {
        name: "AWS_PROFILE that is not there",
        variables: &[("AWS_PROFILE", "c")],
        ..PLAIN
    },
    Case {
        name: "AWS_PROFILE that is not there, beside keys",
        variables: &[("AWS_PROFILE", "c")],
        has_environment_key: true,
        ..PLAIN
    },
    Case {
        name: "no credentials at all",
        credentials: &[],
        ..PLAIN
    },
    Case {
        name: "the default named",
        profile: Some("default"),
        has_environment_key: true,
        ..PLAIN
    },
    Case {
        name: "a role of a profile, with another profile's key",
        profile: Some("r"),
        has_environment_key: true,
        config: "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/rotator\nsource_profile = a\n",
        ..PLAIN
    },
    Case {
        name: "a role of a profile, with the environment's key",
        profile: Some("r"),
        has_environment_key: true,
        config: "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/rotator\ncredential_source = Environment\n",
        ..PLAIN
    },
    Case {
        name: "a source profile that is not there",
        profile: Some("r"),
        config: "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/rotator\nsource_profile = aa\n",
        ..PLAIN
    },
    Case {
        name: "a profile that is its own source and holds no keys",
        profile: Some("r"),
        config: "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/rotator\nsource_profile = r\n",
        ..PLAIN
    },
    Case {
        name: "a process that fails",
        profile: Some("p"),
        has_environment_key: true,
        config: "[profile p]\ncredential_process = sh -c 'exit 3'\n",
        ..PLAIN
    },
    Case {
        name: "a login that was never made",
        profile: Some("s"),
        has_environment_key: true,
        config: "[profile s]\nsso_session = main\nsso_account_id = 123456789012\nsso_role_name = admin\n[sso-session main]\n\
                 sso_start_url = http://127.0.0.1:9/start\nsso_region = us-east-1\n",
        ..PLAIN
    },
];

#[test]
fn whatever_key_boto3_takes_rotate_takes() {
    let boto3 = Boto3::install();
    for case in CASES {
        let mut desk = Desk::new();
        let keys = [desk.key(), desk.key(), desk.key(), desk.key()];
        let text: String = case
            .credentials
            .iter()
            .map(|(name, at)| section(name, &keys[*at]))
            .collect();
        desk.credentials(&text).config(case.config);
        for (name, value) in case.variables {
            desk = desk.with(name, value);
        }
        if case.has_environment_key {
            desk = desk.with_key(&keys[3]);
        }
        let answer = boto3.run(ASK, &desk.place.path(""), &desk.environment, &json!(case.profile));
        let assumed_by_boto3 = desk.signer("AssumeRole");
        desk.place.cloud.reset_calls();
        let profile: Vec<&str> = case.profile.into_iter().flat_map(|name| ["--profile", name]).collect();
        let ran = desk.rotate(&[&["--dry-run"], profile.as_slice()].concat());
        let signed = desk.signer("GetUser");
        match &answer["key"] {
            Value::String(key) if key.starts_with("AKIA") => {
                assert_eq!(signed.as_ref(), Some(key), "{}\n{ran:#?}", case.name)
            }
            // A session: boto3 and the program each have one of their own, for the same role.
            Value::String(_) => {
                assert!(
                    signed.is_some_and(|key| key.starts_with("ASIA")),
                    "{}\n{ran:#?}",
                    case.name
                );
                assert_eq!(desk.signer("AssumeRole"), assumed_by_boto3, "{}", case.name);
            }
            _ => {
                assert_eq!((ran.code, signed), (Some(1), None), "{}: {answer}\n{ran:#?}", case.name);
                assert_eq!(desk.place.cloud.call_count(), 0, "{}: {answer}\n{ran:#?}", case.name);
            }
        }
    }
}
