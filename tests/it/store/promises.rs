//! What any store has to keep. Each promise gets two handles on the same data, as two processes have.

use super::*;

hold!(
    what_was_appended_is_replayed_by_anyone,
    a_write_that_follows_an_old_revision_loses_the_race,
    a_second_lease_is_refused_until_the_first_is_dropped,
    a_writer_whose_lease_was_overtaken_writes_nothing,
    a_target_has_one_open_rotation_at_most,
    a_target_may_be_rotated_again_after_the_end,
    what_is_sealed_stays_until_the_end_and_no_longer,
    a_key_that_was_made_here_is_sealed_with_its_making_and_replayed_with_its_public_half,
    a_write_that_loses_seals_nothing,
    summaries_name_the_latest_rotation_of_every_target,
    the_journal_is_in_the_order_of_writing,
    only_keys_of_finished_rotations_are_retired,
    an_empty_store_is_whole_and_says_so,
    a_whole_journal_is_verified_and_its_head_changes_with_every_line,
    of_many_who_write_at_once_each_is_told_of_its_own_write,
    what_was_seen_is_no_rotation_and_stands_in_the_journal,
);

mod kept {
    use super::*;

    async fn leased(store: &dyn Store) -> Lease {
        store.lease().await.expect("nobody else has it")
    }

    pub(super) async fn what_was_appended_is_replayed_by_anyone(one: &dyn Store, other: &dyn Store) {
        assert!(other.latest(TARGET).await.expect("it can be read").is_none());
        let lease = leased(one).await;
        let mut growing = Growing::new("r1", TARGET);
        for event in [opened("AKIAOLD"), intended(), created(), Event::Proved] {
            growing.add_all(one, &lease, &[event]).await;
            let stored = other.latest(TARGET).await.expect("it is intact").expect("it is there");
            assert_eq!((stored.id.as_str(), stored.target.as_str()), ("r1", TARGET));
            assert_eq!(stored.revision, growing.revision);
            assert_eq!(Some(&stored.rotation), growing.rotation.as_ref());
            assert_eq!(
                stored.updated_at,
                NOW + jiff::SignedDuration::from_secs(growing.revision - 1)
            );
        }
        assert!(
            other
                .latest("s3-customer-managed/someone-else")
                .await
                .expect("it can be read")
                .is_none()
        );
    }

    pub(super) async fn a_write_that_follows_an_old_revision_loses_the_race(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let mut growing = Growing::new("r1", TARGET);
        growing.add_all(one, &lease, &[opened("AKIAOLD")]).await;
        let mut late = Growing {
            rotation: growing.rotation.clone(),
            ..growing
        };
        growing.add_all(one, &lease, &[intended()]).await;
        let lost = late.add(other, &lease, intended()).await;
        assert!(matches!(lost, Err(StoreError::Race)), "{lost:?}");
        // Nor may one run ahead.
        late.revision = 7;
        let lost = late.add(other, &lease, intended()).await;
        assert!(matches!(lost, Err(StoreError::Race)), "{lost:?}");
        assert_eq!(other.journal(None).await.expect("it can be read").len(), 2);
    }

    pub(super) async fn a_second_lease_is_refused_until_the_first_is_dropped(one: &dyn Store, other: &dyn Store) {
        let first = leased(one).await;
        for store in [one, other] {
            let refused = store.lease().await.map(|lease| lease.fence);
            let is_held = matches!(refused, Err(StoreError::Held(_) | StoreError::Leased { .. }));
            assert!(is_held, "{refused:?}");
        }
        let fence = first.fence;
        drop(first);
        assert!(leased(other).await.fence > fence);
    }

    pub(super) async fn a_writer_whose_lease_was_overtaken_writes_nothing(one: &dyn Store, other: &dyn Store) {
        let overtaken = leased(one).await.fence;
        let mut lease = leased(other).await;
        lease.fence = overtaken;
        let mut growing = Growing::new("r1", TARGET);
        let refused = growing.add(one, &lease, opened("AKIAOLD")).await;
        assert!(matches!(refused, Err(StoreError::Race)), "{refused:?}");
        assert!(other.journal(None).await.expect("it can be read").is_empty());
    }

