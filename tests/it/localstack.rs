//! The compiled program against LocalStack: the wire as AWS speaks it.
//!
//! Leans on LocalStack, because it was not written here: a request that it does not understand, or a reply of its that
//! the program does not, shows up nowhere else. It checks no signature and accepts a disabled key, so what the program
//! promises about keys is proven by the other suites, against the strict fake.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod sealed;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use rotate_fixtures::{LocalStack, Ran};
use tempfile::TempDir;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// A user with a key and a bucket in LocalStack, under names of their own.
struct Account {
    folder: TempDir,
    user: String,
    old_key: String,
    iam: aws_sdk_iam::Client,
}

impl Account {
    async fn new(name: &str) -> Self {
        let config = sdk();
        let iam = aws_sdk_iam::Client::new(&config);
        let user = format!("user-of-{name}");
        iam.create_user().user_name(&user).send().await.unwrap();
        let created = iam.create_access_key().user_name(&user).send().await.unwrap();
        let old_key = created.access_key.unwrap().access_key_id;
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(true)
            .build();
        let bucket = format!("bucket-of-{name}");
        aws_sdk_s3::Client::from_conf(s3)
            .create_bucket()
            .bucket(bucket)
            .send()
            .await
            .unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            user,
            old_key,
            iam,
        }
    }

    fn target(&self) -> String {
        format!("s3-customer-managed/{}", self.user)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(ROTATE);
        command
            .env_clear()
            .envs(LocalStack::shared().env())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .arg("--state-dir")
            .arg(self.path("state"))
            .args(["--verify-spacing", "0s", "--list-spacing", "1s"])
            .args(arguments);
        command
    }

    fn rotate(&self, more: &[&str]) -> Ran {
        let bucket = self.user.replace("user-of", "bucket-of");
        let destination = format!("file:{}", self.path("key.env").display());
        let mut command = self.command(&["s3-customer-managed", "--user", &self.user, "--bucket", &bucket]);
        command.args(["--deliver", &destination]).args(more);
        Ran::of(command)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// The user's keys: id and whether it is active.
    async fn keys(&self) -> Vec<(String, bool)> {
        let listed = self.iam.list_access_keys().user_name(&self.user).send().await.unwrap();
        let key = |key: &aws_sdk_iam::types::AccessKeyMetadata| {
            let active = key.status() == Some(&aws_sdk_iam::types::StatusType::Active);
            (key.access_key_id().unwrap().to_owned(), active)
        };
        listed.access_key_metadata().iter().map(key).collect()
    }

    fn state(&self) -> String {
        let status = self.run(&["status", &self.target(), "--output", "json"]).expect(0);
        status.json()["targets"][0]["state"].as_str().unwrap().to_owned()
    }

    fn new_key(&self) -> String {
        let status = self.run(&["status", &self.target(), "--output", "json"]).expect(0);
        status.json()["targets"][0]["new_key"].as_str().unwrap().to_owned()
    }
}

fn sdk() -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "the emulator's own");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            credentials,
        ))
        .endpoint_url(LocalStack::shared().endpoint())
        .build()
}

#[tokio::test]
async fn a_whole_rotation_in_one_call() {
    let account = Account::new("one-call").await;
    let ran = account
        .rotate(&["--cutover", "immediate", "--soak", "0s", "--output", "json"])
        .expect(0);
    let report = &ran.json()["targets"][0];
    assert_eq!(report["state"], "done");
    assert_eq!(report["old_key"], account.old_key.as_str());
    let new_key = account.new_key();
    assert_eq!(account.keys().await, [(new_key.clone(), true)]);
    let delivered = std::fs::read_to_string(account.path("key.env")).unwrap();
    assert!(
        delivered.contains(&format!("AWS_ACCESS_KEY_ID={new_key}\n")),
        "{new_key}"
    );
    account.run(&["audit", "verify"]).expect(0);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let account = Account::new("dry-run").await;
    let ran = account.rotate(&["--dry-run"]).expect(0);
    assert!(ran.stdout.contains(&account.old_key), "{}", ran.stdout);
    assert_eq!(account.keys().await, [(account.old_key.clone(), true)]);
    assert!(!account.path("state").exists() && !account.path("key.env").exists());
}

