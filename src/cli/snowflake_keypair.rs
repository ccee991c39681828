//! `rotate snowflake-keypair`.

use std::path::{Path, PathBuf};

use clap::Args;
use rotate_providers::snowflake_keypair::{
    self, AUTOMATION, Inputs, PassphraseFrom, UserName, expanded, read_key_file, read_passphrase,
};

use super::one_shot::{
    ALLOWANCE_SECONDS, CutoverArg, Options, ProveArg, check_proof, destinations, endpoint, field, rotate,
};
use super::target::target_name;
use super::{Exit, Global, terminal};
use crate::delivery::Destination;
use crate::driver::{LiveKey, Request};
use crate::duration;
use crate::machine::LostKey;

/// Where the key goes if nobody says where.
const DEFAULT_DESTINATION: &str = "file:rsa_key_new.p8";

/// Rotate the RSA key pair of a Snowflake user.
///
/// The administrator's connection is found the way Snowflake's own tools find it. One that is named: flags, then
/// SNOWFLAKE_CONNECTIONS_<NAME>_* variables, then ~/.snowflake/connections.toml or config.toml, and SNOWFLAKE_* variables
/// last. Where none is named, SNOWFLAKE_* variables go before the file's default connection, and the two may not differ in
/// account, user or host. The same command again goes on where the rotation stands.
#[derive(Args)]
pub(super) struct Command {
    /// The user whose key is rotated: upper case unless in double quotes of its own, as in SQL
    #[arg(long, value_parser = user_name)]
    user: UserName,
    /// The account identifier [default: the connection's]
    #[arg(long, value_parser = account)]
    account: Option<String>,
    /// The administrator's connection in Snowflake's own configuration [default: $SNOWFLAKE_DEFAULT_CONNECTION_NAME, else
    /// the one that is the default there]
    #[arg(long, value_name = "NAME", value_parser = field(&AUTOMATION, "connection"))]
    connection: Option<String>,
    /// The administrator's role [default: the connection's, else the user's own]
    #[arg(long, value_parser = field(&AUTOMATION, "role"))]
    role: Option<String>,
    /// The private key that the consumer uses now: it shows which of two keys is live, and lets it be registered again
    #[arg(long, value_name = "FILE")]
    current_key: Option<PathBuf>,
    /// Where the new private key goes: file:PATH.p8, the public key beside it as PATH.pub; never overwrites a file
    /// [default: file:rsa_key_new.p8]
    #[arg(long = "deliver", value_name = "DESTINATION")]
    deliver: Vec<String>,
    /// The passphrase that the new private key is encrypted with; it also opens --current-key
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The length of the new key
    #[arg(long, default_value = "2048", value_name = "BITS", value_parser = ["2048", "3072", "4096"])]
    key_bits: String,
    /// How it becomes known that every consumer uses the new key
    #[arg(long, value_enum, default_value_t = CutoverArg::Confirm)]
    cutover: CutoverArg,
    /// What the proofs of the new key rest on, where this machine cannot log in as its consumer does
    #[arg(long, value_enum, default_value_t = ProveArg::Login)]
    prove: ProveArg,
    /// How long Snowflake's record of use is watched at least, with --cutover observed: it is hours late, and many
    /// consumers run once a day
    #[arg(long, default_value = "24h", value_name = "TIME", value_parser = duration::seconds, allow_hyphen_values = true)]
    observe: u64,
    /// How long the old key can still be brought back
    #[arg(long, default_value = "7d", value_name = "TIME", value_parser = duration::seconds, allow_hyphen_values = true)]
    soak: u64,
    /// Rotate the key even if rotate itself runs as this user; after the cut-over it logs in with the new one
    #[arg(long)]
    allow_self: bool,
    /// Another endpoint than the account's own: https, or http on the loopback interface
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    endpoint_url: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// The command line, checked.
struct Understood {
    inputs: serde_json::Value,
    destinations: Vec<Box<dyn Destination>>,
    live: Option<LiveKey>,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        if let Err(exit) = check_proof(&AUTOMATION, self.prove.into(), self.cutover.into()) {
            return exit;
        }
        let Understood {
            inputs,
            destinations,
            live,
        } = match self.understood() {
            Ok(understood) => understood,
            Err(error) => {
                terminal::error(
                    &error,
                    &["nothing was touched; see: rotate snowflake-keypair --help".to_owned()],
                );
                return Exit::Usage;
            }
        };
        let name = self.user.as_str();
        let target = target_name(AUTOMATION.id, Some(name));
        let request = Request {
            connector: &AUTOMATION,
            target: &target,
            inputs,
            destinations: &destinations,
            cutover: self.cutover.into(),
            prove: self.prove.into(),
            // A key that is made here is not lost with a crash.
            lost_key: LostKey::default(),
            soak_seconds: self.soak,
            observe_seconds: self.observe,
            allowance_seconds: ALLOWANCE_SECONDS,
            again: self.options.again,
            live,
            allow_self: self.allow_self,
            window: None,
        };
        let question = format!("Rotate the key pair of {name}?");
        rotate(global, &request, &self.options, &question).await
    }

