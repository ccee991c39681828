//! What is wrong with a target only beside others.

use std::collections::HashMap;

use super::reader::Reader;
use super::target::{How, Target};
use crate::delivery::Occupied;

/// Two targets of one user, or with one destination.
pub(super) fn check(reader: &mut Reader<'_>, targets: &[Target]) {
    let mut owners: HashMap<String, &Target> = HashMap::with_capacity(targets.len());
    let mut places: HashMap<&str, Vec<(&Occupied, &Target)>> = HashMap::with_capacity(targets.len());
    for target in targets {
        let mut told = |key: &str, first: &Target, what: &str, remedy: &str| {
            let what = format!("{what} (line {})", reader.line(first.span.start));
            let key = format!("target \"{}\": {key}", target.name);
            reader.mistake(Some(target.span.clone()), &key, &what, remedy);
        };
        let How::Automatic(automatic) = &target.how else {
            continue;
        };
        if let Some(first) = owners.insert(automatic.owner(), target) {
            let what = format!("target \"{}\" rotates the keys of the same user", first.name);
            let identity = automatic.automation.inputs.iter().find(|input| input.identifies);
            told(
                identity.map_or("connector", |input| &input.name),
                first,
                &what,
                "name each user once: two rotations at once would meet",
            );
        }
        for occupied in &automatic.occupied {
            let others = places.entry(occupied.stem()).or_default();
            let first = others
                .iter()
                .find_map(|(other, first)| Some((occupied.shared_with(other)?, *first)));
            others.push((occupied, target));
            if let Some((name, first)) = first.filter(|(_, first)| first.name != target.name) {
                let under = match name.as_str() {
                    "" => String::new(),
                    name => format!(", under the same name {name}"),
                };
                let what = format!("target \"{}\" delivers to the same destination{under}", first.name);
                told(
                    "deliver",
                    first,
                    &what,
                    "give each a destination of its own, or say where each is (its region, address or namespace): the later key would replace the other",
                );
            }
        }
    }
}
