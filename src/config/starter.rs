//! A configuration to begin with: what holds anyway, and an example of each kind of target.

use rotate_providers::connectors;

use super::defaults::{Defaults, Limits, paced};
use crate::duration::written;

/// The file as `rotate init` writes it. The tests hold it to the parser.
pub fn starter() -> String {
    let (defaults, limits) = (Defaults::default(), Limits::default());
    let paces: String = paced()
        .map(|(_, pace)| {
            let (key, calls, what) = (pace.key, pace.calls_per_second, pace.what);
            format!("{key} = {calls}   # how often {what} is called at most; 0: as often as it takes\n")
        })
        .collect();
    let general = include_str!("starter.toml")
        .replace("{max_age}", &written(defaults.max_age))
        .replace("{warn_before}", &written(defaults.warn_before))
        .replace("{cutover}", defaults.cutover.name())
        .replace("{cutover_allowance}", &written(defaults.cutover_allowance))
        .replace("{soak}", &written(defaults.soak))
        .replace("{run_every}", &written(defaults.run_every))
        .replace("{look_every}", &written(limits.look_every))
        .replace("{concurrency}", &limits.concurrency.to_string())
        .replace("{paces}", &paces);
    // First what the program rotates, then what a person does.
    let of = |automated: bool| connectors().filter(move |connector| connector.automation.is_some() == automated);
    let examples = of(true).chain(of(false)).filter_map(|connector| connector.example);
    examples.fold(general, |text, example| text + "\n" + example)
}
