//! A file in which heads of the journal are noted down, best on another machine: a journal that was put back to an older copy
//! does not have the last of them.
//!
//! Lines are appended and never replaced: earlier heads stay evidence, and a file that can only be appended to (`chattr +a`, a store
//! that keeps what was written) cannot be taken back by whoever takes the journal back. A line is written after what it notes down was
//! committed, so the anchor may be behind the journal, and is never ahead of it. A line that was cut short by a power cut is no line.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rotate_providers::regular::Regular;
use rustix::fs::{Mode, OFlags};

use super::{Head, Store, StoreError};
use crate::hooks::now;
use crate::private_file::Place;

/// The last line is looked for in this much of its end.
const END: u64 = 64 * 1024;

/// No anchor is larger: a line an hour for seventy years.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Where heads are noted down.
#[derive(Clone, Debug)]
pub struct Anchor {
    path: PathBuf,
}

/// A head that was noted down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub head: Head,
}

/// An anchor that cannot be used, or a journal that is not the one it was noted down of.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// It cannot be read or written.
    #[error("the anchor {} cannot be {doing}: {why}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why.
        why: String,
    },
    /// The journal does not have what was noted down.
    #[error(
        "the journal is behind its anchor {}: event {} with the head {}, noted down at {}, is not in it; it was put back to an older copy, or is another one",
        path.display(), anchored.head.seq, anchored.head.hash, anchored.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    )]
    Behind {
        /// The anchor.
        path: PathBuf,
        /// What was noted down there.
        anchored: Anchored,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Anchor {
    /// The anchor of this path.
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last head that was noted down; `None` where none ever was.
    pub fn last(&self) -> Result<Option<Anchored>, AnchorError> {
        let Some(found) = self.open()? else { return Ok(None) };
        let size = found.metadata().len();
        let mut file = found.file();
        let from = size.saturating_sub(END);
        let mut bytes = Vec::new();
        let read = file
            .seek(SeekFrom::Start(from))
            .and_then(|_| file.take(END).read_to_end(&mut bytes));
        read.map_err(|error| self.unusable("read", error))?;
        let last = lines(&bytes).last();
        if last.is_none() && size > 0 {
            return Err(self.unusable("read", "no line of it is a head that was noted down"));
        }
        Ok(last)
    }

    /// Every head that was noted down, by its place in the journal.
    pub fn all(&self) -> Result<BTreeMap<i64, Anchored>, AnchorError> {
        let Some(found) = self.open()? else {
            return Ok(BTreeMap::new());
        };
        let bytes = found.bytes(LARGEST).map_err(|error| self.unusable("read", error))?;
        let all: BTreeMap<_, _> = lines(&bytes).map(|line| (line.head.seq, line)).collect();
        if all.is_empty() && !bytes.is_empty() {
            return Err(self.unusable("read", "no line of it is a head that was noted down"));
        }
        Ok(all)
    }

    /// Whether this journal is the one whose head was noted down last, or goes on from it.
    pub async fn check(&self, store: &dyn Store) -> Result<(), AnchorError> {
        let Some(anchored) = self.last()? else { return Ok(()) };
        match store.head_at(anchored.head.seq).await? {
            Some(head) if head == anchored.head => Ok(()),
            _ => Err(self.behind(anchored)),
        }
    }

    /// Notes the head of this journal down, durably, unless it is there already.
    pub async fn note(&self, store: &dyn Store) -> Result<(), AnchorError> {
        let head = store.head().await?;
        let last = self.last()?;
        if head.seq == 0 || last.as_ref().is_some_and(|last| last.head == head) {
            return Ok(());
        }
        // Whoever has changed the journal meanwhile is found before, and does not get its head into here.
        self.check(store).await?;
        let line = Anchored { at: now(), head };
        self.append(&line).map_err(|error| self.unusable("written", error))
    }

    /// What is said where the journal does not have what was noted down.
    pub fn behind(&self, anchored: Anchored) -> AnchorError {
        AnchorError::Behind {
            path: self.path.clone(),
            anchored,
        }
    }

    fn append(&self, line: &Anchored) -> io::Result<()> {
        let place = Place::of(&self.path).map_err(|unfit| io::Error::other(unfit.to_string()))?;
        // A link is followed by nobody who writes.
        let flags =
            OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(place.folder(), place.name(), flags, Mode::from_raw_mode(0o644))?;
        let mut file = File::from(opened);
        let size = file.metadata()?.len();
        // A line that was cut short is ended, so that it does not spoil this one.
        let before = match size {
            0 => "",
            _ if ends_a_line(&mut file, size)? => "",
            _ => "\n",
        };
        file.write_all(format!("{before}{line}\n").as_bytes())?;
        file.sync_all()?;
        if size == 0 {
            place.folder().sync()?;
        }
        Ok(())
    }

    /// What is not mounted has no anchor in it, and says nothing of the journal: its folder has to be there.
    fn open(&self) -> Result<Option<Regular>, AnchorError> {
        let place = Place::of(&self.path).map_err(|unfit| self.unusable("read", unfit))?;
        Regular::at(&place).map_err(|error| self.unusable("read", error))
    }

    fn unusable(&self, doing: &'static str, why: impl fmt::Display) -> AnchorError {
        AnchorError::Unusable {
            path: self.path.clone(),
            doing,
            why: why.to_string(),
        }
    }
}

fn ends_a_line(file: &mut File, size: u64) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::Start(size - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The whole lines that say a head. The end of one that was cut short says none, for a hash has all of its digits.
fn lines(bytes: &[u8]) -> impl Iterator<Item = Anchored> {
    let whole = bytes.split_inclusive(|byte| *byte == b'\n');
    whole.filter_map(|line| parse(std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?))
}

impl fmt::Display for Anchored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.at, self.head.seq, self.head.hash)
    }
}

