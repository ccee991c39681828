//! One cloud, several administrators' keys, and the two files in which tools look for them.

use std::fs;
use std::process::Command;

use rotate_fixtures::aws::Credentials;
use rotate_fixtures::{Ran, Workplace};

pub(crate) const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// A workplace whose environment holds no credentials yet.
pub(crate) struct Desk {
    pub(crate) place: Workplace,
    pub(crate) environment: Vec<(String, String)>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let place = Workplace::new(ROTATE);
        fs::create_dir(place.path(".aws")).unwrap();
        let environment = [
            ("AWS_ENDPOINT_URL", place.cloud.endpoint()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("PATH", std::env::var("PATH").unwrap()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { place, environment }
    }

    /// A key of the administrator's, apart from others.
    pub(crate) fn key(&self) -> Credentials {
        self.place.cloud.add_key(self.place.cloud.admin_user())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this key in the environment.
    pub(crate) fn with_key(self, key: &Credentials) -> Self {
        self.with("AWS_ACCESS_KEY_ID", &key.id)
            .with("AWS_SECRET_ACCESS_KEY", &key.secret)
    }

    pub(crate) fn credentials(&self, text: &str) -> &Self {
        fs::write(self.place.path(".aws/credentials"), text).unwrap();
        self
    }

    pub(crate) fn config(&self, text: &str) -> &Self {
        fs::write(self.place.path(".aws/config"), text).unwrap();
        self
    }

    /// A command with this environment, and nothing of the one that a workplace has otherwise.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        for (name, _) in self.place.cloud.env() {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// The one-shot, with more arguments behind it.
    pub(crate) fn rotate(&self, more: &[&str]) -> Ran {
        let deliver = format!("file:{}", self.place.delivered().display());
        let mut arguments = vec![
            "s3-customer-managed",
            "--user",
            "gainsight-s3",
            "--bucket",
            "acme-data",
            "--deliver",
            &deliver,
        ];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// The key that has signed the last call of this action.
    pub(crate) fn signer(&self, action: &str) -> Option<String> {
        let calls = self.place.cloud.calls();
        let last = calls.iter().rfind(|call| call.action == action);
        last.and_then(|call| call.access_key_id.clone())
    }
}

/// A section of a file with this key.
pub(crate) fn section(heading: &str, key: &Credentials) -> String {
    format!(
        "[{heading}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.id, key.secret
    )
}
