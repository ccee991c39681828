//! The bill of materials, in `CycloneDX`: every package that is built into the program or takes part in building it, with its licence
//! and the checksum that `Cargo.lock` holds it to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::dist::place::{Place, write as write_file};
use crate::line::Said;

/// How `cargo tree` is to print a package.
const FORMAT: &str = "{p}|{l}";

/// Writes it beside the archive, and into it.
pub(crate) fn write(place: &Place, program: &Path) -> Result<(), String> {
    let all = tree(place, "normal,build")?;
    let lock = place.root.join("Cargo.lock");
    let lock = fs::read_to_string(&lock).map_err(|why| format!("{}: {why}", lock.display()))?;
    let sum = Said::new("sha256sum").word(program).read()?;
    let bill = Bill {
        compiler: Compiler::of(&compiler(place)?)?,
        version: &place.version,
        time: time(&place.epoch)?,
        sum: sum.split(' ').next().unwrap_or_default(),
        built_in: built_in(place)?,
        packages: packages(&all)?,
        needs: needs(&all)?,
        sums: sums(&lock)?,
    };
    let text = format!("{:#}\n", bill.json());
    write_file(&place.stage().join("rotate.cdx.json"), &text)?;
    write_file(&place.bill(), &text)
}

/// The packages that are in the program.
pub(crate) fn built_in(place: &Place) -> Result<BTreeSet<Package>, String> {
    Ok(packages(&tree(place, "normal,no-proc-macro")?)?.into_keys().collect())
}

/// What `rustc -vV` says.
fn compiler(place: &Place) -> Result<String, String> {
    Said::new("rustc").word("-vV").at(&place.root).read()
}

/// Whether the bill that was written names the compiler that is here: it has to be the same where the same bytes are to come out.
pub(crate) fn names_the_compiler(place: &Place) -> Result<(), String> {
    let path = place.bill();
    let text = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    let bill: Value = serde_json::from_str(&text).map_err(|why| format!("{}: {why}", path.display()))?;
    let wanted = Compiler::of(&compiler(place)?)?.json();
    let tools = bill["metadata"]["tools"]["components"].as_array();
    tools
        .is_some_and(|tools| tools.contains(&wanted))
        .then_some(())
        .ok_or_else(|| format!("{} does not name the compiler that is here: {wanted}", path.display()))
}

/// The compiler that has made the program.
#[derive(Debug, PartialEq, Eq)]
struct Compiler {
    /// With the commit that it was made from, in short: `1.94.1 (e408947bf 2026-03-25)`.
    version: String,
    /// The whole of that commit.
    commit: String,
    /// The machine that it runs on.
    host: String,
    llvm: String,
}

impl Compiler {
    /// As `rustc -vV` says it.
    fn of(told: &str) -> Result<Self, String> {
        let line = |key: &str| {
            let found = told.lines().find_map(|line| line.strip_prefix(key));
            found
                .map(|value| value.trim().to_owned())
                .ok_or_else(|| format!("rustc -vV does not say `{key}`"))
        };
        Ok(Self {
            version: line("rustc ")?,
            commit: line("commit-hash: ")?,
            host: line("host: ")?,
            llvm: line("LLVM version: ")?,
        })
    }

    fn json(&self) -> Value {
        let told = [
            ("commit-hash", &self.commit),
            ("host", &self.host),
            ("LLVM version", &self.llvm),
        ];
        let told = told.map(|(name, value)| json!({ "name": format!("rustc:{name}"), "value": value }));
        json!({ "type": "application", "name": "rustc", "version": self.version, "properties": told })
    }
}

