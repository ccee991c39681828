//! What is shipped: its files agree with what the documentation shows and with each other; and, where there is an hour, it is built,
//! installed and run, and built again elsewhere, with the same bytes.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::docs::page::all;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest() -> toml::Table {
    text("Cargo.toml").parse().expect("it is TOML")
}

#[test]
fn a_file_that_a_page_shows_is_the_one_that_is_shipped() {
    let mut shown = BTreeSet::new();
    for page in all() {
        for block in page.blocks.iter().filter(|block| block.note.starts_with("packaging/")) {
            assert_eq!(
                block.text,
                text(&block.note),
                "{}: {} is another",
                page.at(block.line),
                block.note
            );
            shown.insert(block.note.clone());
        }
    }
    let units = ["packaging/systemd/rotate.service", "packaging/systemd/rotate.timer"];
    assert!(
        units.iter().all(|unit| shown.contains(*unit)),
        "no page shows them all: {shown:?}"
    );
}

/// The assets of both packages, as they are staged, with their places.
fn assets() -> [BTreeSet<String>; 2] {
    let manifest = manifest();
    let metadata = &manifest["package"]["metadata"];
    let deb = metadata["deb"]["assets"].as_array().expect("it has assets").iter();
    let rpm = metadata["generate-rpm"]["assets"]
        .as_array()
        .expect("it has assets")
        .iter();
    [
        deb.map(|asset| asset[0].as_str().expect("a path").to_owned()).collect(),
        rpm.map(|asset| asset["source"].as_str().expect("a path").to_owned())
            .collect(),
    ]
}

#[test]
fn both_packages_bring_the_same() {
    let [deb, rpm] = assets();
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<String> {
        these
            .difference(those)
            .map(|path| path.trim_start_matches("dist/stage/").to_owned())
            .collect()
    };
    assert_eq!(only(&deb, &rpm), ["packaging/debian/copyright"]);
    // The one has the units by a setting of their own, and its own file in the place of the licence.
    assert_eq!(
        only(&rpm, &deb),
        ["LICENSE", "systemd/rotate.service", "systemd/rotate.timer"]
    );
    assert!(deb.len() > 8, "{deb:?}");
}

#[test]
fn the_package_for_debian_is_of_this_version_and_asks_for_the_c_library_that_is_checked() {
    let first = text("packaging/debian/changelog");
    let first = first.lines().next().unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    assert!(first.starts_with(&format!("rotate ({version}-1) ")), "{first}");
    let (major, minor) = xtask::dist::glibc::MOST;
    let manifest = manifest();
    let metadata = &manifest["package"]["metadata"];
    let depends = metadata["deb"]["depends"].as_str().unwrap_or_default();
    assert!(depends.contains(&format!("libc6 (>= {major}.{minor})")), "{depends}");
    assert_eq!(
        metadata["generate-rpm"]["requires"]["glibc"].as_str(),
        Some(format!(">= {major}.{minor}").as_str())
    );
}

/// What a script of the package for Fedora asks of systemd, where it is started with this number of versions that stay.
fn asks_of_systemd(script: &str, stay: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let systemctl = folder.path().join("systemctl");
    // Where no systemd runs, each call of it fails, and nothing else may.
    fs::write(&systemctl, "#!/bin/sh\necho \"$*\" >> \"$ASKED\"\nexit 1\n").expect("it can be written");
    fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o700)).expect("it may be run");
    let manifest = manifest();
    let script = manifest["package"]["metadata"]["generate-rpm"][script].as_str();
    let asked = folder.path().join("asked");
    let ran = Command::new("/bin/sh")
        .args(["-eu", "-c", script.expect("it has that script"), "sh", stay])
        .env_clear()
        .env("PATH", folder.path())
        .env("ASKED", &asked)
        .status();
    assert!(ran.expect("a shell is there").success());
    fs::read_to_string(asked).unwrap_or_default()
}

#[test]
fn the_package_for_fedora_switches_the_timer_off_where_it_goes_and_not_where_another_version_comes() {
    let asked = asks_of_systemd("pre_uninstall_script", "0");
    assert_eq!(asked, "--no-reload disable --now rotate.timer\nstop rotate.service\n");
    assert_eq!(asks_of_systemd("pre_uninstall_script", "1"), "");
    for stay in ["0", "1"] {
        assert_eq!(asks_of_systemd("post_uninstall_script", stay), "daemon-reload\n");
    }
}