    pub(super) async fn a_target_has_one_open_rotation_at_most(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        Growing::new("r1", TARGET)
            .add_all(one, &lease, &[opened("AKIAOLD")])
            .await;
        let second = Growing::new("r2", TARGET).add(one, &lease, opened("AKIAOLD")).await;
        assert!(matches!(second, Err(StoreError::Race)), "{second:?}");
        let stored = other.latest(TARGET).await.expect("it is intact").expect("it is there");
        assert_eq!(stored.id, "r1");
        // Another target is another matter.
        Growing::new("r3", "s3-customer-managed/v")
            .add_all(one, &lease, &[opened("AKIAOLD")])
            .await;
        other.verify().await.expect("it is intact");
    }

    pub(super) async fn a_target_may_be_rotated_again_after_the_end(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        Growing::new("r1", TARGET)
            .add_all(one, &lease, &[opened("AKIAOLD"), Event::Aborted])
            .await;
        Growing::new("r2", TARGET)
            .add_all(one, &lease, &[opened("AKIAOLD")])
            .await;
        let stored = other.latest(TARGET).await.expect("it is intact").expect("it is there");
        assert_eq!((stored.id.as_str(), stored.revision), ("r2", 1));
    }

    pub(super) async fn what_is_sealed_stays_until_the_end_and_no_longer(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let mut growing = Growing::new("r1", TARGET);
        growing.add_all(one, &lease, &[opened("AKIAOLD"), intended()]).await;
        let seal = Some(("new-key", &b"sealed"[..]));
        growing.add_sealed(one, &lease, created(), seal).await.expect("it fits");
        let end = to_the_end();
        let (last, rest) = end.split_last().expect("it has an end");
        for event in rest {
            growing.add_all(one, &lease, std::slice::from_ref(event)).await;
            let sealed = other.sealed("r1", "new-key").await.expect("it can be read");
            assert_eq!(sealed.as_deref(), Some(&b"sealed"[..]), "after {}", event.name());
        }
        assert_eq!(other.sealed("r1", "before/d").await.expect("it can be read"), None);
        assert_eq!(other.sealed("r2", "new-key").await.expect("it can be read"), None);
        growing.add_all(one, &lease, std::slice::from_ref(last)).await;
        assert_eq!(other.sealed("r1", "new-key").await.expect("it can be read"), None);
    }

    pub(super) async fn a_key_that_was_made_here_is_sealed_with_its_making_and_replayed_with_its_public_half(
        one: &dyn Store,
        other: &dyn Store,
    ) {
        let lease = leased(one).await;
        let old_public = PublicHalf::new("MIIBOLD");
        let ways = [
            Retirement::Disable,
            Retirement::Remove { public: old_public },
            Retirement::RemoveForGood,
        ];
        for (retirement, target) in ways.into_iter().zip(["a", "b", "c"]) {
            let spec = RotationSpec {
                retirement: retirement.clone(),
                mints_locally: true,
                own_identity: true,
                window: None,
                lost_key: LostKey::Delete,
                ..spec("SHA256:OLD")
            };
            let mut growing = Growing::new(target, target);
            growing
                .add_all(
                    one,
                    &lease,
                    &[Event::Opened {
                        spec: spec.into(),
                        begun: None,
                    }],
                )
                .await;
            let (key, public) = (
                KeyId::parse("SHA256:NEW").expect("the name of a key"),
                PublicHalf::new("MIIBNEW"),
            );
            let minted = Event::Minted {
                key: key.clone(),
                public: public.clone(),
            };
            let seal = Some(("new-key", &b"sealed"[..]));
            growing.add_sealed(one, &lease, minted, seal).await.expect("it fits");
            let sealed = other.sealed(target, "new-key").await.expect("it can be read");
            assert_eq!(sealed.as_deref(), Some(&b"sealed"[..]));
            growing
                .add_all(one, &lease, &[Event::Created { key, request: None }])
                .await;
            let without_disabling = ["deactivate-intended", "deactivated", "soaking"];
            let mut end = to_the_end();
            if retirement == Retirement::RemoveForGood {
                end.retain(|event| !without_disabling.contains(&event.name()));
            }
            growing.add_all(one, &lease, &end).await;
            assert_eq!(other.sealed(target, "new-key").await.expect("it can be read"), None);
            let stored = other.latest(target).await.expect("it is intact").expect("it is there");
            assert_eq!(Some(&stored.rotation), growing.rotation.as_ref());
            assert_eq!(
                stored
                    .rotation
                    .automated()
                    .expect("the program takes it")
                    .spec
                    .retirement,
                retirement
            );
            let issued = stored
                .rotation
                .automated()
                .and_then(|rotation| rotation.new_key.as_ref())
                .expect("it is done");
            assert_eq!(issued.public.as_ref(), Some(&public));
        }
        other.verify().await.expect("it is intact");
    }

