//! A machine on which nothing is, and the demo run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

/// Folders that are empty, for whatever a program might leave there, and one for the report.
pub(crate) struct Desk {
    home: TempDir,
    temporary: TempDir,
    pub(crate) report: TempDir,
}

/// What a run has printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) report: String,
    /// What was found afterwards where nothing was before.
    pub(crate) left: Vec<PathBuf>,
}

/// One ordinary run, which most promises are held against.
pub(crate) static RAN: LazyLock<Ran> = LazyLock::new(|| Desk::new().run(&[]));

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = || tempfile::tempdir().unwrap();
        Self {
            home: folder(),
            temporary: folder(),
            report: folder(),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rotate-demo"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("TMPDIR", self.temporary.path())
            .current_dir(self.home.path())
            .arg("--report")
            .arg(self.report.path().join("report.html"))
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        Ran {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
            report: fs::read_to_string(self.report.path().join("report.html")).unwrap_or_default(),
            left: self.left(),
        }
    }

    /// The folder that the demo works in, while it does.
    pub(crate) fn workplace(&self) -> Option<PathBuf> {
        found(self.temporary.path()).pop()
    }

    pub(crate) fn left(&self) -> Vec<PathBuf> {
        [self.home.path(), self.temporary.path()]
            .into_iter()
            .flat_map(found)
            .collect()
    }
}

fn found(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
