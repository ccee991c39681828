//! The package for Debian and Ubuntu. What is in it stands in `Cargo.toml`.

use std::path::PathBuf;

use crate::dist::Arch;
use crate::dist::place::Place;
use crate::dist::tools;
use crate::line::Said;

const TOOL: (&str, &str) = ("cargo-deb", "3.8.0");

/// Packs it.
pub(crate) fn pack(place: &Place) -> Result<PathBuf, String> {
    // Without the system's library for xz.
    let tool = tools::from_crates(place, TOOL.0, TOOL.1, &["--no-default-features"])?;
    let package = path(place);
    let pack = Said::new(tool).words(["--no-build", "--no-strip", "--locked", "--target", place.arch.triple()]);
    pack.word("--output")
        .word(&package)
        .with("SOURCE_DATE_EPOCH", &place.epoch)
        .at(&place.root)
        .run()?;
    Ok(package)
}

/// Where it is, as Debian calls it.
pub(crate) fn path(place: &Place) -> PathBuf {
    let arch = match place.arch {
        Arch::X86_64 => "amd64",
        Arch::Aarch64 => "arm64",
    };
    place.out.join(format!("rotate_{}-1_{arch}.deb", place.version))
}
