//! The program's own files are no destinations, by whatever name, and no link leads it to others.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use rotate_fixtures::workplace::{TARGET, USER};
use rotate_fixtures::{FleetWorkplace, Ran, Workplace};

use crate::files::limit::{Odd, ended, file_of};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

#[test]
fn a_name_of_our_own_files_is_refused_in_every_folder_as_it_is_written() {
    let place = Workplace::new(ROTATE);
    for name in [
        "identity.age",
        "rotate.lock",
        "rotate.db",
        "rotate.db-wal",
        "rotate.db-shm",
        "rotate.toml",
    ] {
        let ran = Ran::of(place.rotate_to(&[&format!("aws-profile:acme@{name}")], [""; 0]));
        ran.expect(64).says(&[name, "rotate's own files"]);
    }
    let left = Ran::of(place.rotate_to(&["aws-profile:acme@.key.json.rotate-new"], [""; 0]));
    left.expect(64).says(&["rotate's own files"]);
    assert_eq!(place.cloud.call_count(), 0);
    let mut fleet = FleetWorkplace::new(ROTATE);
    fleet.configure(&format!(
        "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nuser = \"{USER}\"\nbucket = \"data\"\n\
         deliver = [\"aws-profile:acme@/etc/x/rotate.toml\"]\n"
    ));
    fleet
        .run(["plan"])
        .expect(64)
        .says(&["rotate.toml:6", "deliver", "rotate's own files"]);
}

#[test]
fn our_own_files_are_refused_by_what_they_are_whatever_they_are_called() {
    let place = Workplace::new(ROTATE);
    // The state is there, and belongs to another target.
    Ran::of(place.rotate([""; 0])).expect(0);
    let before = place.cloud.keys_of(USER).len();
    let refused = |destination: &str, words: &[&str]| {
        let mut rotate = place.command(["s3-customer-managed", "--user", "second", "--bucket", "acme-data"]);
        rotate.args(["--deliver", destination]);
        Ran::of(rotate).expect(1).says(words).says(&["nothing was changed"]);
    };
    place.cloud.add_user("second");
    let second = place.cloud.add_key("second");
    for name in ["identity.age", "rotate.db", "rotate.lock"] {
        let alias = place.path("alias.json");
        fs::hard_link(place.state().join(name), &alias).expect("a second name can be made");
        refused(
            "file:alias.json",
            &["alias.json", &format!("it is {}", place.state().join(name).display())],
        );
        refused("aws-profile:acme@alias.json", &["alias.json", name]);
        let inode = |path: &std::path::Path| path.metadata().expect("it is there").ino();
        assert_eq!(inode(&alias), inode(&place.state().join(name)), "{name} was replaced");
        fs::remove_file(alias).expect("it is ours");
    }
    refused("file:state/key.json", &["where rotate keeps its state"]);
    symlink(place.state(), place.path("elsewhere")).expect("a link can be made");
    refused("file:elsewhere/key.env", &["where rotate keeps its state"]);
    fs::create_dir(place.state().join("below")).expect("it is ours");
    refused("file:state/below/key.json", &["where rotate keeps its state"]);
    assert_eq!(place.cloud.keys_of("second").len(), 1);
    assert!(place.cloud.works(&second.id, &second.secret));
    assert_eq!(place.cloud.keys_of(USER).len(), before);
    place.run(["audit", "verify"]).expect(0);
}

#[test]
fn the_configuration_is_no_destination_under_another_name_either() {
    let mut place = FleetWorkplace::new(ROTATE);
    place.configure("[defaults]\ncutover = \"immediate\"\nsoak = \"0s\"\n");
    let config = place.path("rotate.toml");
    place.add_user("one", jiff::SignedDuration::from_hours(24 * 179), "");
    fs::hard_link(&config, place.delivered("one")).expect("a second name can be made");
    fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    let before = fs::read(&config).expect("it is ours");
    place.run(["plan"]).expect(1);
    let ran = place.run(["run"]).expect(1);
    ran.says(&["it is the configuration of rotate"]);
    assert_eq!(fs::read(&config).expect("it is ours"), before);
    assert_eq!(place.keys("one").len(), 1);
}

#[test]
fn a_lock_that_is_a_link_is_refused_and_what_it_leads_to_is_kept() {
    let place = Workplace::new(ROTATE);
    Ran::of(place.rotate([""; 0])).expect(0);
    let lock = place.state().join("rotate.lock");
    fs::remove_file(&lock).expect("it is ours");
    file_of(&place.path("victim"), 0, "precious");
    symlink(place.path("victim"), &lock).expect("a link can be made");
    let calls = place.cloud.call_count();
    place
        .run(["confirm", TARGET])
        .expect(1)
        .says(&["rotate.lock", "symbolic link", "nothing was touched"]);
    symlink(place.path("nowhere"), place.path("dangling")).expect("a link can be made");
    fs::rename(place.path("dangling"), &lock).expect("it is ours");
    place
        .run(["confirm", TARGET])
        .expect(1)
        .says(&["rotate.lock", "symbolic link"]);
    assert!(!place.path("nowhere").exists());
    assert_eq!(fs::read_to_string(place.path("victim")).expect("text"), "precious");
    assert_eq!(place.cloud.call_count(), calls);
}

#[test]
fn manual_pages_are_written_through_no_link() {
    let place = Workplace::new(ROTATE);
    fs::create_dir(place.path("man1")).expect("the folder is ours");
    file_of(&place.path("victim"), 0, "precious");
    let page = place.path("man1/rotate-run.1");
    symlink(place.path("victim"), &page).expect("a link can be made");
    place.run(["man", "man1"]).expect(1).says(&["man1", "symbolic link"]);
    assert_eq!(fs::read_to_string(place.path("victim")).expect("text"), "precious");
    fs::remove_file(&page).expect("it is ours");
    for odd in Odd::ALL {
        odd.put(&page);
        ended(place.command(["man", "man1"]), "a page")
            .expect(1)
            .says(&[odd.words()]);
        odd.remove(&page);
    }
    // Twice: what is there already is replaced, and nothing is left beside it.
    for _ in 0..2 {
        place.run(["man", "man1"]).expect(0);
    }
    let text = fs::read_to_string(&page).expect("it was written");
    assert!(text.contains(".TH"), "{text}");
    let mut names = fs::read_dir(place.path("man1")).expect("it is ours");
    assert!(names.all(|name| {
        name.expect("it can be read")
            .file_name()
            .to_string_lossy()
            .ends_with(".1")
    }));
}
