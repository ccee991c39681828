//! What is shipped is installed and run: the Debian package in the oldest Debian that is supported, the image as an engine would.
//! Needs root, for `chroot`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::dist::image::Image;
use crate::dist::place::{Place, copy, folder};
use crate::dist::{Arch, bill, deb};
use crate::line::{Said, is_there};

/// The Debian with the oldest C library that is supported, and what the package asks for beside it.
const OLDEST: (&str, &str) = ("bullseye", "ca-certificates,systemd");

/// What lintian asks of others: it is no upload to Debian; dpkg makes the sums that the packer leaves out; what is fortified elsewhere
/// is Rust here; and words of an English text that stand side by side in a program are none that somebody misspelt.
const NOT_FOR_US: [&str; 5] = [
    "initial-upload-closes-no-bugs",
    "no-md5sums-control-file",
    "binary-has-unneeded-section",
    "hardening-no-fortify-functions",
    "spelling-error-in-binary",
];

/// Checks all of it.
pub(crate) fn all(place: &Place) -> Result<(), String> {
    if Said::new("id").word("-u").read()?.trim() != "0" {
        return Err("--check needs root: it makes a Debian in a folder, and works in it".to_owned());
    }
    if !["lintian", "debootstrap"].into_iter().all(is_there) {
        Said::new("apt-get").words(["update", "--quiet"]).run()?;
        let install = Said::new("apt-get").words(["install", "--quiet", "--yes", "--no-install-recommends"]);
        install
            .words(["lintian", "debootstrap", "debian-archive-keyring"])
            .run()?;
    }
    bill::names_the_compiler(place)?;
    let package = deb::path(place);
    Said::new("lintian")
        .words(["--allow-root", "--pedantic", "--display-info"])
        .words(["--fail-on", "error,warning,info,pedantic", "--suppress-tags"])
        .word(NOT_FOR_US.join(","))
        .word(&package)
        .run()?;
    if place.arch == Arch::X86_64 {
        let debian = debian(place, OLDEST.0, OLDEST.1)?;
        let checked = package_in(place, &debian, &package);
        remove(&debian)?;
        checked?;
        image(place)?;
    }
    Ok(())
}

/// The package is installed, used, and purged.
fn package_in(place: &Place, debian: &Path, package: &Path) -> Result<(), String> {
    copy(package, &debian.join("rotate.deb"))?;
    let inside = |words: &[&str]| in_debian(debian, "root", words);
    let as_rotate = |words: &[&str]| in_debian(debian, "rotate", words);
    inside(&["dpkg", "--install", "/rotate.deb"])?;
    prints(&inside(&["rotate", "--version"])?, &format!("rotate {}", place.version))?;
    prints(
        &inside(&["stat", "--format=%U %G %a", "/var/lib/rotate"])?,
        "rotate rotate 700",
    )?;
    prints(
        &inside(&["stat", "--format=%U %G %a", "/etc/rotate"])?,
        "root rotate 750",
    )?;
    inside(&[
        "systemd-analyze",
        "verify",
        "--man=no",
        "rotate.service",
        "rotate.timer",
    ])?;
    let enabled = debian.join("etc/systemd/system/timers.target.wants/rotate.timer");
    if enabled.symlink_metadata().is_ok() {
        return Err("the timer runs before there is a configuration".to_owned());
    }
    for file in [
        "usr/share/man/man1/rotate.1.gz",
        "usr/share/bash-completion/completions/rotate",
    ] {
        if !debian.join(file).is_file() {
            return Err(format!("the package has no /{file}"));
        }
    }
    as_rotate(&["rotate", "--state-dir", "/var/lib/rotate", "init", "--state"])?;
    as_rotate(&["rotate", "--state-dir", "/var/lib/rotate", "audit", "verify"])?;
    inside(&["dpkg", "--purge", "rotate"])?;
    if !debian.join("var/lib/rotate/rotate.db").is_file() {
        return Err("a purge took the journal away".to_owned());
    }
    Ok(())
}

