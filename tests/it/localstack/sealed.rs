//! Sealing with a key of KMS, as AWS speaks it. That a key which is disabled or denied is refused before anything is minted is proven
//! against the strict fake.

use aws_sdk_kms::primitives::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rotate::store::{SqliteStore, Store};

use super::{Account, sdk};

#[tokio::test]
async fn a_rotation_waits_sealed_with_a_key_that_decrypts_for_this_rotation_alone() {
    let account = Account::new("sealed").await;
    let kms = aws_sdk_kms::Client::new(&sdk());
    let made = kms.create_key().send().await.unwrap().key_metadata.unwrap();
    let arn = made.arn.unwrap();
    std::fs::write(
        account.path("rotate.toml"),
        format!("[store]\nseal = \"aws-kms:{arn}\"\n"),
    )
    .unwrap();
    let config = account.path("rotate.toml").display().to_string();
    account.rotate(&["--config", &config, "--soak", "0s"]).expect(0);

    let store = SqliteStore::open(&account.path("state/rotate.db")).await.unwrap();
    let all = store.all_sealed().await.unwrap();
    let sealed = all.iter().find(|sealed| sealed.name == "new-key").unwrap();
    let text = String::from_utf8_lossy(&sealed.bytes).into_owned();
    let mut lines = text.lines();
    assert_eq!(lines.next().unwrap(), format!("rotate-sealed/1 aws-kms:{arn}"));
    let wrapped = STANDARD.decode(lines.next().unwrap()).unwrap();
    let decrypt = |rotation: &str| {
        kms.decrypt()
            .ciphertext_blob(Blob::new(wrapped.clone()))
            .encryption_context("target", account.target())
            .encryption_context("rotation", rotation)
            .send()
    };
    let opened = decrypt(&sealed.rotation).await.unwrap().plaintext.unwrap();
    assert!(opened.into_inner().starts_with(b"AGE-SECRET-KEY-1"));
    decrypt("another").await.unwrap_err();
    drop(store);

    account.run(&["--config", &config, "audit", "verify"]).expect(0);
    account.run(&["--config", &config, "seal", "rekey"]).expect(0);
    account
        .run(&["--config", &config, "confirm", &account.target()])
        .expect(0);
    let keys = account.keys().await;
    assert!(
        keys.iter().any(|(key, active)| *key == account.new_key() && *active),
        "{keys:?}"
    );
}
