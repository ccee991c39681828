use super::*;

fn sealer() -> (tempfile::TempDir, AgeSealer) {
    let folder = tempfile::tempdir().unwrap();
    let sealer = AgeSealer::create(&folder.path().join("identity.txt")).unwrap();
    (folder, sealer)
}

const fn purpose(name: &str) -> Purpose<'_> {
    Purpose {
        target: "main",
        rotation: "rotation",
        name,
    }
}

#[tokio::test]
async fn a_sealed_secret_opens_under_its_own_label_only() {
    let (_folder, sealer) = sealer();
    let sealed = sealer.seal(&purpose("new"), &Secret::new("s3cret")).await.unwrap();
    assert!(!sealed.windows(6).any(|bytes| bytes == b"s3cret"));
    assert_eq!(sealer.open(&purpose("new"), &sealed).await.unwrap().expose(), b"s3cret");
    for other in ["ne", "other"] {
        assert!(matches!(
            sealer.open(&purpose(other), &sealed).await,
            Err(SealError::Label)
        ));
    }
}

#[tokio::test]
async fn a_changed_or_foreign_sealed_secret_is_refused_and_says_by_whom_it_is_opened() {
    let (_folder, sealer) = sealer();
    let mut sealed = sealer.seal(&purpose("a"), &Secret::new("x")).await.unwrap();
    let (_other_folder, other) = self::sealer();
    let refused = other.open(&purpose("a"), &sealed).await.err().unwrap().to_string();
    for said in [sealer.recipient(), other.recipient()] {
        assert!(refused.contains(&said), "{refused}");
    }
    *sealed.last_mut().unwrap() ^= 1;
    assert!(matches!(
        sealer.open(&purpose("a"), &sealed).await,
        Err(SealError::Open)
    ));
}

#[tokio::test]
async fn what_was_sealed_before_anything_said_by_what_is_opened() {
    let (_folder, sealer) = sealer();
    let bare = sealer.to.encrypt("rotation/new", &Secret::new("old")).unwrap();
    assert!(bare.starts_with(b"age-encryption.org/v1\n"));
    assert_eq!(sealer.open(&purpose("new"), &bare).await.unwrap().expose(), b"old");
    let (_other_folder, other) = self::sealer();
    assert!(matches!(other.open(&purpose("new"), &bare).await, Err(SealError::Open)));
}

#[tokio::test]
async fn each_of_several_recipients_opens_it_and_whoever_is_none_of_them_seals_nothing() {
    let ((_one, one), (_other, other), (_third, third)) = (sealer(), sealer(), sealer());
    let (first, second) = (one.recipient(), other.recipient());
    let to = || Recipients::of([first.as_str(), second.as_str()]).unwrap();
    let one = one.sealing_to(to()).unwrap();
    let sealed = one.seal(&purpose("a"), &Secret::new("x")).await.unwrap();
    assert_eq!(other.open(&purpose("a"), &sealed).await.unwrap().expose(), b"x");
    assert!(third.open(&purpose("a"), &sealed).await.is_err());
    assert!(matches!(third.sealing_to(to()), Err(SealError::NotARecipient { .. })));
}

#[test]
fn identities_are_read_as_age_keygen_writes_them_and_nothing_of_any_other_line_is_told() {
    let (one, other) = (Identity::generate(), Identity::generate());
    let text = format!(
        "# created: 2026-11-28\n# public key: {}\n{}\n\n{}\n",
        one.to_public(),
        one.to_string().expose_secret(),
        other.to_string().expose_secret()
    );
    assert_eq!(understood(&Secret::new(text)).unwrap().len(), 2);
    for wrong in [
        "",
        "# nothing",
        "AGE-SECRET-KEY-1BANANA",
        "age1banana",
        "ssh-ed25519 AAAA",
    ] {
        let why = understood(&Secret::new(wrong)).err().unwrap();
        assert!(
            !why.contains("BANANA") && !why.contains("banana") && !why.contains("AAAA"),
            "{why}"
        );
    }
}

#[test]
fn an_identity_in_the_place_of_a_recipient_is_told_and_not_shown() {
    let identity = Identity::generate();
    let text = identity.to_string();
    let why = Recipients::of([text.expose_secret()]).err().unwrap();
    assert!(
        why.contains("this is an identity") && !why.contains(text.expose_secret()),
        "{why}"
    );
    assert!(Recipients::of([]).is_err());
    assert!(Recipients::of(["age1banana"]).is_err());
}

#[test]
fn an_identity_is_never_overwritten_and_never_read_from_a_public_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _sealer) = sealer();
    let path = folder.path().join("identity.txt");
    let before = std::fs::read(&path).unwrap();
    assert!(AgeSealer::create(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(AgeSealer::open(&path).is_err());
}
