//! Programs that `rotate.toml` names.

use rotate_fixtures::FleetWorkplace;
use rotate_fixtures::aws::Action;

use super::ROTATE;
use crate::destinations::exec::write_program;

const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A key that is due, and a table of its target.
fn due(table: &str) -> FleetWorkplace {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\naws_calls_per_second = 0\n");
    write_program(&place.path("restart"), "echo \"$2\" >>$1/ran");
    let folder = place.path("").display().to_string();
    place.add_user(
        "main",
        DAY * 170,
        &table.replace("FOLDER", folder.trim_end_matches('/')),
    );
    place
}

fn ran(place: &FleetWorkplace) -> String {
    std::fs::read_to_string(place.path("ran")).unwrap_or_default()
}

#[test]
fn a_line_and_a_list_of_words_name_the_same_program_and_each_runs() {
    let place = due(
        "[[target.after_delivery]]\nexec = \"FOLDER/restart FOLDER 'two words'\"\n\
         [[target.after_delivery]]\nexec = [\"FOLDER/restart\", \"FOLDER\", \"more words\"]\ntimeout = \"30s\"\nenv = [\"LANG\"]\n",
    );
    place.run(["run"]).expect(0).says(&["1 target: 1 waiting"]);
    assert_eq!(ran(&place), "two words\nmore words\n");
}

#[test]
fn plan_and_doctor_show_it_and_start_nothing() {
    let place = due("[[target.after_delivery]]\nexec = \"FOLDER/restart FOLDER x\"\n");
    for command in ["plan", "doctor"] {
        let said = place.run([command]).expect(0).stdout;
        assert!(said.contains("/restart"), "{command}: {said}");
    }
    assert_eq!(ran(&place), "");
    std::fs::remove_file(place.path("restart")).expect("it is there");
    let said = place.run(["doctor"]).expect(1).stdout;
    assert!(said.contains("is not there"), "{said}");
    place.run(["run"]).expect(3);
    assert_eq!(place.cloud.count_of(Action::CreateAccessKey), 0);
}

#[test]
fn each_mistake_is_told_with_its_line_and_its_remedy() {
    for (table, words) in [
        ("timeout = \"5s\"", "it is missing"),
        ("exec = 7", "it is an integer and should be text or a list"),
        ("exec = [\"/bin/true\", 7]", "one of its words is no text"),
        ("exec = \"restart gainsight\"", "write the whole path of the program"),
        ("exec = \"/bin/true 'x\"", "a quote that nothing ends"),
        ("exec = \"/bin/true\"\ntimeout = \"11m\"", "write a time from 1s to 10m"),
        ("exec = \"/bin/true\"\nenv = [\"A-B\"]", "write names of variables"),
        ("exec = \"/bin/true\"\nonce = true", "this key is not known"),
        (
            "exec = \"/bin/true --token=ghp_16C7e42F292c6912E7710c838347Ae178B4a\"",
            "one of its arguments looks like a secret",
        ),
        (
            "exec = \"/bin/true\"\n[[target.after_delivery]]\nexec = [\"/bin/true\"]",
            "it is named twice",
        ),
    ] {
        let place = due(&format!("[[target.after_delivery]]\n{table}\n"));
        let said = place.run(["plan"]).expect(64).stderr;
        assert!(
            said.contains(words) && said.contains("after_delivery"),
            "{table}: {said}"
        );
        assert!(said.contains("rotate.toml:"), "{said}");
        assert!(!said.contains("ghp_"), "{said}");
    }
}