fn parse(line: &str) -> Option<Anchored> {
    let mut fields = line.split(' ');
    let (at, seq, hash) = (fields.next()?, fields.next()?, fields.next()?);
    let is_hash = hash.len() == 64 && hash.chars().all(|letter| matches!(letter, '0'..='9' | 'a'..='f'));
    (is_hash && fields.next().is_none()).then_some(())?;
    Some(Anchored {
        at: at.parse().ok()?,
        head: Head {
            seq: seq.parse().ok().filter(|seq| *seq > 0)?,
            hash: hash.to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchored(seq: i64) -> Anchored {
        Anchored {
            at: Timestamp::from_second(1_800_000_000).unwrap(),
            head: Head {
                seq,
                hash: "ab".repeat(32),
            },
        }
    }

    fn beside(text: &str) -> (tempfile::TempDir, Anchor) {
        let folder = tempfile::tempdir().unwrap();
        let anchor = Anchor::of(&folder.path().join("anchor"));
        std::fs::write(anchor.path(), text).unwrap();
        (folder, anchor)
    }

    #[test]
    fn a_line_that_was_cut_short_anywhere_is_no_line_and_the_next_one_stands_whole_behind_it() {
        let (first, second, third) = (anchored(1), anchored(2), anchored(3));
        let line = format!("{second}\n");
        for cut in 0..line.len() - 1 {
            let (_folder, anchor) = beside(&format!("{first}\n{}", &line[..cut]));
            assert_eq!(anchor.last().unwrap(), Some(first.clone()), "{cut}");
            anchor.append(&third).unwrap();
            assert_eq!(anchor.last().unwrap(), Some(third.clone()), "{cut}");
            assert_eq!(anchor.all().unwrap().len(), 2, "{cut}");
        }
    }

    #[test]
    fn a_file_that_has_no_head_is_no_anchor_and_one_that_is_not_there_is_not_begun_yet() {
        let (folder, anchor) = beside("hello\n");
        assert!(anchor.last().is_err() && anchor.all().is_err());
        std::fs::remove_file(anchor.path()).unwrap();
        assert_eq!(anchor.last().unwrap(), None);
        let unmounted = Anchor::of(&folder.path().join("mnt/anchor"));
        assert!(unmounted.last().unwrap_err().to_string().contains("does not exist"));
        std::os::unix::fs::symlink("/dev/null", anchor.path()).unwrap();
        assert!(anchor.last().is_err() && anchor.append(&anchored(1)).is_err());
    }

    #[test]
    fn the_last_head_of_a_long_anchor_is_found_at_its_end() {
        let many: String = (1..5000).map(|seq| format!("{}\n", anchored(seq))).collect();
        let (_folder, anchor) = beside(&many);
        assert_eq!(anchor.last().unwrap().unwrap().head.seq, 4999);
        assert_eq!(anchor.all().unwrap().len(), 4999);
    }
}