#[test]
fn the_image_runs_as_nobody_and_as_whom_the_page_on_kubernetes_says() {
    let image =
        xtask::dist::image::Image::parse(&text("packaging/Dockerfile")).expect("all of it can be checked in a folder");
    assert_eq!(image.user, "65532:65532");
    assert_eq!(image.entry, ["/usr/bin/rotate"]);
    let page = text("docs/deploy-kubernetes.md");
    assert!(page.contains("runAsUser: 65532") && page.contains("runAsGroup: 65532"));
    let (name, value) = image.variables.first().expect("it names its state folder");
    assert!(
        page.contains(&format!("- name: {name}\n")) && page.contains(&format!("value: {value}\n")),
        "{name}={value}"
    );
}

#[test]
fn where_binstall_looks_is_what_dist_packs() {
    let manifest = manifest();
    let told = &manifest["package"]["metadata"]["binstall"];
    let filled = |key: &str| {
        let told = told[key].as_str().expect("it is told");
        let told = told
            .replace("{ name }", "rotate")
            .replace("{ bin }", "rotate")
            .replace("{ version }", "1.2.3");
        told.replace("{ target }", "x86_64-unknown-linux-gnu")
            .replace("{ binary-ext }", "")
    };
    assert!(filled("pkg-url").ends_with("/v1.2.3/rotate-1.2.3-x86_64-unknown-linux-gnu.tar.gz"));
    assert_eq!(filled("bin-dir"), "rotate-1.2.3-x86_64-unknown-linux-gnu/rotate");
}

/// `cargo xtask dist` in this folder, with what is built in that one.
fn dist(folder: &Path, target: &Path, options: &[&str]) {
    let made = Command::new("cargo")
        .args(["xtask", "dist"])
        .args(options)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .status();
    assert!(
        made.expect("cargo is there").success(),
        "cargo xtask dist {options:?} in {}",
        folder.display()
    );
}

#[test]
#[ignore = "builds what is shipped, which takes many minutes; needs root, lintian and debootstrap"]
fn the_package_and_the_image_are_built_installed_and_run() {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    dist(root(), &target, &["--rpm", "--check"]);
}

#[test]
#[ignore = "builds what is shipped twice, which takes many minutes"]
fn two_builds_of_one_commit_in_two_folders_have_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let version = env!("CARGO_PKG_VERSION");
    let compiler = Command::new("rustc").arg("--version").current_dir(root()).output();
    let compiler = String::from_utf8(compiler.expect("the compiler is there").stdout).expect("text");
    let compiler = compiler.trim().replace("rustc ", "");
    let mut sums = Vec::new();
    for name in ["here", "at-another-place-with-a-longer-name"] {
        let clone = folder.path().join(name);
        let cloned = Command::new("git")
            .args(["clone", "--quiet"])
            .arg(root())
            .arg(&clone)
            .status();
        assert!(cloned.expect("git is there").success());
        dist(&clone, &clone.join("target"), &["--archive"]);
        let bill = fs::read_to_string(clone.join(format!("dist/rotate-{version}-x86_64-unknown-linux-gnu.cdx.json")));
        assert!(bill.expect("it was written").contains(&compiler), "{compiler}");
        sums.push(fs::read_to_string(clone.join("dist/SHA256SUMS-x86_64-unknown-linux-gnu")).expect("it was written"));
        fs::remove_dir_all(&clone).expect("it can be removed");
    }
    assert_eq!(sums[0], sums[1]);
}

#[test]
#[ignore = "builds the program once more, which takes minutes"]
fn the_program_is_installed_as_its_page_says_with_the_packages_of_the_lock_file_and_no_network() {
    let line = "cargo install --locked --path .";
    assert!(text("docs/install.md").lines().any(|shown| shown == line));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    // Which packages it takes does not depend on how they are built.
    let installed = Command::new("cargo")
        .args(line.split(' ').skip(1))
        .args(["--offline", "--debug", "--root"])
        .arg(folder.path())
        .current_dir(root())
        .status();
    assert!(installed.expect("cargo is there").success());
    let told = Command::new(folder.path().join("bin/rotate")).arg("--version").output();
    let told = String::from_utf8(told.expect("it is there").stdout).expect("text");
    assert_eq!(told.trim(), concat!("rotate ", env!("CARGO_PKG_VERSION")));
}
