//! Sends what waits: in the order in which it was written down, at least once, and within a time that is short beside a run.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{Content, Kind, Message, Notice, Notifier, Readers, Way};
use crate::hooks::{crash_point, now};
use crate::store::{Lease, Outbox, Queued, Retry, Store, StoreError};

/// How long one that has not arrived is left alone after so many tries, and after all others.
const SPACINGS: [SignedDuration; 3] = [
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_mins(30),
];
const LONGEST_SPACING: SignedDuration = SignedDuration::from_hours(1);

/// One that was tried so often in vain goes behind the others: it may be the one that is never taken.
const STUBBORN: u32 = 3;

/// What has less time than this is not begun, unless it is the first of its notifier: it would be cut off for no fault of its own.
const LEAST: Duration = Duration::from_secs(1);

/// How long sending may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Each notice.
    pub each: Duration,
    /// All of them.
    pub all: Duration,
}

impl Limits {
    /// After a run, for which nobody waits.
    pub const RUN: Self = Self {
        each: Duration::from_secs(10),
        all: Duration::from_secs(60),
    };
    /// After the command of a person, who waits.
    pub const PERSON: Self = Self {
        each: Duration::from_secs(5),
        all: Duration::from_secs(10),
    };
}

/// Why a notice has not arrived, in our own words: what was answered is never repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub why: String,
    /// Whether every other notice would fare the same now.
    pub is_of_way: bool,
}

impl Fault {
    /// Nobody can be told this way now.
    pub(super) fn of_way(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_of_way: true,
        }
    }

    /// This notice was not taken.
    pub(super) fn of_message(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_of_way: false,
        }
    }
}

/// What became of what waited.
#[derive(Debug, Default)]
pub struct Posted {
    /// How many have arrived.
    pub arrived: usize,
    /// Who was not told, by name.
    pub untold: Vec<Untold>,
}

/// A notifier of which something waits.
#[derive(Debug)]
pub struct Untold {
    /// Its name.
    pub notifier: String,
    /// How many notices wait.
    pub waiting: usize,
    /// Why the last one has not arrived.
    pub why: String,
}

