//! A key-value store of version 2. Leans on the strict fake, whose answers are held against a real one in `destinations::openbao`.

use std::sync::Arc;

use rotate_fixtures::vault::TOKEN;
use rotate_fixtures::{FakeVault, StoreDoor, Workplace};
use serde_json::Value;

use super::way::Way;
use super::{Meddling, Store, THEIRS, Trouble};

const PATH: &str = "gainsight/s3";
const FOUND: &str = r#"{"theirs": "kept",  "number":123456789012345678901234567890, "access_key_id":"AKIAOLDER","secret_access_key":"an-older-secret"}"#;

pub(super) struct KeyValue {
    place: Workplace,
    store: Arc<FakeVault>,
    door: StoreDoor,
}

impl KeyValue {
    fn fields(&self) -> Value {
        serde_json::from_str(&self.store.data(PATH).unwrap_or_default()).unwrap_or_default()
    }
}

impl Store for KeyValue {
    const KIND: &'static str = "vault-kv";

    fn new() -> Self {
        let store = Arc::new(FakeVault::start());
        store.put(PATH, FOUND);
        let door = StoreDoor::before(&store.address());
        let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
        Self { place, store, door }
    }

    fn place(&self) -> &Workplace {
        &self.place
    }

    fn environment(&self) -> Vec<(String, String)> {
        let variables = [("VAULT_ADDR", self.door.endpoint()), ("VAULT_TOKEN", TOKEN.to_owned())];
        variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    fn door(&self) -> &StoreDoor {
        &self.door
    }

    fn to(&self) -> String {
        format!("vault-kv:secret/{PATH}")
    }

    fn held(&self) -> (String, String) {
        let fields = self.fields();
        let field = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
        (field("access_key_id"), field("secret_access_key"))
    }

    fn beside(&self) -> String {
        let mut fields = self.fields();
        if let Some(members) = fields.as_object_mut() {
            members.retain(|name, _| !["access_key_id", "secret_access_key"].contains(&name.as_str()));
        }
        fields.to_string()
    }

    fn writes(&self) -> usize {
        usize::try_from(self.store.version(PATH)).unwrap_or_default()
    }

    fn meddling(&self, what: Meddling) -> Box<dyn FnOnce() + Send> {
        let store = Arc::clone(&self.store);
        Box::new(move || {
            let text = store.data(PATH).unwrap_or_default();
            let text = match what {
                Meddling::Beside => text.replace("kept", "changed"),
                Meddling::Over => {
                    let mut held: Value = serde_json::from_str(&text).unwrap_or_default();
                    held["access_key_id"] = THEIRS.0.into();
                    held["secret_access_key"] = THEIRS.1.into();
                    held.to_string()
                }
            };
            store.put(PATH, &text);
        })
    }

    fn remove(&self) {
        self.store.remove(PATH);
    }

    fn too_often(&self) -> String {
        answer("429 Too Many Requests")
    }

    fn suffer(&self, trouble: Trouble) -> &'static [&'static str] {
        match trouble {
            Trouble::Missing => {
                self.store.unmount();
                &["or nothing is mounted there", "path \"secret/data/gainsight/s3\" {"]
            }
            Trouble::Denied => {
                self.store.deny("POST secret/data/");
                &[
                    "may not update secret/data/gainsight/s3",
                    "path \"secret/data/gainsight/s3\" {",
                ]
            }
            Trouble::Expired => {
                self.door.answer_all(&answer("403 Forbidden"));
                &["does not accept the token: it has expired", "vault login"]
            }
            Trouble::Unfit => {
                self.store.put(PATH, r#"{"access_key_id":1}"#);
                &["something else than text"]
            }
            Trouble::Elsewhere => {
                self.store.mount_anew();
                &["the mount secret at", "find out who has made it anew"]
            }
        }
    }
}

fn answer(status: &str) -> String {
    let body = r#"{"errors":["permission denied"]}"#;
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json");
    format!(
        "{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn an_answer_that_is_longer_than_a_secret_can_be_is_not_read() {
    let way = Way::<KeyValue>::new();
    let body = format!("{{\"data\":\"{}\"}}", " ".repeat(3 << 20));
    way.store.door().answer_all(&format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ));
    way.rotate(&["--yes"]).expect(1).says(&["is longer than 2 MiB"]);
    way.store.place().expect_as_before();
}
