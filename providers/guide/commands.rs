//! What is typed does no harm to whoever pastes it as it stands, runs it twice, or takes it back.

use std::sync::LazyLock;

use regex::Regex;

use super::flaw::require;
use super::{Command, Flaw, Guide, Language, Piece, Procedure, Quoting, Repeat, Step, Template};

/// A place that a person fills in by hand: `<NEW PASSWORD>`.
const PLACE: &str = "<[A-Z][A-Z0-9 _-]*>";

/// Names the first command that could do harm.
pub(super) fn check(guide: &Guide) -> Result<(), Flaw> {
    for procedure in Procedure::ALL {
        let steps = guide.steps(procedure);
        for step in steps {
            let place = format!("{} step {}", procedure.name(), step.id);
            for command in step.commands() {
                typed(&place, command)?;
                repeated(&place, step, command, steps)?;
            }
            let told = [&step.action].into_iter().chain(step.caution.as_ref());
            let back = step.back.iter().flat_map(|back| [&back.action, &back.finish]);
            let unknown = step.commands().filter_map(|command| command.unknown.as_ref());
            for text in told.chain(back).chain(unknown) {
                prose(&place, text)?;
            }
        }
    }
    for way in guide.negative.ways() {
        prose("the negative check", &way.action)?;
        if let Some(command) = &way.command {
            typed("the negative check", command)?;
            require(reads(command), || "the negative check changes something".to_owned())?;
        }
    }
    Ok(())
}

/// Nothing in it is unquoted, and what nobody has filled in cannot be run.
fn typed(place: &str, command: &Command) -> Result<(), Flaw> {
    for piece in command.text.pieces() {
        let Piece::Value { input, quoting } = piece else {
            continue;
        };
        let fits = match command.language {
            Language::Shell => *quoting == Quoting::Shell,
            Language::Sql => matches!(
                quoting,
                Quoting::SqlIdentifier | Quoting::SqlLiteral | Quoting::SqlEscaped
            ),
        };
        require(fits, || {
            format!("{place}: `{input}` is not quoted for what the command is typed into")
        })?;
    }
    require(!has_quoted_value(&command.text, command.language), || {
        format!(
            "{place}: a value stands in quotes that are not its own: {}",
            written(&command.text)
        )
    })?;
    let text = written(&command.text);
    require(!has_quoted_place(&text, command.language), || {
        format!("{place}: a place stands in quotes, so the command runs with it as it is printed: {text}")
    })
}

/// It is known what a second run does; and where that is harm, how to look first.
fn repeated(place: &str, step: &Step, command: &Command, steps: &[Step]) -> Result<(), Flaw> {
    let harmless = reads(command) && !step.changes();
    require(harmless || command.repeat.is_some(), || {
        format!("{place}: it is not told what the command does when it is run twice")
    })?;
    let once = command.repeat == Some(Repeat::Once);
    require(once == command.unknown.is_some(), || match once {
        true => format!("{place}: the command must not be run twice, and it is not told how to see whether it ran"),
        false => format!("{place}: the command may be run twice, so there is no need to look first"),
    })?;
    let Some(unknown) = command.unknown.as_ref().filter(|_| command.language == Language::Sql) else {
        return Ok(());
    };
    let mut looked = unknown.steps().filter_map(|id| steps.iter().find(|step| step.id == id));
    let looks = looked.any(|step| step.command.as_ref().is_some_and(reads));
    require(looks, || {
        format!("{place}: how to see whether the command ran names no step that looks: write {{step:its-name}}")
    })
}

/// A statement that changes something stands where it is checked, and not in a sentence about it.
fn prose(place: &str, text: &Template) -> Result<(), Flaw> {
    static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("['\"`]{PLACE}['\"`]")).ok());
    static CHANGING: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("\\b(ALTER|CREATE|DROP|GRANT|REVOKE|INSERT|UPDATE|DELETE) [A-Z]+\\b").ok());
    let text = written(text);
    let has = |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().is_none_or(|pattern| pattern.is_match(&text));
    require(!has(&QUOTED), || {
        format!("{place}: a place stands in quotes, so it can be pasted as it is printed: {text}")
    })?;
    require(!has(&CHANGING), || {
        format!("{place}: a statement stands in a sentence; it belongs into a command, or into the way back: {text}")
    })
}

/// Whether every statement of it only reads, or only says as whom the next one does.
fn reads(command: &Command) -> bool {
    const READING: [&str; 6] = ["SELECT", "SHOW", "DESC", "SET ROLE", "SET SESSION", "RESET"];
    let text = written(&command.text).to_ascii_uppercase();
    let statements = text.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    let mut statements = statements.peekable();
    command.language == Language::Sql
        && statements.peek().is_some()
        && statements.all(|statement| READING.iter().any(|verb| statement.starts_with(verb)))
}

/// As it is written, its values aside.
pub(super) fn written(template: &Template) -> String {
    let pieces = template.pieces().iter();
    let texts = pieces.map(|piece| match piece {
        Piece::Text(text) => text.as_str(),
        Piece::Value { .. } | Piece::Step(_) => "x",
    });
    texts.collect()
}

/// Whether some value is inside quotes, which those around its own would end.
fn has_quoted_value(template: &Template, language: Language) -> bool {
    let mut before = String::new();
    template.pieces().iter().any(|piece| match piece {
        Piece::Text(text) => {
            before.push_str(text);
            false
        }
        Piece::Value { .. } => is_in_quotes(&before, language),
        Piece::Step(_) => false,
    })
}

/// Whether some `<PLACE>` is inside quotes, where SQL and a shell take it for a text like any other.
fn has_quoted_place(text: &str, language: Language) -> bool {
    static PLACES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PLACE).ok());
    let Some(places) = PLACES.as_ref() else { return true };
    let mut found = places.find_iter(text);
    found.any(|place| is_in_quotes(&text[..place.start()], language))
}

/// Whether a quote is open at the end of this text.
fn is_in_quotes(text: &str, language: Language) -> bool {
    let quotes: &[char] = match language {
        Language::Shell => &['\'', '"'],
        Language::Sql => &['\'', '"', '`'],
    };
    let mut open = None;
    for letter in text.chars() {
        match open {
            Some(quote) if letter == quote => open = None,
            None if quotes.contains(&letter) => open = Some(letter),
            _ => {}
        }
    }
    open.is_some()
}
