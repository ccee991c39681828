//! The versions of a parameter, and what they tell: what is beside the value of each, and what a delivery took the place of.

use aws_sdk_ssm::types::{ParameterHistory, ParameterInlinePolicy, ParameterTier, ParameterType};
use jiff::{SignedDuration, Timestamp};
use rotate_providers::secret::Secret;
use rotate_providers::untrusted::sanitized;

use super::super::aws::{unfit, version_is_gone};
use super::{Fault, Fields, MOST_BYTES, MOST_BYTES_ADVANCED, Restored, Shape, Written};

/// So many versions AWS keeps: <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html>.
const MOST_VERSIONS: usize = 100;

/// A cut-over and a soak take weeks: what AWS deletes before they are over is no place for a new key.
const TOO_SOON: SignedDuration = SignedDuration::from_hours(720);

/// One version with its value.
pub(super) struct Version {
    pub(super) number: i64,
    text: Secret,
}

impl Version {
    pub(super) fn new(number: i64, text: &[u8]) -> Self {
        Self {
            number,
            text: Secret::new(text),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.expose_text()
    }
}

/// A version with all that belongs to it.
pub(super) struct Kept {
    pub(super) number: i64,
    version: Version,
    pub(super) attributes: Attributes,
    labels: Vec<String>,
    end: Option<End>,
}

/// When AWS deletes the parameter, whatever is written to it before.
enum End {
    At(Timestamp),
    /// It says so in a form that is not known here.
    Someday,
}

impl Kept {
    /// What becomes of it that whoever rotates has to know: what of it a new version does not get, and when all of it goes.
    pub(super) fn remarks(&self) -> Vec<String> {
        let label = self.labels.first().map(|label| {
            let label = sanitized(label);
            format!(
                "its current version has the label {label}, which stays there: whoever reads it by that label gets the old key until \
                 the label is moved"
            )
        });
        let end = self.end.as_ref().map(|end| {
            format!(
                "{}, the new key with it: see that its policy is changed in time",
                end.told()
            )
        });
        label.into_iter().chain(end).collect()
    }

    /// Not where AWS deletes it while its consumers move to the new key.
    pub(super) fn lasts(&self, path: &str, now: Timestamp) -> Result<(), Fault> {
        match &self.end {
            Some(end) if end.is_within(TOO_SOON, now) => Err(unfit(
                end.told(),
                &format!(
                    "take its policy of the type Expiration away, or give it a later time (policies stay until others are written):\naws \
                     ssm put-parameter --overwrite --tier Advanced --policies '[{{}}]' --name {path} …\nor deliver elsewhere"
                ),
            )),
            _ => Ok(()),
        }
    }
}

impl End {
    /// A write leaves policies as they are:
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html>.
    fn of(policies: &[ParameterInlinePolicy]) -> Option<Self> {
        let ends = |policy: &&ParameterInlinePolicy| policy.policy_type() == Some("Expiration");
        let policy = policies.iter().find(ends)?;
        let text: Option<serde_json::Value> = policy.policy_text().and_then(|text| serde_json::from_str(text).ok());
        let at = text.and_then(|text| text.pointer("/Attributes/Timestamp")?.as_str()?.parse().ok());
        Some(at.map_or(Self::Someday, Self::At))
    }

    fn told(&self) -> String {
        match self {
            Self::At(at) => format!(
                "AWS deletes it on {} (its policy says so)",
                at.strftime("%Y-%m-%d %H:%M UTC")
            ),
            Self::Someday => "AWS deletes it one day (its policy says so)".to_owned(),
        }
    }

    fn is_within(&self, time: SignedDuration, now: Timestamp) -> bool {
        match self {
            Self::At(at) => at.duration_since(now) < time,
            Self::Someday => true,
        }
    }
}

/// What a write has to say again, or AWS would put something else there.
pub(super) struct Attributes {
    pub(super) key_id: Option<String>,
    pub(super) tier: ParameterTier,
    pub(super) description: Option<String>,
    pub(super) allowed_pattern: Option<String>,
    pub(super) data_type: Option<String>,
}

impl Attributes {
    pub(super) fn most_bytes(&self) -> usize {
        match self.tier {
            ParameterTier::Standard => MOST_BYTES,
            _ => MOST_BYTES_ADVANCED,
        }
    }
}

/// All versions that are kept, the oldest first. There is one.
pub(super) struct History(Vec<Kept>);

/// What puts the earlier fields back.
pub(super) struct Undo {
    /// What is to be written; `None`: nothing.
    pub(super) text: Option<Secret>,
    pub(super) outcome: Restored,
}

impl Undo {
    fn nothing(outcome: Restored) -> Self {
        Self { text: None, outcome }
    }