#[tokio::test]
async fn confirm_disables_and_soak_deletes() {
    let account = Account::new("confirm").await;
    account.rotate(&[]).expect(0);
    assert_eq!(account.state(), "delivered");
    assert_eq!(account.keys().await.len(), 2);
    account.run(&["confirm", &account.target()]).expect(0);
    assert_eq!(account.state(), "deactivated");
    assert!(account.keys().await.contains(&(account.old_key.clone(), false)));
    let mut later = account.command(&["run"]);
    later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86400).to_string());
    Ran::of(later).expect(0);
    assert_eq!(account.state(), "done");
    assert_eq!(account.keys().await, [(account.new_key(), true)]);
}

#[tokio::test]
async fn rollback_brings_the_old_key_back() {
    let account = Account::new("rollback").await;
    account.rotate(&[]).expect(0);
    account.run(&["confirm", &account.target()]).expect(0);
    account.run(&["rollback", &account.target()]).expect(0);
    assert_eq!(account.state(), "rolled-back");
    assert_eq!(account.keys().await, [(account.old_key.clone(), true)]);
    assert!(!account.path("key.env").exists());
}

#[tokio::test]
async fn abort_leaves_no_trace_but_the_journal() {
    let account = Account::new("abort").await;
    account.rotate(&[]).expect(0);
    account.run(&["abort", &account.target()]).expect(0);
    assert_eq!(account.state(), "aborted");
    assert_eq!(account.keys().await, [(account.old_key.clone(), true)]);
    assert!(!account.path("key.env").exists());
}

#[tokio::test]
async fn an_unknown_user_and_a_missing_bucket_are_told() {
    let account = Account::new("missing").await;
    let ran = account.run(&[
        "s3-customer-managed",
        "--user",
        "nobody",
        "--bucket",
        "abc",
        "--deliver",
        "file:k.json",
    ]);
    let ran = ran.expect(1);
    assert!(ran.stderr.contains("failed to read user nobody"), "{}", ran.stderr);
    let destination = format!("file:{}", account.path("k.json").display());
    let arguments = [
        "s3-customer-managed",
        "--user",
        &account.user,
        "--bucket",
        "no-such-bucket",
        "--deliver",
    ];
    let mut command = account.command(&arguments);
    command.arg(destination);
    let ran = Ran::of(command).expect(1);
    assert!(
        ran.stderr.contains("bucket no-such-bucket: it does not exist"),
        "{}",
        ran.stderr
    );
    assert_eq!(account.keys().await, [(account.old_key.clone(), true)]);
}

/// The clients of another account: the emulator takes a key id of twelve digits for the account's number.
fn sdk_of(account: &str) -> SdkConfig {
    let credentials = Credentials::new(account, "test", None, None, "the emulator's own");
    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(credentials);
    sdk().into_builder().credentials_provider(provider).build()
}

/// A user with a key, a bucket of its own, and a role that may manage it, in an account.
async fn populate(account: &str, user: &str) -> String {
    let config = sdk_of(account);
    let iam = aws_sdk_iam::Client::new(&config);
    let trust =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}"#;
    let role = iam
        .create_role()
        .role_name("rotator")
        .assume_role_policy_document(trust);
    // The second user of an account finds the role there.
    let _ = role.send().await;
    // LocalStack enforces no policy; but its simulator takes for denied what is not allowed word for word.
    let calls = [
        "GetUser",
        "ListAccessKeys",
        "CreateAccessKey",
        "UpdateAccessKey",
        "DeleteAccessKey",
        "GetAccessKeyLastUsed",
    ];
    let allow = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": calls.map(|call| format!("iam:{call}")),
        "Resource": [format!("arn:aws:iam::{account}:user/{user}")],
    }] });
    let policy = iam.put_role_policy().role_name("rotator").policy_name(user);
    policy.policy_document(allow.to_string()).send().await.unwrap();
    iam.create_user().user_name(user).send().await.unwrap();
    let created = iam.create_access_key().user_name(user).send().await.unwrap();
    let s3 = aws_sdk_s3::config::Builder::from(&config)
        .force_path_style(true)
        .build();
    let bucket = aws_sdk_s3::Client::from_conf(s3)
        .create_bucket()
        .bucket(format!("bucket-{user}"));
    bucket.send().await.unwrap();
    created.access_key.unwrap().access_key_id
}

