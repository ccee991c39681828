//! What the file says of monitoring, and how mistakes in that are told.

use std::path::Path;

use rotate::config::Config;

const TARGET: &str = "[[target]]\nname = \"a\"\nconnector = \"freshdesk\"\ndomain = \"acme\"\n";

fn mistakes(text: &str) -> String {
    match Config::parse(Path::new("rotate.toml"), text) {
        Ok(_) => String::new(),
        Err(mistakes) => mistakes.lines().join("\n"),
    }
}

#[test]
fn a_textfile_a_heartbeat_and_an_anchor_are_read_and_the_schema_knows_them() {
    let text = format!(
        "[metrics]\ntextfile = \"/var/lib/node_exporter/rotate.prom\"\n[audit]\nanchor = \"/mnt/evidence/rotate.anchor\"\n{TARGET}"
    );
    let config = Config::parse(Path::new("rotate.toml"), &text).unwrap();
    let monitoring = &config.monitoring;
    assert_eq!(
        monitoring.textfile.as_deref(),
        Some(Path::new("/var/lib/node_exporter/rotate.prom"))
    );
    assert_eq!(
        monitoring.anchor.as_deref(),
        Some(Path::new("/mnt/evidence/rotate.anchor"))
    );
    let schema: serde_json::Value = serde_json::from_str(&rotate::config::schema()).unwrap();
    let validator = jsonschema::options().build(&schema).unwrap();
    let file = |more: serde_json::Value| {
        let target = serde_json::json!({ "name": "a", "connector": "freshdesk", "domain": "acme" });
        let mut file = serde_json::json!({ "target": [target] });
        file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        file
    };
    let fits = |more: serde_json::Value| validator.is_valid(&file(more));
    assert!(fits(serde_json::json!({
        "metrics": { "textfile": "/a/b.prom" }, "heartbeat": { "url_env": "URL" }, "audit": { "anchor": "/a/b" }
    })));
    assert!(!fits(serde_json::json!({ "metrics": { "textfile": "/a/b" } })));
    assert!(!fits(serde_json::json!({ "heartbeat": {} })));
    assert!(!fits(
        serde_json::json!({ "heartbeat": { "url_env": "https://hc-ping.example/u" } })
    ));
    assert!(!fits(serde_json::json!({ "audit": { "anchors": "/a/b" } })));
}

#[test]
fn what_is_missing_wrong_or_a_secret_is_told_with_its_key_and_not_repeated() {
    for (text, said) in [
        (
            "[metrics]\ntextfile = \"rotate.prom\"",
            "metrics: textfile: this value is not understood",
        ),
        (
            "[metrics]\ntextfile = \"/a/rotate.txt\"",
            "metrics: textfile: the collector of text files does not read it",
        ),
        (
            "[metrics]\ntextfiles = \"/a/rotate.prom\"",
            "textfiles: this key is not known",
        ),
        (
            "[audit]\nanchor = \"anchor\"",
            "audit: anchor: this value is not understood",
        ),
        (
            "[store]\nstate_dir = \"/var/lib/rotate\"\n[audit]\nanchor = \"/var/lib/rotate/anchor\"",
            "audit: anchor: it is in the state folder",
        ),
        ("[heartbeat]\nallow_private = true", "heartbeat: url_env: it is missing"),
        (
            "[heartbeat]\nurl_env = \"https://hc-ping.example/canary-of-a-check\"",
            "heartbeat: url_env: this value is not understood",
        ),
    ] {
        let told = mistakes(&format!("{text}\n{TARGET}"));
        assert!(told.contains(said), "{text}\n{told}");
        assert!(!told.contains("canary"), "{told}");
    }
}
