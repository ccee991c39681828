//! The action `rotate-plan`: what a change of `rotate.toml` would do stands in one comment of its pull request, and no program that
//! the file names is started for it.
//!
//! `gh` is a stand-in here that writes down what it was asked for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const TOKEN: &str = "token-of-the-workflow";

/// What delivers to a program, and would show that it was started.
const FLEET: &str = r#"[[target]]
name = "s3-main"
connector = "s3-customer-managed"
user = "gainsight-s3"
bucket = "acme-data"
deliver = ["exec:/usr/bin/touch started"]
"#;

/// `gh`: it says that there is a comment if a file says so, and keeps its words, the body, and whether it had the token.
const GH: &str = r#"#!/bin/sh
cd "$(dirname "$0")/.."
printf '%s\n' "$*" >> gh.words
[ "$GH_TOKEN" = token-of-the-workflow ] || exit 1
for word; do
  case $word in body=@*) cp "${word#body=@}" gh.body ;; esac
done
case "$*" in *--paginate*) cat comment 2>/dev/null || : ;; esac
"#;

/// `rotate`, which writes down what it was started with.
const NOTED: &str = "#!/bin/sh\nenv > started.with\nexec ";

/// A run of the action on a pull request.
struct Request {
    folder: tempfile::TempDir,
}

impl Request {
    fn new(fleet: &str) -> Self {
        let request = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(request.path("bin")).unwrap();
        for (name, script) in [("bin/gh", GH), ("bin/rotate", &format!("{NOTED}'{ROTATE}' \"$@\"\n"))] {
            fs::write(request.path(name), script).unwrap();
            fs::set_permissions(request.path(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        fs::write(request.path("rotate.toml"), fleet).unwrap();
        fs::set_permissions(request.path("rotate.toml"), fs::Permissions::from_mode(0o600)).unwrap();
        request
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn run(&self, more: &[(&str, &str)]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/actions/rotate-plan/plan.sh");
        let mut command = Command::new(script);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("HOME", self.folder.path())
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("GITHUB_REPOSITORY", "acme/keys")
            .env("ROTATE_ALLOW_EXEC", "1")
            .envs([
                ("PLAN_ROTATE", "rotate"),
                ("PLAN_CONFIG", "rotate.toml"),
                ("PLAN_STATE_DIR", ""),
            ])
            .envs([
                ("PLAN_VENDORS", "false"),
                ("PLAN_NUMBER", "7"),
                ("PLAN_MAY_COMMENT", "true"),
            ])
            .env("PLAN_TOKEN", TOKEN)
            .env("PLAN_AUTHOR", "github-actions[bot]")
            .envs(more.iter().copied());
        command.output().unwrap()
    }
}

#[test]
fn the_plan_becomes_a_comment_and_nothing_that_the_file_names_is_started() {
    let request = Request::new(FLEET);
    let ran = request.run(&[]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let body = request.text("gh.body");
    assert!(
        body.starts_with("<!-- rotate-plan -->\n") && body.contains("s3-main"),
        "{body}"
    );
    assert_eq!(request.text("summary"), body);
    let words = request.text("gh.words");
    assert!(
        words.contains("--method POST repos/acme/keys/issues/7/comments"),
        "{words}"
    );
    assert!(!request.path("started").exists());
    let with = request.text("started.with");
    assert!(
        with.contains("HOME=") && !with.contains("ROTATE_ALLOW_EXEC") && !with.contains(TOKEN),
        "{with}"
    );
    // Words of a command line are seen by everybody on the machine.
    assert!(!words.contains(TOKEN), "{words}");
}

#[test]
fn the_comment_that_is_there_is_written_anew() {
    let request = Request::new(FLEET);
    fs::write(request.path("comment"), "4711\n").unwrap();
    assert!(request.run(&[]).status.success());
    let words = request.text("gh.words");
    assert!(
        words.contains("--method PATCH repos/acme/keys/issues/comments/4711"),
        "{words}"
    );
    assert!(!words.contains("POST"), "{words}");
}

#[test]
fn only_a_comment_of_whom_the_token_belongs_to_is_written_anew() {
    for author in ["github-actions[bot]", "acme-bot", "acme_enterprise"] {
        let request = Request::new(FLEET);
        assert!(request.run(&[("PLAN_AUTHOR", author)]).status.success());
        let words = request.text("gh.words");
        assert!(
            words.contains(&format!("select(.user.login == \"{author}\" and ")),
            "{words}"
        );
    }
    for slip in ["", "acme bot", "x\" or true or \"", "[bot]", "a\nb"] {
        let request = Request::new(FLEET);
        let ran = request.run(&[("PLAN_AUTHOR", slip)]);
        assert_eq!(ran.status.code(), Some(64), "{slip}");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(said.contains("author: write the login"), "{slip}: {said}");
        assert_eq!(request.text("gh.words"), "", "{slip}");
    }
}

#[test]
fn a_pull_request_from_elsewhere_has_its_plan_in_the_summary_alone() {
    for more in [("PLAN_MAY_COMMENT", "false"), ("PLAN_NUMBER", "")] {
        let request = Request::new(FLEET);
        assert!(request.run(&[more]).status.success());
        assert!(request.text("summary").contains("s3-main"));
        assert_eq!(request.text("gh.words"), "");
    }
}

#[test]
fn a_mistake_in_the_file_fails_the_run_and_posts_nothing() {
    let request = Request::new("[[target]]\nname = 1\n");
    let ran = request.run(&[]);
    assert_eq!(ran.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("rotate.toml:"));
    assert_eq!(request.text("gh.words"), "");
    assert_eq!(request.text("output"), "");
}

#[test]
fn a_plan_that_is_longer_than_a_comment_is_cut_between_two_characters() {
    let one = |number: u32| {
        let fleet = FLEET.replace("s3-main", &format!("s3-{number}"));
        let fleet = fleet.replace("gainsight-s3", &format!("user-{number}"));
        fleet.replace("touch started", &format!("touch started-{number}"))
    };
    let names = (0..600).map(one);
    let request = Request::new(&names.collect::<String>());
    let ran = request.run(&[]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let body = fs::read(request.path("gh.body")).unwrap();
    assert!((50_000..=60_000).contains(&body.len()), "{} bytes", body.len());
    assert!(String::from_utf8(body).is_ok());
}
