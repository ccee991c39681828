//! What every destination that is reached over a network is promised to do, with the real program, a strict store behind it, and a
//! door between the two, which can do harm between any two requests.
//!
//! A new one joins with an implementation of [`Store`] in a file of its own, and its line in [`on_every_store`].

#[cfg(any(feature = "secretsmanager", feature = "ssm"))]
mod answers;
#[cfg(feature = "github")]
mod github;
mod gone;
mod grants;
#[cfg(feature = "kubernetes")]
mod kubernetes;
#[cfg(feature = "secretsmanager")]
mod secretsmanager;
#[cfg(feature = "ssm")]
mod ssm;
#[cfg(feature = "vault-kv")]
mod vault_kv;
mod way;

use gone::{
    what_is_deleted_after_a_rotation_is_told_as_gone_wherever_it_can_be_looked_at,
    what_only_stands_on_the_way_is_not_believed_that_it_is_gone,
};
use grants::what_the_page_grants_is_what_is_told_to_be_missing;
use rotate::delivery::{Capabilities, KINDS};
use rotate_fixtures::workplace::TARGET;
use rotate_fixtures::{Fate, StoreDoor, Workplace};
use way::Way;

/// A store with an older key in it, and the program with a key to rotate.
pub(crate) trait Store: Sized {
    /// What its names begin with.
    const KIND: &'static str;

    /// An older key is delivered there, with something of somebody else's beside it.
    fn new() -> Self;
    /// The program, its vendor and its folder.
    fn place(&self) -> &Workplace;
    /// What the program finds in its environment beside the vendor.
    fn environment(&self) -> Vec<(String, String)>;
    /// The way to the store.
    fn door(&self) -> &StoreDoor;
    /// How the destination is called.
    fn to(&self) -> String;
    /// The id and the secret that its consumers get.
    fn held(&self) -> (String, String);
    /// What stands beside ours.
    fn beside(&self) -> String;
    /// How often something new was written there.
    fn writes(&self) -> usize;
    /// What somebody else does there.
    fn meddling(&self, what: Meddling) -> Box<dyn FnOnce() + Send>;
    /// Somebody deletes all of it.
    fn remove(&self);
    /// What it answers, as HTTP, to whoever asks too often.
    fn too_often(&self) -> String;
    /// Brings this about. How it has to be told.
    fn suffer(&self, trouble: Trouble) -> &'static [&'static str];
}

/// What somebody else does in a store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meddling {
    /// Writes beside ours.
    Beside,
    /// Writes a key of theirs over ours: [`THEIRS`].
    Over,
}

/// Their key, and its secret.
pub(crate) const THEIRS: (&str, &str) = ("AKIATHEIRS", "their-secret");

/// Why nothing can be delivered there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// There is no such thing.
    Missing,
    /// These credentials may not write, or not read.
    Denied,
    /// These credentials are accepted no more.
    Expired,
    /// What is there is not what it should be.
    Unfit,
    /// The same name leads to something else than when the rotation was opened: another account, or one made anew.
    Elsewhere,
}

/// All that stand in the way before a key is made.
const BEFOREHAND: [Trouble; 4] = [Trouble::Missing, Trouble::Denied, Trouble::Expired, Trouble::Unfit];

