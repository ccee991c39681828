//! What the answers decide: with each of them a plan has the steps of that way, in the order in which they can be walked, and no
//! word of the other way.

use rotate::plan::{Guidance, lead};
use rotate_providers::guide::{Overlap, Procedure};

use super::{Guide, guides, written};

type Values = std::collections::BTreeMap<String, String>;

fn guide(id: &str) -> Guide {
    let found = guides().into_iter().find(|(it, _)| *it == id);
    found.expect(id).1
}

fn answers<const N: usize>(answers: [(&str, &str); N]) -> Values {
    Values::from(answers.map(|(input, answer)| (input.to_owned(), answer.to_owned())))
}

/// The names of the steps with these answers, in their order.
fn plan(guide: &Guide, procedure: Procedure, values: &Values) -> Vec<String> {
    let steps = guide.steps_for(procedure, values).into_iter();
    steps.map(|step| step.id.clone()).collect()
}

/// All of these are in the plan, one behind the other.
fn in_order(plan: &[String], ids: &[&str]) {
    let at = |id: &&str| plan.iter().position(|step| step == id);
    let found: Vec<Option<usize>> = ids.iter().map(at).collect();
    assert!(
        found.iter().all(Option::is_some) && found.is_sorted(),
        "{ids:?} in {plan:?}"
    );
}

fn has(plan: &[String], id: &str) -> bool {
    plan.iter().any(|step| step == id)
}

#[test]
fn a_new_client_at_google_is_consented_to_by_gainsight_and_by_all_others_before_the_old_one_goes() {
    let guide = guide("bigquery-oauth");
    let client = plan(&guide, Procedure::Rotate, &answers([("replace", "client")]));
    let ways = ["save-client-in-gainsight", "authorise-the-new-client"];
    let others = [
        "save-client-elsewhere",
        "authorise-elsewhere",
        "run-a-job",
        "delete-old-client",
    ];
    in_order(&client, &[&ways[..], &others[..]].concat());
    assert!(!has(&client, "authorise-if-asked") && !has(&client, "save-elsewhere"));
    assert!(
        !has(&client, "note-old-secret"),
        "no secret of the old client is looked for"
    );
    let secret = plan(&guide, Procedure::Rotate, &answers([("replace", "secret")]));
    in_order(&secret, &["save-in-gainsight", "authorise-if-asked", "save-elsewhere"]);
    assert!(!has(&secret, "authorise-the-new-client") && !has(&secret, "authorise-elsewhere"));
}

#[test]
fn gainsight_is_cut_off_from_google_by_the_removal_of_the_grant_before_anything_that_others_share() {
    let guide = guide("bigquery-oauth");
    let alone = plan(&guide, Procedure::Disconnect, &answers([("shared", "no")]));
    in_order(
        &alone,
        &[
            "pause-jobs",
            "remove-grant",
            "disable-secrets",
            "see-who-fails",
            "delete-client",
        ],
    );
    assert!(!has(&alone, "authorise-the-others-again"));
    let shared = plan(&guide, Procedure::Disconnect, &answers([("shared", "yes")]));
    in_order(&shared, &["remove-grant", "authorise-the-others-again"]);
    assert_eq!(shared.last().map(String::as_str), Some("authorise-the-others-again"));
    let told = Guidance::of(&guide, Procedure::Disconnect, &answers([("shared", "yes")]));
    assert_eq!(
        told.dead, None,
        "the client stays, and no refusal of it can be asked for"
    );
}

