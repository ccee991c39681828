//! What any store promises of that which people are told: it is there with its event, or neither of them is.

use rotate::store::{Outbox, Outgoing, Queued, Retry, Telling};

use super::*;

hold!(
    what_is_told_is_written_with_its_event_and_names_its_line,
    nobody_is_told_of_an_event_that_was_not_written,
    what_time_alone_tells_is_written_as_a_whole_and_a_digest_is_of_no_target,
    what_has_arrived_is_gone_and_a_repeat_does_nothing,
    what_was_put_off_says_why_and_alone_or_with_all_of_its_notifier,
    of_too_many_notices_the_oldest_go_but_for_the_digest_and_what_went_is_counted,
    too_many_notices_of_one_reader_take_no_room_of_another,
    a_writer_whose_lease_was_overtaken_tells_nobody,
    many_who_write_at_once_each_tell_of_their_own_event,
);

fn notice(id: &str) -> Outgoing {
    Outgoing {
        id: id.to_owned(),
        notifier: "ops".to_owned(),
        recipient: "them".to_owned(),
        target: TARGET.to_owned(),
        kind: "rotation.begun".to_owned(),
        at: NOW,
        body: "{\"what\":\"it's \\\"begun\\\"\"}".to_owned(),
        is_kept: false,
    }
}

fn telling(target: &str, notices: Vec<Outgoing>) -> Telling {
    Telling {
        target: target.to_owned(),
        told: format!("known of {target}"),
        notices,
    }
}

/// Opens a rotation of this target, and tells of it.
async fn open(
    store: &dyn Store,
    lease: &Lease,
    (id, target): (&str, &str),
    notices: Vec<Outgoing>,
) -> Result<(), StoreError> {
    let record = Record {
        at: NOW,
        event: opened("AKIAOLD"),
    };
    let rotation = AnyRotation::after(None, &record).expect("it opens");
    let append = Append {
        id,
        target,
        follows: 0,
        record: &record,
        state: &rotation.into(),
        seal: None,
        telling: Some(telling(target, notices)),
    };
    store.append(lease, append).await
}

fn ids(outbox: &Outbox) -> Vec<&str> {
    outbox.queued.iter().map(|it| it.notice.id.as_str()).collect()
}

mod kept {
    use super::*;

    async fn leased(store: &dyn Store) -> Lease {
        store.lease().await.expect("nobody else has it")
    }

    async fn waiting(store: &dyn Store) -> Outbox {
        store.outbox().await.expect("it can be read")
    }

    async fn told(store: &dyn Store) -> Vec<(String, String)> {
        let mut told = store.told().await.expect("it can be read");
        told.sort();
        told
    }

    pub(super) async fn what_is_told_is_written_with_its_event_and_names_its_line(one: &dyn Store, other: &dyn Store) {
        assert_eq!(waiting(other).await, Outbox::default());
        let lease = leased(one).await;
        let opened = open(one, &lease, ("r1", TARGET), vec![notice("a"), notice("b")]).await;
        opened.expect("nobody else writes");
        let head = one.head().await.expect("it can be read");
        let queued = |id: &str| Queued {
            notice: notice(id),
            head: head.hash.clone(),
            tries: 0,
            next_at: NOW,
            problem: String::new(),
        };
        assert_eq!(waiting(other).await.queued, [queued("a"), queued("b")]);
        assert_eq!(told(other).await, [(TARGET.to_owned(), format!("known of {TARGET}"))]);
        let whole = other.verify().await.expect("it is no part of the chain");
        assert_eq!(whole.events, 1);
    }

    pub(super) async fn nobody_is_told_of_an_event_that_was_not_written(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        open(one, &lease, ("r1", TARGET), vec![])
            .await
            .expect("nobody else writes");
        // The target has an open rotation, and the first has an event.
        for id in ["r2", "r1"] {
            let refused = open(one, &lease, (id, TARGET), vec![notice("late")]).await;
            assert!(matches!(refused, Err(StoreError::Race)), "{refused:?}");
        }
        assert_eq!(ids(&waiting(other).await), [""; 0]);
    }

    pub(super) async fn what_time_alone_tells_is_written_as_a_whole_and_a_digest_is_of_no_target(
        one: &dyn Store,
        other: &dyn Store,
    ) {
        let lease = leased(one).await;
        let tellings = [
            telling("a", vec![notice("1")]),
            telling("", vec![notice("2")]),
            telling("b", vec![]),
        ];
        let later = NOW + jiff::SignedDuration::from_hours(1);
        let digests = [("ops".to_owned(), NOW)];
        one.tell(&lease, &tellings, &digests).await.expect("nobody else writes");
        one.tell(&lease, &[], &[("ops".to_owned(), later)])
            .await
            .expect("nobody else writes");
        let found = waiting(other).await;
        assert_eq!(ids(&found), ["1", "2"]);
        assert_eq!(found.queued[0].head, one.head().await.expect("it can be read").hash);
        assert_eq!((found.notifiers.len(), found.notifiers[0].digest_at), (1, later));
        let names: Vec<String> = told(other).await.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b"]);
    }

    pub(super) async fn what_has_arrived_is_gone_and_a_repeat_does_nothing(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let all = [telling("a", vec![notice("1"), notice("2"), notice("3")])];
        one.tell(&lease, &all, &[]).await.expect("nobody else writes");
        for _ in 0..2 {
            one.sent(&lease, "2").await.expect("nobody else writes");
            assert_eq!(ids(&waiting(other).await), ["1", "3"]);
        }
    }

