//! Which file it is, whether it may be trusted, and what every command says of one that it cannot use.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rotate::config::{AllowedHosts, Config, Unusable};

use super::{DESK, Home, MAIN, STARTER};

/// The commands that need the whole of it.
const COMMANDS: [&[&str]; 5] = [&["plan", "--offline"], &["plan"], &["run"], &["status"], &["doctor"]];

/// Every command refuses it with these words, and touches nothing.
#[track_caller]
fn refused(home: &Home, words: &[&str]) {
    for command in COMMANDS {
        let ran = home
            .run(command.iter().copied())
            .expect(64)
            .says(words)
            .says(&["nothing was touched"]);
        assert_eq!(ran.stdout, "", "talk belongs on stderr");
        assert!(!home.has_state(), "{command:?} made a state folder");
    }
}

/// What it says of itself, where it cannot even be looked into.
#[track_caller]
fn unusable(path: &Path) -> (String, String) {
    match Config::read(path, &AllowedHosts::default()) {
        Err(Unusable::File { why, remedy, .. }) => (why, remedy),
        Err(Unusable::Mistaken(mistakes)) => panic!("{mistakes}"),
        Ok(_) => panic!("{} is used", path.display()),
    }
}

#[test]
fn mistakes_are_told_with_the_file_the_line_and_the_remedy() {
    let home = Home::new();
    home.put("rotate.toml", format!("{MAIN}soak = \"soon\"\nownr = \"x\"\n"), 0o644);
    refused(
        &home,
        &[
            "rotate: error: rotate.toml has 2 mistakes",
            "rotate.toml:7: target \"main\": soak: ",
            "such as 7d",
            "rotate.toml:8: target \"main\": ownr: this key is not known",
            "did you mean owner?",
        ],
    );
}

#[test]
fn an_empty_file_is_refused() {
    let home = Home::new();
    home.put("rotate.toml", "", 0o644);
    refused(&home, &["there is no target", "rotate init"]);
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    let home = Home::new();
    let path = home.put("rotate.toml", format!("\u{feff}{DESK}warn_before = \"1d\"\n"), 0o644);
    assert!(Config::read(&path, &AllowedHosts::default()).is_ok());
    home.run(["plan", "--offline"]).expect(0);
    // Nor does it move the lines.
    home.put("rotate.toml", format!("\u{feff}{DESK}warn_before = \"soon\"\n"), 0o644);
    refused(&home, &["rotate.toml:4: target \"desk\": warn_before"]);
}

#[test]
fn what_is_no_text_is_refused_with_its_line() {
    let home = Home::new();
    let path = home.put("rotate.toml", [DESK.as_bytes(), b"domain = \"\xff\"\n"].concat(), 0o644);
    let (why, remedy) = unusable(&path);
    assert_eq!(
        (why.as_str(), remedy.as_str()),
        ("line 4 is not UTF-8", "save it as UTF-8")
    );
    refused(&home, &["line 4 is not UTF-8"]);
}

