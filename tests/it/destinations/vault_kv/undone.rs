//! What a delivery replaced is put back, from wherever it can still be had.

use super::*;

/// A shop in which the key was delivered.
fn delivered() -> Shop {
    let shop = Shop::new();
    shop.rotate(&[]).expect(0);
    shop
}

/// So many versions of others'.
fn write_beside(shop: &Shop, versions: usize) {
    for number in 0..versions {
        let text = shop.store.data(PATH).unwrap_or_default();
        let text = text.replace("\"theirs\":\"kept", &format!("\"theirs\":\"kept{number}"));
        shop.store.put(PATH, &text);
    }
}

#[test]
fn an_abort_writes_what_the_version_before_held_and_nobody_has_sealed_its_secret() {
    let shop = delivered();
    let sealed = shop.place.run(["audit", "--output", "json"]).stdout;
    assert!(!sealed.contains("AKIAOLD"), "{sealed}");
    let points = shop.points(shop.command(&["abort", TARGET]));
    assert!(points.iter().any(|point| point == "vault-kv: put back"), "{points:?}");
    let held = shop.held();
    assert_eq!(
        (
            held["access_key_id"].as_str(),
            held["secret_access_key"].as_str(),
            held["theirs"].as_str()
        ),
        (Some("AKIAOLD"), Some("old"), Some("kept"))
    );
    assert_eq!(shop.store.version(PATH), 3);
    let text = shop.store.data(PATH).unwrap_or_default();
    assert!(text.contains("123456789012345678901234567890"), "{text}");
}

#[test]
fn an_abort_that_is_killed_or_whose_answer_is_lost_writes_once() {
    let points = {
        let shop = delivered();
        shop.points(shop.command(&["abort", TARGET]))
    };
    for (at, point) in points.iter().enumerate() {
        let shop = delivered();
        let mut dying = shop.command(&["abort", TARGET]);
        dying.env("ROTATE_TEST_KILL_AT", (at + 1).to_string());
        assert_eq!(Ran::of(dying).code, None, "{point}");
        shop.run(&["abort", TARGET]);
        shop.run(&["run"]);
        assert_eq!(shop.held()["access_key_id"], "AKIAOLD", "{point}");
        assert_eq!(shop.store.version(PATH), 3, "{point}");
    }
    let shop = delivered();
    shop.store.lose_answer("POST secret/data");
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(shop.held()["access_key_id"], "AKIAOLD");
    assert_eq!(shop.store.version(PATH), 3);
}

#[test]
fn what_others_have_written_beside_it_stays_when_it_is_put_back() {
    let shop = delivered();
    let text = shop.store.data(PATH).unwrap_or_default();
    shop.store.put(PATH, &text.replace("kept", "changed"));
    shop.run(&["abort", TARGET]).expect(0);
    let held = shop.held();
    assert_eq!(
        (held["theirs"].as_str(), held["secret_access_key"].as_str()),
        (Some("changed"), Some("old"))
    );
}

#[test]
fn what_somebody_has_replaced_deleted_or_removed_since_is_left_to_them() {
    let theirs = r#"{"access_key_id":"AKIATHEIRS","secret_access_key":"theirs"}"#;
    let shop = delivered();
    shop.store.put(PATH, theirs);
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(shop.store.data(PATH).as_deref(), Some(theirs));
    // Where even the version with ours in it is gone, that is no less a change.
    let shop = delivered();
    shop.store.keep_versions(PATH, 1);
    shop.store.put(PATH, theirs);
    shop.store.put(PATH, theirs);
    shop.run(&["abort", TARGET])
        .expect(0)
        .says(&["was changed by someone since the delivery"]);
    assert_eq!(shop.store.data(PATH).as_deref(), Some(theirs));
    let shop = delivered();
    shop.store.delete(PATH);
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!((shop.store.data(PATH), shop.store.version(PATH)), (None, 2));
    let shop = delivered();
    shop.store.remove(PATH);
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(shop.store.version(PATH), 0);
}

