//! A program that is told of what has become of targets: the document of a notice is on its standard input.
//!
//! It is kept to the rules of every program that a configuration names, and never gets a secret.

use std::sync::Arc;
use std::time::Duration;

use rotate_providers::secret::Secret;

use super::Fault;
use super::options::Options;
use super::program::{Program, ROOM};

/// Why a program has not taken a notice.
pub struct NotTaken {
    /// In our own words.
    pub why: String,
    /// Whether it hung until its time was over.
    pub is_late: bool,
}

impl NotTaken {
    fn at_once(why: String) -> Self {
        Self { why, is_late: false }
    }
}

/// A program that takes notices.
#[derive(Clone)]
pub struct Notified(Arc<Program>);

impl Notified {
    /// `PROGRAM ARG…`, quoted as for a shell, with its options.
    pub fn new(line: &str, mut options: Options) -> Result<Self, Fault> {
        let (program, _) = Program::parse(line, &mut options)?;
        options.end()?;
        Ok(Self(Arc::new(program)))
    }

    /// Looks whether it could be started, and does not start it.
    pub fn check(&self) -> Result<(), String> {
        self.0.check().map_err(|fault| fault.to_string())
    }

    /// Hands it a document, and these variables, and gives it this time; says why it has not taken it. What it prints is not repeated.
    pub async fn tell(
        &self,
        document: &str,
        variables: Vec<(&'static str, String)>,
        time: Duration,
    ) -> Result<(), NotTaken> {
        if document.len() > ROOM {
            let why = "the notice is longer than a program is handed at once";
            return Err(NotTaken::at_once(why.to_owned()));
        }
        let ended = self.0.run_within(time, &[], variables, Secret::new(document)).await;
        let ended = ended.map_err(|fault| NotTaken::at_once(fault.to_string()))?;
        match ended.code {
            _ if ended.is_late => {
                let seconds = time.as_secs().max(1);
                Err(NotTaken {
                    why: format!("it had not ended after {seconds} s and was killed with its process group"),
                    is_late: true,
                })
            }
            Some(0) => Ok(()),
            Some(code) => Err(NotTaken::at_once(format!("it ended with exit code {code}"))),
            None => Err(NotTaken::at_once("it was killed by a signal".to_owned())),
        }
    }
}