#[tokio::test]
async fn one_run_keeps_a_fleet_in_two_accounts_by_two_roles() {
    const FLEET: [(&str, &str); 4] = [
        ("111111111111", "fleet-a"),
        ("111111111111", "fleet-b"),
        ("222222222222", "fleet-c"),
        ("222222222222", "fleet-d"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\naws_calls_per_second = 100\n");
    let mut old = Vec::new();
    for (account, user) in FLEET {
        old.push(populate(account, user).await);
        text.push_str(&format!(
            "\n[[target]]\nname = \"{user}\"\nconnector = \"s3-customer-managed\"\nuser = \"{user}\"\nbucket = \"bucket-{user}\"\n\
             assume_role = \"arn:aws:iam::{account}:role/rotator\"\nexternal_id = \"acme\"\ndeliver = [\"file:{}\"]\n",
            folder.path().join(format!("{user}.json")).display()
        ));
    }
    let config = folder.path().join("rotate.toml");
    std::fs::write(&config, &text).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(ROTATE);
        command
            .env_clear()
            .envs(LocalStack::shared().env())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .args(["--verify-spacing", "0s", "--list-spacing", "1s", "--state-dir"])
            .arg(folder.path().join("state"))
            .arg("--config")
            .arg(&config)
            .args(arguments);
        Ran::of(command)
    };
    run(&["run"]).expect(0).says(&["4 targets: 4 not due"]);
    run(&["run", "--due-within", "3650d"])
        .expect(0)
        .says(&["4 targets: 4 ended"]);
    for ((account, user), old) in FLEET.into_iter().zip(old) {
        let iam = aws_sdk_iam::Client::new(&sdk_of(account));
        let listed = iam.list_access_keys().user_name(user).send().await.unwrap();
        let keys: Vec<&str> = listed
            .access_key_metadata()
            .iter()
            .filter_map(|key| key.access_key_id())
            .collect();
        let document: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.path().join(format!("{user}.json"))).unwrap()).unwrap();
        assert_eq!(keys, [document["AccessKeyId"].as_str().unwrap()], "{user}");
        assert_ne!(keys, [old.as_str()]);
    }
    run(&["run"]).expect(0).says(&["4 targets: 4 not due"]);

    // Credentials of another account, where there is a user of the same name, are a mistake and no change to accept.
    let other = aws_sdk_iam::Client::new(&sdk_of("222222222222"));
    other.create_user().user_name("fleet-a").send().await.unwrap();
    other.create_access_key().user_name("fleet-a").send().await.unwrap();
    std::fs::write(&config, text.replacen("111111111111", "222222222222", 1)).unwrap();
    let again = ["run", "--due-within", "3650d", "--only", "fleet-a"];
    let told = "fleet-a was known in account 111111111111, and these credentials lead to account 222222222222";
    run(&again).expect(1).says(&[told, "another name in rotate.toml"]);
    for command in ["plan", "doctor"] {
        let ran = run(&[command]).expect(1);
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
    run(&["confirm", "fleet-a"]).expect(1);
    let listed = other.list_access_keys().user_name("fleet-a").send().await.unwrap();
    assert_eq!(listed.access_key_metadata().len(), 1);
    std::fs::write(&config, &text).unwrap();
    run(&again).expect(0).says(&["1 target: 1 ended"]);

    // The name of a one-shot's target says nothing of an account either.
    let file = format!("file:{}", folder.path().join("one.json").display());
    let order = |account: &str| {
        let role = format!("arn:aws:iam::{account}:role/rotator");
        let who = ["s3-customer-managed", "--user", "fleet-a", "--bucket", "bucket-fleet-a"];
        let by = ["--assume-role", &role, "--external-id", "acme", "--deliver", &file];
        let how = ["--cutover", "immediate", "--soak", "0s", "--again", "--yes"];
        run(&[&who[..], &by, &how].concat())
    };
    order("111111111111").expect(0);
    let told = told.replacen("fleet-a", "s3-customer-managed/fleet-a", 1);
    order("222222222222")
        .expect(1)
        .says(&[&told, "need a journal of their own: --state-dir"]);
    let listed = other.list_access_keys().user_name("fleet-a").send().await.unwrap();
    assert_eq!(listed.access_key_metadata().len(), 1);
    run(&["audit", "verify"]).expect(0);
}

