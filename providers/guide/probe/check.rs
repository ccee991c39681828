//! What every probe of a guide has to keep, beyond its form.

use super::http::{Auth, Method};
use super::{Answers, How, Http, Meant, Probe, Said, Which};
use crate::PhaseName;
use crate::guide::flaw::{Flaw, require};
use crate::guide::{Guide, Only, Piece, Step, Template};

/// Names the first thing that is wrong.
pub(crate) fn check(guide: &Guide) -> Result<(), Flaw> {
    require(guide.probe.is_some() != guide.no_probe.is_some(), || {
        "there is either a probe, or a reason why there is none".to_owned()
    })?;
    guide
        .probe
        .iter()
        .flat_map(Probe::ways)
        .try_for_each(|way| of_way(guide, way))
}

fn of_way(guide: &Guide, probe: &Probe) -> Result<(), Flaw> {
    require(
        std::ptr::eq(probe, guide.probe.as_ref().unwrap_or(probe)) || probe.or.is_empty(),
        || "another way of a probe has ways of its own".to_owned(),
    )?;
    for only in &probe.only {
        let input = guide.inputs.iter().find(|input| input.name == only.input);
        require(
            input.is_some_and(|input| input.choices().contains(&only.is.as_str())),
            || format!("the probe is for {} {}, which nobody can answer", only.input, only.is),
        )?;
    }
    if let Some(step) = &probe.step {
        let proves = guide
            .rotate
            .iter()
            .any(|it| it.id == *step && it.phase == PhaseName::Verified);
        require(proves, || {
            format!("the probe stands for {step}, which is no step that proves the new credential")
        })?;
    }
    of_step(guide, probe)?;
    match &probe.how {
        How::Http(http) => of_http(probe, http),
        How::JwtBearer(jwt) => {
            of_place(&jwt.token_url, &jwt.hosts)?;
            of_answers(&jwt.answers)
        }
        How::ClientAssertion(assertion) => {
            of_place(&assertion.token_url, &assertion.hosts)?;
            of_answers(&assertion.answers)
        }
        How::JsonLogin(login) => {
            of_place(&login.url, &login.hosts)?;
            let has_secret = login.body.values().any(|said| matches!(said, Said::Secret));
            require(has_secret && probe.locks, || {
                "a login has a secret in it, and counts wrong tries".to_owned()
            })?;
            of_answers(&login.answers)
        }
        How::PostgresLogin(_) | How::MysqlLogin(_) => {
            require(probe.locks, || "a login with a password counts wrong tries".to_owned())
        }
        How::Own => Ok(()),
    }
}

/// What can be tried has a step in which it is: only that keeps the old credential until the new one was accepted.
fn of_step(guide: &Guide, probe: &Probe) -> Result<(), Flaw> {
    if probe.credential == Some(Which::Present) {
        return Ok(());
    }
    let is_on_the_way = |step: &&Step| {
        let is_told = |only: &Only| probe.only.iter().any(|it| it.input == only.input && it.is == only.is);
        step.only.iter().all(is_told)
    };
    let is_its = |step: &Step| match &probe.step {
        Some(named) => step.id == *named,
        None => step.phase == PhaseName::Verified,
    };
    let mut on_the_way = guide.rotate.iter().filter(is_on_the_way);
    require(on_the_way.any(is_its), || {
        format!(
            "no step of every rotation stands for the try ({}): one of the phase `verified` has to",
            probe.does
        )
    })
}

fn of_http(probe: &Probe, http: &Http) -> Result<(), Flaw> {
    let posts = http.method == Method::Post;
    of_place(&http.url, &http.hosts)?;
    require(!posts || text_of(&http.url).contains("token"), || {
        "the probe posts to what is no place where tokens are given out".to_owned()
    })?;
    let in_form = matches!(http.auth, Auth::Form);
    require(posts || (http.form.is_empty() && !in_form), || {
        "the probe has a form, and only reads".to_owned()
    })?;
    require(!posts || http.form.contains_key("grant_type"), || {
        "the probe's form names no grant_type".to_owned()
    })?;
    let names = matches!(http.auth, Auth::Form | Auth::Basic);
    require(names == probe.login.is_some(), || {
        "the probe's way to sign in and its login do not fit".to_owned()
    })?;
    let taken = ["authorization", "cookie", "host", "content-type", "proxy-authorization"];
    let header = match &http.auth {
        Auth::Header { name } => Some(text_of(name)),
        _ => None,
    };
    for name in http.headers.keys().chain(&header) {
        require(!taken.contains(&name.to_ascii_lowercase().as_str()), || {
            format!("the probe's header {name} has a way of its own")
        })?;
    }
    of_answers(&http.answers)
}

