//! Files that consumers share are read after a delivery as they are read here: by botocore, in which boto3 and the AWS CLI
//! read, by the Rust SDK, by python-dotenv and by a shell.
//!
//! Whatever the file: either every reader that could read it reads the new key, and all else as before, or the file was refused
//! before a key was made. Leans on the real readers: botocore and python-dotenv come from PyPI, the shell is `sh`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what cannot be is the failure itself"
)]

mod corpus;
mod dotenv;
mod dotenv_property;
mod edit;
mod pair;
mod profiles;
mod profiles_property;