    pub(super) async fn a_write_that_loses_seals_nothing(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let mut growing = Growing::new("r1", TARGET);
        growing.add_all(one, &lease, &[opened("AKIAOLD"), intended()]).await;
        growing.revision = 1;
        let lost = growing
            .add_sealed(one, &lease, created(), Some(("new-key", b"sealed")))
            .await;
        assert!(matches!(lost, Err(StoreError::Race)), "{lost:?}");
        assert_eq!(other.sealed("r1", "new-key").await.expect("it can be read"), None);
    }

    pub(super) async fn summaries_name_the_latest_rotation_of_every_target(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        Growing::new("r1", "b")
            .add_all(one, &lease, &[opened("AKIAOLD"), Event::Aborted])
            .await;
        Growing::new("r2", "a").add_all(one, &lease, &[opened("AKIAOLD")]).await;
        let mut latest = Growing::new("r3", "b");
        latest.add_all(one, &lease, &[opened("AKIAOLD"), intended()]).await;
        let summaries = other.summaries().await.expect("they can be read");
        let names: Vec<_> = summaries
            .iter()
            .map(|s| (s.target.as_str(), s.id.as_str(), s.revision))
            .collect();
        assert_eq!(names, [("a", "r2", 1), ("b", "r3", 2)]);
        assert_eq!(Some(&summaries[1].rotation), latest.rotation.as_ref());
    }

