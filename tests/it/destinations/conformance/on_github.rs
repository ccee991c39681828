//! A repository whose secrets nobody can read but the fake.

use rotate_fixtures::FakeGitHub;

use super::*;

const REPOSITORY: &str = "acme/app";
const NAMES: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

struct OnGitHub {
    github: FakeGitHub,
    /// With the token in a file: the environment is everybody's here.
    folder: TempDir,
    kind: &'static str,
    place: &'static str,
}

/// A repository, and an organization.
pub(super) fn grounds() -> [Box<dyn Ground>; 2] {
    let ground = |kind, place| {
        let (github, folder) = (
            FakeGitHub::start(),
            tempfile::tempdir().expect("a temporary folder can be made"),
        );
        github.world().add_repository(REPOSITORY);
        for name in NAMES.into_iter().chain(["THEIRS"]) {
            github.world().written_before(86_400, place, name, "before");
        }
        let token = folder.path().join("token");
        std::fs::write(&token, &github.world().token).expect("the folder is ours");
        std::fs::set_permissions(&token, Permissions::from_mode(0o600)).expect("the file is ours");
        let ground: Box<dyn Ground> = Box::new(OnGitHub {
            github,
            folder,
            kind,
            place,
        });
        ground
    };
    [ground("github", REPOSITORY), ground("github-org", "acme")]
}

impl Ground for OnGitHub {
    fn name(&self) -> String {
        let token = self.folder.path().join("token");
        let (kind, place, api) = (self.kind, self.place, self.github.api());
        format!("{kind}:{place}?api={api}&token_file={}", token.display())
    }

    fn form(&self) -> SecretForm {
        SECRET
    }

    fn new_secret(&self) -> Fields {
        new_key()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::WRITE_ONLY
    }

    fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let all = self.github.world().all(self.place);
        all.into_iter()
            .map(|(name, value)| (name, value.into_bytes()))
            .collect()
    }

    fn overwritten(&self) {
        for name in NAMES {
            self.github.world().write(self.place, name, "SOMEONEelses");
        }
    }

    fn has_its_neighbours(&self) -> bool {
        self.github.world().value(self.place, "THEIRS").as_deref() == Some("before")
    }
}
