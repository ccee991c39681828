//! Every file that a page shows is read by what reads it: `rotate.toml` by the program, units by systemd where it is there,
//! YAML and JSON by parsers, and the commands in them by the command line.

use std::collections::BTreeSet;
use std::path::Path;

use rotate::config::Config;
use yaml_rust2::{Yaml, YamlLoader};

use crate::docs::commands::{to_rotate, understand};
use crate::docs::page::{Block, Page, all};

/// Looks at every block of this language; there have to be some.
fn each(language: &str, mut look: impl FnMut(&Page, &Block)) {
    let mut seen = 0;
    for page in all() {
        for block in page.blocks.iter().filter(|block| block.language == language) {
            seen += 1;
            look(&page, block);
        }
    }
    assert!(seen > 0, "no page shows any {language}");
}

#[test]
fn every_language_of_a_block_is_one_that_is_looked_at() {
    let known = [
        "sh", "console", "text", "toml", "yaml", "json", "ini", "cron", "sql", "rust",
        // A real store is given the policy of the page: `destinations::openbao`.
        "hcl",
    ];
    for page in all() {
        for block in &page.blocks {
            let language = block.language.as_str();
            assert!(
                known.contains(&language),
                "{}: nothing looks at {language:?}",
                page.at(block.line)
            );
        }
    }
}

#[test]
fn a_rotate_toml_on_a_page_is_read_without_a_mistake() {
    each("toml", |page, block| {
        if let Err(mistakes) = Config::parse(Path::new("rotate.toml"), &block.text) {
            panic!("{}: {mistakes}", page.at(block.line));
        }
    });
}

#[test]
fn json_on_a_page_is_json() {
    each("json", |page, block| {
        let read = serde_json::from_str::<serde_json::Value>(&block.text);
        assert!(read.is_ok(), "{}: {read:?}", page.at(block.line));
    });
}

#[test]
fn a_line_of_cron_has_a_time_and_a_command_that_rotate_understands() {
    let times = regex::Regex::new(r"^(?:[0-9*/,-]+ ){5}(.+)$").expect("a pattern");
    let variable = regex::Regex::new(r"^[A-Z_]+=\S+$").expect("a pattern");
    each("cron", |page, block| {
        for line in block.text.lines().filter(|line| !variable.is_match(line)) {
            let place = page.at(block.line);
            let Some(found) = times.captures(line) else {
                panic!("{place}: {line:?} is no line of cron");
            };
            let words = to_rotate(&found[1]).unwrap_or_else(|| panic!("{place}: {line:?} does not start rotate"));
            understand(words).unwrap_or_else(|why| panic!("{place}: {why}"));
        }
    });
}

#[test]
fn a_unit_on_a_page_is_one_that_systemd_takes() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut units = Vec::new();
    each("ini", |page, block| {
        let place = page.at(block.line);
        let mut section = "";
        for line in block
            .text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                assert!(
                    ["Unit", "Service", "Timer", "Install"].contains(&name),
                    "{place}: {name:?}"
                );
                section = name;
                continue;
            }
            let (key, value) = line
                .split_once('=')
                .unwrap_or_else(|| panic!("{place}: {line:?} sets nothing"));
            assert!(!section.is_empty() && !key.contains(' '), "{place}: {line:?}");
            if key.starts_with("Exec") {
                let words = to_rotate(value).unwrap_or_else(|| panic!("{place}: {line:?} does not start rotate"));
                understand(words).unwrap_or_else(|why| panic!("{place}: {why}"));
            }
        }
        let name = if block.text.contains("[Timer]") {
            "rotate.timer"
        } else {
            "rotate.service"
        };
        // Whether the program is installed is not the question.
        let text = block.text.replace("/usr/local/bin/rotate", crate::docs::ROTATE);
        std::fs::write(folder.path().join(name), text).expect("the unit can be written");
        units.push(name);
    });
    assert_eq!(
        units.len(),
        units.iter().collect::<BTreeSet<_>>().len(),
        "one unit of each name: {units:?}"
    );
    // Its own word on them, on a machine that has it; elsewhere what is above has to do.
    let alert = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
    std::fs::write(folder.path().join("alert@.service"), alert).expect("the unit can be written");
    let verified = std::process::Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=one"])
        .args(units.iter().map(|name| folder.path().join(name)))
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()))
        .output();
    if let Ok(verified) = verified {
        let said = String::from_utf8_lossy(&verified.stderr);
        let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("rotate.")).collect();
        assert!(
            verified.status.success() && about_ours.is_empty(),
            "systemd-analyze verify says:\n{said}"
        );
    }
}

