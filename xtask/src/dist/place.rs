//! Where things are, and which commit it is.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::dist::{Arch, Wanted};
use crate::line::Said;

/// What all steps have to know.
pub(crate) struct Place {
    pub(crate) arch: Arch,
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// Where cargo keeps the sources of the packages.
    pub(crate) cargo: PathBuf,
    /// Where the compiler is.
    pub(crate) sysroot: PathBuf,
    /// What is made goes here.
    pub(crate) out: PathBuf,
    pub(crate) version: String,
    /// Seconds since 1970: of the commit, or what `SOURCE_DATE_EPOCH` says.
    pub(crate) epoch: String,
}

impl Place {
    pub(crate) fn find(wanted: &Wanted) -> Result<Self, String> {
        let told = Said::new("cargo").words(["metadata", "--no-deps", "--locked", "--format-version", "1"]);
        let told: Value = serde_json::from_str(&told.read()?).map_err(|why| format!("cargo metadata: {why}"))?;
        let root = path(&told, "workspace_root")?;
        let packages = told["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let rotate = packages.iter().find(|package| package["name"] == "rotate");
        let version = rotate.and_then(|package| package["version"].as_str());
        let epoch = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(told) => told,
            Err(_) => Said::new("git").words(["log", "-1", "--format=%ct"]).at(&root).read()?,
        };
        let sysroot = Said::new("rustc").words(["--print", "sysroot"]).at(&root).read()?;
        let place = Self {
            arch: wanted.arch,
            target: path(&told, "target_directory")?,
            cargo: cargo_home()?,
            sysroot: PathBuf::from(sysroot.trim()),
            out: wanted.out.clone().unwrap_or_else(|| root.join("dist")),
            version: version.ok_or("cargo metadata names no package rotate")?.to_owned(),
            epoch: epoch.trim().to_owned(),
            root,
        };
        folder(&place.out)?;
        Ok(place)
    }

    /// What goes into the archive and the packages.
    pub(crate) fn stage(&self) -> PathBuf {
        self.root.join("dist/stage")
    }

    /// `rotate-0.1.0-x86_64-unknown-linux-gnu`.
    pub(crate) fn name(&self) -> String {
        format!("rotate-{}-{}", self.version, self.arch.triple())
    }

    /// The bill of materials.
    pub(crate) fn bill(&self) -> PathBuf {
        self.out.join(format!("{}.cdx.json", self.name()))
    }
}

/// Makes a folder, where it is not there.
pub(crate) fn folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|why| format!("{}: {why}", path.display()))
}

/// Copies a file, and makes the folder that it goes to.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    to.parent().map_or(Ok(()), folder)?;
    let copied = fs::copy(from, to).map(drop);
    copied.map_err(|why| format!("{} cannot be copied to {}: {why}", from.display(), to.display()))
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    path.parent().map_or(Ok(()), folder)?;
    fs::write(path, text).map_err(|why| format!("{}: {why}", path.display()))
}

fn path(told: &Value, name: &str) -> Result<PathBuf, String> {
    let found = told[name].as_str().map(PathBuf::from);
    found.ok_or_else(|| format!("cargo metadata has no {name}"))
}

fn cargo_home() -> Result<PathBuf, String> {
    let told = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    told.or_else(home).ok_or_else(|| "where is CARGO_HOME?".to_owned())
}
