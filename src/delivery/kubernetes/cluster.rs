//! The cluster, found as `kubectl` finds it: the files of `KUBECONFIG`, `~/.kube/config`, or the account of the pod that this
//! runs in.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use rotate_providers::endpoint::{check_endpoint, host_elsewhere, is_called_directly};
use rotate_providers::shell::quoted;
use rotate_providers::untrusted::sanitized;
use tokio::sync::OnceCell;

use super::faults::unfit;
use super::plugin;
use crate::delivery::Fault;
use crate::delivery::exec::looking_starts_programs;
use crate::delivery::fault::Answer;
use crate::delivery::path::home;

/// Whoever does not answer by then is not there.
const CONNECTED: Duration = Duration::from_secs(5);

/// What every pod has in its environment.
const IN_A_POD: &str = "KUBERNETES_SERVICE_HOST";

/// One cluster, and who we are to it.
pub(super) struct Cluster {
    context: Option<String>,
    client: OnceCell<Client>,
}

impl Cluster {
    pub(super) fn new(context: Option<String>) -> Self {
        Self {
            context,
            client: OnceCell::new(),
        }
    }

    /// Logs in, and starts the program that a kubeconfig names for it.
    pub(super) async fn connect(&self) -> Result<&Client, Fault> {
        let connecting = async || {
            let mut config = find(self.context.as_deref()).await?;
            plugin::log_in(&mut config).await?;
            Client::try_from(config).map_err(|_| {
                unfit(
                    "what its kubeconfig says of certificates, proxy or login cannot be used".to_owned(),
                    "see whether kubectl can: kubectl auth whoami",
                )
            })
        };
        self.client.get_or_try_init(connecting).await
    }

    /// The same for whoever only looks: `None` where a program would have to be started for it.
    pub(super) async fn look(&self) -> Result<Option<&Client>, Fault> {
        if self.client.get().is_none() && !looking_starts_programs() {
            let config = find(self.context.as_deref()).await?;
            if plugin::is_needed(&config) {
                return Ok(None);
            }
        }
        self.connect().await.map(Some)
    }
}

async fn find(context: Option<&str>) -> Result<Config, Fault> {
    let files = files()?;
    let mut config = match (files.is_empty(), context) {
        (false, _) => {
            let options = KubeConfigOptions {
                context: context.map(str::to_owned),
                ..KubeConfigOptions::default()
            };
            let told = Config::from_custom_kubeconfig(merged(&files)?, &options).await;
            told.map_err(|error| unusable(&error))?
        }
        (true, None) if std::env::var_os(IN_A_POD).is_some() => {
            Config::incluster().map_err(|_| no_login("the pod has no account that can be used".to_owned()))?
        }
        (true, _) => return Err(no_login("no kubeconfig is there, and this is no pod".to_owned())),
    };
    let url = config.cluster_url.to_string();
    check_endpoint(&url).map_err(|error| {
        unfit(
            format!("its cluster: {error}"),
            "give the cluster an https server in the kubeconfig",
        )
    })?;
    let is_here = host_elsewhere(&url).is_none();
    if config.accept_invalid_certs && !is_here {
        return Err(unfit(
            "its kubeconfig says insecure-skip-tls-verify, so anybody on the way could take the new key".to_owned(),
            "give the cluster its certificate-authority-data in the kubeconfig instead",
        ));
    }
    // Its own tools know only this one any more.
    let provider = config
        .auth_info
        .auth_provider
        .as_ref()
        .map(|provider| provider.name.as_str());
    if provider.is_some_and(|name| name != "oidc") {
        return Err(unfit(
            "its kubeconfig logs in by an auth-provider that Kubernetes has removed".to_owned(),
            "have it written anew by the cloud's own tool, which names a program for it (exec)",
        ));
    }
    if is_here || goes_directly(&config, &url) {
        config.proxy_url = None;
    }
    config.connect_timeout = Some(CONNECTED);
    // What may be sent again is known here alone.
    config.default_retry = false;
    Ok(config)
}

/// Whether the environment, which names the proxy, says of this cluster that it is called without: the library holds that against
/// the proxy's own address.
fn goes_directly(config: &Config, url: &str) -> bool {
    let proxy = config.proxy_url.as_ref().map(ToString::to_string);
    let is_of_environment = ["HTTPS_PROXY", "https_proxy"].into_iter().any(|name| {
        let named = std::env::var(name)
            .ok()
            .and_then(|named| named.parse::<http::Uri>().ok());
        named.is_some() && named.map(|named| named.to_string()) == proxy
    });
    is_of_environment && is_called_directly(url)
}

