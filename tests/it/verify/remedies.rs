//! What a person is told to do can be done: an option that a remedy names is one of the very command that names it, and a command
//! in it is one that the program takes. Where a file says how a credential is tried, its key is named, with file and line.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use rotate_fixtures::place::Ran;
use rotate_fixtures::probed_vendor::Said;
use rotate_providers::guide::Guide;
use rotate_providers::guide::probe::{Answer, How, Probe};

use super::answers::told;
use super::desk::{AGENT, Desk};

static OPTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"--[a-z][a-z-]*").unwrap());
static COMMAND: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)\brotate (?:[a-z0-9./@-]+)(?: [^\n;,]*)?$").unwrap());

/// The options that a command has, as the program itself takes them.
fn options(desk: &Desk, command: &[&str]) -> BTreeSet<String> {
    let help = desk.run(command.iter().copied().chain(["--help"])).expect(0).stdout;
    let begins = help.lines().map(str::trim_start);
    let of_options = begins.filter(|line| line.starts_with('-'));
    let names = of_options.flat_map(|line| {
        OPTION
            .find_iter(line)
            .map(|it| it.as_str().to_owned())
            .collect::<Vec<_>>()
    });
    let found: BTreeSet<String> = names.collect();
    assert!(found.len() > 3, "{help}");
    found
}

/// Every option in what was said is one of these, and every command is one that is understood.
#[track_caller]
fn expect_possible(said: &str, options: &BTreeSet<String>) {
    let mut rest = said.to_owned();
    for command in COMMAND.find_iter(said) {
        let words: Vec<std::ffi::OsString> = command.as_str().split_whitespace().map(Into::into).collect();
        if let Err(why) = rotate::cli::understand(words) {
            assert!(command.as_str().contains("--help"), "{}: {why}", command.as_str());
        }
        rest = rest.replace(command.as_str(), "");
    }
    for option in OPTION.find_iter(&rest) {
        assert!(
            options.contains(option.as_str()),
            "{} is no option of it: {said}",
            option.as_str()
        );
    }
}

/// What a guide may say of a try.
fn texts(probe: &Probe) -> Vec<String> {
    let answers = match &probe.how {
        How::Http(http) => Some(&http.answers),
        How::JwtBearer(jwt) => Some(&jwt.answers),
        How::ClientAssertion(assertion) => Some(&assertion.answers),
        How::JsonLogin(login) => Some(&login.answers),
        How::PostgresLogin(_) | How::MysqlLogin(_) | How::Own => None,
    };
    let answers: Vec<&Answer> = answers.into_iter().flat_map(|answers| answers.iter()).collect();
    let means = answers.iter().map(|answer| answer.means.clone());
    let mistaken = probe.secret.mistaken.iter().map(|mistaken| mistaken.is.clone());
    means.chain(mistaken).chain(probe.beyond.clone()).collect()
}

#[test]
fn what_the_guides_say_of_a_try_names_options_of_verify_alone() {
    let desk = Desk::new();
    let mut named = 0;
    for connector in rotate_providers::connectors() {
        let guide: Guide = connector.guide().unwrap();
        let said: Vec<String> = guide.probe.iter().flat_map(Probe::ways).flat_map(texts).collect();
        let said: Vec<String> = said.into_iter().chain(guide.no_probe.clone()).collect();
        if !said.iter().any(|text| text.contains("--")) {
            continue;
        }
        let options = options(&desk, &["verify", connector.id]);
        for text in said {
            named += OPTION.find_iter(&text).count();
            expect_possible(&text, &options);
        }
    }
    assert!(named >= 8, "{named}");
}

/// What the protocols themselves say stands in their source.
#[test]
fn what_the_protocols_say_names_options_of_verify_alone() {
    let desk = Desk::new();
    let mut options = options(&desk, &["verify", "mysql"]);
    // Filled in with the name of any input.
    options.insert("--".to_owned());
    let folders = ["guide/probe", "web"].map(|folder| format!("{}/providers/{folder}", env!("CARGO_MANIFEST_DIR")));
    let mut named = BTreeSet::new();
    for entry in folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap().flatten())
    {
        let Ok(source) = fs::read_to_string(entry.path()) else {
            continue;
        };
        let source = source.split("#[cfg(test)]").next().unwrap();
        for option in OPTION.find_iter(source) {
            assert!(
                options.contains(option.as_str()),
                "{}: {}",
                entry.path().display(),
                option.as_str()
            );
            named.insert(option.as_str().to_owned());
        }
    }
    assert!(
        named.contains("--allow-host") && named.contains("--allow-private"),
        "{named:?}"
    );
}

