//! The chores of whoever changes `rotate`: `cargo xtask`.
//!
//! Nothing here does anything by itself: each chore is a list of command lines, which are printed before they run, so that they can
//! be run by hand as well. What is shipped takes more than such a list: [`dist`].

mod advisories;
mod chores;
pub mod dist;
mod fuzz;
mod line;
mod version;

use chores::{CHORES, Chore};

/// What was asked for.
pub enum Asked {
    /// One of the lists of command lines.
    Chore(&'static str),
    /// What is shipped.
    Dist(dist::Wanted),
    /// Whether this tag names the version that everything else names.
    Version(String),
    /// What is known of the packages.
    Advisories,
    /// Texts by chance, for so many minutes.
    Fuzz(u64),
}

/// What these words ask for; nothing where they are not understood.
#[must_use]
pub fn understand(words: &[String]) -> Option<Asked> {
    match words {
        [name, options @ ..] if name == dist::NAME => dist::Wanted::parse(options).map(Asked::Dist),
        [name, minutes @ ..] if name == fuzz::NAME => fuzz::parse(minutes).map(Asked::Fuzz),
        [name, tag] if name == version::NAME => Some(Asked::Version(tag.clone())),
        [name] if name == advisories::NAME => Some(Asked::Advisories),
        [name] => known(name).map(|chore| Asked::Chore(chore.name)),
        _ => None,
    }
}

/// Every chore by its name, and what it is for.
pub fn chores() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lists = CHORES.iter().map(|chore| (chore.name, chore.what));
    lists.chain([
        (advisories::NAME, advisories::WHAT),
        (dist::NAME, dist::WHAT),
        (fuzz::NAME, fuzz::WHAT),
        (version::NAME, version::WHAT),
    ])
}

/// Does it.
///
/// # Errors
///
/// Says which chore could not be done, and which command line failed.
pub fn run(asked: &Asked) -> Result<(), String> {
    match asked {
        Asked::Chore(name) => known(name).map_or(Ok(()), |chore| {
            let mut lines = chore.lines.iter();
            let done = lines.try_for_each(chores::follow);
            done.map_err(|why| format!("{name}: {why}"))
        }),
        Asked::Dist(wanted) => dist::make(wanted).map_err(|why| format!("{}: {why}", dist::NAME)),
        Asked::Version(tag) => version::check(tag).map_err(|why| format!("{}: {why}", version::NAME)),
        Asked::Fuzz(minutes) => fuzz::run(*minutes).map_err(|why| format!("{}: {why}", fuzz::NAME)),
        Asked::Advisories => advisories::check().map_err(|why| format!("{}: {why}", advisories::NAME)),
    }
}

fn known(name: &str) -> Option<&'static Chore> {
    CHORES.iter().find(|chore| chore.name == name)
}