/// Each promise as a test of each store.
macro_rules! on_every_store {
    ($($(#[$only:meta])* $promises:ident: $store:ty;)*) => {
        $(
            $(#[$only])*
            mod $promises {
                use super::*;

                on_every_store! { @ $store:
                    the_new_key_is_delivered_beside_what_others_keep_there
                    a_dry_run_only_looks_and_says_what_the_store_can_do
                    a_run_that_is_killed_at_any_point_goes_on_and_writes_nothing_twice
                    whoever_writes_beside_it_between_any_two_requests_loses_nothing
                    whoever_writes_beside_it_while_it_is_put_back_loses_nothing
                    whoever_writes_beside_a_run_that_is_killed_loses_nothing
                    whoever_replaces_it_while_it_is_put_back_keeps_what_they_wrote
                    what_was_replaced_is_what_comes_back_whenever_somebody_has_changed_it
                    what_somebody_has_replaced_since_is_left_to_them
                    an_answer_that_is_lost_leads_to_no_second_write
                    an_answer_that_is_lost_while_it_is_put_back_does_no_harm
                    a_store_that_is_asked_too_often_is_asked_again
                    what_cannot_be_delivered_to_is_told_before_a_key_is_made
                    a_name_that_leads_elsewhere_meanwhile_is_not_written_to
                    what_is_deleted_after_a_rotation_is_told_as_gone_wherever_it_can_be_looked_at
                    what_only_stands_on_the_way_is_not_believed_that_it_is_gone
                    what_the_page_grants_is_what_is_told_to_be_missing
                }
            }
        )*

        /// The kinds that are promised something here.
        pub(super) fn kinds() -> Vec<&'static str> {
            vec![$($(#[$only])* <$store as Store>::KIND,)*]
        }
    };
    (@ $store:ty: $($promise:ident)*) => {
        $(
            #[test]
            fn $promise() {
                super::$promise::<$store>();
            }
        )*
    };
}

on_every_store! {
    #[cfg(feature = "secretsmanager")]
    on_secretsmanager: secretsmanager::SecretsManager;
    #[cfg(feature = "ssm")]
    on_ssm: ssm::Parameter;
    #[cfg(feature = "vault-kv")]
    on_vault_kv: vault_kv::KeyValue;
    #[cfg(feature = "kubernetes")]
    on_kubernetes: kubernetes::InCluster;
    #[cfg(feature = "github")]
    on_github: github::Secrets;
}

/// What the kind is documented to do.
trait Can {
    fn can() -> Capabilities;
}

impl<S: Store> Can for S {
    fn can() -> Capabilities {
        let kind = KINDS.iter().find(|kind| kind.name == S::KIND).expect("it is a kind");
        kind.capabilities
    }
}

fn the_new_key_is_delivered_beside_what_others_keep_there<S: Store>() {
    let way = Way::<S>::new();
    way.rotate(&[]).expect(0);
    way.expect_delivered("once");
    assert_eq!(way.store.beside(), way.beside);
    let written = way.store.writes();
    assert!(written > way.written, "nothing was written");
    // The same command again finds it there.
    way.rotate(&[]).expect(0);
    assert_eq!(way.store.writes(), written);
    way.ran(way.store.place().command(["confirm", TARGET])).expect(0);
    let mut later = way.store.place().command(["run"]);
    later.env("ROTATE_TEST_CLOCK_AHEAD", (8 * 86_400).to_string());
    way.ran(later).expect(0);
    way.expect_delivered("at the end");
    assert_eq!((way.store.beside(), way.store.writes()), (way.beside.clone(), written));
}

fn a_dry_run_only_looks_and_says_what_the_store_can_do<S: Store>() {
    let way = Way::<S>::new();
    let ran = way.rotate(&["--dry-run"]).expect(0);
    let words = S::can().to_string();
    assert!(ran.stdout.contains(&words), "`{words}` is missing: {}", ran.stdout);
    assert!(way.store.door().count() > 0, "nobody has looked");
    assert_eq!(
        (way.store.held(), way.store.beside()),
        (way.older.clone(), way.beside.clone())
    );
    assert_eq!(way.store.writes(), way.written);
}

fn a_run_that_is_killed_at_any_point_goes_on_and_writes_nothing_twice<S: Store>() {
    let points = Way::<S>::points();
    let ours = points
        .iter()
        .filter(|point| point.starts_with(&format!("{}: ", S::KIND)));
    assert!(ours.count() > 0, "no point between two requests: {points:?}");
    let undisturbed = Way::<S>::new();
    undisturbed.rotate(&[]).expect(0);
    let written = undisturbed.store.writes();
    for (at, point) in points.iter().enumerate() {
        let way = Way::<S>::killed_at(at + 1);
        let place = way.store.place();
        assert!(place.cloud.works(&place.old.id, &place.old.secret), "{point}");
        way.rotate(&[]).expect(0);
        way.expect_delivered(point);
        assert_eq!(way.store.beside(), way.beside, "{point}");
        // What cannot be read back is sent again, and says the same.
        if S::can().readable {
            assert_eq!(way.store.writes(), written, "{point}");
        }
        way.abort_in_the_end();
        way.expect_put_back(point);
        assert_eq!(way.store.beside(), way.beside, "{point}");
    }
}

fn whoever_writes_beside_it_between_any_two_requests_loses_nothing<S: Store>() {
    for nth in 1..=Way::<S>::requests() {
        let way = Way::<S>::new();
        way.store
            .door()
            .plan(nth, Fate::Behind(way.store.meddling(Meddling::Beside)));
        way.rotate_in_the_end();
        let when = format!("before request {nth}");
        way.expect_delivered(&when);
        assert_ne!(way.store.beside(), way.beside, "{when}: what they wrote is gone");
        let theirs = way.store.beside();
        way.abort_in_the_end();
        way.expect_put_back(&when);
        assert_eq!(way.store.beside(), theirs, "{when}");
    }
}

fn whoever_writes_beside_it_while_it_is_put_back_loses_nothing<S: Store>() {
    for nth in 1..=Way::<S>::requests_of_abort() {
        let way = Way::<S>::new();
        way.rotate(&[]).expect(0);
        way.store
            .door()
            .plan(nth, Fate::Behind(way.store.meddling(Meddling::Beside)));
        way.abort_in_the_end();
        let when = format!("before request {nth}");
        way.expect_put_back(&when);
        assert_ne!(way.store.beside(), way.beside, "{when}: what they wrote is gone");
    }
}

fn whoever_writes_beside_a_run_that_is_killed_loses_nothing<S: Store>() {
    let points = Way::<S>::points();
    let is_ours = |(_, point): &(usize, &String)| point.starts_with(&format!("{}: ", S::KIND));
    for (at, point) in points.iter().enumerate().filter(is_ours) {
        for nth in 1..=Way::<S>::requests() {
            let way = Way::<S>::new();
            way.store
                .door()
                .plan(nth, Fate::Behind(way.store.meddling(Meddling::Beside)));
            let mut dying = way.store.place().rotate_to(&[&way.store.to()], [] as [&str; 0]);
            dying.env("ROTATE_TEST_KILL_AT", (at + 1).to_string());
            way.ran(dying);
            let is_before = way.store.beside() != way.beside;
            way.rotate_in_the_end();
            let when = format!("before request {nth}, killed at {point}");
            way.expect_delivered(&when);
            // What comes after the kill did not happen, or in the second run.
            assert!(
                way.store.beside() != way.beside || (!is_before && way.store.door().count() < nth),
                "{when}"
            );
            // What did not happen until now does not happen any more.
            way.store.door().open();
            let theirs = way.store.beside();
            way.abort_in_the_end();
            way.expect_put_back(&when);
            assert_eq!(way.store.beside(), theirs, "{when}");
        }
    }
}

fn whoever_replaces_it_while_it_is_put_back_keeps_what_they_wrote<S: Store>() {
    for nth in 1..=Way::<S>::requests_of_abort() {
        let way = Way::<S>::new();
        way.rotate(&[]).expect(0);
        way.store
            .door()
            .plan(nth, Fate::Behind(way.store.meddling(Meddling::Over)));
        way.abort_in_the_end();
        let (id, secret) = way.store.held();
        assert_eq!((id.as_str(), secret.as_str()), THEIRS, "before request {nth}");
    }
}

fn what_was_replaced_is_what_comes_back_whenever_somebody_has_changed_it<S: Store>() {
    for nth in 1..=Way::<S>::requests() {
        let way = Way::<S>::new();
        way.store
            .door()
            .plan(nth, Fate::Behind(way.store.meddling(Meddling::Over)));
        let when = format!("before request {nth}");
        way.rotate_in_the_end();
        let (id, secret) = way.store.held();
        // Where nobody can look, nobody sees what is written over ours within the same second.
        if S::can().readable || (id != THEIRS.0 && secret != THEIRS.1) {
            way.expect_delivered(&when);
        }
        assert_eq!(way.store.beside(), way.beside, "{when}");
        way.abort_in_the_end();
        if S::can().restores {
            let (id, secret) = way.store.held();
            assert_eq!((id.as_str(), secret.as_str()), THEIRS, "{when}");
        }
    }
}

fn what_somebody_has_replaced_since_is_left_to_them<S: Store>() {
    let way = Way::<S>::new();
    way.rotate(&[]).expect(0);
    way.store.meddling(Meddling::Over)();
    let written = way.store.writes();
    way.abort_in_the_end();
    let (id, secret) = way.store.held();
    assert_eq!((id.as_str(), secret.as_str()), THEIRS);
    assert_eq!(way.store.writes(), written);
}

fn an_answer_that_is_lost_leads_to_no_second_write<S: Store>() {
    let undisturbed = Way::<S>::new();
    undisturbed.rotate(&[]).expect(0);
    for nth in 1..=undisturbed.store.door().count() {
        let way = Way::<S>::new();
        way.store.door().plan(nth, Fate::AnswerLost);
        way.rotate_in_the_end();
        let when = format!("the answer to request {nth}");
        way.expect_delivered(&when);
        assert_eq!(way.store.beside(), way.beside, "{when}");
        if S::can().readable {
            assert_eq!(way.store.writes(), undisturbed.store.writes(), "{when}");
        }
        way.abort_in_the_end();
        way.expect_put_back(&when);
    }
}

fn an_answer_that_is_lost_while_it_is_put_back_does_no_harm<S: Store>() {
    for nth in 1..=Way::<S>::requests_of_abort() {
        let way = Way::<S>::new();
        way.rotate(&[]).expect(0);
        way.store.door().plan(nth, Fate::AnswerLost);
        way.abort_in_the_end();
        let when = format!("the answer to request {nth}");
        way.expect_put_back(&when);
        assert_eq!(way.store.beside(), way.beside, "{when}");
    }
}

fn a_store_that_is_asked_too_often_is_asked_again<S: Store>() {
    for nth in 1..=Way::<S>::requests() {
        let way = Way::<S>::new();
        way.store.door().plan(nth, Fate::Answered(way.store.too_often()));
        way.rotate_in_the_end();
        way.expect_delivered(&format!("request {nth}"));
    }
    let way = Way::<S>::new();
    way.store.door().answer_all(&way.store.too_often());
    let ran = way
        .rotate(&["--yes"])
        .expect(1)
        .says(&["run the same command again in a minute"]);
    assert!(ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
    way.store.place().expect_as_before();
    way.store.door().open();
    way.rotate(&[]).expect(0);
    way.expect_delivered("a minute later");
}

fn what_cannot_be_delivered_to_is_told_before_a_key_is_made<S: Store>() {
    for trouble in BEFOREHAND {
        let way = Way::<S>::new();
        let words = way.store.suffer(trouble);
        way.rotate(&["--yes"]).expect(1).says(words);
        way.store.place().expect_as_before();
    }
}

fn a_name_that_leads_elsewhere_meanwhile_is_not_written_to<S: Store>() {
    let points = Way::<S>::points();
    let ours = format!("{}: ", S::KIND);
    let written = points.iter().position(|point| point.starts_with(&ours));
    let way = Way::<S>::killed_at(written.expect("something is written") + 1);
    let words = way.store.suffer(Trouble::Elsewhere);
    let (held, beside, written) = (way.store.held(), way.store.beside(), way.store.writes());
    way.rotate(&[]).expect(1).says(words);
    assert_eq!((way.store.held(), way.store.beside()), (held, beside));
    assert_eq!(way.store.writes(), written);
}
