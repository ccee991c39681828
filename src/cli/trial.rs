//! What `rotate verify` and the walk try: which credential of which target, with which values, and by which probe.

mod meant;

use std::collections::BTreeMap;

use rotate_providers::Connector;
use rotate_providers::guide::Guide;
use rotate_providers::guide::probe::{Attempt, Outcome, Probe, Verdict, Which};
use rotate_providers::secret::Secret;
use rotate_providers::secret_from::SecretFrom;
use rotate_providers::web::Network;

use super::pasted::left_out;
use crate::engine::driver::DriveError;
use crate::engine::guided::GuidedJournal;
use crate::engine::inventory::InventoryJournal;
use crate::machine::Tried;
use crate::secret_scan::value_looks_secret;
use crate::store::{Guided, Sorted, Store, Stored};
use crate::view::{Speaker, Verification};

/// What a command line asks for.
pub(super) struct Wanted<'a> {
    /// A target or a connector.
    pub(super) what: &'a str,
    /// Whether the credential is meant that is to go.
    pub(super) old: bool,
    /// What the connector is told.
    pub(super) given: BTreeMap<String, String>,
}

/// Why nothing is tried.
pub(super) struct Untried {
    pub(super) why: String,
    pub(super) remedy: Vec<String>,
}

/// One credential that is tried.
pub(super) struct Trial {
    /// The target's name, or the connector's where there is none.
    pub(super) name: String,
    connector: &'static Connector,
    guide: Guide,
    /// Defaults, what the configuration says, what the journal keeps, and what was given.
    values: BTreeMap<String, String>,
    /// The rotation that the verdict belongs to.
    pub(super) walk: Option<Guided>,
    /// Where the configuration says that the secret is.
    pub(super) place: Option<SecretFrom>,
    /// What is seen of the target between its rotations, where the configuration names it and none is open.
    pub(super) watch: Option<Watched>,
    /// How the vendor is reached, as the configuration says it.
    pub(super) network: Network,
    old: bool,
}

/// The thread that keeps a verdict outside of a rotation.
pub(super) struct Watched {
    target: String,
}

impl Untried {
    fn because(why: impl Into<String>, remedy: &[&str]) -> Self {
        Self {
            why: why.into(),
            remedy: remedy.iter().map(|line| (*line).to_owned()).collect(),
        }
    }
}

impl Trial {
    /// What is asked, and of whom: two targets of which it is the same make the same try with the same secret.
    pub(super) fn request(&self) -> String {
        let texts = self
            .probe()
            .map(|probe| probe.texts_of(self.which()))
            .unwrap_or_default();
        let filled: Vec<String> = texts.iter().map(|text| text.fill(&self.values)).collect();
        let (is_private, ca_file) = (self.network.allow_private, &self.network.ca_file);
        let ca_file = ca_file.iter().map(|path| path.display().to_string());
        let ca_file: String = ca_file.collect();
        format!("{}\n{is_private}\n{ca_file}\n{}", self.connector.id, filled.join("\n"))
    }

    /// The account that a wrong try counts against.
    pub(super) fn account(&self) -> String {
        let account = self.probe().map(|probe| probe.account(self.which(), &self.values));
        format!("{}\n{}", self.connector.id, account.unwrap_or_default())
    }

    /// Whether wrong tries may lock whoever signs in.
    pub(super) fn locks(&self) -> bool {
        self.probe().is_some_and(|probe| probe.locks)
    }

    /// What its connector is told beside what is known.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// The inputs that it cannot do without, and that nobody has told.
    pub(super) fn missing(&self) -> Vec<String> {
        let Some(probe) = self.probe() else { return Vec::new() };
        let mut missing: Vec<String> = Vec::new();
        for text in probe.texts_of(self.which()) {
            for name in text.inputs() {
                if !self.values.contains_key(name) && !missing.iter().any(|it| it == name) {
                    missing.push(name.to_owned());
                }
            }
        }
        missing
    }

    /// Whether this text can be this input's.
    pub(super) fn takes(&self, name: &str, text: &str) -> bool {
        let input = self.guide.inputs.iter().find(|input| input.name == name);
        input.is_some_and(|input| input.takes(text) && value_looks_secret(name, text).is_none())
    }

    fn probe(&self) -> Option<&Probe> {
        let which = (self.walk.is_some() || self.old).then(|| self.which());
        self.guide.probe.as_ref()?.fitting(&self.values, which)
    }

    /// Whether a journal keeps the verdict. What is old is no target's any more, outside of its rotation.
    pub(super) fn is_recorded(&self) -> bool {
        match &self.walk {
            Some(_) => self.old || self.which() == Which::New,
            None => self.watch.is_some() && !self.old,
        }
    }

    fn which(&self) -> Which {
        let has_new = self.walk.as_ref().is_some_and(|walk| walk.rotation.has_new());
        match has_new && !self.old {
            true => Which::New,
            false => Which::Present,
        }
    }