/// The files that there are. Of a list some may be missing.
fn files() -> Result<Vec<PathBuf>, Fault> {
    let listed = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let listed: Vec<PathBuf> = std::env::split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if listed.is_empty() {
        let usual = home()?.join(".kube").join("config");
        return Ok(usual.is_file().then_some(usual).into_iter().collect());
    }
    let there: Vec<PathBuf> = listed.into_iter().filter(|path| path.exists()).collect();
    match there.is_empty() {
        true => Err(no_login("KUBECONFIG names no file that is there".to_owned())),
        false => Ok(there),
    }
}

fn merged(files: &[PathBuf]) -> Result<Kubeconfig, Fault> {
    files.iter().try_fold(Kubeconfig::default(), |merged, path| {
        belongs_to_us(path)?;
        let read = Kubeconfig::read_from(path).and_then(|next| merged.merge(next));
        read.map_err(|error| unusable(&error))
    })
}

/// Whoever may write there says where the key goes, and which program is started.
fn belongs_to_us(path: &Path) -> Result<(), Fault> {
    // One that cannot be looked at cannot be read either, which is told then.
    let Ok(found) = path.metadata() else {
        return Ok(());
    };
    let shown = sanitized(&path.display().to_string());
    let named = quoted(&shown);
    let (us, owner) = (rustix::process::geteuid().as_raw(), found.uid());
    if ![0, us].contains(&owner) {
        return Err(unfit(
            format!("{shown} belongs to user {owner}, who could have the key sent elsewhere, and not to user {us}"),
            &format!("chown {us} {named}"),
        ));
    }
    if found.mode() & 0o022 != 0 {
        return Err(unfit(
            format!("{shown} can be written by other users, who could have the key sent elsewhere"),
            &format!("chmod go-w {named}"),
        ));
    }
    Ok(())
}

/// The words of the library are not shown: they quote the file.
fn unusable(error: &KubeconfigError) -> Fault {
    let contexts = "see which there are: kubectl config get-contexts; then name one: ?context=NAME";
    match error {
        KubeconfigError::CurrentContextNotSet => unfit("the kubeconfig has no current context".to_owned(), contexts),
        KubeconfigError::LoadContext(name) => {
            unfit(format!("the kubeconfig has no context {}", sanitized(name)), contexts)
        }
        KubeconfigError::LoadClusterOfContext(name) => unfit(
            format!(
                "the kubeconfig has no cluster {}, which the context names",
                sanitized(name)
            ),
            contexts,
        ),
        KubeconfigError::ReadConfig(error, path) => no_login(format!(
            "{} cannot be read: {}",
            sanitized(&path.display().to_string()),
            error.kind()
        )),
        KubeconfigError::LoadCertificateAuthority(_)
        | KubeconfigError::LoadClientCertificate(_)
        | KubeconfigError::LoadClientKey(_)
        | KubeconfigError::ParseCertificates(_) => unfit(
            "a certificate or key that the kubeconfig names cannot be read".to_owned(),
            "see whether kubectl can: kubectl auth whoami",
        ),
        KubeconfigError::ParseProxyUrl(_) | KubeconfigError::ParseNoProxy(_) => unfit(
            "the proxy that the kubeconfig or the environment names is no address of one".to_owned(),
            "correct `proxy-url` of the cluster, or HTTPS_PROXY and NO_PROXY",
        ),
        KubeconfigError::MissingClusterUrl | KubeconfigError::ParseClusterUrl(_) => unfit(
            "the cluster has no `server` in the kubeconfig that is an address".to_owned(),
            contexts,
        ),
        _ => unfit(
            "the kubeconfig cannot be understood".to_owned(),
            "see whether kubectl can: kubectl config view",
        ),
    }
}

fn no_login(what: String) -> Fault {
    Fault::Store {
        kind: Answer::Denied,
        what,
        remedy:
            "have a kubeconfig as kubectl has one (KUBECONFIG, ~/.kube/config), or run in a pod with a service account"
                .to_owned(),
    }
}