    fn write(text: Secret) -> Self {
        Self {
            text: Some(text),
            outcome: Restored::PutBack,
        }
    }
}

impl History {
    pub(super) fn of(told: Vec<ParameterHistory>) -> Result<Self, Fault> {
        // What consumers get counts: versions before it may be of another type.
        if let Some(latest) = told.iter().max_by_key(|version| version.version) {
            is_secure(latest.r#type.as_ref())?;
        }
        let mut all = Vec::with_capacity(told.len());
        for version in told {
            let text = zeroize::Zeroizing::new(version.value.unwrap_or_default());
            all.push(Kept {
                number: version.version,
                version: Version::new(version.version, text.as_bytes()),
                attributes: Attributes {
                    key_id: version.key_id,
                    tier: version.tier.unwrap_or(ParameterTier::Standard),
                    description: version.description.filter(|text| !text.is_empty()),
                    allowed_pattern: version.allowed_pattern.filter(|text| !text.is_empty()),
                    data_type: version.data_type,
                },
                labels: version.labels.unwrap_or_default(),
                end: End::of(version.policies.as_deref().unwrap_or_default()),
            });
        }
        all.sort_by_key(|kept: &Kept| kept.number);
        Ok(Self(all))
    }

    /// What consumers get.
    pub(super) fn current(&self) -> Result<&Kept, Fault> {
        self.0
            .last()
            .ok_or_else(|| unfit("the store tells no version of it".to_owned(), "try again"))
    }

    /// AWS removes the oldest version for a new one, unless somebody has labelled it.
    pub(super) fn has_room(&self, path: &str) -> Result<(), Fault> {
        let oldest = self.0.first().filter(|_| self.0.len() >= MOST_VERSIONS);
        let Some((oldest, label)) = oldest.and_then(|oldest| Some((oldest, oldest.labels.first()?))) else {
            return Ok(());
        };
        let (number, label) = (oldest.number, sanitized(label));
        Err(unfit(
            format!(
                "it has {MOST_VERSIONS} versions, and AWS takes no new one while the oldest, {number}, has the label {label}"
            ),
            &format!(
                "move the label to a later version, or take it away:\naws ssm unlabel-parameter-version --name {path} \
                 --parameter-version {number} --labels {label}"
            ),
        ))
    }

    /// What undoes the delivery of this key, which was begun when this version was current; `None`: somebody has replaced it
    /// since, and that is left to them.
    pub(super) fn undo(
        &self,
        shape: &Shape,
        fields: &Fields,
        before: i64,
        written: Option<&Written>,
    ) -> Result<Option<Undo>, Fault> {
        let current = self.current()?;
        let holds = |kept: &Kept| shape.holds(kept.version.text(), fields);
        let is_held = holds(current);
        // Where something was lost beside the new key, a delivery is begun that finds it there already.
        if current.number == before && !is_held {
            return Ok(Some(Undo::nothing(Restored::PutBack)));
        }
        // Where somebody has replaced it and it was delivered again, what counts is what the last delivery took the place of.
        let last = self.0.iter().rposition(|kept| kept.number >= before && holds(kept));
        let begin = |last: usize| {
            (0..last)
                .rev()
                .find(|at| !holds(&self.0[*at]))
                .map_or(0, |other| other + 1)
        };
        let since = last.map(begin);
        // The numbers of one that was made anew begin at one again.
        let Some(at) = since.filter(|_| current.number >= before) else {
            let earlier = self.0.iter().find(|kept| kept.number == before);
            let is_back = earlier.is_some_and(|earlier| shape.same(current.version.text(), earlier.version.text()));
            return match (is_held, is_back) {
                (true, _) => Err(version_is_gone("it was deleted, and made anew")),
                (false, true) => Ok(Some(Undo::nothing(Restored::PutBack))),
                (false, false) => Ok(None),
            };
        };
        let Some(replaced) = at.checked_sub(1).map(|at| &self.0[at]) else {
            return match is_held {
                true => Err(version_is_gone(&format!("version {}", self.0[at].number - 1))),
                false => Ok(None),
            };
        };
        let replaced = replaced.version.text();
        if is_held {
            let text = match self.0.len() == at + 1 {
                // Nobody has written since: all of it comes back, to the byte.
                true => Secret::new(replaced.unwrap_or_default()),
                false => shape.without(current.version.text(), replaced)?,
            };
            return Ok(Some(Undo::write(text)));
        }
        if !shape.same(current.version.text(), replaced) {
            return Ok(None);
        }
        // It is back. What somebody wrote right before that is not lost for it.
        let previous = &self.0[self.0.len() - 2];
        let is_ours = written.filter(|written| written.as_version == current.number);
        if holds(previous) && !shape.same_beside(current.version.text(), previous.version.text()) {
            return Ok(Some(Undo::write(shape.without(previous.version.text(), replaced)?)));
        }
        let went_over = is_ours.is_some_and(|written| written.of + 1 < current.number);
        if went_over && !holds(previous) && !shape.same(previous.version.text(), replaced) {
            return Ok(Some(Undo::write(Secret::new(
                previous.version.text().unwrap_or_default(),
            ))));
        }
        Ok(Some(Undo::nothing(Restored::PutBack)))
    }
}

/// Whether it is of the one type that AWS encrypts.
pub(super) fn is_secure(told: Option<&ParameterType>) -> Result<(), Fault> {
    let told = match told {
        Some(ParameterType::SecureString) => return Ok(()),
        Some(ParameterType::String) => "String",
        Some(ParameterType::StringList) => "StringList",
        _ => "of a type that is not known here",
    };
    Err(unfit(
        format!("it is {told}, which is kept in clear, and no SecureString"),
        "deliver to a SecureString: aws ssm put-parameter --type SecureString --value '{}' --name /ANOTHER/PATH",
    ))
}

#[cfg(test)]
mod tests {
    use rotate_providers::contract::{KeyId, Principal};
    use rotate_providers::s3_customer_managed::SECRET;
    use rotate_providers::secret::Credential;
    use serde_json::Value;

