//! A program that is told of what has become of targets: the document of a notice is on its standard input.
//!
//! It is kept to the rules of every program that a configuration names, and never gets a secret.

use std::sync::Arc;

use rotate_providers::secret::Secret;

use super::Fault;
use super::options::Options;
use super::program::{Program, ROOM};

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

    /// Hands it a document, and these variables; says why it has not taken it. What it prints is not repeated.
    pub async fn tell(&self, document: &str, variables: Vec<(&'static str, String)>) -> Result<(), String> {
        if document.len() > ROOM {
            return Err("the notice is longer than a program is handed at once".to_owned());
        }
        let ended = self.0.run(&[], variables, Secret::new(document)).await;
        let ended = ended.map_err(|fault| fault.to_string())?;
        match ended.code {
            _ if ended.is_late => {
                let seconds = self.0.time_limit().as_secs();
                Err(format!(
                    "it had not ended after {seconds} s and was killed with its process group"
                ))
            }
            Some(0) => Ok(()),
            Some(code) => Err(format!("it ended with exit code {code}")),
            None => Err("it was killed by a signal".to_owned()),
        }
    }
}
