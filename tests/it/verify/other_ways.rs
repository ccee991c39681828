//! Probes whose address a person names, and those that are code of a connector's own.

use std::time::Duration;

use rotate_fixtures::hostile::{Hostile, Text};
use rotate_fixtures::probed_vendor::Said;

use super::desk::{CANARY, Desk, verdict};

const URL: [&str; 5] = [
    "custom-rest-api",
    "--probe-url",
    "https://api.acme.example/v1/me",
    "--probe-marker",
    "\"email\"",
];

#[test]
fn a_rest_api_is_tried_as_its_owner_says_and_accepts_only_with_the_words_that_are_expected() {
    let desk = Desk::new();
    for (said, exit, verdict_is) in [
        (Said::json(200, r#"{"email":"a@b.example"}"#), 0, "accepted"),
        (Said::json(200, r#"{"error":"who are you?"}"#), 1, "inconclusive"),
        (Said::json(401, r#"{"email":"a@b.example"}"#), 3, "rejected"),
        (Said::json(404, "{}"), 1, "inconclusive"),
    ] {
        let header = ["--kind", "header", "--probe-header", "X-Api-Key"];
        let password = ["--kind", "password", "--probe-user", "gainsight"];
        for (way, sent) in [
            (header, format!("x-api-key: {CANARY}")),
            (password, "authorization: Basic ".to_owned()),
        ] {
            desk.vendor.says(said.clone());
            let ran = desk.verify(URL.into_iter().chain(way)).expect(exit);
            assert_eq!(verdict(&ran).0, verdict_is);
            let [asked] = desk.vendor.asked().try_into().expect("one request");
            assert!(asked.text().contains(&sent), "{asked:?}");
            assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/v1/me"));
        }
    }
    // Which of the two it is, and what the answer has in it, nobody can guess.
    let ran = desk.verify(URL).expect(1);
    assert_eq!(verdict(&ran).1, "no-probe");
    desk.verify([
        "custom-rest-api",
        "--probe-url",
        "https://api.acme.example/",
        "--kind",
        "header",
    ])
    .expect(64)
    .says(&["--probe-marker"]);
}

#[test]
fn where_wrong_tries_may_lock_an_account_it_is_tried_once_whatever_comes_of_it() {
    let desk = Desk::new();
    for (kind, requests) in [("password", 1), ("header", 2)] {
        for said in [Said::json(503, "{}"), Said::Nothing] {
            desk.vendor.says(said);
            let way = [
                "--kind",
                kind,
                "--probe-user",
                "gainsight",
                "--probe-header",
                "X-Api-Key",
            ];
            let ran = desk.verify(URL.into_iter().chain(way)).expect(1);
            assert_eq!(verdict(&ran).0, "inconclusive");
            assert_eq!(desk.vendor.asked().len(), requests, "{kind}");
        }
    }
}

#[test]
fn a_secret_for_an_address_of_a_person_s_own_is_not_sent_on_and_its_answer_has_an_end() {
    const HUGE: Text = Text::of_spaces((64 << 10) + 1);
    let desk = Desk::new();
    let redirect = |status| Said::Hostile(Hostile::Redirect(status, "https://evil.example/"));
    for (kind, tries) in [("header", 2), ("password", 1)] {
        for (said, class, requests) in [
            (redirect(302), "http-302", 1),
            (redirect(307), "http-307", 1),
            (Said::Hostile(Hostile::Long(HUGE)), "answer-too-long", 1),
            (
                Said::Late(Duration::from_secs(60), 200, "{}".to_owned()),
                "time-out",
                tries,
            ),
        ] {
            desk.vendor.says(said);
            let way = [
                "--kind",
                kind,
                "--probe-user",
                "gainsight",
                "--probe-header",
                "X-Api-Key",
            ];
            let ran = desk
                .verify(URL.into_iter().chain(way).chain(["--time-out", "1s"]))
                .expect(1);
            assert_eq!(verdict(&ran), ("inconclusive".to_owned(), class.to_owned()), "{kind}");
            assert_eq!(desk.vendor.asked().len(), requests, "{kind} {class}");
        }
    }
    let hosts = desk.vendor.hosts();
    assert!(!hosts.iter().any(|host| host.contains("evil")), "{hosts:?}");
}

#[test]
fn a_password_is_not_sent_in_the_clear_to_an_address_that_a_person_has_named() {
    let desk = Desk::new();
    let plain = [
        "custom-rest-api",
        "--kind",
        "header",
        "--probe-header",
        "X-Api-Key",
        "--probe-marker",
        "x",
    ];
    for url in ["http://api.acme.example/me", "ftp://api.acme.example/me"] {
        let ran = desk.verify(plain.into_iter().chain(["--probe-url", url]));
        assert!(ran.code == Some(64) || ran.code == Some(1), "{ran:#?}");
    }
    assert!(desk.vendor.asked().is_empty() && desk.vendor.hosts().is_empty());
}
