//! Commands that must not wait without end, and what is put in the place of files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rotate_fixtures::Ran;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

/// What waits for a pipe waits for ever.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a command, which comes to an end.
pub(crate) fn ended(mut command: Command, what: &str) -> Ran {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the program can be started");
    let begin = Instant::now();
    while child.try_wait().expect("it is our child").is_none() {
        if begin.elapsed() > LIMIT {
            let _ = child.kill();
            panic!("it waits for {what}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("it has ended");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// What is no regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    Pipe,
    Socket,
    Device,
    Folder,
}

impl Odd {
    pub(crate) const ALL: [Self; 4] = [Self::Pipe, Self::Socket, Self::Device, Self::Folder];

    /// How it is called.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Pipe => "a pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Folder => "a folder",
        }
    }

    /// Puts one in this place, of which mode and owner are those of a good file.
    pub(crate) fn put(self, path: &Path) {
        let owners = Mode::from_raw_mode(0o600);
        match self {
            Self::Pipe => mknodat(CWD, path, FileType::Fifo, owners, 0).expect("a pipe can be made"),
            Self::Socket => drop(UnixListener::bind(path).expect("a socket can be made")),
            // As /dev/zero, of which there is no end.
            Self::Device => mknodat(CWD, path, FileType::CharacterDevice, owners, makedev(1, 5))
                .expect("this test needs root that may make devices (CAP_MKNOD)"),
            Self::Folder => fs::create_dir(path).expect("a folder can be made"),
        }
        if self != Self::Folder {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        }
    }

    pub(crate) fn remove(self, path: &Path) {
        match self {
            Self::Folder => fs::remove_dir(path),
            _ => fs::remove_file(path),
        }
        .expect("it is ours");
    }
}

/// A user who is nobody here.
pub(crate) const OTHER: u32 = 61_234;

/// Gives a file, a folder or a link itself to somebody else.
pub(crate) fn give(path: &Path, user: u32) {
    std::os::unix::fs::lchown(path, Some(user), Some(user)).unwrap_or_else(|error| {
        panic!(
            "this test needs root, which alone gives {} to another user: {error}",
            path.display()
        )
    });
}

/// A folder of this user, with this mode.
pub(crate) fn folder_of(path: &Path, user: u32, mode: u32) {
    fs::create_dir(path).expect("a folder can be made");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    if user != 0 {
        give(path, user);
    }
}

/// A file of this user which nobody else may read.
pub(crate) fn file_of(path: &Path, user: u32, text: &str) {
    fs::write(path, text).expect("the folder can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    if user != 0 {
        chown(path, Some(user), Some(user)).expect("root may");
    }
}

/// A link that this user has made.
pub(crate) fn link_of(target: &Path, path: &Path, user: u32) {
    symlink(target, path).expect("a link can be made");
    if user != 0 {
        give(path, user);
    }
}
