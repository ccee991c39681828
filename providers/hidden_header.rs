//! A header that carries a secret: its memory is wiped, and no diagnostics show it.

use bytes::Bytes;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

/// Memory of a request, wiped when the last one lets go of it.
pub(crate) struct Wiped(pub(crate) Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A value in the head of a request; `None` where it holds letters that no request can carry.
pub fn hidden_header(text: Zeroizing<String>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(Wiped(text))).ok()?;
    value.set_sensitive(true);
    Some(value)
}
