//! What a vendor calls the request behind an event: with it an auditor finds the call in the vendor's own log.

use rotate_providers::untrusted::Label;

use super::Event;

impl Event {
    /// What the vendor calls the request that did it, where that is on record.
    pub fn request(&self) -> Option<&Label> {
        match self {
            Event::Created { request, .. }
            | Event::Replaced { request, .. }
            | Event::Reverted { request, .. }
            | Event::Discarded { request, .. }
            | Event::Deactivated { request }
            | Event::Reactivated { request }
            | Event::Deleted { request }
            | Event::Withdrawn { request } => request.as_ref(),
            _ => None,
        }
    }

    /// The same event of this request, which is taken where the event tells of one, and kept for a later one otherwise.
    pub fn of_request(mut self, told: &mut Option<Label>) -> Self {
        if let Event::Created { request, .. } | Event::Replaced { request, .. } | Event::Reverted { request, .. } =
            &mut self
        {
            *request = told.take();
        }
        self
    }
}
