//! A connector's page of the documentation, from its data and its guide.

use std::collections::BTreeMap;

use rotate_providers::guide::{Certainty, Guide, Negative, Only, Probe, Procedure, Source, Step, Template};
use rotate_providers::inputs::InputSpec;
use rotate_providers::{Automation, Connector};

use super::Listed;
use super::markup::escaped;

/// The page, in Markdown.
pub fn page(connector: &Connector, guide: &Guide) -> String {
    let listed = Listed::of(connector, guide);
    let mut sections = vec![head(&listed, guide)];
    sections.extend(connector.automation.map(automated));
    sections.extend(list("Who is needed", &guide.roles));
    sections.extend(list("What else stops with it", &guide.affects));
    sections.extend(list("Have ready", &guide.prepare));
    sections.push(by_hand(connector, guide));
    for procedure in Procedure::ALL {
        sections.extend(steps(procedure, guide));
    }
    sections.push(alive(connector, guide));
    sections.push(dead(guide));
    sections.push(sources(&guide.sources));
    sections.join("\n\n") + "\n"
}

fn head(listed: &Listed, guide: &Guide) -> String {
    let credential = &guide.credential;
    let rows = [
        ("connector", format!("`{}`, {}", listed.id, listed.mode.name())),
        ("credential", escaped(&credential.what)),
        ("at once", escaped(&credential.coexist)),
        ("old and new overlap", escaped(&listed.overlap_in_words())),
        ("expires", escaped(&credential.expires)),
    ];
    let rows: Vec<String> = rows.iter().map(|(name, text)| format!("| {name} | {text} |")).collect();
    format!("# {}\n\n| | |\n|---|---|\n{}", escaped(&listed.title), rows.join("\n"))
}

fn automated(automation: &'static Automation) -> String {
    let row = |input: &InputSpec| {
        let must = if input.required { "yes" } else { "" };
        format!("| `{}` | {must} | {} |", input.name, escaped(&input.described()))
    };
    let rows: Vec<String> = automation.inputs.iter().map(row).collect();
    format!(
        "## The program does it\n\n`rotate {} --help` shows the options. In `rotate.toml` a target has:\n\n\
         | key | required | what it is |\n|---|---|---|\n{}",
        automation.id,
        rows.join("\n")
    )
}

fn list(title: &str, items: &[String]) -> Option<String> {
    let lines: Vec<String> = items.iter().map(|item| format!("- {}", escaped(item))).collect();
    (!lines.is_empty()).then(|| format!("## {title}\n\n{}", lines.join("\n")))
}

fn by_hand(connector: &Connector, guide: &Guide) -> String {
    let manual = if connector.automation.is_some() {
        " --manual"
    } else {
        ""
    };
    let row = |input: &InputSpec| {
        let must = match (input.required, input.late) {
            (true, _) => "yes",
            (false, true) => "not before it is made",
            (false, false) => "",
        };
        format!("| `{}` | {must} | {} |", input.option(), escaped(&input.help))
    };
    let rows: Vec<String> = guide.inputs.iter().map(row).collect();
    let rows = match rows.is_empty() {
        true => String::new(),
        false => format!(
            "\n\n| option | required | what it is |\n|---|---|---|\n{}",
            rows.join("\n")
        ),
    };
    format!(
        "## By hand\n\n`rotate {}{manual}` prints the plan with your own values in it and the commands to type, and with \
         `--begin` it begins.{rows}",
        connector.id
    )
}

fn steps(procedure: Procedure, guide: &Guide) -> Option<String> {
    let steps = guide.steps(procedure);
    if steps.is_empty() {
        return None;
    }
    let title = match procedure {
        Procedure::Rotate => "The steps of a rotation",
        Procedure::Disconnect => "The steps of `--procedure disconnect`",
        Procedure::Reconnect => "The steps of `--procedure reconnect`",
    };
    let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    let lines = (1..)
        .zip(steps)
        .map(|(number, step)| one(number, step, &ids, &guide.vendor));
    Some(format!("### {title}\n\n{}", lines.collect::<Vec<_>>().join("\n")))
}

