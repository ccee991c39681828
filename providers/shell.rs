//! Words of a shell, for commands that a person is told to run: whatever is in them, it is one word and nothing else.

/// A text as one word. A home folder at its beginning stays one.
pub fn quoted(text: &str) -> String {
    match text.strip_prefix("~/") {
        Some(rest) if !rest.is_empty() => format!("~/{}", word(rest)),
        _ => word(text),
    }
}

fn word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=:@,%".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn whatever_is_in_a_text_it_is_one_word_of_a_shell() {
        for text in [
            "plain",
            "two words",
            "a'b",
            "$(id)",
            "`id`;x",
            "",
            "-x",
            "a\nb",
            "~root",
            "*",
        ] {
            let line = format!("printf %s {}", quoted(text));
            let said = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&said.stdout), text, "{line}");
        }
        assert_eq!(quoted("~/a b"), "~/'a b'");
    }
}
