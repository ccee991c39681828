//! How the vendor is reached at which a credential is tried.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rotate_providers::web::Network;

use crate::config::AllowedHosts;
use crate::duration;

/// How a vendor is reached.
#[derive(Args, Clone)]
#[command(next_help_heading = "How the vendor is reached")]
pub(super) struct WayArgs {
    /// Send it to a private address as well, where the vendor's name leads to one
    #[arg(long)]
    allow_private: bool,
    /// Send it to this host, which is the vendor's although its name is not: a custom domain; repeatable
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    /// Trust the authorities of this file as well, in PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How long one try may take
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration::wait)]
    time_out: Duration,
}

impl WayArgs {
    /// As the options have it, and where they say nothing, as the configuration has it.
    /// Hosts that the whole command may call are allowed here too.
    pub(super) fn network(&self, configured: &Network, allowed: &AllowedHosts) -> Network {
        let named = self.allow_host.iter().map(|host| host.to_ascii_lowercase());
        Network {
            allow_private: self.allow_private || configured.allow_private,
            allow_hosts: named.chain(allowed.hosts().iter().cloned()).collect(),
            ca_file: self.ca_file.clone().or_else(|| configured.ca_file.clone()),
            time_out: self.time_out,
        }
    }
}