/// What is known of it all.
struct Bill<'a> {
    compiler: Compiler,
    version: &'a str,
    time: String,
    /// Of the program.
    sum: &'a str,
    /// What is in the program; the other packages run while it is built.
    built_in: BTreeSet<Package>,
    packages: BTreeMap<Package, String>,
    needs: BTreeMap<Package, BTreeSet<Package>>,
    sums: BTreeMap<Package, String>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Package {
    fn reference(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

impl Bill<'_> {
    fn json(&self) -> Value {
        let ours = |package: &&Package| package.name == "rotate";
        let components = self.packages.iter().filter(|(package, _)| !ours(package));
        let components: Vec<Value> = components
            .map(|(package, licence)| self.component(package, licence))
            .collect();
        let dependencies: Vec<Value> = self
            .needs
            .iter()
            .map(|(package, needed)| {
                let on: Vec<String> = needed.iter().map(Package::reference).collect();
                json!({ "ref": package.reference(), "dependsOn": on })
            })
            .collect();
        let root = self.packages.iter().find(|(package, _)| ours(package));
        let root = root.map(|(package, licence)| {
            json!({
                "type": "application",
                "bom-ref": package.reference(),
                "name": package.name,
                "version": self.version,
                "licenses": [{ "expression": licence }],
                "hashes": [{ "alg": "SHA-256", "content": self.sum }],
            })
        });
        json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "timestamp": self.time,
                "lifecycles": [{ "phase": "build" }],
                "tools": { "components": [self.compiler.json()] },
                "component": root,
            },
            "components": components,
            "dependencies": dependencies,
        })
    }

    fn component(&self, package: &Package, licence: &str) -> Value {
        let scope = if self.built_in.contains(package) {
            "required"
        } else {
            "excluded"
        };
        let mut told = json!({
            "type": "library",
            "bom-ref": package.reference(),
            "name": package.name,
            "version": package.version,
            "scope": scope,
            "licenses": [{ "expression": licence }],
        });
        // What has no sum is a folder of this repository, and in no registry.
        if let (Some(sum), Some(told)) = (self.sums.get(package), told.as_object_mut()) {
            told.insert("purl".to_owned(), json!(package.reference()));
            told.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": sum }]));
        }
        told
    }
}

/// What `cargo tree` says, each line with its depth.
fn tree(place: &Place, edges: &str) -> Result<String, String> {
    let said = Said::new("cargo").words([
        "tree",
        "--locked",
        "--package",
        "rotate",
        "--prefix",
        "depth",
        "--edges",
        edges,
    ]);
    said.words(["--target", place.arch.triple(), "--format", FORMAT])
        .at(&place.root)
        .read()
}

/// The packages of a tree, each with its licence.
///
/// # Errors
///
/// Where a line is none of a tree, or names no licence.
pub fn packages(tree: &str) -> Result<BTreeMap<Package, String>, String> {
    let lines = tree
        .lines()
        .map(|line| parsed(line).map(|(_, package, licence)| (package, licence)));
    lines.collect()
}

/// Which packages each package needs.
///
/// # Errors
///
/// Where a line is none of a tree.
pub fn needs(tree: &str) -> Result<BTreeMap<Package, BTreeSet<Package>>, String> {
    let mut found: BTreeMap<Package, BTreeSet<Package>> = BTreeMap::new();
    let mut above: Vec<Package> = Vec::new();
    for line in tree.lines() {
        let (depth, package, _) = parsed(line)?;
        above.truncate(depth);
        if let Some(parent) = above.last() {
            found.entry(parent.clone()).or_default().insert(package.clone());
        }
        found.entry(package.clone()).or_default();
        above.push(package);
    }
    Ok(found)
}

/// A line such as `2serde v1.0.229|MIT OR Apache-2.0 (*)`.
fn parsed(line: &str) -> Result<(usize, Package, String), String> {
    let wrong = || format!("cargo tree printed {line:?}, which nobody understands");
    let (package, licence) = line.split_once('|').ok_or_else(wrong)?;
    let name = package.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let depth = package
        .strip_suffix(name)
        .and_then(|depth| depth.parse().ok())
        .ok_or_else(wrong)?;
    let mut words = name.split(' ');
    let (name, version) = (words.next().ok_or_else(wrong)?, words.next().ok_or_else(wrong)?);
    let licence = licence.trim_end_matches("(*)").trim();
    if licence.is_empty() {
        return Err(format!("{name} {version} names no licence"));
    }
    let package = Package {
        name: name.to_owned(),
        version: version.trim_start_matches('v').to_owned(),
    };
    // As packages wrote it before there were expressions.
    Ok((depth, package, licence.replace(" / ", "/").replace('/', " OR ")))
}

