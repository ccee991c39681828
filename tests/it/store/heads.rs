//! What any store says of its end, and of what is behind one that was noted down.

use rotate::store::{Head, Line};

use super::*;

hold!(
    the_end_of_the_journal_is_what_a_check_of_all_of_it_finds,
    an_end_that_was_noted_down_is_found_again_and_another_one_is_not,
    the_lines_behind_an_end_are_given_in_order_and_no_more_than_were_asked_for,
);

mod kept {
    use super::*;

    async fn grown(store: &dyn Store) {
        let lease = store.lease().await.expect("nobody else has it");
        let mut growing = Growing::new("r1", TARGET);
        growing
            .add_all(store, &lease, &[opened("AKIAOLD"), intended(), created()])
            .await;
    }

    pub(super) async fn the_end_of_the_journal_is_what_a_check_of_all_of_it_finds(one: &dyn Store, other: &dyn Store) {
        assert_eq!(other.head().await.expect("it can be read"), Head::beginning());
        grown(one).await;
        let verified = one.verify().await.expect("it is intact");
        let head = other.head().await.expect("it can be read");
        assert_eq!((head.seq, head.hash), (verified.events, verified.head));
    }

    pub(super) async fn an_end_that_was_noted_down_is_found_again_and_another_one_is_not(
        one: &dyn Store,
        other: &dyn Store,
    ) {
        let beginning = other.head_at(0).await.expect("it can be read");
        assert_eq!(beginning, Some(Head::beginning()));
        assert_eq!(other.head_at(1).await.expect("it can be read"), None);
        grown(one).await;
        for line in one.journal(None).await.expect("it can be read") {
            let found = other.head_at(line.seq).await.expect("it can be read");
            assert_eq!(found, Some(line.head()));
        }
        assert_eq!(other.head_at(4).await.expect("it can be read"), None);
        let theirs = Head {
            seq: 2,
            hash: "ab".repeat(32),
        };
        let late = Head {
            seq: 9,
            ..theirs.clone()
        };
        for head in [theirs, late] {
            let refused = other.after(&head, 10).await;
            assert!(matches!(refused, Err(StoreError::NotAhead { .. })), "{refused:?}");
        }
    }

    pub(super) async fn the_lines_behind_an_end_are_given_in_order_and_no_more_than_were_asked_for(
        one: &dyn Store,
        other: &dyn Store,
    ) {
        grown(one).await;
        let lines = one.journal(None).await.expect("it can be read");
        let seqs = |lines: &[Line]| lines.iter().map(|line| line.seq).collect::<Vec<_>>();
        for (from, most, behind) in [
            (0, 9, vec![1, 2, 3]),
            (0, 2, vec![1, 2]),
            (1, 9, vec![2, 3]),
            (2, 1, vec![3]),
            (3, 9, vec![]),
        ] {
            let head = match from {
                0 => Head::beginning(),
                from => lines[from - 1].head(),
            };
            let found = other.after(&head, most).await.expect("it is intact");
            assert_eq!(seqs(&found), behind, "{from} {most}");
            assert_eq!(
                found.last().map(Line::head),
                behind.last().map(|seq| lines[*seq as usize - 1].head())
            );
        }
    }
}
