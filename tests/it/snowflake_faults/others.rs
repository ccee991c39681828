//! Keys of others: whatever comes into a slot meanwhile, and however the calls break, it is left alone and named.

use rotate_fixtures::FakeSnowflake;
use rotate_fixtures::snowflake::{Action, Fault, Slot};
use rotate_fixtures::snowflake_workplace::{TARGET, USER};

use super::{Moment, Watch, assert_rotated, at_once, delivered, holds, meanwhile, place, theirs};

fn set_theirs(slot: Slot) -> impl Fn(&FakeSnowflake) + Send + Sync + 'static {
    move |cloud| cloud.set_key(USER, slot, theirs().public_base64())
}

/// The keys change their places.
fn swap(cloud: &FakeSnowflake) {
    let [one, two] = cloud.slots(USER).map(Option::unwrap);
    cloud.unset_key(USER, Slot::Two);
    cloud.set_key(USER, Slot::One, &two.public);
    cloud.set_key(USER, Slot::Two, &one.public);
}

#[test]
fn a_slot_that_was_taken_while_the_new_key_was_made_is_left_alone_and_named() {
    let place = place();
    // The last look at the slots before the key would be set.
    meanwhile(&place.cloud, Moment::Before, Action::Describe, 2, set_theirs(Slot::Two));
    let ran = at_once(&place);
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:#?}");
    ran.says(&["both slots", theirs().fingerprint(), place.old.fingerprint()]);
    assert!(holds(&place, theirs().fingerprint()), "their key is gone");
    assert_eq!(place.cloud.count_of(Action::SetKey), 0);
    // Cron meets it too, and calls a person.
    let ran = place.run(["run"]).expect(3);
    assert!(ran.stdout.contains(theirs().fingerprint()), "{ran:#?}");
    assert!(holds(&place, theirs().fingerprint()) && place.consumer().works());
    // Its owner has taken it out, and the person says so.
    place.cloud.unset_key(USER, Slot::Two);
    place.run(["confirm", TARGET]).expect(0);
    assert_rotated(&place, "confirm");
}

/// A repeat of `SET` is harmless only while the slot is still free: it has to be looked at again.
#[test]
fn a_slot_that_was_taken_before_a_broken_registration_is_repeated_is_left_alone_and_named() {
    for fault in [Fault::StatusBefore(429), Fault::StatusBefore(503), Fault::DropBefore] {
        let place = place();
        place.cloud.break_call(Action::SetKey, 1, fault);
        meanwhile(&place.cloud, Moment::After, Action::SetKey, 1, set_theirs(Slot::Two));
        let ran = at_once(&place);
        assert!(
            holds(&place, theirs().fingerprint()),
            "{fault:?}: their key was replaced: {:#?}",
            place.cloud.effects()
        );
        assert!(matches!(ran.code, Some(1 | 3)), "{fault:?}: {ran:#?}");
        let said = ran.stdout + &ran.stderr;
        assert!(said.contains(theirs().fingerprint()), "{fault:?}: {said}");
        assert!(place.consumer().works());
    }
}

#[test]
fn a_slot_that_was_taken_before_an_expired_session_is_renewed_is_left_alone_and_named() {
    let place = place();
    meanwhile(
        &place.cloud,
        Moment::Before,
        Action::SetKey,
        1,
        FakeSnowflake::expire_sessions,
    );
    // The administrator logs in once more.
    meanwhile(&place.cloud, Moment::After, Action::Login, 2, set_theirs(Slot::Two));
    let ran = at_once(&place);
    assert!(holds(&place, theirs().fingerprint()), "their key was replaced");
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:#?}");
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains(theirs().fingerprint()), "{said}");
}

/// What `DESC USER` shows of a slot in place of the truth; `None`: not even a row.
type Distortion = (&'static str, Option<&'static str>);

#[test]
fn a_key_whose_fingerprint_is_not_shown_fills_its_slot_all_the_same_and_is_named() {
    for shown in [None, Some("null"), Some(""), Some("SHA256:short")] {
        let place = place();
        place.cloud.set_key(USER, Slot::Two, theirs().public_base64());
        place.cloud.distort(USER, "RSA_PUBLIC_KEY_2_FP", shown);
        let ran = at_once(&place).expect(3);
        assert!(holds(&place, theirs().fingerprint()), "{shown:?}: their key is gone");
        assert!(
            place.cloud.effects().is_empty(),
            "{shown:?}: {:#?}",
            place.cloud.effects()
        );
        ran.says(&["both slots", theirs().fingerprint(), place.old.fingerprint()]);
    }
}

#[test]
fn a_slot_of_which_too_little_is_shown_is_never_taken_for_free() {
    let distortions: [&[Distortion]; 6] = [
        &[("RSA_PUBLIC_KEY_2", Some("null")), ("RSA_PUBLIC_KEY_2_FP", None)],
        &[("RSA_PUBLIC_KEY_2", None), ("RSA_PUBLIC_KEY_2_FP", Some("null"))],
        &[("RSA_PUBLIC_KEY_2", None), ("RSA_PUBLIC_KEY_2_FP", None)],
        &[
            ("RSA_PUBLIC_KEY_2", Some("null")),
            ("RSA_PUBLIC_KEY_2_FP", Some("SHA256:short")),
        ],
        &[
            ("RSA_PUBLIC_KEY_2", Some("********")),
            ("RSA_PUBLIC_KEY_2_FP", Some("null")),
        ],
        &[("RSA_PUBLIC_KEY_2", Some("********")), ("RSA_PUBLIC_KEY_2_FP", None)],
    ];
    for distorted in distortions {
        let place = place();
        place.cloud.set_key(USER, Slot::Two, theirs().public_base64());
        for (property, shown) in distorted {
            place.cloud.distort(USER, property, *shown);
        }
        at_once(&place)
            .expect(1)
            .says(&["does not name what is in RSA_PUBLIC_KEY_2", "nothing was changed"]);
        assert!(
            place.cloud.effects().is_empty(),
            "{distorted:?}: {:#?}",
            place.cloud.effects()
        );
        assert!(holds(&place, theirs().fingerprint()) && place.consumer().works());
    }
}