fn one(number: usize, step: &Step, ids: &[&str], vendor: &str) -> String {
    let number_of = |id: &str| ids.iter().position(|other| *other == id).map(|at| at + 1);
    let fill = |text: &Template| escaped(&text.fill_numbered(&BTreeMap::new(), &number_of));
    let mut text = format!(
        "{number}. **{}**, {}: {}",
        step.phase.name(),
        escaped(&step.actor.title(vendor)),
        fill(&step.action)
    );
    for only in &step.only {
        text.push_str(&format!(
            " *Only where {} is {}.*",
            escaped(&only.input),
            escaped(&only.is)
        ));
    }
    if step.changes() && !step.reversible {
        text.push_str(" *This cannot be undone.*");
    }
    if let Some(caution) = &step.caution {
        text.push_str(&format!(" *Careful:* {}", fill(caution)));
    }
    text
}

fn dead(guide: &Guide) -> String {
    let ways: Vec<String> = guide.negative.ways().map(|way| end(guide, way)).collect();
    format!("### Is the old one dead?\n\n{}", ways.join("\n\n"))
}

/// How that is seen in one way.
fn end(guide: &Guide, way: &Negative) -> String {
    let ids: Vec<&str> = guide.rotate.iter().map(|step| step.id.as_str()).collect();
    let number_of = |id: &str| ids.iter().position(|other| *other == id).map(|at| at + 1);
    let fill = |text: &Template| escaped(&text.fill_numbered(&BTreeMap::new(), &number_of));
    let only: Vec<String> = conditions(&way.only);
    format!(
        "{}{}: {} Expected: {}\n\nWhat still works for a while: {}",
        match only.is_empty() {
            true => String::new(),
            false => format!("*Where {}:* ", only.join(" and ")),
        },
        escaped(&way.actor.title(&guide.vendor)),
        fill(&way.action),
        fill(&way.expect),
        escaped(&way.residue)
    )
}

fn conditions(only: &[Only]) -> Vec<String> {
    let told = |only: &Only| format!("{} is {}", escaped(&only.input), escaped(&only.is));
    only.iter().map(told).collect()
}

/// Whether the program can try a credential, and if not, why.
fn alive(connector: &Connector, guide: &Guide) -> String {
    let told = match (&guide.probe, &guide.no_probe) {
        (Some(probe), _) => {
            let ways: Vec<String> = probe.ways().map(|way| tried(connector, way)).collect();
            ways.join("\n\n")
        }
        (None, Some(why)) => format!("The program cannot try it: {}.", escaped(why)),
        (None, None) => "The program has no probe for it.".to_owned(),
    };
    format!("### Is it alive?\n\n{told}")
}

fn tried(connector: &Connector, probe: &Probe) -> String {
    let only = conditions(&probe.only);
    let only = match only.is_empty() {
        true => String::new(),
        false => format!(", where {},", only.join(" and ")),
    };
    let beyond = probe
        .beyond
        .iter()
        .map(|beyond| format!(" It does not show {}.", escaped(beyond)));
    let locks = match probe.locks {
        true => " Wrong tries may lock the user: an old one is tried only with `--risk-lockout`.",
        false => "",
    };
    format!(
        "`rotate verify {}`{only} {}.{}{locks}",
        connector.id,
        escaped(&probe.does),
        beyond.collect::<String>()
    )
}

fn sources(sources: &[Source]) -> String {
    let line = |source: &Source| {
        let unchecked = match source.certainty {
            Certainty::Seen => "",
            Certainty::Unchecked => " (unchecked)",
        };
        format!("- <{}>{unchecked}: {}", source.url, escaped(&source.says))
    };
    let lines: Vec<String> = sources.iter().map(line).collect();
    format!(
        "## Where this is from\n\nWhat is marked as unchecked was not read in the source; the steps say to check it.\n\n{}",
        lines.join("\n")
    )
}
