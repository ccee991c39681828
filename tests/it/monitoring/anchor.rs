//! An anchor: a journal that was put back to an older copy is seen, and nothing is done with it.

use std::path::{Path, PathBuf};

use rotate_fixtures::{FleetWorkplace, Ran};

use super::{DAY, ROTATE, read};

fn anchor(place: &FleetWorkplace) -> PathBuf {
    place.path("evidence/anchor")
}

/// A fleet of one young key, whose journal is anchored.
fn anchored() -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    std::fs::create_dir(place.path("evidence")).unwrap();
    let path = anchor(&place);
    place.configure(&format!(
        "[audit]\nanchor = \"{}\"\n[defaults]\naws_calls_per_second = 0\nlook_every = \"1d\"\n",
        path.display()
    ));
    place.add_user("one", DAY * 2, "");
    place
}

/// Adds an event to the journal.
fn go_on(place: &mut FleetWorkplace) -> Ran {
    place.pass(DAY);
    let user = format!(
        "more{}",
        place.keys("one").len() + place.now().as_second() as usize % 1_000_000
    );
    place.add_user(&user, DAY * 2, "");
    place.run(["run"])
}

fn lines(place: &FleetWorkplace) -> Vec<String> {
    read(&anchor(place)).lines().map(str::to_owned).collect()
}