/// It is found out only when the new key is made, and before that its slot was free.
#[test]
fn a_slot_that_was_taken_unseen_while_the_new_key_was_made_is_left_alone() {
    let place = place();
    meanwhile(&place.cloud, Moment::Before, Action::Describe, 2, |cloud| {
        set_theirs(Slot::Two)(cloud);
        cloud.distort(USER, "RSA_PUBLIC_KEY_2_FP", None);
    });
    let ran = at_once(&place);
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:#?}");
    ran.says(&["both slots", theirs().fingerprint()]);
    assert!(holds(&place, theirs().fingerprint()), "their key is gone");
    assert_eq!(place.cloud.count_of(Action::SetKey), 0);
}

#[test]
fn a_user_whose_fingerprints_are_not_shown_is_rotated_by_its_keys() {
    let place = place();
    for property in ["RSA_PUBLIC_KEY_FP", "RSA_PUBLIC_KEY_2_FP"] {
        place.cloud.distort(USER, property, Some("null"));
    }
    let watch = Watch::new(&place);
    at_once(&place).expect(0);
    watch.expect_nothing_wrong("no fingerprints");
    assert_rotated(&place, "no fingerprints");
}

#[test]
fn keys_that_change_their_places_are_removed_by_their_fingerprints() {
    let place = place();
    // Between the last reading of the rotation and the one of the removal.
    meanwhile(&place.cloud, Moment::After, Action::Show, 1, swap);
    at_once(&place).expect(0);
    assert_rotated(&place, "swapped");
    assert_eq!(place.cloud.count_of(Action::UnsetKey), 1);
}

/// A repeat of `UNSET` names a slot and no key: the slot has to be looked at again.
#[test]
fn keys_that_change_their_places_before_a_broken_removal_is_repeated_are_removed_by_their_fingerprints() {
    for fault in [Fault::StatusBefore(429), Fault::StatusBefore(503), Fault::DropBefore] {
        let place = place();
        place.cloud.break_call(Action::UnsetKey, 1, fault);
        meanwhile(&place.cloud, Moment::After, Action::UnsetKey, 1, swap);
        let ran = at_once(&place);
        let removed: Vec<Option<String>> = place
            .cloud
            .effects()
            .into_iter()
            .filter(|effect| effect.action == Action::UnsetKey)
            .map(|effect| effect.fingerprint)
            .collect();
        assert_eq!(
            removed,
            [Some(place.old.fingerprint().to_owned())],
            "{fault:?}: another key was removed: {ran:#?}"
        );
        ran.expect(0);
        assert_rotated(&place, &format!("{fault:?}"));
    }
}

#[test]
fn a_key_that_takes_the_old_ones_slot_before_the_removal_is_left_alone_and_named() {
    let place = delivered();
    meanwhile(&place.cloud, Moment::After, Action::Show, 1, set_theirs(Slot::One));
    let ran = place.run(["confirm", TARGET]).expect(3);
    assert!(ran.stdout.contains(theirs().fingerprint()), "{ran:#?}");
    assert!(holds(&place, theirs().fingerprint()), "their key is gone");
    assert!(place.holder_of(&place.delivered()).works());
    assert_eq!(place.state_name(), "blocked");
}

#[test]
fn a_key_that_takes_the_old_ones_slot_before_a_lost_removal_is_repeated_is_left_alone_and_named() {
    for fault in [Fault::DropAfter, Fault::StatusAfter(503), Fault::TruncatedAfter] {
        let place = delivered();
        place.cloud.break_call(Action::UnsetKey, 1, fault);
        meanwhile(&place.cloud, Moment::After, Action::UnsetKey, 1, set_theirs(Slot::One));
        let ran = place.run(["confirm", TARGET]);
        assert!(
            holds(&place, theirs().fingerprint()),
            "{fault:?}: their key was removed: {:#?}",
            place.cloud.effects()
        );
        assert_eq!(ran.code, Some(3), "{fault:?}: {ran:#?}");
        assert!(ran.stdout.contains(theirs().fingerprint()), "{fault:?}: {ran:#?}");
    }
}

#[test]
fn a_key_that_takes_the_new_ones_slot_before_a_lost_withdrawal_is_repeated_is_left_alone() {
    let place = delivered();
    place.cloud.break_call(Action::UnsetKey, 1, Fault::DropAfter);
    meanwhile(&place.cloud, Moment::After, Action::UnsetKey, 1, set_theirs(Slot::Two));
    place.run(["abort", TARGET]);
    assert!(
        holds(&place, theirs().fingerprint()),
        "their key was removed: {:#?}",
        place.cloud.effects()
    );
    assert!(place.consumer().works());
}