#[test]
fn where_the_store_keeps_few_versions_what_ours_held_is_sealed_and_put_back_from_there() {
    let shop = Shop::new();
    shop.store.keep_versions(PATH, 2);
    shop.rotate(&[]).expect(0);
    write_beside(&shop, 3);
    shop.run(&["abort", TARGET]).expect(0);
    let held = shop.held();
    assert_eq!(
        (
            held["access_key_id"].as_str(),
            held["secret_access_key"].as_str(),
            held["theirs"].as_str()
        ),
        (Some("AKIAOLD"), Some("old"), Some("kept210"))
    );
    // The same where nobody lets us see how many it keeps.
    let shop = Shop::new();
    shop.store.deny("GET secret/config");
    shop.rotate(&[]).expect(0);
    write_beside(&shop, 11);
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(shop.held()["access_key_id"], "AKIAOLD");
}

#[test]
fn a_version_that_is_gone_against_the_stores_word_is_told_and_force_goes_on() {
    let shop = delivered();
    write_beside(&shop, 11);
    shop.run(&["abort", TARGET]).expect(1).says(&[
        "the version that the new key replaced is no longer kept",
        "vault kv patch -mount=secret gainsight/s3",
    ]);
    assert!(shop.works(), "nothing was taken away");
    shop.run(&["abort", "--force", TARGET]).expect(0);
    assert!(shop.place.cloud.works(&shop.place.old.id, &shop.place.old.secret));
}

#[test]
fn a_reading_that_misses_a_secret_which_is_there_is_no_removal() {
    for missed in 1..=4 {
        for call in ["GET secret/data", "GET secret/metadata"] {
            let shop = delivered();
            for _ in 0..missed {
                shop.store.miss(call);
            }
            shop.run(&["abort", TARGET]).expect(0);
            assert_eq!(shop.held()["access_key_id"], "AKIAOLD", "{call} {missed}");
        }
    }
    // Where that does not end, nothing is known, and nothing is taken away.
    let shop = delivered();
    for _ in 0..30 {
        shop.store.miss("GET secret/data");
    }
    let ran = shop.run(&["abort", TARGET]);
    assert_ne!(ran.code, Some(0), "{}", ran.stderr);
    assert!(shop.works());
}

#[test]
fn what_answers_in_place_of_the_store_is_not_believed_that_the_secret_is_gone() {
    for call in ["GET secret/data", "GET secret/metadata"] {
        let shop = delivered();
        for _ in 0..20 {
            shop.store
                .answer_with(call, 404, "no handler for route. route entry not found.");
        }
        let ran = shop.run(&["abort", TARGET]);
        let said = ran.stdout + &ran.stderr;
        assert!(ran.code != Some(0) && said.contains("(HTTP 404)"), "{call}: {said}");
        assert!(shop.works(), "{call}: nothing was taken away");
    }
}

#[test]
fn a_mount_that_deletes_its_versions_is_told_of_and_what_ours_held_is_sealed() {
    let told = "the store deletes every version 24h0m0s after it was written";
    let shop = Shop::new();
    shop.store.delete_versions_after("24h0m0s");
    shop.rotate(&[]).expect(0).says(&[told]);
    write_beside(&shop, 11);
    shop.run(&["abort", TARGET]).expect(0);
    assert_eq!(shop.held()["access_key_id"], "AKIAOLD");
    // Nobody can be told what may not be read, and nothing is said where there is nothing to say.
    let shop = Shop::new();
    shop.store.delete_versions_after("24h0m0s");
    shop.store.deny("GET secret/config");
    assert!(!shop.rotate(&[]).expect(0).stderr.contains("deletes every version"));
    assert!(
        !Shop::new()
            .rotate(&[])
            .expect(0)
            .stderr
            .contains("deletes every version")
    );
}
