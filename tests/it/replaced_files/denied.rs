//! Access lists and labels that the kernel does not tell of, or does not let anybody set.
//!
//! A filter of system calls stands in for such a file system, and Python puts it in place: it needs Linux on x86-64 or ARM64.

use std::fs;
use std::process::Command;

use rotate_fixtures::{Ran, Workplace};

use crate::replaced_files::attributes::{ACCESS, set};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// Lets one system call fail with one error, and becomes the program: number, error, environment, program and its arguments.
const FILTER: &str = r#"
import ctypes, json, os, struct, sys
number, error, environment = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | error), (0x06, 0, 0, 0x7fff0000)]
filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(filter))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
    sys.exit("no filter of system calls: " + os.strerror(ctypes.get_errno()))
os.execve(sys.argv[4], sys.argv[4:], environment)
"#;

#[cfg(target_arch = "x86_64")]
const CALLS: [(&str, u32); 3] = [("fsetxattr", 190), ("fgetxattr", 193), ("flistxattr", 196)];
#[cfg(target_arch = "aarch64")]
const CALLS: [(&str, u32); 3] = [("fsetxattr", 7), ("fgetxattr", 10), ("flistxattr", 13)];

/// The same command, to which this call is denied.
fn denied(command: &Command, call: &str, error: rustix::io::Errno) -> Command {
    let number = CALLS
        .iter()
        .find(|(name, _)| *name == call)
        .expect("a call of the table")
        .1;
    let environment: serde_json::Map<String, serde_json::Value> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.into())))
        .collect();
    let mut filtered = rotate_fixtures::tool("python3");
    filtered
        .args(["-c", FILTER, &number.to_string(), &error.raw_os_error().to_string()])
        .arg(serde_json::Value::from(environment).to_string())
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        filtered.current_dir(folder);
    }
    filtered
}

fn is_refused(call: &str, error: rustix::io::Errno, words: &[&str]) {
    let place = Workplace::new(ROTATE);
    let path = crate::replaced_files::attributes::credentials_in(&place.path("."));
    set(&path, "user.note", b"x");
    let before = fs::read(&path).expect("it is ours");
    let destination = format!("aws-profile:gainsight@{}", path.display());
    let command = place.rotate_to(&[&destination], ["--cutover", "immediate"]);
    let ran = Ran::of(denied(&command, call, error));
    ran.expect(1).says(words).says(&["nothing was changed"]);
    place.expect_untouched();
    assert_eq!(fs::read(&path).expect("it is ours"), before);
    // Without the filter, the same command is fine: it is the call that was in its way.
    Ran::of(command).expect(0);
}

#[test]
fn a_file_whose_access_list_cannot_be_read_gets_no_key() {
    use rustix::io::Errno;
    let words = ["its access list and labels cannot be read", "setfacl -b"];
    is_refused("flistxattr", Errno::IO, &words);
    is_refused("flistxattr", Errno::ACCESS, &words);
    is_refused("fgetxattr", Errno::IO, &["its attribute user.note cannot be read"]);
}

#[test]
fn a_file_whose_labels_cannot_be_kept_gets_no_key() {
    use rustix::io::Errno;
    let words = ["its attribute user.note cannot be kept", "setfattr -x"];
    is_refused("fsetxattr", Errno::PERM, &words);
    is_refused("fsetxattr", Errno::OPNOTSUPP, &words);
}

#[tokio::test]
async fn the_name_of_an_access_list_is_told_in_plain_words() {
    // The same words for the list itself, where it cannot be put on a new file.
    let list = crate::replaced_files::lists::one_named_reader();
    let folder = crate::replaced_files::attributes::folder_with(ACCESS, &list);
    let place = Workplace::new(ROTATE);
    let path = crate::replaced_files::attributes::credentials_in(folder.path());
    set(&path, ACCESS, &list);
    let destination = format!("aws-profile:gainsight@{}", path.display());
    let command = place.rotate_to(&[&destination], ["--dry-run"]);
    Ran::of(denied(&command, "fgetxattr", rustix::io::Errno::IO))
        .expect(1)
        .says(&["its access list (system.posix_acl_access) cannot be read"]);
}