#[test]
fn a_file_that_no_fleet_needs_is_refused_unread() {
    let home = Home::new();
    let mut text = DESK.to_owned();
    text.push_str(&"#".repeat(40_000_000));
    let path = home.put("rotate.toml", text, 0o644);
    let (why, _) = unusable(&path);
    assert!(why.contains("no fleet needs more than 33554432"), "{why}");
    refused(&home, &["40000", "bytes", "--config"]);
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    let home = Home::new();
    for mode in [0o666, 0o664, 0o646, 0o602, 0o620, 0o777] {
        home.put("rotate.toml", DESK, mode);
        let told = format!("other users may write it (mode {mode:04o})");
        refused(&home, &[&told, "chmod go-w rotate.toml"]);
    }
    for mode in [0o644, 0o640, 0o600, 0o444, 0o400, 0o755] {
        home.put("rotate.toml", DESK, mode);
        home.run(["plan", "--offline"]).expect(0);
        // So that it can be written again.
        std::fs::set_permissions(home.path("rotate.toml"), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let home = Home::new();
    std::fs::create_dir(home.path("rotate.toml")).unwrap();
    assert_eq!(unusable(&home.path("rotate.toml")).0, "it is a folder and not a file");
    refused(&home, &["it is a folder and not a file", "--config"]);
    let (why, remedy) = unusable(&home.path("nowhere.toml"));
    assert_eq!(
        (why.as_str(), remedy.as_str()),
        ("there is no such file", "write one: rotate init")
    );
}

#[test]
fn the_file_is_the_flags_then_the_variables_then_the_folders() {
    let home = Home::new();
    for name in ["flag", "variable", "rotate"] {
        let text = DESK.replace("\"desk\"", &format!("\"{name}\""));
        home.put(&format!("{name}.toml"), text, 0o644);
    }
    let planned = |flag: &[&str], variable: Option<&str>| -> String {
        let mut command = home.command([&["plan", "--offline", "--output", "json"][..], flag].concat());
        command.envs(variable.map(|path| ("ROTATE_CONFIG", home.path(path))));
        let plan = rotate_fixtures::Ran::of(command).expect(0).json();
        plan["targets"][0]["name"].as_str().unwrap_or_default().to_owned()
    };
    let flag: &[&str] = &["--config", "flag.toml"];
    assert_eq!(planned(flag, Some("variable.toml")), "flag");
    assert_eq!(planned(&[], Some("variable.toml")), "variable");
    assert_eq!(planned(&[], None), "rotate");
    // One that is named and not there is not passed over.
    let mut command = home.command(["plan", "--offline"]);
    command.env("ROTATE_CONFIG", home.path("nowhere.toml"));
    rotate_fixtures::Ran::of(command)
        .expect(64)
        .says(&["there is no such file"]);
}

#[test]
fn what_needs_a_fleet_says_that_there_is_none() {
    let home = Home::new();
    home.run(["plan"]).expect(64).says(&[
        "there is no configuration",
        "--config",
        "$ROTATE_CONFIG",
        "./rotate.toml",
        "rotate init",
    ]);
    // What only knows the journal does without.
    for command in ["run", "status", "doctor"] {
        home.run([command]).expect(0);
    }
    assert!(!home.has_state());
}

#[test]
fn the_journal_is_kept_where_the_file_says_unless_someone_says_otherwise() {
    let home = Home::new();
    let kept = home.path("kept");
    let text = format!(
        "[store]\nstate_dir = \"{}\"\n\n{DESK}domain = \"acme\"\n",
        kept.display()
    );
    home.put("rotate.toml", text, 0o644);
    home.run(["run"]).expect(0);
    assert!(kept.join("rotate.db").is_file());
    assert!(!home.has_state());
    // Every command finds it there, also one that is not about fleets.
    home.run(["audit", "desk"]).expect(0);
    home.run(["done", "desk", "1"]).expect(0);
    let mut elsewhere = home.command(["audit", "desk"]);
    elsewhere.env("ROTATE_STATE_DIR", home.path("elsewhere"));
    rotate_fixtures::Ran::of(elsewhere)
        .expect(1)
        .says(&["no rotation of desk is on record"]);
    home.run(["--state-dir", "elsewhere", "audit", "desk"]).expect(1);
}

#[test]
fn a_new_file_is_the_starter_and_is_never_written_over_another() {
    let home = Home::new();
    home.run(["init"]).expect(0).says(&["wrote rotate.toml", "rotate plan"]);
    let path = home.path("rotate.toml");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), *STARTER);
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o022, 0, "others can write it: {mode:o}");
    home.run(["plan", "--offline"]).expect(0);
    home.put("rotate.toml", DESK, 0o644);
    home.run(["init"])
        .expect(1)
        .says(&["rotate.toml exists, and is not overwritten", "rotate init FILE"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), DESK);
    home.run(["init", "other.toml"]).expect(0);
    assert_eq!(std::fs::read_to_string(home.path("other.toml")).unwrap(), *STARTER);
    assert!(!home.has_state());
}

#[test]
fn a_target_that_nobody_has_is_refused_and_not_taken_for_none() {
    let home = Home::new();
    home.put("rotate.toml", DESK, 0o644);
    for command in ["plan", "run", "doctor"] {
        for option in ["--only", "--exclude"] {
            home.run([command, option, "deks"])
                .expect(64)
                .says(&[&format!("{option}: no target is called deks"), "did you mean desk?"]);
        }
    }
    home.run(["plan", "--offline", "--only", "d*"]).expect(0);
    home.run(["plan", "--offline", "--exclude", "*"]).expect(0);
}
