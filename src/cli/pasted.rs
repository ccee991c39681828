//! What was pasted where it does not belong: a secret as an argument, or as a variable that names something. It may be in the
//! history of the shell already, and no message of ours repeats it.

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

use crate::secret_scan::{looks_secret, value_looks_secret};
use crate::view::TargetView;

const INSTEAD: &str = "(not shown)";

/// What is longer says nothing more.
const LONGEST: usize = 2_000;

static PASTED: OnceLock<Pasted> = OnceLock::new();

struct Pasted {
    /// What looks like a secret where names stand as well: those of targets and files are often long and mixed.
    secrets: Vec<String>,
    /// What looks like one where it is not understood at all.
    suspects: Vec<String>,
}

/// Remembers what of a command line, and of the environment, looks like a secret. Both stay in the memory of the process as
/// long as it lives, with or without this.
pub(super) fn remember(arguments: &[OsString]) {
    let text = |text: OsString| text.into_string().ok().filter(|text| text.len() <= LONGEST);
    let arguments: Vec<String> = arguments.iter().skip(1).cloned().filter_map(text).collect();
    let values = std::env::vars_os().filter_map(|(_, value)| text(value));
    // A key of several lines is in no message.
    let values = values.filter(|value| !value.contains('\n'));
    let everything: Vec<String> = arguments.iter().cloned().chain(values).collect();
    let is_secret = |text: &str| value_looks_secret("argument", text).is_some() && !is_path(text);
    let _ = PASTED.set(Pasted {
        secrets: like(&everything, &is_secret),
        suspects: like(&arguments, &|text| looks_secret(text).is_some()),
    });
}

fn like(texts: &[String], looks: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<String> = texts.iter().flat_map(|text| written(text, looks)).collect();
    // A longer one may have a shorter one in it.
    found.sort_by_key(|text| std::cmp::Reverse(text.len()));
    found.dedup();
    found
}

/// A text without any of them, and without arguments that never end.
pub(super) fn left_out(text: &str) -> String {
    without(text, PASTED.get().map(|pasted| pasted.secrets.as_slice()))
}

/// The same, of what the parser says of a command line that it does not understand.
pub(super) fn left_out_of_usage(text: &str) -> String {
    without(text, PASTED.get().map(|pasted| pasted.suspects.as_slice()))
}

/// A report whose words have none of them.
pub(super) fn out_of(report: &TargetView) -> TargetView {
    let mut report = report.clone();
    report.reason = report.reason.as_deref().map(left_out);
    report.next.what = report.next.what.as_deref().map(left_out);
    report
}

fn without(text: &str, pasted: Option<&[String]>) -> String {
    let pasted = pasted.unwrap_or_default().iter();
    let text = pasted.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), INSTEAD));
    text.split(' ').map(shortened).collect::<Vec<_>>().join(" ")
}

fn shortened(word: &str) -> String {
    match word.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}\u{2026}", &word[..end]),
        None => word.to_owned(),
    }
}

/// The argument, or its value, or both; as it is and as messages write it.
fn written(argument: &str, looks: &dyn Fn(&str) -> bool) -> Vec<String> {
    let value = argument.split_once('=').map(|(_, value)| value.to_owned());
    let texts = [Some(argument.to_owned()), value].into_iter().flatten();
    let secret = texts.filter(|text| looks(text));
    secret
        .flat_map(|text| {
            let inert = rotate_providers::untrusted::sanitized(&text);
            let escaped = text.escape_debug().to_string();
            // A guided target is told in small letters, a kind of destination without its colon.
            let bare = text.split_once(':').map(|(_, rest)| rest.to_owned());
            let bare = bare.filter(|rest| looks(rest));
            [Some(text), Some(inert), Some(escaped), bare].into_iter().flatten()
        })
        .filter(|text| text.len() >= 6)
        .collect()
}

/// Long paths look like chance, and a folder that is there is no secret.
fn is_path(text: &str) -> bool {
    let of_kind = text.split_once(':').map_or(text, |(_, rest)| rest);
    let of_profile = of_kind.rsplit_once('@').map_or(of_kind, |(_, path)| path);
    [text, of_kind, of_profile].into_iter().any(|path| {
        let folder = Path::new(path)
            .parent()
            .filter(|folder| folder.components().count() > 1);
        folder.is_some_and(Path::is_dir)
    })
}
