//! What is kept of what a delivery replaces.

use rotate_providers::secret::Secret;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::delivery::Fault;

/// The version that was replaced, and what our fields held in it where the store may not keep it.
pub(super) struct Before {
    pub(super) version: u64,
    fields: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    version: u64,
    #[serde(borrow)]
    fields: Option<&'a RawValue>,
}

impl Before {
    /// As it is sealed.
    pub(super) fn written(version: u64, fields: Option<&Secret>) -> Result<Secret, Fault> {
        let Some(fields) = fields else {
            return Ok(Secret::new(format!("{{\"version\":{version}}}")));
        };
        let fields = fields.expose_text().ok_or(Fault::Content("what is there is no text"))?;
        // Room for everything: what grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(fields.len() + 64));
        text.push_str(&format!("{{\"version\":{version},\"fields\":"));
        text.push_str(fields);
        text.push('}');
        Ok(Secret::new(text.as_bytes()))
    }

    pub(super) fn read(sealed: &Secret) -> Result<Self, Fault> {
        // What serde says of it would quote it.
        let document: Document<'_> = serde_json::from_slice(sealed.expose())
            .map_err(|_| Fault::Content("what was kept of the version before cannot be understood"))?;
        Ok(Self {
            version: document.version,
            fields: document.fields.map(|fields| Secret::new(fields.get().as_bytes())),
        })
    }

    /// What our fields held, as an object.
    pub(super) fn fields(&self) -> Option<Secret> {
        self.fields.as_ref().map(|fields| Secret::new(fields.expose()))
    }
}
