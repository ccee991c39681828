//! A guided plan, for a person who follows it.

use rotate_providers::guide::Procedure;
use rotate_providers::untrusted::sanitized;
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::machine::StepOutcome;
use crate::plan::{Guidance, GuidedStep, Planned};
use crate::view::shared::minute;
use crate::view::{Detail, Listed, Mode, Speaker, TargetView};

/// The whole plan of one target, wrapped to this width.
pub fn plan(view: &TargetView, width: usize, speaker: &Speaker) -> String {
    let (Some(guide), Some(steps)) = (&view.guide, &view.steps) else {
        return String::new();
    };
    let mut page = Page::new(width);
    if view.detail == Detail::Checklist {
        checklist(&mut page, view, steps);
        next(&mut page, view, speaker);
        return page.text;
    }
    if view.detail == Detail::NextStep {
        next(&mut page, view, speaker);
        return page.text;
    }
    head(&mut page, view, guide);
    let mut heading = String::new();
    for (number, step) in (1..).zip(steps) {
        let next = crate::view::heading(view, steps, step);
        if next != heading {
            heading = next;
            page.line("");
            page.paragraph(&heading);
        }
        if let Some(guided) = &step.guided {
            one(&mut page, number, step, guided);
        }
    }
    page.line("");
    if let Some(dead) = &guide.dead {
        page.field("Old one dead?", dead);
    }
    if let Some(typed) = &guide.dead_typed {
        page.line("");
        page.verbatim(&typed.command);
        page.line("");
    }
    if let Some(residue) = &guide.residue {
        page.field("Still works", residue);
    }
    page.list("Sources", &guide.pages());
    page.field("Looked at", &guide.checked);
    next(&mut page, view, speaker);
    page.text
}

/// One line a step, for whoever knows the guide and has thirty of them to do.
fn checklist(page: &mut Page, view: &TargetView, steps: &[Planned]) {
    page.line(&format!(
        "{} · {}",
        view.guide
            .as_ref()
            .map(|guide| guide.title.as_str())
            .unwrap_or_default(),
        view.name
    ));
    let mut gap = String::new();
    for (number, step) in (1..).zip(steps) {
        let in_gap = step.guided.as_ref().is_some_and(|guided| guided.in_gap);
        let next = if in_gap {
            crate::view::heading(view, steps, step)
        } else {
            String::new()
        };
        if next != gap {
            gap = next;
            page.line(if in_gap { &gap } else { "after the gap" });
        }
        let final_ = if step.reversible { "" } else { " !" };
        let line = format!(" {number:>2} {}{final_} {}: {}", mark(step), step.who, step.in_short());
        page.cut(&line);
    }
}

/// What has to be known before the first step: what stops on the way, where it stands, and what has to be ready.
pub fn opening(view: &TargetView, width: usize) -> String {
    let mut page = Page::new(width);
    if let Some(guide) = &view.guide {
        title(&mut page, view, guide);
        page.line("");
        ready(&mut page, guide);
    }
    page.text
}

/// One step of the plan, by its position.
pub fn step(view: &TargetView, position: usize, width: usize) -> String {
    let mut page = Page::new(width);
    let step = view.steps.as_ref().and_then(|plan| plan.get(position));
    if let Some((step, guided)) = step.and_then(|step| Some((step, step.guided.as_ref()?))) {
        page.line("");
        page.line(step.phase.name());
        one(&mut page, position + 1, step, guided);
    }
    page.text
}

/// One connector, with what its guide asks for.
pub fn connector(listed: &[Listed], width: usize) -> String {
    let mut page = Page::new(width);
    for connector in listed {
        page.line(&format!(
            "{}: {} ({})",
            connector.id,
            connector.title,
            connector.mode.name()
        ));
        page.field("Overlap", &connector.overlap_in_words());
        page.field("Coexist", &connector.coexist);
        page.list("Also affected", &connector.affects);
        page.list("Roles", &connector.roles);
        page.field(
            "Procedures",
            &connector
                .procedures
                .iter()
                .map(|procedure| procedure.name())
                .collect::<Vec<_>>()
                .join(", "),
        );
        page.list("Options", &connector.inputs);
        page.field("Looked at", &connector.checked);
        let manual = if connector.mode == Mode::Automated {
            " --manual"
        } else {
            ""
        };
        page.field("Plan", &format!("rotate {}{manual} --dry-run", connector.id));
    }
    page.text
}

