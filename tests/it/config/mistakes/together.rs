//! What cannot be together in one file, or in one target.

use super::super::{DESK, MAIN, accepted, refused};
use super::{in_desk, in_main, told};

#[test]
fn a_key_that_could_not_go_in_time_is_told() {
    // Fourteen days for the cut-over, seven of rest, and a day for each of the three runs that have to come by.
    told(
        &in_main("max_age = \"24d\""),
        1,
        "target \"main\": max_age",
        &["24d", "cutover_allowance 14d", "soak 7d", "raise max_age"],
    );
    accepted(&in_main("max_age = \"25d\""));
    // By hand the allowance is for all the steps, and nothing rests.
    told(&in_desk("max_age = \"15d\""), 1, "target \"desk\": max_age", &["15d"]);
    accepted(&in_desk("max_age = \"16d\""));
    // What opens once a week makes each run wait for it.
    let monday = "window = { days = [\"mon\"], from = \"09:00\", to = \"16:00\", zone = \"UTC\" }";
    told(
        &in_main(&format!("max_age = \"40d\"\n{monday}")),
        1,
        "target \"main\": max_age",
        &["40d"],
    );
    accepted(&in_main(&format!("max_age = \"60d\"\n{monday}")));
}

#[test]
fn rotating_ones_own_key_does_not_go_with_evidence() {
    let text = "[[target]]\nname = \"own\"\nconnector = \"snowflake-keypair\"\nuser = \"U\"\ndeliver = [\"file:/srv/k.p8\"]\n\
                allow_self = true\n";
    accepted(text);
    told(
        &format!("{text}cutover = \"observed\"\n"),
        1,
        "target \"own\": allow_self",
        &["observed", "rotate's own logins", "cutover = \"confirm\""],
    );
}

#[test]
fn a_name_that_two_targets_have_is_told_with_both_lines() {
    let text = format!("{DESK}\n{DESK}");
    told(
        &text,
        5,
        "target \"desk\": name",
        &["another target has this name (line 1)", "its own"],
    );
}

/// Also where one of them cannot be used for another reason.
#[test]
fn a_name_that_a_broken_target_has_is_taken_all_the_same() {
    let text = format!("{}\n{DESK}", DESK.replace("freshdesk", "freshdsk"));
    let mistakes = refused(&text);
    let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(
        keys,
        ["target \"desk\": connector", "target \"desk\": name"],
        "{mistakes:#?}"
    );
    assert!(mistakes[1].what.contains("another target has this name (line 1)"));
}

#[test]
fn a_user_that_two_targets_name_is_told_with_both_lines() {
    let other = MAIN.replace("\"main\"", "\"other\"").replace("/srv/main", "/srv/other");
    let text = format!("{MAIN}\n{other}");
    let words = &[
        "target \"main\" rotates the keys of the same user (line 1)",
        "two rotations",
    ];
    told(&text, 8, "target \"other\": user", words);
    // In another account it is another user.
    accepted(&format!("{text}profile = \"elsewhere\"\n"));
    accepted(&format!(
        "{text}assume_role = \"arn:aws:iam::210987654321:role/rotator\"\n"
    ));
}

#[test]
fn a_destination_that_two_targets_share_is_told_however_it_is_written() {
    let other = MAIN
        .replace("\"main\"", "\"other\"")
        .replace("gainsight-s3", "someone-else");
    for path in [
        "/srv/main.json",
        "/srv/./main.json",
        "//srv/main.json",
        "/srv/../srv/main.json",
    ] {
        let text = format!("{MAIN}\n{}", other.replace("/srv/main.json", path));
        let words = &[
            "target \"main\" delivers to the same destination (line 1)",
            "of its own",
        ];
        told(&text, 8, "target \"other\": deliver", words);
    }
}

/// What only the program keeps to would be a false promise where a person takes every step.
#[test]
fn what_is_of_no_use_by_hand_is_told() {
    for key in [
        "soak = \"1d\"",
        "observe = \"1d\"",
        "cutover = \"confirm\"",
        "window = {}",
    ] {
        let name = key.split(' ').next().unwrap();
        told(
            &in_desk(key),
            4,
            &format!("target \"desk\": {name}"),
            &["of no use", "leave it out"],
        );
    }
}

#[test]
fn a_rule_holds_alike_for_the_program_and_for_a_person() {
    for (key, bad, good) in [
        ("user", "-x", "a.b"),
        ("user", "team/u", "a@b"),
        ("bucket", "-data", "acme_data"),
        ("prefix", "-x", "in/2026"),
        ("region", "eu_west_1", "eu-west-1"),
    ] {
        let by_hand = "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nby_hand = true\n";
        let lines = |value: &str| {
            let all = [("user", "gainsight-s3"), ("bucket", "acme-data")].into_iter();
            let all = all.filter(|(name, _)| *name != key).chain([(key, value)]);
            all.map(|(name, value)| format!("{name} = \"{value}\"\n"))
                .collect::<String>()
        };
        let automated = by_hand.replace("by_hand = true\n", "deliver = [\"file:/srv/main.json\"]\n");
        let mends: Vec<String> = [by_hand.to_owned(), automated]
            .iter()
            .map(|head| {
                accepted(&format!("{head}{}", lines(good)));
                let mistakes = refused(&format!("{head}{}", lines(bad)));
                assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
                mistakes[0].remedy.clone()
            })
            .collect();
        // A person is also told what the value is for.
        assert!(mends[0].ends_with(&mends[1]), "{mends:#?}");
    }
}

#[test]
fn an_input_that_means_nothing_without_another_is_told() {
    let line = "external_id = \"acme-1\"";
    told(
        &in_main(line),
        1,
        "target \"main\": external_id",
        &["nothing without assume_role"],
    );
    accepted(&in_main(&format!(
        "{line}\nassume_role = \"arn:aws:iam::123456789012:role/rotator\""
    )));
}
