//! A key-value store of version 2: the strict fake, and a real one.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use rotate_fixtures::vault::{MOUNT, TOKEN};
use rotate_fixtures::{FakeVault, OpenBao};
use serde_json::value::RawValue;
use tempfile::TempDir;

use super::{Capabilities, Fields, Ground, SECRET, STORE, SecretForm, new_key};

const PATH: &str = "gainsight/s3";

enum Store {
    Strict(FakeVault),
    Real(&'static OpenBao),
}

/// A secret of a store.
pub(super) struct KeyValue {
    store: Store,
    mount: String,
    /// Holds the token.
    folder: TempDir,
    /// What stands beside ours. OpenBao makes a float of a number when it is written, by whomever.
    neighbours: BTreeMap<String, Vec<u8>>,
}

impl KeyValue {
    /// In the strict fake.
    pub(super) fn strict() -> Self {
        Self::of(Store::Strict(FakeVault::start()), MOUNT.to_owned(), TOKEN)
    }

    /// In a real server.
    pub(super) fn real() -> Self {
        let server = OpenBao::shared();
        Self::of(Store::Real(server), server.mount(), server.root())
    }

    fn of(store: Store, mount: String, token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("token");
        std::fs::write(&file, token).expect("the folder is ours");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
        let mut ground = Self {
            store,
            mount,
            folder,
            neighbours: BTreeMap::new(),
        };
        ground.put(STORE);
        ground.neighbours = ground.state();
        assert_eq!(ground.neighbours.len(), 2);
        ground
    }

    fn put(&self, data: &str) {
        match &self.store {
            Store::Strict(fake) => fake.put(PATH, data),
            Store::Real(server) => server.put(&self.mount, PATH, data),
        }
    }

    /// The data as it is there.
    fn data(&self) -> String {
        match &self.store {
            Store::Strict(fake) => fake.data(PATH).unwrap_or_default(),
            Store::Real(server) => server.must([
                "kv",
                "get",
                "-format=json",
                "-field=data",
                &format!("-mount={}", self.mount),
                PATH,
            ]),
        }
    }
}

impl Ground for KeyValue {
    fn name(&self) -> String {
        let address = match &self.store {
            Store::Strict(fake) => fake.address(),
            Store::Real(server) => server.address().to_owned(),
        };
        let token = self.folder.path().join("token");
        format!(
            "vault-kv:{}/{PATH}?address={address}&token_file={}",
            self.mount,
            token.display()
        )
    }

    fn form(&self) -> SecretForm {
        SECRET
    }

    fn new_secret(&self) -> Fields {
        new_key()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::VERSIONED
    }

    fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let data = self.data();
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(&data).expect("it is an object");
        members
            .into_iter()
            .map(|(name, value)| (name, value.get().as_bytes().to_vec()))
            .collect()
    }

    fn overwritten(&self) {
        self.put(&self.data().replace("CANARYnew", "SOMEONEelses"));
    }

    fn has_its_neighbours(&self) -> bool {
        let state = self.state();
        self.neighbours.iter().all(|(name, kept)| state.get(name) == Some(kept))
    }
}
