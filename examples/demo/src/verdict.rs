//! What came of it.

use std::path::Path;
use std::process::ExitCode;

use crate::stage::Stage;

/// What was counted.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) commands: usize,
    pub(crate) kills: usize,
    pub(crate) broken: Vec<String>,
    consumers: usize,
    worked: usize,
    failed: usize,
}

impl Tally {
    pub(crate) fn take(&mut self, worked: usize, failed: usize) {
        self.consumers += 1;
        self.worked += worked;
        self.failed += failed;
    }
}

impl Stage {
    /// Says it; the folder of the demo has to be gone by now.
    pub(crate) fn verdict(&self, folder: &Path, report: &Path) -> ExitCode {
        self.expect(!folder.exists(), || format!("{} is left behind", folder.display()));
        self.pause(600);
        let tally = self.tally.borrow();
        let page = &self.page;
        page.heading("Verdict");
        println!();
        let Tally {
            commands,
            kills,
            consumers,
            worked,
            failed,
            ..
        } = &*tally;
        page.fact(
            "requests",
            &format!(
                "{} by {consumers} consumers, while their keys were replaced",
                worked + failed
            ),
        );
        page.fact("failures", &failed.to_string());
        page.fact("kills", &format!("{kills} with SIGKILL, at the worst moment"));
        page.fact("commands", &commands.to_string());
        page.fact("left", &format!("the report, {}, and nothing else", near(report)));
        println!();
        if tally.broken.is_empty() {
            page.good("Every promise was kept: nobody was locked out, no key is left over.");
            return ExitCode::SUCCESS;
        }
        page.bad("A promise was broken:");
        for broken in &tally.broken {
            page.bad(&format!("- {broken}"));
        }
        ExitCode::FAILURE
    }
}

/// A path as short as it can be typed here.
pub(crate) fn near(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
