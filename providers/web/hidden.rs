//! Parts of a request that carry a secret: their memory is wiped, and no diagnostics show them.

use bytes::Bytes;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

/// Memory of a request, wiped when the last one lets go of it.
struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A value in the head of a request; `None` where it holds letters that no request can carry.
pub fn hidden_header(text: Zeroizing<String>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(hidden_body(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The body of a request.
pub fn hidden_body(text: Zeroizing<String>) -> Bytes {
    Bytes::from_owner(Wiped(text))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::hidden_header;

    #[test]
    fn no_diagnostics_show_a_value_that_is_secret() {
        let value = hidden_header(Zeroizing::new("Bearer canary".to_owned())).unwrap();
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("canary"));
    }
}
