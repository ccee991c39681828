//! One file, one delivery, and who reads what before and after it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rotate::delivery::{self, Destination, Fields};
use rotate_fixtures::PythonReaders;
use rotate_providers::contract::KeyId;
use rotate_providers::s3_customer_managed::SECRET;
use rotate_providers::secret::{Credential, Secret};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::destinations::filled;

pub(crate) const NEW_ID: &str = "AKIANEWNEWNEWNEWNEWN";
pub(crate) const NEW_SECRET: &str = "new/abc+def/0123456789ABCDEFghij/klmnopq";

/// All tests of this file ask one Python process.
pub(crate) static READERS: LazyLock<PythonReaders> = LazyLock::new(PythonReaders::start);

pub(crate) fn new_key() -> Fields {
    let key = Credential {
        key: KeyId::parse(NEW_ID).expect("the name of a key"),
        public: None,
        secret: Secret::new(NEW_SECRET.as_bytes()),
    };
    filled(SECRET, &key)
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A folder with one file that may get a key.
pub(crate) struct Edit {
    folder: TempDir,
    path: PathBuf,
    prefix: &'static str,
    before: String,
}

impl Edit {
    /// `prefix` is what stands before the path in the destination's name.
    pub(crate) fn of(name: &str, prefix: &'static str, text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is ours");
        let edit = Self {
            folder,
            path,
            prefix,
            before: text.to_owned(),
        };
        edit.put(name, text);
        edit
    }

    /// Another file in the same folder.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("the folder is ours");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
        path
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.path).expect("it is text")
    }

    pub(crate) fn destination(&self) -> Box<dyn Destination> {
        let name = format!("{}{}", self.prefix, self.path.display());
        delivery::parse(SECRET, &name).expect("the name is one")
    }

    /// Delivers the new key, or says why not. A refusal comes before a key is made, and leaves every byte.
    pub(crate) fn deliver(&self) -> Result<(), String> {
        let runtime = runtime();
        let destination = self.destination();
        let rehearsed = runtime
            .block_on(destination.rehearse())
            .map_err(|error| error.to_string());
        let inspected = runtime
            .block_on(destination.inspect())
            .map(drop)
            .map_err(|error| error.to_string());
        assert_eq!(rehearsed, inspected, "{}", self.before);
        let delivered = runtime
            .block_on(destination.deliver(&new_key()))
            .map_err(|error| error.to_string());
        assert_eq!(
            delivered, inspected,
            "what was rehearsed differs from what was done:\n{}",
            self.before
        );
        match &delivered {
            Ok(()) => self.only_lines_of_ours_have_changed(),
            Err(_) => assert_eq!(self.text(), self.before),
        }
        delivered
    }

    /// Whether a key could be delivered.
    pub(crate) fn destination_is_fine(&self) -> Result<(), String> {
        runtime()
            .block_on(self.destination().inspect())
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// It is refused in these words, each of which names what a person has to look for.
    #[track_caller]
    pub(crate) fn is_refused(&self, words: &[&str]) {
        let told = match self.deliver() {
            Ok(()) => panic!("it was taken:\n{}\n---\n{}", self.before, self.text()),
            Err(told) => told,
        };
        assert!(told.contains(&self.path.display().to_string()), "which file? {told}");
        for word in words {
            assert!(told.contains(word), "`{word}` is missing: {told}\n{}", self.before);
        }
    }

    fn only_lines_of_ours_have_changed(&self) {
        let after = self.text();
        let mut old = self.before.split_inclusive('\n').peekable();
        let is_ours = |line: &str| line.contains(NEW_ID) || line.contains(NEW_SECRET);
        for line in after.split_inclusive('\n') {
            match old.peek() {
                // The last line gets an end where one is put behind it.
                Some(same) if *same == line || has_only_got_its_end(same, line) => {
                    old.next();
                }
                Some(replaced) if is_ours(line) && names_ours(replaced) => {
                    let is_last = end(replaced).is_empty();
                    assert!(is_last || end(replaced) == end(line), "{}\n---\n{after}", self.before);
                    old.next();
                }
                _ if is_ours(line) => {}
                None if line.trim().is_empty() || line.starts_with('[') => {}
                _ => panic!(
                    "a line has changed that is not ours: {line:?}\n{}\n---\n{after}",
                    self.before
                ),
            }
        }
        assert_eq!(old.next(), None, "a line is gone:\n{}\n---\n{after}", self.before);
    }
}

fn has_only_got_its_end(last: &str, line: &str) -> bool {
    !last.ends_with('\n') && line.trim_end_matches(['\r', '\n']) == last
}

fn names_ours(line: &str) -> bool {
    let line = line.trim_start().to_lowercase();
    let line = line.strip_prefix("export").map_or(line.as_str(), str::trim_start);
    ["aws_access_key_id", "aws_secret_access_key"]
        .iter()
        .any(|name| line.starts_with(name))
}

fn end(line: &str) -> &str {
    &line[line.trim_end_matches(['\r', '\n']).len()..]
}