/// Sends what waits for those whom the configuration names, and may be tried now.
pub async fn post(
    store: &dyn Store,
    lease: &Lease,
    (notifiers, readers): (&[Notifier], &Readers<'_>),
    limits: Limits,
    is_stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Posted, StoreError> {
    let Outbox { queued, .. } = store.outbox().await?;
    let mut posted = Posted::default();
    let end = Instant::now() + limits.all;
    let mut rounds: Vec<(&Notifier, Vec<&Queued>)> = Vec::new();
    for notifier in notifiers {
        let is_own = |it: &&Queued| it.notice.notifier == notifier.name && readers.has(&it.notice);
        let own: Vec<&Queued> = queued.iter().filter(is_own).collect();
        if !own.is_empty() {
            rounds.push((notifier, own));
        }
    }
    // Programs have a time of their own, and go last.
    rounds.sort_by_key(|(notifier, _)| matches!(notifier.way, Way::Exec(_)));
    let mut to_come = u32::try_from(rounds.len()).unwrap_or(u32::MAX);
    for (notifier, own) in rounds {
        // Whoever hangs uses up a share of the time, and not that of all others.
        let begun = Instant::now();
        let share = end.saturating_duration_since(begun) / to_come.max(1);
        to_come = to_come.saturating_sub(1);
        let mut round = Round {
            store,
            lease,
            notifier,
            each: limits.each,
            end: begun + share,
            arrived: 0,
            why: None,
        };
        round.all(&own, is_stopped).await?;
        posted.arrived += round.arrived;
        let waiting = own.len() - round.arrived;
        if waiting > 0 {
            let before = own.iter().rev().map(|it| it.problem.clone()).find(|it| !it.is_empty());
            posted.untold.push(Untold {
                notifier: notifier.name.clone(),
                waiting,
                why: round
                    .why
                    .or(before)
                    .unwrap_or_else(|| "there was no time for it".to_owned()),
            });
        }
    }
    Ok(posted)
}

/// The notices of one notifier.
struct Round<'a> {
    store: &'a dyn Store,
    lease: &'a Lease,
    notifier: &'a Notifier,
    each: Duration,
    end: Instant,
    arrived: usize,
    why: Option<String>,
}

impl Round<'_> {
    async fn all(&mut self, queued: &[&Queued], is_stopped: &(dyn Fn() -> bool + Sync)) -> Result<(), StoreError> {
        // Whoever was not told of something is told of nothing that came after it.
        let mut held: HashSet<(&str, &str)> = HashSet::new();
        let mut least = Duration::ZERO;
        for one in stubborn_last(queued) {
            let whose = whose(one);
            if is_stopped() || self.left() <= least {
                return Ok(());
            }
            if held.contains(&whose) || is_put_off(one.next_at, now()) {
                held.insert(whose);
                continue;
            }
            least = LEAST;
            match self.one(one).await {
                Ok(()) => {
                    crash_point("notices: after a send");
                    self.store.sent(self.lease, &one.notice.id).await?;
                    crash_point("notices: after an arrival is written down");
                    self.arrived += 1;
                }
                Err(fault) => {
                    // Where others arrive, what was refused again and again is refused for its own sake.
                    let holds_all = fault.is_of_way && (one.tries < STUBBORN || self.arrived == 0);
                    let retry = Retry {
                        id: &one.notice.id,
                        next_at: after(one.tries, now()),
                        problem: &fault.why,
                        holds_all,
                    };
                    crash_point("notices: after a send that failed");
                    self.store.put_off(self.lease, &retry).await?;
                    crash_point("notices: after a failure is written down");
                    self.why = Some(fault.why);
                    if holds_all {
                        return Ok(());
                    }
                    held.insert(whose);
                }
            }
        }
        Ok(())
    }

    async fn one(&self, one: &Queued) -> Result<(), Fault> {
        let kind = Kind::named(&one.notice.kind);
        let content: Option<Content> = serde_json::from_str(&one.notice.body).ok();
        let (Some(kind), Some(content)) = (kind, content) else {
            return Err(Fault::of_message("another version of rotate wrote this notice"));
        };
        let head = Some(one.head.as_str());
        let notice = Notice::new(&one.notice.id, kind, one.notice.at, head, content);
        let message = Message {
            notice: &notice,
            recipient: &one.notice.recipient,
            at: now(),
        };
        let time = self.each.min(self.left());
        crash_point("notices: before a send");
        send(self.notifier, &message, time).await
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

/// Sends one notice, within this time.
pub async fn send(notifier: &Notifier, message: &Message<'_>, time: Duration) -> Result<(), Fault> {
    let sending = async {
        match &notifier.way {
            #[cfg(feature = "notify-webhook")]
            Way::Webhook(at) => super::webhook::send(at, notifier.allow_private, message, time).await,
            #[cfg(feature = "notify-slack")]
            Way::Slack(url) => super::slack::send(url, notifier.allow_private, message, time).await,
            #[cfg(feature = "notify-teams")]
            Way::Teams(url) => super::teams::send(url, notifier.allow_private, message, time).await,
            #[cfg(feature = "notify-email")]
            Way::Email(email) => super::email::send(email, notifier.allow_private, message, time).await,
            Way::Exec(program) => super::exec::send(program, message, time).await,
            #[cfg(not(all(
                feature = "notify-webhook",
                feature = "notify-slack",
                feature = "notify-teams",
                feature = "notify-email"
            )))]
            _ => Err(Fault::of_way("this program was built without it")),
        }
    };
    // A program that is dropped goes on; whoever has started it ends it in time.
    if let Way::Exec(_) = notifier.way {
        return sending.await;
    }
    let sent = tokio::time::timeout(time, sending).await;
    sent.unwrap_or_else(|_| {
        Err(Fault::of_way(format!(
            "it has not answered within {} s",
            time.as_secs().max(1)
        )))
    })
}

/// Who is told of what: they are told of it in its order.
fn whose(one: &Queued) -> (&str, &str) {
    (&one.notice.recipient, &one.notice.target)
}

/// Those of which nothing was refused often, in their order, and then the others: what was tried least comes first.
fn stubborn_last<'q>(queued: &[&'q Queued]) -> Vec<&'q Queued> {
    let mut first: HashMap<(&str, &str), u32> = HashMap::new();
    for one in queued.iter().copied() {
        let tries = if one.tries < STUBBORN { 0 } else { one.tries };
        first.entry(whose(one)).or_insert(tries);
    }
    let mut all = queued.to_vec();
    all.sort_by_key(|one| first.get(&whose(one)).copied().unwrap_or_default());
    all
}

/// Whether it is left alone for now. Nothing is put off for longer than the longest spacing: such a time is of a clock that was ahead.
fn is_put_off(next_at: Timestamp, now: Timestamp) -> bool {
    let left = next_at.duration_since(now);
    SignedDuration::ZERO < left && left <= LONGEST_SPACING
}

/// When a notice is tried again that was tried so often before.
fn after(tries: u32, now: Timestamp) -> Timestamp {
    let at = usize::try_from(tries).unwrap_or(usize::MAX);
    let spacing = SPACINGS.get(at).copied().unwrap_or(LONGEST_SPACING);
    now.checked_add(spacing).unwrap_or(now)
}
