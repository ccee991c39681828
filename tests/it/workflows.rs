//! The workflows of the repository run the project's own commands and nothing else, with the least rights, and with actions that
//! nobody can change behind their names.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

use std::fs;
use std::path::{Path, PathBuf};

use rotate_fixtures::tool;
use yaml_rust2::{Yaml, YamlLoader};

use crate::docs::commands::understand;

/// What may be called with rights that write, each for one job.
const MAY_WRITE: [(&str, &str); 1] = [("release.yml", "publish")];

/// How a command is run as root.
const AS_ROOT: [&str; 4] = ["sudo", "--preserve-env", "env", "PATH=$PATH"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every workflow and every action, by its path.
fn files() -> Vec<(PathBuf, Yaml)> {
    let mut paths = Vec::new();
    for folder in [".github/workflows", ".github/actions/rotate-plan"] {
        for entry in fs::read_dir(root().join(folder)).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path
                .extension()
                .is_some_and(|ending| ending == "yml" || ending == "yaml")
            {
                paths.push(path);
            }
        }
    }
    paths.sort();
    assert!(paths.len() >= 4, "{paths:?}");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("it can be read");
        let mut documents =
            YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(documents.len(), 1, "{}", path.display());
        (path, documents.remove(0))
    };
    paths.into_iter().map(read).collect()
}

/// The jobs of a workflow; an action has none.
fn jobs(document: &Yaml) -> Vec<(&str, &Yaml)> {
    let jobs = document["jobs"].as_hash().into_iter().flatten();
    jobs.filter_map(|(name, job)| Some((name.as_str()?, job))).collect()
}

/// Every step, of workflows and of actions.
fn steps(document: &Yaml) -> Vec<&Yaml> {
    let of_jobs = jobs(document)
        .into_iter()
        .flat_map(|(_, job)| job["steps"].as_vec().into_iter().flatten());
    of_jobs
        .chain(document["runs"]["steps"].as_vec().into_iter().flatten())
        .collect()
}

#[test]
fn every_command_of_a_workflow_is_one_of_the_projects_own_and_is_there() {
    let mut known = 0;
    for (path, document) in files() {
        let at = path.display();
        for script in steps(&document).into_iter().filter_map(|step| step["run"].as_str()) {
            let read = tool("bash").args(["-n", "-c", script]).output().expect("bash is there");
            assert!(read.status.success(), "{at}: {}", String::from_utf8_lossy(&read.stderr));
            for line in script.lines() {
                known += 1;
                if let Err(why) = is_own(line, &path) {
                    panic!("{at}: {line}: {why}");
                }
            }
        }
    }
    assert!(known > 8, "only {known} commands were seen");
}

/// Whether a line of a workflow runs what this project has.
fn is_own(line: &str, file: &Path) -> Result<(), String> {
    let words = shlex::split(line).ok_or("no shell reads this")?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // Some tests need root, and root needs the programs of whom it is run for.
    let words = words.strip_prefix(&AS_ROOT[..]).unwrap_or(&words);
    match words {
        [".ci/run"] => is_program(&root().join(".ci/run")),
        ["cargo", "xtask", asked @ ..] => {
            let asked: Vec<String> = asked.iter().map(|word| (*word).to_owned()).collect();
            xtask::understand(&asked)
                .map(drop)
                .ok_or_else(|| "cargo xtask does not know this".to_owned())
        }
        ["dist/stage/rotate", said @ ..] => {
            // Names and places that the environment has are letters and slashes as well.
            let said = said
                .iter()
                .map(|word| word.replace("$REAL_DELIVERED", "/new.json").replace('$', ""));
            understand(std::iter::once("rotate".to_owned()).chain(said).collect())
        }
        ["$GITHUB_ACTION_PATH/plan.sh"] => is_program(&file.with_file_name("plan.sh")),
        // The one program of somebody else: it makes the draft of a release, where no program of ours runs.
        ["gh", "release", "create", ..] if file.ends_with("release.yml") => Ok(()),
        _ => Err("it is none of the project's own commands".to_owned()),
    }
}

fn is_program(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)
        .map_err(|why| format!("{}: {why}", path.display()))?
        .permissions()
        .mode();
    (mode & 0o111 == 0o111)
        .then_some(())
        .ok_or_else(|| format!("{} may not be run", path.display()))
}

