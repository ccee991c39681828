//! What OpenTelemetry's variables ask for. The library reads the others itself: the sampler, the headers, what the service is called.

use std::path::PathBuf;
use std::time::Duration;

use rotate_providers::endpoint::check_endpoint;
use zeroize::Zeroizing;

/// How long one request may take where nobody says it.
const TIME_OUT: Duration = Duration::from_secs(10);

/// Where traces go.
pub(super) struct Asked {
    /// The whole address; what stands in it may be a secret.
    pub(super) url: Zeroizing<String>,
    /// The variable that it is from.
    pub(super) variable: &'static str,
    /// How long one request may take.
    pub(super) time_out: Duration,
    /// Authorities that are trusted as well.
    pub(super) ca_file: Option<PathBuf>,
}

/// A variable; one that is empty says nothing.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// What is asked for; nothing where no collector is named. The error says why nothing can be sent, and repeats no address.
pub(super) fn asked(of: &impl Fn(&str) -> Option<String>) -> Result<Option<Asked>, String> {
    let is_off = |name: &str, word: &str| of(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(word));
    if is_off("OTEL_SDK_DISABLED", "true") || is_off("OTEL_TRACES_EXPORTER", "none") {
        return Ok(None);
    }
    let (name, url) = match (of(TRACES_ENDPOINT), of(ENDPOINT)) {
        (Some(url), _) => (TRACES_ENDPOINT, url.trim().to_owned()),
        (None, Some(url)) => (ENDPOINT, format!("{}/v1/traces", url.trim().trim_end_matches('/'))),
        (None, None) => return Ok(None),
    };
    let url = Zeroizing::new(url);
    if of("OTEL_TRACES_EXPORTER").is_some_and(|value| !value.split(',').any(|way| way.trim() == "otlp")) {
        return Err("OTEL_TRACES_EXPORTER names none that is known here: write otlp, or none".to_owned());
    }
    if let Some((protocol, spoken)) = specific(of, "PROTOCOL")
        && spoken.trim() != "http/protobuf"
    {
        return Err(format!("{protocol}: http/protobuf alone is spoken here"));
    }
    check_endpoint(&url).map_err(|error| format!("{name}: {error}"))?;
    let time_out = match specific(of, "TIMEOUT") {
        Some((name, written)) => {
            let milliseconds = written.trim().parse().ok().filter(|it| *it > 0);
            let milliseconds = milliseconds.ok_or_else(|| format!("{name}: write a whole number of milliseconds"))?;
            Duration::from_millis(milliseconds)
        }
        None => TIME_OUT,
    };
    Ok(Some(Asked {
        url,
        variable: name,
        time_out,
        ca_file: specific(of, "CERTIFICATE").map(|(_, path)| PathBuf::from(path)),
    }))
}

const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What is said of traces, else of everything; and the variable that says it.
fn specific(of: &impl Fn(&str) -> Option<String>, what: &str) -> Option<(String, String)> {
    ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"]
        .iter()
        .find_map(|beginning| {
            let name = format!("{beginning}{what}");
            of(&name).map(|value| (name, value))
        })
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    fn of(variables: &[(&str, &str)]) -> Result<Option<Asked>, String> {
        asked(&|name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_asked_for_unless_a_collector_is_named_and_it_can_be_switched_off() {
        assert!(of(&[]).unwrap().is_none());
        assert!(of(&[("OTEL_SERVICE_NAME", "rotate")]).unwrap().is_none());
        let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example");
        assert!(of(&[collector]).unwrap().is_some());
        for off in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert!(of(&[collector, off]).unwrap().is_none(), "{off:?}");
        }
    }

    #[test]
    fn the_address_of_traces_is_taken_as_it_is_and_the_one_of_everything_gets_its_path() {
        let url = |variables: &[(&str, &str)]| of(variables).unwrap().unwrap().url.to_string();
        for base in ["https://otel.example/base", "https://otel.example/base/"] {
            let named = [("OTEL_EXPORTER_OTLP_ENDPOINT", base)];
            assert_eq!(url(&named), "https://otel.example/base/v1/traces");
        }
        let both = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example/in"),
        ];
        assert_eq!(url(&both), "https://traces.example/in");
    }

    #[test]
    fn what_cannot_be_done_is_said_by_the_name_of_its_variable_and_no_address_is_repeated() {
        let plain = "http://canary.example:4318";
        for (variables, words) in [
            (
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", plain)],
                "OTEL_EXPORTER_OTLP_ENDPOINT",
            ),
            (
                vec![("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "canary")],
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            ),
            (
                vec![
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://canary.example:4317"),
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ],
                "OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf",
            ),
            (
                vec![
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://canary.example"),
                    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
                ],
                "OTEL_EXPORTER_OTLP_TIMEOUT",
            ),
            (
                vec![
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://canary.example"),
                    ("OTEL_TRACES_EXPORTER", "zipkin"),
                ],
                "OTEL_TRACES_EXPORTER",
            ),
        ] {
            let why = of(&variables).err().unwrap_or_default();
            assert!(why.contains(words) && !why.contains("canary"), "{variables:?}: {why}");
        }
    }

    #[test]
    fn what_is_said_of_traces_goes_before_what_is_said_of_everything() {
        let both = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"),
        ];
        let asked = of(&both).unwrap().unwrap();
        assert_eq!(asked.time_out.as_millis(), 2500);
        assert_eq!(asked.ca_file.unwrap().to_str(), Some("/etc/ca.pem"));
    }
}
