//! What a token may do, and where it goes.

use rotate_fixtures::HttpsProxy;
use rotate_fixtures::github::{Permission, Token};
use rotate_fixtures::workplace::{BUCKET, USER};

use super::*;

/// With a token that may do this, what is told before a key is made.
fn refused(to: &str, may: Token, words: &[&str]) {
    let desk = Desk::new();
    {
        let mut world = desk.github.world();
        world.add_environment(REPOSITORY, "prod");
        world.may = may;
    }
    desk.fill("acme");
    desk.fill("acme#dependabot");
    let ran = Ran::of(desk.rotate_to(to, &[]))
        .expect(1)
        .says(words)
        .says(&["nothing was changed"]);
    assert!(!ran.stderr.contains("CANARY"));
    desk.place.expect_as_before();
    desk.expect_untouched(REPOSITORY);
}

#[test]
fn the_permission_that_a_token_lacks_is_named_before_a_key_is_made() {
    refused(
        "github:acme/app",
        Token::without(Permission::Secrets),
        &[
            "GitHub asks for secrets=read",
            "the repository permission Secrets: Read and write",
        ],
    );
    refused(
        "github:acme/app?app=dependabot",
        Token::without(Permission::DependabotSecrets),
        &["dependabot_secrets=read", "Dependabot secrets: Read and write"],
    );
    let environment = "github:acme/app/environments/prod";
    for permission in [Permission::Environments, Permission::Actions] {
        refused(
            environment,
            Token::without(permission),
            &["the repository permission Environments: Read and write, and Actions: Read-only"],
        );
    }
    refused(
        "github-org:acme",
        Token::without(Permission::OrganizationSecrets),
        &["the organization permission Secrets: Read and write"],
    );
    refused(
        "github:acme/app",
        Token::classic(&["public_repo", "gist"]),
        &["there is no such thing at GitHub"],
    );
}

#[test]
fn a_classic_token_says_itself_which_scope_it_lacks() {
    for (to, scopes, scope) in [
        ("github:acme/app", "public_repo", "repo"),
        ("github-org:acme", "repo", "admin:org"),
    ] {
        let desk = Desk::new();
        desk.fill("acme");
        {
            let mut world = desk.github.world();
            world.token = "ghp_CANARY0000000000000000000000000000000".to_owned();
            world.may = Token::classic(&[scopes]);
        }
        Ran::of(desk.rotate_to(to, &[]))
            .expect(1)
            .says(&[&format!("has not the scope {scope}"), "or take a fine-grained token"]);
        desk.github.world().may = Token::classic(&[scope]);
        Ran::of(desk.rotate_to(to, &[])).expect(0);
    }
}

#[test]
fn doctor_names_the_permission_that_is_missing() {
    let desk = Desk::new();
    let config = format!(
        "[[target]]\nname = \"main\"\nconnector = \"s3-customer-managed\"\nuser = \"{USER}\"\nbucket = \"{BUCKET}\"\n\
         deliver = [{{ to = \"github:acme/app\", app = \"dependabot\", api = \"{}\" }}]\n",
        desk.github.api()
    );
    std::fs::write(desk.place.path("rotate.toml"), config).expect("the folder is ours");
    let doctor = || desk.run(&["--config", "rotate.toml", "doctor"]);
    let ran = doctor().expect(0);
    assert!(ran.stdout.contains("write-only"), "{}", ran.stdout);
    desk.github.world().may = Token::without(Permission::DependabotSecrets);
    let ran = doctor().expect(1);
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("give the token the repository permission Dependabot secrets: Read and write"),
        "{}",
        ran.stdout
    );
    assert!(desk.github.calls().iter().all(|call| call.starts_with("GET ")));
}

#[test]
fn the_right_to_write_shows_when_it_is_used_and_the_rotation_goes_on_once_it_is_there() {
    let desk = Desk::new();
    desk.github.world().may = Token::reading(Permission::Secrets);
    desk.rotate(&[]).expect(1).says(&[
        "write AWS_ACCESS_KEY_ID: 403; GitHub asks for secrets=write",
        "Secrets: Read and write",
    ]);
    desk.expect_untouched(REPOSITORY);
    desk.github.world().may = Token::all();
    desk.rotate(&[]).expect(0);
    desk.expect_new_key(REPOSITORY);
}

