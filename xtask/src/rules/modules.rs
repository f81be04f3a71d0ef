//! Modules that import each other in a circle can only be read together. Beside each
//! other, in one folder, none may lead back to where it started; what a module and those
//! inside it have to do with each other is their own matter.

use std::collections::{BTreeMap, BTreeSet};

use ladder::files::read;
use ladder::{Failure, Ladder, code};

use super::Broken;

/// Modules of a package that know nothing of each other.
const APART: [(&str, &str, &str); 1] = [("http-server", "files", "serve")];

/// A module: the names on the way to it; none for the top of its crate.
type Path = Vec<String>;

type Sources = BTreeMap<Path, String>;

pub fn check(ladder: &Ladder, files: &[String]) -> Result<Vec<Broken>, Failure> {
    let mut broken = Vec::new();
    for package in &ladder.packages {
        let folder = package.folder().join("src");
        let within = folder.strip_prefix(&ladder.root).unwrap_or(&folder);
        let start = format!("{}/", within.display()).replace('\\', "/");
        let mut sources = Sources::new();
        for file in files.iter().filter(|file| file.ends_with(".rs")) {
            let Some(file) = file.strip_prefix(&start) else { continue };
            // Beside a library, a program is a crate of its own.
            if file == "main.rs" && folder.join("lib.rs").exists() {
                continue;
            }
            let source = read(&folder.join(file))?;
            sources.insert(module(file), code::program(&source).to_string());
        }
        broken.extend(circles(&package.name, &sources));
    }
    Ok(broken)
}

/// The module in a file of `src`.
fn module(file: &str) -> Path {
    let names = file.trim_end_matches(".rs").split('/').map(String::from);
    let mut names: Path = names.collect();
    if names.last().is_some_and(|name| ["lib", "main", "mod"].contains(&name.as_str())) {
        names.pop();
    }
    names
}

fn circles(package: &str, sources: &Sources) -> Vec<Broken> {
    let mut arrows: BTreeSet<(Path, Path)> = BTreeSet::new();
    for (module, source) in sources {
        for import in imports(module, source) {
            let target = resolved(import, sources);
            // Both seen from the module around both: the folder in which they are neighbours.
            let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if shared < module.len() && shared < target.len() {
                arrows.insert((module[..=shared].to_vec(), target[..=shared].to_vec()));
            }
        }
    }
    let mut broken = Vec::new();
    for names in in_circles(&arrows) {
        let how = "they import each other in a circle; move what both need into a third";
        broken.push(Broken::new(format!("{package}: {names}"), how));
    }
    for (_, a, b) in APART.iter().filter(|(name, ..)| *name == package) {
        let between = |from: &str, to: &str| {
            arrows.iter().any(|(a, b)| a[0] == from && b[0] == to && a.len() == 1)
        };
        if between(a, b) || between(b, a) {
            let how = "they know nothing of each other; move what both need beside them";
            broken.push(Broken::new(format!("{package}: {a} and {b}"), how));
        }
    }
    broken
}

/// The modules of each circle, by name.
fn in_circles(arrows: &BTreeSet<(Path, Path)>) -> BTreeSet<String> {
    // Every way, in as many steps as it takes: arrow by arrow until nothing is new.
    let mut ways = arrows.clone();
    loop {
        let longer = ways.iter().flat_map(|(from, by)| {
            arrows
                .iter()
                .filter(move |(at, _)| at == by)
                .map(move |(_, to)| (from.clone(), to.clone()))
        });
        let longer: Vec<(Path, Path)> = longer.filter(|way| !ways.contains(way)).collect();
        if longer.is_empty() {
            break;
        }
        ways.extend(longer);
    }
    let back = |from: &Path, to: &Path| ways.contains(&(to.clone(), from.clone()));
    let mut circles: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in ways.iter().filter(|(from, to)| back(from, to)) {
        circles.entry(from).or_default().insert(to.join("::"));
    }
    circles.into_values().map(|names| names.into_iter().collect::<Vec<_>>().join(", ")).collect()
}

