//! What of a world decides what happens next, as text: two worlds of the same text are one.
//!
//! Ids, random bytes and points in time are named by the order in which they appear. Of a point in time stays where it lies
//! among all others, and where each of the policy's windows that begins at it ends among them: that is all that a comparison
//! of times can find out. Of what a vendor wrote down of a new key stays only the latter, because the program asks how far
//! such a time is from its own, and never which of two moments was first. Events that lead a rotation back to where it stood
//! are left out, in so far as nothing else in the world comes from them, because a rotation is what its state says: else a kill
//! in the same place would make another world each time. Of the attempts at a key that came to nothing the last one stays
//! until one has come to something, because whose a key is that shows up late goes by when it was made.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use regex::{Captures, Regex};
use rotate::machine::{Event, Record, StreamState};
use rotate::store::SEALING;

use crate::crash::files::Files;
use crate::crash::journal::{Journal, Line};

/// The lengths of time that the program compares ages with.
const WINDOWS: [SignedDuration; 13] = [
    // How far a vendor's clock may be off before a look says so.
    SignedDuration::from_secs(50),
    // What ordinary clocks differ by; a call leaves after its intent, and may be behind or ahead.
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(2),
    // How long a proof and a reading are fresh, and a call may take.
    SignedDuration::from_mins(5),
    // How coarse a record of use is, and when evidence is looked at again.
    SignedDuration::from_mins(15),
    // What is a recent use.
    SignedDuration::from_mins(30),
    // The longest lag of a list.
    SignedDuration::from_hours(1),
    // When the same command is a new wish; how long use is watched.
    SignedDuration::from_hours(24),
    // The soak of most flows, and when a target is looked at again.
    SignedDuration::from_hours(7 * 24),
    // How long a cut-over may take, and when it is announced.
    SignedDuration::from_hours(14 * 24),
    // The ages at which a key is announced, due and overdue.
    SignedDuration::from_hours(142 * 24),
    SignedDuration::from_hours(156 * 24),
    SignedDuration::from_hours(180 * 24),
];

/// Longer than any way by which a kill leads a rotation back to where it stood.
const LONGEST_DETOUR: usize = 8;

/// What names itself anew each time.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<rotation>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
        r"|(?P<key>AKIA[A-Z2-7]{16}|SHA256:[A-Za-z0-9+/]{43}=)",
        r"|(?P<owner>AIDA[A-Z2-7]{16})",
        r"|(?P<secret>CANARY[A-Za-z0-9+/]{34})",
        r"|(?P<public>MII[A-Za-z0-9+/]{300,}={0,2})",
        r"|(?P<identity>AGE-SECRET-KEY-1[A-Z0-9]{58})",
    ))
    .unwrap()
});

static TIMES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"~?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z").unwrap());

static SPANS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""made_within":\{"from":"([^"]+)","to":"([^"]+)"\}"#).unwrap());

/// Before a point in time of which only the distance to others counts, and not the order.
const ROUGH: char = '~';

/// Marks every point in time in this text as one of which only the distance to others counts.
pub(crate) fn rough(text: &str) -> String {
    TIMES.replace_all(text, "~$0").into_owned()
}

static ARMOUR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"-----BEGIN (?P<what>[A-Z ]+)-----(?P<body>[A-Za-z0-9+/=\s]+)-----END [A-Z ]+-----").unwrap()
});

/// What a print is made of.
pub(crate) struct Parts<'a> {
    pub(crate) journal: &'a Journal,
    pub(crate) files: &'a Files,
    /// What the vendor knows.
    pub(crate) vendor: &'a str,
    pub(crate) now: Timestamp,
    /// Opens what is sealed.
    pub(crate) unsealed: &'a dyn Fn(&crate::crash::journal::Sealed) -> Vec<u8>,
    /// The key of which this is the private half.
    pub(crate) key_of: &'a dyn Fn(&str) -> Option<String>,
}

