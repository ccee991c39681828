//! What the commands that look at a whole fleet share: the file, and which of its targets are meant.

use clap::Args;
use strsim::jaro_winkler;

use super::{Exit, Global, terminal};
use crate::config::{Config, Target, Unusable, locate};
use crate::pattern::matches;

/// Which targets of the configuration.
#[derive(Args, Default)]
pub(super) struct Chosen {
    /// These targets only; `*` stands for any letters; repeatable
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// All but these targets; `*` stands for any letters; repeatable
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
}

impl Chosen {
    /// Whether this target is meant.
    pub(super) fn has(&self, name: &str) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, name));
        (self.only.is_empty() || named(&self.only)) && !named(&self.exclude)
    }

    /// A name that no target has is a mistake, and not a wish for nothing.
    pub(super) fn check<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Result<(), Exit> {
        for (option, pattern) in self.named() {
            if names.clone().any(|name| matches(pattern, name)) {
                continue;
            }
            let nearest = names
                .clone()
                .max_by(|a, b| jaro_winkler(a, pattern).total_cmp(&jaro_winkler(b, pattern)));
            let remedy = nearest.map(|near| format!("did you mean {near}?"));
            let why = format!("{option}: no target is called {}", pattern.escape_debug());
            terminal::error(&why, &remedy.into_iter().collect::<Vec<_>>());
            return Err(Exit::Usage);
        }
        Ok(())
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let only = self.only.iter().map(|name| ("--only", name.as_str()));
        only.chain(self.exclude.iter().map(|name| ("--exclude", name.as_str())))
    }
}

/// The configuration that the command line, the environment or the folder has; `None` where there is none.
pub(super) fn configured(global: &Global) -> Result<Option<Config>, Exit> {
    match locate(global.config.as_deref()) {
        None => Ok(None),
        Some(path) => Config::read(&path, &global.allowed)
            .map(Some)
            .map_err(|error| unusable(&error)),
    }
}

/// The same, where nothing can be done without.
pub(super) fn required(global: &Global) -> Result<Config, Exit> {
    configured(global)?.ok_or_else(|| {
        terminal::error(
            "there is no configuration: neither --config nor $ROTATE_CONFIG names one, and ./rotate.toml is not there",
            &["write one:".to_owned(), "rotate init".to_owned()],
        );
        Exit::Usage
    })
}

/// Tells what is wrong with a configuration.
pub(super) fn unusable(error: &Unusable) -> Exit {
    match error {
        Unusable::File { remedy, .. } => {
            let lines = [remedy.clone(), "nothing was touched".to_owned()];
            terminal::error(
                &error.to_string(),
                &lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            );
        }
        Unusable::Mistaken(mistakes) => {
            let mut lines = mistakes.lines();
            lines.push("nothing was touched".to_owned());
            terminal::error(&error.to_string(), &lines);
        }
    }
    Exit::Usage
}

/// The targets that are meant, in the order of the file.
pub(super) fn chosen<'c>(config: &'c Config, chosen: &Chosen) -> Vec<&'c Target> {
    config
        .targets
        .iter()
        .filter(|target| chosen.has(&target.name))
        .collect()
}
