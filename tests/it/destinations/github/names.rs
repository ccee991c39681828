//! How these destinations are written.

use rotate::delivery;
use rotate_providers::s3_customer_managed::SECRET as FORM;
use rotate_providers::snowflake_keypair;

#[test]
fn a_name_that_cannot_be_one_is_told_of() {
    for (name, words) in [
        ("github:", "write github:OWNER/REPO"),
        ("github:acme", "write github:OWNER/REPO"),
        ("github:acme/..", "write github:OWNER/REPO"),
        ("github:acme/app/prod", "write github:OWNER/REPO"),
        ("github:acme/app/environments/", "the name of its environment"),
        ("github:acme/app/environments/%FF", "is not UTF-8"),
        ("github:acme/app/environments/a%0Ab", "the name of its environment"),
        ("github:ac me/app", "write github:OWNER/REPO"),
        ("github-org:", "write github-org:NAME"),
        ("github-org:acme/app", "write github-org:NAME"),
        (
            "github:acme/app?app=codespaces",
            "its option app: write actions or dependabot",
        ),
        (
            "github:acme/app/environments/x?app=dependabot",
            "environments have secrets for actions alone",
        ),
        (
            "github:acme/app?api=http://ghe.acme.example/api/v3",
            "its option api: write it as https://",
        ),
        ("github:acme/app?api=https://u:p@ghe.example/api/v3", "its option api"),
        ("github:acme/app?token_env=A-B", "write the name of a variable"),
        ("github:acme/app?token_file=token", "write the whole path"),
        ("github:acme/app?token_env=A&token_file=/b", "token_env is given too"),
        ("github:acme/app?access_key_id=aws_id", "capitals, digits and _ alone"),
        ("github:acme/app?access_key_id=1ID", "capitals, digits and _ alone"),
        ("github:acme/app?access_key_id=GITHUB_ID", "are GitHub's own"),
        (
            "github:acme/app?user=AWS_ACCESS_KEY_ID",
            "another field is called that there",
        ),
        ("github:acme/app?repository_id=x", "write the number"),
        ("github:acme/app?opened=today", "write a time"),
        ("github:acme/app?absent=THEIRS", "no field is called that there"),
        ("github:acme/app?colour=red", "it is not known here"),
    ] {
        let told = match delivery::parse(FORM, name) {
            Ok(destination) => panic!("{name:?} was taken for {}", destination.name()),
            Err(error) => error.to_string(),
        };
        assert!(told.contains(words), "{name:?}: {told}");
    }
}

#[test]
fn one_place_has_one_name_whatever_it_is_pinned_to() {
    let name = |text: &str| {
        let parsed = delivery::parse(FORM, text).unwrap_or_else(|error| panic!("{error}"));
        parsed.name().to_owned()
    };
    assert_eq!(
        name("github:acme/app/environments/a%2Fb"),
        name("github:acme/app/environments/a/b")
    );
    assert_eq!(
        name("github:acme/app/environments/a b"),
        "github:acme/app/environments/a%20b"
    );
    let pinned = "github:acme/app?absent=AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY&opened=2026-01-10T12:00:00Z&owner_id=1&repository_id=2";
    assert_eq!(name(pinned), pinned);
    assert!(delivery::same_place(pinned, "github:acme/app"));
    assert!(!delivery::same_place(pinned, "github:acme/app?app=dependabot"));
}

#[test]
fn two_deliveries_to_one_secret_are_seen_however_its_place_is_written() {
    let occupied = |text: &str| {
        let parsed = delivery::parse(FORM, text).unwrap_or_else(|error| panic!("{error}"));
        parsed.occupies()
    };
    let usual = occupied("github:acme/app");
    let shared = |other: &str| usual.shared_with(&occupied(other));
    assert_eq!(
        shared("github:Acme/App?token_env=X").as_deref(),
        Some("AWS_ACCESS_KEY_ID")
    );
    assert_eq!(
        shared("github:acme/app?access_key_id=X").as_deref(),
        Some("AWS_SECRET_ACCESS_KEY")
    );
    assert_eq!(shared("github:acme/app?access_key_id=X&secret_access_key=Y"), None);
    assert_eq!(shared("github:acme/app?app=dependabot"), None);
    assert_eq!(shared("github:acme/app/environments/prod"), None);
    assert_eq!(shared("github:acme/app?api=https://ghe.example/api/v3"), None);
}

#[test]
fn a_key_pair_goes_there_too() {
    let parsed = delivery::parse(snowflake_keypair::SECRET, "github:acme/app");
    let names = parsed.unwrap_or_else(|error| panic!("{error}")).occupies().names;
    assert_eq!(names, Some(vec!["PUBLIC_KEY".to_owned(), "PRIVATE_KEY".to_owned()]));
}