/// What a module names of its own crate: whole paths from the top.
fn imports(module: &Path, source: &str) -> Vec<Path> {
    let code: Vec<&str> =
        source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (start, word) in [("crate::", 0), ("super::", 1)] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            // The second `super` of two belongs to the first, and `$crate` to nobody here.
            if before.is_some_and(|c| c.is_alphanumeric() || "_:$".contains(c)) {
                continue;
            }
            let mut top = if word == 0 { Path::new() } else { parent(module) };
            let mut rest = &code[at + start.len()..];
            while let Some(further) = rest.strip_prefix("super::") {
                (top, rest) = (parent(&top), further);
            }
            tree(rest, &top, &mut found);
        }
    }
    found
}

fn parent(module: &Path) -> Path {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Reads `a::{b, c::d}` behind `top`, and returns what follows.
fn tree<'a>(text: &'a str, top: &Path, found: &mut Vec<Path>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches([' ', '\n', ',']);
            match rest.strip_prefix('}') {
                Some(rest) => return rest,
                None if rest.is_empty() => return rest,
                None => {
                    let further = tree(rest, top, found);
                    // What is no import is not read on.
                    if further.len() == rest.len() {
                        return "";
                    }
                    rest = further.trim_start_matches(|c| c != ',' && c != '}');
                }
            }
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let mut path = top.clone();
    if !name.is_empty() && name != "self" {
        path.push(name.into());
    }
    match rest.strip_prefix("::") {
        Some(rest) => tree(rest, &path, found),
        None => {
            found.push(path);
            rest
        }
    }
}

/// The module that a path leads into. What a module passes on of another is that
/// other's.
fn resolved(path: Path, sources: &Sources) -> Path {
    let mut module = Path::new();
    for (at, name) in path.iter().enumerate() {
        let inner = [module.as_slice(), std::slice::from_ref(name)].concat();
        if sources.contains_key(&inner) || sources.keys().any(|key| key.starts_with(&inner)) {
            module = inner;
            continue;
        }
        let source = sources.get(&module).map_or("", String::as_str);
        return passed_on(source, &module, name, sources).unwrap_or(path[..at].to_vec());
    }
    module
}

fn passed_on(source: &str, module: &Path, name: &str, sources: &Sources) -> Option<Path> {
    source.split("pub use ").skip(1).find_map(|rest| {
        let mut found = Vec::new();
        tree(rest.trim_start_matches("self::"), module, &mut found);
        let path = found.into_iter().find(|path| path.last().is_some_and(|last| last == name))?;
        let inner = path[..=module.len()].to_vec();
        sources.contains_key(&inner).then_some(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(package: &str, files: &[(&str, &str)]) -> Vec<String> {
        let sources: Sources =
            files.iter().map(|(file, source)| (module(file), source.to_string())).collect();
        circles(package, &sources).into_iter().map(|broken| broken.what).collect()
    }

    #[test]
    fn neighbours_that_import_each_other_are_told() {
        let a = ("a.rs", "use crate::{b::{C, d}, x};\n");
        let top = ("lib.rs", "pub mod a;\npub mod b;\npub use b::{Failure, More};\n");
        for (files, circle) in [
            (vec![a, ("b.rs", "fn f() { crate::a::g() }"), ("x.rs", "")], Some("p: a, b")),
            (vec![a, ("b.rs", "use super::x;"), ("x.rs", "")], None),
            (
                vec![
                    ("a.rs", "use crate::b;"),
                    ("x.rs", "use crate::a;"),
                    ("b/mod.rs", ""),
                    ("b/c.rs", "use super::super::x::Y;"),
                ],
                Some("p: a, b, x"),
            ),
            // What the top passes on belongs to where it is.
            (
                vec![top, ("a.rs", "use crate::Failure;"), ("b.rs", "use crate::a;")],
                Some("p: a, b"),
            ),
            (vec![top, ("a.rs", "use crate::Other;"), ("b.rs", "use crate::a;")], None),
            // A module and what is inside it may know each other.
            (vec![("a.rs", "mod b; use b::C; use self::b::D;"), ("a/b.rs", "use super::E;")], None),
        ] {
            assert_eq!(told("p", &files), Vec::from_iter(circle), "{files:?}");
        }
    }

    #[test]
    fn folders_that_are_to_be_apart_are_told_where_they_are_not() {
        let files = [("files/a.rs", "use crate::serve::b;"), ("serve/b.rs", "")];
        assert_eq!(told("http-server", &files), ["http-server: files and serve"]);
        assert_eq!(told("other", &files), [""; 0]);
    }
}
