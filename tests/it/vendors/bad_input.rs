//! What is given wrongly is refused in plain words, and leaves vendor, files and journal as they were.

use std::fs;
use std::process::Command;

use rotate_fixtures::{Ran, Trap};

use super::ground::Ground;
use super::{on_every_ground, put};

on_every_ground! {
    a_soak_that_is_no_time_is_refused
    a_name_that_no_user_can_have_is_refused
    a_forbidden_endpoint_on_the_command_line_is_a_wrong_command_line
    a_forbidden_endpoint_in_the_environment_is_refused_without_a_connection
    a_missing_folder_is_named_with_the_command_that_makes_it
    a_read_only_folder_is_refused
}

/// What lies in the folder, beside the state folder.
fn files<G: Ground>(ground: &G) -> Vec<String> {
    let entries = fs::read_dir(ground.path(".")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "state").collect();
    names.sort();
    names
}

/// A wrong command line: refused with 64 and these words, without a call and without a trace.
fn refused_at_once<G: Ground>(ground: &G, command: Command, words: &[&str]) {
    let (before, calls) = (files(ground), ground.calls());
    let ran = Ran::of(command).expect(64).says(words);
    assert_eq!(ran.stdout, "");
    assert_eq!(ground.calls(), calls, "a call was made; {ran:#?}");
    assert!(!ground.state().exists(), "a state folder was made; {ran:#?}");
    assert_eq!(files(ground), before, "files were left behind");
    ground.expect_untouched();
}

/// Refused with 1 and these words, before a key is made and without a trace of a rotation, after so many calls.
fn refused<G: Ground>(ground: &G, command: Command, words: &[&str]) -> usize {
    let (before, calls) = (files(ground), ground.calls());
    Ran::of(command).expect(1).says(words).says(&["nothing was changed"]);
    let calls = ground.calls() - calls;
    assert_eq!(files(ground), before, "files were left behind");
    let status = ground.run(&["status", "--output", "json"]).expect(0).json();
    assert_eq!(status["targets"], serde_json::json!([]), "a rotation was opened");
    ground.expect_untouched();
    calls
}

fn a_soak_that_is_no_time_is_refused<G: Ground>() {
    for (options, words) in [
        (&["--soak", "-3d"][..], &["--soak", "-3d", "cannot be negative"][..]),
        (&["--soak=-3d"], &["--soak", "-3d", "cannot be negative"]),
        (&["--soak", "banana"], &["--soak", "banana", "such as 7d"]),
        (&["--soak", "7"], &["--soak", "such as 7d"]),
        (&["--soak", "99999d"], &["--soak", "ten years"]),
        (&["--observe", "soon"], &["--observe", "soon"]),
    ] {
        let ground = G::new();
        refused_at_once(&ground, ground.rotate(options), words);
    }
}

fn a_name_that_no_user_can_have_is_refused<G: Ground>() {
    for (name, why) in G::bad_owners() {
        let ground = G::new();
        refused_at_once(&ground, ground.rotate_owner(&name), &["--user", why]);
    }
}

fn a_forbidden_endpoint_on_the_command_line_is_a_wrong_command_line<G: Ground>() {
    let trap = Trap::set();
    let trapped = format!("http://{}", trap.elsewhere());
    for endpoint in [
        "http://10.0.0.1",
        "http://vendor.example",
        "http://localhost.evil.example",
        "ftp://127.0.0.1",
        "https://user:password@vendor.example",
        "127.0.0.1",
        "localhost",
        "",
        &trapped,
    ] {
        let ground = G::new();
        let command = ground.rotate(&["--endpoint-url", endpoint]);
        refused_at_once(&ground, command, &["--endpoint-url", "the endpoint"]);
    }
    assert!(trap.is_untouched());
}

fn a_forbidden_endpoint_in_the_environment_is_refused_without_a_connection<G: Ground>() {
    let trap = Trap::set();
    let ground = G::new();
    for (environment, named) in ground.misled_to(&trap) {
        for more in [&["--dry-run"][..], &[]] {
            let mut command = ground.rotate(more);
            command.envs(environment.clone());
            let words = ["neither https nor http on the loopback", "--endpoint-url", named];
            assert_eq!(refused(&ground, command, &words), 0, "a call was made");
            assert!(trap.is_untouched(), "a connection was made");
        }
    }
}

fn a_missing_folder_is_named_with_the_command_that_makes_it<G: Ground>() {
    let ground = G::new();
    let to = |folder: &str| ground.rotate_to(&format!("file:{folder}/{}", G::KEY_FILE));
    let make = format!("mkdir -p {}", ground.path("missing").display());
    refused(&ground, to("missing"), &["destination ", "does not exist", &make]);
    put(&ground.path("plain"), "");
    refused(&ground, to("plain"), &["destination ", "plain", "is not a folder"]);
}

/// In a mount namespace of its own: root may write to every folder but one on a read-only disk.
fn a_read_only_folder_is_refused<G: Ground>() {
    let ground = G::new();
    fs::create_dir(ground.path("disk")).unwrap();
    let key = format!("disk/{}", G::KEY_FILE);
    let rotate = ground.rotate_to(&format!("file:{key}"));
    let mut wrapped = rotate_fixtures::tool("unshare");
    wrapped
        .env_clear()
        .envs(rotate.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(ground.path("."))
        .args(["-rm", "sh", "-c"])
        .arg(r#"mount -t tmpfs -o ro,mode=0700 tmpfs disk && exec "$@""#)
        .arg("sh")
        .arg(rotate.get_program())
        .args(rotate.get_args());
    refused(
        &ground,
        wrapped,
        &["destination file:", &key, "Read-only file system", "deliver elsewhere"],
    );
}