/// Runs this in a Debian, as this user, with what the kernel tells processes of themselves; gives what it prints.
fn in_debian(debian: &Path, user: &str, words: &[&str]) -> Result<String, String> {
    const SCRIPT: &str = "root=$1 user=$2; shift 2
mount -t proc proc \"$root/proc\"
mount -t sysfs sys \"$root/sys\"
mount --bind /sys/fs/cgroup \"$root/sys/fs/cgroup\"
exec chroot --userspec=\"$user\" \"$root\" \"$@\"";
    let said = Said::new("unshare").words(["--mount", "--pid", "--fork", "sh", "-eu", "-c", SCRIPT, "sh"]);
    said.word(debian).word(format!("{user}:{user}")).words(words).read()
}

/// The image is built by an engine where one answers, else in a folder; and run.
fn image(place: &Place) -> Result<(), String> {
    let file = place.root.join("packaging/Dockerfile");
    let version = format!("rotate {}", place.version);
    if is_there("docker")
        && Said::new("docker")
            .words(["version", "--format", "{{.Server.Version}}"])
            .read()
            .is_ok()
    {
        let build = Said::new("docker")
            .words(["build", "--tag", "rotate:check", "--file"])
            .word(&file);
        build.word(place.stage()).run()?;
        let run = |words: &[&str]| {
            let run = Said::new("docker").words(["run", "--rm", "--read-only", "--network", "none"]);
            run.words(["--tmpfs", "/state:mode=1777", "rotate:check"])
                .words(words)
                .read()
        };
        prints(&run(&["--version"])?, &version)?;
        return run(&["init", "--state"]).map(drop);
    }
    let text = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
    let image = Image::parse(&text)?;
    let suite = image
        .from
        .strip_prefix("debian:")
        .and_then(|rest| rest.strip_suffix("-slim"));
    let suite = suite.ok_or_else(|| format!("{} is no Debian that debootstrap could make", image.from))?;
    let debian = debian(place, suite, "")?;
    let checked = image_in(place, &image, &debian, &version);
    remove(&debian)?;
    checked
}

fn image_in(place: &Place, image: &Image, debian: &Path, version: &str) -> Result<(), String> {
    image.build(debian, &place.stage())?;
    prints(&image.run(debian, &["--version"])?, version)?;
    image.run(debian, &["init", "--state"])?;
    let authorities = debian.join("etc/ssl/certs/ca-certificates.crt");
    let there = fs::metadata(&authorities).is_ok_and(|file| file.len() > 100_000);
    there
        .then_some(())
        .ok_or_else(|| "the image has no authorities, and no TLS connection would be made".to_owned())
}

/// A fresh Debian in a folder. It is made once, and copied.
fn debian(place: &Place, suite: &str, packages: &str) -> Result<PathBuf, String> {
    let kept = place.target.join(format!("tools/debian-{suite}"));
    if !kept.is_dir() {
        let half = place.target.join(format!("tools/debian-{suite}.half"));
        if half.exists() {
            remove(&half)?;
        }
        folder(&half)?;
        let mut make = Said::new("debootstrap").word("--variant=minbase");
        if !packages.is_empty() {
            make = make.word(format!("--include={packages}"));
        }
        make.word(suite).word(&half).run()?;
        fs::rename(&half, &kept).map_err(|why| format!("{}: {why}", kept.display()))?;
    }
    let fresh = place
        .target
        .join(format!("tools/debian-{suite}-{}", std::process::id()));
    Said::new("cp")
        .words(["--archive", "--reflink=auto"])
        .word(&kept)
        .word(&fresh)
        .run()?;
    Ok(fresh)
}

fn remove(debian: &Path) -> Result<(), String> {
    Said::new("rm").words(["-rf", "--one-file-system"]).word(debian).run()
}

fn prints(printed: &str, wanted: &str) -> Result<(), String> {
    let printed = printed.trim();
    (printed == wanted)
        .then_some(())
        .ok_or_else(|| format!("it printed {printed:?} instead of {wanted:?}"))
}
