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

#[cfg(test)]
mod tests {
    use rotate_providers::contract::KeyId;

    use super::*;

    #[test]
    fn an_id_waits_for_the_event_that_tells_of_its_request() {
        let id = Label::uuid("7a62c49f-347e-4fc4-9331-6e8e5a1b2c3d");
        let mut told = id.clone();
        assert_eq!(Event::Proved.of_request(&mut told), Event::Proved);
        let done = Event::Deleted { request: None };
        assert_eq!(done.clone().of_request(&mut told), done);
        assert_eq!(told, id);
        let key = KeyId::parse("AKIANEW").unwrap();
        let created = Event::Created { key, request: None }.of_request(&mut told);
        assert_eq!((created.request(), told), (id.as_ref(), None));
    }

    #[test]
    fn a_line_of_before_has_none_and_is_written_as_it_was() {
        for line in [r#"{"event":"deleted"}"#, r#"{"event":"created","key":"AKIANEW"}"#] {
            let event: Event = serde_json::from_str(line).unwrap();
            assert_eq!(event.request(), None);
            assert_eq!(serde_json::to_string(&event).unwrap(), line);
        }
        let hostile = r#"{"event":"deleted","request":"a b"}"#;
        assert!(serde_json::from_str::<Event>(hostile).is_err());
    }
}
