//! The package for Fedora, RHEL and SUSE. What is in it stands in `Cargo.toml`.

use std::path::PathBuf;

use crate::dist::place::Place;
use crate::dist::tools;
use crate::line::Said;

const TOOL: (&str, &str) = ("cargo-generate-rpm", "0.21.1");

/// Packs it.
pub(crate) fn pack(place: &Place) -> Result<PathBuf, String> {
    let tool = tools::from_crates(place, TOOL.0, TOOL.1, &[])?;
    let arch = place.arch.triple().split('-').next().unwrap_or_default();
    let package = place.out.join(format!("rotate-{}-1.{arch}.rpm", place.version));
    let pack = Said::new(tool)
        .words(["--arch", arch, "--source-date", &place.epoch, "--output"])
        .word(&package);
    pack.with("SOURCE_DATE_EPOCH", &place.epoch).at(&place.root).run()?;
    Ok(package)
}
