//! What `doctor` and `run` try of a fleet: the secrets that rotate.toml names a place of. The same secret is tried once, and an
//! account that wrong tries may lock is tried with one secret alone, wherever its targets have theirs.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use rotate_providers::contract::{Check, Finding};
use rotate_providers::guide::probe::{Outcome, Verdict};
use rotate_providers::secret::Secret;
use tokio::sync::Mutex as Turn;

use super::session::Session;
use super::trial::Trial;
use crate::config::{AllowedHosts, How, Target};
use crate::engine::Survey;
use crate::engine::driver::DriveError;
use crate::hooks::now;
use crate::machine::Trial as Kept;
use crate::store::Store;

/// What was tried in this run, so that several targets of one account share one try.
pub(super) struct Trials {
    allowed: AllowedHosts,
    made: Mutex<HashMap<String, Arc<Tries>>>,
    /// Tells secrets apart, and is another one in every run.
    prints: RandomState,
}

/// What was tried of one account or with one request, by one at a time.
type Tries = Turn<Vec<Made>>;

/// One try that was made.
struct Made {
    /// For which target.
    target: String,
    /// Where its secret was.
    place: String,
    /// What was asked.
    request: String,
    /// What tells that secret from another, of no use to anybody else.
    print: u64,
    outcome: Outcome,
}

impl Made {
    /// Whether the vendor may have counted it.
    fn has_sent(&self) -> bool {
        Outcome::may_have_sent(&self.outcome.class)
    }
}

/// Who tries what nobody has ordered.
const ROTATE: &str = "rotate";

impl Trials {
    /// Nothing was tried yet.
    pub(super) fn of(allowed: AllowedHosts) -> Self {
        Self {
            allowed,
            made: Mutex::default(),
            prints: RandomState::new(),
        }
    }

    /// Tries the credential of a target, and writes nothing down.
    pub(super) async fn examine(&self, target: &Target, survey: &Survey) -> Option<Finding> {
        let trial = Trial::of_target(target, &self.allowed)?;
        let what = "its credential, tried at the vendor";
        let finding = |check| {
            Some(Finding {
                what: what.into(),
                check,
            })
        };
        if let Some(why) = not_now(target, &trial, survey) {
            return finding(Check::Unknown { why: why.into() });
        }
        let remedy = format!(
            "put the right secret in its place, and try it:\nrotate verify {}",
            target.name
        );
        if let Some(kept) = refused_before(target, survey) {
            let why = told(kept).into();
            return finding(Check::Wrong { why, remedy });
        }
        if trial.locks() {
            let why = "it was not tried: doctor keeps no record, and each wrong try may lock its user; run with verify_every does, \
                       and: rotate verify";
            return finding(Check::Unknown { why: why.into() });
        }
        if let Some(why) = self.untrusted_host(&trial) {
            return finding(Check::Unknown { why: why.into() });
        }
        let outcome = self.outcome(&trial).await;
        let why = format!("{} ({})", outcome.reason, outcome.class);
        finding(match outcome.verdict {
            Verdict::Accepted => Check::Fine,
            Verdict::Rejected => Check::Wrong {
                why: why.into(),
                remedy,
            },
            Verdict::Inconclusive => Check::Unknown { why: why.into() },
        })
    }

    /// Tries the credential of a target where that is due, and writes the verdict down; tells of a refusal, old or new.
    pub(super) async fn due(
        &self,
        target: &Target,
        survey: &Survey,
        session: &Session,
    ) -> Result<Option<String>, DriveError> {
        let How::ByHand(by_hand) = &target.how else {
            return Ok(None);
        };
        let Some(every) = by_hand.verify_every else {
            return Ok(None);
        };
        let Some(trial) = Trial::of_target(target, &self.allowed) else {
            return Ok(None);
        };
        if not_now(target, &trial, survey).is_some() {
            return Ok(None);
        }
        // A person has to look: another try says nothing new, and may lock somebody out.
        if let Some(kept) = refused_before(target, survey) {
            return Ok(Some(told(kept)));
        }
        let last = kept(target, survey);
        let is_fresh = |kept: &Kept| {
            let says_nothing = kept.verdict == Verdict::Inconclusive && !trial.locks();
            !says_nothing && now().duration_since(kept.at) < every
        };
        if last.is_some_and(is_fresh) {
            return Ok(None);
        }
        let outcome = self.outcome(&trial).await;
        let verdict = outcome.verdict;
        let watch = session.store.watch(&target.name).await?;
        let watcher = session.watcher();
        let after = watcher
            .tried(&target.name, watch, verdict, &outcome.class, ROTATE)
            .await?;
        if outcome.verdict == Verdict::Inconclusive {
            let why = target.in_its_words(&outcome.reason);
            tracing::warn!(target = target.name, class = %outcome.class, "its credential was tried: {why}");
        }
        let refused = after.rotation.trial.filter(|_| verdict == Verdict::Rejected);
        Ok(refused.as_deref().map(told))
    }

