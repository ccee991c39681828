//! How a sealed secret says by what it was sealed: a line of text, and behind it what that made.
//!
//! The line is for whoever opens it, and proves nothing: what it leads to is decrypted, and compared with what it is for.

use super::{SealError, key_of};

/// How every such line begins, whatever the version.
const BEGINNING: &[u8] = b"rotate-sealed/";
/// How it begins in this version.
const MARK: &[u8] = b"rotate-sealed/1 ";
/// How a file of age begins: earlier versions kept one as it was.
const AGE: &[u8] = b"age-encryption.org/";
/// No line is longer: it has room for two hundred recipients.
const LONGEST: usize = 16 * 1024;

/// What is sealed, as it says itself.
pub(super) enum Form<'b> {
    /// It says nothing: it was sealed by the one identity of a state folder.
    Unsaid(&'b [u8]),
    /// By what, as the configuration spells that, and what that made.
    Said {
        /// The spelling.
        by: &'b str,
        /// What it made.
        made: &'b [u8],
    },
}

impl<'b> Form<'b> {
    /// Understands what is sealed.
    pub(super) fn of(sealed: &'b [u8]) -> Result<Self, SealError> {
        if sealed.starts_with(AGE) {
            return Ok(Self::Unsaid(sealed));
        }
        let Some(rest) = sealed.strip_prefix(MARK) else {
            return Err(match sealed.starts_with(BEGINNING) {
                true => SealError::Newer,
                false => SealError::Open,
            });
        };
        let end = rest.iter().take(LONGEST).position(|byte| *byte == b'\n');
        let (by, made) = end.and_then(|end| rest.split_at_checked(end)).ok_or(SealError::Open)?;
        let by = std::str::from_utf8(by).map_err(|_| SealError::Open)?;
        match by.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Self::Said {
                by,
                made: made.get(1..).unwrap_or_default(),
            }),
            false => Err(SealError::Open),
        }
    }

    /// By what it was sealed, where it says so.
    pub(super) fn by(&self) -> Option<&'b str> {
        match self {
            Self::Unsaid(_) => None,
            Self::Said { by, .. } => Some(by),
        }
    }
}

/// What this made, with the line that says so.
pub(super) fn written(by: &str, made: &[u8]) -> Vec<u8> {
    [MARK, by.as_bytes(), b"\n", made].concat()
}

/// By what this was sealed, where it says so: the recipients or the key, and not who asks for it.
pub fn sealer_of(sealed: &[u8]) -> Option<String> {
    Form::of(sealed).ok()?.by().map(|by| key_of(by).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_says_by_what_and_what_earlier_versions_sealed_is_known() {
        let sealed = written("age:age1x,age1y", b"age-encryption.org/v1\nrest");
        assert!(
            matches!(Form::of(&sealed), Ok(Form::Said { by: "age:age1x,age1y", made }) if made == b"age-encryption.org/v1\nrest")
        );
        assert!(matches!(Form::of(b"age-encryption.org/v1\nx"), Ok(Form::Unsaid(_))));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(matches!(Form::of(b"rotate-sealed/2 age:x\n"), Err(SealError::Newer)));
        for odd in [
            &b""[..],
            b"x",
            b"rotate-sealed/1 age:x",
            b"rotate-sealed/1 a\xffe\nx",
            b"rotate-sealed/1 a e\nx",
        ] {
            assert!(matches!(Form::of(odd), Err(SealError::Open)), "{odd:?}");
        }
        let long = written(&"a".repeat(LONGEST + 1), b"x");
        assert!(matches!(Form::of(&long), Err(SealError::Open)));
    }
}
