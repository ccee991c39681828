//! What a file says for those who check it, and how mistakes in that are told.

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
fn a_basis_an_exception_and_what_is_out_of_scope_are_read() {
    let text = format!(
        "{TARGET}policy_basis = \"RA-12\"\nexception = {{ reason = \"move\", approved_by = \"ciso\", until = 2027-03-31 }}\n\
         [[out_of_scope]]\nwhat = \"root\"\nreason = \"none\"\n[[out_of_scope]]\nwhat = \"b\"\nreason = \"c\"\napproved_by = \"d\"\n"
    );
    let config = Config::parse(Path::new("rotate.toml"), &text).unwrap();
    let target = &config.targets[0];
    assert_eq!(target.policy_basis.as_deref(), Some("RA-12"));
    let exception = target.exception.as_ref().unwrap();
    assert_eq!(
        (exception.reason.as_str(), exception.approved_by.as_str()),
        ("move", "ciso")
    );
    assert_eq!(exception.until.to_string(), "2027-03-31");
    assert_eq!(config.out_of_scope.len(), 2);
    assert_eq!(config.out_of_scope[1].approved_by.as_deref(), Some("d"));
}

#[test]
fn what_is_missing_wrong_or_secret_is_told_with_its_key() {
    for (text, said) in [
        (
            "exception = { reason = \"a\", approved_by = \"b\" }",
            "exception: until: it is missing",
        ),
        (
            "exception = { reason = \"a\", until = 2027-03-31 }",
            "exception: approved_by: it is missing",
        ),
        (
            "exception = { reason = \"\", approved_by = \"b\", until = 2027-03-31 }",
            "exception: reason: this value is not understood",
        ),
        (
            "exception = { reason = \"a\", approved_by = \"b\", until = \"soon\" }",
            "exception: until: it is not a date",
        ),
        (
            "exception = { reason = \"a\", approved_by = \"b\", until = 2027-03-31, by = \"c\" }",
            "by: this key is not known",
        ),
        ("exception = \"yes\"", "exception: it is a string and should be a table"),
        ("policy_basis = \"a\\nb\"", "policy_basis: this value is not understood"),
        (
            "policy_basis = \"password: hunter2hunter2\"",
            "policy_basis: this value is not understood",
        ),
        ("[[out_of_scope]]\nwhat = \"a\"", "out_of_scope: reason: it is missing"),
        ("[[out_of_scope]]\nreason = \"a\"", "out_of_scope: what: it is missing"),
        (
            "[out_of_scope]\nwhat = \"a\"",
            "out_of_scope: it is not a list of tables",
        ),
    ] {
        let told = mistakes(&format!("{TARGET}{text}\n"));
        assert!(told.contains(said), "{text}\n{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn the_published_schema_of_the_file_knows_them_too() {
    let schema: serde_json::Value = serde_json::from_str(&rotate::config::schema()).unwrap();
    let validator = jsonschema::options().build(&schema).unwrap();
    let file = |more: serde_json::Value| {
        let mut target = serde_json::json!({ "name": "a", "connector": "freshdesk", "domain": "acme" });
        target
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::json!({ "target": [target], "out_of_scope": [{ "what": "root", "reason": "none" }] })
    };
    let exception = serde_json::json!({ "reason": "a", "approved_by": "b", "until": "2027-03-31" });
    assert!(validator.is_valid(&file(
        serde_json::json!({ "policy_basis": "RA-12", "exception": exception })
    )));
    assert!(!validator.is_valid(&file(serde_json::json!({ "exception": { "reason": "a" } }))));
    assert!(!validator.is_valid(&file(serde_json::json!({ "policy_basis": "" }))));
}
