//! Probes whose address a person names, and those that are code of a connector's own.

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
fn an_access_key_of_aws_is_tried_by_asking_whose_it_is() {
    const OWNER: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>AIDAX</UserId><Account>123456789012</Account>\
        </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let error = |code: &str| {
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        )
    };
    let desk = Desk::new();
    for connector in ["s3-gs-managed", "s3-customer-managed"] {
        for (status, body, exit, told) in [
            (200, OWNER.to_owned(), 0, ("accepted", "http-200")),
            (
                403,
                error("InvalidClientTokenId"),
                3,
                ("rejected", "InvalidClientTokenId"),
            ),
            (
                403,
                error("SignatureDoesNotMatch"),
                3,
                ("rejected", "SignatureDoesNotMatch"),
            ),
            (403, error("AccessDenied"), 0, ("accepted", "AccessDenied")),
            (400, error("Throttling"), 1, ("inconclusive", "Throttling")),
            (
                400,
                error("RequestTimeTooSkewed"),
                1,
                ("inconclusive", "RequestTimeTooSkewed"),
            ),
        ] {
            desk.vendor.says(Said::Plain(status, body));
            let ran = desk
                .verify([connector, "--old-key", "AKIAIOSFODNN7EXAMPLE"])
                .expect(exit);
            let (verdict, class) = verdict(&ran);
            assert_eq!((verdict.as_str(), class.as_str()), told);
            let [asked] = desk.vendor.asked().try_into().expect("one request");
            assert!(
                asked.body.contains("GetCallerIdentity") && !asked.text().contains(CANARY),
                "{asked:?}"
            );
        }
    }
    desk.hold("AKIAIOSFODNN7EXAMPL2");
    desk.verify(["s3-gs-managed", "--old-key", "AKIAIOSFODNN7EXAMPLE"])
        .expect(1)
        .says(&["the form of the access key ID"]);
    let hosts = desk.vendor.hosts();
    assert!(
        hosts.iter().all(|host| host == "sts.us-east-1.amazonaws.com"),
        "{hosts:?}"
    );
}
