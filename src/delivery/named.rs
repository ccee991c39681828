//! The kinds of destinations, and how their names are written.

use rotate_providers::form::SecretForm;

use super::capabilities::Capabilities;
use super::exec::Exec;
use super::file::FileDestination;
use super::forms::{HALVES, is_for_aws_tools};
#[cfg(feature = "github")]
use super::github::GitHub;
use super::key_file::{ENDING, KeyFile};
#[cfg(feature = "kubernetes")]
use super::kubernetes::Kubernetes;
use super::options::Options;
use super::path::{self, Folders};
#[cfg(feature = "secretsmanager")]
use super::secretsmanager::SecretsManager;
#[cfg(feature = "ssm")]
use super::ssm::Parameter;
#[cfg(feature = "vault-kv")]
use super::vault_kv::VaultKv;
use super::{Destination, Fault};

/// One kind of destination.
pub struct Kind {
    /// What its names begin with.
    pub name: &'static str,
    /// How it is written, as the help of an option has it.
    pub help: &'static str,
    /// What it can do, where its options say nothing else.
    pub capabilities: Capabilities,
    /// How a write is guarded against a repeat, and against whoever else writes there.
    pub guard: &'static str,
    /// How a delivery is proven.
    pub proof: &'static str,
    form: fn(SecretForm) -> bool,
}

/// Every kind that is in this program.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "file",
        help: "file:PATH.json (credential_process)",
        capabilities: Capabilities::READABLE,
        guard: "a rename in an opened folder; the file is ours alone",
        proof: "read back",
        form: is_for_aws_tools,
    },
    Kind {
        name: "file",
        help: "file:PATH.env (dotenv)",
        capabilities: Capabilities::READABLE,
        guard: "a rename in an opened folder; every other byte of the file stays",
        proof: "read back",
        form: is_pair,
    },
    Kind {
        name: "aws-profile",
        help: "aws-profile:NAME[@FILE]",
        capabilities: Capabilities::READABLE,
        guard: "a rename in an opened folder; every other byte of the file stays",
        proof: "read back",
        form: is_for_aws_tools,
    },
    Kind {
        name: "file",
        help: "file:PATH.p8, the public key beside it as PATH.pub; never overwrites a file",
        capabilities: Capabilities {
            conditional: true,
            ..Capabilities::READABLE
        },
        guard: "it is created, and never replaced",
        proof: "read back",
        form: is_key_pair,
    },
    Kind {
        name: "exec",
        help: "exec:PROGRAM [ARG…] (its stdin)",
        capabilities: Capabilities::WRITE_ONLY,
        guard: "the program's own; the rotation's id is the same in each repeat",
        proof: "its exit code; with can=verify its answer",
        form: is_any,
    },
    #[cfg(feature = "secretsmanager")]
    Kind {
        name: "secretsmanager",
        help: "secretsmanager:NAME-or-ARN",
        capabilities: Capabilities::VERSIONED,
        guard: "a token from the rotation and the version it was made of; AWSCURRENT is moved from that version alone; other fields \
                keep their bytes; the ARN is kept from the opening on",
        proof: "read back",
        form: is_any,
    },
    #[cfg(feature = "ssm")]
    Kind {
        name: "ssm",
        help: "ssm:/PATH",
        capabilities: Capabilities {
            conditional: false,
            ..Capabilities::VERSIONED
        },
        guard: "a write is looked at again: whoever wrote in between is written again, with our fields; other fields keep their \
                bytes; type, KMS key and tier stay; account and region are kept from the opening on",
        proof: "read back",
        form: is_any,
    },
    #[cfg(feature = "vault-kv")]
    Kind {
        name: "vault-kv",
        help: "vault-kv:MOUNT/PATH",
        capabilities: Capabilities::VERSIONED,
        guard: "cas: the version it was made of; other fields keep their bytes; the mount, and when the secret was made, are kept from \
                the opening on",
        proof: "read back",
        form: is_any,
    },
    #[cfg(feature = "github")]
    Kind {
        name: "github",
        help: "github:OWNER/REPO[/environments/NAME]",
        capabilities: Capabilities::WRITE_ONLY,
        guard: "each field is a secret of its own, encrypted for a key that is fetched each time; the numbers of repository, owner and \
                environment are kept from the opening on; nothing else is written, and nothing deleted",
        proof: "the receipt (201, 204), and the secret's new time",
        form: is_any,
    },
    #[cfg(feature = "github")]
    Kind {
        name: "github-org",
        help: "github-org:ORGANIZATION",
        capabilities: Capabilities::WRITE_ONLY,
        guard: "the same; who may use a secret is read before, sent again, and compared after",
        proof: "the receipt (201, 204), and the secret's new time",
        form: is_any,
    },
    #[cfg(feature = "kubernetes")]
    Kind {
        name: "kubernetes",
        help: "kubernetes:NAMESPACE/NAME",
        capabilities: Capabilities {
            conditional: true,
            ..Capabilities::READABLE
        },
        guard: "a merge patch of our keys that names the version it was made of; other keys, labels and annotations stay; the uid is \
                kept from the opening on",
        proof: "read back",
        form: is_any,
    },
];

