//! Which client signs in with a secret: the old one, the new one, or the one that both secrets have.

use rotate_fixtures::probed_vendor::Said;
use rotate_providers::PhaseName;
use rotate_providers::guide::Procedure;

use super::desk::Desk;

const TARGET: &str = "gainsight-api-m2m/data-lake";
const TOKEN: &str = r#"{"access_token":"t","expires_in":86400}"#;

/// A rotation of this way that has come to the step in which the new pair is proven.
fn at_the_proof(way: &str) -> Desk {
    let desk = Desk::new();
    let given = [
        "--client",
        "data-lake",
        "--tenant",
        "acme.gainsightcloud.com",
        "--client-id",
        "old-client",
    ];
    let begin = [
        "gainsight-api-m2m",
        "--connection",
        "Data lake",
        "--way",
        way,
        "--begin",
    ];
    desk.run(begin.iter().chain(&given).copied()).expect(0);
    let guide = rotate_providers::connector("gainsight-api-m2m")
        .unwrap()
        .guide()
        .unwrap();
    let values = [("way".to_owned(), way.to_owned())].into();
    for step in guide.steps_for(Procedure::Rotate, &values) {
        if step.phase == PhaseName::Verified {
            return desk;
        }
        desk.run(["done", TARGET, &step.id]).expect(0);
    }
    panic!("no step proves it")
}

/// What signs a client in with the desk's secret: base64 of both, with a colon between.
const PAIRS: [(&str, &str); 3] = [
    ("old-client", "b2xkLWNsaWVudDpjYW5hcnlDMEZGRUVjMGZmZWU1ZWNyZXQ="),
    ("new-client", "bmV3LWNsaWVudDpjYW5hcnlDMEZGRUVjMGZmZWU1ZWNyZXQ="),
    ("another-client", "YW5vdGhlci1jbGllbnQ6Y2FuYXJ5QzBGRkVFYzBmZmVlNWVjcmV0"),
];

/// Who signed in, and that it was with the secret.
#[track_caller]
fn signed_in(desk: &Desk) -> &'static str {
    let [asked] = desk.vendor.asked().try_into().unwrap();
    let pair = asked
        .head
        .iter()
        .find_map(|line| line.strip_prefix("authorization: Basic "));
    let known = PAIRS.iter().find(|(_, encoded)| Some(*encoded) == pair);
    known.unwrap().0
}

#[test]
fn a_secret_that_is_replaced_in_place_is_tried_with_the_client_of_the_old_one() {
    let desk = at_the_proof("in-place");
    desk.vendor.says(Said::json(200, TOKEN));
    let ran = desk.verify([TARGET]).expect(0);
    assert_eq!(ran.json()["verification"]["credential"], "new");
    assert_eq!(ran.json()["verification"]["recorded"], true);
    assert_eq!(signed_in(&desk), "old-client");
    desk.vendor.says(Said::json(401, "{}"));
    desk.verify([TARGET, "--old"]).expect(0);
    assert_eq!(signed_in(&desk), "old-client");
    // Where Gainsight has made a new ID as well, a person says so.
    desk.vendor.says(Said::json(200, TOKEN));
    desk.verify([TARGET, "--client-id", "another-client"]).expect(0);
    assert_eq!(signed_in(&desk), "another-client");
}

#[test]
fn beside_a_second_connection_each_secret_is_tried_with_its_own_client() {
    let desk = at_the_proof("second");
    desk.verify([TARGET])
        .expect(64)
        .says(&["it cannot be tried without: --new-client-id"]);
    assert!(desk.vendor.asked().is_empty());
    desk.vendor.says(Said::json(200, TOKEN));
    desk.verify([TARGET, "--new-client-id", "new-client"]).expect(0);
    assert_eq!(signed_in(&desk), "new-client");
    desk.vendor.says(Said::json(401, "{}"));
    desk.verify([TARGET, "--old"]).expect(0);
    assert_eq!(signed_in(&desk), "old-client");
}
