//! `rotate.toml`: what is understood, and every mistake in it with its line, its key and what fixes it.
//!
//! Most of it through the library, which is told a text; what the file's place, its mode and the environment decide, through
//! the real program. The strict fake of Snowflake only proves that nothing was changed there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that cannot work must stop its test"
)]

mod destinations;
mod endpoints;
mod environment;
mod file;
mod mistakes;
mod published;
mod values;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use rotate::config::{Config, Mistake};
use rotate_fixtures::Ran;

pub(crate) use published::seen;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// What `rotate init` writes.
static STARTER: LazyLock<String> = LazyLock::new(rotate::config::starter);

/// A target that the program rotates, in six lines.
const MAIN: &str = r#"[[target]]
name = "main"
connector = "s3-customer-managed"
user = "gainsight-s3"
bucket = "acme-data"
deliver = ["file:/srv/main.json"]
"#;

/// A target that a person rotates, in three lines.
const DESK: &str = r#"[[target]]
name = "desk"
connector = "freshdesk"
"#;

fn read(text: &str) -> Result<Config, Vec<Mistake>> {
    Config::parse(Path::new("rotate.toml"), text).map_err(|mistakes| mistakes.all)
}

/// A configuration in which nothing is wrong.
#[track_caller]
fn accepted(text: &str) -> Config {
    read(text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{text}"))
}

/// What is wrong in this text.
#[track_caller]
fn refused(text: &str) -> Vec<Mistake> {
    match read(text) {
        Ok(_) => panic!("nothing is wrong in\n{text}"),
        Err(mistakes) => mistakes,
    }
}

/// A folder that is all the home a command line has, with nothing of the machine's environment.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file of this mode.
    fn put(&self, name: &str, bytes: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(ROTATE);
        command
            .env_clear()
            .env("HOME", self.0.path())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// Whether a state folder was made where it is made if nobody says where.
    fn has_state(&self) -> bool {
        self.path(".local").exists()
    }
}
