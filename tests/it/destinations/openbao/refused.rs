//! What the real store refuses, and what is said of it before a key is made.

use super::*;

fn refused(prepare: impl Fn(&mut Shop), words: &[&str]) {
    let mut shop = Shop::new();
    prepare(&mut shop);
    let ran = shop.rotate(&["--yes"]).expect(1);
    assert!(!ran.stderr.contains(&shop.token), "{}", ran.stderr);
    ran.says(words);
    shop.place.expect_as_before();
}

#[test]
fn a_token_that_is_wrong_revoked_or_expired_is_told_as_such() {
    let told = [
        "does not accept the token: it has expired, was revoked, or is another store's",
        "vault login",
    ];
    refused(|shop| shop.token = "wrong".to_owned(), &told);
    refused(
        |shop| {
            shop.store.must(["token", "revoke", &shop.token]);
        },
        &told,
    );
    refused(
        |shop| {
            shop.token = shop.store.token(&policy(&shop.mount), "1s");
            for _ in 0..100 {
                if !shop.store.run_as(&shop.token, ["token", "lookup"]).ok {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            panic!("it does not expire");
        },
        &told,
    );
}

#[test]
fn what_a_token_lacks_is_printed_as_a_policy_that_lets_it() {
    for lacking in [
        "path \"nowhere/a\" {\n  capabilities = [\"read\"]\n}\n",
        "path \"MOUNT/*\" {\n  capabilities = [\"list\"]\n}\n",
    ] {
        let mut shop = Shop::new();
        shop.token = shop.store.token(&lacking.replace("MOUNT", &shop.mount), "1h");
        let ran = shop.rotate(&["--yes"]).expect(1);
        let begin = ran.stderr.find("path \"").unwrap_or_else(|| panic!("{}", ran.stderr));
        let end = ran.stderr.rfind('}').map_or(begin, |end| end + 1);
        let printed = &ran.stderr[begin..end];
        assert!(
            printed.contains(&format!("{}/data/{PATH}\" {{", shop.mount)),
            "{}",
            ran.stderr
        );
        shop.token = shop.store.token(printed, "1h");
        shop.rotate(&[]).expect(0);
        assert!(shop.works());
    }
}

#[test]
fn a_mount_that_is_no_store_of_version_2_is_told_with_what_it_is() {
    refused(
        |shop| {
            let mount = format!("old-{}", shop.mount);
            shop.store
                .must(["secrets", "enable", "-version=1", &format!("-path={mount}"), "kv"]);
            shop.mount = mount;
            shop.token = shop.store.root().to_owned();
        },
        &[
            "is a key-value store of version 1 (sys/internal/ui/mounts/",
            "vault kv enable-versioning",
        ],
    );
    refused(
        |shop| {
            let mount = format!("transit-{}", shop.mount);
            shop.store
                .must(["secrets", "enable", &format!("-path={mount}"), "transit"]);
            shop.mount = mount;
            shop.token = shop.store.root().to_owned();
        },
        &["is of the type transit"],
    );
    refused(
        |shop| {
            shop.mount = "nowhere".to_owned();
            shop.token = shop.store.root().to_owned();
        },
        &["may do nothing at nowhere/gainsight/s3", "or nothing is mounted there"],
    );
}

#[test]
fn a_current_version_that_was_deleted_or_destroyed_is_told_with_the_way_back() {
    refused(
        |shop| {
            let mount = format!("-mount={}", shop.mount);
            shop.store.must(["kv", "delete", &mount, PATH]);
        },
        &[
            "its current version 1 was deleted at",
            "vault kv undelete -mount=",
            "-versions=1",
        ],
    );
    refused(
        |shop| {
            let mount = format!("-mount={}", shop.mount);
            shop.store.must(["kv", "destroy", &mount, "-versions=1", PATH]);
        },
        &[
            "its current version 1 was destroyed",
            "write a new version: vault kv put -mount=",
        ],
    );
    refused(
        |shop| shop.store.put(&shop.mount, PATH, r#"{"access_key_id":{"a":1}}"#),
        &["a member that the key would go to holds something else than text"],
    );
}

#[test]
fn a_secret_or_a_mount_that_was_made_anew_is_not_written_to() {
    let points = Shop::points_of_a_rotation();
    let written = points
        .iter()
        .position(|point| point == "vault-kv: written")
        .unwrap_or_default();
    let open = || {
        let shop = Shop::new();
        let mut dying = shop.rotating(&[]);
        dying.env("ROTATE_TEST_KILL_AT", (written + 1).to_string());
        assert_eq!(Ran::of(dying).code, None);
        shop
    };
    let shop = open();
    let mount = format!("-mount={}", shop.mount);
    shop.store.must(["kv", "metadata", "delete", &mount, PATH]);
    shop.store.put(&shop.mount, PATH, FOUND);
    shop.rotate(&[]).expect(1).says(&["another was there, made at"]);
    assert_eq!((shop.version(), shop.field("secret_access_key")), (1, "old".to_owned()));
    let shop = open();
    shop.store.must(["secrets", "disable", &shop.mount]);
    shop.store.must([
        "secrets",
        "enable",
        "-version=2",
        &format!("-path={}", shop.mount),
        "kv",
    ]);
    shop.store.put(&shop.mount, PATH, FOUND);
    shop.rotate(&[])
        .expect(1)
        .says(&["when the rotation was opened", "find out who has made it anew"]);
    assert_eq!((shop.version(), shop.field("secret_access_key")), (1, "old".to_owned()));
}

#[test]
fn a_store_that_is_sealed_is_told_as_such_and_the_rotation_goes_on_once_it_is_not() {
    let store: &'static OpenBao = Box::leak(Box::new(OpenBao::alone()));
    let mount = store.mount();
    let shop = Shop {
        place: Workplace::new(env!("CARGO_BIN_EXE_rotate")),
        token: store.token(&policy(&mount), "1h"),
        store,
        mount,
    };
    store.put(&shop.mount, PATH, FOUND);
    store.must(["operator", "seal"]);
    shop.rotate(&["--yes"])
        .expect(1)
        .says(&["is sealed", "vault operator unseal"]);
    shop.place.expect_as_before();
}