impl Parts<'_> {
    pub(crate) fn print(&self) -> String {
        let outside = self.outside();
        let mut text = String::new();
        for thread in threads(self.journal) {
            // Of who sealed anew, when and how much of it, nothing decides what comes: only with what they did last.
            if thread[0].target == SEALING {
                let _ = writeln!(text, "{SEALING} {}", thread[thread.len() - 1].body["to"]);
                continue;
            }
            let kept = without_detours(&thread, &outside, self.journal);
            let _ = writeln!(text, "{} {}", thread[0].target, thread[0].rotation);
            for line in &kept {
                let _ = writeln!(text, "  {}", unasked(&line.body));
            }
            let last = thread[thread.len() - 1].at;
            let _ = writeln!(text, "  {} {last}", state_of(&thread, &kept));
        }
        text += &outside;
        let _ = writeln!(text, "now {}", self.now);
        named_by_place(&named_by_order(&self.without_spans(&text)))
    }

    /// The text with each stretch of time in which a key can have been made as what is asked of it: which of the keys that the
    /// vendor knows were made in it.
    fn without_spans(&self, text: &str) -> String {
        let made = self.vendor.lines().filter(|line| line.contains(" made "));
        let made: Vec<Timestamp> = made
            .filter_map(|line| TIMES.find(line)?.as_str().trim_start_matches(ROUGH).parse().ok())
            .collect();
        let asked = |found: &Captures<'_>| {
            let (from, to): (Timestamp, Timestamp) = (found[1].parse().unwrap(), found[2].parse().unwrap());
            let held: Vec<bool> = made.iter().map(|at| from <= *at && *at <= to).collect();
            format!("\"made_within\":\"{held:?}\"")
        };
        SPANS.replace_all(text, asked).into_owned()
    }

    /// What waits, without the times until which it is left alone: all that is asked of them is whether they are over, and a run
    /// comes at once or some minutes later. A digest is made weekly, which no walk of these lasts.
    fn without_spacings(&self, line: &str) -> String {
        let asked = |found: &Captures<'_>| {
            let left = found[0].parse::<Timestamp>().unwrap().duration_since(self.now);
            let class = match left {
                left if left <= SignedDuration::ZERO => "over",
                left if left <= SignedDuration::from_mins(5) => "soon",
                _ => "later",
            };
            class.to_owned()
        };
        match line.starts_with("knows ") {
            true => format!("{line}\n"),
            false => format!("{}\n", TIMES.replace_all(line, asked)),
        }
    }

    /// All that lies outside of the journal.
    fn outside(&self) -> String {
        let mut text = format!("{:?}\n", self.journal.tables);
        self.journal
            .told
            .iter()
            .for_each(|line| text += &self.without_spacings(line));
        let threads = threads(self.journal);
        let place = |rotation: &str| threads.iter().position(|thread| thread[0].rotation == rotation);
        let mut sealed: Vec<_> = self.journal.sealed.iter().collect();
        sealed.sort_by_key(|sealed| (place(&sealed.rotation), &sealed.name));
        for sealed in sealed {
            let plain = (self.unsealed)(sealed);
            let (name, to) = (&sealed.name, sealed.recipients());
            let _ = writeln!(text, "{} {name} {} {to}", sealed.rotation, self.readable(&plain));
        }
        for entry in self.files.iter() {
            let path = entry.path.to_string_lossy();
            let content = match &entry.bytes {
                // What it says is told above, line by line.
                Some(_) if path.contains("rotate.db") => String::new(),
                // The number of the last process, which only a refusal tells.
                Some(_) if path == "state/rotate.lock" => String::new(),
                Some(bytes) => self.readable(bytes),
                None => "folder".to_owned(),
            };
            // Whether a log lies beside the database is a matter of who closed it last.
            if !path.ends_with("-wal") {
                let _ = writeln!(text, "{path} {:o} {content}", entry.mode);
            }
        }
        text + self.vendor
    }

    /// Bytes as text; a private key as what it is of, a public one as it is written elsewhere.
    fn readable(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let replaced = ARMOUR.replace_all(&text, |found: &Captures<'_>| {
            let body: String = found["body"].split_whitespace().collect();
            match (self.key_of)(&found[0]) {
                Some(key) => format!("the private half of {key}"),
                None => format!("{} {body}", &found["what"]),
            }
        });
        replaced.into_owned()
    }
}

