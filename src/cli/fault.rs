//! A mistake of this program's own. What is known of it is where it happened; its words may hold anything, a secret too, so
//! they are not said.

use std::io::{Write, stderr};
use std::panic::Location;

/// From here on such a mistake ends the process at once, with the exit code of an error and not with one of its own: the
/// journal says what was begun, as after a kill.
pub(super) fn tell_and_exit() {
    std::panic::set_hook(Box::new(|info| {
        // What is sent for people to look at ends no command.
        #[cfg(feature = "otlp")]
        if crate::traces::is_its_thread() {
            return;
        }
        let place = info.location().map(place).unwrap_or_default();
        let mut err = stderr().lock();
        let _ = writeln!(
            err,
            "rotate: error: a mistake in this program{place} stopped it; what it had begun is in the journal\n  see where \
             everything stands, then run the same command again:\n  rotate status\n  if it stops there again, report it with \
             the line above: what was given to it is not in there"
        );
        drop(err);
        #[cfg(feature = "otlp")]
        crate::traces::flush_at_once();
        std::process::exit(1);
    }));
}

/// The file without the folders of whoever built the program, and the line.
fn place(at: &Location<'_>) -> String {
    let file = at.file();
    let names: Vec<&str> = file.split(['/', '\\']).collect();
    let short = match names.iter().rposition(|name| *name == "src") {
        Some(source) if file.starts_with('/') => names[source.saturating_sub(1)..].join("/"),
        _ => file.to_owned(),
    };
    format!(", at {short} line {},", at.line())
}