#[test]
fn a_token_that_is_refused_is_told_by_where_it_was_found() {
    let desk = Desk::new();
    desk.github.world().expired = true;
    desk.rotate(&[])
        .expect(1)
        .says(&["does not accept the token from $GH_ENTERPRISE_TOKEN (401)"]);
    desk.github.world().expired = false;
    desk.github.world().wants_sso = true;
    desk.rotate(&[]).expect(1).says(&["single sign-on", "Configure SSO"]);
    desk.place.expect_as_before();
}

#[test]
fn a_token_is_found_where_gh_finds_it_or_where_an_option_says() {
    let desk = Desk::new();
    let token = desk.github.world().token.clone();
    let file = desk.place.path("token");
    std::fs::write(&file, format!("{token}\n")).expect("the folder is ours");
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, owner_only).expect("the file is ours");
    let by_file = format!("github:acme/app?token_file={}", file.display());
    for (to, variable, code, words) in [
        ("github:acme/app", "GITHUB_ENTERPRISE_TOKEN", 0, ""),
        ("github:acme/app?token_env=OURS", "OURS", 0, ""),
        (by_file.as_str(), "NOTHING", 0, ""),
        (
            "github:acme/app",
            "GITHUB_TOKEN",
            1,
            "neither $GH_ENTERPRISE_TOKEN nor $GITHUB_ENTERPRISE_TOKEN is set",
        ),
        (
            "github:acme/app?token_env=OURS",
            "OTHER",
            1,
            "cannot be read from $OURS",
        ),
        (
            "github:acme/app?token_file=/nowhere",
            "OURS",
            1,
            "cannot be read from the file /nowhere",
        ),
    ] {
        let mut command = desk.place.rotate_to(&[&desk.name(to)], ["--dry-run"]);
        command.env(variable, &token);
        let ran = Ran::of(command).expect(code);
        assert!(ran.stderr.contains(words), "{to}: {}", ran.stderr);
    }
}

#[test]
fn what_is_no_token_is_not_sent() {
    let desk = Desk::new();
    for (to, variable) in [
        ("github:acme/app", "GH_ENTERPRISE_TOKEN"),
        ("github:acme/app?token_env=AWS_SECRET_ACCESS_KEY", "UNUSED"),
    ] {
        let mut command = desk.place.rotate_to(&[&desk.name(to)], ["--dry-run"]);
        command.env(variable, "hunter2-and-more");
        Ran::of(command)
            .expect(1)
            .says(&["is no token of GitHub's, and was not sent"]);
    }
    assert!(desk.github.calls().is_empty());
}

#[test]
fn no_token_goes_to_a_host_that_only_the_file_names() {
    let desk = Desk::new();
    let proxy = HttpsProxy::start(&desk.github.api());
    let authority = desk.place.path("authority.pem");
    std::fs::write(&authority, proxy.authority()).expect("the folder is ours");
    let dry_run = |to: &str, host: Option<&str>| {
        let mut command = desk.place.rotate_to(&[to], ["--dry-run"]);
        command.env("HTTPS_PROXY", proxy.url()).env("SSL_CERT_FILE", &authority);
        for variable in ["GH_TOKEN", "GH_ENTERPRISE_TOKEN"] {
            command.env(variable, &desk.github.world().token);
        }
        if let Some(host) = host {
            command.env("GH_HOST", host);
        }
        Ran::of(command)
    };
    let own = "github:acme/app?api=https://ghe.acme.example/api/v3";
    for host in [None, Some("github.com"), Some("acme.example")] {
        dry_run(own, host)
            .expect(1)
            .says(&["no token is sent to ghe.acme.example", "set GH_HOST=ghe.acme.example"]);
    }
    assert!(
        proxy.hosts().is_empty() && desk.github.calls().is_empty(),
        "{:?}",
        proxy.hosts()
    );
    for (to, host, called) in [
        (own, Some("ghe.acme.example"), "ghe.acme.example"),
        (
            "github:acme/app?api=https://api.acme.ghe.com",
            Some("acme.ghe.com"),
            "api.acme.ghe.com",
        ),
        ("github:acme/app", None, "api.github.com"),
    ] {
        dry_run(to, host).expect(0);
        let hosts = proxy.hosts();
        assert!(hosts.iter().any(|host| host.starts_with(called)), "{hosts:?}");
    }
}