/// A fleet of one, and what is wrong on the way to it.
fn fleet(desk: &Desk, keys: &str) {
    let secret = desk.place.path("secret");
    let text = format!(
        "# A fleet.\n\n[[target]]\nname = \"one\"\nlast_rotated = \"2026-11-01\"\nsecret_file = \"{}\"\n{keys}",
        secret.display()
    );
    fs::write(desk.place.path("rotate.toml"), text).unwrap();
}

/// What a command says of the fleet; `None`: names are looked up here, and not by a proxy.
fn says(desk: &Desk, said: Option<Said>, arguments: &[&str]) -> String {
    let mut command: Command = desk.command(arguments.iter().copied());
    command.env("RUST_LOG", "warn");
    match said {
        Some(said) => desk.vendor.says(said),
        None => {
            command.env_remove("HTTPS_PROXY");
        }
    }
    let ran = Ran::of(command);
    desk.expect_no_canary(&ran);
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn a_check_up_and_a_run_name_keys_of_the_file_where_verify_names_options() {
    const PLACE: &str = "rotate.toml, line 3)";
    let desk = Desk::new();
    let tenant = |tenant: &str| format!("connector = \"bulk-api\"\ntenant = \"{tenant}\"\n");
    let freshdesk = "connector = \"freshdesk\"\ndomain = \"acme\"\n".to_owned();
    let zuora = "connector = \"zuora\"\nuser = \"a@b.example\"\nhost = \"rest.zuora.com\"\n".to_owned();
    let allowed = &["--allow-endpoint", "10.0.0.1"][..];
    for (keys, said, before, in_verify, in_fleet) in [
        (
            tenant("cs.acme.example"),
            Some(Said::json(200, "{}")),
            &[][..],
            "--allow-host cs.acme.example",
            "--allow-endpoint cs.acme.example",
        ),
        (
            tenant("10.0.0.1"),
            None,
            allowed,
            "add --allow-private",
            "`allow_private = true`",
        ),
        (
            freshdesk,
            Some(Said::json(404, "{}")),
            &[],
            "check --domain",
            "`domain`",
        ),
        (zuora, Some(Said::json(200, "{}")), &[], "--client-id", "`client_id`"),
    ] {
        fleet(&desk, &format!("{keys}verify_every = \"1d\"\n"));
        for (command, expected) in [
            (&["verify", "one"][..], in_verify),
            (&["doctor"], in_fleet),
            (&["run"], in_fleet),
        ] {
            let arguments: Vec<&str> = before.iter().chain(command).copied().collect();
            let text = says(&desk, said.clone(), &arguments);
            // Lines are broken between words.
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(expected), "{command:?}: {text}");
            let is_key = expected.starts_with('`');
            assert!(!is_key || words.contains(PLACE), "{command:?}: {text}");
            let name = if command[0] == "verify" {
                &["verify", connector_of(&keys)][..]
            } else {
                command
            };
            expect_possible(&text, &options(&desk, name));
        }
        fs::remove_dir_all(desk.place.state()).ok();
    }
    // What a try may lock is told by its key as well.
    let keys = "connector = \"postgres\"\nserver = \"db.example\"\nuser = \"u\"\ndatabase = \"d\"\n";
    fleet(&desk, keys);
    let text = says(&desk, Some(Said::json(200, AGENT)), &["doctor"]);
    assert!(
        text.contains("with risk_lockout = true") && text.contains(PLACE),
        "{text}"
    );
}

fn connector_of(keys: &str) -> &str {
    keys.split('"').nth(1).unwrap()
}

#[test]
fn every_answer_that_a_fleet_gets_is_told_with_options_that_its_commands_have() {
    let desk = Desk::new();
    let (of_doctor, of_run) = (options(&desk, &["doctor"]), options(&desk, &["run"]));
    for (connector, http) in super::answers::probed() {
        let guide = connector.guide().unwrap();
        let given = told(connector.id);
        let mut keys = format!("connector = \"{}\"\n", connector.id);
        for pair in given.chunks(2) {
            keys.push_str(&format!("{} = \"{}\"\n", pair[0][2..].replace('-', "_"), pair[1]));
        }
        if !guide
            .inputs
            .iter()
            .any(|input| keys.contains(&format!("\n{} = ", input.name)))
        {
            continue;
        }
        let statuses: BTreeSet<u16> = http.answers.iter().flat_map(|answer| answer.status.clone()).collect();
        for status in statuses {
            fleet(&desk, &format!("{keys}verify_every = \"1d\"\n"));
            let text = says(&desk, Some(Said::json(status, "{}")), &["doctor"]);
            expect_possible(&text, &of_doctor);
            let text = says(&desk, Some(Said::json(status, "{}")), &["run"]);
            expect_possible(&text, &of_run);
            fs::remove_dir_all(desk.place.state()).ok();
        }
    }
}