    /// Why nothing is sent: whoever may write the file may not choose who gets a secret of this machine.
    fn untrusted_host(&self, trial: &Trial) -> Option<String> {
        let host = trial.host_of_the_values()?;
        (!self.allowed.hosts().contains(&host))
            .then(|| format!("it was not tried: rotate.toml alone names {host}; with --allow-endpoint {host} it is"))
    }

    async fn outcome(&self, trial: &Trial) -> Outcome {
        let (place, secret) = match secret_of(trial) {
            Ok(found) => found,
            Err(outcome) => return outcome,
        };
        let print = self.prints.hash_one(secret.expose());
        let request = trial.request();
        let key = match trial.locks() {
            true => trial.account(),
            false => format!("{request}\n{print}"),
        };
        let turn = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(made.entry(key).or_default())
        };
        let mut tries = turn.lock().await;
        // Where nothing was sent for another target, its own way there was wrong, and that says nothing of this one's.
        let counts = |made: &&Made| made.has_sent() || (made.print == print && made.request == request);
        let Some(made) = tries.iter().find(counts) else {
            let outcome = trial.run(&secret, &trial.network).await;
            tries.push(Made {
                target: trial.name.clone(),
                place,
                request,
                print,
                outcome: outcome.clone(),
            });
            return outcome;
        };
        if made.print == print {
            return made.outcome.clone();
        }
        Outcome::inconclusive(
            "another-secret",
            format!(
                "it was not tried, as wrong tries may lock the account: {place} holds another secret than {}, with which {} was \
                 tried just now ({})",
                made.place,
                made.target,
                made.outcome.verdict.name()
            ),
        )
    }
}

/// The secret of a target, and where it is; or why there is none to be tried.
fn secret_of(trial: &Trial) -> Result<(String, Secret), Outcome> {
    let Some(place) = &trial.place else {
        return Err(Outcome::inconclusive("secret", "nothing says where its secret is"));
    };
    if let Some(untried) = trial.refusal(true) {
        return Err(Outcome::inconclusive("input-missing", untried.why));
    }
    let secret = place.read();
    let secret = secret.map_err(|why| Outcome::inconclusive("secret", format!("{place}: {why}")))?;
    match trial.flaw(&secret) {
        Some(flaw) => {
            let why = format!("{place}: {flaw}; nothing was sent");
            Err(Outcome::inconclusive("secret-form", why))
        }
        None => Ok((place.to_string(), secret)),
    }
}

/// Why it is not tried, whatever is known of it.
fn not_now(target: &Target, trial: &Trial, survey: &Survey) -> Option<String> {
    let How::ByHand(by_hand) = &target.how else { return None };
    if trial.locks() && !by_hand.risk_lockout {
        let place = &target.place;
        return Some(format!(
            "it was not tried: wrong tries may lock its user; with risk_lockout = true ({place}) it is"
        ));
    }
    let course = survey.of_target(target).course;
    let is_open = course.is_some_and(|stored| !stored.rotation.is_closed());
    is_open.then(|| "it was not tried: its rotation is open, and either secret may be there".to_owned())
}

/// What is on record of the last try, unless it was rotated since.
fn kept<'s>(target: &Target, survey: &'s Survey) -> Option<&'s Kept> {
    let known = survey.of_target(target);
    let kept = known.watch?.rotation.trial.as_deref()?;
    let rotated = known.course.map(|stored| stored.updated_at);
    Some(kept).filter(|kept| rotated.is_none_or(|at| at <= kept.at))
}

fn refused_before<'s>(target: &Target, survey: &'s Survey) -> Option<&'s Kept> {
    kept(target, survey).filter(|kept| kept.verdict == Verdict::Rejected)
}

fn told(kept: &Kept) -> String {
    format!(
        "the vendor has refused its credential ({}), last tried at {}; nobody tries it again before a person does",
        kept.class,
        kept.at.strftime("%Y-%m-%d %H:%M UTC")
    )
}
