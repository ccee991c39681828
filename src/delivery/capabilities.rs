//! What a destination can do. How a delivery is proven and undone follows from it.

use std::fmt;

/// What a destination can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What it holds can be read back and compared.
    pub readable: bool,
    /// It keeps what was there before, and makes that current again.
    pub versioned: bool,
    /// A write can name what it replaces.
    pub conditional: bool,
    /// What it held can be put back by this program.
    pub restores: bool,
}

impl Capabilities {
    /// Nothing can be read back: what it has received is all that is known.
    pub const WRITE_ONLY: Self = Self {
        readable: false,
        versioned: false,
        conditional: false,
        restores: false,
    };
    /// It can be read, and holds what it held until somebody writes.
    pub const READABLE: Self = Self {
        readable: true,
        restores: true,
        ..Self::WRITE_ONLY
    };
    /// It keeps what was there before, and a write names what it replaces.
    pub const VERSIONED: Self = Self {
        versioned: true,
        conditional: true,
        ..Self::READABLE
    };

    /// Whether a delivery there can be proven by nothing but the receipt.
    pub fn is_write_only(self) -> bool {
        !self.readable
    }

    /// The words of what it can do.
    pub fn words(self) -> Vec<&'static str> {
        let all = [
            (self.readable, "readable"),
            (self.versioned, "versioned"),
            (self.conditional, "conditional"),
            (!self.readable, "write-only"),
        ];
        all.into_iter().filter_map(|(can, word)| can.then_some(word)).collect()
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(", "))
    }
}
