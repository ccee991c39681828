//! `rotate <connector>` for connectors that a person rotates, and for the others with `--manual`.

use std::collections::BTreeMap;

use clap::ArgMatches;
use rotate_providers::Connector;
use rotate_providers::guide::{Guide, Procedure};
use rotate_providers::inputs::InputSpec;

use super::story::walking;
use crate::cli::named::{begin_line, only_target_of, readable_config, target_of};
use crate::cli::session::{Session, locate, show, speaker, tell, tell_folder};
use crate::cli::target_name::target_name;
use crate::cli::{Exit, Global, terminal};
use crate::config::{Config, Defaults, How};
use crate::engine::driver::{DriveError, Refusal};
use crate::engine::{Credential, Namings};
use crate::machine::{AnyRotation, Begun, GuidedRotation, GuidedSpec, Rotation};
use crate::notify::Limits;
use crate::plan::{Guidance, lead};
use crate::secret_scan::value_looks_secret;
use crate::state_folder::FolderError;
use crate::store::{Guided, Sorted, Store, Stored, is_recent};
use crate::view::{Detail, TargetView};

/// What a command line asks for.
struct Asked {
    connector: &'static Connector,
    guide: Guide,
    procedure: Procedure,
    /// What the command line gives, as it was typed.
    texts: BTreeMap<String, String>,
    /// The same, as it is meant.
    given: BTreeMap<String, String>,
    /// The same, and what the configuration says of this credential.
    values: BTreeMap<String, String>,
    target: String,
    allowance_seconds: u64,
    begin: bool,
    strict: bool,
    again: bool,
    brief: bool,
}

/// Runs the command of a guided connector.
pub(super) async fn run(global: &Global, connector: &'static Connector, matches: &ArgMatches) -> Exit {
    let asked = match Asked::read(connector, matches) {
        Ok(asked) => asked.in_fleet(readable_config(global).as_ref()),
        Err(flaw) => {
            terminal::error(&flaw, &[]);
            return Exit::Error;
        }
    };
    if let Some(refusal) = asked.refusal(global).await {
        let error = DriveError::Refused(refusal);
        tell(&speaker(global), &asked.target, &error, None);
        return Exit::Usage;
    }
    let (opened, session) = match asked.opened(global).await {
        Ok(opened) => opened,
        Err(error) => return tell_folder(global, &error),
    };
    let exit = match opened {
        Ok(report) => {
            let detail = if asked.brief { Detail::Checklist } else { Detail::Whole };
            show(global, &[report.in_detail(detail)]);
            Exit::Ok
        }
        Err(error) => {
            tell(&speaker(global), &asked.target, &error, None);
            let mut report = TargetView::unopened(&asked.target);
            report.fail(&error);
            show(global, &[report]);
            Exit::of_error(&error)
        }
    };
    // Whoever waits for the plan does not wait for those who are told of it.
    if let Some(session) = session {
        session.post(Limits::PERSON).await;
    }
    exit
}

impl Asked {
    fn read(connector: &'static Connector, matches: &ArgMatches) -> Result<Self, String> {
        let guide = connector
            .guide()
            .map_err(|flaw| format!("the guide of {}: {flaw}", connector.id))?;
        let wanted: Option<&String> = matches.get_one("procedure");
        let procedure = wanted
            .and_then(|wanted| Procedure::named(wanted))
            .unwrap_or(Procedure::Rotate);
        let texts: BTreeMap<String, String> = guide
            .inputs
            .iter()
            .filter_map(|input| Some((input.name.to_string(), matches.get_one::<String>(&input.name)?.clone())))
            .collect();
        let meant = |input: &InputSpec| Some((input.name.to_string(), input.meant(texts.get(&*input.name)?)?));
        let given: BTreeMap<String, String> = guide.inputs.iter().filter_map(meant).collect();
        let credential = Credential::of(connector.id, &guide, &given);
        Ok(Self {
            connector,
            procedure,
            target: target_name(connector.id, credential.name.as_deref()),
            texts,
            values: given.clone(),
            given,
            allowance_seconds: Defaults::default().allowance_seconds(),
            begin: matches.get_flag("begin"),
            strict: matches.get_flag("strict"),
            again: matches.get_flag("again"),
            brief: matches.get_flag("brief"),
            guide,
        })
    }

