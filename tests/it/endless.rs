//! Answers without end: each is told as the vendor's fault, leaves the keys as they were, and takes less than 200 MB.
//!
//! Leans on the strict fakes, which can answer any call with any text, and on the system's own count of what a process has
//! taken at its most.

use rotate_fixtures::aws::{Action as Aws, Fault as AwsFault};
use rotate_fixtures::snowflake::{Action as Sf, Fault as SfFault};
use rotate_fixtures::{Hostile, Ran, SnowflakeWorkplace, Text, Workplace, peak_of};

const ROTATE: &str = env!("CARGO_BIN_EXE_rotate");

/// In megabytes.
const MOST: u64 = 200;

/// 200 MB as they are.
const LONG: Hostile = Hostile::Long(Text::of_spaces(200 << 20));

/// 6 GB would take minutes to pack; what is packed a thousandfold is stopped at the same place.
const PACKED: Hostile = Hostile::Packed(Text::of_spaces(128 << 20));

/// As much as gets through where 32 KiB do: 30 KiB of it unpack to 30 MB.
const PACKED_TO_FIT: Hostile = Hostile::Packed(Text::of_spaces(30 << 20));

/// The same, as an answer that can be understood: so many rows of one cell.
const fn cells(times: usize) -> Hostile {
    Hostile::Packed(Text {
        head: r#"{"success":true,"data":{"queryId":"q","queryResultFormat":"json","rowtype":[{"name":"A","nullable":true,"type":"text"}],"rowset":[[""]"#,
        part: r#",[""]"#,
        times,
        tail: "]}}",
    })
}

/// One column for each 38 bytes.
const COLUMNS: Hostile = Hostile::Packed(Text {
    head: r#"{"success":true,"data":{"queryId":"q","queryResultFormat":"json","rowset":[],"rowtype":[{"name":"","nullable":true,"type":""}"#,
    part: r#",{"name":"","nullable":true,"type":""}"#,
    times: 250_000,
    tail: "]}}",
});

/// The command fails with these words, and without filling the memory.
#[track_caller]
fn fails(command: &std::process::Command, words: &[&str], context: &str) -> Ran {
    let (ran, peak) = peak_of(command);
    assert!(peak < MOST, "{context}: {peak} MB; {ran:#?}");
    ran.expect(1).says(words)
}

fn snowflake(action: Sf, fault: SfFault, words: &[&str]) {
    let at = SnowflakeWorkplace::new(ROTATE);
    at.cloud.break_every(action, fault);
    fails(&at.rotate(["--dry-run"]), words, &format!("{action:?} {fault:?}"));
    at.cloud.mend();
    at.expect_untouched();
}

const TOO_LONG: &str = "is longer than 32 KiB";
const THEIR_FAULT: &str = "the fault is at the vendor";

#[test]
fn two_hundred_megabytes_from_snowflake_are_not_read() {
    for action in [Sf::Login, Sf::Describe] {
        snowflake(action, SfFault::Hostile(LONG), &[TOO_LONG, THEIR_FAULT]);
    }
}

#[test]
fn what_snowflake_has_packed_a_thousandfold_is_stopped_before_it_is_unpacked() {
    for action in [Sf::Login, Sf::Describe] {
        snowflake(action, SfFault::Hostile(PACKED), &[TOO_LONG, THEIR_FAULT]);
        snowflake(
            action,
            SfFault::Hostile(PACKED_TO_FIT),
            &["could not be understood", THEIR_FAULT],
        );
    }
}

/// The client takes a small answer apart at once, and one of more than 16 MB on a thread of its own.
#[test]
fn an_answer_of_millions_of_cells_or_columns_is_not_taken_apart() {
    for times in [3_000_000, 3_500_000] {
        let hostile = SfFault::Hostile(cells(times));
        snowflake(
            Sf::Describe,
            hostile,
            &["has more rows than were asked for", THEIR_FAULT],
        );
    }
    snowflake(
        Sf::Describe,
        SfFault::Hostile(COLUMNS),
        &["failed to read user", "does not name"],
    );
}

#[test]
fn a_row_count_of_two_to_the_62nd_fills_nothing() {
    for claims in [
        r#"{"total":4611686018427387904,"returned":4611686018427387904}"#,
        r#"{"total":1099511627776,"returned":1099511627776}"#,
        r#"{"total":9223372036854775807,"returned":null}"#,
        r#"{"total":50000000,"returned":50000000}"#,
    ] {
        snowflake(
            Sf::Describe,
            SfFault::ClaimsAfter(claims),
            &["failed to read user", THEIR_FAULT],
        );
    }
}

/// Parts of an answer are fetched from wherever it says, with the client's own patience of a minute, and packed twice.
#[test]
fn no_part_of_an_answer_is_fetched() {
    for claims in [
        r#"{"chunks":[{"url":"https://evil.example/part","rowCount":1,"uncompressedSize":1,"compressedSize":1}]}"#,
        r#"{"rowset":[],"chunks":[{"url":"http://127.0.0.1:1/part","rowCount":4611686018427387904,"uncompressedSize":1,"compressedSize":1}]}"#,
    ] {
        snowflake(
            Sf::Describe,
            SfFault::ClaimsAfter(claims),
            &["would have to be fetched in parts", THEIR_FAULT],
        );
    }
}

#[test]
fn two_hundred_megabytes_from_aws_are_not_read() {
    for action in [Aws::GetUser, Aws::ListAccessKeys, Aws::CreateAccessKey] {
        for hostile in [LONG, PACKED] {
            let at = Workplace::new(ROTATE);
            at.cloud.break_every(action, AwsFault::Hostile(hostile));
            let words = match hostile {
                PACKED => &[THEIR_FAULT][..],
                _ => &["longer than a megabyte", THEIR_FAULT],
            };
            fails(&at.rotate::<&str>([]), words, &format!("{action} {hostile:?}"));
            at.expect_untouched();
        }
    }
}

#[test]
fn a_probe_that_is_answered_without_end_says_nothing_of_the_key() {
    for action in [Aws::GetCallerIdentity, Aws::ListObjectsV2] {
        let at = Workplace::new(ROTATE);
        at.cloud.break_every(action, AwsFault::Hostile(LONG));
        let command = at.rotate(["--verify-deadline", "1s"]);
        fails(&command, &["longer than a megabyte"], action.as_str());
        assert!(at.cloud.works(&at.old.id, &at.old.secret));
    }
}

#[test]
fn a_list_that_never_ends_is_not_one() {
    for (fault, why) in [
        (AwsFault::GoesRound, "it goes on where it has been before"),
        (AwsFault::GoesOn, "it has more than 20 pages"),
    ] {
        let at = Workplace::new(ROTATE);
        at.cloud.break_every(Aws::ListAccessKeys, fault);
        fails(&at.rotate(["--dry-run"]), &["cannot be one", why, THEIR_FAULT], why);
        // It is the vendor's fault, so it is asked a few times, and no more.
        assert!(at.cloud.call_count() < 500, "{}", at.cloud.call_count());
        at.expect_untouched();
    }
}
