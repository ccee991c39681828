//! What is not delivered to, and in which words: before a key is made.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

fn refused(prepare: impl Fn(&Shop), to: &str, words: &[&str]) {
    let shop = Shop::new();
    prepare(&shop);
    let ran = Ran::of(shop.rotating(to, &["--yes"])).expect(1).says(words);
    assert!(!ran.stderr.contains("CANARY"), "{}", ran.stderr);
    shop.place.expect_as_before();
}

#[test]
fn what_cannot_be_delivered_to_is_told_before_a_key_is_made() {
    refused(
        |shop| shop.store.delete(PATH),
        NAME,
        &[
            "its current version 1 was deleted at",
            "vault kv undelete -mount=secret gainsight/s3 -versions=1",
        ],
    );
    refused(
        |shop| shop.store.put(PATH, r#"{"access_key_id":1}"#),
        NAME,
        &["something else than text"],
    );
    refused(
        |shop| shop.store.lead_to("https://active.example:8200"),
        NAME,
        &["https://active.example:8200", "no token is sent"],
    );
    refused(|_| {}, "vault-kv:elsewhere/gainsight", &["elsewhere/gainsight"]);
    refused(
        |_| {},
        "vault-kv:secret/gainsight?namespace=team",
        &["does not accept the token", "namespace team"],
    );
    for (call, verb) in [
        ("GET secret/metadata/", "may not read secret/metadata/gainsight/s3"),
        ("GET secret/data/", "may not read secret/data/gainsight/s3"),
        ("POST secret/data/", "may not update secret/data/gainsight/s3"),
    ] {
        refused(
            |shop| shop.store.deny(call),
            NAME,
            &[
                "token-of-tests (policies default)",
                verb,
                "path \"secret/data/gainsight/s3\" {",
                "capabilities = [\"create\", \"read\", \"update\"]",
                "path \"secret/metadata/gainsight/s3\" {",
            ],
        );
    }
}

#[test]
fn a_token_that_may_not_ask_what_it_may_shows_it_by_a_write_that_has_no_effect() {
    let silent = |shop: &Shop| shop.store.deny("POST sys/capabilities-self");
    let shop = Shop::new();
    silent(&shop);
    // It may not ask whose it is either.
    shop.store.deny("GET auth/token/lookup-self");
    shop.rotate(&[]).expect(0);
    assert!(shop.works());
    refused(
        |shop| {
            silent(shop);
            shop.store.deny("POST secret/data/");
        },
        NAME,
        &[
            "may not write secret/data/gainsight/s3",
            "path \"secret/data/gainsight/s3\" {",
        ],
    );
}

#[test]
fn a_token_that_may_not_even_ask_whose_it_is_is_no_unknown_token() {
    refused(
        |shop| {
            shop.store.deny("POST sys/capabilities-self");
            shop.store.deny("GET auth/token/lookup-self");
            shop.store.deny("GET secret/metadata/");
        },
        NAME,
        &[
            "this token may not read secret/metadata/gainsight/s3",
            "path \"secret/metadata/gainsight/s3\" {",
        ],
    );
}

#[test]
fn a_secret_or_a_mount_that_was_made_anew_is_not_written_to() {
    let written = Shop::points_of_a_rotation()
        .iter()
        .position(|point| point == "vault-kv: written");
    let killed = || Shop::killed_at(written.unwrap_or_default() + 1);
    let shop = killed();
    shop.store.remove(PATH);
    shop.store.put(PATH, "{}");
    shop.rotate(&[]).expect(1).says(&["another was there, made at"]);
    assert_eq!(shop.store.data(PATH).as_deref(), Some("{}"));
    let shop = killed();
    shop.store.remove(PATH);
    shop.rotate(&[]).expect(1).says(&["it is gone"]);
    assert_eq!(shop.store.version(PATH), 0);
    let shop = killed();
    shop.store.mount_anew();
    shop.store.put(PATH, "{}");
    shop.rotate(&[])
        .expect(1)
        .says(&["the mount secret at", "was 0198f3a0-0000-7000-8000-00000000000a"]);
    assert_eq!(shop.store.data(PATH).as_deref(), Some("{}"));
}

#[test]
fn a_secret_that_is_made_anew_between_two_readings_is_not_written_to() {
    let written = Shop::points_of_a_rotation()
        .iter()
        .position(|point| point == "vault-kv: written");
    for call in ["GET secret/metadata", "GET secret/data"] {
        let shop = Shop::killed_at(written.unwrap_or_default());
        shop.store.make_anew(call, PATH, "{}");
        shop.rotate(&[]).expect(1).says(&["another was there, made at"]);
        assert_eq!(shop.store.data(PATH).as_deref(), Some("{}"), "{call}");
    }
}

/// A server that takes half of a request and resets the connection: closed with something unread, that is what the system does.
#[test]
fn a_connection_that_breaks_behind_a_request_is_not_told_as_one_that_never_came_about() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut client: TcpStream = client;
            let _ = client.read(&mut [0; 8]);
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{");
        }
    });
    let shop = Shop::new();
    let mut rotating = shop.rotating(NAME, &["--yes"]);
    rotating.env("VAULT_ADDR", address);
    let refused = Ran::of(rotating).expect(1);
    refused.says(&["the connection broke before the answer was whole"]);
    shop.place.expect_as_before();
}
