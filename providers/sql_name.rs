//! Names as people write them in SQL, where the database takes names without quotes in upper case.
//!
//! Without quotes a name is a plain identifier and means its upper-case form; in double quotes it means itself, `""`
//! standing for one quote.

/// What it means; or why it is no name.
pub(crate) fn meant(text: &str) -> Result<String, &'static str> {
    match text.strip_prefix('"') {
        Some(rest) => unquoted(rest),
        None if is_plain(text) => Ok(text.to_ascii_uppercase()),
        None => Err(
            "a name without quotes has letters, digits, _ and $ only; write any other one as in SQL, in double quotes of its \
             own: --user '\"na\u{ef}ve \"\"user\"\"\"'",
        ),
    }
}

fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_$".contains(letter))
}

/// What stands between the quotes, of which the first is gone already.
fn unquoted(rest: &str) -> Result<String, &'static str> {
    let inner = rest
        .strip_suffix('"')
        .ok_or("the name begins with a quote and does not end with one")?;
    if inner.replace("\"\"", "").contains('"') {
        return Err("a quote inside a quoted name is written twice");
    }
    Ok(inner.replace("\"\"", "\""))
}
