//! `rotate store`: the tables of a journal on a server, who may do what there, and the way there.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::session::{OF_ONE_MACHINE, locate, tell_folder};
use super::{Exit, Global, terminal};
use crate::engine::driver::may_outlast;
use crate::state_folder::{FolderError, StateFolder, check_sealed};
use crate::store::{Migrated, PostgresStore, Server, SqliteStore, Store, StoreError, grants};

/// Look after a journal that is kept on a PostgreSQL server.
///
/// Which server that is stands in the configuration: url_env, url_file or url_credential in [store] say where its URL is.
#[derive(Args)]
pub(super) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make the tables of the journal, or bring them to the version of this program; whoever does that owns them
    Migrate,
    /// Move a journal from a state folder to the server, with its whole past; verified on both sides. The identity stays where it is
    Copy {
        /// The journal: sqlite:/var/lib/rotate/rotate.db. No run works on it meanwhile
        #[arg(long, value_name = "sqlite:PATH", value_parser = from)]
        from: PathBuf,
    },
    /// Print the statements by which the owner gives others what they need, and no more
    Grants {
        /// The role of those who run rotate
        #[arg(long, value_name = "ROLE", value_parser = role)]
        runner: String,
        /// The role of those who only read: status, report, plan
        #[arg(long, value_name = "ROLE", value_parser = role)]
        reader: Option<String>,
    },
}

/// A URL is no argument: every user of the machine sees those.
fn from(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err("write sqlite: and the path of rotate.db; the server's URL stands where [store] says, and on no command line".to_owned()),
    }
}

fn role(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-.@".contains(letter);
    match !text.is_empty() && text.len() <= 63 && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("a role's name has letters, digits, _, -, . and @, at most 63".to_owned()),
    }
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let folder = match locate(global) {
            Ok(folder) => folder,
            Err(error) => return tell_folder(global, &error),
        };
        let Some(server) = folder.server() else {
            terminal::error(
                "the configuration names no server for the journal",
                &["write url_env, url_file or url_credential into its [store]; see docs/many-machines.md".to_owned()],
            );
            return Exit::Usage;
        };
        let done = match self.what {
            What::Migrate => migrate(server).await,
            What::Copy { from } => copy(&folder, server, from).await,
            What::Grants { runner, reader } => {
                terminal::print(&grants(&server.schema, &runner, reader.as_deref()));
                Ok(())
            }
        };
        match done {
            Ok(()) => Exit::Ok,
            Err(error) => tell_folder(global, &error),
        }
    }
}

async fn migrate(server: &Server) -> Result<(), FolderError> {
    let address = server.address()?;
    let shown = address.shown();
    let shown = shown.display();
    terminal::note(&match PostgresStore::migrate(&address).await? {
        Migrated::Made => format!("made the tables of the journal in {shown}"),
        Migrated::From(version) => {
            format!("brought the tables in {shown} from version {version} to that of this program")
        }
        Migrated::Not => format!("the tables in {shown} are those of this program already; nothing was done"),
    });
    Ok(())
}

/// The source is locked, so nobody writes to it meanwhile. It is left as it is: where its file is put aside nobody goes on with it.
async fn copy(folder: &StateFolder, server: &Server, from: PathBuf) -> Result<(), FolderError> {
    if !from.exists() {
        return Err(FolderError::Store(StoreError::Unsafe {
            path: from,
            why: "it is not there".to_owned(),
        }));
    }
    let source = SqliteStore::open(&from).await?;
    let _nobody_else = source.lease().await?;
    let before = source.verify().await?;
    let sealer = folder.sealer()?;
    let waiting = source.all_sealed().await?;
    let of_this_machine = waiting
        .iter()
        .filter(|sealed| !sealer.has_sealed(&sealed.bytes))
        .count();
    check_sealed(&sealer, waiting).await?;
    let address = server.address()?;
    let place = address.shown();
    let target = PostgresStore::open(address).await?;
    ends_in_time(&source, &target, &place).await?;
    let lease = target.lease().await?;
    let taken = target
        .take_over(&lease, &source.everything().await?, &sealer.remembered_as())
        .await?;
    let after = target.verify().await?;
    let is_same = (&before.head, before.events) == (&after.head, after.events);
    let done = match taken {
        true if is_same => "copied",
        // The answer to an earlier attempt may have been lost.
        false if is_same => "found there what was copied before:",
        true => {
            let why = "what was copied is not what was there".to_owned();
            return Err(StoreError::Database(why).into());
        }
        false if after.events == 0 => return Err(StoreError::Race.into()),
        false => {
            return Err(FolderError::Store(StoreError::Unfit {
                place,
                why: "there is another journal already, and two cannot be made one".to_owned(),
                remedy: "name another schema in [store]".to_owned(),
            }));
        }
    };
    terminal::note(&format!(
        "{done} {} events of {} rotations, head {}; verified on both sides. From now on the server has the journal: put the file aside: \
         mv {from} {from}.copied",
        after.events,
        after.rotations,
        after.head,
        from = rotate_providers::shell::quoted(&from.to_string_lossy()),
    ));
    if !folder.names_a_sealer() {
        terminal::note(OF_ONE_MACHINE);
    } else if of_this_machine > 0 {
        terminal::note(&format!(
            "warning: of what waits {of_this_machine} were sealed before seal in [store] said what it says now, and no other machine may \
             have what opens them (identity.age in {}): before another one works, seal them anew here: rotate seal rekey",
            folder.path().display()
        ));
    }
    Ok(())
}

/// A rotation that was begun where nobody could take over may have programs that take longer than machines leave each other.
async fn ends_in_time(source: &SqliteStore, target: &PostgresStore, place: &Path) -> Result<(), FolderError> {
    let Some(longest) = target.longest_call() else {
        return Ok(());
    };
    for stored in source.summaries().await? {
        let open = stored.rotation.automated().filter(|_| !stored.rotation.is_closed());
        if let Some(why) = open.and_then(|rotation| may_outlast(rotation, longest)) {
            return Err(FolderError::Store(StoreError::Unfit {
                place: place.to_owned(),
                why: format!("the rotation of {} is open: {why}", stored.target),
                remedy: format!(
                    "bring it to its end before the journal is moved, or take it back and begin it with a shorter timeout: rotate abort {}",
                    stored.target
                ),
            }));
        }
    }
    Ok(())
}
