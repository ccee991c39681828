//! Whoever has written a file has given no option: what is told of a target names the key in the file.

use rotate_fixtures::FleetWorkplace;

use super::{AT_ONCE, DAY, ROTATE};

/// Every option of the commands for one target.
const OPTIONS: [&str; 9] = [
    "--user",
    "--bucket",
    "--deliver",
    "--profile",
    "--assume-role",
    "--endpoint-url",
    "--current-key",
    "--allow-self",
    "--soak",
];

/// What `plan`, `doctor`, `run` and `status` tell of this place, in every form.
fn told(place: &FleetWorkplace, meant: &str) {
    for command in [
        &["plan"][..],
        &["doctor"],
        &["run"],
        &["status"],
        &["run", "--output", "json"],
    ] {
        let ran = place.run(command);
        for said in [&ran.stdout, &ran.stderr] {
            let named = OPTIONS.into_iter().find(|option| said.contains(option));
            assert_eq!(named, None, "{command:?}: {said}");
        }
        let all = format!("{}{}", ran.stdout, ran.stderr);
        if command[0] == "run" || command[0] == "doctor" {
            assert!(all.contains(meant), "{command:?} does not say {meant:?}: {all}");
        }
    }
}

#[test]
fn a_user_that_does_not_exist_is_told_of_by_its_key() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("old", DAY * 179, "");
    let text = std::fs::read_to_string(place.path("rotate.toml")).unwrap();
    place.configure(&text.replace("user = \"old\"", "user = \"nobody\""));
    told(&place, "the name given with `user`");
}

#[test]
fn a_user_without_a_key_is_told_of_by_its_key() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    let key = place.add_user("old", DAY * 179, "");
    place.cloud.delete_key(&key.id);
    told(&place, "the name given with `user`");
}

#[test]
fn credentials_that_are_missing_are_told_of_by_their_keys() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure(AT_ONCE);
    place.add_user("old", DAY * 179, "");
    for command in [&["plan"][..], &["doctor"], &["run"]] {
        let mut without = place.command(command);
        without
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY");
        let ran = rotate_fixtures::Ran::of(without);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        let named = OPTIONS.into_iter().find(|option| all.contains(option));
        assert_eq!(named, None, "{command:?}: {all}");
        if command != ["plan"] {
            assert!(all.contains("use `profile` or `assume_role`"), "{command:?}: {all}");
        }
    }
}
