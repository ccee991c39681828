//! What is shipped, from one commit: a program for Linux in an archive and as packages, what is in it, and sums of all that.
//!
//! The same commit gives the same bytes, wherever and whenever it is built: compiler and linker are pinned, no path of this machine
//! gets into the program, and all times are those of the commit.

mod archive;
pub mod bill;
mod binary;
mod check;
mod deb;
pub mod glibc;
pub mod image;
mod licences;
mod place;
mod rpm;
mod stage;
mod tools;

use std::path::PathBuf;

use place::Place;

pub(crate) const NAME: &str = "dist";
pub(crate) const WHAT: &str =
    "what is shipped, into dist/ [--target x86_64|aarch64] [--archive | --rpm] [--check] [--out FOLDER]";

/// What is wanted of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    arch: Arch,
    archive_alone: bool,
    rpm: bool,
    check: bool,
    out: Option<PathBuf>,
}

/// For which machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Arch {
    #[default]
    X86_64,
    Aarch64,
}

impl Wanted {
    /// What these options want; nothing where they are not understood.
    #[must_use]
    pub fn parse(options: &[String]) -> Option<Self> {
        let mut wanted = Self::default();
        let mut options = options.iter().map(String::as_str);
        while let Some(option) = options.next() {
            match option {
                "--rpm" => wanted.rpm = true,
                "--archive" => wanted.archive_alone = true,
                "--check" => wanted.check = true,
                "--out" => wanted.out = Some(PathBuf::from(options.next()?)),
                "--target" => wanted.arch = Arch::parse(options.next()?)?,
                _ => return None,
            }
        }
        let no_package = wanted.archive_alone && (wanted.check || wanted.rpm);
        (!no_package).then_some(wanted)
    }
}

impl Arch {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "x86_64" => Some(Self::X86_64),
            "aarch64" => Some(Self::Aarch64),
            _ => None,
        }
    }

    const fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Aarch64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// Whether what is built for it runs on this machine.
    fn is_here(self) -> bool {
        self.triple().starts_with(std::env::consts::ARCH)
    }
}

/// Makes it.
pub(crate) fn make(wanted: &Wanted) -> Result<(), String> {
    let place = Place::find(wanted)?;
    binary::can_be_built(&place)?;
    let linker = tools::linker(&place)?;
    let program = binary::build(&place, &linker)?;
    glibc::check(&program)?;
    binary::names_no_place(&place, &program)?;
    stage::fill(&place, &program)?;
    licences::write(&place)?;
    bill::write(&place, &program)?;
    let mut made = vec![archive::pack(&place)?, place.bill()];
    if !wanted.archive_alone {
        made.push(deb::pack(&place)?);
    }
    if wanted.rpm {
        made.push(rpm::pack(&place)?);
    }
    archive::sums(&place, &made)?;
    if wanted.check {
        check::all(&place)?;
    }
    Ok(())
}
