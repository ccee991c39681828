//! What cannot be delivered to is told before a key is made, with what mends it.

use rotate_providers::s3_customer_managed::SECRET;
use serde_json::json;

use super::*;

/// Runs the rotation where something stands in the way: it says these words, and nothing was changed.
#[track_caller]
fn refused(prepare: impl FnOnce(&Desk), to: &str, words: &[&str]) {
    refused_to(&[&["--dry-run"], &["--yes"]], prepare, to, words);
}

/// The same of what only the server can tell, when it is asked to check a write: a dry run asks for nothing of the kind.
#[track_caller]
fn refused_by_the_server(prepare: impl FnOnce(&Desk), to: &str, words: &[&str]) {
    refused_to(&[&["--yes"]], prepare, to, words);
}

#[track_caller]
fn refused_to(whom: &[&[&str]], prepare: impl FnOnce(&Desk), to: &str, words: &[&str]) {
    let desk = Desk::without_secret();
    prepare(&desk);
    let before = (desk.cluster.state_of_secret(PLACE), desk.cluster.version(PLACE));
    for more in whom {
        let ran = desk.run(desk.rotate_to(to, more)).expect(1);
        for word in words {
            assert!(
                ran.stderr.contains(word) || ran.stdout.contains(word),
                "`{word}` is missing ({more:?}): {ran:#?}"
            );
        }
    }
    desk.place.expect_as_before();
    assert_eq!(
        (desk.cluster.state_of_secret(PLACE), desk.cluster.version(PLACE)),
        before
    );
}

#[test]
fn a_secret_that_is_not_there_is_not_made_because_nobody_would_read_it() {
    refused(
        |_| {},
        NAME,
        &[
            "there is no Secret gainsight in namespace apps",
            "kubectl -n apps create secret generic gainsight",
        ],
    );
}

