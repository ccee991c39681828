//! Secrets of an organization: who may use them stays as it is.

use rotate_fixtures::github::Trouble;

use super::*;

/// An organization with the two secrets: one for many repositories, the other for all private ones.
fn organized() -> (Desk, Vec<u64>) {
    let desk = Desk::new();
    let selected: Vec<u64> = {
        let mut world = desk.github.world();
        (0..230)
            .map(|number| world.add_repository(&format!("acme/repository-{number}")))
            .collect()
    };
    desk.fill("acme");
    desk.github.world().select("acme", SECRET, &selected);
    desk.github.world().select("acme", "THEIRS", &selected[..2]);
    (desk, selected)
}

#[test]
fn the_repositories_that_a_secret_is_for_stay_the_same_on_every_page() {
    let (desk, selected) = organized();
    Ran::of(desk.rotate_to("github-org:acme", &[])).expect(0);
    desk.expect_new_key("acme");
    let mut world = desk.github.world();
    let selected_one = |numbers: &[u64]| (Some("selected".to_owned()), numbers.to_vec());
    assert_eq!(world.audience("acme", SECRET), selected_one(&selected));
    assert_eq!(world.audience("acme", ID), (Some("private".to_owned()), Vec::new()));
    assert_eq!(world.audience("acme", "THEIRS"), selected_one(&selected[..2]));
}

#[test]
fn dependabots_secrets_of_an_organization_stay_with_their_repositories_too() {
    let (desk, selected) = organized();
    desk.fill("acme#dependabot");
    desk.github.world().select("acme#dependabot", SECRET, &selected);
    Ran::of(desk.rotate_to("github-org:acme?app=dependabot", &[])).expect(0);
    desk.expect_new_key("acme#dependabot");
    desk.expect_untouched("acme");
    let (_, now) = desk.github.world().audience("acme#dependabot", SECRET);
    assert_eq!(now, selected);
}

#[test]
fn a_secret_that_is_not_there_is_not_made_for_repositories_that_nobody_has_named() {
    let (desk, _) = organized();
    desk.github.world().remove("acme", ID);
    Ran::of(desk.rotate_to("github-org:acme", &[])).expect(1).says(&[
        "the organization has no secret AWS_ACCESS_KEY_ID",
        "gh secret set AWS_ACCESS_KEY_ID --org acme --app actions --visibility selected",
        "nothing was changed",
    ]);
    assert!(desk.written().is_empty());
    desk.place.expect_as_before();
}

#[test]
fn a_list_of_repositories_that_is_shorter_than_githubs_count_is_not_sent_back() {
    let (desk, selected) = organized();
    desk.github.world().hidden.insert(selected[0]);
    Ran::of(desk.rotate_to("github-org:acme", &[]))
        .expect(1)
        .says(&["GitHub lists 229 of the 230 repositories", "the others would lose it"]);
    assert!(desk.written().is_empty());
}

#[test]
fn whoever_changes_who_may_use_it_at_the_same_moment_is_told_of() {
    let (desk, selected) = organized();
    let more: Vec<u64> = selected[..5].to_vec();
    let deed = Trouble::Afterwards(Box::new(move |world| world.select("acme", SECRET, &more)));
    desk.github.plan("PUT", SECRET, deed);
    Ran::of(desk.rotate_to("github-org:acme", &[]))
        .expect(1)
        .says(&["was changed while it was written", "gh api"]);
    Ran::of(desk.rotate_to("github-org:acme", &[])).expect(0);
    desk.expect_new_key("acme");
    assert_eq!(desk.github.world().audience("acme", SECRET).1.len(), 5);
}

#[test]
fn an_organization_that_is_renamed_meanwhile_is_found_by_its_number() {
    let (desk, _) = organized();
    desk.github.plan("PUT", ID, Trouble::Limited(3600));
    Ran::of(desk.rotate_to("github-org:acme", &[])).expect(1);
    desk.github.world().rename_owner("acme", "acme-inc");
    Ran::of(desk.rotate_to("github-org:acme", &[])).expect(0);
    desk.expect_new_key("acme-inc");
}
