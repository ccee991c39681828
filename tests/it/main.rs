//! Everything that this program promises, in one binary: it is linked once, and no test waits for the slowest of another file.
//!
//! A file is a promise, and says at its top what it leans on; `cargo test --test it undo::` runs one. Tests share this process, so
//! none may change what belongs to all of it (environment, current folder, file mode mask, limits): they give that to the
//! children they start. Only one other thing is shared: two cores, on which no verdict may go by the clock.

mod as_aws_tools;
mod as_aws_tools_files;
mod as_snow;
mod bad_input;
mod by_hand;
mod calls;
mod cli;
mod config;
mod crash;
mod cutover;
mod denied;
mod destinations;
mod destinations_refused;
mod docs;
mod endless;
mod endpoints;
mod faults;
mod files;
mod fleet;
mod full_disk;
mod guide_plans;
mod guide_servers;
mod guided;
mod guides;
mod hostile_answers;
mod interrupted;
mod lag;
mod layout;
mod leaks;
mod localstack;
mod machine;
mod no_panic;
mod no_vendor;
mod policy;
mod prove;
mod proxies;
mod redirects;
mod replaced_files;
mod scenarios;
mod schema;
mod snowflake;
mod snowflake_bad_input;
mod snowflake_connection;
mod snowflake_cutover;
mod snowflake_faults;
mod snowflake_interop;
mod snowflake_key_forms;
mod snowflake_leaks;
mod snowflake_names;
mod snowflake_preflight;
mod snowflake_prove;
mod snowflake_refused;
mod snowflake_self;
mod snowflake_undo;
mod state_folder;
mod store;
mod third_connector;
mod undo;
mod vendors;
mod whole_rotation;
mod wrong_word;
