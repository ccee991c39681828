//! The tools of other people that building needs, each in the one version that gives the same bytes.

use std::path::{Path, PathBuf};

use crate::dist::place::Place;
use crate::line::Said;

/// The folder with `cargo-zigbuild`, and with the compiler for C and the linker that it drives.
pub(crate) fn linker(place: &Place) -> Result<PathBuf, String> {
    let folder = place.target.join("tools/dist");
    let bin = folder.join("bin");
    if !bin.join("cargo-zigbuild").is_file() {
        Said::new("python3").words(["-m", "venv"]).word(&folder).run()?;
        let install = Said::new(bin.join("pip")).words(["install", "--quiet", "--no-deps", "--require-hashes"]);
        install
            .word("--requirement")
            .word(place.root.join(".ci/dist.txt"))
            .run()?;
    }
    Ok(bin)
}

/// A tool from crates.io, in this version and with these options of `cargo install`; built once.
pub(crate) fn from_crates(place: &Place, name: &str, version: &str, options: &[&str]) -> Result<PathBuf, String> {
    let folder = place.target.join(format!("tools/{name}-{version}"));
    let program = folder.join("bin").join(name);
    if !program.is_file() {
        let install = Said::new("cargo").words(["install", "--quiet", "--locked"]);
        let install = install
            .words(options)
            .words(["--version", version, "--root"])
            .word(&folder);
        install
            .word(name)
            .with("CARGO_TARGET_DIR", place.target.join("tools/built"))
            .run()?;
    }
    Ok(program)
}

/// The path with this folder before all others.
pub(crate) fn path_with(folder: &Path) -> Result<std::ffi::OsString, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).map_err(|why| format!("PATH: {why}"))
}
