//! Which destinations a secret is for, by its fields.

use rotate_providers::form::SecretForm;

/// The fields of a key pair.
pub(super) const HALVES: [&str; 2] = ["private_key", "public_key"];

/// The fields of what the AWS tools use.
pub(super) const PAIR: [&str; 2] = ["access_key_id", "secret_access_key"];

/// Whether these secrets are what the AWS tools use.
pub(super) fn is_for_aws_tools(form: SecretForm) -> bool {
    form.has(&PAIR)
}