#[test]
fn yaml_on_a_page_is_read_and_its_commands_are_understood() {
    each("yaml", |page, block| {
        let place = page.at(block.line);
        let documents = YamlLoader::load_from_str(&block.text).unwrap_or_else(|error| panic!("{place}: {error}"));
        for document in &documents {
            match (&document["jobs"], document["kind"].as_str()) {
                (Yaml::Hash(_), None) => workflow(&place, document),
                (_, Some("CronJob")) => cron_job(&place, document),
                (_, Some("PersistentVolumeClaim")) => {}
                (_, Some("Role")) => role(&place, document),
                (_, Some("RoleBinding")) => {
                    let (role, name) = (
                        document["roleRef"]["name"].as_str(),
                        document["metadata"]["name"].as_str(),
                    );
                    assert!(
                        role.is_some() && role == name,
                        "{place}: it binds another role than the one above it"
                    );
                }
                other => panic!("{place}: nobody knows what this is: {other:?}"),
            }
        }
    });
}

/// What a Role lets somebody do with one Secret, and with nothing else.
fn role(place: &str, document: &Yaml) {
    let rules = document["rules"].as_vec().expect("it has rules");
    assert_eq!(rules.len(), 1, "{place}");
    assert_eq!(listed(&rules[0]["resources"]), ["secrets"], "{place}");
    assert_eq!(listed(&rules[0]["verbs"]), ["get", "patch"], "{place}");
    assert_eq!(
        listed(&rules[0]["resourceNames"]).len(),
        1,
        "{place}: it is for all Secrets"
    );
}

fn listed(list: &Yaml) -> Vec<&str> {
    list.as_vec().into_iter().flatten().filter_map(Yaml::as_str).collect()
}

/// A workflow of GitHub Actions: each step uses or runs something, and what it runs is a script that `sh` can read.
fn workflow(place: &str, document: &Yaml) {
    let jobs = document["jobs"].as_hash().expect("it has jobs");
    let mut told = 0;
    for step in jobs
        .values()
        .flat_map(|job| job["steps"].as_vec().expect("a job has steps"))
    {
        let Some(script) = step["run"].as_str() else {
            assert!(
                step["uses"].as_str().is_some(),
                "{place}: a step neither uses nor runs anything: {step:?}"
            );
            continue;
        };
        let read = rotate_fixtures::tool("bash")
            .args(["-n", "-c", script])
            .output()
            .expect("bash is there");
        assert!(
            read.status.success(),
            "{place}: {}",
            String::from_utf8_lossy(&read.stderr)
        );
        for line in script.lines().filter(|line| line.trim_start().starts_with("./rotate ")) {
            let words = to_rotate(line).unwrap_or_else(|| panic!("{place}: {line:?}"));
            understand(words).unwrap_or_else(|why| panic!("{place}: {why}"));
            told += 1;
        }
    }
    assert!(told > 0, "{place}: no step runs rotate");
}

/// A job on Kubernetes: what is mounted is a volume, and the arguments are some that the program understands.
fn cron_job(place: &str, document: &Yaml) {
    let pod = &document["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let names = |list: &Yaml| -> BTreeSet<String> {
        let list = list.as_vec().expect("it is a list");
        list.iter()
            .filter_map(|entry| entry["name"].as_str())
            .map(str::to_owned)
            .collect()
    };
    let volumes = names(&pod["volumes"]);
    for container in pod["containers"].as_vec().expect("a pod has containers") {
        assert_eq!(
            names(&container["volumeMounts"]),
            volumes,
            "{place}: what is mounted, and the volumes"
        );
        let arguments = container["args"].as_vec().expect("it has arguments");
        let words = arguments.iter().filter_map(|word| word.as_str()).map(str::to_owned);
        let words = std::iter::once("rotate".to_owned()).chain(words).collect();
        understand(words).unwrap_or_else(|why| panic!("{place}: {why}"));
    }
}
