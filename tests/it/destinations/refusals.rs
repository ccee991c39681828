//! What is not delivered to, and in which words. None of it may touch the file, or name the secret.

use super::*;

/// Every way in refuses, in these words; nothing in the folder changes.
#[track_caller]
fn told(place: &Place, refusals: &[String], words: &str, before: &[(PathBuf, Vec<u8>, u32, i64, i64)]) {
    for told in refusals {
        assert!(told.contains(words), "`{words}` is missing: {told}");
        assert!(told.contains(&place.path().display().to_string()), "which file? {told}");
    }
    assert_eq!(place.listing(), before);
}

async fn refuse(place: &Place, words: &str) {
    let before = place.listing();
    let destination = place.destination();
    let refusals = [
        destination
            .inspect()
            .await
            .expect_err("inspect should refuse")
            .to_string(),
        destination
            .rehearse()
            .await
            .expect_err("rehearse should refuse")
            .to_string(),
        destination
            .deliver(&new_key())
            .await
            .expect_err("deliver should refuse")
            .to_string(),
    ];
    told(place, &refusals, words, &before);
}

#[tokio::test]
async fn a_link_a_pipe_or_a_folder_in_the_files_place_is_refused() {
    for sort in SORTS {
        let place = Place::empty(sort);
        let elsewhere = place.folder.path().join("elsewhere");
        std::fs::write(&elsewhere, sort.found).expect("the folder is ours");
        std::os::unix::fs::symlink(&elsewhere, place.path()).expect("a link can be made");
        refuse(&place, "it is a symbolic link; name the file itself").await;

        let place = Place::empty(sort);
        let (pipe, owner) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600));
        rustix::fs::mknodat(rustix::fs::CWD, place.path(), pipe, owner, 0).expect("a pipe can be made");
        // Opening a pipe that nobody writes to would wait for ever.
        let refused = tokio::time::timeout(std::time::Duration::from_secs(20), refuse(&place, "not a regular file"));
        refused.await.expect("it does not wait for a writer");

        let place = Place::empty(sort);
        std::fs::create_dir(place.path()).expect("a folder can be made");
        refuse(&place, "not a regular file").await;
    }
}

