//! What a try of a credential came to, for text and JSON alike.

use rotate_providers::guide::probe::Verdict;
use schemars::JsonSchema;
use serde::Serialize;

use super::Speaker;

/// What a try of a credential came to. No word of it is the vendor's.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Verification {
    /// The target's name, or the connector's.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// Which credential: `new`, `old`, or `present` outside of a rotation.
    pub credential: &'static str,
    /// What the vendor said.
    pub verdict: Verdict,
    /// The class of the answer.
    pub class: String,
    /// Why.
    pub reason: String,
    /// What is not shown by it.
    pub beyond: Option<String>,
    /// What still works for a while after the old credential has gone.
    pub residue: Option<String>,
    /// Whether a proxy stood between: then the host was looked at by its name alone.
    pub through_proxy: bool,
    /// Whether the journal keeps it.
    pub recorded: bool,
    /// The next command.
    pub next: Option<String>,
}

impl Verification {
    /// Says what to do after it, where nothing is said yet.
    pub fn say_next(&mut self, speaker: &Speaker) {
        let status = || Some(speaker.command("status"));
        self.next = self.next.take().or_else(|| match (self.verdict, self.recorded) {
            (Verdict::Rejected, true) if self.credential == "new" => status(),
            _ => None,
        });
    }

    /// For people.
    pub fn text(&self, width: usize) -> String {
        let said = match self.verdict {
            Verdict::Accepted => "ACCEPTED",
            Verdict::Rejected => "REJECTED",
            Verdict::Inconclusive => "INCONCLUSIVE: nothing is known of it",
        };
        let mut lines = vec![format!(
            "{}: the {} credential: {said} ({})",
            self.name, self.credential, self.class
        )];
        let mut say = |what: &str, text: &str| lines.push(format!("  {what}{text}"));
        say("", &self.reason);
        match (self.verdict, self.credential) {
            (Verdict::Accepted, "old") => say("", "the old credential still works"),
            (Verdict::Accepted, _) => {
                if let Some(beyond) = &self.beyond {
                    say("not shown by this: ", beyond);
                }
                say("not shown by this: ", "that its consumers have it");
            }
            _ => {}
        }
        if let Some(residue) = self.residue.as_ref().filter(|_| self.verdict != Verdict::Accepted) {
            say("still works for a while: ", residue);
        }
        if self.through_proxy {
            say(
                "",
                "it went through a proxy: the host was looked at by its name alone, and not where that leads",
            );
        }
        if let Some(next) = &self.next {
            say("next: ", next);
        }
        let wrapped = lines.iter().map(|line| {
            let options = textwrap::Options::new(width)
                .subsequent_indent("    ")
                // An option that is told is copied in one piece.
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            textwrap::fill(line, options) + "\n"
        });
        wrapped.collect()
    }
}
