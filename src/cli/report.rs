//! `rotate report`.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rotate_providers::shell::quoted;

use super::fleet::configured;
use super::plan::required_state;
use super::session::{locate, tell_folder};
use super::status::all;
use super::who::person;
use super::{Exit, Form, Global, terminal};
use crate::config::Config;
use crate::engine::Survey;
use crate::hooks::now;
use crate::private_file::{self, Place};
use crate::state_folder::FolderError;
use crate::store::{Store, Verified};
use crate::view::json;
use crate::view::report::{self, Histories, Period, Report, Sources};

/// Write the evidence that an auditor asks for. Calls no vendor.
///
/// Which credentials there are, how old they are, who replaced them. It is made from the configuration and the journal, after the whole chain was checked, and says of what neither holds that it is not
/// recorded. Where credentials stand is told as of now; rotations are told that were under way between --since and --until.
#[derive(Args)]
pub(super) struct Command {
    /// What it is
    #[arg(long, value_name = "FORM", default_value = "html", value_parser = forms())]
    output: Form,
    /// Leave out rotations that ended before this day, or this time: 2027-01-01
    #[arg(long, value_name = "DATE", value_parser = begin)]
    since: Option<Timestamp>,
    /// Leave out rotations that were opened after this day, or from this time on: 2027-03-31
    #[arg(long, value_name = "DATE", value_parser = end)]
    until: Option<Timestamp>,
    /// Write it to this new file, which only its owner may read, and not to stdout
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

fn forms() -> impl TypedValueParser<Value = Form> {
    let named = |name: &'static str, help: &'static str| PossibleValue::new(name).help(help);
    let forms = PossibleValuesParser::new([
        named("html", "A page that needs nothing else, for the screen and for paper"),
        named("csv", "A table for spreadsheets, one line a credential"),
        named("json", "For programs: one document, with a schema_version"),
    ]);
    forms.map(|name| match name.as_str() {
        "csv" => Form::Csv,
        "json" => Form::Json,
        _ => Form::Html,
    })
}

/// The first moment of a day, or a time.
fn begin(text: &str) -> Result<Timestamp, String> {
    moment(text, Some)
}

/// The first moment after a day, or a time: whoever says until a day means that day as well.
fn end(text: &str) -> Result<Timestamp, String> {
    moment(text, |date| date.tomorrow().ok())
}

fn moment(text: &str, of_day: impl FnOnce(Date) -> Option<Date>) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let date = text.parse::<Date>().ok().and_then(of_day);
    let at = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
    at.map(|at| at.timestamp())
        .ok_or_else(|| "write a date like 2027-03-31, or a time like 2027-03-31T12:00:00Z".to_owned())
}

impl Command {
    pub(super) async fn run(self, global: &Global) -> Exit {
        let now = now();
        let period = Period {
            since: self.since,
            // Nobody knows what comes after now.
            until: self.until.map_or(now, |until| until.min(now)),
        };
        if let Err(why) = self.check(period) {
            terminal::error(&why, &["nothing was written".to_owned()]);
            return Exit::Usage;
        }
        let config = match configured(global) {
            Ok(config) => config,
            Err(exit) => return exit,
        };
        let report = match make(global, config.as_ref(), period, now).await {
            Ok(report) => report,
            Err(error) => return tell_folder(global, &error),
        };
        match self.write(&report) {
            Ok(()) => Exit::Ok,
            Err((why, remedy)) => {
                terminal::error(&why, &remedy);
                Exit::Error
            }
        }
    }

    fn check(&self, period: Period) -> Result<(), String> {
        if matches!(self.output, Form::Text | Form::Markdown) {
            return Err("a report has no such form: write --output html, csv or json".to_owned());
        }
        match period.since {
            Some(since) if since >= period.until => {
                Err("nothing is between --since and --until: the first has to be the earlier one".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Writes it to where it belongs; else says what failed, and what to do.
    fn write(&self, report: &Report) -> Result<(), (String, Vec<String>)> {
        match &self.file {
            Some(path) => self.write_file(path, report),
            None => {
                let mut out = BufWriter::new(io::stdout().lock());
                let written = self.lay_out(report, &mut out).and_then(|()| out.flush());
                match written {
                    // A reader that has gone away is nobody's fault.
                    Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                        let why = format!("the report could not be written: {error}");
                        Err((why, vec!["what was written of it is not whole".to_owned()]))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn write_file(&self, path: &Path, report: &Report) -> Result<(), (String, Vec<String>)> {
        let shown = path.display().to_string();
        let failed = |why: String, remedy: Vec<String>| (format!("{shown} cannot be written: {why}"), remedy);
        let place = Place::of(path).map_err(|unfit| failed(unfit.to_string(), Vec::new()))?;
        // Evidence is not overwritten, and neither is anything else.
        match place.look() {
            Ok(None) => {}
            Ok(Some(_)) => {
                let remedy = vec![format!("name another file, or remove it: rm {}", quoted(&shown))];
                return Err((format!("{shown} exists, and is not overwritten"), remedy));
            }
            Err(error) => return Err(failed(error.to_string(), Vec::new())),
        }
        let mut bytes = Vec::new();
        let laid_out = self.lay_out(report, &mut bytes);
        laid_out.map_err(|error| failed(error.to_string(), Vec::new()))?;
        private_file::create(&place, &bytes).map_err(|refused| failed(refused.to_string(), Vec::new()))?;
        terminal::note(&format!("wrote {shown}"));
        Ok(())
    }

    fn lay_out(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        match self.output {
            Form::Csv => report::sheet(report, out),
            Form::Json => json::report(report, out),
            Form::Html | Form::Text | Form::Markdown => report::page(report, out),
        }
    }
}

/// Reads the journal, each line of it checked, and puts it beside the configuration.
async fn make(global: &Global, config: Option<&Config>, period: Period, now: Timestamp) -> Result<Report, FolderError> {
    let store = locate(global)?.open_journal().await?;
    let (verified, survey, histories) = match store.as_deref() {
        Some(store) => read(store).await?,
        None => {
            if let Some(error) = config.and_then(|config| required_state(global, config)) {
                return Err(error);
            }
            (Verified::empty(), Survey::default(), Histories::default())
        }
    };
    let sources = Sources {
        config,
        survey: &survey,
        histories,
        verified: &verified,
        period,
        now,
        by: person(),
    };
    Ok(Report::of(all(global, config, &survey), sources))
}

/// How often the journal is read until nobody has written to it meanwhile.
const READINGS: usize = 5;

/// What is shown has to be what was checked: a run may be at work at the same time.
async fn read(store: &dyn Store) -> Result<(Verified, Survey, Histories), FolderError> {
    for _ in 0..READINGS {
        let mut histories = Histories::default();
        let verified = store
            .verify_each(&mut |line, state| histories.take(line, state))
            .await?;
        let survey = Survey::read(store).await?;
        if histories.is_of_the_time_of(&survey) {
            return Ok((verified, survey, histories));
        }
    }
    Err(FolderError::Written)
}