fn head(page: &mut Page, view: &TargetView, guide: &Guidance) {
    title(page, view, guide);
    page.line("");
    page.field(
        "Credential",
        &format!("{}; {}; expires: {}", guide.credential, guide.coexist, guide.expires),
    );
    page.list("Also affected", &guide.affects);
    ready(page, guide);
    page.list("Differs", &guide.corrections);
    let missing: Vec<String> = guide
        .missing
        .iter()
        .map(|missing| format!("{} ({}): {}", missing.option, missing.need(), missing.help))
        .collect();
    page.list("Not given", &missing);
}

fn title(page: &mut Page, view: &TargetView, guide: &Guidance) {
    let done = match guide.procedure {
        Procedure::Rotate => String::new(),
        other => format!(" · {}", other.name()),
    };
    page.line(&format!("{} · {}{done}", guide.title, view.name));
    warning(page, guide);
    if let Some(reason) = &view.reason {
        page.paragraph(&format!("Stands at: {reason}."));
    }
}

/// Whether something stops on the way.
fn warning(page: &mut Page, guide: &Guidance) {
    match guide.opening() {
        (Some(warning), what) => page.paragraph(&format!("{warning} {what}")),
        (None, what) => page.paragraph(&what),
    }
}

fn ready(page: &mut Page, guide: &Guidance) {
    page.list("Roles", &guide.roles);
    page.list("Have ready", &guide.prepare);
}

fn one(page: &mut Page, number: usize, step: &Planned, guided: &GuidedStep) {
    let mark = mark(step);
    page.line(&format!(" {number:>2} {mark} {} · {}", step.who, guided.step));
    if let Some(only) = &guided.only {
        page.detail("Only", &format!("with {only}"));
    }
    if let Some(place) = &guided.place {
        page.detail("Where", place);
    }
    page.detail("Do", &step.what);
    // Whoever reads down to the command has read what it does.
    if !step.reversible {
        page.detail("!", "This cannot be undone.");
    }
    if let Some(caution) = &guided.caution {
        page.detail("!", caution);
    }
    if let Some(once) = &guided.once {
        page.detail("! Once", &format!("Run it once. {once}"));
    }
    if let (Some(command), Some(language)) = (&guided.command, guided.language) {
        typed(page, command, language.name());
    }
    if let Some(expect) = &guided.expect {
        page.detail("See", expect);
    }
    if let Some(evidence) = &guided.noted() {
        page.detail("Note", evidence);
    }
    if let Some(back) = &guided.back {
        for (name, told, command) in [
            ("Back", &back.what, &back.typed),
            ("Then", &back.finish, &back.finish_typed),
        ] {
            page.detail(name, told);
            let Some(command) = command else { continue };
            if let Some(once) = &command.once {
                page.detail("! Once", &format!("Run it once. {once}"));
            }
            typed(page, &command.command, command.language.name());
        }
    }
    if let Some(link) = &guided.link {
        page.detail("More", link);
    }
    if let Some(tick) = &guided.tick {
        let at = minute(tick.at);
        let told = match &tick.outcome {
            StepOutcome::Done { evidence } => {
                let evidence = evidence.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
                format!("{at} by {}{evidence}", tick.by)
            }
            StepOutcome::Skipped { why } => format!("{at} by {}: {why}", tick.by),
        };
        let name = if matches!(tick.outcome, StepOutcome::Done { .. }) {
            "Done"
        } else {
            "Skipped"
        };
        page.detail(name, &told);
        for note in &tick.added {
            let told = format!("{} by {}: {}", minute(note.at), note.by, note.evidence);
            page.detail("Added", &told);
        }
    }
}

