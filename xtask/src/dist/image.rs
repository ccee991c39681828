//! The container image, without an engine: what its Dockerfile says is done in a folder.

use std::path::Path;

use crate::dist::place::copy;
use crate::line::Said;

/// What a Dockerfile says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The image that it begins with.
    pub from: String,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// The variables of its program.
    pub variables: Vec<(String, String)>,
    /// Whom its program runs as.
    pub user: String,
    /// Its program.
    pub entry: Vec<String>,
}

/// What is done while it is built.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A line for a shell in it.
    Run(String),
    /// These files go to that place.
    Copy(Vec<String>, String),
}

impl Image {
    /// Reads a Dockerfile.
    ///
    /// # Errors
    ///
    /// Where it says anything that would not be done in a folder: such a line would pass unchecked.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut image = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let wrong = || format!("the Dockerfile says {line:?}, which cannot be done in a folder");
            let (instruction, rest) = line.split_once(' ').ok_or_else(wrong)?;
            match instruction {
                "FROM" if image.from.is_empty() => rest.clone_into(&mut image.from),
                "RUN" => image.steps.push(Step::Run(rest.to_owned())),
                "COPY" if !rest.starts_with('-') => {
                    let mut words: Vec<String> = rest.split(' ').map(str::to_owned).collect();
                    let to = words.pop().ok_or_else(wrong)?;
                    image.steps.push(Step::Copy(words, to));
                }
                "ENV" => {
                    let (name, value) = rest.split_once('=').ok_or_else(wrong)?;
                    image.variables.push((name.to_owned(), value.to_owned()));
                }
                "USER" => rest.clone_into(&mut image.user),
                "ENTRYPOINT" => image.entry = serde_json::from_str(rest).map_err(|_| wrong())?,
                "CMD" => drop(serde_json::from_str::<Vec<String>>(rest).map_err(|_| wrong())?),
                _ => return Err(wrong()),
            }
        }
        Ok(image)
    }

    /// Builds it in this folder, which holds what it begins with, from the files of that one.
    pub(crate) fn build(&self, folder: &Path, context: &Path) -> Result<(), String> {
        for step in &self.steps {
            match step {
                Step::Run(line) => Said::new("chroot").word(folder).words(["sh", "-c", line]).run()?,
                Step::Copy(files, to) => {
                    let inside = folder.join(to.trim_start_matches('/'));
                    for file in files {
                        let to = if to.ends_with('/') {
                            inside.join(file)
                        } else {
                            inside.clone()
                        };
                        copy(&context.join(file), &to)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs its program in it as an engine would with a root that is read-only and a volume at /state; gives what it prints.
    pub(crate) fn run(&self, folder: &Path, words: &[&str]) -> Result<String, String> {
        const SCRIPT: &str = "root=$1 user=$2; shift 2
mount --bind \"$root\" \"$root\"
mkdir -p \"$root/state\"
mount -o remount,bind,ro \"$root\"
if touch \"$root/written\" 2>/dev/null; then echo 'the root is not read-only' >&2; exit 1; fi
mount -t tmpfs -o mode=1777 state \"$root/state\"
exec chroot --userspec=\"$user\" \"$root\" env -i \"$@\"";
        let mut said = Said::new("unshare")
            .words(["--mount", "sh", "-eu", "-c", SCRIPT, "sh"])
            .word(folder);
        said = said.word(&self.user);
        for (name, value) in &self.variables {
            said = said.word(format!("{name}={value}"));
        }
        said.words(&self.entry).words(words).read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_in_a_folder_is_refused() {
        for line in [
            "HEALTHCHECK CMD true",
            "COPY --from=other a b",
            "ADD https://example.com/x /",
            "ENTRYPOINT rotate",
        ] {
            let refused = Image::parse(&format!("FROM scratch\n{line}\n")).expect_err(line);
            assert!(refused.contains(line), "{refused}");
        }
    }
}
