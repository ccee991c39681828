//! The administrator's credentials are found as every AWS tool finds them: boto3 runs beside the program, in one environment,
//! against one fake cloud that writes down which key has signed what.

#![expect(clippy::unwrap_used, reason = "a helper that cannot work must stop its test")]

#[path = "as_aws_tools/authorities.rs"]
mod authorities;
#[path = "as_aws_tools/desk.rs"]
mod desk;
#[path = "as_aws_tools/profiles.rs"]
mod profiles;
#[path = "as_aws_tools/tools.rs"]
mod tools;
#[path = "as_aws_tools/whose.rs"]
mod whose;
