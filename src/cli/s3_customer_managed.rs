//! `rotate s3-customer-managed`.

use clap::Args;

use rotate_providers::s3_customer_managed::{self, AUTOMATION, Inputs};

use super::one_shot::{ALLOWANCE_SECONDS, CutoverArg, Options, ProveArg, check_proof, destinations, endpoint, rotate};
use super::target::target_name;
use super::{Exit, Global, terminal};
use crate::driver::Request;
use crate::duration;

/// Rotate the AWS access key of the IAM user behind an S3 bucket.
///
/// The same command again goes on where the rotation stands.
#[derive(Args)]
pub(super) struct Command {
    /// The IAM user whose access key is rotated
    #[arg(long, value_parser = user_name)]
    user: String,
    /// The bucket that the key must be able to list
    #[arg(long, value_parser = bucket_name)]
    bucket: String,
    /// The prefix in the bucket that the key must be able to list
    #[arg(long)]
    prefix: Option<String>,
    /// `requester`, where the bucket charges whoever reads from it
    #[arg(long, value_name = "PAYER", value_parser = request_payer)]
    request_payer: Option<String>,
    /// Where the new key goes; repeatable: file:PATH.json (credential_process), file:PATH.env (dotenv),
    /// aws-profile:NAME[@FILE]
    #[arg(long = "deliver", required = true, value_name = "DESTINATION")]
    deliver: Vec<String>,
    /// How it becomes known that every consumer uses the new key
    #[arg(long, value_enum, default_value_t = CutoverArg::Confirm)]
    cutover: CutoverArg,
    /// What the proofs of the new key rest on, where this machine cannot log in as its consumer does
    #[arg(long, value_enum, default_value_t = ProveArg::Login)]
    prove: ProveArg,
    /// How long AWS's record of use is watched at least, with --cutover observed: it is hours late, and many consumers
    /// run once a day
    #[arg(long, default_value = "24h", value_name = "TIME", value_parser = duration::seconds, allow_hyphen_values = true)]
    observe: u64,
    /// How long the old key stays disabled before it is deleted
    #[arg(long, default_value = "7d", value_name = "TIME", value_parser = duration::seconds, allow_hyphen_values = true)]
    soak: u64,
    /// The profile of the administrator's credentials
    #[arg(long)]
    profile: Option<String>,
    /// The role that the administrator assumes
    #[arg(long, value_name = "ARN")]
    assume_role: Option<String>,
    /// The external id that the role's trust policy asks for
    #[arg(long, value_name = "ID", requires = "assume_role")]
    external_id: Option<String>,
    /// The region of the bucket [default: the profile's, else us-east-1]
    #[arg(long, value_parser = region)]
    region: Option<String>,
    /// Another endpoint than AWS: https, or http on the loopback interface
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    endpoint_url: Option<String>,
    #[command(flatten)]
    options: Options,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        if let Err(exit) = check_proof(&AUTOMATION, self.prove.into(), self.cutover.into()) {
            return exit;
        }
        let destinations = match destinations(AUTOMATION.secret, &self.deliver) {
            Ok(destinations) => destinations,
            Err(error) => {
                terminal::error(
                    &error,
                    &["nothing was touched; see: rotate s3-customer-managed --help".to_owned()],
                );
                return Exit::Usage;
            }
        };
        let target = target_name(AUTOMATION.id, Some(&self.user));
        let request = Request {
            connector: &AUTOMATION,
            target: &target,
            inputs: self.inputs(),
            destinations: &destinations,
            cutover: self.cutover.into(),
            prove: self.prove.into(),
            soak_seconds: self.soak,
            observe_seconds: self.observe,
            allowance_seconds: ALLOWANCE_SECONDS,
            again: self.options.again,
            live: None,
            allow_self: false,
            window: None,
        };
        let question = format!("Rotate the access key of {}?", self.user);
        rotate(global, &request, &self.options, &question).await
    }

    fn inputs(&self) -> serde_json::Value {
        let inputs = Inputs {
            user: self.user.clone(),
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            request_payer: self.request_payer.clone(),
            profile: self.profile.clone(),
            assume_role: self.assume_role.clone(),
            external_id: self.external_id.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
        };
        // Text fields alone always serialise.
        serde_json::to_value(inputs).unwrap_or_default()
    }
}

fn user_name(text: &str) -> Result<String, String> {
    s3_customer_managed::user_name(text).map(|_| text.to_owned())
}

fn request_payer(text: &str) -> Result<String, String> {
    s3_customer_managed::request_payer(text).map(|_| text.to_owned())
}

fn region(text: &str) -> Result<String, String> {
    s3_customer_managed::region(text).map(|_| text.to_owned())
}

fn bucket_name(text: &str) -> Result<String, String> {
    s3_customer_managed::bucket_name(text).map(|_| text.to_owned())
}
