//! Someone with an editor for the database: every change is found, and by its number.

use super::*;

/// Two rotations, one of them finished, whose lines alternate in part. Events 1–3 are r1, 4–6 r2, 7–16 r1 again.
pub(super) async fn grown(place: &impl Ground) {
    let store = place.open().await;
    let lease = store.lease().await.expect("nobody else has it");
    let (mut a, mut b) = (Growing::new("r1", TARGET), Growing::new("r2", "s3-customer-managed/v"));
    a.add_all(&*store, &lease, &[opened("AKIAOLD"), intended(), created()])
        .await;
    b.add_all(&*store, &lease, &[opened("AKIAOLD"), intended(), created()])
        .await;
    a.add_all(&*store, &lease, &to_the_end()).await;
    let verified = store.verify().await.expect("it is intact");
    assert_eq!((verified.events, verified.rotations), (16, 2));
}

/// What `verify` says after these statements: the number of the event, and why.
async fn after<G: Ground>(sql: &str) -> (G, i64, String) {
    let place = G::new();
    grown(&place).await;
    place.execute(sql).await;
    let verified = place.open().await.verify().await;
    match verified {
        Err(StoreError::Changed { seq, why, .. }) => (place, seq, why),
        other => panic!("`{sql}` went unnoticed: {other:?}"),
    }
}

/// Whether the rotation is refused before anyone acts on it, and by which event.
async fn refused(place: &impl Ground, target: &str) -> Option<i64> {
    match place.open().await.latest(target).await {
        Err(StoreError::Changed { seq, .. }) => Some(seq),
        Ok(_) => None,
        Err(other) => panic!("{other}"),
    }
}

async fn an_edited_line_is_found_and_not_replayed<G: Ground>() {
    for sql in [
        "UPDATE events SET body = replace(body, 'AKIANEW', 'AKIAEVIL') WHERE seq = 3",
        "UPDATE events SET at = '2020-01-01T00:00:00Z' WHERE seq = 3",
        "UPDATE events SET body = 'nonsense' WHERE seq = 3",
    ] {
        let (place, seq, _) = after::<G>(sql).await;
        assert_eq!(seq, 3, "{sql}");
        assert_eq!(refused(&place, TARGET).await, Some(3), "{sql}");
        // The other rotation has no part in it.
        assert_eq!(refused(&place, "s3-customer-managed/v").await, None, "{sql}");
    }
}

async fn an_edited_hash_is_found_and_neither_its_line_nor_the_next_is_replayed<G: Ground>() {
    let (place, seq, _) =
        after::<G>("UPDATE events SET hash = (SELECT hash FROM events WHERE seq = 1) WHERE seq = 3").await;
    assert_eq!(seq, 3);
    assert_eq!(refused(&place, TARGET).await, Some(3));
    assert_eq!(refused(&place, "s3-customer-managed/v").await, Some(4));
}

async fn a_line_that_is_given_to_another_target_is_found<G: Ground>() {
    let (place, seq, _) = after::<G>("UPDATE events SET target = 'other' WHERE seq = 2").await;
    assert_eq!(seq, 2);
    assert_eq!(refused(&place, TARGET).await, Some(2));
}

async fn a_line_that_was_deleted_in_the_middle_is_found<G: Ground>() {
    let (place, seq, why) = after::<G>("DELETE FROM events WHERE seq = 8").await;
    assert_eq!(seq, 9);
    assert!(why.contains("event 8 is missing"), "{why}");
    assert_eq!(refused(&place, TARGET).await, Some(9));
}

async fn a_gap_that_was_closed_by_renumbering_is_found<G: Ground>() {
    let sql = "DELETE FROM events WHERE seq = 8;
               UPDATE events SET seq = seq - 1, revision = revision - 1 WHERE seq > 8";
    let (place, seq, _) = after::<G>(sql).await;
    assert_eq!(seq, 8);
    assert_eq!(refused(&place, TARGET).await, Some(8));
}

async fn a_first_line_that_was_deleted_is_found<G: Ground>() {
    let (place, seq, why) = after::<G>("DELETE FROM events WHERE seq = 1").await;
    assert_eq!(seq, 2);
    assert!(why.contains("event 1 is missing"), "{why}");
    assert_eq!(refused(&place, TARGET).await, Some(2));
}

async fn a_last_line_that_was_cut_off_is_found_by_what_is_kept_beside_it<G: Ground>() {
    let (place, seq, why) = after::<G>("DELETE FROM events WHERE seq = 16").await;
    assert_eq!(seq, 15);
    assert!(why.contains("13 events were recorded and not 12"), "{why}");
    // Whoever acted on the shorter journal would repeat an effect, and could not record it.
    assert_eq!(refused(&place, TARGET).await, Some(15));
}

