//! A list that comes in pages, and ends.

use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Figures that no user's list of keys comes near: AWS allows two keys, and old users have eight.
const MOST_PAGES: usize = 20;
const MOST_KEYS: usize = 100;
/// Each page may have to wait until AWS is less busy.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// The pages so far.
pub(super) struct Pages {
    begun: Instant,
    markers: HashSet<String>,
}

impl Pages {
    pub(super) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            markers: HashSet::new(),
        }
    }

    /// The marker of the page after this one, if there is one; or why the list has no end.
    pub(super) fn next(
        &mut self,
        is_truncated: bool,
        marker: Option<&str>,
        keys: usize,
    ) -> Result<Option<String>, &'static str> {
        if keys > MOST_KEYS {
            return Err("it names more than 100 keys of one user");
        }
        if !is_truncated {
            return Ok(None);
        }
        let marker = marker.ok_or("it is not whole, and does not say where it goes on")?;
        if !self.markers.insert(marker.to_owned()) {
            return Err("it goes on where it has been before");
        }
        if self.markers.len() >= MOST_PAGES {
            return Err("it has more than 20 pages");
        }
        if self.begun.elapsed() > LONGEST {
            return Err("it was not at its end after five minutes");
        }
        Ok(Some(marker.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Pages;

    #[test]
    fn a_list_ends_or_is_not_believed() {
        let mut pages = Pages::begin();
        assert_eq!(pages.next(false, Some("ignored"), 2), Ok(None));
        assert_eq!(pages.next(true, Some("a"), 2), Ok(Some("a".to_owned())));
        assert_eq!(pages.next(true, Some("b"), 2), Ok(Some("b".to_owned())));
        assert!(pages.next(true, Some("a"), 2).is_err());
        assert!(pages.next(true, None, 2).is_err());
        assert!(pages.next(false, None, 101).is_err());
    }

    #[test]
    fn a_list_has_twenty_pages_at_most() {
        let mut pages = Pages::begin();
        let ends = (0..1000).find(|page| pages.next(true, Some(&page.to_string()), 0).is_err());
        assert_eq!(ends, Some(19));
    }
}
