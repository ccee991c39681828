//! What stands before a new key is taken back.

use rotate::policy::used_by_others;

use super::*;

#[test]
fn what_others_use_is_not_taken_away_unless_a_person_insists() {
    let proved = ago(3600);
    let new = issued(Some(proved));
    let after = |seconds| used(proved + SignedDuration::from_secs(seconds));
    for quiet in [LastUse::NeverSeen, LastUse::NotReported, after(-900), after(60)] {
        assert_eq!(used_by_others(&new, &quiet), None);
    }
    let told = used_by_others(&new, &after(61)).expect("it is someone else's");
    assert!(told.contains("s3 in eu-west-1"), "{told}");
    assert!(
        used_by_others(&issued(None), &used(proved)).is_some(),
        "we never used it ourselves"
    );

    let delivered = |forced| undone(Phase::Delivered(new.clone(), ago(3500)), UndoKind::Abort, forced);
    let both = listed(&[key(OLD, true), key(NEW, true)], 1);
    let uses = |readings: &[(&str, LastUse)]| Facts {
        keys: both.keys.clone(),
        ..uses(readings)
    };
    let first = Step::ReadKeys { again: false };
    assert_eq!(decide(&delivered(false), &Facts::default()), Ok(first));
    assert_eq!(decide(&delivered(false), &uses(&[])), Ok(Step::ReadUse(id(NEW))));
    blocked(
        &delivered(false),
        &uses(&[(NEW, after(61))]),
        &[NEW, "used by others", "s3 in eu-west-1"],
    );
    assert_eq!(
        decide(&delivered(false), &uses(&[(NEW, LastUse::NeverSeen)])),
        Ok(Step::Withdraw)
    );
    assert_eq!(decide(&delivered(true), &uses(&[(NEW, after(61))])), Ok(Step::Withdraw));
    let mut left = delivered(false);
    left.undo
        .iter_mut()
        .for_each(|undo| undo.restored = BTreeMap::from([("d".to_owned(), Restored::ChangedSince)]));
    blocked(&left, &uses(&[(NEW, after(61))]), &["left alone: d"]);
}

#[test]
fn no_new_key_is_withdrawn_while_the_old_one_is_seen_not_to_work() {
    // Someone finished the job by hand, and then the rotation is undone: the new key is the only one that works.
    let new = issued(Some(ago(60)));
    for keys in [vec![key(NEW, true)], vec![key(OLD, false), key(NEW, true)]] {
        let mut facts = uses(&[(NEW, LastUse::NeverSeen)]);
        facts.keys = listed(&keys, 2).keys;
        for rotation in [
            undone(Phase::Delivered(new.clone(), ago(50)), UndoKind::Abort, true),
            undone(Phase::CutOver(new.clone(), switch(ago(40))), UndoKind::Rollback, true),
        ] {
            let step = decide(&rotation, &facts);
            assert_ne!(step, Ok(Step::Withdraw), "at `{}` with {keys:?}", rotation.phase.name());
        }
    }
}
