//! Every plan is whole, for every answer that it can be begun with: a person who follows it finds each step that it speaks of,
//! a way back where something is taken away, and one way to see that the old credential is dead.

use std::collections::{BTreeMap, BTreeSet};

use rotate::plan::{Guidance, lead};
use rotate_providers::guide::{Guide, Procedure, Step, Template};

use super::{guides, steps, written};

type Values = BTreeMap<String, String>;

/// Every combination of what can be chosen, with the choices that are left open.
fn beginnings(guide: &Guide) -> Vec<Values> {
    let choices = guide.inputs.iter().filter(|input| !input.choices().is_empty());
    choices.fold(vec![Values::new()], |all, input| {
        let with = |values: &Values| -> Vec<Values> {
            let answers = input.choices().into_iter().map(Some).chain([None]);
            let one = |answer: Option<&str>| {
                let answered = answer.map(|answer| (input.name.to_string(), answer.to_owned()));
                values.clone().into_iter().chain(answered).collect()
            };
            answers.map(one).collect()
        };
        all.iter().flat_map(with).collect()
    })
}

#[test]
fn every_step_that_a_plan_speaks_of_is_in_it_whatever_was_answered() {
    let (mut plans, mut references) = (0, 0);
    for (id, guide) in guides() {
        for values in beginnings(&guide) {
            for procedure in Procedure::ALL {
                let there = guide.steps_for(procedure, &values);
                let names: BTreeSet<&str> = there.iter().map(|step| step.id.as_str()).collect();
                for step in &there {
                    for named in step.texts().flat_map(Template::steps) {
                        references += 1;
                        assert!(
                            names.contains(named),
                            "{id} {values:?}: {} speaks of {named}, which this plan leaves out",
                            step.id
                        );
                    }
                }
                if procedure == Procedure::Rotate {
                    for way in guide.negative.ways_for(&guide.with_defaults(&values)) {
                        for named in way.texts().flat_map(Template::steps) {
                            references += 1;
                            assert!(
                                names.contains(named),
                                "{id} {values:?}: the negative check speaks of {named}"
                            );
                        }
                    }
                }
                plans += usize::from(!there.is_empty());
            }
        }
    }
    assert!(
        plans > 150 && references > 400,
        "{plans} plans, {references} references"
    );
}

#[test]
fn no_plan_as_it_is_told_calls_a_step_by_its_name() {
    for (id, guide) in guides() {
        for values in beginnings(&guide) {
            for procedure in Procedure::ALL {
                let told = Guidance::of(&guide, procedure, &values);
                let planned = lead(&guide, procedure, &values, None);
                let texts = planned.iter().flat_map(|step| {
                    let guided = step.guided.iter();
                    let parts = guided.flat_map(|guided| {
                        let back = guided.back.as_ref();
                        let ways = [
                            guided.place.clone(),
                            guided.expect.clone(),
                            guided.caution.clone(),
                            guided.once.clone(),
                            back.map(|back| back.what.clone()),
                            back.map(|back| back.finish.clone()),
                        ];
                        ways.into_iter().flatten()
                    });
                    parts.chain([step.what.clone()]).collect::<Vec<_>>()
                });
                for text in texts.chain(told.dead) {
                    let mut named = guide.steps(procedure).iter().map(|step| format!("step {}", step.id));
                    let named = named.find(|named| text.contains(named.as_str()));
                    assert_eq!(named, None, "{id} {values:?}: {text}");
                }
            }
        }
    }
}

#[test]
fn there_is_one_way_to_see_the_old_credential_dead_for_every_answer_and_each_is_told_while_it_is_open() {
    let mut several = Vec::new();
    for (id, guide) in guides() {
        for values in beginnings(&guide) {
            let known = guide.with_defaults(&values);
            let ways = guide.negative.ways_for(&known);
            let told = Guidance::of(&guide, Procedure::Rotate, &values);
            let dead = told.dead.expect("a rotation has one");
            match ways.as_slice() {
                [] => assert_eq!(dead, "one way", "{id} {values:?}"),
                [_] => assert!(!dead.contains("With --"), "{id} {values:?}: {dead}"),
                open => {
                    several.push(id);
                    let conditions = open.iter().flat_map(|way| &way.only);
                    for only in conditions.filter(|only| !known.contains_key(&only.input)) {
                        let answer = format!("--{} {}", only.input.replace('_', "-"), only.is);
                        assert!(dead.contains(&answer), "{id} {values:?}: {dead}");
                    }
                }
            }
        }
    }
    several.dedup();
    assert_eq!(several, ["custom-rest-api", "databricks-password", "snowflake-oauth"]);
}

#[test]
fn the_plan_for_an_identity_provider_has_nothing_of_the_secrets_that_snowflake_keeps() {
    let guides = guides();
    let (_, guide) = guides
        .iter()
        .find(|(id, _)| *id == "snowflake-oauth")
        .expect("it is there");
    let values = Values::from(
        [("provider", "external"), ("held", "yes"), ("new_consent", "yes")].map(|(a, b)| (a.to_owned(), b.to_owned())),
    );
    let plan = guide.steps_for(Procedure::Rotate, &values);
    for step in &plan {
        for text in step.texts().map(written) {
            for foreign in ["SLOT", "OAUTH_CLIENT_SECRET", "DELEGATED AUTHORIZATIONS", "fingerprint"] {
                assert!(!text.contains(foreign), "{}: {text}", step.id);
            }
        }
    }
    let at = |id: &str| plan.iter().position(|step| step.id == id).expect(id);
    assert!(at("list-other-clients") < at("add-a-secret-at-the-identity-provider"));
    assert!(at("save-in-other-clients") < at("remove-the-secret-at-the-identity-provider"));
    assert!(at("revoke-the-old-tokens") < at("authorise-with-the-provider-again"));
    let told = Guidance::of(guide, Procedure::Rotate, &values);
    let dead = told.dead.unwrap_or_default();
    assert!(
        dead.contains("identity provider") && !dead.contains("fingerprint"),
        "{dead}"
    );
}