fn mark(step: &Planned) -> &'static str {
    let tick = step.guided.as_ref().and_then(|guided| guided.tick.as_ref());
    match tick.map(|tick| &tick.outcome) {
        None => "☐",
        Some(StepOutcome::Done { .. }) => "☑",
        Some(StepOutcome::Skipped { .. }) => "–",
    }
}

fn typed(page: &mut Page, command: &str, language: &str) {
    let into = if language == "sql" {
        "a SQL console"
    } else {
        "a POSIX shell, such as bash or dash"
    };
    page.detail("Type", &format!("into {into}:"));
    page.verbatim(command);
}

fn next(page: &mut Page, view: &TargetView, speaker: &Speaker) {
    if let (true, Some(reason)) = (view.detail == Detail::NextStep, &view.reason) {
        page.line(&format!("{}: {reason}", view.name));
        let position = view.steps.iter().flatten().position(|step| {
            let tick = step.guided.as_ref().and_then(|guided| guided.tick.as_ref());
            tick.is_none()
        });
        // Before the first step that has to be known.
        if let (Some(0), Some(guide)) = (position, &view.guide) {
            warning(page, guide);
            ready(page, guide);
        }
        if let Some(position) = position.filter(|_| view.next.command.is_some()) {
            page.text.push_str(&step(view, position, page.width));
        }
    }
    page.line("");
    match &view.next.command {
        Some(command) if view.rotation.is_none() => {
            page.line("Nothing was opened: this is the plan only.");
            page.line(&format!("To begin it:  {command}"));
        }
        Some(command) => {
            page.line(&format!("When a step is done:  {command} --evidence \"…\""));
            let walk = speaker.command(&format!("walk {}", view.name));
            page.line(&format!("One by one:           {walk}"));
        }
        None if view.rotation.is_none() => page.line("Nothing was opened: this is the plan only."),
        None => {
            let what = view.guide.as_ref().map(|guide| guide.procedure);
            let what = what.filter(|procedure| *procedure != Procedure::Rotate);
            let what = what.map_or("rotation", Procedure::name);
            page.line(&format!(
                "This {what} is {}. The same command with --again opens another one.",
                view.state.name()
            ));
        }
    }
}

/// Text that is wrapped as it is written.
struct Page {
    width: usize,
    text: String,
}

impl Page {
    fn new(width: usize) -> Self {
        Self {
            width: width.max(40),
            text: String::new(),
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(&sanitized(line));
        self.text.push('\n');
    }

    /// One line, whatever has to be left out of it.
    fn cut(&mut self, text: &str) {
        let text = sanitized(text);
        let short = textwrap::wrap(&text, Options::new(self.width.saturating_sub(2)).break_words(true));
        match &short[..] {
            [] => {}
            [line] => self.line(line),
            [line, ..] => self.line(&format!("{line} …")),
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.wrapped(text, "", "");
    }

    fn field(&mut self, name: &str, text: &str) {
        self.wrapped(text, &format!("{name:<16}"), &" ".repeat(16));
    }

    fn list(&mut self, name: &str, items: &[String]) {
        for (position, item) in items.iter().enumerate() {
            let name = if position == 0 { name } else { "" };
            self.wrapped(item, &format!("{name:<14}- "), &" ".repeat(16));
        }
    }

    fn detail(&mut self, name: &str, text: &str) {
        self.wrapped(text, &format!("      {name:<8}"), &" ".repeat(14));
    }

    /// A command is never broken: it is there to be copied.
    fn verbatim(&mut self, text: &str) {
        for line in text.trim().lines() {
            self.line(&format!("{}{line}", " ".repeat(16)));
        }
    }

    fn wrapped(&mut self, text: &str, first: &str, rest: &str) {
        let options = Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(rest)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        for line in textwrap::wrap(&sanitized(text.trim()), options) {
            self.line(line.trim_end());
        }
    }
}
