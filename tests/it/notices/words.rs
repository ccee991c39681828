//! What a notice says of how a rotation ended: nothing that only a look could tell. And its commands, which hold wherever they are read.

use std::path::Path;
use std::process::Command;

use rotate_fixtures::Ran;
use serde_json::Value;

use super::{Desk, SECRET, WEBHOOK};

/// One on which a guide is open.
fn walking() -> Desk {
    let desk = Desk::with(&format!(
        "{WEBHOOK}[[target]]\nname = \"desk\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\nagent = \"a@acme.com\"\n\
         last_rotated = \"2020-01-10\"\n"
    ));
    desk.run(&["run"]);
    let kinds = desk.kinds();
    assert!(kinds.contains(&"rotation.waits".to_owned()), "{kinds:?}");
    desk
}

/// The text of the one notice of this type.
#[track_caller]
fn text(told: &[Value], kind: &str) -> String {
    let mut texts = told.iter().filter(|it| it["type"] == kind);
    let one = texts.next().unwrap()["text"].as_str().unwrap().to_owned();
    assert!(texts.next().is_none(), "it is told once");
    one
}

#[test]
fn a_guide_that_was_given_up_after_the_old_key_was_reset_is_not_said_to_have_left_it_alive() {
    let desk = walking();
    // The fifth step resets the key.
    for step in ["1", "2", "3", "4", "5"] {
        desk.run(&["done", "desk", step]).expect(0);
    }
    desk.run(&["abort", "desk"]).expect(0);
    let text = text(&desk.told(), "rotation.undone");
    assert!(
        text.contains("It was given up. What was done at the vendor stays done"),
        "{text}"
    );
    assert!(!text.contains("lives"), "{text}");
}

#[test]
fn a_guide_whose_steps_were_left_out_is_not_said_to_have_brought_a_new_key() {
    let desk = walking();
    for step in 1..=10 {
        let step = step.to_string();
        desk.run(&["done", "desk", "--skip", &step, "--why", "nobody was there"])
            .expect(0);
    }
    let text = text(&desk.told(), "rotation.done");
    assert!(text.contains("Its last step is done or was left out."), "{text}");
    assert!(!text.contains("lives") && !text.contains("gone"), "{text}");
    assert!(text.contains("status "), "where to look stands in it: {text}");
}

#[test]
fn a_rotation_that_was_aborted_is_told_with_what_to_look_at() {
    let desk = Desk::new();
    desk.run(&["run"]).expect(0);
    let _ = desk.told();
    desk.run(&["abort", "main"]).expect(0);
    let text = text(&desk.told(), "rotation.undone");
    assert!(
        text.contains("See which key is in use, and what was left as it is."),
        "{text}"
    );
    assert!(!text.contains("lives"), "{text}");
}

#[test]
fn commands_in_a_notice_name_whole_paths_whatever_the_command_line_had() {
    let desk = Desk::new();
    let root = desk.place.path("");
    let whole = desk.place.command(["run"]);
    let mut command = Command::new(whole.get_program());
    command.env_clear().current_dir(&root);
    command.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
    for argument in whole.get_args() {
        let relative = Path::new(argument).strip_prefix(&root);
        command.arg(relative.map_or(argument, Path::as_os_str));
    }
    command.env("HOOK_URL", desk.receiver.url()).env("HOOK_SECRET", SECRET);
    Ran::of(command).expect(0);
    let root = root.canonicalize().unwrap();
    let told = desk.told();
    let commands = commands(&told);
    // Of the notice that it was begun, and of the one that it waits; each says how it is taken back.
    assert_eq!(commands.len(), 4, "{commands:#?}");
    for command in commands {
        for (option, name) in [("--state-dir", "state"), ("--config", "rotate.toml")] {
            let whole = format!(" {option} {} ", root.join(name).display());
            assert_eq!(command.matches(&whole).count(), 1, "{option} is not whole in {command}");
            assert_eq!(command.matches(option).count(), 1, "{command}");
        }
    }
}

/// Every command of ours that stands in these notices, as documents have them and as people read them: the same.
fn commands(told: &[Value]) -> Vec<String> {
    let mut all = Vec::new();
    for notice in told {
        let data = &notice["data"]["target"];
        let named = [&data["command"], &data["undo"]].into_iter().filter_map(Value::as_str);
        let named: Vec<&str> = named.chain(notice["data"]["digest"]["command"].as_str()).collect();
        let text = notice["text"].as_str().unwrap();
        let read = text.lines().filter_map(|line| line.strip_prefix("  rotate "));
        let read: Vec<String> = read.map(|rest| format!("rotate {rest}")).collect();
        assert_eq!(named, read, "{text}");
        all.extend(read);
    }
    all
}

#[test]
fn commands_in_a_notice_name_what_the_environment_or_the_folder_has_named_and_hold_in_any_other() {
    for named_by in ["variables", "the folder"] {
        let mut desk = Desk::new();
        desk.place.pass(super::DAY * 8);
        let root = desk.place.path("").canonicalize().unwrap();
        let whole = desk.place.command(["run"]);
        let mut command = Command::new(whole.get_program());
        command.env_clear().current_dir(&root).arg("run");
        command.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("HOOK_URL", desk.receiver.url()).env("HOOK_SECRET", SECRET);
        match named_by {
            "variables" => command
                .env("ROTATE_STATE_DIR", "state")
                .env("ROTATE_CONFIG", "rotate.toml"),
            _ => command.env("XDG_STATE_HOME", root.join("of-user")),
        };
        Ran::of(command).expect(0);
        let told = desk.told();
        assert_eq!(told.len(), 2, "{named_by}");
        let commands = commands(&told);
        assert_eq!(commands.len(), 4, "{named_by}: {commands:#?}");
        for command in &commands {
            for option in [" --state-dir ", " --config "] {
                assert_eq!(command.matches(option).count(), 1, "{named_by}: {command}");
            }
        }
        // Somebody else, elsewhere, with nothing of that environment.
        let elsewhere = tempfile::tempdir().unwrap();
        let status = commands.iter().find(|command| command.ends_with(" status main"));
        let mut pasted = Command::new("sh");
        pasted
            .env_clear()
            .current_dir(elsewhere.path())
            .env("HOME", elsewhere.path());
        pasted.env(
            "PATH",
            format!("{}:/usr/bin:/bin", Path::new(super::ROTATE).parent().unwrap().display()),
        );
        pasted
            .arg("-c")
            .arg(status.expect("it says how to see where it stands"));
        let ran = Ran::of(pasted).expect(0);
        assert!(ran.stdout.contains("delivered"), "{named_by}: {ran:?}");
    }
}
