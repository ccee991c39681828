//! The parameters of Systems Manager. Leans on the strict fake, because the emulator changes types, and takes any length.

use rotate_fixtures::{StoreDoor, Workplace};
use serde_json::Value;

use super::answers::{overwritten, refusal};
use super::{Meddling, Store, Trouble};

const NAME: &str = "/gainsight/s3";
const FOUND: &str = r#"{"theirs": "kept",  "number":123456789012345678901234567890, "access_key_id":"AKIAOLDER","secret_access_key":"an-older-secret"}"#;

pub(super) struct Parameter {
    place: Workplace,
    door: StoreDoor,
}

impl Parameter {
    fn fields(&self) -> Value {
        serde_json::from_str(&self.place.cloud.parameter(NAME).unwrap_or_default()).unwrap_or_default()
    }
}

impl Store for Parameter {
    const KIND: &'static str = "ssm";

    fn new() -> Self {
        let place = Workplace::new(env!("CARGO_BIN_EXE_rotate"));
        place.cloud.add_parameter(NAME, "SecureString", "{}");
        place.cloud.overwrite_parameter(NAME, FOUND);
        let door = StoreDoor::before(&place.cloud.endpoint());
        Self { place, door }
    }

    fn place(&self) -> &Workplace {
        &self.place
    }

    fn environment(&self) -> Vec<(String, String)> {
        vec![("AWS_ENDPOINT_URL_SSM".to_owned(), self.door.endpoint())]
    }

    fn door(&self) -> &StoreDoor {
        &self.door
    }

    fn to(&self) -> String {
        format!("ssm:{NAME}")
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
        format!("{fields} {}", self.place.cloud.kind_of_parameter(NAME))
    }

    fn writes(&self) -> usize {
        self.place.cloud.versions_of_parameter(NAME)
    }

    fn meddling(&self, what: Meddling) -> Box<dyn FnOnce() + Send> {
        let cloud = self.place.cloud.clone();
        Box::new(move || {
            let text = cloud.parameter(NAME).unwrap_or_default();
            cloud.overwrite_parameter(
                NAME,
                &match what {
                    Meddling::Beside => text.replace("kept", "changed"),
                    Meddling::Over => overwritten(&text),
                },
            );
        })
    }

    fn remove(&self) {
        self.place.cloud.remove_parameter(NAME);
    }

    fn too_often(&self) -> String {
        refusal("ThrottlingException")
    }

    fn suffer(&self, trouble: Trouble) -> &'static [&'static str] {
        let cloud = &self.place.cloud;
        match trouble {
            Trouble::Missing => {
                cloud.remove_parameter(NAME);
                &["there is no such parameter", "put-parameter --type SecureString"]
            }
            Trouble::Denied => {
                cloud.deny_parameter_call("PutParameter");
                &[
                    "PutParameter is not allowed",
                    "aws iam put-user-policy --user-name rotator",
                    "arn:aws:ssm:*:*:parameter/gainsight/s3",
                    "kms:Encrypt",
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
                cloud.add_parameter(NAME, "String", FOUND);
                &["it is String, which is kept in clear", "no SecureString"]
            }
            Trouble::Elsewhere => {
                cloud.move_parameter(NAME, "999999999999");
                &[":999999999999:parameter/gainsight/s3 now, and was arn:aws:ssm:us-east-1:123456789012:"]
            }
        }
    }
}
