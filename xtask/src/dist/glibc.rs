//! Which C library the program asks for.

use std::path::Path;

use crate::line::Said;

/// The newest C library whose symbols it may use: that of Debian 11 and Ubuntu 20.04.
pub const MOST: (u32, u32) = (2, 31);

/// Refuses a program that asks for a newer one.
pub(crate) fn check(program: &Path) -> Result<(), String> {
    let symbols = Said::new("objdump").word("-T").word(program).read()?;
    let newest = newest(&symbols).ok_or_else(|| format!("{} asks for no C library at all", program.display()))?;
    let newer = newer(&symbols);
    if newest > MOST {
        return Err(format!(
            "{} asks for the C library {}.{}, and {}.{} has to do:\n{}",
            program.display(),
            newest.0,
            newest.1,
            MOST.0,
            MOST.1,
            newer.join("\n")
        ));
    }
    Ok(())
}

/// The newest version that any symbol has, in what `objdump -T` prints.
#[must_use]
pub fn newest(symbols: &str) -> Option<(u32, u32)> {
    symbols.lines().filter_map(version).max()
}

/// The lines whose symbols are newer than they may be.
fn newer(symbols: &str) -> Vec<&str> {
    let mut found: Vec<&str> = symbols.lines().collect();
    found.retain(|line| version(line).is_some_and(|version| version > MOST));
    found
}

/// The version in a line such as `0000 DF *UND* 0000 (GLIBC_2.17) clock_gettime`.
fn version(line: &str) -> Option<(u32, u32)> {
    let (_, behind) = line.split_once("GLIBC_")?;
    let number = behind.split([')', ' ']).next()?;
    let mut parts = number.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOLS: &str = "
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.17) clock_gettime
0000000000000000      DF *UND*  0000000000000000  GLIBC_2.3.4 __memcpy_chk
0000000000000000  w   DF *UND*  0000000000000000 (GCC_3.0)    _Unwind_Resume
0000000000000000  w   D  *UND*  0000000000000000  Base        __gmon_start__
";

    #[test]
    fn versions_are_numbers_and_not_text() {
        assert_eq!(newest(SYMBOLS), Some((2, 17)));
        assert_eq!(newer(SYMBOLS), Vec::<&str>::new());
    }

    #[test]
    fn a_symbol_that_is_too_new_is_named() {
        let more = format!("{SYMBOLS}0000 DF *UND* 0000 (GLIBC_2.34) pthread_create\n");
        assert_eq!(newest(&more), Some((2, 34)));
        assert_eq!(newer(&more), ["0000 DF *UND* 0000 (GLIBC_2.34) pthread_create"]);
    }
}
