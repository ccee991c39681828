//! What was so when the rotation was opened, as the journal keeps it in the options of a name.

use jiff::Timestamp;

use super::found::Numbers;
use crate::delivery::Fault;
use crate::delivery::options::{ABSENT, Options};
use crate::delivery::pinned::{ENVIRONMENT, OPENED, OWNER, REPOSITORY};

/// What was so when the rotation was opened.
#[derive(Default)]
pub(super) struct Pins {
    pub(super) numbers: Numbers,
    /// GitHub's time.
    pub(super) opened: Option<Timestamp>,
    /// The names of secrets that were not there.
    pub(super) absent: Vec<String>,
}

impl Pins {
    pub(super) fn take(options: &mut Options) -> Result<Self, Fault> {
        let mut number = |key: &str| match options.take(key) {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Fault::Option(key.to_owned(), "write the number that GitHub gives it")),
            },
        };
        let numbers = Numbers {
            repository: number(REPOSITORY)?,
            owner: number(OWNER)?,
            environment: number(ENVIRONMENT)?,
        };
        let opened = match options.take(OPENED) {
            None => None,
            Some(text) => match text.parse() {
                Ok(opened) => Some(opened),
                Err(_) => {
                    return Err(Fault::Option(
                        OPENED.to_owned(),
                        "write a time as in 2026-01-10T12:00:00Z",
                    ));
                }
            },
        };
        let absent = options.take(ABSENT);
        let absent = absent.map_or_else(Vec::new, |names| names.split(',').map(str::to_owned).collect());
        Ok(Self {
            numbers,
            opened,
            absent,
        })
    }
}