/// https, at a host of the vendor's; and where the guide names none, the whole address is one person's.
fn of_place(url: &Template, hosts: &[String]) -> Result<(), Flaw> {
    if hosts.is_empty() {
        let is_one_value = matches!(url.pieces(), [Piece::Value { .. }]);
        return require(is_one_value, || "the probe names no host of the vendor's".to_owned());
    }
    let text = text_of(url);
    require(text.starts_with("https://"), || {
        format!("the probe's address is not https: {text}")
    })?;
    for host in hosts {
        let name = host.strip_prefix('.').unwrap_or(host);
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        require(name.contains('.') && name.chars().all(is_name), || {
            format!("{host} is no host: a whole name, or with a dot before it all names below it")
        })?;
    }
    // What a value is of a host is held to the rule when it is known; what the guide writes itself is held to it here.
    let host = text
        .trim_start_matches("https://")
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let own = host.rsplit(VALUE).next().unwrap_or_default();
    let fits = |rule: &String| match own == host {
        true => own == rule || (rule.starts_with('.') && own.ends_with(rule.as_str())),
        false => own.is_empty() || own.ends_with(rule.as_str()) || rule.ends_with(own),
    };
    require(hosts.iter().any(fits), || {
        format!("{host} is no host of the probe's rule")
    })
}

const VALUE: char = '\u{fffc}';

/// The text with a mark in the place of each value.
fn text_of(template: &Template) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value { .. } | Piece::Step(_) => VALUE.to_string(),
    };
    template.pieces().iter().map(piece).collect()
}

/// There is a yes and a no, neither can be the other, and neither is what stands between here and the vendor.
fn of_answers(answers: &Answers) -> Result<(), Flaw> {
    let meaning = |verdict: Meant| answers.iter().filter(move |answer| answer.verdict == verdict);
    require(meaning(Meant::Accepted).next().is_some(), || {
        "the probe accepts nothing".to_owned()
    })?;
    require(meaning(Meant::Rejected).next().is_some(), || {
        "the probe rejects nothing".to_owned()
    })?;
    for answer in answers.iter() {
        require(!answer.means.is_empty() && !answer.status.is_empty(), || {
            "an answer of the probe has no status or no meaning".to_owned()
        })?;
        let has_marks = !answer.is.is_empty() || !answer.begins.is_empty();
        require(answer.at.is_none() || answer.contains.is_none(), || {
            "a mark stands at one place, or anywhere".to_owned()
        })?;
        require(answer.at.is_some() || !has_marks, || {
            "an answer of the probe has a mark, and no place where it stands".to_owned()
        })?;
        require(answer.at.as_ref().is_none_or(|at| at.starts_with('/')), || {
            "the place of a mark begins with a slash".to_owned()
        })?;
    }
    for accepted in meaning(Meant::Accepted) {
        require(accepted.status.iter().all(|status| (200..300).contains(status)), || {
            "the probe accepts what is no success".to_owned()
        })?;
        // A captive portal and a page that asks for a login are a success as well.
        let has_mark = accepted.at.is_some() || accepted.contains.is_some();
        require(has_mark, || {
            "the probe accepts a status alone, where the body has to say so".to_owned()
        })?;
    }
    for rejected in meaning(Meant::Rejected) {
        let is_refusal =
            |status: &u16| matches!(status, 401) || (rejected.at.is_some() && matches!(status, 200..=299 | 400 | 403));
        require(rejected.status.iter().all(is_refusal), || {
            "the probe rejects by a status that others answer with as well".to_owned()
        })?;
    }
    Ok(())
}