/// The emulator shows a version whose label was moved away, so what is put back is proven against the strict fake.
#[cfg(feature = "secretsmanager")]
#[tokio::test]
async fn a_key_is_delivered_into_a_secret_of_secrets_manager_beside_what_is_there() {
    let account = Account::new("secret").await;
    let store = aws_sdk_secretsmanager::Client::new(&sdk());
    let found = r#"{"theirs":12345678901234567890123}"#;
    let create = store.create_secret().name("gainsight/s3").secret_string(found);
    create.send().await.unwrap();
    account.rotate(&["--deliver", "secretsmanager:gainsight/s3"]).expect(0);
    let read = store.get_secret_value().secret_id("gainsight/s3").send().await.unwrap();
    let held = read.secret_string().unwrap();
    assert!(held.starts_with(r#"{"theirs":12345678901234567890123,"#), "{held}");
    let fields: serde_json::Value = serde_json::from_str(held).unwrap();
    assert_eq!(fields["access_key_id"], account.new_key().as_str());
    let file = std::fs::read_to_string(account.path("key.env")).unwrap();
    assert!(file.contains(fields["secret_access_key"].as_str().unwrap()));
}

/// The emulator changes types, and takes any length and any label, so those promises are kept before the strict fake.
#[cfg(feature = "ssm")]
#[tokio::test]
async fn a_key_is_delivered_into_a_parameter_of_systems_manager_and_taken_back() {
    use aws_sdk_ssm::types::{ParameterTier, ParameterType};

    let account = Account::new("parameter").await;
    let store = aws_sdk_ssm::Client::new(&sdk());
    let found = r#"{"theirs":12345678901234567890123,"access_key_id":"AKIAOLDER","secret_access_key":"older"}"#;
    let create = store.put_parameter().name("/gainsight/s3").value(found);
    let create = create.r#type(ParameterType::SecureString).tier(ParameterTier::Advanced);
    create.key_id("alias/theirs").send().await.unwrap();
    let read = async || {
        let reply = store.get_parameter().name("/gainsight/s3").with_decryption(true);
        let parameter = reply.send().await.unwrap().parameter.unwrap();
        assert_eq!(parameter.r#type(), Some(&ParameterType::SecureString));
        parameter.value.unwrap()
    };
    account.rotate(&["--deliver", "ssm:/gainsight/s3"]).expect(0);
    let held = read().await;
    assert!(held.starts_with(r#"{"theirs":12345678901234567890123,"#), "{held}");
    let fields: serde_json::Value = serde_json::from_str(&held).unwrap();
    assert_eq!(fields["access_key_id"], account.new_key().as_str());
    let history = store
        .get_parameter_history()
        .name("/gainsight/s3")
        .send()
        .await
        .unwrap();
    let last = history.parameters().last().unwrap();
    assert_eq!((last.version(), last.key_id()), (2, Some("alias/theirs")));
    assert_eq!(last.tier(), Some(&ParameterTier::Advanced));
    account.run(&["abort", &account.target()]).expect(0);
    assert_eq!(read().await, found);
}