    pub(super) async fn what_was_put_off_says_why_and_alone_or_with_all_of_its_notifier(
        one: &dyn Store,
        other: &dyn Store,
    ) {
        let lease = leased(one).await;
        let theirs = Outgoing {
            notifier: "others".to_owned(),
            ..notice("3")
        };
        let all = [telling("a", vec![notice("1"), notice("2"), theirs])];
        one.tell(&lease, &all, &[]).await.expect("nobody else writes");
        let minutes = |count| NOW + jiff::SignedDuration::from_mins(count);
        for (holds_all, at, expected) in [
            (false, minutes(5), [minutes(5), NOW, NOW]),
            (true, minutes(9), [minutes(9), minutes(9), NOW]),
        ] {
            let retry = Retry {
                id: "1",
                next_at: at,
                problem: "it's busy",
                holds_all,
            };
            one.put_off(&lease, &retry).await.expect("nobody else writes");
            let found = waiting(other).await;
            let next: Vec<_> = found.queued.iter().map(|it| it.next_at).collect();
            assert_eq!(next, expected);
            assert_eq!(
                (found.queued[0].problem.as_str(), found.queued[1].problem.as_str()),
                ("it's busy", "")
            );
        }
        assert_eq!(waiting(other).await.queued[0].tries, 2);
    }

    pub(super) async fn of_too_many_notices_the_oldest_go_but_for_the_digest_and_what_went_is_counted(
        one: &dyn Store,
        other: &dyn Store,
    ) {
        let lease = leased(one).await;
        let numbered = |number: usize| Outgoing {
            is_kept: number == 3,
            ..notice(&format!("id-{number}"))
        };
        for numbers in [0..400, 400..600] {
            let all = [telling("t", numbers.map(numbered).collect())];
            one.tell(&lease, &all, &[]).await.expect("nobody else writes");
        }
        let found = waiting(other).await;
        assert_eq!(found.queued.len(), 500);
        assert_eq!(&ids(&found)[..2], ["id-3", "id-101"]);
        assert_eq!(found.notifiers[0].dropped, 100);
        // With an event as well; the digest says how many.
        open(one, &lease, ("r1", TARGET), vec![notice("id-600")])
            .await
            .expect("nobody else writes");
        let found = waiting(other).await;
        assert_eq!(
            (&ids(&found)[..2], found.notifiers[0].dropped),
            (&["id-3", "id-102"][..], 101)
        );
        one.tell(&lease, &[], &[("ops".to_owned(), NOW)])
            .await
            .expect("nobody else writes");
        assert_eq!(waiting(other).await.notifiers[0].dropped, 0);
    }

    pub(super) async fn too_many_notices_of_one_reader_take_no_room_of_another(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let to = |reader: &str, number: usize| Outgoing {
            recipient: reader.to_owned(),
            is_kept: number == 0,
            ..notice(&format!("{reader}-{number}"))
        };
        let of = |reader: &'static str, count: usize| (0..count).map(move |number| to(reader, number));
        let mut notices: Vec<Outgoing> = of("few", 3).chain(of("full", 400)).collect();
        one.tell(&lease, &[telling("t", notices)], &[])
            .await
            .expect("nobody else writes");
        notices = (400..502).map(|number| to("full", number)).collect();
        one.tell(&lease, &[telling("t", notices)], &[])
            .await
            .expect("nobody else writes");
        let found = waiting(other).await;
        let waits_for = |reader: &str| {
            let own = found.queued.iter().filter(|it| it.notice.recipient == reader);
            own.map(|it| it.notice.id.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(waits_for("few"), ["few-0", "few-1", "few-2"]);
        let full = waits_for("full");
        assert_eq!((full.len(), &full[..2]), (500, &["full-0", "full-3"][..]));
        assert_eq!(found.notifiers[0].dropped, 2);
    }

    pub(super) async fn a_writer_whose_lease_was_overtaken_tells_nobody(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let all = [telling("a", vec![notice("1")])];
        one.tell(&lease, &all, &[]).await.expect("nobody else writes");
        drop(lease);
        let late = {
            let mut late = leased(one).await;
            late.fence -= 1;
            late
        };
        let retry = Retry {
            id: "1",
            next_at: NOW,
            problem: "late",
            holds_all: true,
        };
        let more = [telling("b", vec![notice("2")])];
        for refused in [
            one.tell(&late, &more, &[("ops".to_owned(), NOW)]).await,
            one.sent(&late, "1").await,
            one.put_off(&late, &retry).await,
            open(one, &late, ("r1", TARGET), vec![notice("3")]).await,
        ] {
            assert!(matches!(refused, Err(StoreError::Race)), "{refused:?}");
        }
        let found = waiting(other).await;
        assert_eq!(
            (ids(&found), found.queued[0].tries, found.notifiers.len()),
            (vec!["1"], 0, 0)
        );
        assert_eq!(told(other).await.len(), 1);
    }

    /// They share a transaction, which has a row for each target and a place for each notice.
    pub(super) async fn many_who_write_at_once_each_tell_of_their_own_event(one: &dyn Store, other: &dyn Store) {
        let lease = leased(one).await;
        let names: Vec<String> = (0..40).map(|number| format!("t{number:02}")).collect();
        let opening = names.iter().map(async |name| {
            let notices = vec![notice(&format!("{name}-1")), notice(&format!("{name}-2"))];
            open(one, &lease, (&format!("r-{name}"), name), notices).await
        });
        for opened in futures_util::future::join_all(opening).await {
            opened.expect("nobody else writes");
        }
        let found = waiting(other).await;
        assert_eq!((found.queued.len(), told(other).await.len()), (80, 40));
        for line in other.journal(None).await.expect("it can be read") {
            let own = found.queued.iter().filter(|it| it.notice.id.starts_with(&line.target));
            let heads: Vec<&str> = own.map(|it| it.head.as_str()).collect();
            assert_eq!(heads, [line.head().hash.as_str(); 2]);
        }
    }
}
