//! A place to run the program in, with any vendor behind it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rotate_fixtures::memory_folder;
use rotate_fixtures::place::{Place, Ran};
use rotate_fixtures::probed_vendor::{ProbedVendor, Said};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// A secret that may be seen nowhere but at the vendor. Its letters are the same in a form and in base64's input.
pub(crate) const CANARY: &str = "canaryC0FFEEc0ffee5ecret";

/// With this Freshdesk says whose key it is.
pub(crate) const AGENT: &str = r#"{"id":1,"contact":{"email":"gainsight@acme.example"}}"#;

/// A folder of its own, with the program and a vendor.
pub(crate) struct Desk {
    pub(crate) place: Place,
    pub(crate) vendor: ProbedVendor,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self {
            place: Place::new(Path::new(ROTATE), &memory_folder()),
            vendor: ProbedVendor::start(Said::json(200, AGENT)),
        };
        desk.hold(CANARY);
        desk
    }

    /// Writes the secret's file.
    pub(crate) fn hold(&self, secret: &str) {
        let path = self.place.path("secret");
        fs::write(&path, secret).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self
            .place
            .command([("LANG", "C.UTF-8"), ("RUST_LOG", "trace")], arguments);
        self.vendor.lead(&self.place, &mut command);
        command
    }

    /// Tries the secret of the file, and looks that it is seen nowhere.
    #[track_caller]
    pub(crate) fn verify<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        let fixed = ["--output", "json", "verify", "--secret-file", "secret"];
        let ran = Ran::of(self.command(fixed.into_iter().chain(arguments)));
        self.expect_no_canary(&ran);
        ran
    }

    /// Runs any other command.
    pub(crate) fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::of(self.place.command([("LANG", "C.UTF-8")], arguments))
    }

    #[track_caller]
    pub(crate) fn expect_no_canary(&self, ran: &Ran) {
        assert!(
            !ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY),
            "the secret was seen:\n{}\n{}",
            ran.stdout,
            ran.stderr
        );
        let encoded = ["Y2FuYXJ5Qz", "NhbmFyeUMw", "jYW5hcnlDM"];
        for part in encoded {
            assert!(
                !ran.stdout.contains(part) && !ran.stderr.contains(part),
                "{}",
                ran.stderr
            );
        }
        let Ok(state) = fs::read_dir(self.place.state()) else {
            return;
        };
        for entry in state {
            let bytes = fs::read(entry.unwrap().path()).unwrap_or_default();
            assert!(
                !rotate_fixtures::has(&bytes, CANARY.as_bytes()),
                "the secret was stored"
            );
        }
    }
}

/// The verdict and the class of a document.
pub(crate) fn verdict(ran: &Ran) -> (String, String) {
    let document = ran.json();
    let text = |key: &str| document["verification"][key].as_str().unwrap().to_owned();
    (text("verdict"), text("class"))
}