#[tokio::test]
async fn a_file_that_others_may_read_or_write_is_refused() {
    for sort in SORTS {
        for mode in [0o644, 0o604, 0o660, 0o602] {
            let place = Place::with(sort, sort.found);
            place.chmod(mode);
            refuse(&place, &format!("other users may read or write it (mode {mode:04o})")).await;
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_missing_or_none_is_refused() {
    let parent = Place::empty(JSON);
    let name = format!("file:{}/missing/key.json", parent.folder.path().display());
    let destination = delivery::parse(SECRET, &name).expect("the name is one");
    let told = destination.inspect().await.expect_err("there is no folder").to_string();
    assert!(told.contains("missing does not exist"), "{told}");
    destination.deliver(&new_key()).await.expect_err("there is no folder");
    assert!(parent.listing().is_empty());
    std::fs::write(parent.folder.path().join("missing"), "a file").expect("the folder is ours");
    let told = destination.rehearse().await.expect_err("it is no folder").to_string();
    assert!(
        told.contains("missing is not a folder") || told.contains("cannot be looked at"),
        "{told}"
    );
}

#[tokio::test]
async fn content_that_is_something_else_is_refused() {
    for sort in SORTS {
        refuse(
            &Place::with(sort, b"\xff\xfe\x00latin"),
            "it is not UTF-8 text; rotate leaves it alone",
        )
        .await;
    }
    for document in [
        "{\"a\": 1}",
        "[]",
        "not JSON",
        "{\"Version\":2,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}",
    ] {
        let words = "it exists and is not a credential_process document of version 1 with a long-term key alone; \
                     rotate leaves it alone";
        refuse(&Place::with(JSON, document), words).await;
    }
    let twice = format!("{}\n[gainsight]\n", PROFILE.found);
    refuse(&Place::with(PROFILE, twice), "the profile stands in it twice").await;
    refuse(
        &Place::with(ENV, format!("{}\nPORT=81\n", ENV.found)),
        "a name is assigned twice in it",
    )
    .await;
    let token = PROFILE.found.replace("region", "aws_session_token");
    refuse(&Place::with(PROFILE, token), "it holds a session token").await;
    let token = ENV.found.replace("LAST", "AWS_SESSION_TOKEN");
    refuse(&Place::with(ENV, token), "it holds a session token").await;
}

#[tokio::test]
async fn a_credential_process_document_with_more_in_it_is_refused() {
    // The document is written anew, so whatever else is in it would be lost without a word.
    for field in ["SessionToken", "Expiration", "Region"] {
        let more = JSON.found.replace('}', &format!(", \"{field}\": \"x\"}}"));
        let place = Place::with(JSON, more);
        assert!(place.destination().inspect().await.is_err(), "{field}");
    }
}

#[tokio::test]
async fn a_credential_cannot_bring_lines_of_its_own() {
    let bad = [
        "x\n[default]\naws_access_key_id = EVIL",
        "x\r\nAWS_PROFILE=evil",
        "x\ny",
        "x\0y",
        "x y",
        "x\"y",
        "x'; evil",
        "x # y",
        "x\\ny",
    ];
    for place in SORTS
        .into_iter()
        .flat_map(|sort| [Place::empty(sort), Place::with(sort, sort.found)])
    {
        for bad in bad {
            let before = place.listing();
            let refused = place.destination().deliver(&credential(NEW_ID, bad)).await;
            assert!(
                refused.is_err(),
                "{bad:?} was written to {}: {:?}",
                place.sort.file,
                place.bytes()
            );
            assert_eq!(place.listing(), before);
            assert!(KeyId::parse(bad).is_err(), "{bad:?} is the name of a key");
        }
    }
}

#[tokio::test]
async fn an_empty_credential_is_not_delivered() {
    for sort in SORTS {
        let place = Place::with(sort, sort.found);
        let empty = credential(NEW_ID, "");
        assert!(
            place.destination().deliver(&empty).await.is_err(),
            "{:?}",
            place.bytes()
        );
        assert_eq!(place.bytes().as_deref(), Some(sort.found));
    }
    assert!(KeyId::parse("").is_err());
}

#[tokio::test]
async fn a_secret_with_characters_that_mean_something_is_refused() {
    for place in SORTS
        .into_iter()
        .flat_map(|sort| [Place::empty(sort), Place::with(sort, sort.found)])
    {
        let before = place.bytes();
        for odd in ["]x[default]=y", "a$(id)", "a`id`", "a;b", "a#b", "a&b", "a b", ""] {
            let odd = credential(NEW_ID, odd);
            assert!(place.destination().deliver(&odd).await.is_err());
            assert_eq!(place.bytes(), before);
        }
    }
}

#[test]
fn a_name_that_no_destination_can_have_is_refused_with_what_to_write_instead() {
    for (name, words) in [
        ("", "write file:PATH.json, file:PATH.env or aws-profile:NAME[@FILE]"),
        ("key.json", "write file:PATH.json"),
        ("s3:bucket", "write file:PATH.json"),
        ("file:/tmp/key.txt", "must end in .json"),
        ("file:/tmp/key", "must end in .json"),
        ("file:", "names no file"),
        ("file:/", "names no file"),
        ("file:/tmp/a\nb.json", "characters that cannot be written down"),
        ("aws-profile:", "the profile's name is empty"),
        ("aws-profile:@/tmp/credentials", "the profile's name is empty"),
        ("aws-profile: x@/tmp/credentials", "the profile's name"),
        ("aws-profile:x]\n[y@/tmp/credentials", "the profile's name"),
        ("aws-profile:x]@/tmp/credentials", "the profile's name"),
        ("aws-profile:x#@/tmp/credentials", "the profile's name"),
    ] {
        let told = match delivery::parse(SECRET, name) {
            Ok(destination) => panic!("{name:?} was taken for {}", destination.name()),
            Err(error) => error.to_string(),
        };
        assert!(told.contains(words), "{name:?}: {told}");
    }
}

#[tokio::test]
async fn no_error_shows_a_secret_in_any_form() {
    let broken = |sort: Sort| {
        [
            Place::with(sort, format!("\u{0}{}", sort.found).into_bytes()),
            Place::with(sort, [sort.found.as_bytes(), b"\xff"].concat()),
            Place::with(sort, format!("{0}\n{0}", sort.found)),
            Place::with(
                sort,
                sort.found
                    .replace("region", "aws_session_token")
                    .replace("PORT", "AWS_SESSION_TOKEN"),
            ),
        ]
    };
    let mut errors = Vec::new();
    for place in SORTS.into_iter().flat_map(broken) {
        let destination = place.destination();
        for bad in [
            new_key(),
            credential(NEW_ID, "CANARY in two\nlines"),
            credential(NEW_ID, "CANARY\0"),
        ] {
            errors.extend(destination.deliver(&bad).await.err());
        }
        errors.extend(destination.inspect().await.err());
        errors.extend(destination.rehearse().await.err());
        std::fs::remove_file(place.path()).expect("it is ours");
        std::fs::create_dir(place.path()).expect("a folder can be made");
        errors.extend(destination.content().await.err());
        errors.extend(destination.holds(&new_key()).await.err());
        errors.extend(destination.restore(&new_key(), &Secret::new(OLD_SECRET)).await.err());
    }
    assert!(errors.len() > 60, "only {} errors", errors.len());
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("CANARY"), "a secret is shown");
    }
}
