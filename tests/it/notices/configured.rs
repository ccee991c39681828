//! What a `[[notify]]` may say, and what is told of each mistake in it.

use std::path::Path;

use rotate::config::Config;

const TARGET: &str = "[[target]]\nname = \"desk\"\nconnector = \"freshdesk\"\nlast_rotated = \"2026-01-10\"\n";

fn mistakes(notify: &str) -> Vec<String> {
    match Config::parse(Path::new("rotate.toml"), &format!("{notify}\n{TARGET}")) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.lines(),
    }
}

#[test]
fn each_mistake_is_told_with_its_line_its_key_and_what_fixes_it() {
    for (notify, said, remedy) in [
        (
            "[[notify]]",
            "rotate.toml:1: notify: nothing says how it tells anybody",
            "write one of webhook, slack",
        ),
        (
            "[[notify]]\nslack = { url_env = \"A\" }\nteams = { url_env = \"B\" }",
            "notify: teams: it has several ways to tell",
            "write a [[notify]] for each",
        ),
        (
            "[[notify]]\nslack = { url_env = \"A\" }\n[[notify]]\nslack = { url_env = \"B\" }",
            "rotate.toml:3: notify: name: another notifier is called slack (line 1)",
            "give each its own",
        ),
        (
            "[[notify]]\nwebhook = { url_env = \"A\" }",
            "webhook: secret_env: it is missing",
            "write secret_env, secret_file or secret_credential",
        ),
        (
            "[[notify]]\nslack = { url_env = \"A\", url_file = \"/a\" }",
            "slack: url_file: it has several places",
            "write one of url_env, url_file, url_credential",
        ),
        (
            "[[notify]]\nslack = { url_env = \"https://hooks.slack.example/T0/B0/x\" }",
            "url_env: this value is not understood",
            "it should be the name of the place, and never the secret",
        ),
        (
            "[[notify]]\nslack = { url = \"https://x\" }",
            "slack: url: this key is not known",
            "url_env",
        ),
        (
            "[[notify]]\nexec = [\"tell\"]",
            "exec: this program cannot be run",
            "write the whole path",
        ),
        (
            "[[notify]]\nslack = { url_env = \"A\" }\ntargets = []",
            "targets: it names nobody",
            "name at least one",
        ),
        (
            "[[notify]]\nemail = { server = \"smtp.example.com\", from = \"a@example.com\", to = [\"b@example.com\"], tls = \"none\" }",
            "email: tls: without encryption, everybody on the way would read the mail",
            "write tls = \"starttls\" or \"tls\"",
        ),
        (
            "[[notify]]\nemail = { server = \"127.0.0.1\", from = \"a@example.com\", to_owner = true, tls = \"none\", user = \"u\", password_env = \"P\" }",
            "email: tls: without encryption, everybody on the way would read the password",
            "or leave the login out",
        ),
        (
            "[[notify]]\nemail = { server = \"smtp.example.com\", from = \"a@example.com\" }",
            "email: to: nobody gets it",
            "to_owner = true",
        ),
        (
            "\n[[notify]]\nemail = { server = \"smtp.example.com\", from = \"a@example.com\", to = [] }",
            "rotate.toml:3: notify: email: to: it names nobody",
            "name at least one, or leave it out",
        ),
        (
            "[[notify]]\nemail = { server = \"smtp.example.com\", from = \"a@example.com\", to = [], to_owner = true }",
            "email: to: it names nobody",
            "name at least one, or leave it out",
        ),
        (
            "[[notify]]\nemail = { server = \"smtp.example.com\", from = \"A <a@example.com>\", to = [\"b@example.com\\nBcc: c\"] }",
            "email: from: this value is not understood",
            "write one plain address",
        ),
        (
            "[[notify]]\nemail = { server = \"smtp.example.com\", from = \"a@example.com\", to = [\"a..b@example.com\"] }",
            "email: to: this value is not understood",
            "write one plain address",
        ),
        (
            "[[notify]]\nemail = { server = \"smtp.example.com:25\", from = \"a@example.com\", to_owner = true }",
            "email: server: this value is not understood",
            "without a port",
        ),
        (
            "[[notify]]\nemail = { server = \"smtp.example.com\", from = \"a@example.com\", to_owner = true, user = \"u\" }",
            "password_env: half of the login is missing",
            "write password_env",
        ),
    ] {
        let lines = mistakes(notify);
        let at = lines.iter().position(|line| line.contains(said));
        let at = at.unwrap_or_else(|| panic!("{notify}\nsaid: {lines:#?}"));
        assert!(lines[at + 1].contains(remedy), "{notify}\nsaid: {lines:#?}");
    }
}

#[test]
fn whoever_makes_no_mistake_is_understood() {
    let whole = "[[notify]]\nwebhook = { url_env = \"A\", secret_credential = \"b\" }\nallow_private = true\ntargets = [\"db-*\"]\n\
        [[notify]]\nname = \"chat\"\nslack = { url_file = \"/run/secrets/slack\" }\nowner = [\"data@example.com\"]\n\
        [[notify]]\nteams = { url_credential = \"teams\" }\n\
        [[notify]]\nexec = \"/usr/bin/true 'a b'\"\nenv = [\"X\"]\n\
        [[notify]]\nemail = { server = \"smtp.example.com\", port = 2525, tls = \"tls\", from = \"r@example.com\", to = [\"o@example.com\"], \
        to_owner = true, user = \"u\", password_file = \"/p\", ca_file = \"/ca.pem\" }\n";
    assert_eq!(mistakes(whole), [""; 0]);
    let config =
        Config::parse(Path::new("rotate.toml"), &format!("{whole}{TARGET}")).unwrap_or_else(|_| panic!("it is right"));
    let names: Vec<&str> = config.notifiers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["webhook", "chat", "teams", "exec", "email"]);
    assert!(config.notifiers[0].tells_of("db-1", None) && !config.notifiers[0].tells_of("web", None));
    assert_eq!(
        config.notifiers[4].recipients(Some("data@example.com")),
        ["o@example.com", "data@example.com"]
    );
    assert_eq!(config.notifiers[4].recipients(Some("Team Data")), ["o@example.com"]);
    // Editors say the same.
    let schema: serde_json::Value = serde_json::from_str(&rotate::config::schema()).unwrap();
    let validator = jsonschema::options().build(&schema).unwrap();
    let seen: serde_json::Value = seen(&format!("{whole}{TARGET}"));
    let faults: Vec<String> = validator
        .iter_errors(&seen)
        .map(|it| format!("{}: {it}", it.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let wrong = seen_of("[[notify]]\nslack = { url_env = \"A\", url_file = \"/a\" }\n");
    assert!(!validator.is_valid(&wrong));
    let empty = "[[notify]]\nemail = { server = \"smtp.example.com\", from = \"r@example.com\", to = [] }\n";
    assert!(!validator.is_valid(&seen_of(empty)));
    assert!(validator.is_valid(&seen_of(&empty.replace("[]", "[\"o@example.com\"]"))));
}

fn seen_of(notify: &str) -> serde_json::Value {
    seen(&format!("{notify}{TARGET}"))
}

fn seen(text: &str) -> serde_json::Value {
    crate::config::seen(text)
}
