//! What a person or cron would run next, by where the rotation stands.

use std::fmt;

use crate::crash::journal::Journal;
use crate::crash::system::{Deed, Move};

/// A way through a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// One command to the end.
    Immediate,
    /// The command, a person's confirmation, a week of soak.
    Confirmed,
    /// The same, where the old key cannot be brought back: it rests before it goes.
    ForGood,
    /// A person undoes it before the cut-over, as soon as a kill was noticed or the delivery is done.
    Aborted,
    /// A person undoes it after the cut-over.
    RolledBack,
    /// A program tells the consumers of each delivery; the person confirms, or takes it back.
    Told,
    /// The same, and the program fails each time.
    ToldInVain,
    /// One command to the end, and in between what waits is sealed for others.
    Resealed,
    /// Three destinations, of which one can only be written to and one fails for good.
    OneFails,
    /// Only its consumer can prove the new key, and a person says that it has: the old key rests before it goes.
    ByConsumer,
    /// Only its consumer can prove the new key, and the vendor's record of its use shows that it has.
    ByUse,
    /// The same as confirmed, with people who have the same rights at the vendor and do not ask.
    Meddled,
    /// The new key does not do what the consumer needs.
    Useless,
    /// A person takes each step.
    Guided,
    /// The same, given up on the way.
    GivenUp,
    /// A configuration with several targets, in one run.
    Fleet,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Immediate => "immediate",
            Self::Confirmed => "confirmed",
            Self::ForGood => "removed for good",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled back",
            Self::Told => "told of",
            Self::ToldInVain => "told of in vain",
            Self::Resealed => "sealed anew",
            Self::OneFails => "one destination fails",
            Self::ByConsumer => "proven by its consumer",
            Self::ByUse => "proven by its use",
            Self::Meddled => "meddled with",
            Self::Useless => "useless new key",
            Self::Guided => "guided",
            Self::GivenUp => "guided, given up",
            Self::Fleet => "fleet",
        })
    }
}

impl Flow {
    /// The options of the command that begins the rotation, and goes on with it.
    pub(crate) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Immediate | Self::Resealed => &["--cutover", "immediate", "--soak", "0s"],
            Self::ByConsumer | Self::ByUse => &["--soak", "7d", "--prove", "consumer"],
            _ => &["--soak", "7d"],
        }
    }

    /// The next commands of an automated rotation of this target; none at the end.
    pub(crate) fn next(self, target: &str, state: &str, has_rested: bool) -> Vec<Move> {
        let with_target = |word| Move::command(&[word, target]);
        let run = Move::command(&["run"]);
        // A rotation whose rest is over needs no more time.
        let later = if has_rested {
            run.clone()
        } else {
            run.clone().days_later(8)
        };
        match (self, state) {
            (_, "done" | "aborted" | "rolled-back") => Vec::new(),
            // Or takes away the key that they have put there themselves.
            (Self::Meddled, "blocked") => vec![
                with_target("confirm"),
                Move::command(&["abort", "--force", target]),
                Move::command(&["rollback", "--force", target]),
                Move::deed(Deed::DeletesTheirs),
            ],
            (Self::Told | Self::ToldInVain, "blocked") => vec![
                with_target("confirm"),
                Move::command(&["confirm", "--run-again", target]),
                Move::command(&["abort", "--force", target]),
                Move::command(&["rollback", "--force", target]),
            ],
            // The person looks and says to go on; or that it is to be undone, whatever stands in the way.
            (_, "blocked") => vec![
                with_target("confirm"),
                Move::command(&["abort", "--force", target]),
                Move::command(&["rollback", "--force", target]),
            ],
            (_, "idle") => vec![Move::one_shot()],
            (Self::Told | Self::ToldInVain, "awaiting-cutover") => {
                vec![run, with_target("confirm"), with_target("abort")]
            }
            (Self::Resealed, _) => {
                let rekey = Move::command(&["--config", "other.toml", "seal", "rekey"]);
                vec![Move::one_shot(), rekey]
            }
            (Self::OneFails, "undoing") => vec![run, Move::command(&["abort", "--force", target])],
            (Self::OneFails, _) => vec![Move::one_shot(), with_target("abort")],
            (_, "undoing") => vec![Move::command(&["run"])],
            (Self::Aborted, "awaiting-cutover") => vec![with_target("abort")],
            (Self::Aborted, _) => vec![Move::one_shot(), with_target("abort")],
            (Self::Immediate, _) => vec![Move::one_shot()],
            (Self::ByConsumer, "awaiting-cutover") => {
                vec![Move::command(&["confirm", target, "--evidence", "a job has run"])]
            }
            // Before the consumer has used it, that is no evidence.
            (Self::ByUse, "awaiting-cutover") => vec![Move::deed(Deed::UsesNew), with_target("confirm")],
            (Self::ByUse, "deactivated") => {
                vec![Move::deed(Deed::UsesNew), run.clone(), run.days_later(15)]
            }
            (_, "awaiting-cutover") => vec![with_target("confirm")],
            (Self::RolledBack, "soaking") => vec![with_target("rollback")],
            (Self::RolledBack, "cut-over" | "deactivating" | "deactivated") => {
                vec![Move::command(&["run"]), with_target("rollback")]
            }
            (_, "soaking") | (Self::ForGood | Self::ByConsumer, "cut-over") => vec![later],
            (_, "cut-over" | "deactivating" | "deactivated") => vec![Move::command(&["run"])],
            _ => vec![Move::one_shot()],
        }
    }

    /// Every word that a person may say, whether it fits or not, and the clock a day and a soak ahead.
    pub(crate) fn others(target: &str) -> Vec<Move> {
        let run = Move::command(&["run"]);
        vec![
            Move::one_shot(),
            run.clone(),
            run.clone().days_later(1),
            run.days_later(8),
            Move::command(&["confirm", target]),
            Move::command(&["abort", target]),
            Move::command(&["abort", "--force", target]),
            Move::command(&["rollback", target]),
            Move::command(&["rollback", "--force", target]),
        ]
    }

    /// What people may do at the vendor at any time but that of a call: a key of theirs that is made in the very minute of a call that
    /// never left cannot be told from the one that it would have made, and is taken for it.
    pub(crate) fn deeds() -> Vec<Move> {
        let deeds = [
            Deed::RotatesByHand,
            Deed::AddsTheirs,
            Deed::DisablesOld,
            Deed::DeletesOld,
            Deed::DisablesNew,
            Deed::DeletesNew,
        ];
        deeds.map(|deed| Move::deed(deed).minutes_later(1)).to_vec()
    }

    /// What does nothing once the rotation has ended.
    pub(crate) fn repeats(self, journal: &Journal) -> Vec<Move> {
        match self {
            // What a person has taken back calls that person.
            // Its configuration has no target for `run`.
            Self::Resealed => vec![Move::one_shot()],
            Self::Fleet if journal.last() != "done" => Vec::new(),
            _ if journal.last() == "done" => vec![Move::one_shot(), Move::command(&["run"])],
            _ => vec![Move::command(&["run"])],
        }
    }

    /// On the flow's own ways every command succeeds, but for the one that finds out that the new key is useless.
    pub(crate) fn expects(self, code: i32) -> bool {
        match self {
            Self::Useless => matches!(code, 0 | 1),
            // Without evidence; and once a person is needed.
            Self::ByUse | Self::Told | Self::ToldInVain | Self::OneFails => matches!(code, 0 | 1 | 3),
            _ => code == 0,
        }
    }
}
