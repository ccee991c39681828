//! What a person sees is there before anybody is told: whoever hangs does not keep it from them.

use std::path::Path;
use std::process::Command;

use rotate_fixtures::Ran;

use super::Desk;
use crate::destinations::exec::write_program;

/// A desk whose program keeps what the person could see by the time that it was told of something; and where.
fn desk() -> (Desk, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tell");
    let (out, seen) = (folder.path().join("out"), folder.path().join("seen"));
    write_program(&program, &format!("cp {} {}", out.display(), seen.display()));
    let desk = Desk::with(&format!(
        "[[notify]]\nexec = [\"{}\"]\n[[target]]\nname = \"desk\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\n\
         agent = \"a@acme.com\"\nlast_rotated = \"2026-11-01\"\n",
        program.display()
    ));
    (desk, folder)
}

/// Runs it with a file as its output; gives what stood there when the program was told, and in the end.
fn watched(desk: &Desk, folder: &Path, arguments: &[&str]) -> (String, String) {
    let (out, seen) = (folder.join("out"), folder.join("seen"));
    let _ = std::fs::remove_file(&seen);
    let whole = desk.place.command(arguments);
    // A shell writes to the file.
    let mut command = Command::new("sh");
    command.env_clear().current_dir(desk.place.path(""));
    command.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
        .args(["-c", "exec \"$@\" >\"$0\""])
        .arg(&out)
        .arg(whole.get_program())
        .args(whole.get_args());
    Ran::of(command).expect(0);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let told = read(&seen);
    assert!(!told.is_empty(), "nobody was told: {arguments:?}");
    (told, read(&out))
}

#[test]
fn a_plan_that_is_begun_and_what_follows_each_word_is_shown_before_anybody_is_told() {
    let (desk, folder) = desk();
    let begin = ["freshdesk", "--domain", "acme", "--agent", "a@acme.com", "--begin"];
    let (seen, shown) = watched(&desk, folder.path(), &begin);
    assert!(shown.contains("acme"), "{shown}");
    assert_eq!(seen, shown);
    let (seen, shown) = watched(&desk, folder.path(), &["abort", "desk"]);
    assert!(!shown.is_empty());
    assert_eq!(seen, shown);
}
