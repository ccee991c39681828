//! The program's own files, which no key is delivered to: a delivery would replace them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Fault;
use crate::private_file::{Folder, Place};
use rotate_providers::folder::Identity;

/// What the program keeps, by the name that it has everywhere.
const NAMES: [&str; 4] = ["identity.age", "rotate.db", "rotate.lock", "rotate.toml"];
/// What SQLite keeps beside the database.
const BESIDE_THE_DATABASE: &str = "rotate.db-";
/// What is put beside a file on the way into its place.
const ON_THE_WAY: &str = ".rotate-new";

/// Where the files of this process are.
#[derive(Default)]
struct Ours {
    state: Option<PathBuf>,
    config: Option<PathBuf>,
}

static OURS: OnceLock<Ours> = OnceLock::new();

/// Says where they are. Only the first time counts: a process has one state folder and one configuration.
pub fn keep(state: Option<&Path>, config: Option<&Path>) {
    let _ = OURS.set(Ours {
        state: state.map(Path::to_owned),
        config: config.map(Path::to_owned),
    });
}

/// Whether a file of this name is ours in any folder.
pub(super) fn check_name(path: &Path) -> Result<(), Fault> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ours = NAMES.contains(&&*name) || name.starts_with(BESIDE_THE_DATABASE) || name.ends_with(ON_THE_WAY);
    if ours {
        Err(Fault::Ours(format!("{name} is a name of rotate's own files")))
    } else {
        Ok(())
    }
}

/// Refuses one of ours, by whatever name it is called.
pub(super) fn refuse(place: &Place) -> Result<(), Fault> {
    check_name(&place.path())?;
    let found = place.look().ok().flatten();
    let file = found.as_ref().map(Identity::of);
    let Some(ours) = OURS.get() else {
        return Ok(());
    };
    let is = |path: &Path| {
        let known = Place::of(path).ok().and_then(|place| place.look().ok().flatten());
        file.is_some() && known.as_ref().map(Identity::of) == file
    };
    if ours.config.as_deref().is_some_and(is) {
        return Err(Fault::Ours("it is the configuration of rotate".to_owned()));
    }
    let Some(state) = ours.state.as_deref().and_then(|path| Folder::open(path).ok()) else {
        return Ok(());
    };
    if state.identity().is_some_and(|state| place.folder().is_within(state)) {
        let shown = state.path().display();
        return Err(Fault::Ours(format!("it is in {shown}, where rotate keeps its state")));
    }
    // The same file has another name there.
    let state = std::sync::Arc::new(state);
    let names = if file.is_some() {
        state.names().unwrap_or_default()
    } else {
        Vec::new()
    };
    for name in names {
        let own = state.place(name);
        let known = own.look().ok().flatten();
        if known.as_ref().map(Identity::of) == file {
            return Err(Fault::Ours(format!("it is {}", own.path().display())));
        }
    }
    Ok(())
}
