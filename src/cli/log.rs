//! Diagnostics on stderr.
//!
//! Only what this project says of itself is let through, whatever `RUST_LOG` asks for: the libraries below it log
//! requests and replies, and those hold secrets. Whatever is in a line, it is one visible line.

use std::io::{IsTerminal, Write, stderr};

use rotate_providers::untrusted::sanitized;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use super::{Global, LogFormat};

/// What takes spans.
pub(super) type Spans = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts diagnostics, and beside them what takes spans; the error is a usage error.
pub(super) fn start(global: &Global, spans: Option<Spans>) -> Result<(), String> {
    let level = match global.verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let wanted = match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() && global.verbose == 0 => {
            EnvFilter::try_new(&text).map_err(|_| "$RUST_LOG is not a filter, such as rotate=debug".to_owned())?
        }
        _ => EnvFilter::new(level),
    };
    // Spans are for a trace, and no line says in which one it was written.
    let filter = wanted.and(filter_fn(|metadata| metadata.is_event() && is_ours(metadata.target())));
    let ours = filter_fn(|metadata| metadata.is_span() && is_ours(metadata.target()));
    let colour = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let layer = fmt::layer().with_ansi(colour);
    let layer = match global.log_format {
        LogFormat::Text => layer
            .with_writer(stderr)
            .fmt_fields(InertFields)
            .with_target(false)
            .without_time()
            .boxed(),
        LogFormat::Json => layer.with_writer(|| InertLines(stderr())).json().boxed(),
    };
    // A second start in one process keeps the first.
    let _ = tracing_subscriber::registry()
        .with(spans.map(|spans| spans.with_filter(ours)))
        .with(layer.with_filter(filter))
        .try_init();
    Ok(())
}

/// What an event says, without its colours: those are of the line around it.
struct InertFields;

impl<'w> FormatFields<'w> for InertFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> std::fmt::Result {
        let mut text = String::new();
        DefaultFields::new().format_fields(Writer::new(&mut text), fields)?;
        writer.write_str(&sanitized(&text))
    }
}

/// Where whole lines go that have no colours.
struct InertLines<W>(W);

impl<W: Write> Write for InertLines<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = sanitized(text.strip_suffix('\n').unwrap_or(&text));
        self.0.write_all(line.as_bytes())?;
        self.0.write_all(b"\n")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

fn is_ours(target: &str) -> bool {
    let package = target.split("::").next().unwrap_or_default();
    matches!(package, "rotate" | "rotate_providers")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Layer, fmt};

    use super::{InertFields, InertLines, is_ours};

    /// What was written, by whoever shares it.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whatever_is_in_an_event_it_is_one_visible_line() {
        let harm = "a\u{1b}[2J\u{7}\r\nERROR all is well\u{202e}\u{200b}\u{85}\u{2028}";
        for json in [false, true] {
            let kept = Kept::default();
            let to = kept.clone();
            let layer = fmt::layer().with_ansi(false);
            let layer = if json {
                layer.with_writer(move || InertLines(to.clone())).json().boxed()
            } else {
                layer.with_writer(move || to.clone()).fmt_fields(InertFields).boxed()
            };
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::with_default(subscriber, || tracing::warn!(vendor = harm, "told: {harm}"));
            let bytes = kept.0.lock().unwrap().clone();
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains("all is well"), "{text}");
            let line = text.strip_suffix('\n').unwrap();
            let strange = line
                .chars()
                .find(|letter| rotate_providers::untrusted::is_harmful(*letter));
            assert_eq!(strange, None, "{text:?}");
        }
    }

    #[test]
    fn only_our_own_packages_are_heard() {
        assert!(is_ours("rotate::engine::driver"));
        assert!(is_ours("rotate_providers::contract"));
        for foreign in ["hyper_util::client", "hyper::proto", "rotate_evil", "sqlx::query", ""] {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }
}
