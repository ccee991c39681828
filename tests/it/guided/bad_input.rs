//! What is wrong is refused in plain words, and nothing is written.

use rotate_providers::CONNECTORS;

use crate::guided::desk::{ALL, Desk, OPEN, SHOW, STEPS, TARGET};
use crate::guides::examples::examples;

/// Refused with 64 and these words, before a state folder is made.
#[track_caller]
fn refused_at_once(arguments: &[&str], words: &[&str]) {
    let desk = Desk::new();
    let ran = desk.run(arguments.iter().copied()).expect(64).says(words);
    assert_eq!(ran.stdout, "", "{arguments:?}");
    assert!(!desk.state().exists(), "{arguments:?} made a state folder");
}

#[test]
fn an_unknown_connector_suggests_the_nearest() {
    for (wrong, meant) in [
        ("frshdesk", "freshdesk"),
        ("jirra", "jira"),
        ("big-query-oauth", "bigquery-oauth"),
        ("service-now", "servicenow"),
        ("postgresql", "postgres"),
        ("snowflake-keypairs", "snowflake-keypair"),
    ] {
        refused_at_once(&[wrong], &[wrong, meant]);
        refused_at_once(&["connectors", wrong], &[wrong, meant, "rotate connectors"]);
    }
    refused_at_once(&["qqqq"], &["qqqq"]);
    refused_at_once(&["connectors", "qqqq"], &["qqqq", "rotate connectors"]);
}