/// A line without what the vendor calls the request behind it: an auditor reads that, and nothing that is done goes by it.
fn unasked(body: &serde_json::Value) -> serde_json::Value {
    let mut body = body.clone();
    if let Some(body) = body.as_object_mut() {
        body.remove("request");
    }
    body
}

/// The journal's lines rotation by rotation: targets take turns, and what one did between two lines of another is no matter.
fn threads(journal: &Journal) -> Vec<Vec<&Line>> {
    let mut threads: Vec<Vec<&Line>> = Vec::new();
    for line in &journal.lines {
        match threads.iter_mut().find(|thread| thread[0].rotation == line.rotation) {
            Some(thread) => thread.push(line),
            None => threads.push(vec![line]),
        }
    }
    threads.sort_by(|a, b| a[0].target.cmp(&b[0].target));
    threads
}

/// The lines of one rotation without its detours.
fn without_detours<'j>(thread: &[&'j Line], outside: &str, journal: &Journal) -> Vec<&'j Line> {
    let mut kept = thread.to_vec();
    'again: loop {
        let stands = standings(&kept);
        let tries = |lines: &[&Line]| lines.iter().any(|line| line.event() == "create-intended");
        // Or it came to something.
        let mut tried_later = false;
        for start in (1..kept.len()).rev() {
            tried_later |= kept[start].event() == "created";
            let most = LONGEST_DETOUR.min(kept.len() - start);
            for length in (1..=most).filter(|length| stands[start - 1] == stands[start + length - 1]) {
                let detour = &kept[start..start + length];
                let begins_with_try = tries(&detour[..1]);
                if tries(detour) && !(begins_with_try && tried_later) {
                    tried_later |= begins_with_try;
                } else if is_forgotten(detour, start, &kept, outside, journal) {
                    kept.drain(start..start + length);
                    continue 'again;
                }
            }
        }
        return kept;
    }
}

/// Where a rotation stands after each of its lines, without times and without how often something was tried.
fn standings(lines: &[&Line]) -> Vec<String> {
    let mut state = None;
    let after = lines.iter().map(|line| {
        let after = follow(state.take(), line);
        let mut standing = serde_json::to_value(&after).unwrap();
        if let Some(standing) = standing.as_object_mut() {
            standing.remove("attempts");
            standing.remove("discarded");
        }
        state = Some(after);
        TIMES.replace_all(&standing.to_string(), "then").into_owned()
    });
    after.collect()
}

/// What a rotation is after one more line.
fn follow(state: Option<StreamState>, line: &Line) -> StreamState {
    let event: Event = serde_json::from_value(line.body.clone()).unwrap();
    StreamState::after(state, &Record { at: line.at, event }).unwrap()
}

/// What a rotation is, with those attempts alone that these lines tell of.
fn state_of(thread: &[&Line], kept: &[&Line]) -> serde_json::Value {
    let state = thread.iter().fold(None, |state, line| Some(follow(state, line)));
    let mut state = serde_json::to_value(state).unwrap();
    let told = |at: &serde_json::Value| kept.iter().any(|line| at.as_str() == Some(&line.at.to_string()));
    let named = |key: &serde_json::Value| kept.iter().any(|line| line.body["key"] == *key);
    if let Some(attempts) = state["attempts"].as_array_mut() {
        attempts.retain(|attempt| told(&attempt["at"]));
    }
    if let Some(discarded) = state["discarded"].as_array_mut() {
        discarded.retain(named);
        // A set is kept in the order of ids, which are random.
        discarded.sort_by_key(|key| thread.iter().position(|line| line.body["key"] == *key));
    }
    state
}

