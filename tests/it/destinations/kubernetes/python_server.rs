//! A second opinion: a Kubernetes server that somebody else has written understands what is sent.
//!
//! Leans on kmock, from PyPI, which merges patches and knows nothing more of Secrets: it takes the rehearsal for a write.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rotate_fixtures::Kmock;
use serde_json::json;

use super::*;

#[test]
fn a_server_that_others_have_written_holds_the_new_key_beside_what_was_there() {
    let server = Kmock::start(
        "apps",
        "gainsight",
        &json!({ "theirs": "a2VwdA==", "access_key_id": "QUtJQU9MRA==" }),
    );
    let desk = Desk::without_secret();
    let _ = server.kubeconfig(&desk.place.path(""));
    desk.rotate(&[]).expect(0);
    let held = server.secret();
    let value = |key: &str| {
        let bytes = BASE64_STANDARD.decode(held["data"][key].as_str().unwrap_or_default());
        String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    };
    assert_eq!(value("theirs"), "kept");
    assert!(
        desk.place
            .cloud
            .works(&value("access_key_id"), &value("secret_access_key")),
        "{held}"
    );
    assert_eq!(desk.place.cloud.keys_of("gainsight-s3").len(), 2);
}
