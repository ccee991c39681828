//! The hash chain: each line's hash covers the line and the hash before it.

use sha2::{Digest, Sha256};

/// A line of the journal as it is stored, word for word.
pub(super) struct Link<'a> {
    pub(super) seq: i64,
    pub(super) rotation: &'a str,
    pub(super) target: &'a str,
    pub(super) revision: i64,
    pub(super) at: &'a str,
    pub(super) body: &'a str,
    /// The lease that it was written under; zero in what older versions wrote, which named none.
    pub(super) fence: i64,
}

/// What stands before the first line.
pub(super) const GENESIS: [u8; 32] = [0; 32];

impl Link<'_> {
    /// The line's hash. Every field is preceded by its length, so no two different lines read alike.
    pub(super) fn hash(&self, before: &[u8]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(before);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.revision.to_be_bytes());
        for field in [self.rotation, self.target, self.at, self.body] {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field.as_bytes());
        }
        if self.fence != 0 {
            hasher.update(self.fence.to_be_bytes());
        }
        hasher.finalize().into()
    }
}

/// A hash as text.
pub(super) fn hex(hash: &[u8]) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_and_the_predecessor_change_the_hash() {
        let link = Link {
            seq: 1,
            rotation: "r",
            target: "t",
            revision: 1,
            at: "a",
            body: "b",
            fence: 1,
        };
        let hash = link.hash(&GENESIS);
        assert_ne!(hash, link.hash(&hash));
        assert_ne!(hash, Link { seq: 2, ..link }.hash(&GENESIS));
        assert_ne!(
            hash,
            Link {
                rotation: "rt",
                target: "",
                ..link
            }
            .hash(&GENESIS)
        );
        assert_ne!(hash, Link { revision: 2, ..link }.hash(&GENESIS));
        assert_ne!(hash, Link { fence: 2, ..link }.hash(&GENESIS));
        assert_ne!(hash, Link { fence: 0, ..link }.hash(&GENESIS));
        assert_ne!(
            hash,
            Link {
                at: "ab",
                body: "",
                ..link
            }
            .hash(&GENESIS)
        );
        assert_eq!(hex(&hash).len(), 64);
    }
}
