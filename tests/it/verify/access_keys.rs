//! An access key of AWS is tried by asking whose it is. AWS does not know a new key everywhere at once, nor forget an old one.

use std::process::Command;

use rotate_fixtures::place::{AUTHORITY, Ran};
use rotate_fixtures::probed_vendor::Said;

use super::desk::{CANARY, Desk, verdict};

const KEY: [&str; 2] = ["--old-key", "AKIAIOSFODNN7EXAMPLE"];

fn owner() -> Said {
    let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>AIDAX</UserId><Account>123456789012</Account>\
        </GetCallerIdentityResult></GetCallerIdentityResponse>";
    Said::Plain(200, body.to_owned())
}

fn error(status: u16, code: &str) -> Said {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    Said::Plain(status, body)
}

fn unknown() -> Said {
    error(403, "InvalidClientTokenId")
}

#[test]
fn an_access_key_of_aws_is_tried_by_asking_whose_it_is() {
    let desk = Desk::new();
    for connector in ["s3-gs-managed", "s3-customer-managed"] {
        for (said, exit, told) in [
            (owner(), 0, ("accepted", "http-200")),
            (
                error(403, "SignatureDoesNotMatch"),
                3,
                ("rejected", "SignatureDoesNotMatch"),
            ),
            (error(403, "AccessDenied"), 0, ("accepted", "AccessDenied")),
            (error(400, "Throttling"), 1, ("inconclusive", "Throttling")),
            (
                error(400, "RequestTimeTooSkewed"),
                1,
                ("inconclusive", "RequestTimeTooSkewed"),
            ),
        ] {
            desk.vendor.says(said);
            let ran = desk.verify([connector].iter().chain(&KEY).copied()).expect(exit);
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
    desk.verify(["s3-gs-managed"].iter().chain(&KEY).copied())
        .expect(1)
        .says(&["the form of the access key ID"]);
    let hosts = desk.vendor.hosts();
    assert!(
        hosts.iter().all(|host| host == "sts.us-east-1.amazonaws.com"),
        "{hosts:?}"
    );
}

/// Each with the answers, in turn, what is told of them, and after how many questions.
#[test]
fn a_key_that_aws_does_not_know_is_refused_after_three_answers_in_a_row_the_old_one_too() {
    std::thread::scope(|scope| {
        for (answers, exit, told, asked) in [
            (vec![unknown()], 3, ("rejected", "InvalidClientTokenId"), 3),
            (vec![unknown(), unknown(), owner()], 0, ("accepted", "http-200"), 4),
            (
                vec![unknown(), owner(), unknown(), unknown(), unknown()],
                3,
                ("rejected", "InvalidClientTokenId"),
                5,
            ),
            (
                vec![unknown(), owner(), unknown(), owner(), unknown(), owner()],
                1,
                ("inconclusive", "key-spreading"),
                6,
            ),
            (
                vec![unknown(), error(400, "Throttling")],
                1,
                ("inconclusive", "Throttling"),
                2,
            ),
        ] {
            scope.spawn(move || {
                let desk = Desk::new();
                desk.vendor.says_in_turn(answers);
                let ran = desk
                    .verify(["s3-customer-managed"].iter().chain(&KEY).copied())
                    .expect(exit);
                let (verdict, class) = verdict(&ran);
                assert_eq!((verdict.as_str(), class.as_str()), told);
                assert_eq!(desk.vendor.asked().len(), asked, "{told:?}");
            });
        }
        for (answers, exit, told, asked) in [
            (vec![unknown()], 0, "rejected", 3),
            (vec![unknown(), owner()], 3, "accepted", 3),
        ] {
            scope.spawn(move || {
                let desk = Desk::new();
                desk.vendor.says_in_turn(answers);
                let ran = desk
                    .verify(["s3-gs-managed", "--old"].iter().chain(&KEY).copied())
                    .expect(exit);
                assert_eq!(verdict(&ran).0, told);
                assert_eq!(desk.vendor.asked().len(), asked, "{told}");
            });
        }
    });
}

#[test]
fn a_private_authority_is_trusted_beside_the_systems_where_its_file_is_named() {
    let desk = Desk::new();
    desk.vendor.says(owner());
    let tried = |more: &[&str]| {
        let fixed = ["--output", "json", "verify", "--secret-file", "secret", "s3-gs-managed"];
        let mut command: Command = desk.command(fixed.iter().chain(&KEY).chain(more).copied());
        // What the system trusts is not the authority of the vendor's proxy.
        command.env("SSL_CERT_FILE", AUTHORITY);
        Ran::of(command)
    };
    let ran = tried(&[]).expect(1);
    assert_eq!(verdict(&ran).0, "inconclusive");
    assert!(desk.vendor.asked().is_empty(), "{ran:#?}");
    let ran = tried(&["--ca-file", "authority.pem"]).expect(0);
    assert_eq!(verdict(&ran).0, "accepted");
    let ran = tried(&["--ca-file", "secret"]).expect(1);
    assert_eq!(verdict(&ran).1, "authorities");
    assert!(!ran.stdout.contains(CANARY), "{}", ran.stdout);
}