async fn a_journal_that_was_emptied_is_found<G: Ground>() {
    let (place, seq, why) = after::<G>("DELETE FROM events").await;
    assert_eq!(seq, 1);
    assert!(why.contains("has no events"), "{why}");
    // To the program it must not look like a target that was never rotated.
    assert!(refused(&place, TARGET).await.is_some());
}

async fn two_lines_that_changed_places_are_found<G: Ground>() {
    let sql = "UPDATE events SET seq = -2 WHERE seq = 2; UPDATE events SET seq = 2 WHERE seq = 3;
               UPDATE events SET seq = 3 WHERE seq = -2";
    let (place, seq, _) = after::<G>(sql).await;
    assert_eq!(seq, 2);
    assert_eq!(
        refused(&place, TARGET).await,
        Some(3),
        "the first of the rotation's own lines that does not fit"
    );
}

async fn an_edited_summary_is_found<G: Ground>() {
    let (_, seq, why) =
        after::<G>("UPDATE rotations SET snapshot = replace(snapshot, 'AKIAOLD', 'X') WHERE id = 'r1'").await;
    assert_eq!(seq, 16);
    assert!(why.contains("summary"), "{why}");
    let (_, seq, _) = after::<G>("UPDATE rotations SET revision = 2 WHERE id = 'r2'").await;
    assert_eq!(seq, 6);
}

async fn a_summary_that_says_open_or_closed_wrongly_is_found<G: Ground>() {
    // `closed` lets a second rotation begin, and makes a key count as retired.
    let (_, seq, _) = after::<G>("UPDATE rotations SET closed = NOT closed WHERE id = 'r2'").await;
    assert_eq!(seq, 6);
}

async fn another_time_in_a_summary_is_found<G: Ground>() {
    let (_, seq, _) = after::<G>("UPDATE rotations SET updated_at = '2020-01-01T00:00:00Z' WHERE id = 'r1'").await;
    assert_eq!(seq, 16);
}

async fn whatever_is_kept_beside_the_journal_and_does_not_fit_is_found_by_whoever_reads_one_target_or_all<G: Ground>() {
    for sql in [
        "UPDATE rotations SET updated_at = '2020-01-01T00:00:00Z' WHERE id = 'r1'",
        "UPDATE rotations SET target = 's3-customer-managed/w' WHERE id = 'r1'",
        "UPDATE rotations SET revision = revision - 1 WHERE id = 'r1'",
        "UPDATE rotations SET snapshot = (SELECT snapshot FROM rotations WHERE id = 'r2') WHERE id = 'r1'",
        "UPDATE targets SET latest = 'r2' WHERE name = 's3-customer-managed/u'",
        "DELETE FROM targets WHERE name = 's3-customer-managed/u'",
        "DELETE FROM events WHERE rotation = 'r1'",
    ] {
        let place = G::new();
        grown(&place).await;
        place.execute(sql).await;
        let all = place.open().await.summaries().await;
        assert!(matches!(all, Err(StoreError::Changed { .. })), "{sql}");
        assert!(refused(&place, TARGET).await.is_some(), "{sql}");
    }
    let place = G::new();
    grown(&place).await;
    place
        .execute("INSERT INTO targets VALUES ('s3-customer-managed/w', 'r1')")
        .await;
    let all = place.open().await.summaries().await;
    assert!(
        matches!(all, Err(StoreError::Changed { .. })),
        "a name without a line went unnoticed"
    );
}

async fn a_summary_that_was_given_to_another_target_is_found<G: Ground>() {
    // Keys that this journal retired may be deleted: so whose they were matters.
    let (_, seq, _) = after::<G>("UPDATE rotations SET target = 's3-customer-managed/v' WHERE id = 'r1'").await;
    assert_eq!(seq, 16);
}

async fn a_target_that_points_to_another_rotation_is_found<G: Ground>() {
    after::<G>("UPDATE targets SET latest = 'r1' WHERE name = 's3-customer-managed/v'").await;
}

async fn a_target_that_was_removed_is_found<G: Ground>() {
    // The program would take it for one that was never rotated, beside an open rotation.
    after::<G>("DELETE FROM targets WHERE name = 's3-customer-managed/v'").await;
}

async fn a_summary_that_was_removed_is_found<G: Ground>() {
    let sql = format!("{}; DELETE FROM rotations WHERE id = 'r2'", G::UNCHECKED);
    let (_, seq, why) = after::<G>(&sql).await;
    assert_eq!(seq, 6);
    assert!(why.contains("not summarised"), "{why}");
}

async fn an_inserted_line_is_found<G: Ground>() {
    let sql = "INSERT INTO events SELECT 17, rotation, target, 4, at, '{\"event\":\"proved\"}', hash, fence
               FROM events WHERE seq = 6";
    let (place, seq, _) = after::<G>(sql).await;
    assert_eq!(seq, 17);
    assert_eq!(refused(&place, "s3-customer-managed/v").await, Some(17));
}

