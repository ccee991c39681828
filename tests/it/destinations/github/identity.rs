//! Names that are given away: renamed, moved, deleted and made anew, and addresses that lead elsewhere.

use rotate_fixtures::Trap;
use rotate_fixtures::github::Trouble;

use super::half_way::{between, killed_at};
use super::*;

#[test]
fn a_repository_that_was_renamed_is_told_by_its_name_of_today_before_a_key_is_made() {
    let desk = Desk::new();
    desk.github.world().rename(REPOSITORY, "acme/new-name");
    desk.rotate(&[]).expect(1).says(&[
        "was renamed, and is acme/new-name now",
        "write github:acme/new-name",
        "nothing was changed",
    ]);
    desk.expect_untouched("acme/new-name");
    desk.place.expect_as_before();
    Ran::of(desk.rotate_to("github:acme/new-name", &[])).expect(0);
    desk.expect_new_key("acme/new-name");
}

#[test]
fn a_repository_that_is_renamed_while_its_rotation_is_open_gets_its_key_all_the_same() {
    let desk = killed_at(between());
    {
        let mut world = desk.github.world();
        world.rename(REPOSITORY, "acme/new-name");
        // Its old name is somebody else's by now.
        world.add_repository(REPOSITORY);
    }
    desk.fill(REPOSITORY);
    desk.rotate(&[]).expect(0);
    desk.expect_new_key("acme/new-name");
    desk.expect_untouched(REPOSITORY);
}

#[test]
fn a_repository_that_was_deleted_and_made_anew_gets_nothing() {
    let desk = killed_at(between());
    {
        let mut world = desk.github.world();
        world.delete(REPOSITORY);
        world.add_repository(REPOSITORY);
    }
    desk.fill(REPOSITORY);
    desk.rotate(&[]).expect(1).says(&[
        "the repository that the rotation was opened for is gone",
        "abort, and begin anew",
    ]);
    desk.expect_untouched(REPOSITORY);
}

#[test]
fn a_repository_that_went_to_another_owner_gets_nothing() {
    let desk = killed_at(between());
    desk.github.world().rename(REPOSITORY, "mallory/app");
    let before = desk.github.world().all("mallory/app");
    desk.rotate(&[]).expect(1).says(&["belongs to another owner now"]);
    assert_eq!(desk.github.world().all("mallory/app"), before);
}

#[test]
fn an_environment_that_was_made_anew_gets_nothing() {
    let desk = Desk::new();
    let at = format!("{REPOSITORY}/environments/prod");
    desk.github.world().add_environment(REPOSITORY, "prod");
    desk.fill(&at);
    let to = "github:acme/app/environments/prod";
    desk.github.plan("PUT", ID, Trouble::Limited(3600));
    Ran::of(desk.rotate_to(to, &[])).expect(1);
    desk.github.world().add_environment(REPOSITORY, "prod");
    desk.fill(&at);
    Ran::of(desk.rotate_to(to, &[]))
        .expect(1)
        .says(&["its environment was made anew"]);
    desk.expect_untouched(&at);
}

#[test]
fn what_is_not_there_or_takes_no_secret_is_told_before_a_key_is_made() {
    let refused = |to: &str, words: &[&str]| {
        let desk = Desk::new();
        desk.github.world().add_repository("acme/old");
        desk.github.world().archive("acme/old");
        Ran::of(desk.rotate_to(to, &[]))
            .expect(1)
            .says(words)
            .says(&["nothing was changed"]);
        desk.place.expect_as_before();
        desk.expect_untouched(REPOSITORY);
    };
    refused(
        "github:acme/nowhere",
        &[
            "there is no such thing at GitHub, or the token",
            "Secrets: Read and write",
        ],
    );
    refused(
        "github:acme/app/environments/nowhere",
        &["has no environment nowhere", "Environments: Read and write"],
    );
    refused("github:acme/old", &["is archived or disabled"]);
    refused(
        "github-org:nobody",
        &["there is no such thing at GitHub", "organization permission Secrets"],
    );
    refused(
        "github:acme/app?repository_id=1",
        &["is gone, or the token may not see it"],
    );
}

#[test]
fn the_token_follows_no_answer_to_another_host() {
    let trap = Trap::set();
    for status in [301, 302, 307, 308] {
        let desk = Desk::new();
        let elsewhere = format!("http://{}/repositories/1", trap.address());
        desk.github
            .plan("GET", "/repos/acme/app", Trouble::Elsewhere(status, elsewhere));
        desk.rotate(&[]).expect(1).says(&["write its name of today"]);
        desk.expect_untouched(REPOSITORY);
    }
    assert!(trap.is_untouched(), "it went there");
}

#[test]
fn this_machine_is_reached_without_a_proxy() {
    let (trap, desk) = (Trap::set(), Desk::new());
    let mut command = desk.rotate_to("github:acme/app", &["--dry-run"]);
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(variable, format!("http://{}", trap.address()));
    }
    Ran::of(command).expect(0);
    assert!(trap.is_untouched(), "the proxy was asked");
}
