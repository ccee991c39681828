//! A Secret of a cluster. Leans on the strict fake, which holds each write to the version that it names.

use std::sync::Arc;

use rotate_fixtures::{FakeKubernetes, StoreDoor, Workplace};
use serde_json::json;

use super::{Meddling, Store, THEIRS, Trouble};

const PLACE: &str = "apps/gainsight";
const FOUND: [(&str, &str); 3] = [
    ("theirs", "kept"),
    ("access_key_id", "AKIAOLDER"),
    ("secret_access_key", "an-older-secret"),
];

pub(super) struct InCluster {
    place: Workplace,
    cluster: Arc<FakeKubernetes>,
    door: StoreDoor,
}

impl Store for InCluster {
    const KIND: &'static str = "kubernetes";

    fn new() -> Self {
        let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
        let cluster = FakeKubernetes::start();
        cluster.add_secret(PLACE, &FOUND);
        let door = StoreDoor::before(&cluster.url());
        let _ = FakeKubernetes::kubeconfig_to(&door.endpoint(), &place.path(""));
        Self {
            place,
            cluster: Arc::new(cluster),
            door,
        }
    }

    fn place(&self) -> &Workplace {
        &self.place
    }

    fn environment(&self) -> Vec<(String, String)> {
        let path = self.place.path("kubeconfig");
        vec![("KUBECONFIG".to_owned(), path.display().to_string())]
    }

    fn door(&self) -> &StoreDoor {
        &self.door
    }

    fn to(&self) -> String {
        format!("kubernetes:{PLACE}")
    }

    fn held(&self) -> (String, String) {
        let value = |key: &str| self.cluster.value(PLACE, key).unwrap_or_default();
        (value("access_key_id"), value("secret_access_key"))
    }

    fn beside(&self) -> String {
        let mut shown = self.cluster.shown(PLACE);
        let ours = ["access_key_id", "secret_access_key"];
        if let Some(data) = shown["data"].as_object_mut() {
            data.retain(|key, _| !ours.contains(&key.as_str()));
        }
        let kept = ["labels", "annotations"].map(|kept| shown["metadata"][kept].clone());
        json!([shown["data"], shown["type"], kept]).to_string()
    }

    fn writes(&self) -> usize {
        usize::try_from(self.cluster.version(PLACE)).unwrap_or_default()
    }

    fn meddling(&self, what: Meddling) -> Box<dyn FnOnce() + Send> {
        let cluster = Arc::clone(&self.cluster);
        Box::new(move || {
            let theirs = [("access_key_id", Some(THEIRS.0)), ("secret_access_key", Some(THEIRS.1))];
            match what {
                Meddling::Beside => cluster.write_secret(PLACE, "somebody", &[("theirs", Some("changed"))]),
                Meddling::Over => cluster.write_secret(PLACE, "somebody", &theirs),
            }
        })
    }

    fn remove(&self) {
        self.cluster.remove_secret(PLACE);
    }

    fn too_often(&self) -> String {
        let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"TooManyRequests","code":429}"#;
        let head = "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json";
        format!(
            "{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn suffer(&self, trouble: Trouble) -> &'static [&'static str] {
        match trouble {
            Trouble::Missing => {
                self.cluster.remove_secret(PLACE);
                &["there is no Secret gainsight", "create secret generic gainsight"]
            }
            Trouble::Denied => {
                self.cluster.deny("patch");
                &["may not write it", "kind: Role", "verbs: [\"get\", \"patch\"]"]
            }
            Trouble::Expired => {
                self.cluster.expire_token();
                &["accepts them no more", "log in again"]
            }
            Trouble::Unfit => {
                self.cluster
                    .add_secret_like(PLACE, &FOUND, |secret| secret.immutable = true);
                &["it is immutable", "create secret generic"]
            }
            Trouble::Elsewhere => {
                self.cluster.remove_secret(PLACE);
                self.cluster.add_secret(PLACE, &FOUND);
                &[
                    "when the rotation was opened",
                    "was deleted and made anew, or this is another cluster",
                ]
            }
        }
    }
}
