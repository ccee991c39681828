//! Names with a star in them.

/// Whether a name is of this form, in which `*` stands for any letters.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name
            .strip_prefix(start)
            .is_some_and(|end| (0..=end.len()).any(|at| end.get(at..).is_some_and(|tail| matches(rest, tail)))),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name) in [
            ("a", "a"),
            ("*", ""),
            ("db-*", "db-main"),
            ("*-x-*", "a-x-x-b"),
            ("a*", "a"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a", "ab"),
            ("db-*", "dc-main"),
            ("*-x", "a-x-b"),
            ("", "a"),
            ("*é", "e"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
