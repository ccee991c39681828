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
    { status = [200], at = "/id", verdict = "accepted", means = "yes" },
    { status = [401], verdict = "rejected", means = "no" },
]

[negative]"#;

/// The step in which the new credential is tried.
const PROVE: &str = r#"[[rotate]]
id = "prove"
phase = "verified"
actor = "operator"
do = "Try it."
expect = "it works"

"#;

/// The same, of one that asks for a token.
const TOKEN: [(&str, &str); 3] = [
    ("\"GET\"", "\"POST\""),
    (".example/me\"", ".example/token\""),
    (
        "auth = { style = \"bearer\" }",
        "auth = { style = \"bearer\" }\nform = { grant_type = \"client_credentials\" }",
    ),
];

#[track_caller]
fn told(changes: &[(&str, &str)]) -> String {
    let mut probe = PROBE.to_owned();
    for (from, to) in changes {
        assert_eq!(probe.matches(from).count(), 1, "{from:?} is not there once in {probe}");
        probe = probe.replace(from, to);
    }
    read(&with_probe(PROVE, &probe))
}

/// The guide with this step, and with this probe in the place of its reason.
fn with_probe(prove: &str, probe: &str) -> String {
    const SEE: &str = "[[rotate]]\nid = \"see\"";
    assert_eq!(SOUND.matches(SEE).count(), 1);
    SOUND
        .replacen("no_probe = \"nobody knows how\"\n", "", 1)
        .replacen(SEE, &format!("{prove}{SEE}"), 1)
        .replacen("[negative]", probe, 1)
}

fn read(text: &str) -> String {
    Guide::read(text).map_or_else(|flaw| flaw.to_string(), |_| "sound".to_owned())
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
    assert!(told(&[("\"GET\"", "\"HEAD\"")]).contains("HEAD"));
}

/// A captive portal, a page that asks for a login and a proxy that says hello answer 200 as well.
#[test]
fn no_probe_accepts_a_status_alone() {
    for status in ["200", "204", "200, 201"] {
        let bare = [("[200], at = \"/id\",", &*format!("[{status}],"))];
        for found in [told(&bare), told(&[&TOKEN[..], &bare].concat())] {
            assert!(found.contains("accepts a status alone"), "{status}: {found}");
        }
    }
    let anywhere = [("at = \"/id\"", "contains = \"whose\"")];
    assert_eq!(told(&anywhere), "sound");
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
            "at = \"/id\"",
            "at = \"/id\", contains = \"x\"",
            "at one place, or anywhere",
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
    assert!(read(&both).contains("either a probe, or a reason"));
    let neither = SOUND.replacen("no_probe = \"nobody knows how\"\n", "", 1);
    assert!(read(&neither).contains("either a probe, or a reason"));
}

#[test]
fn what_can_be_tried_has_a_step_in_which_it_is() {
    let none = "no step of every rotation stands for the try";
    assert_eq!(read(&with_probe(PROVE, PROBE)), "sound");
    assert!(read(&with_probe("", PROBE)).contains(none));
    let later = PROVE.replace("verified", "delivered");
    assert!(read(&with_probe(&later, PROBE)).contains(none));
    // A step that only some take proves nothing for the others; one that all take whom the probe is for proves it for them.
    let choice = "[[input]]\nname = \"way\"\ndefault = \"one\"\npattern = 'one|other'\nhelp = \"how\"\n\n";
    let only = "only = [{ input = \"way\", is = \"one\" }]\n";
    let some = format!("{choice}{}", PROVE.replace("phase", &format!("{only}phase")));
    assert!(read(&with_probe(&some, PROBE)).contains(none));
    let for_them = PROBE.replace("secret = ", &format!("{only}secret = "));
    assert_eq!(read(&with_probe(&some, &for_them)), "sound");
    // Where the old credential alone is tried, nothing waits for it.
    let of_the_old = PROBE.replace("secret = ", "credential = \"present\"\nsecret = ");
    assert_eq!(read(&with_probe("", &of_the_old)), "sound");
}