impl Kind {
    /// Whether secrets of this form can go there.
    pub fn takes(&self, form: SecretForm) -> bool {
        (self.form)(form)
    }
}

fn is_any(_: SecretForm) -> bool {
    true
}

fn is_key_pair(form: SecretForm) -> bool {
    form.has(&HALVES)
}

fn is_pair(form: SecretForm) -> bool {
    form.always().all(|field| field.variable.is_some())
}

/// How a file of variables ends, and where its options begin.
const VARIABLES: &str = ".env?";

pub(super) fn parse(form: SecretForm, name: &str, folders: &mut Folders) -> Result<Box<dyn Destination>, Fault> {
    let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
    match kind {
        "file" if is_key_pair(form) && rest.ends_with(ENDING) => KeyFile::new(rest, folders).map(boxed),
        "file" if !is_key_pair(form) && !rest.ends_with(ENDING) => {
            let (path, options) = options_of_a_file(rest)?;
            FileDestination::file(path, form, options, folders).map(boxed)
        }
        "aws-profile" if is_for_aws_tools(form) => FileDestination::aws_profile(rest, folders).map(boxed),
        "file" => path::absolute(rest, folders).and_then(|_| Err(Fault::misplaced(form))),
        "aws-profile" => Err(Fault::misplaced(form)),
        "exec" => Exec::new(form, rest).map(boxed),
        #[cfg(feature = "secretsmanager")]
        "secretsmanager" => SecretsManager::new(form, rest).map(boxed),
        #[cfg(not(feature = "secretsmanager"))]
        "secretsmanager" => Err(Fault::NotBuilt("secretsmanager")),
        #[cfg(feature = "ssm")]
        "ssm" => Parameter::new(form, rest).map(boxed),
        #[cfg(not(feature = "ssm"))]
        "ssm" => Err(Fault::NotBuilt("ssm")),
        #[cfg(feature = "vault-kv")]
        "vault-kv" => VaultKv::new(form, rest).map(boxed),
        #[cfg(not(feature = "vault-kv"))]
        "vault-kv" => Err(Fault::NotBuilt("vault-kv")),
        #[cfg(feature = "github")]
        "github" => GitHub::repository(form, rest).map(boxed),
        #[cfg(feature = "github")]
        "github-org" => GitHub::organization(form, rest).map(boxed),
        #[cfg(not(feature = "github"))]
        "github" | "github-org" => Err(Fault::NotBuilt("github")),
        #[cfg(feature = "kubernetes")]
        "kubernetes" => Kubernetes::new(form, rest).map(boxed),
        #[cfg(not(feature = "kubernetes"))]
        "kubernetes" => Err(Fault::NotBuilt("kubernetes")),
        _ => Err(Fault::Unknown),
    }
}

fn boxed(destination: impl Destination + 'static) -> Box<dyn Destination> {
    Box::new(destination)
}

/// A file of any name had no options once, and may have a question mark in its path.
fn options_of_a_file(rest: &str) -> Result<(&str, Options), Fault> {
    match rest.rfind(VARIABLES) {
        Some(at) if !rest[at + VARIABLES.len()..].contains('/') => {
            let (path, options) = rest.split_at(at + VARIABLES.len() - 1);
            Ok((path, Options::parse(&options[1..])?))
        }
        _ => Ok((rest, Options::default())),
    }
}