#[test]
fn what_can_never_be_changed_or_will_not_stay_is_refused() {
    let like = |change: fn(&mut rotate_fixtures::kubernetes::StoredSecret)| {
        move |desk: &Desk| drop(desk.cluster.add_secret_like(PLACE, &FOUND, change))
    };
    refused(
        like(|secret| secret.immutable = true),
        NAME,
        &["it is immutable", "create secret generic"],
    );
    refused(
        like(|secret| secret.deleted_at = Some("2026-11-27T00:00:00Z".to_owned())),
        NAME,
        &["it is being deleted"],
    );
    refused(
        like(|secret| {
            secret.owners = json!([{ "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "gs", "controller": true }]);
        }),
        NAME,
        &[
            "it belongs to ExternalSecret gs",
            "deliver to where ExternalSecret gs has it from",
        ],
    );
    refused(
        |desk| {
            desk.cluster.add_secret(PLACE, &FOUND);
            desk.cluster.end_namespace("apps");
        },
        NAME,
        &["namespace apps is being deleted"],
    );
}

#[test]
fn a_key_that_somebody_else_applies_is_theirs_and_they_are_named() {
    let applied = |desk: &Desk| {
        desk.cluster.add_secret(PLACE, &[("theirs", "kept")]);
        let keys = [("access_key_id", "AKIAOLD"), ("secret_access_key", "CANARYold")];
        let applied = desk.cluster.apply_secret(PLACE, "kustomize-controller", &keys, false);
        applied.expect("nobody has them");
    };
    refused(
        applied,
        NAME,
        &[
            "its key access_key_id is applied by field manager kustomize-controller",
            "take access_key_id out of what kustomize-controller applies",
            "--show-managed-fields",
        ],
    );
    // Under other names nothing is in the way, and what they apply stays theirs.
    let desk = Desk::without_secret();
    applied(&desk);
    let to = format!("{NAME}?access_key_id=id&secret_access_key=secret");
    desk.run(desk.rotate_to(&to, &[])).expect(0);
    assert!(desk.place.cloud.works(&desk.value("id"), &desk.value("secret")));
    let theirs = [("access_key_id", "AKIAOLD"), ("secret_access_key", "CANARYold")];
    let again = desk.cluster.apply_secret(PLACE, "kustomize-controller", &theirs, false);
    assert_eq!(again, Ok(()), "their next apply meets no conflict");
    assert!(desk.place.cloud.works(&desk.value("id"), &desk.value("secret")));
}

#[test]
fn a_key_that_comes_from_kubectl_apply_is_theirs_and_others_beside_it_are_not() {
    let applied = |key: &str, part: &str| {
        let sent = format!(
            "{{\"apiVersion\":\"v1\",\"{part}\":{{\"{key}\":\"CANARYold\"}},\"kind\":\"Secret\",\"note\":\"a \\u003c \\n b\"}}\n"
        );
        move |desk: &Desk| {
            desk.cluster.add_secret_like(PLACE, &FOUND, |secret| {
                secret.annotations = json!({ "kubectl.kubernetes.io/last-applied-configuration": sent });
            });
        }
    };
    for part in ["data", "stringData"] {
        refused(
            applied("secret_access_key", part),
            NAME,
            &[
                "its key secret_access_key comes from kubectl apply",
                "kubectl -n apps apply set-last-applied -f MANIFEST",
            ],
        );
        let desk = Desk::without_secret();
        applied("theirs", part)(&desk);
        desk.rotate(&[]).expect(0);
        assert!(desk.works());
    }
}

#[test]
fn what_its_type_needs_is_never_taken_away_and_what_it_cannot_hold_is_told() {
    refused_by_the_server(
        |desk| {
            let full = "x".repeat(1024 * 1024 - 10);
            desk.cluster.add_secret(PLACE, &[("theirs", &full)]);
        },
        NAME,
        &["1 MiB"],
    );
    refused_by_the_server(
        |desk| {
            let keys = [(".dockerconfigjson", "{}")];
            desk.cluster.add_secret_like(PLACE, &keys, |secret| {
                "kubernetes.io/dockerconfigjson".clone_into(&mut secret.kind);
            });
        },
        "kubernetes:apps/gainsight?secret_access_key=.dockerconfigjson",
        &["data[.dockerconfigjson] (FieldValueInvalid)", "of type Opaque"],
    );
    let desk = Desk::without_secret();
    let keys = [("tls.crt", "certificate"), ("tls.key", "key")];
    desk.cluster
        .add_secret_like(PLACE, &keys, |secret| "kubernetes.io/tls".clone_into(&mut secret.kind));
    desk.rotate(&[]).expect(0);
    desk.run(desk.command(&["abort", TARGET])).expect(0);
    assert_eq!(desk.value("tls.key"), "key");
}

#[test]
fn what_the_account_may_not_do_is_told_with_the_role_that_lets_it() {
    let role = [
        "kind: Role",
        "name: rotate-gainsight",
        "namespace: apps",
        "resourceNames: [\"gainsight\"]",
        "verbs: [\"get\", \"patch\"]",
    ];
    for (verb, said) in [("get", "may not read it"), ("patch", "may not write it")] {
        let words: Vec<&str> = role.into_iter().chain([said]).collect();
        refused(
            |desk| {
                desk.cluster.add_secret(PLACE, &FOUND);
                desk.cluster.deny(verb);
            },
            NAME,
            &words,
        );
    }
    // Where nobody may ask, the server says who it was that may not.
    refused(
        |desk| {
            desk.cluster.add_secret(PLACE, &FOUND);
            desk.cluster.deny_questions();
            desk.cluster.deny("get");
        },
        NAME,
        &["system:serviceaccount:ops:rotate may not", "kind: Role"],
    );
}

#[test]
fn an_admission_policy_that_refuses_it_is_told_as_one_and_no_role_is_asked_for() {
    let desk = Desk::new();
    let message = r#"admission webhook \"policy.example.com\" denied the request: CANARY"#;
    let body = format!(r#"{{"kind":"Status","reason":"Forbidden","message":"{message}","code":403}}"#);
    desk.cluster.answer_with("dry-run", 403, &body);
    let ran = desk.rotate(&["--yes"]).expect(1);
    let ran = ran.says(&["an admission policy of the cluster refuses it"]);
    assert!(
        !ran.stderr.contains("kind: Role") && !ran.stderr.contains("CANARY"),
        "{}",
        ran.stderr
    );
    desk.place.expect_as_before();
}

#[test]
fn doctor_prints_the_role_that_is_missing_as_yaml() {
    let desk = Desk::new();
    desk.cluster.deny("patch");
    let fleet = format!(
        "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nuser = \"gainsight-s3\"\nbucket = \"acme-data\"\n\
         deliver = [{{ to = \"{NAME}\", context = \"tests\" }}]\n"
    );
    let path = desk.place.path("rotate.toml");
    std::fs::write(&path, fleet).expect("the place is ours");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("the file is ours");
    let ran = desk.run(desk.command(&["doctor"]));
    assert_ne!(ran.code, Some(0), "{ran:#?}");
    let begin = ran.stdout.find("apiVersion: rbac").expect("the Role is there");
    let lines: Vec<&str> = ran.stdout[begin..].lines().take(9).map(str::trim_end).collect();
    // As it is printed, but for what all lines are indented by.
    let indent = ran.stdout[..begin].rsplit('\n').next().unwrap_or_default().len();
    let yaml: String = std::iter::once(lines[0].to_owned())
        .chain(
            lines[1..]
                .iter()
                .map(|line| line.get(indent..).unwrap_or_default().to_owned()),
        )
        .collect::<Vec<_>>()
        .join("\n");
    let read = yaml_rust2::YamlLoader::load_from_str(&yaml).unwrap_or_else(|error| panic!("{error}:\n{yaml}"));
    let page = include_str!("../../../../docs/destinations.md");
    assert!(
        page.contains(&yaml),
        "the page shows another Role than is printed:\n{yaml}"
    );
    assert_eq!(read[0]["kind"].as_str(), Some("Role"));
    assert_eq!(read[0]["metadata"]["name"].as_str(), Some("rotate-gainsight"));
    assert_eq!(read[0]["rules"][0]["resourceNames"][0].as_str(), Some("gainsight"));
}

#[test]
fn a_login_that_is_accepted_no_more_is_told_at_once() {
    refused(
        |desk| {
            desk.cluster.add_secret(PLACE, &FOUND);
            desk.cluster.expire_token();
        },
        NAME,
        &["accepts them no more", "log in again"],
    );
}

#[test]
fn what_answers_in_the_place_of_an_api_is_told_and_never_shown() {
    for (status, body, word) in [
        (200, "<html>CANARY portal</html>", "shows no Secret"),
        (302, "CANARY", "leads elsewhere"),
        (
            200,
            r#"{"metadata":{"uid":"","resourceVersion":"1"}}"#,
            "which object and which version",
        ),
        (
            200,
            r#"{"metadata":{"uid":"a","resourceVersion":"1"},"data":{"access_key_id":"CANARY!"}}"#,
            "shows no Secret",
        ),
        (
            418,
            r#"{"reason":"CANARY\u001b[2J teapot"}"#,
            "the server refuses to read it: 418",
        ),
    ] {
        let desk = Desk::new();
        desk.cluster.answer_with("get", status, body);
        let ran = desk.rotate(&["--dry-run"]).expect(1);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(word), "`{word}` is missing: {said}");
        assert!(!said.contains("\u{1b}[2J") && !said.contains("portal"), "{said}");
    }
    // And one without end is read to a bound.
    let desk = Desk::new();
    let long = "x".repeat(5 * 1024 * 1024);
    (0..4).for_each(|_| desk.cluster.answer_with("get", 200, &long));
    let ran = desk.rotate(&["--dry-run"]).expect(1);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("larger than any that belongs there"), "{said}");
}

#[test]
fn another_object_than_the_pinned_one_is_refused() {
    let pinned = format!("{NAME}?uid=11111111-2222-3333-4444-555555555555");
    refused(
        |desk| drop(desk.cluster.add_secret(PLACE, &FOUND)),
        &pinned,
        &["this is another cluster"],
    );
}

#[test]
fn a_name_that_no_secret_has_is_told_without_a_call() {
    for (name, words) in [
        ("kubernetes:gainsight", "write kubernetes:NAMESPACE/NAME"),
        ("kubernetes:Apps/gainsight", "write kubernetes:NAMESPACE/NAME"),
        ("kubernetes:apps/gain/sight", "write kubernetes:NAMESPACE/NAME"),
        ("kubernetes:apps/..", "write kubernetes:NAMESPACE/NAME"),
        (
            "kubernetes:apps/x?secret_access_key=a%20b",
            "its option secret_access_key: no key of a Secret",
        ),
        (
            "kubernetes:apps/x?secret_access_key=..a",
            "its option secret_access_key: no key of a Secret",
        ),
        (
            "kubernetes:apps/x?namespace=y",
            "its option namespace: it is not known here",
        ),
    ] {
        let refused = rotate::delivery::parse(SECRET, name).err().expect("it is refused");
        assert!(refused.to_string().contains(words), "{name}: {refused}");
    }
}
