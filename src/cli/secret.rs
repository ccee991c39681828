//! A secret that a command needs for one call: from a place that was named, from the person at the terminal, or from standard
//! input. It is never an argument.

use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use clap::Args;
use rotate_providers::secret::Secret;
use rotate_providers::secret_from::SecretFrom;
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::terminal;
use crate::engine::driver::Interrupt;

/// No secret is longer; a key file has some thousand letters.
const LONGEST: usize = 64 << 10;

/// Where a secret is read.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Where the secret is")]
pub(super) struct SecretArgs {
    /// A file with it, which others may not read
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(super) secret_file: Option<PathBuf>,
    /// An environment variable with it
    #[arg(long, value_name = "NAME", group = "secret")]
    pub(super) secret_env: Option<String>,
    /// A credential that systemd hands to this service
    #[arg(long, value_name = "NAME", group = "secret")]
    pub(super) secret_credential: Option<String>,
}

/// Why there is no secret.
pub(super) enum NoSecret {
    /// It could not be read, and why.
    Unread(String),
    /// The person stops here.
    Stopped,
}

impl SecretArgs {
    /// The place that was named.
    pub(super) fn place(&self) -> Option<SecretFrom> {
        let file = self.secret_file.clone().map(SecretFrom::File);
        let variable = || self.secret_env.clone().map(SecretFrom::Variable);
        let credential = || self.secret_credential.clone().map(SecretFrom::Credential);
        file.or_else(variable).or_else(credential)
    }
}

/// Reads the secret from its place; else the person types it, which is not shown; else it is on standard input.
pub(super) async fn read(
    place: Option<&SecretFrom>,
    what: &str,
    has_lines: bool,
    interrupt: &Interrupt,
) -> Result<Secret, NoSecret> {
    if let Some(place) = place {
        return place.read().map_err(|why| NoSecret::Unread(format!("{place}: {why}")));
    }
    if isatty(stdin()) {
        // Of what is pasted a terminal takes one line, and shows the rest.
        if has_lines {
            let why = "it has several lines, which cannot be typed unseen: rotate verify with --secret-file FILE, or on standard input";
            return Err(NoSecret::Unread(why.to_owned()));
        }
        return typed(what, interrupt).await;
    }
    let (told, read) = oneshot::channel();
    std::thread::spawn(move || told.send(all()).is_ok());
    tokio::select! {
        read = read => read
            .unwrap_or(Err(Errno::CANCELED))
            .map_err(|_| NoSecret::Unread(format!("standard input cannot be read, or is longer than {} KiB", LONGEST >> 10))),
        () = interrupt.wait() => Err(NoSecret::Stopped),
    }
}

/// What the person types; it is not shown, and the terminal shows again what is typed when this is over.
async fn typed(what: &str, interrupt: &Interrupt) -> Result<Secret, NoSecret> {
    let silence =
        Silence::begin().map_err(|_| NoSecret::Unread("the terminal cannot be kept from showing it".to_owned()))?;
    terminal::prompt(&format!("{what} (not shown): "));
    let (told, read) = oneshot::channel();
    // A thread of its own: nothing can wake one that waits for a terminal, and the program may have to end.
    std::thread::spawn(move || told.send(line()).is_ok());
    let read = tokio::select! {
        read = read => read.ok().and_then(Result::ok),
        () = interrupt.wait() => None,
    };
    drop(silence);
    terminal::prompt("\n");
    read.ok_or(NoSecret::Stopped)
}

/// A terminal that does not show what is typed, as long as this lives.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Self, Errno> {
        let before = tcgetattr(stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        tcsetattr(stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if isatty(stdin()) {
            // What was pasted behind the first line is nobody's answer, and no command.
            let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
        }
    }
}

fn stdin() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

/// One line, without its end. Not through the buffer of standard input, which nobody wipes.
fn line() -> Result<Secret, Errno> {
    read_until(|read| read.contains(&b'\n'))
}

/// Everything, without the line break at its end.
fn all() -> Result<Secret, Errno> {
    read_until(|_| false)
}

fn read_until(is_whole: impl Fn(&[u8]) -> bool) -> Result<Secret, Errno> {
    let mut buffer = Zeroizing::new(vec![0; LONGEST + 1]);
    let mut length = 0;
    while !is_whole(&buffer[..length]) {
        if length > LONGEST {
            return Err(Errno::TOOBIG);
        }
        match rustix::io::read(stdin(), &mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let end = buffer[..length]
        .iter()
        .rposition(|byte| !is_break(byte))
        .map_or(0, |last| last + 1);
    Ok(Secret::new(&buffer[..end]))
}