    /// Where the configuration names this credential, its target is meant.
    fn in_fleet(mut self, config: Option<&Config>) -> Self {
        let credential = self.credential();
        let target = target_of(config, &credential).or_else(|| match credential.name {
            None => only_target_of(config, self.connector),
            Some(_) => None,
        });
        if let Some(target) = target
            && let How::ByHand(by_hand) = &target.how
        {
            self.target.clone_from(&target.name);
            self.allowance_seconds = target.allowance_seconds;
            for (name, value) in &by_hand.values {
                self.values.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        self
    }

    fn credential(&self) -> Credential {
        Credential::of(self.connector.id, &self.guide, &self.values)
    }

    /// What was given and cannot be taken; or what was not given and has to be.
    async fn refusal(&self, global: &Global) -> Option<Refusal> {
        if let Some(refusal) = self.bad_value() {
            return Some(refusal);
        }
        let refusal = self.left_open()?;
        // What is open already was begun without, and is shown.
        let looked = async {
            self.find(&*locate(global).ok()?.open_journal().await.ok()??)
                .await
                .ok()?
        };
        let is_open = looked.await.is_some_and(|guided| !guided.rotation.is_closed());
        (!is_open || self.strict).then_some(refusal)
    }

    /// The first value that cannot be taken. The parser of the command line would repeat it; but somebody may have pasted a
    /// secret where none belongs.
    fn bad_value(&self) -> Option<Refusal> {
        self.guide.inputs.iter().find_map(|input| {
            let text = self.texts.get(&*input.name)?;
            let option = input.option();
            if let Some(why) = value_looks_secret(&input.name, text) {
                let remedy = "leave it out, or give it without: values are kept in the clear; nothing was opened";
                return Some(Refusal::because(format!("{option} was not taken: {why}"), remedy));
            }
            // What begins with a hyphen is an option that follows one without a value.
            let fits = input.takes(text) && !text.starts_with('-');
            (!fits).then(|| {
                let expected = input.expected(text);
                Refusal::because(
                    format!("{option}{}", expected.strip_prefix("it").unwrap_or(&expected)),
                    format!("nothing was opened; see: rotate {} --help", self.connector.id),
                )
            })
        })
    }

    /// What the plan needs has to be given before it begins; with `--strict` everything that can be known by now.
    fn left_open(&self) -> Option<Refusal> {
        let guidance = Guidance::of(&self.guide, self.procedure, &self.values);
        let is_needed = |required: bool| self.strict || (self.begin && required);
        let missing = guidance
            .missing
            .iter()
            .filter(|missing| !missing.late && is_needed(missing.required));
        let missing: Vec<&str> = missing.map(|missing| missing.option.as_str()).collect();
        (!missing.is_empty()).then(|| {
            let why = format!("the plan needs values that were not given: {}", missing.join(", "));
            Refusal::because(
                why,
                format!("nothing was opened; see: rotate {} --help", self.connector.id),
            )
        })
    }

    /// The plan with where it stands, which is opened if that is asked for; then with whoever has written that down, and tells of it.
    async fn opened(&self, global: &Global) -> Result<(Result<TargetView, DriveError>, Option<Session>), FolderError> {
        if self.begin {
            let session = Session::begin(global).await?;
            let opened = self.open(global, &session).await;
            return Ok((opened, Some(session)));
        }
        // Looking does not write, and makes no folder.
        let standing = match locate(global)?.open_journal().await? {
            Some(store) => self.find(&*store).await,
            None => Ok(None),
        };
        let report = standing.map(|standing| self.report(global, standing.as_ref()));
        Ok((report, None))
    }

    async fn open(&self, global: &Global, session: &Session) -> Result<TargetView, DriveError> {
        let guided = match self.find(&session.store).await? {
            Some(standing) => {
                if !standing.rotation.is_closed() {
                    let (name, since) = (&standing.target, standing.rotation.opened_at.strftime("%Y-%m-%d"));
                    terminal::note(&format!("{name} is open since {since}; nothing was begun"));
                }
                standing
            }
            None => {
                let begun = Begun::ordered(&session.by);
                session.walker().open(&self.target, self.itinerary(), begun).await?
            }
        };
        Ok(self.report(global, Some(&guided)))
    }

    /// The guided rotation that this command goes on with, whatever it is called; `None` where it would open one.
    async fn find(&self, store: &dyn Store) -> Result<Option<Guided>, DriveError> {
        let own = store.latest(&self.target).await?;
        if own.as_ref().is_none_or(|stored| stored.rotation.is_closed())
            && let Some(other) = self.open_elsewhere(store).await?
        {
            return self.standing(store.latest(&other).await?);
        }
        self.standing(own)
    }

    /// The name under which this credential's rotation is open, where that is another one.
    async fn open_elsewhere(&self, store: &dyn Store) -> Result<Option<String>, DriveError> {
        let mut namings = Namings::default();
        let wanted = self.credential();
        let mut perhaps = Vec::new();
        for stored in store.summaries().await? {
            let walk = match &stored.rotation {
                AnyRotation::Guided(walk) => walk,
                AnyRotation::Automated(rotation) if self.begin && self.is_about(rotation) => {
                    return Err(DriveError::Refused(Refusal::not_walked(&stored.target)));
                }
                AnyRotation::Automated(_) => continue,
            };
            if walk.is_closed() || stored.target == self.target {
                continue;
            }
            match namings.of_walk(walk) {
                Some(found) if found == wanted => return Ok(Some(stored.target)),
                // It may be the same one, and two at once would be two new keys.
                Some(found) if self.begin && found.may_be(&wanted) => {
                    let what = self.guide.identity().map(InputSpec::option).unwrap_or_default();
                    let why = format!("it was begun without {what}, so it may be about the same credential");
                    let refusal = Refusal::walk(&stored.target, &why);
                    let refusal = refusal.with("bring it to its end first, or give it up:");
                    return Err(DriveError::Refused(
                        refusal.with(format!("rotate abort {}", stored.target)),
                    ));
                }
                Some(found) if wanted.name.is_none() && found.may_be(&wanted) => perhaps.push(stored.target),
                _ => {}
            }
        }
        // Nobody has said which one: where there is but one, it is meant.
        Ok(perhaps.pop().filter(|_| perhaps.is_empty()))
    }

    /// Whether the program is rotating the credential that this command names.
    fn is_about(&self, rotation: &Rotation) -> bool {
        let spec = &rotation.spec;
        let told = self.credential().name;
        let kept = self
            .guide
            .identity()
            .and_then(|input| spec.inputs.get(&*input.name)?.as_str());
        // Names that differ in case alone are the same to some vendors, and a refusal costs less than two new keys at once.
        let same = kept
            .zip(told.as_deref())
            .is_some_and(|(kept, told)| kept.eq_ignore_ascii_case(told));
        same && spec.connector == self.connector.id && !rotation.phase.is_closed()
    }

    fn standing(&self, latest: Option<Stored>) -> Result<Option<Guided>, DriveError> {
        let Some(latest) = latest else { return Ok(None) };
        let guided = match latest.sort() {
            Sorted::Guided(guided) => *guided,
            Sorted::Automated(automated) if automated.rotation.phase.is_closed() => return Ok(None),
            Sorted::Automated(automated) => return Err(DriveError::Refused(Refusal::not_walked(&automated.target))),
        };
        let walk = &guided.rotation;
        let conflict = self.conflict(walk);
        if walk.is_closed() {
            let counts = walk.is_done() && (!walk.rotates() || walk.rotated_at().is_some());
            let ended_now = walk.ticks.last().is_some_and(|tick| is_recent(tick.at));
            let repeats = conflict.is_none() && ended_now && counts && !self.again;
            return Ok(repeats.then_some(guided));
        }
        match conflict {
            None => Ok(Some(guided)),
            Some(why) => Err(DriveError::Refused(Refusal::walk(&guided.target, &why))),
        }
    }

    /// Why this command cannot be meant for that walk. Values that one of the two lacks are none.
    fn conflict(&self, walk: &GuidedRotation) -> Option<String> {
        let itinerary = &walk.itinerary;
        let procedure = &itinerary.procedure;
        if procedure != self.procedure.name() {
            return Some(format!(
                "its `{procedure}` is open: that one ends first, or is given up"
            ));
        }
        let differs = |input: &&InputSpec| {
            let (asked, kept) = (self.given.get(&*input.name), itinerary.values.get(&*input.name));
            asked.is_some() && kept.is_some() && asked != kept
        };
        let others: Vec<String> = self
            .guide
            .inputs
            .iter()
            .filter(differs)
            .map(InputSpec::option)
            .collect();
        (!others.is_empty()).then(|| {
            let others = others.join(", ");
            format!("another `{procedure}` of it is open, which was begun with other values ({others})")
        })
    }

    /// The values that the plan is filled with: those of the opening, and those that were learned since.
    fn filled(&self, guided: Option<&Guided>) -> BTreeMap<String, String> {
        let mut values = self.values.clone();
        values.extend(
            guided
                .iter()
                .flat_map(|guided| guided.rotation.itinerary.values.clone()),
        );
        values
    }

    /// Says which values are only shown.
    fn tell_unkept(&self, guided: &Guided) {
        let kept = &guided.rotation.itinerary.values;
        let new = |input: &&InputSpec| self.given.contains_key(&*input.name) && !kept.contains_key(&*input.name);
        let new: Vec<String> = self.guide.inputs.iter().filter(new).map(InputSpec::option).collect();
        if !new.is_empty() {
            terminal::note(&format!(
                "shown in this plan only, as it was begun without: {}; give it again to see it again",
                new.join(", ")
            ));
        }
    }

    fn itinerary(&self) -> GuidedSpec {
        let id = self.connector.id;
        GuidedSpec::of(id, &self.guide, self.procedure, &self.values, self.allowance_seconds)
    }

    fn report(&self, global: &Global, guided: Option<&Guided>) -> TargetView {
        let values = self.filled(guided);
        let guidance = Guidance::of(&self.guide, self.procedure, &values);
        let walk = guided.map(|guided| &guided.rotation);
        let steps = lead(&self.guide, self.procedure, &values, walk);
        match guided {
            Some(guided) => {
                self.tell_unkept(guided);
                walking(global, guided).with_guide(guidance, steps)
            }
            None => {
                let again = if self.again { " --again" } else { "" };
                let line = begin_line(self.connector, &self.guide, self.procedure, &self.values);
                let line = speaker(global).line(&format!("{line}{again}"));
                TargetView::unwalked(&self.target, guidance, steps).with_beginning(line)
            }
        }
    }
}
