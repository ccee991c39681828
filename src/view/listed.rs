//! One connector, for text, JSON and Markdown alike.

use jiff::{SignedDuration, Timestamp};
use rotate_providers::Connector;
use rotate_providers::guide::{Guide, Overlap, Procedure, Unless};
use rotate_providers::inputs::option;
use schemars::JsonSchema;
use serde::Serialize;

use super::Mode;

/// What there is to know of a connector.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Listed {
    /// Its id, which is its command.
    pub id: &'static str,
    /// What is rotated.
    pub title: String,
    /// Who made the other side.
    pub vendor: String,
    /// Who takes the steps.
    pub mode: Mode,
    /// Whether old and new work at the same time: `yes`, `none` or `depends`.
    pub overlap: Overlap,
    /// What decides it, where that depends.
    pub depends: Option<String>,
    /// How long nothing works, where they do not.
    pub gap: Option<String>,
    /// How long the connection stops all the same, where they do.
    pub pause: Option<String>,
    /// Answers with which they do not after all, and the gap then.
    pub unless: Vec<String>,
    /// How many can exist at once.
    pub coexist: String,
    /// The roles that are needed by hand.
    pub roles: Vec<String>,
    /// What else stops with the credential.
    pub affects: Vec<String>,
    /// The guide's procedures.
    #[schemars(length(min = 1))]
    pub procedures: Vec<Procedure>,
    /// The guide's options and what they are.
    pub inputs: Vec<String>,
    /// The month in which the guide's facts were looked at last.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}$"))]
    pub checked: String,
}

impl Listed {
    /// What a connector and its guide say of it.
    pub fn of(connector: &Connector, guide: &Guide) -> Self {
        Self {
            id: connector.id,
            title: guide.title.clone(),
            vendor: guide.vendor.clone(),
            mode: if connector.automation.is_some() {
                Mode::Automated
            } else {
                Mode::Guided
            },
            overlap: guide.credential.overlap,
            depends: guide.credential.depends.clone(),
            gap: guide.credential.gap.clone(),
            pause: guide.credential.pause.clone(),
            unless: guide.credential.unless.iter().map(exception).collect(),
            coexist: guide.credential.coexist.clone(),
            roles: guide.roles.clone(),
            affects: guide.affects.clone(),
            procedures: Procedure::ALL
                .into_iter()
                .filter(|procedure| !guide.steps(*procedure).is_empty())
                .collect(),
            inputs: guide
                .inputs
                .iter()
                .map(|input| format!("{}: {}", input.option(), input.help))
                .collect(),
            checked: guide.checked.clone(),
        }
    }

    /// Whether nobody has looked at the guide's facts for a year.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let looked = format!("{}-01T00:00Z", self.checked).parse::<Timestamp>();
        // Of the month it is not known which day; the last one counts.
        looked.is_ok_and(|looked| now.duration_since(looked) > SignedDuration::from_hours(24 * (365 + 31)))
    }

    /// Whether old and new work at the same time, in words.
    pub fn overlap_in_words(&self) -> String {
        let gap = self.gap.as_deref().unwrap_or_default();
        let usually = match (self.overlap, &self.depends, &self.pause) {
            (_, Some(depends), _) => format!("depends on {depends}; if not, the gap: {gap}"),
            (Overlap::Yes, None, Some(pause)) => format!("yes; but a pause: {pause}"),
            (Overlap::Yes, None, None) => "yes".to_owned(),
            _ => format!("no; the gap: {gap}"),
        };
        let unless = self.unless.iter().map(|exception| format!("; not {exception}"));
        unless.fold(usually, |said, exception| said + &exception)
    }
}

fn exception(unless: &Unless) -> String {
    let answers = unless.only.iter().map(|only| {
        let option = option(&only.input);
        format!("{option} {}", only.is)
    });
    let answers: Vec<String> = answers.collect();
    format!("with {}; the gap then: {}", answers.join(" "), unless.gap)
}

#[cfg(test)]
mod tests {
    use rotate_providers::CONNECTORS;

    use super::Listed;

    #[test]
    fn a_guide_is_stale_a_year_after_its_month() {
        let any = &CONNECTORS[0];
        let mut listed = Listed::of(any, &any.guide().unwrap());
        listed.checked = "2026-11".to_owned();
        for (now, stale) in [
            ("2026-10-01T00:00Z", false),
            ("2026-11-27T00:00Z", false),
            ("2027-11-30T00:00Z", false),
            ("2027-12-04T00:00Z", true),
            ("2030-01-01T00:00Z", true),
        ] {
            assert_eq!(listed.is_stale(now.parse().unwrap()), stale, "{now}");
        }
    }
}
