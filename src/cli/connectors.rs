//! `rotate connectors [ID]`.

use clap::Args;
use rotate_providers::guide::{Flaw, Guide};
use rotate_providers::{Connector, connectors};

use super::{Exit, Global, Output, terminal};
use crate::hooks::now;
use crate::view::{Listed, json, markdown, page, text};

/// Show every connector, or one with what it asks for.
///
/// With `--output markdown` one connector is a whole page: what it is, who is needed, its options, its steps and its sources.
#[derive(Args)]
pub(super) struct Command {
    /// One connector
    id: Option<String>,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let chosen: Vec<&Connector> = match &self.id {
            None => connectors().collect(),
            Some(id) => connectors().filter(|connector| connector.id == id).collect(),
        };
        if chosen.is_empty() {
            let id = self.id.unwrap_or_default();
            let near = nearest(&id).map(|near| format!("did you mean {near}?"));
            let lines = near.into_iter().chain(["see them all: rotate connectors".to_owned()]);
            terminal::error(
                &format!("there is no connector {}", id.escape_debug()),
                &lines.collect::<Vec<_>>(),
            );
            return Exit::Usage;
        }
        let read: Result<Vec<(&Connector, Guide)>, Flaw> = chosen
            .into_iter()
            .map(|connector| connector.guide().map(|guide| (connector, guide)))
            .collect();
        let read = match read {
            Ok(read) => read,
            Err(flaw) => {
                terminal::error(&format!("a guide cannot be read: {flaw}"), &[]);
                return Exit::Error;
            }
        };
        let listed: Vec<Listed> = read
            .iter()
            .map(|(connector, guide)| Listed::of(connector, guide))
            .collect();
        terminal::print(&match (global.output, &self.id) {
            (Output::Json, _) => json::connectors(&listed),
            (Output::Markdown, None) => markdown::connectors(&listed),
            (Output::Markdown, Some(_)) => read.iter().map(|(connector, guide)| page(connector, guide)).collect(),
            (Output::Text, None) => text::connectors(&listed, terminal::columns()),
            (Output::Text, Some(_)) => text::connector(&listed, terminal::width()),
        });
        let now = now();
        let stale: Vec<&str> = listed
            .iter()
            .filter(|one| one.is_stale(now))
            .map(|one| one.id)
            .collect();
        if !stale.is_empty() {
            let stale = stale.join(", ");
            terminal::note(&format!(
                "nobody has looked at these guides for a year: {stale}; check their facts at the vendor"
            ));
        }
        Exit::Ok
    }
}

/// The connector whose id is most like this text, if one is like it at all.
pub(super) fn nearest(text: &str) -> Option<&'static str> {
    let likeness = |id: &str| strsim::jaro_winkler(id, text);
    let best = connectors().max_by(|a, b| likeness(a.id).total_cmp(&likeness(b.id)))?;
    (likeness(best.id) > 0.7).then_some(best.id)
}
