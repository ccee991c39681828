//! A Secret as the server shows it, and what of it is kept to be put back.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rotate_providers::secret::Secret;
use rotate_providers::untrusted::Label;
use serde::de::{Deserializer, IgnoredAny, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::faults::unfit;
use super::place::Place;
use super::wire::Change;
use super::{MANAGER, encoded};
use crate::delivery::Fault;
use crate::delivery::readings::unescaped;

/// An object's id and version are words of the server's own, and shorter than this.
const LONGEST_WORD: usize = 128;

/// What the server shows.
#[derive(Deserialize)]
struct Shown {
    metadata: Metadata,
    data: Option<BTreeMap<String, Bytes>>,
    immutable: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    uid: String,
    resource_version: String,
    deletion_timestamp: Option<String>,
    #[serde(default)]
    owner_references: Vec<Owner>,
    #[serde(default)]
    managed_fields: Vec<Manager>,
    annotations: Option<Annotations>,
}

/// The one that is looked at.
#[derive(Deserialize)]
struct Annotations {
    #[serde(rename = "kubectl.kubernetes.io/last-applied-configuration")]
    applied: Option<Applied>,
}

/// The keys that `kubectl apply` has sent last. It keeps their values there too, which are not kept here.
struct Applied(Vec<String>);

/// What it has sent.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Sent {
    data: Option<BTreeMap<String, IgnoredAny>>,
    string_data: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    name: String,
    controller: Option<bool>,
}

#[derive(Deserialize)]
struct Manager {
    manager: Option<String>,
    operation: Option<String>,
    #[serde(rename = "fieldsV1")]
    fields: Option<Value>,
}

/// A value in base64.
struct Bytes(Secret);

/// A Secret at one moment.
pub(super) struct Stored {
    /// Which object it is: another after it was deleted and made anew.
    pub(super) uid: String,
    /// Which version of it, as the server counts.
    pub(super) version: String,
    shown: Shown,
}

impl Stored {
    pub(super) fn parse(body: &Secret) -> Result<Self, Fault> {
        // What serde says of it would quote it.
        let shown: Shown = serde_json::from_slice(body.expose()).map_err(|_| {
            unfit(
                "what answers there shows no Secret".to_owned(),
                "see whether the kubeconfig leads to a Kubernetes API, and not to something on the way",
            )
        })?;
        let is_word = |word: &str| {
            (1..=LONGEST_WORD).contains(&word.len())
                && word
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
        };
        let (uid, version) = (shown.metadata.uid.clone(), shown.metadata.resource_version.clone());
        match is_word(&uid) && is_word(&version) {
            true => Ok(Self { uid, version, shown }),
            false => Err(unfit(
                "the server shows it without saying which object and which version that is".to_owned(),
                "see whether the kubeconfig leads to a Kubernetes API, and not to something on the way",
            )),
        }
    }

    /// What it holds under this key.
    pub(super) fn value(&self, key: &str) -> Option<&Secret> {
        let data = self.shown.data.as_ref()?;
        data.get(key).map(|bytes| &bytes.0)
    }

