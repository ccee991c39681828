//! The archive, and the sums of all that was made.

use std::path::{Path, PathBuf};

use crate::dist::place::{Place, write};
use crate::line::Said;

/// Packs what was staged: names in order, times those of the commit, owned by nobody of this machine.
pub(crate) fn pack(place: &Place) -> Result<PathBuf, String> {
    let archive = place.out.join(format!("{}.tar.gz", place.name()));
    let tar = Said::new("tar").words([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--format=gnu",
    ]);
    let tar = tar.words(["--mode=u+rwX,go+rX,go-w", "--use-compress-program=gzip -9n"]);
    let tar = tar
        .word(format!("--mtime=@{}", place.epoch))
        .word(format!("--transform=s,^stage,{},", place.name()));
    let tar = tar.word("--directory").word(place.root.join("dist"));
    tar.word("--create")
        .word("--file")
        .word(&archive)
        .word("stage")
        .with("LC_ALL", "C")
        .run()?;
    Ok(archive)
}

/// `sha256sum --check SHA256SUMS` holds all of them against it.
pub(crate) fn sums(place: &Place, made: &[PathBuf]) -> Result<(), String> {
    let names = made.iter().filter_map(|path| path.file_name());
    let sums = Said::new("sha256sum").words(names).at(&place.out).read()?;
    let file = place.out.join(format!("SHA256SUMS-{}", place.arch.triple()));
    write(&file, &sums)?;
    Said::new("sha256sum")
        .word("--check")
        .word(name_of(&file))
        .at(&place.out)
        .run()
}

fn name_of(path: &Path) -> &Path {
    path.file_name().map_or(path, Path::new)
}
