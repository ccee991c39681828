//! `rotate notify test`: whether notices arrive.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::fleet::{configured, required};
use super::{Exit, Global, Output, terminal};
use crate::hooks::now;
use crate::notify::{Content, Kind, Limits, Message, Notice, Notifier, TestNotice, Way, post};
use crate::view::json::{self, Tried};

/// Try whether people are told.
///
/// A [[notify]] of rotate.toml is told of each change of a target's state: announced, begun, waits for a person, overdue, blocked,
/// failed, undone, done; and once a week where the fleet stands. What has not arrived waits, and is sent with a later run.
#[derive(Args)]
pub(super) struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Test(Test),
}

/// Send a test to each of them, and say what came of it.
///
/// Nothing is rotated, and what waits is not sent. Exits with 1 if one has not arrived.
#[derive(Args)]
struct Test {
    /// This one only, by its name in rotate.toml
    name: Option<String>,
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let Action::Test(test) = self.action;
        let config = match configured(global).and_then(required) {
            Ok(config) => config,
            Err(exit) => return exit,
        };
        let all = &config.notifiers;
        let chosen: Vec<&Notifier> = match &test.name {
            None => all.iter().collect(),
            Some(name) => all.iter().filter(|it| it.name == *name).collect(),
        };
        if chosen.is_empty() {
            let names: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
            let (what, remedy) = match names.is_empty() {
                true => (
                    "nobody is told: the configuration has no [[notify]]",
                    "write one: rotate init --schema says what it may hold".to_owned(),
                ),
                false => (
                    "there is no notifier of this name",
                    format!("known: {}", names.join(", ")),
                ),
            };
            terminal::error(what, &[remedy]);
            return Exit::Usage;
        }
        let mut tried = Vec::new();
        for notifier in chosen {
            tried.push(try_one(notifier).await);
        }
        let has_failed = tried.iter().any(|tried| !tried.arrived);
        terminal::print(&match global.output {
            Output::Json => json::tried(&tried),
            Output::Text | Output::Markdown => tried.iter().map(line).collect(),
        });
        if has_failed { Exit::Error } else { Exit::Ok }
    }
}

async fn try_one(notifier: &Notifier) -> Tried {
    let at = now();
    let content = Content::Test(TestNotice {
        notifier: notifier.name.as_str().into(),
    });
    let recipients = match &notifier.way {
        // Owners are not troubled with a test.
        Way::Email(email) if email.to.is_empty() => vec![email.from.clone()],
        _ => notifier.recipients(None),
    };
    let mut why: Vec<String> = Vec::new();
    for recipient in &recipients {
        let notice = Notice::new(&Uuid::now_v7().to_string(), Kind::Test, at, None, content.clone());
        let message = Message {
            notice: &notice,
            recipient,
            at,
        };
        let Err(fault) = post::send(notifier, &message, Limits::RUN.each).await else {
            continue;
        };
        // Whoever else is told this way fares the same; and a wrong password that is tried for each of them may lock the account.
        if fault.is_of_way {
            why.push(fault.why);
            break;
        }
        why.push(match recipients.len() {
            1 => fault.why,
            _ => format!("{recipient}: {}", fault.why),
        });
    }
    Tried {
        name: notifier.name.clone(),
        arrived: why.is_empty(),
        why: (!why.is_empty()).then(|| why.join("; ")),
    }
}

fn line(tried: &Tried) -> String {
    let name = &tried.name;
    match &tried.why {
        None => format!("ok   {name}: it has taken the test\n"),
        Some(why) => format!("BAD  {name}: {why}\n"),
    }
}
