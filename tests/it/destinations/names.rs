//! Names of destinations with options, and what two of them share.

use rotate::delivery::{self, Options, named, same_place};
use rotate_providers::s3_customer_managed::SECRET;
use rotate_providers::snowflake_keypair;

fn told(name: &str) -> String {
    match delivery::parse(SECRET, name) {
        Ok(destination) => panic!("{name:?} was taken for {}", destination.name()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_option_that_nobody_knows_or_that_says_nothing_is_told_of() {
    for (name, words) in [
        ("exec:", "it names no program"),
        ("exec:put", "write the whole path of the program"),
        ("exec:/bin/put 'a", "a quote that nothing ends"),
        (
            "exec:?can=fly /bin/put",
            "its option can: write verify, restore or both",
        ),
        (
            "exec:?timeout=2h /bin/put",
            "its option timeout: write a time from 1s to 10m",
        ),
        ("exec:?env=A=B /bin/put", "its option env: write names of variables"),
        ("exec:?colour=red /bin/put", "its option colour: it is not known here"),
        ("exec:?can /bin/put", "not written as option=value"),
        (
            "exec:?can=verify&can=restore /bin/put",
            "its option can: it is given twice",
        ),
        ("exec:?user=account /bin/put", "another field is called that there"),
        ("file:/tmp/a.env?access_key_id=1A", "it is no name of a variable"),
        ("file:/tmp/a.env?access_key_id=", "it is empty"),
        ("file:/tmp/a.env?user=USER", "does not go there"),
        ("file:/tmp/a.env?env=eyJhbGciOiJIUzI1NiJ9abc", "looks like a secret"),
    ] {
        let told = told(name);
        assert!(told.contains(words), "{name:?}: {told}");
    }
}

#[cfg(feature = "vault-kv")]
#[test]
fn a_secret_of_a_key_value_store_that_is_named_wrongly_is_told_of() {
    for (rest, words) in [
        ("", "it names no secret: write vault-kv:MOUNT/PATH"),
        ("secret", "it names no secret"),
        ("secret/", "it names no secret"),
        ("/secret/app", "it names no secret"),
        ("secret//app", "it names no secret"),
        ("secret/../app", "it names no secret"),
        ("secret/a*", "it names no secret"),
        ("secret/a%2f", "it names no secret"),
        ("secret/data/app", "without the data/ of the API"),
        (
            "secret/app?address=http://store.example",
            "its option address: write https://HOST:PORT",
        ),
        (
            "secret/app?address=https://store.example/?a",
            "its option address: write https://HOST:PORT",
        ),
        ("secret/app?namespace=a%0ab", "characters that cannot be written down"),
        ("secret/app?namespace=a/../b", "its option namespace"),
        (
            "secret/app?token_file=token",
            "its option token_file: write the whole path",
        ),
        (
            "secret/app?token_env=A-B",
            "its option token_env: write the name of a variable",
        ),
        (
            "secret/app?token_file=/t&token_env=T",
            "its option token_file: one place is enough",
        ),
        ("secret/app?role_id=r", "secret id is missing"),
        ("secret/app?secret_id_file=/s", "its option role_id: it is missing"),
        (
            "secret/app?account_token_file=/s",
            "its option kubernetes_role: it is missing",
        ),
        ("secret/app?auth_mount=a", "its option auth_mount: it goes with"),
        (
            "secret/app?role_id=r&secret_id_file=/s&token_file=/t",
            "one way to log in is enough",
        ),
        (
            "secret/app?kubernetes_role=r&token_file=/t",
            "one way to log in is enough",
        ),
        (
            "secret/app?token=hvs.CAESIJlU9JMYEhOPYv4igdhm9PnZDrabYTobQ4Ymnlq1qY",
            "its option token:",
        ),
        (
            "secret/app?plain=secret_access_key",
            "its option plain: it is not known here",
        ),
    ] {
        let told = told(&format!("vault-kv:{rest}"));
        assert!(told.contains(words), "{rest:?}: {told}");
        assert!(!told.contains("hvs."), "{told}");
    }
}

#[cfg(feature = "vault-kv")]
#[test]
fn what_a_rotation_keeps_of_a_key_value_store_is_the_same_place() {
    let name = "vault-kv:secret/app?namespace=team";
    let pinned =
        "vault-kv:secret/app?created=2026-01-01T00:00:01.5Z&mount=0198f3a0-0000-7000-8000-00000000000a&namespace=team";
    let again = delivery::parse(SECRET, pinned).map(|again| again.name().to_owned());
    assert_eq!(again.ok().as_deref(), Some(pinned));
    assert!(same_place(name, pinned));
    assert!(!same_place("vault-kv:secret/app", pinned));
}

#[test]
fn a_question_mark_in_the_path_of_a_file_is_a_letter_of_it() {
    for name in [
        "file:/tmp/what?/app.env",
        "file:/tmp/x.env?/app.env",
        "file:/tmp/a?b.json",
    ] {
        let destination = delivery::parse(SECRET, name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(destination.name(), name);
    }
}

#[test]
fn one_destination_has_one_name_however_its_options_are_written() {
    let one = delivery::parse(SECRET, "exec:?timeout=30s&can=verify   /bin/put  'a b' c").map(|d| d.name().to_owned());
    assert_eq!(
        one.ok().as_deref(),
        Some("exec:?can=verify&timeout=30s /bin/put 'a b' c")
    );
    let options = [("can", "verify"), ("timeout", "30s")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let options = Options::of(options).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(
        named("exec:/bin/put 'a b' c", &options),
        "exec:?can=verify&timeout=30s /bin/put 'a b' c"
    );
    assert!(same_place("store:x?region=a", "store:x?arn=y&region=a"));
    assert!(same_place("store:x", "store:x?arn=y"));
    assert!(!same_place("store:x?region=b", "store:x?arn=y&region=a"));
    assert!(!same_place("store:x", "store:z?arn=y"));
}

#[test]
fn a_variable_is_called_what_was_asked_for_even_where_that_is_the_name_of_the_field() {
    let names = |name: &str| {
        let parsed = delivery::parse(SECRET, name).unwrap_or_else(|error| panic!("{error}"));
        parsed.occupies().names.unwrap_or_default()
    };
    assert_eq!(
        names("file:/tmp/a.env?access_key_id=access_key_id"),
        ["access_key_id", "AWS_SECRET_ACCESS_KEY"]
    );
    assert_eq!(names("file:/tmp/a.env"), ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
}

#[test]
fn only_what_is_written_under_the_same_name_in_the_same_place_is_shared() {
    let occupied = |name: &str| {
        delivery::parse(SECRET, name)
            .map(|d| d.occupies())
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let usual = occupied("file:/tmp/a.env");
    assert_eq!(
        usual.shared_with(&occupied("file:/tmp/a.env")).as_deref(),
        Some("AWS_ACCESS_KEY_ID")
    );
    let half = occupied("file:/tmp/a.env?access_key_id=OTHER");
    assert_eq!(usual.shared_with(&half).as_deref(), Some("AWS_SECRET_ACCESS_KEY"));
    let other = occupied("file:/tmp/a.env?access_key_id=OTHER_ID&secret_access_key=OTHER");
    assert_eq!(usual.shared_with(&other), None);
    assert_eq!(usual.shared_with(&occupied("file:/tmp/b.env")), None);
    let json = occupied("file:/tmp/a.json");
    assert!(json.shared_with(&json).is_some());
    let pair = delivery::parse(snowflake_keypair::SECRET, "file:/tmp/a.p8").map(|d| d.occupies());
    let pair = pair.unwrap_or_else(|error| panic!("{error}"));
    assert!(pair.shared_with(&pair).is_some());
}
