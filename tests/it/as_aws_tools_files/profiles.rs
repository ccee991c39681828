//! What botocore and the SDK read in a file of profiles.

use std::collections::BTreeMap;
use std::path::Path;

use aws_config::profile;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};
use serde_json::Value;

use crate::as_aws_tools_files::edit::{Edit, NEW_ID, NEW_SECRET, READERS, runtime};

pub(crate) const PREFIX: &str = "aws-profile:gainsight@";
const NAMES: [&str; 9] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "region",
    "output",
    "s3",
    "role_arn",
    "source_profile",
    "credential_process",
];

/// All profiles that the SDK finds, with the options that the corpus has; `None` where it cannot read the file.
pub(crate) fn by_the_sdk(path: &Path, is_config: bool) -> Option<BTreeMap<String, BTreeMap<String, String>>> {
    let kind = if is_config {
        EnvConfigFileKind::Config
    } else {
        EnvConfigFileKind::Credentials
    };
    let files = EnvConfigFiles::builder().with_file(kind, path).build();
    let loaded = runtime().block_on(profile::load(&Fs::real(), &Env::from_slice(&[]), &files, None));
    let all = loaded.ok()?;
    let options = |profile: &profile::Profile| {
        let found = NAMES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), profile.get(name)?.to_owned())));
        found.collect()
    };
    let found = all
        .profiles()
        .filter_map(|name| Some((name.to_owned(), options(all.get_profile(name)?))));
    Some(found.collect())
}

/// Delivers, and holds what both readers find against what they found before. Whether the file was taken.
pub(crate) fn is_delivered_or_refused(edit: &Edit, is_config: bool) -> bool {
    let before = (
        READERS.profiles(edit.path(), is_config),
        by_the_sdk(edit.path(), is_config),
    );
    if edit.deliver().is_err() {
        return false;
    }
    let text = edit.text();
    let Some(mut botocore_before) = before.0 else {
        panic!("botocore could not read this, and it was taken:\n{text}");
    };
    let mut botocore = READERS
        .profiles(edit.path(), is_config)
        .unwrap_or_else(|| panic!("botocore cannot read it any more:\n{text}"));
    let old = take(&mut botocore_before, "gainsight");
    let ours = take(&mut botocore, "gainsight");
    // To botocore a comment behind a value is a part of it, and blanks in brackets are a part of the name: it has read no
    // key before, and does not now.
    let was_none = |name: &str| {
        old[name]
            .as_str()
            .is_none_or(|value| value.contains(char::is_whitespace))
    };
    let was_readable = !(was_none("aws_access_key_id") || was_none("aws_secret_access_key"));
    let is_new = old.is_null() && !text.contains("[ gainsight ]");
    if was_readable || is_new {
        assert_eq!(ours["aws_access_key_id"], NEW_ID, "to botocore:\n{text}");
        assert_eq!(ours["aws_secret_access_key"], NEW_SECRET, "to botocore:\n{text}");
    }
    assert_eq!(others(&ours), others(&old), "other options, to botocore:\n{text}");
    // That name, with its blanks, is the one that the file is edited for.
    botocore.as_object_mut().map(|all| all.remove(" gainsight "));
    botocore_before.as_object_mut().map(|all| all.remove(" gainsight "));
    assert_eq!(botocore, botocore_before, "other profiles, to botocore:\n{text}");

    let Some(mut sdk_before) = before.1 else { return true };
    let mut sdk =
        by_the_sdk(edit.path(), is_config).unwrap_or_else(|| panic!("the SDK cannot read it any more:\n{text}"));
    let mut old = sdk_before.remove("gainsight").unwrap_or_default();
    let mut ours = sdk.remove("gainsight").unwrap_or_default();
    let (id, secret) = (ours.remove("aws_access_key_id"), ours.remove("aws_secret_access_key"));
    // The SDK knows no quotes around a name: it has read no key before, and does not now.
    if text.contains("\"gainsight\"") && old.is_empty() {
        return true;
    }
    assert_eq!(
        (id.as_deref(), secret.as_deref()),
        (Some(NEW_ID), Some(NEW_SECRET)),
        "to the SDK:\n{text}"
    );
    old.remove("aws_access_key_id");
    old.remove("aws_secret_access_key");
    assert_eq!(ours, old, "other options, to the SDK:\n{text}");
    assert_eq!(sdk, sdk_before, "other profiles, to the SDK:\n{text}");
    true
}

fn take(profiles: &mut Value, name: &str) -> Value {
    profiles
        .as_object_mut()
        .and_then(|all| all.remove(name))
        .unwrap_or_default()
}

fn others(profile: &Value) -> BTreeMap<String, Value> {
    let all = profile.as_object().into_iter().flatten();
    all.filter(|(name, _)| !["aws_access_key_id", "aws_secret_access_key"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
