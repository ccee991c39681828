//! The program, for the oldest C library that is supported.

use std::fs;
use std::path::{Path, PathBuf};

use crate::dist::place::Place;
use crate::dist::{glibc, tools};
use crate::line::Said;

/// Refuses before anything is fetched where Rust has nothing to build for that machine with.
pub(crate) fn can_be_built(place: &Place) -> Result<(), String> {
    let triple = place.arch.triple();
    let library = place.sysroot.join("lib/rustlib").join(triple).join("lib");
    library.is_dir().then_some(()).ok_or_else(|| {
        format!(
            "Rust's own library for {triple} is not installed, and nothing can be built for it: `rustup target add {triple}`"
        )
    })
}

/// Builds it.
pub(crate) fn build(place: &Place, linker: &Path) -> Result<PathBuf, String> {
    let triple = place.arch.triple();
    let (major, minor) = glibc::MOST;
    let build = Said::new("cargo").words(["zigbuild", "--locked", "--release", "--bin", "rotate", "--target"]);
    let build = build.word(format!("{triple}.{major}.{minor}"));
    build
        .with("PATH", tools::path_with(linker)?)
        .with("SOURCE_DATE_EPOCH", &place.epoch)
        .with(
            "CARGO_ENCODED_RUSTFLAGS",
            renamed(place, "--remap-path-prefix=").join("\u{1f}"),
        )
        .with("CFLAGS", renamed(place, "-ffile-prefix-map=").join(" "))
        .without("RUSTFLAGS")
        .at(&place.root)
        .run()?;
    Ok(place.target.join(triple).join("release/rotate"))
}

/// Refuses a program that names a folder of the machine that it was built on: it would be another one elsewhere.
pub(crate) fn names_no_place(place: &Place, program: &Path) -> Result<(), String> {
    let bytes = fs::read(program).map_err(|why| format!("{}: {why}", program.display()))?;
    for (folder, _) in folders(place) {
        let name = folder.as_os_str().as_encoded_bytes();
        if let Some(at) = bytes.windows(name.len()).position(|part| part == name) {
            let rest = bytes.get(at..).unwrap_or_default();
            let text = rest.iter().take(120).take_while(|byte| byte.is_ascii_graphic());
            let text: String = text.map(|byte| char::from(*byte)).collect();
            return Err(format!("{} names a folder of this machine: {text}", program.display()));
        }
    }
    Ok(())
}

/// What the compilers call the folders of this machine, as options that begin so. Of two that fit, the last one counts.
fn renamed(place: &Place, option: &str) -> Vec<String> {
    let called = |(folder, name): (&Path, &str)| format!("{option}{}={name}", folder.display());
    folders(place).into_iter().map(called).collect()
}

fn folders(place: &Place) -> [(&Path, &str); 4] {
    [
        (&place.root, "/rotate"),
        (&place.target, "/target"),
        (&place.cargo, "/cargo"),
        (&place.sysroot, "/sysroot"),
    ]
}
