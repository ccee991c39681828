//! The cluster is found, and logged in to, as `kubectl` does it: but no key goes where anybody could read it, and whoever only
//! looks starts no program.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rotate_fixtures::{HttpsProxy, KubernetesDoor};

use super::*;

/// Runs the rotation, which says these words and changes nothing.
#[track_caller]
fn refused(desk: &Desk, to: &str, words: &[&str]) {
    let ran = desk.run(desk.rotate_to(to, &["--yes"])).expect(1);
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}` is missing: {}", ran.stderr);
    }
    desk.place.expect_as_before();
}

/// The kubeconfig with something in it replaced.
fn change_kubeconfig(desk: &Desk, what: &str, with: &str) {
    let path = desk.place.path("kubeconfig");
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(text.contains(what), "{text}");
    std::fs::write(&path, text.replace(what, with)).expect("it is ours");
}

fn program(desk: &Desk, text: &str) -> PathBuf {
    let path = desk.place.path("plugin");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("the place is ours");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
    let _ = desk.cluster.kubeconfig_with_program(&desk.place.path(""), &path);
    path
}

/// A program that prints the token, and notes that it was started.
fn logging_in(desk: &Desk) -> PathBuf {
    let started = desk.place.path("started");
    program(
        desk,
        &format!(
            "echo \"$KUBERNETES_EXEC_INFO $OF_THE_KUBECONFIG\" >> {}\necho a warning >&2\n\
             echo '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
             \"status\":{{\"token\":\"{TOKEN}\"}}}}'",
            started.display()
        ),
    );
    started
}

#[test]
fn whoever_only_looks_starts_no_program_of_a_kubeconfig() {
    let desk = Desk::new();
    let started = logging_in(&desk);
    let fleet = format!(
        "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nuser = \"gainsight-s3\"\nbucket = \"acme-data\"\n\
         deliver = [\"{NAME}\"]\n"
    );
    std::fs::write(desk.place.path("rotate.toml"), fleet).expect("the place is ours");
    for arguments in [&["plan"][..], &["doctor"]] {
        let ran = desk.run(desk.command(arguments));
        assert!(!started.exists(), "{arguments:?}: {ran:#?}");
    }
    let ran = desk.rotate(&["--dry-run"]).expect(0);
    assert!(ran.stdout.contains("not looked at"), "{}", ran.stdout);
    assert!(!started.exists() && desk.cluster.calls().is_empty());
    // Unless they are allowed to.
    let mut looking = desk.rotate_to(NAME, &["--dry-run"]);
    looking.env("ROTATE_ALLOW_EXEC", "1");
    let ran = desk.run(looking).expect(0);
    assert!(!ran.stdout.contains("not looked at"), "{}", ran.stdout);
    assert!(started.exists());
}

#[test]
fn a_rotation_logs_in_by_the_program_and_pins_the_object_all_the_same() {
    let desk = Desk::new();
    let started = logging_in(&desk);
    desk.rotate(&[]).expect(0);
    assert!(desk.works());
    let told = std::fs::read_to_string(started).expect("it was started");
    assert!(
        told.contains("ExecCredential") && told.contains(&desk.cluster.url()) && told.contains("} yes"),
        "{told}"
    );
    let journal = desk.run(desk.command(&["audit"])).stdout;
    let uid = desk.cluster.shown(PLACE)["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(journal.contains(&format!("uid={uid}")), "{journal}");
    desk.run(desk.command(&["abort", TARGET])).expect(0);
    assert_eq!(desk.value("access_key_id"), "AKIAOLD");
}

#[test]
fn a_secret_that_was_not_looked_at_is_not_taken_for_one_that_holds_no_key() {
    let desk = Desk::new();
    let started = logging_in(&desk);
    desk.rotate(&["--cutover", "immediate", "--soak", "0s"]).expect(0);
    assert!(desk.works());
    let fleet = format!(
        "[[target]]\nname = \"{TARGET}\"\nconnector = \"s3-customer-managed\"\nuser = \"gainsight-s3\"\n\
         bucket = \"acme-data\"\ndeliver = [\"{NAME}\"]\n"
    );
    std::fs::write(desk.place.path("rotate.toml"), fleet).expect("the place is ours");
    std::fs::remove_file(&started).expect("it was started");
    let examined = desk.run(desk.command(&["doctor"])).stdout;
    assert!(!started.exists(), "{examined}");
    assert!(
        examined.contains("could not look: that would start a program") && !examined.contains("holds no key"),
        "{examined}"
    );
    // Whoever acts logs in before it looks.
    let ran = desk
        .rotate(&["--cutover", "immediate", "--soak", "0s", "--again"])
        .expect(0);
    assert!(!ran.stderr.contains("holds no key"), "{}", ran.stderr);
    assert!(desk.works());
}

#[test]
fn a_program_that_does_not_log_in_is_told_and_what_it_prints_is_not() {
    for (text, word) in [
        ("echo CANARYprinted; exit 3", "failed"),
        ("echo CANARYprinted", "prints no ExecCredential"),
        ("echo '{\"status\":{}}'", "prints neither a token nor a certificate"),
    ] {
        let desk = Desk::new();
        program(&desk, text);
        let ran = desk.rotate(&["--yes"]).expect(1);
        assert!(
            ran.stderr.contains(word) && !ran.stderr.contains("CANARYprinted"),
            "{}",
            ran.stderr
        );
        desk.place.expect_as_before();
    }
    let desk = Desk::new();
    std::fs::remove_file(program(&desk, "")).expect("it is ours");
    refused(&desk, NAME, &["cannot be started"]);
}

#[test]
fn a_cluster_behind_tls_is_called_with_a_token_or_with_a_certificate() {
    let desk = Desk::new();
    let _ = KubernetesDoor::open(&desk.cluster).kubeconfig(&desk.place.path(""));
    desk.rotate(&[]).expect(0);
    assert!(desk.works());
    let desk = Desk::new();
    let _ = KubernetesDoor::for_certificates(&desk.cluster).kubeconfig_with_certificate(&desk.place.path(""));
    desk.rotate(&[]).expect(0);
    assert!(desk.works());
}

#[test]
fn a_cluster_whose_certificate_nobody_vouches_for_gets_nothing() {
    let desk = Desk::new();
    let _ = KubernetesDoor::open(&desk.cluster).kubeconfig_of_a_stranger(&desk.place.path(""));
    refused(
        &desk,
        NAME,
        &["its certificate is not one that", "certificate-authority-data"],
    );
    assert!(desk.cluster.calls().is_empty());
}

#[test]
fn no_key_goes_where_anybody_could_read_it() {
    let desk = Desk::new();
    let url = desk.cluster.url();
    change_kubeconfig(&desk, &url, "http://cluster.example.com:6443");
    refused(&desk, NAME, &["neither https nor http on the loopback interface"]);
    change_kubeconfig(
        &desk,
        "http://cluster.example.com:6443",
        "https://cluster.example.com:6443",
    );
    change_kubeconfig(&desk, "    server:", "    insecure-skip-tls-verify: true\n    server:");
    refused(&desk, NAME, &["insecure-skip-tls-verify", "certificate-authority-data"]);
    change_kubeconfig(&desk, "https://cluster.example.com:6443", &url);
    desk.rotate(&[]).expect(0);
    let mode = |mode| {
        std::fs::set_permissions(desk.place.path("kubeconfig"), std::fs::Permissions::from_mode(mode))
            .expect("the file is ours");
    };
    mode(0o622);
    let ran = desk.run(desk.command(&["abort", TARGET])).expect(1);
    assert!(ran.stderr.contains("can be written by other users"), "{}", ran.stderr);
    mode(0o600);
    std::os::unix::fs::chown(desk.place.path("kubeconfig"), Some(1234), None).expect("this test needs root");
    let ran = desk.run(desk.command(&["abort", TARGET])).expect(1);
    assert!(ran.stderr.contains("belongs to user 1234"), "{}", ran.stderr);
}

#[test]
fn a_context_is_named_or_the_current_one_and_what_is_wrong_with_a_kubeconfig_is_told() {
    let desk = Desk::new();
    refused(
        &desk,
        &format!("{NAME}?context=prod"),
        &["has no context prod", "kubectl config get-contexts"],
    );
    change_kubeconfig(&desk, "current-context: tests\n", "");
    refused(&desk, NAME, &["has no current context", "?context=NAME"]);
    desk.run(desk.rotate_to(&format!("{NAME}?context=tests"), &[]))
        .expect(0);
    assert!(desk.works());
    let desk = Desk::new();
    change_kubeconfig(&desk, "clusters:", "clusters: [CANARYtext");
    let ran = desk.rotate(&["--yes"]).expect(1);
    assert!(
        ran.stderr.contains("cannot be understood") && !ran.stderr.contains("CANARYtext"),
        "{}",
        ran.stderr
    );
    let desk = Desk::new();
    change_kubeconfig(
        &desk,
        &format!("token: {TOKEN}"),
        "auth-provider: { name: gcp, config: { cmd-path: /bin/false } }",
    );
    refused(&desk, NAME, &["auth-provider", "(exec)"]);
}

#[test]
fn of_a_list_of_kubeconfigs_the_first_that_says_a_thing_counts_and_some_may_be_missing() {
    let desk = Desk::new();
    let other = tempfile::tempdir().expect("a temporary folder");
    let nowhere = FakeKubernetes::start();
    let second = nowhere.kubeconfig(other.path());
    let list = std::env::join_paths([&desk.place.path("missing"), &desk.place.path("kubeconfig"), &second]);
    let mut command = desk.rotate_to(NAME, &[]);
    command.env("KUBECONFIG", list.expect("paths"));
    desk.run(command).expect(0);
    assert!(desk.works());
    assert!(nowhere.calls().is_empty());
}

#[test]
fn the_usual_file_is_found_and_without_any_it_is_told() {
    let desk = Desk::new();
    let home = desk.place.path(".kube");
    std::fs::create_dir(&home).expect("the place is ours");
    std::fs::rename(desk.place.path("kubeconfig"), home.join("config")).expect("it is ours");
    let plain = |more: &[&str]| {
        let mut command = desk.rotate_to(NAME, more);
        command.env_remove("KUBECONFIG");
        desk.run(command)
    };
    plain(&[]).expect(0);
    assert!(desk.works());
    std::fs::remove_dir_all(home).expect("it is ours");
    let mut abort = desk.command(&["abort", TARGET]);
    abort.env_remove("KUBECONFIG");
    let ran = desk.run(abort).expect(1);
    assert!(
        ran.stderr.contains("no kubeconfig is there, and this is no pod"),
        "{}",
        ran.stderr
    );
    let ran = desk.run(desk.command(&["abort", TARGET])).expect(1);
    assert!(
        ran.stderr.contains("KUBECONFIG names no file that is there"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_cluster_elsewhere_is_called_through_the_proxy_of_the_environment_unless_that_leaves_it_out() {
    let desk = Desk::new();
    let proxy = HttpsProxy::start(&desk.cluster.url());
    let authority = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, proxy.authority());
    let server = format!("https://cluster.example.com:6443\n    certificate-authority-data: {authority}");
    change_kubeconfig(&desk, &desk.cluster.url(), &server);
    let through = |more: &[&str], left_out: &str| {
        let mut command = desk.rotate_to(NAME, more);
        // The cloud is on this machine, and so called directly.
        command.env("HTTPS_PROXY", proxy.url()).env("NO_PROXY", left_out);
        desk.run(command)
    };
    let ran = through(&["--dry-run"], "cluster.example.com");
    assert!(
        ran.stdout.contains("cannot be reached") || ran.stderr.contains("cannot be reached"),
        "{ran:#?}"
    );
    assert!(proxy.hosts().is_empty());
    through(&[], "other.example.com").expect(0);
    assert!(desk.works());
    assert!(
        proxy.hosts().iter().all(|host| host == "cluster.example.com"),
        "{:?}",
        proxy.hosts()
    );
}

/// Mounts a pod's account where every pod has it, and runs the program there.
const AS_A_POD: &str = "mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount && cp \"$1\"/* \
                        /run/secrets/kubernetes.io/serviceaccount/ || exit 99; shift; exec \"$@\"";

#[test]
fn in_a_pod_its_own_account_is_used() {
    let desk = Desk::new();
    let door = KubernetesDoor::open(&desk.cluster);
    let account = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("token", TOKEN), ("ca.crt", &door.authority()), ("namespace", "ops")] {
        std::fs::write(account.path().join(name), text).expect("the folder is ours");
    }
    let address = door.url();
    let (host, port) = address
        .trim_start_matches("https://")
        .split_once(':')
        .expect("an address");
    let mut command = in_a_pod(&desk.rotate_to(NAME, &[]), account.path());
    command
        .env_remove("KUBECONFIG")
        .env("KUBERNETES_SERVICE_HOST", host)
        .env("KUBERNETES_SERVICE_PORT", port);
    let ran = desk.run(command);
    assert!(
        ran.code != Some(99) && !ran.stderr.starts_with("unshare:"),
        "this test needs `unshare` and a kernel that lets this user mount in a namespace of their own: {}",
        ran.stderr
    );
    ran.expect(0);
    assert!(desk.works());
}

fn in_a_pod(command: &Command, account: &Path) -> Command {
    let mut mounted = rotate_fixtures::tool("unshare");
    if !rustix::process::geteuid().is_root() {
        mounted.arg("--map-root-user");
    }
    mounted.args(["--mount", "sh", "-c", AS_A_POD, "sh"]).arg(account);
    mounted.arg(command.get_program()).args(command.get_args());
    mounted.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    mounted.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        mounted.current_dir(folder);
    }
    mounted
}