    pub(super) async fn the_journal_is_in_the_order_of_writing(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let (mut a, mut b) = (Growing::new("r1", "a"), Growing::new("r2", "b"));
        for growing in [&mut b, &mut a] {
            growing.add_all(one, &lease, &[opened("AKIAOLD")]).await;
        }
        for growing in [&mut a, &mut b] {
            growing.add_all(one, &lease, &[intended()]).await;
        }
        let lines = other.journal(None).await.expect("it can be read");
        let told: Vec<_> = lines
            .iter()
            .map(|l| (l.seq, l.target.as_str(), l.record.event.name()))
            .collect();
        let (opened, intended) = ("opened", "create-intended");
        assert_eq!(
            told,
            [
                (1, "b", opened),
                (2, "a", opened),
                (3, "a", intended),
                (4, "b", intended)
            ]
        );
        let of_b = other.journal(Some("b")).await.expect("it can be read");
        assert_eq!(of_b.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 4]);
        assert!(of_b.iter().all(|line| line.rotation == "r2"));
    }

    pub(super) async fn only_keys_of_finished_rotations_are_retired(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let mut done = Growing::new("r1", TARGET);
        done.add_all(one, &lease, &[opened("AKIAFIRST"), intended(), created()])
            .await;
        assert!(other.retired(TARGET).await.expect("it can be read").is_empty());
        done.add_all(one, &lease, &to_the_end()).await;
        Growing::new("r2", TARGET)
            .add_all(one, &lease, &[opened("AKIASECOND"), Event::Aborted])
            .await;
        Growing::new("r3", TARGET)
            .add_all(one, &lease, &[opened("AKIATHIRD")])
            .await;
        assert_eq!(
            other.retired(TARGET).await.expect("it can be read"),
            [KeyId::parse("AKIAFIRST").expect("the name of a key")]
        );
        assert!(
            other
                .retired("s3-customer-managed/v")
                .await
                .expect("it can be read")
                .is_empty()
        );
    }

    pub(super) async fn an_empty_store_is_whole_and_says_so(one: &dyn Store, other: &dyn Store) {
        let verified = one.verify().await.expect("it is intact");
        assert_eq!((verified.events, verified.rotations), (0, 0));
        assert!(other.summaries().await.expect("it can be read").is_empty());
    }

    pub(super) async fn a_whole_journal_is_verified_and_its_head_changes_with_every_line(
        one: &dyn Store,
        other: &dyn Store,
    ) {
        let lease = leased(one).await;
        let (mut a, mut b) = (Growing::new("r1", "a"), Growing::new("r2", "b"));
        let mut heads = vec![other.verify().await.expect("it is intact").head];
        for growing in [&mut a, &mut b] {
            for event in [opened("AKIAOLD"), intended(), created()] {
                growing.add_all(one, &lease, &[event]).await;
                heads.push(other.verify().await.expect("it is intact").head);
            }
        }
        let verified = other.verify().await.expect("it is intact");
        assert_eq!((verified.events, verified.rotations), (6, 2));
        let all = heads.len();
        heads.sort();
        heads.dedup();
        assert_eq!(heads.len(), all);
    }

    /// Writes may share a transaction, and still one's loss or mistake is no concern of the others.
    pub(super) async fn of_many_who_write_at_once_each_is_told_of_its_own_write(one: &dyn Store, other: &dyn Store) {
        const TARGETS: [&str; 8] = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"];
        let lease = leased(one).await;
        let mut all: Vec<Growing> = TARGETS.into_iter().map(|name| Growing::new(name, name)).collect();
        for event in [opened("AKIAOLD"), intended(), created()] {
            let writes = all.iter_mut().map(|growing| growing.add(one, &lease, event.clone()));
            for written in futures_util::future::join_all(writes).await {
                written.expect("each is the only writer of its rotation");
            }
        }
        // One follows a revision that is past, and one opens a second rotation of its target.
        let mut stale = Growing::new("t3", "t3");
        (stale.revision, stale.rotation) = (2, all[3].rotation.clone());
        let mut second = Growing::new("second", "t5");
        let proved = all.iter_mut().map(|growing| growing.add(one, &lease, Event::Proved));
        let (proved, stale, second) = tokio::join!(
            futures_util::future::join_all(proved),
            stale.add(one, &lease, Event::Proved),
            second.add(one, &lease, opened("AKIAOLD")),
        );
        // Of the two that follow the same revision of t3 the first wins, and both mistakes are told.
        assert!(matches!(stale, Err(StoreError::Race)), "{stale:?}");
        assert!(matches!(second, Err(StoreError::Race)), "{second:?}");
        for (target, proved) in TARGETS.into_iter().zip(proved) {
            proved.unwrap_or_else(|error| panic!("{target} lost by another's mistake: {error}"));
            let stored = other.latest(target).await.expect("it is intact").expect("it is there");
            assert_eq!(stored.revision, 4, "{target}");
        }
        let verified = other.verify().await.expect("the journal is intact");
        assert_eq!((verified.events, verified.rotations), (32, 8));
    }

    pub(super) async fn what_was_seen_is_no_rotation_and_stands_in_the_journal(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let sighting = |id: &str| InventoryReading {
            owner: spec("AKIAOLD").owner,
            keys: vec![SeenKey {
                id: KeyId::parse(id).expect("the name of a key"),
                active: true,
                created_at: Some(NOW),
            }],
            live: Some(KeyId::parse(id).expect("the name of a key")),
        };
        let events = [
            Event::Sighted {
                sighting: sighting("AKIAOLD"),
            },
            Event::Drifted {
                why: "another".to_owned(),
                sighting: sighting("AKIANEW"),
            },
            Event::Released {
                by: "someone".to_owned(),
            },
        ];
        let mut watch = None;
        for (event, follows) in events.into_iter().zip(0..) {
            let record = Record { at: NOW, event };
            let after = Inventory::after(watch, &record).expect("the events fit");
            let append = Append {
                id: "w1",
                target: &watch_of(TARGET),
                follows,
                record: &record,
                state: &after.clone().into(),
                seal: None,
                telling: None,
            };
            one.append(&lease, append).await.expect("it is taken");
            watch = Some(after);
        }
        let stored = other.watch(TARGET).await.expect("it is intact").expect("it is there");
        assert_eq!((stored.target.as_str(), stored.revision), (TARGET, 3));
        assert_eq!(stored.rotation.sighting, Some(sighting("AKIANEW")));
        assert_eq!(stored.rotation.released_at, Some(NOW));
        assert_eq!(other.watches().await.expect("they can be read").len(), 1);
        // It is no rotation, and a rotation may be opened beside it.
        assert!(other.latest(TARGET).await.expect("it can be read").is_none());
        assert!(other.summaries().await.expect("they can be read").is_empty());
        let mut growing = Growing::new("r1", TARGET);
        growing.add_all(one, &lease, &[opened("AKIANEW")]).await;
        assert_eq!(other.summaries().await.expect("they can be read").len(), 1);
        let journal = other.journal(Some(TARGET)).await.expect("it can be read");
        let names: Vec<&str> = journal.iter().map(|line| line.record.event.name()).collect();
        assert_eq!(names, ["sighted", "drifted", "released", "opened"]);
        assert!(journal.iter().all(|line| line.target == TARGET));
        other.verify().await.expect("the journal is intact");
    }
}