    /// What can be found wrong without asking anyone.
    fn understood(&self) -> Result<Understood, String> {
        if self.allow_self && matches!(self.cutover, CutoverArg::Observed) {
            return Err(
                "--cutover observed does not go with --allow-self: rotate's own logins would be the evidence"
                    .to_owned(),
            );
        }
        let mut names = self.deliver.clone();
        if names.is_empty() {
            names.push(DEFAULT_DESTINATION.to_owned());
        }
        let destinations = destinations(AUTOMATION.secret, &names)?;
        let passphrase_file = self.passphrase_file.as_deref().map(passphrase).transpose()?;
        let live = self.live(passphrase_file.as_deref())?;
        Ok(Understood {
            inputs: self.inputs(passphrase_file),
            destinations,
            live,
        })
    }

    fn live(&self, passphrase_file: Option<&Path>) -> Result<Option<LiveKey>, String> {
        let Some(path) = &self.current_key else { return Ok(None) };
        let passphrase = passphrase_file.map(|path| PassphraseFrom::File(path.to_owned()));
        match read_key_file(path, passphrase.as_ref()) {
            Ok(pair) => Ok(Some(LiveKey {
                key: pair.key,
                public: Some(pair.public),
            })),
            Err(why) => {
                let how = if why.contains("no passphrase") {
                    ": give one with --passphrase-file"
                } else {
                    ""
                };
                Err(format!("--current-key: {}: {why}{how}", path.display()))
            }
        }
    }

    fn inputs(&self, passphrase_file: Option<PathBuf>) -> serde_json::Value {
        let inputs = Inputs {
            user: self.user.as_str().to_owned(),
            // One of three numbers, which clap has checked.
            key_bits: self.key_bits.parse().unwrap_or(4096),
            account: self.account.clone(),
            connection: self.connection.clone(),
            role: self.role.clone(),
            passphrase_file: passphrase_file.map(|path| path.display().to_string()),
            passphrase_env: None,
            passphrase_credential: None,
            endpoint_url: self.endpoint_url.clone(),
        };
        // Text and a number always serialise.
        serde_json::to_value(inputs).unwrap_or_default()
    }
}

/// The passphrase is needed again on later days and from other folders.
fn passphrase(path: &Path) -> Result<PathBuf, String> {
    let failed = |why: String| format!("--passphrase-file: {why}");
    read_passphrase(path).map_err(failed)?;
    std::path::absolute(expanded(path)).map_err(|error| failed(format!("{}: {error}", path.display())))
}

fn user_name(text: &str) -> Result<UserName, String> {
    UserName::parse(text).map_err(|bad| bad.to_string())
}

fn account(text: &str) -> Result<String, String> {
    snowflake_keypair::account(text).map(|_| text.to_owned())
}