/// The checksum of every package from a registry.
fn sums(lock: &str) -> Result<BTreeMap<Package, String>, String> {
    let lock: toml::Table = lock.parse().map_err(|why| format!("Cargo.lock: {why}"))?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let packages = packages.ok_or("Cargo.lock has no packages")?;
    let sum = |package: &toml::Value| {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let found = Package {
            name: text("name")?,
            version: text("version")?,
        };
        Some((found, text("checksum")?))
    };
    Ok(packages.iter().filter_map(sum).collect())
}

fn time(epoch: &str) -> Result<String, String> {
    let second = epoch
        .parse()
        .map_err(|_| format!("SOURCE_DATE_EPOCH is no number of seconds: {epoch:?}"))?;
    let time = jiff::Timestamp::from_second(second).map_err(|why| format!("SOURCE_DATE_EPOCH: {why}"))?;
    Ok(time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "\
0rotate v0.1.0 (/rotate)|Apache-2.0
1serde v1.0.229|MIT OR Apache-2.0
2serde_core v1.0.229|MIT OR Apache-2.0
1old v0.1.0|MIT/Apache-2.0
2serde v1.0.229|MIT OR Apache-2.0 (*)
";

    fn package(name: &str, version: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_tree_says_who_needs_whom_and_under_which_licence() {
        let needs = needs(TREE).expect("it is a tree");
        let of = |name: &str, version: &str| {
            let found: Vec<&str> = needs[&package(name, version)]
                .iter()
                .map(|package| package.name.as_str())
                .collect();
            found.join(" ")
        };
        assert_eq!(of("rotate", "0.1.0"), "old serde");
        assert_eq!(of("old", "0.1.0"), "serde");
        assert_eq!(of("serde", "1.0.229"), "serde_core");
        assert_eq!(of("serde_core", "1.0.229"), "");
        let packages = packages(TREE).expect("it is a tree");
        assert_eq!(packages[&package("old", "0.1.0")], "MIT OR Apache-2.0");
        assert_eq!(packages.len(), 4);
    }

    #[test]
    fn a_package_without_a_licence_is_refused() {
        let refused = packages("0rotate v0.1.0|").expect_err("it names none");
        assert!(refused.contains("rotate v0.1.0 names no licence"), "{refused}");
    }

    const RUSTC: &str = "\
rustc 1.94.1 (e408947bf 2026-03-25)
binary: rustc
commit-hash: e408947bfd200af42db322daf0fadfe7e26d3bd1
commit-date: 2026-03-25
host: x86_64-unknown-linux-gnu
release: 1.94.1
LLVM version: 21.1.8
";

    #[test]
    fn the_compiler_is_in_the_bill_with_the_commit_that_it_was_made_from_and_the_machine_it_ran_on() {
        let bill = Bill {
            compiler: Compiler::of(RUSTC).expect("rustc says all of it"),
            version: "0.1.0",
            time: time("1795000000").expect("a number"),
            sum: "00",
            built_in: BTreeSet::new(),
            packages: packages(TREE).expect("it is a tree"),
            needs: needs(TREE).expect("it is a tree"),
            sums: BTreeMap::new(),
        };
        let tool = &bill.json()["metadata"]["tools"]["components"][0];
        assert_eq!(tool["name"], "rustc");
        assert_eq!(tool["version"], "1.94.1 (e408947bf 2026-03-25)");
        let told = tool["properties"].to_string();
        assert!(told.contains("e408947bfd200af42db322daf0fadfe7e26d3bd1"), "{told}");
        assert!(
            told.contains("x86_64-unknown-linux-gnu") && told.contains("21.1.8"),
            "{told}"
        );
        let refused = Compiler::of(&RUSTC.replace("host: ", "")).expect_err("it does not say where");
        assert!(refused.contains("`host: `"), "{refused}");
    }

    #[test]
    fn the_time_is_the_one_that_was_told() {
        assert_eq!(time("1795000000").expect("a number"), "2026-11-18T11:06:40Z");
        assert!(time("yesterday").is_err());
    }
}