async fn an_inserted_line_with_a_true_hash_is_found_by_what_is_kept_beside_it<G: Ground>() {
    let place = G::new();
    grown(&place).await;
    forge(&place, r#"{"event":"proved"}"#).await;
    let verified = place.open().await.verify().await;
    assert!(
        matches!(verified, Err(StoreError::Changed { seq: 17, .. })),
        "{verified:?}"
    );
    assert_eq!(refused(&place, "s3-customer-managed/v").await, Some(17));
}

async fn an_inserted_line_that_cannot_follow_is_found_even_if_its_hash_is_true<G: Ground>() {
    let place = G::new();
    grown(&place).await;
    forge(&place, r#"{"event":"deleted"}"#).await;
    let verified = place.open().await.verify().await;
    let told = verified.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("event 17 of s3-customer-managed/v"), "{told}");
    assert!(told.contains("`deleted` cannot follow the phase `created`"), "{told}");
    assert_eq!(refused(&place, "s3-customer-managed/v").await, Some(17));
}

async fn a_line_under_another_lease_is_found<G: Ground>() {
    let (place, seq, _) = after::<G>("UPDATE events SET fence = 9 WHERE seq = 3").await;
    assert_eq!(seq, 3);
    assert_eq!(refused(&place, TARGET).await, Some(3));
}

async fn a_count_of_leases_below_that_of_the_last_line_is_found_and_gives_no_lease<G: Ground>() {
    let place = G::new();
    let store = place.open().await;
    for _ in 0..5 {
        drop(store.lease().await.expect("nobody else has it"));
    }
    drop(store);
    grown(&place).await;
    for fence in ["4", "5"] {
        let sql = match fence {
            "4" => "UPDATE lease SET fence = 4",
            _ => "UPDATE lease SET fence = 5",
        };
        place.execute(sql).await;
        let verified = place.open().await.verify().await;
        let told = verified.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("the count of its leases was changed"), "{fence}: {told}");
        let leased = place.open().await.lease().await.map(|lease| lease.fence);
        let told = leased.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("the count of its leases was lowered"), "{fence}: {told}");
    }
    // Each lease that was refused has raised it, so a bit later it is what it was.
    assert!(place.open().await.verify().await.is_ok());
}

/// Appends to r2 as someone would who knows how the hashes are made.
async fn forge<G: Ground>(place: &G, body: &str) {
    let journal = place.open().await.journal(None).await.expect("it can be read");
    let last = journal.last().expect("it has lines");
    // The lease that `grown` had.
    const FENCE: i64 = 1;
    let at = last.record.at.to_string();
    let fields = ["r2", "s3-customer-managed/v", &at, body];
    let hash = G::bytes(&chained(&last.hash, 17, 4, fields, Some(FENCE)));
    let line = format!("17, 'r2', 's3-customer-managed/v', 4, '{at}', '{body}', {hash}, {FENCE}");
    place.execute(&format!("INSERT INTO events VALUES ({line})")).await;
}

/// Does what each of them says to every kind of store.
macro_rules! on_every_ground {
    ($($tampering:ident),+ $(,)?) => {
        mod embedded {
            use super::*;
            $(
                #[tokio::test]
                async fn $tampering() {
                    super::$tampering::<Embedded>().await;
                }
            )+
        }

        mod served {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $tampering() {
                    super::$tampering::<Served>().await;
                }
            )+
        }
    };
}

on_every_ground!(
    an_edited_line_is_found_and_not_replayed,
    an_edited_hash_is_found_and_neither_its_line_nor_the_next_is_replayed,
    a_line_that_is_given_to_another_target_is_found,
    a_line_that_was_deleted_in_the_middle_is_found,
    a_gap_that_was_closed_by_renumbering_is_found,
    a_first_line_that_was_deleted_is_found,
    a_last_line_that_was_cut_off_is_found_by_what_is_kept_beside_it,
    a_journal_that_was_emptied_is_found,
    two_lines_that_changed_places_are_found,
    an_edited_summary_is_found,
    a_summary_that_says_open_or_closed_wrongly_is_found,
    another_time_in_a_summary_is_found,
    whatever_is_kept_beside_the_journal_and_does_not_fit_is_found_by_whoever_reads_one_target_or_all,
    a_summary_that_was_given_to_another_target_is_found,
    a_target_that_points_to_another_rotation_is_found,
    a_target_that_was_removed_is_found,
    a_summary_that_was_removed_is_found,
    an_inserted_line_is_found,
    an_inserted_line_with_a_true_hash_is_found_by_what_is_kept_beside_it,
    an_inserted_line_that_cannot_follow_is_found_even_if_its_hash_is_true,
    a_line_under_another_lease_is_found,
    a_count_of_leases_below_that_of_the_last_line_is_found_and_gives_no_lease,
);
