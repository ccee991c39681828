//! Secrets Manager. Leans on the strict fake, because the emulator still answers with a version whose label was moved away, and
//! writes to a secret that is scheduled for deletion.

use rotate_fixtures::{StoreDoor, Workplace};
use serde_json::Value;

use super::answers::{overwritten, refusal};
use super::{Meddling, Store, Trouble};

const NAME: &str = "gainsight/s3";
const FOUND: &str = r#"{"theirs": "kept",  "number":123456789012345678901234567890, "access_key_id":"AKIAOLDER","secret_access_key":"an-older-secret"}"#;

pub(super) struct SecretsManager {
    place: Workplace,
    door: StoreDoor,
}

impl SecretsManager {
    fn text(&self) -> String {
        self.place.cloud.secret(NAME).unwrap_or_default()
    }
}

impl Store for SecretsManager {
    const KIND: &'static str = "secretsmanager";

    fn new() -> Self {
        let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
        place.cloud.add_secret(NAME, FOUND);
        let door = StoreDoor::before(&place.cloud.endpoint());
        Self { place, door }
    }

    fn place(&self) -> &Workplace {
        &self.place
    }

    fn environment(&self) -> Vec<(String, String)> {
        vec![("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), self.door.endpoint())]
    }

    fn door(&self) -> &StoreDoor {
        &self.door
    }

    fn to(&self) -> String {
        format!("secretsmanager:{NAME}")
    }

    fn held(&self) -> (String, String) {
        let held: Value = serde_json::from_str(&self.text()).unwrap_or_default();
        let field = |name: &str| held[name].as_str().unwrap_or_default().to_owned();
        (field("access_key_id"), field("secret_access_key"))
    }

    fn beside(&self) -> String {
        let mut held: Value = serde_json::from_str(&self.text()).unwrap_or_default();
        if let Some(members) = held.as_object_mut() {
            members.retain(|name, _| !["access_key_id", "secret_access_key"].contains(&name.as_str()));
        }
        held.to_string()
    }

    fn writes(&self) -> usize {
        self.place.cloud.versions_of_secret(NAME)
    }

    fn meddling(&self, what: Meddling) -> Box<dyn FnOnce() + Send> {
        let cloud = self.place.cloud.clone();
        Box::new(move || {
            let text = cloud.secret(NAME).unwrap_or_default();
            cloud.overwrite_secret(
                NAME,
                &match what {
                    Meddling::Beside => text.replace("kept", "changed"),
                    Meddling::Over => overwritten(&text),
                },
            );
        })
    }

    fn remove(&self) {
        self.place.cloud.remove_secret(NAME);
    }

    fn too_often(&self) -> String {
        refusal("ThrottlingException")
    }

    fn suffer(&self, trouble: Trouble) -> &'static [&'static str] {
        let cloud = &self.place.cloud;
        match trouble {
            Trouble::Missing => {
                cloud.remove_secret(NAME);
                &["there is no such secret", "create-secret --name gainsight/s3"]
            }
            Trouble::Denied => {
                cloud.deny_secret_call("PutSecretValue");
                &[
                    "PutSecretValue is not allowed",
                    "aws iam put-user-policy --user-name rotator",
                    "arn:aws:secretsmanager:*:*:secret:gainsight/s3-??????",
                    "kms:GenerateDataKey",
                ]
            }
            Trouble::Expired => {
                self.door.answer_all(&refusal("ExpiredTokenException"));
                &[
                    "the credentials are not accepted (ExpiredTokenException)",
                    "log in again",
                ]
            }
            Trouble::Unfit => {
                cloud.delete_secret(NAME);
                &["scheduled for deletion", "restore-secret --secret-id gainsight/s3"]
            }
            Trouble::Elsewhere => {
                // Deleted for good, and made anew: another ARN.
                cloud.add_secret(NAME, FOUND);
                &["there is no such secret"]
            }
        }
    }
}