#[test]
fn whoever_lost_a_consent_at_snowflake_gives_it_again_under_the_same_answers() {
    let guide = guide("snowflake-oauth");
    for (provider, ways) in [
        (
            "external",
            [
                "revoke-the-old-tokens",
                "authorise-with-the-provider-again",
                "authorise-the-other-systems-again",
            ],
        ),
        (
            "snowflake",
            [
                "revoke-old-consents",
                "authorise-after-the-revocation",
                "authorise-the-other-clients-again",
            ],
        ),
    ] {
        let asked = answers([("provider", provider), ("held", "yes"), ("new_consent", "yes")]);
        in_order(&plan(&guide, Procedure::Rotate, &asked), &ways);
        let kept = answers([("provider", provider), ("held", "yes"), ("new_consent", "no")]);
        let kept = plan(&guide, Procedure::Rotate, &kept);
        assert!(!ways.iter().any(|step| has(&kept, step)), "{kept:?}");
    }
}

#[test]
fn where_the_new_secret_ends_the_old_one_the_plan_says_so_and_its_gap_is_short() {
    for (id, values, first, last) in [
        (
            "snowflake-oauth",
            answers([
                ("provider", "external"),
                ("two_at_once", "no"),
                ("held", "yes"),
                ("parameters", "yes"),
            ]),
            "reset-the-secret-at-the-identity-provider",
            "save-in-other-clients",
        ),
        (
            "mixpanel",
            answers([("kind", "project-secret")]),
            "project-secret-reset",
            "project-secret-save-elsewhere",
        ),
    ] {
        let guide = guide(id);
        let told = Guidance::of(&guide, Procedure::Rotate, &values);
        assert_eq!(told.overlap, Some(Overlap::None), "{id}");
        assert_eq!(told.opening().0, Some("NO OVERLAP."), "{id}");
        let steps = lead(&guide, Procedure::Rotate, &values, None);
        let guided = steps.iter().filter_map(|step| step.guided.as_ref());
        let gap: Vec<&str> = guided.filter(|it| it.in_gap).map(|it| it.step.as_str()).collect();
        assert_eq!((gap.first(), gap.last()), (Some(&first), Some(&last)), "{id}");
        assert!(gap.len() <= 5, "{id}: {gap:?}");
        for overlaps in [
            Values::new(),
            answers([("two_at_once", "no"), ("provider", "snowflake")]),
        ] {
            let told = Guidance::of(&guide, Procedure::Rotate, &overlaps);
            assert_eq!(told.overlap, Some(Overlap::Yes), "{id} {overlaps:?}");
        }
    }
}

#[test]
fn a_provider_with_one_secret_is_asked_for_no_second_one() {
    let guide = guide("snowflake-oauth");
    let one = plan(
        &guide,
        Procedure::Rotate,
        &answers([("provider", "external"), ("two_at_once", "no")]),
    );
    in_order(
        &one,
        &[
            "find-the-application",
            "reset-the-secret-at-the-identity-provider",
            "save-in-gainsight",
            "prove-once-more",
        ],
    );
    for second in [
        "add-a-secret-at-the-identity-provider",
        "see-the-old-secret-idle",
        "remove-the-secret-at-the-identity-provider",
    ] {
        assert!(!has(&one, second), "{second}");
    }
}

#[test]
fn the_plan_for_a_project_s_secret_at_mixpanel_has_no_account_in_it_and_keeps_the_secret_once_it_is_there() {
    let guide = guide("mixpanel");
    let values = answers([("kind", "project-secret")]);
    let secret = plan(&guide, Procedure::Rotate, &values);
    in_order(
        &secret,
        &[
            "project-secret-list-users",
            "project-secret-reset",
            "project-secret-keep",
            "project-secret-save",
            "project-secret-save-elsewhere",
            "project-secret-soak",
        ],
    );
    for step in guide.steps_for(Procedure::Rotate, &values) {
        for text in step.texts().map(written).filter(|_| step.id != "project-secret-look") {
            for absent in ["old_account", "old account", "user name", "service account"] {
                assert!(!text.contains(absent), "{}: {text}", step.id);
            }
        }
    }
    let dead = Guidance::of(&guide, Procedure::Rotate, &values)
        .dead
        .unwrap_or_default();
    assert!(
        dead.contains("Access Keys") && !dead.contains("Service Accounts"),
        "{dead}"
    );
}