#[test]
fn a_slot_of_a_snowflake_user_is_filled_only_where_a_person_has_written_the_free_one() {
    let mut filled = Vec::new();
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            for command in step.commands().map(|command| written(&command.text)) {
                if command.contains(" SET ") && command.contains("PUBLIC KEY>") {
                    filled.push((id, step.id.clone()));
                    assert!(!command.contains("SET RSA_PUBLIC_KEY"), "{id}: {}: {command}", step.id);
                }
            }
        }
    }
    let ids: BTreeSet<&str> = filled.iter().map(|(id, _)| *id).collect();
    assert_eq!(
        ids,
        BTreeSet::from(["snowflake-keypair", "snowflake-password"]),
        "{filled:?}"
    );
}

#[test]
fn what_is_switched_off_tells_how_it_is_switched_on_again_and_how_the_rotation_goes_on() {
    let takes_away = |step: &Step| step.changes() && step.phase.revokes();
    let mut told = BTreeSet::new();
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            assert!(
                !takes_away(step) || step.back.is_some() == step.reversible,
                "{id}: {} has a way back, or is told to have none",
                step.id
            );
            if let Some(back) = &step.back {
                told.insert((id, step.id.clone()));
                assert_ne!(written(&back.action), written(&back.finish), "{id}: {}", step.id);
            }
        }
    }
    for (id, step) in [
        ("s3-customer-managed", "deactivate-old"),
        ("servicenow", "deactivate-old-entry"),
        ("bigquery-oauth", "disable-old-secret"),
        ("bigquery-service-account", "disable-old-key"),
        ("google-analytics", "take-access-away"),
        ("mixpanel", "take-out-of-project"),
        ("custom-rest-api", "switch-the-old-one-off"),
        ("ecosystem", "switch-the-old-one-off"),
        ("dynamics-certificate", "delete-old-certificate"),
        ("snowflake-password", "disable-the-user"),
        ("snowflake-password", "add-the-public-key"),
        ("snowflake-keypair", "add-the-public-key"),
    ] {
        assert!(told.contains(&(id, step.to_owned())), "{id}: {step} has no way back");
    }
}

#[test]
fn a_page_of_gainsight_s_has_one_name() {
    const PAGES: &str = concat!(
        r"^Gainsight › Administration › Connectors 2\.0(?: › (?:",
        r"Connections(?: › [^›]+(?: › three dots(?: › (?:Edit|Authorize) Connection)?)?|, and Adoption Explorer)?",
        r"|Jobs(?:, [^›]*)?",
        r"|Create Connection",
        r"|Logs or Activity(?:, and the record itself)?",
        r"|View S3 Config(?: › Reset Access Key)?",
        r"|custom connector \{custom_connector\} › Edit",
        r"|the other custom connectors))$",
    );
    let pages = regex::Regex::new(PAGES).expect("it is a pattern");
    let mut seen = 0;
    for (id, guide) in guides() {
        for (_, step) in steps(&guide) {
            let place = step.place.as_ref().map(written).unwrap_or_default();
            let is_connectors =
                place.starts_with("Gainsight") && place.contains("onnect") && !place.contains("Adoption Explorer ›");
            let is_elsewhere = place.ends_with("Google Analytics connection");
            if is_connectors && !is_elsewhere {
                seen += 1;
                assert!(pages.is_match(&place), "{id}: {}: {place}", step.id);
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn an_older_address_of_gainsight_s_documentation_is_marked_as_one() {
    const MARK: &str = "(an address of before November 2026) ";
    let is_older = |url: &str| url.starts_with("https://support.gainsight.com/") && !url.contains(".com/docs");
    let page = |url: &str| url.split('#').next().unwrap_or_default().to_owned();
    let mut marked = 0;
    for (id, guide) in guides() {
        for source in &guide.sources {
            assert_eq!(
                is_older(&source.url),
                source.says.starts_with(MARK),
                "{id}: {}",
                source.url
            );
            marked += usize::from(is_older(&source.url));
        }
        let named: BTreeSet<String> = guide.sources.iter().map(|source| page(&source.url)).collect();
        let mut links = steps(&guide).filter_map(|(_, step)| step.link.as_deref());
        let unmarked = links.find(|link| is_older(link) && !named.contains(&page(link)));
        assert_eq!(unmarked, None, "{id}: this page is among its sources, and marked there");
        let has_older = guide.sources.iter().any(|source| is_older(&source.url));
        let new = guide
            .sources
            .iter()
            .any(|source| source.url.starts_with("https://support.gainsight.com/docs"));
        assert_eq!(
            has_older, new,
            "{id}: whoever finds an older address dead is told where to look"
        );
    }
    assert!(marked > 30, "{marked}");
}

#[test]
fn a_credential_that_its_vendor_has_ended_says_so_first() {
    for (id, year) in [("snowflake-password", "2026"), ("databricks-password", "2024")] {
        let guides = guides();
        let (_, guide) = guides.iter().find(|(it, _)| *it == id).expect(id);
        assert!(guide.title.contains(year), "{id}: {}", guide.title);
        assert!(guide.credential.what.contains(year), "{id}: {}", guide.credential.what);
        let first = guide.prepare.first().expect(id);
        assert!(
            first.starts_with("a decision to move") && first.contains(year),
            "{id}: {first}"
        );
    }
}
