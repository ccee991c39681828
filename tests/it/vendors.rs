//! What is promised of every vendor's keys: each promise stands here once, and is kept on every [`Ground`].
//!
//! Leans on the strict fakes: only they know which keys work, keep a record of each key's use, and can break a call on either
//! side of its effect. What only one vendor has stands in files of its own.
//!
//! A vendor joins with an implementation of [`Ground`] and its line in [`on_every_ground`].

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a helper that cannot work must stop its test"
)]

mod aws;
mod bad_input;
mod cutover;
mod faults;
mod ground;
mod leaks;
mod requests;
mod snowflake;
mod undo;
mod words;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aws::Aws;
use snowflake::Snowflake;

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Writes a file that nobody else may read.
fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A test of each promise on each ground. A promise that is written and not named here is dead code, which the gate refuses.
macro_rules! on_every_ground {
    ($($promise:ident)*) => {
        $crate::vendors::on_every_ground! { @ aws $crate::vendors::Aws; $($promise)* }
        $crate::vendors::on_every_ground! { @ snowflake $crate::vendors::Snowflake; $($promise)* }
    };
    (@ $vendor:ident $ground:ty; $($promise:ident)*) => {
        mod $vendor {
            $(
                #[test]
                fn $promise() {
                    super::$promise::<$ground>();
                }
            )*
        }
    };
}

use on_every_ground;