#[test]
fn an_unknown_input_is_refused_by_every_connector() {
    for connector in CONNECTORS {
        let manual: &[&str] = if connector.automation.is_some() {
            &["--manual"]
        } else {
            &[]
        };
        let arguments = [&[connector.id], manual, &["--nonsense", "1", "--dry-run"]].concat();
        refused_at_once(&arguments, &["--nonsense"]);
        refused_at_once(&[&[connector.id], manual, &["surprise"]].concat(), &["surprise"]);
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused_with_what_it_should_be() {
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        for input in &guide.inputs {
            let option = format!("--{}", input.name.replace('_', "-"));
            let wrong = ["", "'", " ", "|", "\n"].into_iter().find(|wrong| !input.takes(wrong));
            let wrong = wrong.expect("something does not fit");
            let mut arguments = vec![connector.id, &option, wrong];
            if connector.automation.is_some() {
                arguments.push("--manual");
            }
            refused_at_once(&arguments, &[&option, &input.help]);
        }
    }
}

#[test]
fn the_address_of_an_account_is_recognised_and_told_what_is_meant() {
    for address in [
        "acme.snowflakecomputing.com",
        "ACME.SNOWFLAKECOMPUTING.COM",
        "acme.privatelink.snowflakecomputing.com",
        "acme.snowflakecomputing.cn",
        "https://acme.snowflakecomputing.com/",
        "https://app.snowflake.com/myorg/acme",
    ] {
        refused_at_once(
            &["snowflake-password", "--account", address],
            &[
                "--account",
                "the address of the account",
                "before .snowflakecomputing.com",
                "MYORG-MYACCOUNT",
            ],
        );
        refused_at_once(
            &["snowflake-keypair", "--manual", "--account", address],
            &["--account", "MYORG-MYACCOUNT", "without .snowflakecomputing.com"],
        );
        refused_at_once(
            &["verify", "snowflake-password", "--account", address, "--user", "X"],
            &["--account", "before .snowflakecomputing.com"],
        );
    }
}

#[test]
fn the_host_of_a_database_may_be_any_address_and_is_nothing_but_a_host() {
    let desk = Desk::new();
    for (connector, server) in [
        ("postgres", "2001:db8::17"),
        ("mysql", "::1"),
        ("redshift", "2001:DB8:0:0:0:0:0:17"),
        ("postgres", "::ffff:10.0.0.1"),
        ("mysql", "10.0.0.1"),
    ] {
        let ran = desk.run([connector, "--server", server, "--dry-run"]).expect(0);
        assert!(ran.stdout.contains(server), "{connector} {server}: {}", ran.stdout);
    }
    for connector in ["postgres", "mysql", "redshift"] {
        for (server, words) in [
            ("[2001:db8::17]", "without its brackets"),
            ("[2001:db8::17]:5432", "the port with --port"),
            ("db.acme.com:5432", "its port with --port"),
            ("postgres://db.acme.com/analytics", "give the host in it alone"),
            ("jdbc:mysql://db.acme.com:3306", "it should be"),
        ] {
            refused_at_once(
                &[connector, "--server", server],
                &["--server", words.trim_start_matches("it ")],
            );
        }
    }
}

#[test]
fn a_value_is_given_once_and_not_left_empty() {
    refused_at_once(&["freshdesk", "--domain", "a", "--domain", "b"], &["--domain"]);
    refused_at_once(&["freshdesk", "--domain"], &["--domain"]);
    refused_at_once(&["freshdesk", "--domain", ""], &["--domain"]);
}

#[test]
fn an_option_is_not_taken_for_the_value_of_the_one_before() {
    // It would open a rotation of `--dry-run`.
    for arguments in [
        &["snowflake-password", "--user", "--dry-run"][..],
        &["snowflake-password", "--user=--dry-run"],
        &["mysql", "--user=-x"],
        &["freshdesk", "--agent=-x@acme.com"],
    ] {
        refused_at_once(arguments, &[arguments[1].split('=').next().unwrap()]);
    }
    for connector in CONNECTORS {
        for input in &connector.guide().unwrap().inputs {
            let option = format!("--{}", input.name.replace('_', "-"));
            let value = format!("{option}=--dry-run");
            refused_at_once(&[connector.id, "--manual", &value], &[&option]);
        }
    }
}

#[test]
fn a_value_that_looks_like_a_secret_is_refused_and_not_repeated() {
    for (option, value, secret) in [
        ("--probe-url", "https://api.acme.com/v1/me?api_key=12345678", "12345678"),
        ("--probe-url", "https://api.acme.com/v1/me?key=12345678", "12345678"),
        ("--probe-url", "https://me:geheim12@api.acme.com/v1/me?a=1", "geheim12"),
        (
            "--probe-url",
            "https://api.acme.com/v1/Zx8kQ2mV9tR4wY7zB1nP",
            "Zx8kQ2mV9tR4wY7zB1nP",
        ),
        ("--custom-connector", "password=hunter2hunter", "hunter2hunter"),
        (
            "--custom-connector",
            "Slack 9aF3kLm2Qx7Zt5Rb8Vw1Yc4Hd6Jg0Ns2",
            "9aF3kLm2Qx7Zt5Rb8Vw1",
        ),
    ] {
        for arguments in [
            vec![option.to_owned(), value.to_owned()],
            vec![format!("{option}={value}")],
        ] {
            let desk = Desk::new();
            let arguments = ["custom-rest-api", "--system", "slack", "-vvv"]
                .into_iter()
                .chain(arguments.iter().map(String::as_str));
            let ran = desk.run(arguments).expect(64).says(&[option, "leave it out"]);
            for said in [&ran.stdout, &ran.stderr] {
                assert!(!said.contains(secret), "{value}: {said}");
            }
            assert!(!desk.state().exists());
        }
    }
    // What is no form of the input at all may be a secret, too.
    let desk = Desk::new();
    let ran = desk.run(["freshdesk", "--domain", "Zx8kQ2mV9tR4wY7zB1nP"]).expect(64);
    assert!(!ran.stderr.contains("Zx8kQ2mV9tR4wY7zB1nP"), "{}", ran.stderr);
}

#[test]
fn a_procedure_that_the_guide_does_not_have_is_refused_with_those_it_has() {
    refused_at_once(&["freshdesk", "--procedure", "disconnect"], &["disconnect", "rotate"]);
    refused_at_once(&["freshdesk", "--procedure", "explode"], &["explode", "rotate"]);
    refused_at_once(
        &["snowflake-password", "--procedure", "reconnect"],
        &["reconnect", "rotate", "disconnect"],
    );
    refused_at_once(
        &["servicenow", "--procedure", "revoke"],
        &["rotate", "disconnect", "reconnect"],
    );
}

#[test]
fn strict_refuses_to_begin_with_a_value_missing_and_names_every_one() {
    refused_at_once(&["freshdesk", "--strict"], &["--domain", "--agent"]);
    refused_at_once(&["freshdesk", "--strict", "--dry-run"], &["--domain", "--agent"]);
    let desk = Desk::new();
    let ran = desk.run(["freshdesk", "--strict", "--domain", "acme"]).expect(64);
    assert!(!ran.stderr.contains("--domain"), "it was given: {}", ran.stderr);
    desk.run(OPEN.into_iter().chain(["--strict"])).expect(0);
    // What only a step can tell is not asked for; all the rest is.
    let guide = rotate_providers::connector("s3-customer-managed")
        .unwrap()
        .guide()
        .unwrap();
    let values = examples("s3-customer-managed", &guide);
    let known = values.iter().filter(|(name, _)| *name != "new_key");
    let known: Vec<String> = known
        .map(|(name, value)| format!("--{}={value}", name.replace('_', "-")))
        .collect();
    let strict = ["s3-customer-managed", "--manual", "--strict", "--dry-run"];
    let ran = desk
        .run(strict.into_iter().chain(known.iter().map(String::as_str)))
        .expect(0);
    assert!(ran.stdout.contains("--new-key (later)"), "{}", ran.stdout);
    desk.run(strict.into_iter().chain(["--user", "gainsight-s3"]))
        .expect(64)
        .says(&["--bucket", "--old-key"]);
    // A default is a value.
    for connector in CONNECTORS {
        let guide = connector.guide().unwrap();
        let mut arguments = vec![connector.id.to_owned(), "--manual".to_owned(), "--strict".to_owned()];
        let given = examples(connector.id, &guide).into_iter().filter(|(name, _)| {
            guide
                .inputs
                .iter()
                .any(|input| input.name == *name && input.default.is_none())
        });
        for (name, value) in given {
            arguments.extend([format!("--{}", name.replace('_', "-")), value]);
        }
        arguments.push("--dry-run".to_owned());
        desk.run(arguments.iter().map(String::as_str)).expect(0);
    }
}

#[test]
fn a_step_out_of_order_is_refused_and_the_next_one_is_named() {
    let desk = Desk::opened();
    for named in ["3", "reset", "10", "prove-with-a-job"] {
        desk.run(["done", TARGET, named]).expect(1).says(&[
            "is not next",
            "list-users-of-the-key",
            &format!("step 1 of {ALL}"),
        ]);
        desk.run(["done", TARGET, "--skip", named, "--why", "no time"])
            .expect(1)
            .says(&["is not next"]);
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
    assert_eq!(desk.target()["state"], "guided");
}

#[test]
fn a_step_that_does_not_exist_is_refused() {
    let desk = Desk::opened();
    for named in [
        "0",
        "11",
        "99999999999999999999",
        "resett",
        "RESET",
        "",
        "1.0",
        "one",
        "../1",
    ] {
        desk.run(["done", TARGET, named])
            .expect(1)
            .says(&["there is no step", "list-users-of-the-key"]);
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
}

#[test]
fn a_step_is_ticked_once() {
    let desk = Desk::opened();
    desk.done(STEPS[0]);
    for named in ["1", STEPS[0]] {
        desk.run(["done", TARGET, named])
            .expect(1)
            .says(&["was ticked already", "USER claims tester"]);
        desk.run(["done", TARGET, "--skip", named, "--why", "no time"])
            .expect(1)
            .says(&["was ticked already"]);
    }
    assert_eq!(desk.journal().len(), 2);
    desk.finish(1);
    desk.run(["done", TARGET, STEPS[ALL - 1]])
        .expect(1)
        .says(&["ended already"]);
    desk.run(["done", TARGET, "11"]).expect(1);
    assert_eq!(desk.journal().len(), ALL + 1);
    desk.verify();
}

#[test]
fn a_step_is_left_out_only_with_a_reason() {
    let desk = Desk::opened();
    for wrong in [
        &["done", TARGET, "--skip", "1"][..],
        &["done", TARGET, "--skip", "1", "--why", ""],
        &["done", TARGET, "--skip", "1", "--why", "   "],
        &["done", TARGET, "1", "--why", "no time"],
        &["done", TARGET, "1", "--skip", "1", "--why", "no time"],
        &["done", TARGET, "--skip", "1", "--why", "no time", "--evidence", "none"],
        &["done", TARGET],
        &["done"],
    ] {
        desk.run(wrong.iter().copied()).expect(64);
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
}

#[test]
fn a_note_is_one_short_line() {
    let desk = Desk::opened();
    let long = "word ".repeat(101);
    for (wrong, why) in [
        ("two\nlines", "one line"),
        ("a\u{1b}[2Jb", "one line"),
        ("a\tb", "one line"),
        ("", "say something"),
        ("  ", "say something"),
        (long.as_str(), "500 characters"),
    ] {
        let ran = desk
            .run(["done", TARGET, "1", "--evidence", wrong])
            .expect(64)
            .says(&[why]);
        assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
        desk.run(["done", TARGET, "--skip", "1", "--why", wrong])
            .expect(64)
            .says(&[why]);
    }
    assert_eq!(desk.journal(), ["walk-opened"]);
    desk.run(["done", TARGET, "1", "--evidence", &"word ".repeat(100)])
        .expect(0);
}

#[test]
fn a_target_that_is_not_on_record_is_told_and_makes_no_state_folder() {
    let desk = Desk::new();
    for arguments in [
        &["done", TARGET, "1"][..],
        &["done", TARGET, "--skip", "1", "--why", "no time"],
        &["abort", TARGET],
        &["status", TARGET],
    ] {
        desk.run(arguments.iter().copied())
            .expect(1)
            .says(&["no rotation of freshdesk/acme is on record"]);
        assert!(!desk.state().exists());
    }
    let desk = Desk::opened();
    desk.run(["done", "freshdesk/acne", "1"])
        .expect(1)
        .says(&["no rotation of freshdesk/acne is on record", "rotate --state-dir"]);
}

#[test]
fn a_second_writer_is_kept_out_and_told_so() {
    let desk = Desk::opened();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let held = runtime.block_on(async {
        use rotate::store::Store;
        let store = rotate::store::SqliteStore::open(&desk.state().join("rotate.db"))
            .await
            .unwrap();
        store.lease().await.unwrap()
    });
    for arguments in [
        &["done", TARGET, "1"][..],
        &["done", TARGET, "--skip", "1", "--why", "no time"],
        &["abort", TARGET],
        &["undo", TARGET, "1"],
        &["jira", "--site", "acme", "--begin"],
        &OPEN,
        &["run"],
    ] {
        desk.run(arguments.iter().copied()).expect(4);
    }
    // Looking is free.
    desk.run(["status"]).expect(0);
    desk.run(SHOW).expect(0);
    desk.run(SHOW.into_iter().chain(["--dry-run"])).expect(0);
    drop(held);
    assert_eq!(desk.journal(), ["walk-opened"]);
    desk.done("1");
    desk.verify();
}

#[test]
fn of_many_who_tick_the_same_step_at_once_one_does() {
    let desk = Desk::opened();
    let children: Vec<std::process::Child> = (0..8)
        .map(|_| {
            let mut command = desk.command(["done", TARGET, "1"]);
            command
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    let codes: Vec<Option<i32>> = children
        .into_iter()
        .map(|mut child| child.wait().unwrap().code())
        .collect();
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 1 | 4))), "{codes:?}");
    assert_eq!(desk.journal(), ["walk-opened", "step-done list-users-of-the-key"]);
    desk.verify();
}
