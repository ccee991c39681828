//! What every destination is promised to do, once, over all of them: each is reached through `delivery::parse`, as by the driver.
//!
//! A new destination joins with an implementation of [`Ground`] and its entry in [`grounds`]; one that is reached over a network
//! with an implementation of [`stores::Store`], which is promised more: what happens between its requests.

mod stores;

#[cfg(feature = "vault-kv")]
mod key_value;

#[cfg(feature = "github")]
mod on_github;

use std::collections::BTreeMap;

use rotate::delivery::{Capabilities, Fault, Inspected, KINDS};
use rotate_providers::contract::PublicHalf;
use rotate_providers::snowflake_keypair;

use super::exec::program_in_examples;
use super::*;

/// One destination, and what is around it.
trait Ground {
    /// How it is called.
    fn name(&self) -> String;
    fn form(&self) -> SecretForm;
    fn new_secret(&self) -> Fields;
    fn capabilities(&self) -> Capabilities;
    /// All that outlives a call: what is there, and what stands beside it.
    fn state(&self) -> BTreeMap<String, Vec<u8>>;
    /// Somebody else writes a secret of theirs there.
    fn overwritten(&self);
    /// Whether what stands beside ours is still there.
    fn has_its_neighbours(&self) -> bool;

    fn destination(&self) -> Box<dyn Destination> {
        delivery::parse(self.form(), &self.name()).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Files, and programs that keep a secret in one.
struct OnDisk {
    folder: TempDir,
    name: fn(&Path) -> String,
    form: SecretForm,
    /// The file that holds it.
    file: &'static str,
    neighbour: &'static str,
    capabilities: Capabilities,
}

impl Ground for OnDisk {
    fn name(&self) -> String {
        (self.name)(&self.folder.path().join(self.file))
    }

    fn form(&self) -> SecretForm {
        self.form
    }

    fn new_secret(&self) -> Fields {
        if self.file.ends_with(".p8") {
            let pair = Credential {
                key: KeyId::parse("SHA256:CANARYfingerprint").expect("the name of a key"),
                public: Some(PublicHalf::new("AAAA")),
                secret: Secret::new(*b"-----BEGIN PRIVATE KEY-----\nCANARYnew\n-----END PRIVATE KEY-----\n"),
            };
            return filled(self.form, &pair);
        }
        new_key()
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder can be read");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        // What a program keeps for its own restore is its own.
        let names = names.filter(|name| !name.ends_with(".before"));
        names
            .map(|name| {
                let bytes = std::fs::read(self.folder.path().join(&name)).expect("it is ours");
                (name, bytes)
            })
            .collect()
    }

    fn overwritten(&self) {
        let path = self.folder.path().join(self.file);
        let text = std::fs::read_to_string(&path).expect("it was delivered");
        std::fs::write(&path, text.replace("CANARYnew", "SOMEONEelses")).expect("it is ours");
    }

    fn has_its_neighbours(&self) -> bool {
        let held = std::fs::read_to_string(self.folder.path().join(self.file)).unwrap_or_default();
        held.contains(self.neighbour)
    }
}

fn on_disk(name: fn(&Path) -> String, file: &'static str, found: Option<&'static str>) -> OnDisk {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    if let Some(found) = found {
        let path = folder.path().join(file);
        std::fs::write(&path, found).expect("the folder is ours");
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
    }
    OnDisk {
        folder,
        name,
        form: SECRET,
        file,
        neighbour: "",
        capabilities: Capabilities::READABLE,
    }
}

const STORE: &str = r#"{"theirs":"kept", "number": 123456789012345678901234567890}"#;

fn grounds() -> Vec<Box<dyn Ground>> {
    let mut grounds = on_this_machine();
    #[cfg(feature = "vault-kv")]
    grounds.extend([
        Box::new(key_value::KeyValue::strict()) as Box<dyn Ground>,
        Box::new(key_value::KeyValue::real()),
    ]);
    #[cfg(feature = "github")]
    grounds.extend(on_github::grounds());
    grounds
}

fn on_this_machine() -> Vec<Box<dyn Ground>> {
    let file = |path: &Path| format!("file:{}", path.display());
    let profile = |path: &Path| format!("aws-profile:gainsight@{}", path.display());
    let renamed = |path: &Path| {
        format!(
            "file:{}?access_key_id=S3_ID&secret_access_key=S3_SECRET",
            path.display()
        )
    };
    let by_shell = |path: &Path| {
        let program = program_in_examples("keep-in-file.sh");
        format!("exec:?can=verify,restore {} {}", program.display(), path.display())
    };
    let by_python = |path: &Path| {
        let program = program_in_examples("merge_into_json.py");
        format!("exec:?can=verify {} {}", program.display(), path.display())
    };
    let blind = |path: &Path| {
        let program = program_in_examples("keep-in-file.sh");
        format!("exec:{} {}", program.display(), path.display())
    };
    let on_disk: Vec<Box<dyn Ground>> = vec![
        Box::new(on_disk(file, "new.json", None)),
        Box::new(on_disk(file, JSON.file, Some(JSON.found))),
        Box::new(OnDisk {
            neighbour: "PORT=80",
            ..on_disk(file, ENV.file, Some(ENV.found))
        }),
        Box::new(OnDisk {
            neighbour: "AWS_ACCESS_KEY_ID=\"AKIAOLD\"",
            ..on_disk(renamed, ENV.file, Some(ENV.found))
        }),
        Box::new(OnDisk {
            neighbour: "aws_secret_access_key = theirs",
            ..on_disk(profile, PROFILE.file, Some(PROFILE.found))
        }),
        Box::new(OnDisk {
            form: snowflake_keypair::SECRET,
            capabilities: Capabilities {
                conditional: true,
                ..Capabilities::READABLE
            },
            ..on_disk(file, "key.p8", None)
        }),
        Box::new(OnDisk {
            capabilities: Capabilities {
                versioned: true,
                ..Capabilities::READABLE
            },
            ..on_disk(by_shell, "kept", Some("{\"password\":\"old\"}\n"))
        }),
        Box::new(OnDisk {
            neighbour: "\"kept\"",
            capabilities: Capabilities {
                readable: true,
                ..Capabilities::WRITE_ONLY
            },
            ..on_disk(by_python, "store.json", Some(STORE))
        }),
        Box::new(OnDisk {
            capabilities: Capabilities::WRITE_ONLY,
            ..on_disk(blind, "sent", None)
        }),
    ];
    let all = on_disk.into_iter();
    #[cfg(feature = "github")]
    let all = all.chain(on_github::grounds());
    all.collect()
}

#[tokio::test]
async fn what_is_delivered_is_held_and_a_repeat_changes_nothing() {
    for ground in grounds() {
        let (name, destination, secret) = (ground.name(), ground.destination(), ground.new_secret());
        let is_readable = destination.capabilities().readable;
        assert!(!destination.holds(&secret).await.expect("it can be asked"), "{name}");
        for _ in 0..2 {
            destination
                .deliver(&secret)
                .await
                .unwrap_or_else(|error| panic!("{error}"));
        }
        let once = ground.state();
        // A write-only one cannot say so, and is sent the same again.
        assert_eq!(
            destination.holds(&secret).await.expect("it can be asked"),
            is_readable,
            "{name}"
        );
        destination
            .deliver(&secret)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ground.state(), once, "{name}");
        assert!(ground.has_its_neighbours(), "{name}");
        assert!(
            once.values()
                .any(|bytes| String::from_utf8_lossy(bytes).contains("CANARYnew")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_a_destination_declares_is_what_it_does() {
    for ground in grounds() {
        let (name, destination, secret) = (ground.name(), ground.destination(), ground.new_secret());
        let can = destination.capabilities();
        assert_eq!(can, ground.capabilities(), "{name}");
        assert_eq!(can.is_write_only(), !can.readable);
        let before = ground.state();
        let held = destination.content().await.expect("it can be read");
        destination
            .deliver(&secret)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let restored = destination.restore(&secret, &held).await;
        if can.restores {
            assert_eq!(restored.expect("it can be put back"), Restored::PutBack, "{name}");
            assert_eq!(ground.state(), before, "{name}");
            let again = destination.restore(&secret, &held).await;
            assert_eq!(again.expect("a repeat finds it put back"), Restored::PutBack, "{name}");
            assert_eq!(ground.state(), before, "{name}");
        } else {
            let error = restored.expect_err("nobody has what was there");
            assert!(matches!(error.fault, Fault::NotRestorable), "{error}");
        }
    }
}

#[tokio::test]
async fn what_somebody_else_wrote_since_is_left_to_them() {
    for ground in grounds() {
        let (name, destination, secret) = (ground.name(), ground.destination(), ground.new_secret());
        let held = destination.content().await.expect("it can be read");
        destination
            .deliver(&secret)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        ground.overwritten();
        let theirs = ground.state();
        if destination.capabilities().readable {
            assert!(!destination.holds(&secret).await.expect("it can be asked"), "{name}");
        }
        if destination.capabilities().restores {
            let restored = destination.restore(&secret, &held).await;
            assert_eq!(restored.expect("it can be asked"), Restored::ChangedSince, "{name}");
        }
        assert_eq!(ground.state(), theirs, "{name}");
    }
}

#[tokio::test]
async fn looking_and_rehearsing_leave_no_trace_and_send_no_secret() {
    for ground in grounds() {
        let (name, destination) = (ground.name(), ground.destination());
        let before = ground.state();
        let looked = destination.inspect().await.unwrap_or_else(|error| panic!("{error}"));
        // Nobody has allowed this process to start programs while it looks.
        let is_program = name.starts_with("exec:");
        assert_eq!(matches!(looked, Inspected::NotLookedAt(_)), is_program, "{name}");
        destination.rehearse().await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ground.state(), before, "{name}");
    }
}

#[tokio::test]
async fn the_name_that_a_rotation_keeps_leads_to_the_same_place() {
    for ground in grounds() {
        let destination = ground.destination();
        let pinned = destination.pinned().await.unwrap_or_else(|error| panic!("{error}"));
        let again = delivery::parse(ground.form(), &pinned).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.name(), pinned);
        assert_eq!(again.occupies(), destination.occupies());
        assert!(delivery::same_place(destination.name(), &pinned));
        assert_eq!(
            delivery::parse(ground.form(), destination.name())
                .map(|again| again.name().to_owned())
                .ok(),
            Some(destination.name().to_owned())
        );
    }
}

#[test]
fn every_kind_of_destination_has_a_ground_here() {
    let grounds = grounds();
    // What speaks to a store that the environment names needs a process of its own.
    let elsewhere = stores::kinds();
    for kind in KINDS.iter().filter(|kind| !elsewhere.contains(&kind.name)) {
        let begins = format!("{}:", kind.name);
        let ours = grounds.iter().filter(|ground| ground.name().starts_with(&begins));
        assert!(ours.clone().count() > 0, "{} is promised nothing", kind.name);
        let declared = ours.map(|ground| ground.capabilities());
        assert!(
            declared.clone().any(|can| can == kind.capabilities),
            "no ground of {} can do what is documented of it",
            kind.help
        );
    }
}
