//! `rotate s3-customer-managed`.

use clap::{Args, ValueEnum};

use rotate_providers::s3_customer_managed::{CONNECTOR, Inputs, check_endpoint};

use super::session::{Session, locate, show, speaker, tell, tell_folder};
use super::{Exit, Global, duration, terminal};
use crate::delivery::{self, Destination};
use crate::driver::{DriveError, Outcome, Request, Standing, inspect, prepare};
use crate::hooks::now;
use crate::machine::{Cutover, Rotation};
use crate::plan::foresee;
use crate::policy::{Facts, Step, next};
use crate::render::Report;
use crate::state_folder::FolderError;
use crate::store::{Store, Stored};

/// How long a cut-over may take before a person is called.
const ALLOWANCE_SECONDS: u64 = 14 * 24 * 3600;

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
    /// Where the new key goes; repeatable: file:PATH.json (credential_process), file:PATH.env (dotenv),
    /// aws-profile:NAME[@FILE]
    #[arg(long = "deliver", required = true, value_name = "DESTINATION")]
    deliver: Vec<String>,
    /// How it becomes known that every consumer uses the new key
    #[arg(long, value_enum, default_value_t = CutoverArg::Confirm)]
    cutover: CutoverArg,
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
    /// The region of the bucket [default: the profile's, else us-east-1]
    #[arg(long)]
    region: Option<String>,
    /// Another endpoint than AWS: https, or http on the loopback interface
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    endpoint_url: Option<String>,
    /// Print the plan; call nothing that writes
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before beginning
    #[arg(long)]
    yes: bool,
    /// Rotate once more, although a rotation ended within the last day
    #[arg(long)]
    again: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum CutoverArg {
    /// A person says so with `rotate confirm`
    Confirm,
    /// AWS has seen the new key in use, and the old one idle since the delivery
    Observed,
    /// At once: every consumer reads the destination each time it needs the key
    Immediate,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let destinations = match self.destinations() {
            Ok(destinations) => destinations,
            Err(error) => {
                terminal::error(
                    &error,
                    &["nothing was touched; see: rotate s3-customer-managed --help".to_owned()],
                );
                return Exit::Usage;
            }
        };
        let target = format!("{}/{}", CONNECTOR.id, self.user);
        let request = Request {
            connector: &CONNECTOR,
            target: &target,
            inputs: self.inputs(),
            destinations: &destinations,
            cutover: self.cutover.into(),
            soak_seconds: self.soak,
            observe_seconds: self.observe,
            allowance_seconds: ALLOWANCE_SECONDS,
            again: self.again,
        };
        if self.dry_run {
            return dry_run(global, &request).await;
        }
        let session = match Session::begin(global).await {
            Ok(session) => session,
            Err(error) => return tell_folder(global, &error),
        };
        let result = self.rotate(global, &session, &request).await;
        match result {
            Ok(Some(outcome)) => session.conclude(global, &target, Ok(outcome)).await,
            Ok(None) => {
                terminal::note("nothing was begun");
                Exit::Ok
            }
            Err(error) => session.conclude(global, &target, Err(error)).await,
        }
    }

    async fn rotate(
        &self,
        global: &Global,
        session: &Session,
        request: &Request<'_>,
    ) -> Result<Option<Outcome>, DriveError> {
        let standing = request.standing(session.store.latest(request.target).await?)?;
        let stored = match standing {
            Standing::Present(stored) => *stored,
            Standing::Absent => {
                let question = format!("Rotate the access key of {}?", self.user);
                if !self.yes && terminal::is_attended() && !terminal::ask(&question) {
                    return Ok(None);
                }
                let provider = (CONNECTOR.connect)(request.inputs.clone()).await?;
                return session.driver(global, provider.as_ref()).open(request).await.map(Some);
            }
        };
        // A rotation that has ended, or that a person has to move, needs no vendor.
        if let Some(outcome) = idle(&stored) {
            if outcome.wait.is_none() {
                let ended = stored.updated_at.strftime("%Y-%m-%d %H:%M UTC");
                terminal::note(&format!(
                    "this rotation ended at {ended}, so nothing was done; --again rotates once more"
                ));
            }
            return Ok(Some(outcome));
        }
        let provider = (CONNECTOR.connect)(request.inputs.clone()).await?;
        session
            .driver(global, provider.as_ref())
            .advance(stored)
            .await
            .map(Some)
    }

    fn inputs(&self) -> serde_json::Value {
        let inputs = Inputs {
            user: self.user.clone(),
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            profile: self.profile.clone(),
            assume_role: self.assume_role.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
        };
        // Text fields alone always serialise.
        serde_json::to_value(inputs).unwrap_or_default()
    }

    fn destinations(&self) -> Result<Vec<Box<dyn Destination>>, String> {
        let mut parsed: Vec<Box<dyn Destination>> = Vec::new();
        for name in &self.deliver {
            let destination = delivery::parse(name).map_err(|error| format!("--deliver: {error}"))?;
            if parsed.iter().any(|other| other.name() == destination.name()) {
                return Err(format!("--deliver: {} is given twice", destination.name()));
            }
            parsed.push(destination);
        }
        Ok(parsed)
    }
}