fn verified(place: &FleetWorkplace) -> serde_json::Value {
    place.run(["audit", "verify", "--output", "json"]).expect(0).json()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Puts a copy of the state folder in its place, and nothing else.
fn put_back(place: &FleetWorkplace, older: &Path) {
    for file in std::fs::read_dir(place.state()).unwrap().map(Result::unwrap) {
        std::fs::remove_file(file.path()).unwrap();
    }
    copy(older, &place.state());
}

#[test]
fn each_run_notes_the_head_down_that_audit_verify_finds_and_one_that_changes_nothing_adds_no_line() {
    let mut place = anchored();
    place.run(["run"]).expect(0);
    let first = lines(&place);
    let found = verified(&place);
    assert_eq!(first.len(), 1);
    let (events, head) = (found["events"].as_i64().unwrap(), found["head"].as_str().unwrap());
    assert!(first[0].ends_with(&format!("Z {events} {head}")), "{first:?}");
    assert_eq!(found["anchored"], events);
    place.run(["run"]).expect(0);
    assert_eq!(lines(&place), first);
    go_on(&mut place).expect(0);
    let second = lines(&place);
    assert_eq!((second.len(), &second[0]), (2, &first[0]), "what was noted down stays");
    place.run(["audit", "verify", "--against", head]).expect(0);
}

#[test]
fn a_store_that_was_put_back_to_an_older_copy_is_seen_and_nothing_is_done_with_it() {
    let mut place = anchored();
    place.run(["run"]).expect(0);
    let older = place.path("older");
    copy(&place.state(), &older);
    go_on(&mut place).expect(0);
    put_back(&place, &older);
    let keys = place.keys("one");
    let (journal, noted) = (place.run(["audit"]).stdout, lines(&place));
    place.pass(DAY * 300);
    for command in [
        &["run"] as &[&str],
        &["run", "--due-within", "3650d"],
        &["confirm", "one"],
        &["abort", "one"],
    ] {
        place.run(command.iter().copied()).expect(3).says(&[
            "the journal is behind its anchor",
            "put back to an older copy",
            "nothing was touched",
            "mv ",
        ]);
    }
    place
        .run(["audit", "verify"])
        .expect(3)
        .says(&["the journal is behind its anchor"]);
    let looked = place.run(["doctor"]).expect(1).stdout;
    assert!(looked.contains("the journal is behind its anchor"), "{looked}");
    let told = place.run(["run"]).stderr;
    let stamped = regex::Regex::new(r"anchor\.before-[0-9]{8}T[0-9]{6}Z").unwrap();
    assert!(
        stamped.is_match(&told),
        "what was moved away earlier is not overwritten: {told}"
    );
    assert_eq!(place.keys("one"), keys);
    assert_eq!((place.run(["audit"]).stdout, lines(&place)), (journal, noted.clone()));
    // A person decides that this journal goes on.
    std::fs::rename(anchor(&place), place.path("evidence/anchor.before")).unwrap();
    let went_on = place.run(["run"]);
    assert_ne!(
        went_on.code,
        Some(3).filter(|_| went_on.stderr.contains("behind its anchor")),
        "{}",
        went_on.stderr
    );
    assert_eq!(lines(&place).len(), 1);
}

#[test]
fn a_journal_that_is_lost_or_another_one_is_not_begun_anew_beside_its_anchor() {
    let place = anchored();
    place.run(["run"]).expect(0);
    let noted = lines(&place);
    std::fs::remove_dir_all(place.state()).unwrap();
    place.run(["run"]).expect(3).says(&["the journal is behind its anchor"]);
    assert!(!place.state().exists(), "no journal was begun");
    let looked = place.run(["doctor"]).expect(1).stdout;
    assert!(looked.contains("the journal is behind its anchor"), "{looked}");
    assert_eq!(lines(&place), noted);
    let other = anchored();
    other.run(["run"]).expect(0);
    copy(&other.state(), &place.state());
    let mut made_private = std::process::Command::new("chmod");
    assert!(made_private.arg("700").arg(place.state()).status().unwrap().success());
    place
        .run(["run"])
        .expect(3)
        .says(&["the journal is behind its anchor", "or is another one"]);
}

#[test]
fn a_run_that_was_killed_between_its_last_commit_and_the_anchor_leaves_one_that_is_behind_and_the_next_run_mends_it() {
    let mut place = anchored();
    place.run(["run"]).expect(0);
    place.add_user("two", DAY * 2, "");
    let trace = place.path("trace");
    let mut killed = place.command(["run"]);
    killed.env("ROTATE_TEST_TRACE", &trace).env("ROTATE_TEST_KILL_AT", "2");
    let ran = Ran::of(killed);
    assert_eq!(ran.code, None, "{}", ran.stderr);
    assert_eq!(read(&trace).lines().last(), Some("store: after commit"));
    let (found, before) = (verified(&place), lines(&place));
    assert!(found["anchored"].as_i64() < found["events"].as_i64(), "{found}");
    place.run(["run"]).expect(0);
    let (found, after) = (verified(&place), lines(&place));
    assert_eq!(found["anchored"], found["events"]);
    assert_eq!(after.len(), before.len() + 1);
}

#[test]
fn an_anchor_that_cannot_be_read_holds_the_run_back_and_one_that_cannot_be_written_is_an_error_after_it() {
    let mut place = anchored();
    std::fs::remove_dir(place.path("evidence")).unwrap();
    place
        .run(["run"])
        .expect(1)
        .says(&["the anchor", "does not exist", "nothing was touched"]);
    std::fs::create_dir(place.path("evidence")).unwrap();
    place.run(["run"]).expect(0);
    std::fs::write(anchor(&place), "hello\n").unwrap();
    place
        .run(["run"])
        .expect(1)
        .says(&["no line of it is a head", "nothing was touched"]);
    std::fs::remove_file(anchor(&place)).unwrap();
    std::os::unix::fs::symlink("elsewhere", anchor(&place)).unwrap();
    place.run(["run"]).expect(1).says(&["the anchor"]);
    std::fs::remove_file(anchor(&place)).unwrap();
    let full = format!(
        "mount -t tmpfs -o size=8k tmpfs {0} || exit 70; cat /dev/zero > {0}/filler 2>&-; exec \"$@\"",
        place.path("evidence").display()
    );
    place.pass(DAY);
    let command = place.command(["run"]);
    let mut wrapped = rotate_fixtures::tool("unshare");
    wrapped
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .args(["-rm", "sh", "-c", &full, "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    let ran = Ran::of(wrapped);
    ran.expect(1)
        .says(&["the anchor", "cannot be written", "the next run notes it down"]);
}

#[test]
fn a_chain_that_was_written_anew_does_not_have_what_was_noted_down_of_the_old_one() {
    let mut place = anchored();
    place.run(["run"]).expect(0);
    go_on(&mut place).expect(0);
    let text = read(&anchor(&place));
    // The first of two heads, as if the journal had once had another.
    let (first, rest) = text.split_once('\n').unwrap();
    let changed = match first.strip_suffix('0') {
        Some(start) => format!("{start}1\n{rest}"),
        None => format!("{}0\n{rest}", &first[..first.len() - 1]),
    };
    std::fs::write(anchor(&place), &changed).unwrap();
    place
        .run(["audit", "verify"])
        .expect(3)
        .says(&["the journal is behind its anchor", "event 1 "]);
    // Behind the true one it hides nothing, and neither does the true one behind it.
    let (false_line, _) = changed.split_once('\n').unwrap();
    for both in [format!("{text}{false_line}\n"), format!("{false_line}\n{text}")] {
        std::fs::write(anchor(&place), both).unwrap();
        place
            .run(["audit", "verify"])
            .expect(3)
            .says(&["the journal is behind its anchor", "event 1 "]);
    }
}

#[test]
fn a_run_that_may_not_use_its_journal_is_no_success_in_its_metrics() {
    let mut place = anchored();
    let textfile = place.path("rotate.prom");
    let more = format!("[metrics]\ntextfile = \"{}\"\n", textfile.display());
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.configure(&format!("{more}{text}"));
    place.run(["run"]).expect(0);
    let success = |text: &str| super::value(text, "rotate_last_success_timestamp_seconds", &[]);
    let before = success(&read(&textfile));
    std::fs::remove_dir_all(place.state()).unwrap();
    place.pass(DAY);
    place.run(["run"]).expect(3);
    let after = read(&textfile);
    assert_eq!(success(&after), before);
    assert_eq!(super::value(&after, "rotate_last_run_exit_status", &[]), 3.0);
    assert_eq!(super::find(&after, "rotate_journal_events", &[]), None);
}

#[test]
fn whoever_only_looks_notes_nothing_down() {
    let place = anchored();
    place.run(["run"]).expect(0);
    std::fs::remove_file(anchor(&place)).unwrap();
    for look in [&["plan"] as &[&str], &["doctor"], &["status"], &["audit", "verify"]] {
        place.run(look.iter().copied());
        assert!(!anchor(&place).exists(), "{look:?}");
    }
}

/// A place whose journal was put back to what its first run had left.
fn put_back_place() -> FleetWorkplace {
    let mut place = anchored();
    place.run(["run"]).expect(0);
    let older = place.path("older");
    copy(&place.state(), &older);
    go_on(&mut place).expect(0);
    put_back(&place, &older);
    place
}

#[test]
fn an_old_line_that_is_appended_once_more_does_not_take_the_anchor_back() {
    let place = put_back_place();
    let noted = lines(&place);
    std::fs::write(anchor(&place), format!("{}\n{}\n", noted.join("\n"), noted[0])).unwrap();
    for command in [&["run"] as &[&str], &["audit", "verify"]] {
        place
            .run(command.iter().copied())
            .expect(3)
            .says(&["the journal is behind its anchor"]);
    }
}

#[test]
fn a_slip_in_the_configuration_does_not_switch_the_anchor_off_and_is_told_where_the_anchor_cannot_be_made_out() {
    let mut place = put_back_place();
    let text = read(&place.path("rotate.toml"));
    place.configure(&format!("{text}\nsoak = \n"));
    for command in [&["confirm", "one"] as &[&str], &["abort", "--force", "one"]] {
        place
            .run(command.iter().copied())
            .expect(3)
            .says(&["the journal is behind its anchor", "nothing was touched"]);
    }
    place.configure(&text.replace("anchor = \"", "anchor = "));
    let ran = place.run(["confirm", "one"]);
    assert_ne!(ran.code, Some(0));
    ran.says(&["whether it names an anchor cannot be made out"]);
}

#[test]
fn an_anchor_that_is_begun_behind_the_first_event_is_told() {
    let mut place = anchored();
    let first = place.run(["run"]).expect(0).stderr;
    assert!(!first.contains("a new anchor"), "{first}");
    std::fs::remove_file(anchor(&place)).unwrap();
    go_on(&mut place)
        .expect(0)
        .says(&["a new anchor is begun in", "at event"]);
}

#[test]
fn an_anchor_in_the_state_folder_is_refused_also_where_the_command_line_names_that_folder() {
    let mut place = anchored();
    let text = read(&place.path("rotate.toml"));
    let inside = place.state().join("anchor").display().to_string();
    place.configure(&text.replace(&anchor(&place).display().to_string(), &inside));
    place
        .run(["run"])
        .expect(64)
        .says(&["audit: anchor: it is in the state folder"]);
    assert!(!place.state().exists());
}
