//! Which credential is meant, and what the configuration, the journal and the command line say of it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use rotate_providers::Connector;
use rotate_providers::guide::Guide;
use rotate_providers::web::Network;

use super::{Trial, Untried, Wanted, Watched};
use crate::cli::connectors::nearest;
use crate::cli::named::resolve;
use crate::cli::pasted::left_out;
use crate::config::{AllowedHosts, Config, How, Target};
use crate::engine::driver::DriveError;
use crate::secret_scan::value_looks_secret;
use crate::store::{Guided, Sorted, Store, Stored};

impl Trial {
    /// What is meant.
    pub(in crate::cli) async fn of(
        wanted: Wanted<'_>,
        config: Option<&Config>,
        journal: Option<&dyn Store>,
    ) -> Result<Self, Untried> {
        let mut values = BTreeMap::new();
        let mut place = None;
        let mut network = Network::default();
        let mut walk = None;
        let configured = config.and_then(|config| config.targets.iter().find(|target| target.name == wanted.what));
        let mut connector = configured.map(|target| target.connector);
        if let Some(How::ByHand(by_hand)) = configured.map(|target| &target.how) {
            values.extend(by_hand.values.clone());
            place.clone_from(&by_hand.secret);
            network.allow_private = by_hand.allow_private;
            network.ca_file.clone_from(&by_hand.ca_file);
        }
        let is_connector = rotate_providers::connector(wanted.what).is_some();
        if let Some(journal) = journal.filter(|_| !is_connector) {
            let failed = |error: DriveError| Untried::because(format!("the journal: {error}"), &["see: rotate status"]);
            let name = resolve(journal, config, wanted.what).await.map_err(failed)?;
            let latest = journal.latest(&name).await.map_err(|error| failed(error.into()))?;
            if let Some(Sorted::Guided(guided)) = latest.map(Stored::sort) {
                let kept = &guided.rotation;
                // What was given up proves nothing, and what was no rotation has no new credential.
                // What has ended long ago is no more about the credential of a configured target than its file is.
                let is_past = kept.is_closed() && configured.is_some() && !wanted.old;
                if !kept.aborted && kept.rotates() {
                    connector = rotate_providers::connector(&kept.itinerary.connector).or(connector);
                    for (name, value) in &kept.itinerary.values {
                        // The configuration is newer than a rotation that has ended.
                        if !is_past || !values.contains_key(name) {
                            values.insert(name.clone(), value.clone());
                        }
                    }
                    walk = Some(*guided).filter(|_| !is_past);
                }
            }
        }
        if connector.is_none() {
            let (found, told) = named(wanted.what)?;
            connector = Some(found);
            values.extend(told);
        }
        let Some(connector) = connector else {
            return Err(unknown(wanted.what));
        };
        let guide = connector
            .guide()
            .map_err(|flaw| Untried::because(format!("the guide of {}: {flaw}", connector.id), &[]))?;
        values.extend(taken(connector, &guide, &wanted.given)?);
        Ok(Self {
            name: walk
                .as_ref()
                .map_or(wanted.what, |walk| walk.target.as_str())
                .to_owned(),
            connector,
            values: guide.with_defaults(&values),
            guide,
            // While a rotation is under way, the place may hold either.
            // The old one stands nowhere that is known.
            place: place.filter(|_| !wanted.old && walk.as_ref().is_none_or(|walk| walk.rotation.is_closed())),
            watch: configured.map(|target| Watched {
                target: target.name.clone(),
            }),
            walk,
            network,
            old: wanted.old,
        })
    }

    /// The same, of a rotation that a person walks through.
    pub(in crate::cli) fn of_walk(guided: &Guided) -> Option<Self> {
        let connector = rotate_providers::connector(&guided.rotation.itinerary.connector)?;
        let guide = connector.guide().ok()?;
        Some(Self {
            name: guided.target.clone(),
            connector,
            values: guide.with_defaults(&guided.rotation.itinerary.values),
            guide,
            walk: Some(guided.clone()),
            place: None,
            watch: None,
            network: Network::default(),
            old: false,
        })
    }

    /// A target of the configuration, as it is between its rotations.
    pub(in crate::cli) fn of_target(target: &Target, allowed: &AllowedHosts) -> Option<Self> {
        let How::ByHand(by_hand) = &target.how else { return None };
        let guide = target.connector.guide().ok()?;
        Some(Self {
            name: target.name.clone(),
            connector: target.connector,
            values: guide.with_defaults(&by_hand.values),
            guide,
            walk: None,
            place: Some(by_hand.secret.clone()?),
            watch: None,
            network: Network {
                allow_private: by_hand.allow_private,
                allow_hosts: allowed.hosts().to_vec(),
                ca_file: by_hand.ca_file.clone(),
                ..Network::default()
            },
            old: false,
        })
    }
}

/// What a name without any record says: `CONNECTOR`, or `CONNECTOR/NAME`.
fn named(what: &str) -> Result<(&'static Connector, BTreeMap<String, String>), Untried> {
    let (id, value) = match what.split_once('/') {
        Some((id, value)) => (id, percent_decode_str(value).decode_utf8().ok()),
        None => (what, None),
    };
    let connector = rotate_providers::connector(id).ok_or_else(|| unknown(what))?;
    let guide = connector
        .guide()
        .map_err(|flaw| Untried::because(format!("the guide of {}: {flaw}", connector.id), &[]))?;
    let told = guide
        .identity()
        .zip(value)
        .map(|(input, value)| (input.name.to_string(), value.into_owned()));
    let told: BTreeMap<String, String> = told.into_iter().collect();
    let values = taken(connector, &guide, &told)?;
    Ok((connector, values))
}

fn unknown(what: &str) -> Untried {
    let near = nearest(what).map(|near| format!("did you mean {near}?"));
    let lines = near
        .into_iter()
        .chain(["see: rotate status, and rotate connectors".to_owned()]);
    Untried {
        why: format!(
            "{} is neither a target nor a connector",
            left_out(&what.escape_debug().to_string())
        ),
        remedy: lines.collect(),
    }
}

/// What was given, as it is meant. Nothing that cannot be taken is repeated: somebody may have pasted a secret.
fn taken(
    connector: &Connector,
    guide: &Guide,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Untried> {
    let help = format!("rotate verify {} --help", connector.id);
    let mut values = BTreeMap::new();
    for (name, text) in given {
        let option = format!("--{}", name.replace('_', "-"));
        let Some(input) = guide.inputs.iter().find(|input| input.name == *name) else {
            let why = format!("{} is not told {option}", connector.id);
            return Err(Untried::because(why, &["nothing was sent; see:", &help]));
        };
        if let Some(why) = value_looks_secret(name, text) {
            let why = format!("{option} was not taken: {why}");
            return Err(Untried::because(
                why,
                &["nothing was sent; the secret has a way of its own; see:", &help],
            ));
        }
        let fits = input.meant(text).filter(|_| !text.starts_with('-'));
        let Some(meant) = fits else {
            let expected = input.expected(text);
            let why = format!("{option}{}", expected.strip_prefix("it").unwrap_or(&expected));
            return Err(Untried::because(why, &["nothing was sent; see:", &help]));
        };
        values.insert(name.clone(), meant);
    }
    Ok(values)
}