impl From<CutoverArg> for Cutover {
    fn from(cutover: CutoverArg) -> Self {
        match cutover {
            CutoverArg::Confirm => Self::Confirm,
            CutoverArg::Observed => Self::Observed,
            CutoverArg::Immediate => Self::Immediate,
        }
    }
}

/// The outcome of a rotation in which there is nothing to do now; `None` where there is.
pub(super) fn idle(stored: &Stored) -> Option<Outcome> {
    let wait = match next(&stored.rotation, &Facts::default(), now()) {
        Step::Wait(wait) => Some(wait),
        Step::Closed => None,
        _ => return None,
    };
    Some(Outcome {
        stored: stored.clone(),
        wait,
    })
}

/// Prints what would be done, from where the target stands. Reads only, and makes no state folder.
async fn dry_run(global: &Global, request: &Request<'_>) -> Exit {
    let speaker = speaker(global);
    match plan(global, request).await {
        Ok(Ok(report)) => {
            show(global, &[report]);
            Exit::Ok
        }
        Ok(Err(error)) => {
            tell(&speaker, request.target, &error, None);
            let mut report = Report::unopened(request.target);
            report.fail(&error);
            show(global, &[report]);
            Exit::of_error(&error)
        }
        Err(error) => tell_folder(global, &error),
    }
}

async fn plan(global: &Global, request: &Request<'_>) -> Result<Result<Report, DriveError>, FolderError> {
    let store = locate(global)?.open_journal().await?;
    let (latest, retired) = match &store {
        Some(store) => (
            store.latest(request.target).await?,
            store.retired(request.target).await?,
        ),
        None => (None, Vec::new()),
    };
    let speaker = speaker(global);
    let work = async {
        inspect(request.destinations).await?;
        if let Standing::Present(stored) = request.standing(latest)? {
            let steps = foresee(stored.rotation.clone(), Facts::default(), now())?;
            return Ok(Report::standing(&stored, now(), &speaker).with_plan(steps));
        }
        let provider = (request.connector.connect)(request.inputs.clone()).await?;
        let (rotation, facts, record): (Rotation, Facts, _) = prepare(provider.as_ref(), request, retired).await?;
        let steps = foresee(rotation.clone(), facts, record.at)?;
        Ok(Report::foreseen(request.target, &rotation, &speaker).with_plan(steps))
    };
    Ok(work.await)
}

/// IAM's own rule: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html>.
fn user_name(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if (1..=64).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("an IAM user name has 1 to 64 letters, digits or _+=,.@- and no path".to_owned())
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>, and the longer names of old buckets.
fn bucket_name(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if (3..=255).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("write the bucket's bare name, without s3:// and without a prefix (see --prefix)".to_owned())
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    check_endpoint(text)
        .map(|()| text.to_owned())
        .map_err(|error| error.to_string())
}