/// Whether nothing else in the world names what appears in this group first.
fn is_forgotten(group: &[&Line], at: usize, kept: &[&Line], outside: &str, journal: &Journal) -> bool {
    let bodies = |lines: &[&Line]| lines.iter().map(|line| line.body.to_string()).collect::<String>();
    let (before, after) = (bodies(&kept[..at]), bodies(&kept[at + group.len()..]));
    let rotation = &group[0].rotation;
    let elsewhere = journal.lines.iter().filter(|line| line.rotation != *rotation);
    let elsewhere: String = elsewhere.map(|line| line.body.to_string()).collect();
    let own = bodies(group);
    NAMES.find_iter(&own).all(|name| {
        let name = name.as_str();
        before.contains(name)
            || ![after.as_str(), outside, &elsewhere]
                .iter()
                .any(|text| text.contains(name))
    })
}

/// The text with ids and random bytes named by the order in which they appear.
fn named_by_order(text: &str) -> String {
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut count: HashMap<&str, usize> = HashMap::new();
    let kinds: Vec<&str> = NAMES.capture_names().flatten().collect();
    let named = NAMES.replace_all(text, |found: &Captures<'_>| {
        if let Some(name) = seen.get(&found[0]) {
            return name.clone();
        }
        let kind = kinds
            .iter()
            .find(|kind| found.name(kind).is_some())
            .copied()
            .unwrap_or("?");
        let number = count.entry(kind).and_modify(|number| *number += 1).or_insert(1);
        let name = format!("{kind}#{number}");
        seen.insert(found[0].to_owned(), name.clone());
        name
    });
    named.into_owned()
}

/// The text with points in time named by their place among all, and behind it where the windows end that begin at each.
fn named_by_place(text: &str) -> String {
    let parse = |text: &str| text.trim_start_matches(ROUGH).parse::<Timestamp>().unwrap();
    let exact = TIMES.find_iter(text).filter(|found| !found.as_str().starts_with(ROUGH));
    let all: BTreeSet<Timestamp> = exact.map(|found| parse(found.as_str())).collect();
    let all: Vec<Timestamp> = all.into_iter().collect();
    let place = |at: Timestamp| all.partition_point(|other| *other < at);
    let ends = |at: Timestamp| WINDOWS.map(|window| place(at + window));
    let named = TIMES.replace_all(text, |found: &Captures<'_>| {
        let at = parse(&found[0]);
        if found[0].starts_with(ROUGH) {
            format!(
                "before {:?} after {:?}",
                WINDOWS.map(|window| place(at - window)),
                ends(at)
            )
        } else {
            format!("T{}", place(at))
        }
    });
    let mut named = named.into_owned();
    for (number, &at) in all.iter().enumerate() {
        let ends = ends(at).map(|place| place.to_string()).join(" ");
        let _ = writeln!(named, "T{number}: {ends}");
    }
    named
}

/// Lengths of time that no run compares with what another one has left: how old the intent of this very run is, and by what the
/// ends of a stretch of time that is on record were rounded; how the clocks of one place differ, which has clocks of its own; and
/// how near the end is that somebody has set to a place.
const WITHIN_ONE_RUN: [&str; 4] = ["INTENT_LASTS", "ROUNDING", "GITHUBS_CLOCKS", "TOO_SOON"];

/// Whoever gives the program a new length of time to compare with has to add it to the windows, or two worlds that differ by it
/// are taken for one.
#[test]
fn every_length_of_time_in_the_source_is_a_window() {
    let constant =
        Regex::new(r"(\w+): (?:SignedDuration = )?SignedDuration::from_(secs|mins|hours)\((\d+)\)[;,]").unwrap();
    let mut found = 0;
    for (path, text) in crate::crash::points::source() {
        let compared = constant
            .captures_iter(&text)
            .filter(|constant| !WITHIN_ONE_RUN.contains(&&constant[1]));
        for constant in compared {
            let number: i64 = constant[3].parse().unwrap();
            let length = match &constant[2] {
                "secs" => SignedDuration::from_secs(number),
                "mins" => SignedDuration::from_mins(number),
                _ => SignedDuration::from_hours(number),
            };
            assert!(
                WINDOWS.contains(&length),
                "{}: {} is no window",
                path.display(),
                &constant[1]
            );
            found += 1;
        }
    }
    assert!(found > 8, "{found} lengths of time were found");
}
