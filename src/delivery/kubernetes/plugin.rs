//! The program that a kubeconfig names to log in with.
//!
//! The library would start it too, but waits for it without end, and quotes what it has printed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use kube::Config;
use kube::config::{ExecConfig, ExecInteractiveMode};
use rotate_providers::secret::Secret;
use rotate_providers::untrusted::sanitized;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::encoded;
use crate::delivery::Fault;
use crate::delivery::program::process::{Ended, Job, run};

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What it prints.
#[derive(Deserialize)]
struct Printed {
    status: Login,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Whether a program has to be started to log in there.
pub(super) fn is_needed(config: &Config) -> bool {
    let login = &config.auth_info;
    login.exec.is_some() && login.token.is_none() && login.token_file.is_none() && login.username.is_none()
}

/// Starts it, and keeps for the login what it prints.
pub(super) async fn log_in(config: &mut Config) -> Result<(), Fault> {
    let is_needed = is_needed(config);
    let Some(plugin) = config.auth_info.exec.take().filter(|_| is_needed) else {
        return Ok(());
    };
    let command = sanitized(plugin.command.as_deref().unwrap_or_default());
    let wrong = |what: &str| {
        Err(Fault::Program(format!(
            "{command}, which the kubeconfig logs in with, {what}; see what it says: kubectl auth whoami"
        )))
    };
    if plugin.interactive_mode == Some(ExecInteractiveMode::Always) {
        return wrong("asks a person at a terminal: give rotate a context of its own");
    }
    let job = job(&plugin);
    let ended = tokio::task::spawn_blocking(move || run(job)).await;
    let Ok(Ok(ended)) = ended else {
        return wrong("cannot be started");
    };
    let Ended {
        code: Some(0),
        is_late: false,
        said,
        ..
    } = ended
    else {
        return match ended.is_late {
            true => wrong("had not ended after 60 s and was killed"),
            false => wrong("failed"),
        };
    };
    // What serde says of it would quote it.
    let Ok(Printed { status }) = serde_json::from_str(&said) else {
        return wrong("prints no ExecCredential");
    };
    match status {
        Login {
            client_certificate_data: Some(certificate),
            client_key_data: Some(key),
            ..
        } => {
            config.auth_info.client_certificate_data = Some(encoded(certificate.as_bytes()).to_string());
            config.auth_info.client_key_data = Some(encoded(Zeroizing::new(key).as_bytes()).to_string().into());
        }
        Login { token: Some(token), .. } => config.auth_info.token = Some(token.into()),
        _ => return wrong("prints neither a token nor a certificate with its key"),
    }
    Ok(())
}

/// As `kubectl` starts it: with the whole environment, for such a program logs in somewhere itself.
fn job(plugin: &ExecConfig) -> Job {
    let info = json!({
        "apiVersion": plugin.api_version,
        "kind": "ExecCredential",
        "spec": { "interactive": false, "cluster": plugin.cluster },
    });
    let named = plugin.env.iter().flatten().filter_map(|pair| {
        let (name, value) = (pair.get("name")?, pair.get("value")?);
        Some((OsString::from(name), OsString::from(value)))
    });
    let ours = std::env::vars_os();
    Job {
        program: PathBuf::from(plugin.command.as_deref().unwrap_or_default()),
        arguments: plugin.args.clone().unwrap_or_default(),
        environment: ours
            .chain(named)
            .chain([("KUBERNETES_EXEC_INFO".into(), info.to_string().into())])
            .collect(),
        input: Secret::new([]),
        hears_errors: false,
        time_limit: TIME_LIMIT,
    }
}
