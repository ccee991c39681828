//! A folder that is swapped in the middle of a delivery by the user who owns it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rotate::delivery::{self, Fields};
use rotate::private_file::{self, Folder, Place};
use rotate_providers::contract::{KeyId, PublicHalf};
use rotate_providers::s3_customer_managed::SECRET;
use rotate_providers::secret::{Credential, Secret};
use rotate_providers::snowflake_keypair;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::destinations::filled;
use crate::files::limit::{OTHER, file_of, folder_of, link_of};

/// How often.
const SWAPS: usize = 10_000;

fn key() -> Fields {
    let key = Credential {
        key: KeyId::parse("AKIANEW").expect("the name of a key"),
        public: None,
        secret: Secret::new(*b"new"),
    };
    filled(SECRET, &key)
}

fn pair() -> Fields {
    let pair = Credential {
        key: KeyId::parse("SHA256:x").expect("the name of a key"),
        public: Some(PublicHalf::new("AAAA")),
        secret: Secret::new(*b"private"),
    };
    filled(snowflake_keypair::SECRET, &pair)
}

fn exchange(one: &Path, other: &Path) {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).expect("the file system exchanges two names");
}

/// All names and bytes in a folder.
fn listing(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("it can be read");
    let mut all: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("it can be read").path();
            (path.display().to_string(), fs::read(&path).expect("it can be read"))
        })
        .collect();
    all.sort();
    all
}

/// A home of another user with a folder `app` in it, a link `trap` of theirs to a folder that only root may write, and that folder.
fn ground() -> tempfile::TempDir {
    let ground = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| ground.path().join(name);
    folder_of(&at("home"), OTHER, 0o755);
    folder_of(&at("home/app"), OTHER, 0o755);
    folder_of(&at("root"), 0, 0o755);
    for name in ["x.json", "x.env", "creds"] {
        file_of(&at("home/app").join(name), OTHER, "");
        file_of(&at("root").join(name), 0, "");
    }
    link_of(&at("root"), &at("home/trap"), OTHER);
    ground
}

#[tokio::test]
async fn a_folder_that_its_owner_swaps_ten_thousand_times_never_leads_a_delivery_elsewhere() {
    let ground = ground();
    let (app, trap) = (ground.path().join("home/app"), ground.path().join("home/trap"));
    let before = listing(&ground.path().join("root"));
    // Understood while the folder is what it is said to be.
    let parse = |name: &str| delivery::parse(SECRET, name).unwrap_or_else(|error| panic!("{error}"));
    let destinations = [
        parse(&format!("file:{}/x.json", app.display())),
        parse(&format!("file:{}/x.env", app.display())),
        parse(&format!("aws-profile:acme@{}/creds", app.display())),
    ];
    let done = Arc::new(AtomicBool::new(false));
    let (swapping, ended) = (app.clone(), Arc::clone(&done));
    let swapper = std::thread::spawn(move || {
        for _ in 0..SWAPS {
            exchange(&swapping, &trap);
        }
        ended.store(true, Ordering::SeqCst);
    });
    // At least once each, however fast the other one is.
    loop {
        let is_last = done.load(Ordering::SeqCst);
        for destination in &destinations {
            let held = destination.content().await;
            let _ = destination.rehearse().await;
            let _ = destination.deliver(&key()).await;
            if let Ok(held) = held {
                let _ = destination.restore(&key(), &held).await;
            }
        }
        if is_last {
            break;
        }
    }
    swapper.join().expect("it swaps to the end");
    assert_eq!(
        listing(&ground.path().join("root")),
        before,
        "root's own folder was written to"
    );
    // An even number of times: it is a folder again, and the delivery works.
    for destination in &destinations {
        let delivered = destination.deliver(&key()).await;
        delivered.unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(listing(&ground.path().join("root")), before);
}

#[tokio::test]
async fn a_folder_that_was_swapped_for_a_link_is_refused_in_words_that_name_it() {
    let ground = ground();
    let (app, trap) = (ground.path().join("home/app"), ground.path().join("home/trap"));
    let before = listing(&ground.path().join("root"));
    let destination = delivery::parse(SECRET, &format!("file:{}/x.json", app.display())).expect("the name is one");
    exchange(&app, &trap);
    for refused in [
        destination.inspect().await.map(drop),
        destination.rehearse().await,
        destination.deliver(&key()).await,
        destination.holds(&key()).await.map(drop),
        destination.restore(&key(), &Secret::new([0])).await.map(drop),
    ] {
        let told = refused.expect_err("it leads elsewhere").to_string();
        assert!(told.contains(&format!("{}", app.display())), "{told}");
        assert!(told.contains(&format!("symbolic link that user {OTHER}")), "{told}");
    }
    assert_eq!(listing(&ground.path().join("root")), before);
}

#[test]
fn what_is_begun_in_a_folder_ends_in_it_wherever_its_name_leads_by_then() {
    let ground = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| ground.path().join(name);
    folder_of(&at("one"), 0, 0o700);
    folder_of(&at("two"), 0, 0o700);
    file_of(&at("one/x"), 0, "first");
    file_of(&at("two/x"), 0, "second");
    let place = Place::of(&at("one/x")).expect("it is there");
    exchange(&at("one"), &at("two"));
    // What was called `one` is called `two` now.
    private_file::replace(&place, b"written").expect("it can be replaced");
    let text = |name: &str| fs::read_to_string(at(name)).expect("it is there");
    assert_eq!((text("two/x").as_str(), text("one/x").as_str()), ("written", "second"));
    let new = place.folder().place("new");
    private_file::create(&new, b"new").expect("it can be made");
    assert!(at("two/new").exists() && !at("one/new").exists());
    private_file::remove(&new).expect("it can be removed");
    private_file::rehearse(&place, 10).expect("it could be replaced");
    assert_eq!(listing(&at("one")).len() + listing(&at("two")).len(), 2);
}

#[tokio::test]
async fn a_key_file_is_not_made_through_a_link_of_somebody_else() {
    let ground = ground();
    let before = listing(&ground.path().join("root"));
    for folder in ["home/trap", "home/trap/../trap"] {
        let name = format!("file:{}/{folder}/key.p8", ground.path().display());
        let destination = delivery::parse(snowflake_keypair::SECRET, &name).expect("the name is one");
        let told = destination
            .deliver(&pair())
            .await
            .expect_err("it is a link")
            .to_string();
        assert!(told.contains("symbolic link that user"), "{told}");
    }
    assert_eq!(listing(&ground.path().join("root")), before);
}

#[test]
fn links_of_root_lead_where_they_lead_and_in_circles_they_are_told() {
    let ground = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| ground.path().join(name);
    folder_of(&at("real"), 0, 0o700);
    fs::create_dir(at("real/deep")).expect("the folder is ours");
    link_of(Path::new("real"), &at("relative"), 0);
    link_of(&at("relative/deep"), &at("absolute"), 0);
    link_of(&at("circle"), &at("circle"), 0);
    let real = Folder::open(&at("real/deep")).expect("it is there");
    for way in [
        "absolute",
        "relative/deep",
        "relative/../relative/./deep",
        "absolute/../deep",
    ] {
        let led = Folder::open(&at(way)).unwrap_or_else(|unfit| panic!("{way}: {unfit}"));
        assert_eq!(led.identity(), real.identity(), "{way}");
        assert_eq!(led.path(), real.path(), "{way}");
    }
    let told = Folder::open(&at("circle")).err().map(|unfit| unfit.to_string());
    assert!(
        told.as_ref().is_some_and(|told| told.contains("leads in circles")),
        "{told:?}"
    );
}
