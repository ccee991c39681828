//! Secrets of a repository, which nobody reads but the fake and workflows.

use rotate_fixtures::github::{Permission, Token};
use rotate_fixtures::{FakeGitHub, StoreDoor, Workplace};

use super::{Meddling, Store, THEIRS, Trouble};

const REPOSITORY: &str = "acme/app";
const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const BESIDE: &str = "THEIRS";
const DAY: i64 = 86_400;

pub(super) struct Secrets {
    place: Workplace,
    github: FakeGitHub,
    door: StoreDoor,
}

impl Secrets {
    fn value(&self, name: &str) -> String {
        self.github.world().value(REPOSITORY, name).unwrap_or_default()
    }
}

impl Store for Secrets {
    const KIND: &'static str = "github";

    fn new() -> Self {
        let github = FakeGitHub::start();
        github.world().add_repository(REPOSITORY);
        for (name, value) in [(ID, "AKIAOLDER"), (SECRET, "an-older-secret"), (BESIDE, "kept")] {
            github.world().written_before(DAY, REPOSITORY, name, value);
        }
        let door = StoreDoor::before(&github.api());
        Self {
            place: Workplace::new(env!("CARGO_BIN_EXE_rotate")),
            github,
            door,
        }
    }

    fn place(&self) -> &Workplace {
        &self.place
    }

    fn environment(&self) -> Vec<(String, String)> {
        let token = self.github.world().token.clone();
        vec![("GH_ENTERPRISE_TOKEN".to_owned(), token)]
    }

    fn door(&self) -> &StoreDoor {
        &self.door
    }

    fn to(&self) -> String {
        format!("github:{REPOSITORY}?api={}", self.door.endpoint())
    }

    fn held(&self) -> (String, String) {
        (self.value(ID), self.value(SECRET))
    }

    fn beside(&self) -> String {
        self.value(BESIDE)
    }

    fn writes(&self) -> usize {
        self.github.world().sealed.len()
    }

    fn meddling(&self, what: Meddling) -> Box<dyn FnOnce() + Send> {
        let github = self.github.clone();
        Box::new(move || {
            let mut world = github.world();
            match what {
                Meddling::Beside => world.write(REPOSITORY, BESIDE, "changed"),
                Meddling::Over => {
                    world.write(REPOSITORY, ID, THEIRS.0);
                    world.write(REPOSITORY, SECRET, THEIRS.1);
                }
            }
        })
    }

    fn remove(&self) {
        self.github.world().delete(REPOSITORY);
    }

    fn too_often(&self) -> String {
        let body = r#"{"message":"You have exceeded a secondary rate limit"}"#;
        let head = "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 1";
        format!(
            "{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn suffer(&self, trouble: Trouble) -> &'static [&'static str] {
        let mut world = self.github.world();
        match trouble {
            Trouble::Missing => {
                world.delete(REPOSITORY);
                &["there is no such thing at GitHub, or the token"]
            }
            Trouble::Denied => {
                world.may = Token::without(Permission::Secrets);
                &["secrets=read", "the repository permission Secrets: Read and write"]
            }
            Trouble::Expired => {
                world.expired = true;
                &[
                    "does not accept the token from $GH_ENTERPRISE_TOKEN",
                    "put a new one there",
                ]
            }
            Trouble::Unfit => {
                world.archive(REPOSITORY);
                &["is archived or disabled"]
            }
            Trouble::Elsewhere => {
                world.delete(REPOSITORY);
                world.add_repository(REPOSITORY);
                &["the repository that the rotation was opened for is gone"]
            }
        }
    }
}
