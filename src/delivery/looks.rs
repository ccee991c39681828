//! Looks at a store, again and again, until a write shows there: one of several servers may answer that has not heard of it yet.

use std::time::Duration;

/// Looks that are still to be taken.
pub(super) struct Looks {
    left: u32,
    spacing: Duration,
    is_first: bool,
}

impl Looks {
    /// How far they are from each other, where a store has no need of its own.
    #[cfg(any(feature = "kubernetes", feature = "object"))]
    pub(super) const SPACING: Duration = Duration::from_millis(300);

    /// As many as a store takes whose writes show within seconds.
    #[cfg(feature = "object")]
    pub(super) fn usual() -> Self {
        Self::of(10, Self::SPACING)
    }

    /// So many, so far from each other.
    pub(super) fn of(most: u32, spacing: Duration) -> Self {
        Self {
            left: most,
            spacing,
            is_first: true,
        }
    }

    /// Waits until it is time for the next one; `false`: there were enough.
    pub(super) async fn next(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        if !self.is_first {
            tokio::time::sleep(self.spacing).await;
        }
        self.left -= 1;
        self.is_first = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Looks;

    #[tokio::test]
    async fn there_are_as_many_looks_as_was_said_and_none_after_them() {
        for most in [0, 1, 3] {
            let mut looks = Looks::of(most, Duration::ZERO);
            let mut taken = 0;
            while taken <= most && looks.next().await {
                taken += 1;
            }
            assert_eq!(taken, most);
            assert!(!looks.next().await);
        }
    }
}
