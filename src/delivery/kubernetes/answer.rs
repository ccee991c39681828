//! What the server's refusals mean. Its own words are not repeated: they may have what was sent in them.

use rotate_providers::shell::quoted;
use rotate_providers::untrusted::Label;
use serde::Deserialize;

use super::faults::unfit;
use super::place::Place;
use super::wire::Reply;
use crate::delivery::Fault;
use crate::delivery::fault::Answer;

/// A key of data is shorter, and so is the path to it.
const LONGEST_PATH: usize = 300;

/// A refusal as the server words it.
#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    causes: Vec<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    field: String,
}

impl Status {
    fn of(reply: &Reply) -> Self {
        serde_json::from_slice(reply.body.expose()).unwrap_or_default()
    }

    /// Whether a webhook or a policy has said no to what the account may do.
    fn is_by_policy(&self) -> bool {
        ["denied the request", "denied request"]
            .iter()
            .any(|words| self.message.contains(words))
    }

    /// Whom the server has taken us for.
    fn user(&self) -> Option<Label> {
        let (_, rest) = self.message.split_once("User \"")?;
        Label::parse(rest.split_once('"')?.0)
    }

    /// Which fields are wrong, and what is wrong with them: never what is in them.
    fn causes(&self) -> String {
        let causes = self.details.iter().flat_map(|details| &details.causes).take(3);
        let told = causes.map(|cause| format!("{} ({})", path(&cause.field), Label::or_unknown(&cause.reason)));
        let told: Vec<String> = told.collect();
        match told.is_empty() {
            true => format!("{}", Label::or_unknown(&self.reason)),
            false => told.join(", "),
        }
    }
}

/// A field's path, as in `data[tls.crt]`.
fn path(field: &str) -> &str {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.[]".contains(letter);
    match (1..=LONGEST_PATH).contains(&field.len()) && field.chars().all(fits) {
        true => field,
        false => "a field",
    }
}

impl Place {
    /// What an answer means that is not the one that was hoped for.
    pub(super) fn refused(&self, to: &str, reply: &Reply) -> Fault {
        let status = Status::of(reply);
        let Self { namespace, secret, .. } = self;
        match reply.status {
            401 => Fault::Store {
                kind: Answer::Denied,
                what: "the cluster does not accept these credentials, or accepts them no more".to_owned(),
                remedy: match &self.context {
                    Some(context) => {
                        format!(
                            "log in again, as for: kubectl --context {} -n {namespace} get secret {secret}",
                            quoted(context)
                        )
                    }
                    None => format!(
                        "log in again, as for: kubectl -n {namespace} get secret {secret}; or name another context of the \
                         kubeconfig: ?context=NAME"
                    ),
                },
            },
            400 | 403 | 422 if status.is_by_policy() => unfit(
                "an admission policy of the cluster refuses it".to_owned(),
                "see what that asks for: kubectl get validatingwebhookconfigurations,validatingadmissionpolicies; or deliver elsewhere",
            ),
            403 => self.not_allowed(to, status.user()),
            // Whatever stands on the way answers so as well, and does not know.
            404 if status.reason == "NotFound" => Fault::Store {
                kind: Answer::Missing,
                what: format!("there is no Secret {secret} in namespace {namespace} of this cluster"),
                remedy: format!(
                    "if the name and the cluster are right, make it, and have the consumers read it: kubectl -n {namespace} create \
                     secret generic {secret}"
                ),
            },
            409 => Fault::Store {
                kind: Answer::Changed,
                what: "somebody else has written there meanwhile".to_owned(),
                remedy: "run the same command again".to_owned(),
            },
            413 => unfit(
                "it would be larger than a Secret may be".to_owned(),
                "deliver to one that holds less",
            ),
            422 if status.causes().contains("TooLong") => unfit(
                "it would be larger than the 1 MiB that a Secret may be".to_owned(),
                "deliver to one that holds less",
            ),
            422 => unfit(
                format!("the server refuses to {to} like that: {}", status.causes()),
                "give it the form that its type asks for, or deliver to one of type Opaque",
            ),
            300..=399 => unfit(
                "what answers there leads elsewhere, which no Kubernetes API does".to_owned(),
                "see what stands between this machine and the cluster, and what `server` is in the kubeconfig",
            ),
            code => unfit(
                format!(
                    "the server refuses to {to}: {code} {}",
                    Label::or_unknown(&status.reason)
                ),
                "see what the server, or whatever has a say in its writes, logs of it",
            ),
        }
    }

    /// What these credentials lack.
    pub(super) fn not_allowed(&self, to: &str, user: Option<Label>) -> Fault {
        let Self { namespace, secret, .. } = self;
        let user = user.map_or("these credentials".to_owned(), |user| user.to_string());
        Fault::Store {
            kind: Answer::Denied,
            what: format!("{user} may not {to} (secrets/{secret} in namespace {namespace})"),
            remedy: format!(
                "allow it, and bind it to whoever runs rotate: kubectl apply -f - with\n\
                 apiVersion: rbac.authorization.k8s.io/v1\n\
                 kind: Role\n\
                 metadata:\n  \
                   name: rotate-{secret}\n  \
                   namespace: {namespace}\n\
                 rules:\n  \
                   - apiGroups: [\"\"]\n    \
                     resources: [\"secrets\"]\n    \
                     resourceNames: [\"{secret}\"]\n    \
                     verbs: [\"get\", \"patch\"]"
            ),
        }
    }
}

/// Whether a rehearsal was refused only because somebody who is asked about each write takes none.
pub(super) fn takes_no_rehearsal(reply: &Reply) -> bool {
    Status::of(reply).message.contains("does not support dry run")
}
