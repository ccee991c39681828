//! What `seal` in `[store]` may not say: told with its line, before anything is touched.

use std::os::unix::fs::PermissionsExt;

use super::{Desk, MAIN};

#[test]
fn a_mistake_is_told_with_its_line_and_nothing_is_sealed_otherwise_than_it_says() {
    let desk = Desk::new();
    let (_, recipient) = desk.identity("machine.txt");
    for (store, told) in [
        ("seal = \"gpg:0xABCD\"".to_owned(), "write age:RECIPIENT"),
        ("seal = \"age:\"".to_owned(), "it names no recipient"),
        (
            format!("seal = \"age:{recipient},ssh-ed25519\""),
            "other kinds are not taken",
        ),
        ("seal = \"age:file=recipients.txt\"".to_owned(), "write the whole path"),
        ("seal = \"aws-kms:alias/rotate\"".to_owned(), "write the whole ARN"),
        (
            "seal = \"aws-kms:arn:aws:kms:us-east-1:123456789012:alias/rotate\"".to_owned(),
            "an alias may lead to another key tomorrow",
        ),
        ("seal = 7".to_owned(), "should be text"),
        (format!("saal = \"age:{recipient}\""), "did you mean seal?"),
        ("seal_identity_file = \"/x\"".to_owned(), "nothing says to whom"),
        (
            format!("seal = \"age:{recipient}\"\nseal_identity_file = \"/x\"\nseal_identity_credential = \"x\""),
            "has several places",
        ),
    ] {
        desk.says(&store);
        // The state folder is named on the command line, and still nothing is done without what seals.
        for command in [
            vec!["run", "--due-within", "3650d"],
            vec!["confirm", "main"],
            vec!["seal", "rekey"],
        ] {
            desk.run(&command).expect(64).says(&["rotate.toml", "seal", told]);
        }
    }
    desk.place.expect_untouched();
    assert!(!desk.place.state().exists());
}

#[test]
fn where_the_file_cannot_be_read_nothing_is_sealed_by_a_guess_and_who_only_looks_is_told() {
    let desk = Desk::new();
    let (machine, to_machine) = desk.identity("machine.txt");
    desk.seals_to(&[&to_machine], &machine);
    desk.begin().expect(0);
    let (before, config) = (desk.lines(), desk.place.path("rotate.toml"));
    let right = std::fs::read_to_string(&config).unwrap();
    for broken in ["others may write it", "it is no TOML", "its table is misspelt"] {
        let (text, mode) = match broken {
            "others may write it" => (right.clone(), 0o666),
            "it is no TOML" => (format!("[store\n{right}"), 0o644),
            _ => (right.replace("[store]", "[stroe]"), 0o644),
        };
        std::fs::write(&config, text).unwrap();
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(mode)).unwrap();
        // The state folder is named on the command line, with a journal in it.
        for command in [&["confirm", MAIN][..], &["seal", "rekey"], &["init", "--state"]] {
            let refused = desk.run(command);
            assert!(
                ![Some(0), None].contains(&refused.code),
                "{broken}, {command:?}: {}",
                refused.stderr
            );
            assert!(
                refused.stderr.contains("rotate.toml"),
                "{broken}, {command:?}: {}",
                refused.stderr
            );
        }
        assert!(!desk.place.state().join("identity.age").exists(), "{broken}");
        assert_eq!(desk.lines(), before, "{broken}");
        desk.run(&["audit"]).expect(0);
        let told = ["cannot be made out", "nothing was touched"];
        desk.run(&["audit", "verify"]).expect(1).says(&told);
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    std::fs::write(&config, right).unwrap();
    desk.ends();
}

#[test]
fn an_identity_in_the_place_of_a_recipient_is_not_shown() {
    let desk = Desk::new();
    let (machine, _) = desk.identity("machine.txt");
    let text = std::fs::read_to_string(machine).unwrap();
    let identity = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    desk.says(&format!("seal = \"age:{identity}\""));
    let refused = desk
        .begin()
        .expect(64)
        .says(&["this is an identity, which is a secret"]);
    assert!(!refused.stderr.contains(identity), "{}", refused.stderr);
}