    /// Why it is not tried; nothing was sent, and no secret was asked for.
    pub(super) fn refusal(&self, risk_lockout: bool) -> Option<Untried> {
        let probe = self.probe()?;
        if self.old && probe.locks && !risk_lockout {
            return Some(Untried::because(
                "an old password was not tried: wrong tries may lock the user, and so end the new password as well",
                &[
                    "look at the vendor's own record instead, as the guide says; or, for one try:",
                    &format!("rotate verify {} --old --risk-lockout", left_out(&self.name)),
                ],
            ));
        }
        let missing: Vec<String> = self
            .missing()
            .iter()
            .map(|name| format!("--{}", name.replace('_', "-")))
            .collect();
        (!missing.is_empty()).then(|| {
            Untried::because(
                format!("it cannot be tried without: {}", missing.join(", ")),
                &[
                    "nothing was sent; see:",
                    &format!("rotate verify {} --help", self.connector.id),
                ],
            )
        })
    }

    /// What is known without a try: that there is no way.
    pub(super) fn without_secret(&self) -> Option<Outcome> {
        if self.probe().is_some() {
            return None;
        }
        let why = match (&self.guide.probe, &self.guide.no_probe) {
            (Some(probe), _) => {
                let ways = probe.ways().flat_map(|way| &way.only);
                let only = ways.map(|only| format!("--{} {}", only.input.replace('_', "-"), only.is));
                format!("there is a probe for {} alone", only.collect::<Vec<_>>().join(" or "))
            }
            (None, Some(why)) => format!("there is no probe: {why}"),
            (None, None) => "there is no probe for it".to_owned(),
        };
        Some(Outcome::inconclusive("no-probe", why))
    }

    /// The host that it would be sent to, where the vendor has none of its own and the values alone name it.
    pub(super) fn host_of_the_values(&self) -> Option<String> {
        self.probe()?.host_of_the_values(&self.values)
    }

    /// Whether its secret has several lines, as key files have.
    pub(super) fn has_lines(&self) -> bool {
        self.probe().is_some_and(|probe| probe.secret.lines)
    }

    /// What the person is asked for.
    pub(super) fn question(&self) -> String {
        let what = self.probe().map_or("the secret", |probe| probe.secret.what.as_str());
        let which = match (self.which(), self.old) {
            (_, true) => "old: ",
            (Which::New, false) => "new: ",
            (Which::Present, false) => "",
        };
        format!("{}: {which}{what}", self.name)
    }

    /// Why it cannot be the secret that is meant.
    pub(super) fn flaw(&self, secret: &Secret) -> Option<String> {
        self.probe()?.secret.flaw(secret, &self.values)
    }

    /// Tries it. An old one is tried once.
    pub(super) async fn run(&self, secret: &Secret, network: &Network) -> Outcome {
        let Some(probe) = self.probe() else {
            return Outcome::inconclusive("no-probe", "there is no probe for it");
        };
        let login = probe.login_of(self.which()).map(|login| login.fill(&self.values));
        let attempt = Attempt {
            values: &self.values,
            login: login.as_deref(),
            secret,
            network,
        };
        match self.old {
            true => probe.try_once(self.connector.probe, attempt).await,
            false => probe.run(self.connector.probe, attempt).await,
        }
    }

    /// Keeps the verdict in the journal, where its rotation stands by now.
    pub(super) async fn record(
        &mut self,
        store: &dyn Store,
        walker: &GuidedJournal<'_>,
        outcome: &Outcome,
    ) -> Result<(), DriveError> {
        let verdict = outcome.verdict;
        let by = super::who::person();
        let Some(walk) = &self.walk else {
            let Some(watched) = &self.watch else { return Ok(()) };
            let watch = store.watch(&watched.target).await?;
            let watcher = InventoryJournal(walker.0);
            watcher
                .tried(&watched.target, watch, verdict, &outcome.class, &by)
                .await?;
            return Ok(());
        };
        let latest = store.latest(&walk.target).await?.map(Stored::sort);
        let Some(Sorted::Guided(latest)) = latest else {
            return Ok(());
        };
        // Another one was begun meanwhile, which this says nothing of.
        if latest.id != walk.id {
            return Ok(());
        }
        let which = if self.old { Tried::Old } else { Tried::New };
        let after = walker.tried(*latest, which, verdict, &outcome.class, &by).await?;
        self.walk = Some(after);
        Ok(())
    }

    /// What is told of it.
    pub(super) fn told(&self, outcome: &Outcome, speaker: &Speaker) -> Verification {
        let probe = self.probe();
        let proof = self
            .walk
            .as_ref()
            .and_then(|walk| walk.rotation.itinerary.proof.as_ref());
        let open = self.walk.as_ref().filter(|walk| !walk.rotation.is_closed());
        Verification {
            name: self.name.clone(),
            connector: self.connector.id.to_owned(),
            credential: match (self.which(), self.old) {
                (_, true) => "old",
                (Which::New, false) => "new",
                (Which::Present, false) => "present",
            },
            verdict: outcome.verdict,
            class: outcome.class.to_string(),
            reason: outcome.reason.to_string(),
            beyond: probe.and_then(|probe| probe.beyond.clone()),
            residue: self
                .old
                .then(|| self.guide.negative.residue_for(&self.values).to_owned()),
            through_proxy: outcome.through_proxy,
            recorded: self.is_recorded() && outcome.class != "no-probe",
            next: match (open, proof, outcome.verdict) {
                (Some(walk), Some(proof), Verdict::Accepted)
                    if !self.old && walk.rotation.next_step() == Some(&proof.step) =>
                {
                    Some(speaker.command(&format!("done {} {}", self.name, proof.step)))
                }
                _ => None,
            },
        }
    }
}