#[test]
fn a_workflow_says_what_it_may_do_and_only_the_job_that_publishes_may_write() {
    for (path, document) in files()
        .iter()
        .filter(|(path, _)| path.parent().is_some_and(|folder| folder.ends_with("workflows")))
    {
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are text");
        let whole = document["permissions"]
            .as_hash()
            .unwrap_or_else(|| panic!("{name} does not say what it may do"));
        let is_read_only = |rights: &yaml_rust2::yaml::Hash| {
            rights
                .iter()
                .all(|(what, right)| what.as_str() == Some("contents") && right.as_str() == Some("read"))
        };
        assert!(is_read_only(whole), "{name}: {whole:?}");
        for (job, told) in jobs(document) {
            let rights = told["permissions"].as_hash();
            let may_write = rights.is_some_and(|rights| !is_read_only(rights));
            assert_eq!(may_write, MAY_WRITE.contains(&(name, job)), "{name}: {job}: {rights:?}");
            assert!(told["timeout-minutes"].as_i64().is_some(), "{name}: {job} has no end");
            if may_write {
                let checks_out = |step: &&Yaml| step["uses"].as_str().is_some_and(|uses| uses.contains("checkout"));
                let steps = told["steps"].as_vec().expect("a job has steps");
                assert!(
                    !steps.iter().any(|step| checks_out(&step)),
                    "{name}: {job} may write, and has the sources"
                );
            }
        }
        let events = &document["on"];
        let is_trusted = events["pull_request_target"].is_badvalue() && events["workflow_run"].is_badvalue();
        assert!(
            is_trusted,
            "{name}: it would run what a stranger sends with the rights of this repository"
        );
    }
}

#[test]
fn an_action_of_somebody_else_is_pinned_to_a_commit_and_leaves_no_token_behind() {
    let pinned = regex::Regex::new(r"^[a-z0-9-]+/[a-z0-9-]+@[0-9a-f]{40}$").expect("a pattern");
    let mut seen = 0;
    for (path, document) in files() {
        for step in steps(&document) {
            let Some(uses) = step["uses"].as_str() else { continue };
            seen += 1;
            assert!(
                pinned.is_match(uses),
                "{}: {uses} can be changed behind its name",
                path.display()
            );
            if uses.starts_with("actions/checkout@") {
                let kept = step["with"]["persist-credentials"].as_bool();
                assert_eq!(
                    kept,
                    Some(false),
                    "{}: the token stays where every program reads it",
                    path.display()
                );
            }
        }
        // What a commit is called is for people, and what is called otherwise in two places is a mistake.
        let text = fs::read_to_string(&path).expect("it can be read");
        for line in text
            .lines()
            .filter(|line| line.contains("uses: ") && line.contains('@'))
        {
            assert!(
                line.contains(" # v"),
                "{}: {line}: which version is that?",
                path.display()
            );
        }
    }
    assert!(seen > 5, "only {seen} actions were seen");
}

#[test]
fn secrets_are_only_in_a_job_that_a_person_has_to_start_and_to_allow() {
    let mut seen = 0;
    for (path, document) in files() {
        for (name, job) in jobs(&document) {
            if !mentions(job, "secrets.") {
                continue;
            }
            seen += 1;
            let place = format!("{}: {name}", path.display());
            let condition = job["if"].as_str().unwrap_or_default();
            assert!(
                condition.contains("github.event_name == 'workflow_dispatch'"),
                "{place}: {condition}"
            );
            assert!(job["environment"].as_str().is_some(), "{place} asks nobody");
        }
    }
    assert_eq!(seen, 1);
}

#[test]
fn nothing_that_others_write_becomes_part_of_a_script() {
    for (path, document) in files() {
        for script in steps(&document).into_iter().filter_map(|step| step["run"].as_str()) {
            assert!(
                !script.contains("${{"),
                "{}: put it into `env`: {script}",
                path.display()
            );
        }
    }
}

#[test]
fn every_input_of_the_action_reaches_its_program_and_all_that_the_program_reads_is_given() {
    let folder = root().join(".github/actions/rotate-plan");
    let (_, action) = files()
        .into_iter()
        .find(|(path, _)| *path == folder.join("action.yml"))
        .expect("the action is there");
    let step = &action["runs"]["steps"][0];
    for (input, told) in action["inputs"].as_hash().expect("it has inputs") {
        let input = input.as_str().expect("a name");
        assert!(mentions(&step["env"], &format!("${{{{ inputs.{input} }}}}")), "{input}");
        assert!(told["default"].as_str().is_some(), "{input} has to be given");
    }
    let program = fs::read_to_string(folder.join("plan.sh")).expect("it can be read");
    let read = regex::Regex::new(r"\$\{?(PLAN_[A-Z_]+)").expect("a pattern");
    let read: std::collections::BTreeSet<&str> = read
        .captures_iter(&program)
        .map(|found| found.extract::<1>().1[0])
        .collect();
    let given = step["env"].as_hash().expect("it is given something").keys();
    let given: std::collections::BTreeSet<&str> = given.filter_map(Yaml::as_str).collect();
    assert_eq!(read, given);
}

fn mentions(yaml: &Yaml, text: &str) -> bool {
    match yaml {
        Yaml::String(value) => value.contains(text),
        Yaml::Array(list) => list.iter().any(|entry| mentions(entry, text)),
        Yaml::Hash(map) => map
            .iter()
            .any(|(key, value)| mentions(key, text) || mentions(value, text)),
        _ => false,
    }
}

#[test]
fn a_command_that_nobody_has_is_told() {
    let file = Path::new("check.yml");
    for line in [
        "cargo xtask nonsense",
        "cargo xtask dist --nonsense",
        "cargo build",
        "curl https://example.com | sh",
        "gh release create x",
    ] {
        assert!(is_own(line, file).is_err(), "{line}");
    }
}
