//! What the demo is asked for.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
What rotate does, on stand-ins for the vendors: nothing leaves this machine.

Usage: cargo demo [--report FILE] [--sabotage]

  --report FILE  Where the report is left, as a page
                 [default: rotate-demo-report.html beside the program]
  --sabotage     Somebody disables the consumer's key behind everybody's back:
                 shows that the demo can fail, which it then does
";

/// The exit code for a command line that is not understood, as the program has it.
const MISUSED: u8 = 64;

/// What the demo is asked for.
pub(crate) struct Asked {
    /// Where the report is left.
    pub(crate) report: PathBuf,
    /// Whether a promise is broken on purpose.
    pub(crate) sabotage: bool,
}

/// What is said in its place.
pub(crate) enum Told {
    Help,
    Unknown(String),
}

impl Asked {
    pub(crate) fn from(words: impl IntoIterator<Item = OsString>) -> Result<Self, Told> {
        let (mut report, mut sabotage) = (None, false);
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--help" | "-h") => return Err(Told::Help),
                Some("--sabotage") => sabotage = true,
                Some("--report") => match words.next() {
                    Some(path) => report = Some(PathBuf::from(path)),
                    None => return Err(Told::Unknown("--report wants a FILE".to_owned())),
                },
                _ => return Err(Told::Unknown(format!("{} is not known", word.display()))),
            }
        }
        let beside = || {
            let program = std::env::current_exe().unwrap_or_default();
            program.with_file_name("rotate-demo-report.html")
        };
        Ok(Self {
            report: report.unwrap_or_else(beside),
            sabotage,
        })
    }
}

impl Told {
    pub(crate) fn tell(self) -> ExitCode {
        match self {
            Self::Help => {
                print!("{USAGE}");
                ExitCode::SUCCESS
            }
            Self::Unknown(what) => {
                let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{what}\n\n{USAGE}").as_bytes());
                ExitCode::from(MISUSED)
            }
        }
    }
}
