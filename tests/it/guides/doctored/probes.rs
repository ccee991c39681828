//! Of each thing that a probe has to keep, one that breaks exactly that.

use rotate_providers::guide::Guide;

use super::SOUND;

/// It is sound, and stands in the place of the reason why there is none.
const PROBE: &str = r#"[probe]
does = "asks Things whose key it is"
secret = { what = "the key" }

[probe.how]
kind = "http"
method = "GET"
url = "https://{user|url}.things.example/me"
hosts = [".things.example"]
auth = { style = "bearer" }
answers = [
    { status = [200], verdict = "accepted", means = "yes" },
    { status = [401], verdict = "rejected", means = "no" },
]

[negative]"#;

/// The same, of one that asks for a token.
const TOKEN: [(&str, &str); 4] = [
    ("\"GET\"", "\"POST\""),
    (".example/me\"", ".example/token\""),
    (
        "auth = { style = \"bearer\" }",
        "auth = { style = \"bearer\" }\nform = { grant_type = \"client_credentials\" }",
    ),
    ("{ status = [200],", "{ status = [200], at = \"/access_token\","),
];

#[track_caller]
fn told(changes: &[(&str, &str)]) -> String {
    let mut probe = PROBE.to_owned();
    for (from, to) in changes {
        assert_eq!(probe.matches(from).count(), 1, "{from:?} is not there once in {probe}");
        probe = probe.replace(from, to);
    }
    let text = SOUND
        .replacen("no_probe = \"nobody knows how\"\n", "", 1)
        .replacen("[negative]", &probe, 1);
    Guide::read(&text).map_or_else(|flaw| flaw.to_string(), |_| "sound".to_owned())
}

#[test]
fn the_probes_that_are_doctored_are_sound_themselves() {
    assert_eq!(told(&[]), "sound");
    assert_eq!(told(&TOKEN), "sound");
}

#[test]
fn a_secret_goes_to_the_vendors_hosts_over_https_alone() {
    for (from, to, flaw) in [
        ("https://{user", "http://{user", "is not https"),
        (
            "hosts = [\".things.example\"]",
            "hosts = []",
            "names no host of the vendor's",
        ),
        (
            "hosts = [\".things.example\"]",
            "hosts = [\".example\"]",
            "is no host: a whole name",
        ),
        (
            "hosts = [\".things.example\"]",
            "hosts = [\"https://things.example\"]",
            "is no host: a whole name",
        ),
        (
            "hosts = [\".things.example\"]",
            "hosts = [\".other.example\"]",
            "is no host of the probe's rule",
        ),
        (
            "{user|url}.things.example",
            "evil.example",
            "is no host of the probe's rule",
        ),
        (
            "{user|url}.things.example",
            "things.example.evil.example",
            "is no host of the probe's rule",
        ),
    ] {
        let found = told(&[(from, to)]);
        assert!(found.contains(flaw), "{to}: {found}");
    }
}

#[test]
fn a_probe_only_reads_or_asks_for_a_token() {
    assert!(told(&[("\"GET\"", "\"PUT\"")]).contains("PUT"));
    assert!(told(&[("\"GET\"", "\"POST\"")]).contains("no place where tokens are given out"));
    let token = |at: usize| {
        let kept = TOKEN.iter().enumerate().filter(|(number, _)| *number != at);
        told(&kept.map(|(_, change)| *change).collect::<Vec<_>>())
    };
    assert!(token(0).contains("has a form, and only reads"));
    assert!(token(1).contains("no place where tokens are given out"));
    assert!(token(2).contains("names no grant_type"));
    assert!(token(3).contains("accepts a status alone"));
}

#[test]
fn an_answer_that_can_mean_both_or_comes_from_others_is_no_verdict() {
    for (from, to, flaw) in [
        ("status = [200]", "status = [200, 302]", "accepts what is no success"),
        ("status = [200]", "status = [401]", "accepts what is no success"),
        (
            "verdict = \"accepted\"",
            "verdict = \"inconclusive\"",
            "accepts nothing",
        ),
        (
            "verdict = \"rejected\"",
            "verdict = \"inconclusive\"",
            "rejects nothing",
        ),
        (
            "status = [401]",
            "status = [403]",
            "rejects by a status that others answer with",
        ),
        (
            "status = [401]",
            "status = [429]",
            "rejects by a status that others answer with",
        ),
        (
            "status = [401]",
            "status = [500]",
            "rejects by a status that others answer with",
        ),
        (
            "status = [401]",
            "status = [200], at = \"/error\"",
            "accepts a status alone",
        ),
        ("status = [401]", "status = [401], is = [\"x\"]", "a mark, and no place"),
        (
            "status = [401]",
            "status = [401], at = \"error\"",
            "begins with a slash",
        ),
        ("status = [401]", "status = []", "no status or no meaning"),
    ] {
        let found = told(&[(from, to)]);
        assert!(found.contains(flaw), "{to}: {found}");
    }
}

#[test]
fn what_a_probe_needs_is_there_and_nothing_that_it_does_not() {
    for (from, to, flaw) in [
        (
            "{ style = \"bearer\" }",
            "{ style = \"basic\" }",
            "its login do not fit",
        ),
        ("secret = {", "login = \"{user}\"\nsecret = {", "its login do not fit"),
        ("secret = {", "step = \"look\"\nsecret = {", "no step that proves"),
        (
            "secret = {",
            "only = [{ input = \"user\", is = \"x\" }]\nsecret = {",
            "nobody can answer",
        ),
        (
            "{ style = \"bearer\" }",
            "{ style = \"header\", name = \"Cookie\" }",
            "has a way of its own",
        ),
        ("{user|url}.things", "{nobody|url}.things", "which is no input"),
        ("does = ", "dose = ", "dose"),
    ] {
        let found = told(&[(from, to)]);
        assert!(found.contains(flaw), "{to}: {found}");
    }
    let both = SOUND.replacen("[negative]", PROBE, 1);
    let told = |text: &str| Guide::read(text).map_or_else(|flaw| flaw.to_string(), |_| "sound".to_owned());
    assert!(told(&both).contains("either a probe, or a reason"));
    let neither = SOUND.replacen("no_probe = \"nobody knows how\"\n", "", 1);
    assert!(told(&neither).contains("either a probe, or a reason"));
}
