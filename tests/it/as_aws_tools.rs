//! The administrator's credentials are found as every AWS tool finds them: boto3 runs beside the program, in one environment,
//! against one fake cloud that writes down which key has signed what.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

mod authorities;
mod desk;
mod profiles;
mod tools;
mod whose;
