//! The folder that the archive, the packages and the image are made from.

use std::fs;
use std::path::Path;

use crate::dist::place::{Place, copy, folder, write};
use crate::line::Said;

/// Completions: the shell, and what its file is called.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "rotate.bash"),
    ("elvish", "rotate.elv"),
    ("fish", "rotate.fish"),
    ("powershell", "_rotate.ps1"),
    ("zsh", "_rotate"),
];

/// Files of the repository, and their places beside the program.
const FILES: [(&str, &str); 7] = [
    ("LICENSE", "LICENSE"),
    ("README.md", "README.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("packaging/systemd/rotate.service", "systemd/rotate.service"),
    ("packaging/systemd/rotate.timer", "systemd/rotate.timer"),
    ("packaging/sysusers.d/rotate.conf", "sysusers.d/rotate.conf"),
    ("packaging/tmpfiles.d/rotate.conf", "tmpfiles.d/rotate.conf"),
];

/// Fills it anew.
pub(crate) fn fill(place: &Place, program: &Path) -> Result<(), String> {
    let stage = place.stage();
    if stage.exists() {
        fs::remove_dir_all(&stage).map_err(|why| format!("{}: {why}", stage.display()))?;
    }
    copy(program, &stage.join("rotate"))?;
    for (from, to) in FILES {
        copy(&place.root.join(from), &stage.join(to))?;
    }
    let pages = place.target.join("tools/pages");
    if place.arch.is_here() {
        generate(program, &pages)?;
    }
    if !pages.join("man").is_dir() {
        return Err(format!(
            "{} does not run on this machine, and the manual pages and completions, which it makes itself, are those of one that \
             does: run `cargo xtask dist` first",
            program.display()
        ));
    }
    for part in ["man", "completions"] {
        for entry in fs::read_dir(pages.join(part)).map_err(|why| format!("{}: {why}", pages.display()))? {
            let entry = entry.map_err(|why| format!("{}: {why}", pages.display()))?;
            copy(&entry.path(), &stage.join(part).join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Manual pages and completions, from the same definition as the command line itself.
fn generate(program: &Path, pages: &Path) -> Result<(), String> {
    if pages.exists() {
        fs::remove_dir_all(pages).map_err(|why| format!("{}: {why}", pages.display()))?;
    }
    folder(&pages.join("man"))?;
    Said::new(program).word("man").word(pages.join("man")).run()?;
    for (shell, file) in SHELLS {
        let script = Said::new(program).words(["completions", shell]).read()?;
        write(&pages.join("completions").join(file), &script)?;
    }
    Ok(())
}