    use super::*;
    use crate::delivery::Told;

    /// A new key whose secret is `new`.
    fn fields() -> Fields {
        let credential = Credential {
            key: KeyId::parse("AKIANEW").unwrap(),
            public: None,
            secret: Secret::new("new"),
        };
        let owner = Principal {
            account: "123456789012".to_owned(),
            name: "gainsight-s3".to_owned(),
            id: "AIDAEXAMPLE".to_owned(),
        };
        let told = Told {
            rotation: "r1",
            owner: &owner,
            inputs: &Value::Null,
        };
        Fields::of(SECRET, &credential, &told)
    }

    /// Versions, numbered from one.
    fn history(told: &[(ParameterType, &str)]) -> Result<History, Fault> {
        let versions = told.iter().zip(1..).map(|((kind, text), number)| {
            let version = ParameterHistory::builder().r#type(kind.clone()).value(*text);
            version.version(number).build()
        });
        History::of(versions.collect())
    }

    /// What undoes a delivery that was begun at the version of this number.
    fn undone(texts: &[&str], before: i64) -> (Option<String>, Restored) {
        let told: Vec<(ParameterType, &str)> = texts.iter().map(|text| (ParameterType::SecureString, *text)).collect();
        let shape = Shape::Plain("secret_access_key");
        let undo = history(&told).unwrap().undo(&shape, &fields(), before, None);
        let undo = undo.unwrap().unwrap();
        let text = undo.text.as_ref().and_then(Secret::expose_text).map(str::to_owned);
        (text, undo.outcome)
    }

    #[test]
    fn a_delivery_that_was_begun_where_the_new_key_was_already_is_undone_to_what_was_before_it() {
        let theirs = (Some("theirs".to_owned()), Restored::PutBack);
        assert_eq!(undone(&["old", "theirs", "new"], 3), theirs);
        assert_eq!(undone(&["old", "theirs", "new", "new"], 3), theirs);
        // And where nothing was written yet, nothing is.
        assert_eq!(undone(&["old", "theirs"], 2), (None, Restored::PutBack));
    }

    #[test]
    fn what_consumers_get_has_to_be_encrypted_whatever_it_was_before() {
        let (clear, secure) = (ParameterType::String, ParameterType::SecureString);
        assert!(history(&[(clear.clone(), "old"), (secure.clone(), "old")]).is_ok());
        assert!(history(&[(secure, "old"), (clear, "old")]).is_err());
    }
}