    /// Whether these keys are like that; a key without a value is not there.
    pub(super) fn holds(&self, changes: &[Change<'_>]) -> bool {
        let is_so = |(key, value): &Change<'_>| self.value(key).map(Secret::expose) == *value;
        changes.iter().all(is_so)
    }

    /// Whether another reading has the same under this key.
    pub(super) fn agrees(&self, other: &Self, key: &str) -> bool {
        self.value(key).map(Secret::expose) == other.value(key).map(Secret::expose)
    }

    /// Whether these keys may be written, and stay as they are written.
    pub(super) fn takes(&self, keys: &[&str], place: &Place) -> Result<(), Fault> {
        let Place { namespace, secret, .. } = place;
        let Metadata {
            deletion_timestamp,
            owner_references,
            ..
        } = &self.shown.metadata;
        if deletion_timestamp.is_some() {
            return Err(unfit("it is being deleted".to_owned(), "deliver to one that stays"));
        }
        if self.shown.immutable == Some(true) {
            return Err(unfit(
                "it is immutable: no key of it can ever be changed".to_owned(),
                &format!(
                    "make one that is not, and have the consumers read that: kubectl -n {namespace} create secret generic NAME; \
                     or deliver elsewhere"
                ),
            ));
        }
        if let Some(owner) = owner_references.iter().find(|owner| owner.controller == Some(true)) {
            let (kind, name) = (Label::or_unknown(&owner.kind), Label::or_unknown(&owner.name));
            return Err(unfit(
                format!(
                    "it belongs to {kind} {name}, which would write it anew over the new key ({secret} is its copy)"
                ),
                &format!("deliver to where {kind} {name} has it from, or to a Secret of its own"),
            ));
        }
        if let Some(key) = keys.iter().find(|key| self.is_sent_by_kubectl(key)) {
            return Err(unfit(
                format!("its key {key} comes from kubectl apply, which would bring back the old value the next time"),
                &format!(
                    "take {key} out of the manifest that is applied (Argo CD does it as kubectl does), then have that known here: \
                     kubectl -n {namespace} apply set-last-applied -f MANIFEST\nor deliver to keys of other names"
                ),
            ));
        }
        match keys.iter().find_map(|key| Some((key, self.applied_by(key)?))) {
            Some((key, manager)) => {
                let manager = Label::or_unknown(manager);
                Err(unfit(
                    format!(
                        "its key {key} is applied by field manager {manager}, whose next apply would bring back the old value"
                    ),
                    &format!(
                        "take {key} out of what {manager} applies, give it back with kubectl patch, and see that nobody applies it \
                         any more: kubectl -n {namespace} get secret {secret} --show-managed-fields -o yaml\n\
                         or deliver to keys of other names"
                    ),
                ))
            }
            None => Ok(()),
        }
    }

    /// Who applies this key, and is not us.
    fn applied_by(&self, key: &str) -> Option<&str> {
        let mut managers = self.shown.metadata.managed_fields.iter();
        let found = managers.find(|manager| {
            let fields = manager.fields.as_ref().and_then(|fields| fields.get("f:data"));
            manager.operation.as_deref() == Some("Apply")
                && manager.manager.as_deref() != Some(MANAGER)
                && fields.is_some_and(|data| data.get(format!("f:{key}")).is_some())
        });
        found.map(|manager| manager.manager.as_deref().unwrap_or_default())
    }

    /// Whether this key is one of a manifest: `kubectl apply` is no apply to the server, and says it in an annotation.
    fn is_sent_by_kubectl(&self, key: &str) -> bool {
        let annotations = self.shown.metadata.annotations.as_ref();
        let applied = annotations.and_then(|annotations| annotations.applied.as_ref());
        applied.is_some_and(|Applied(keys)| keys.iter().any(|sent| sent == key))
    }

    /// What of it is put back one day: these keys alone.
    pub(super) fn before(&self, keys: &[&str]) -> Result<Secret, Fault> {
        let values: Vec<(&str, Option<Zeroizing<String>>)> = keys
            .iter()
            .map(|key| (*key, self.value(key).map(|value| encoded(value.expose()))))
            .collect();
        let data = values
            .iter()
            .map(|(key, value)| (*key, value.as_deref().map(String::as_str)));
        let kept = Kept {
            uid: &self.uid,
            data: data.collect(),
        };
        // Room for everything: what grows leaves copies behind.
        let long: usize = values
            .iter()
            .map(|(key, value)| key.len() + value.as_ref().map_or(4, |value| value.len()))
            .sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(long + 16 * values.len() + self.uid.len() + 32));
        serde_json::to_writer(&mut *bytes, &kept).map_err(|_| Fault::Content("what it holds cannot be kept"))?;
        Ok(Secret::new(bytes.as_slice()))
    }
}

/// How it is kept.
#[derive(Serialize)]
struct Kept<'a> {
    uid: &'a str,
    data: BTreeMap<&'a str, Option<&'a str>>,
}

/// What our keys were before a delivery.
#[derive(Deserialize)]
pub(super) struct Before {
    /// Of which object.
    pub(super) uid: String,
    data: BTreeMap<String, Option<Bytes>>,
}

impl Before {
    pub(super) fn parse(kept: &Secret) -> Result<Self, Fault> {
        serde_json::from_slice(kept.expose()).map_err(|_| Fault::Content("what is kept of it cannot be read"))
    }

    /// What this key was.
    pub(super) fn value(&self, key: &str) -> Option<&[u8]> {
        let value = self.data.get(key)?.as_ref()?;
        Some(value.0.expose())
    }
}

impl<'de> Deserialize<'de> for Applied {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = <&RawValue>::deserialize(from)?;
        // Whatever else stands there was sent by nobody. Serde would leave a copy of it behind.
        let quoted = written.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let text = quoted.and_then(unescaped).unwrap_or_default();
        let sent: Sent = serde_json::from_str(&text).unwrap_or_default();
        let all = [sent.data, sent.string_data].into_iter().flatten();
        Ok(Self(all.flat_map(BTreeMap::into_keys).collect()))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InBase64;

        impl Visitor<'_> for InBase64 {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bytes, E> {
                // Its own words would quote a byte of it.
                let bytes = BASE64_STANDARD.decode(text).map_err(|_| E::custom("no base64"))?;
                Ok(Bytes(Secret::new(bytes)))
            }
        }

        from.deserialize_str(InBase64)
    }
}
