//! Modules that import each other in a circle can only be read together. Beside each
//! other, in one folder, none may lead back to where it started; what a module and those
//! inside it have to do with each other is their own matter.

use std::collections::{BTreeMap, BTreeSet};

use ladder::files::read;
use ladder::{Failure, Ladder, code};

/// Modules of a package that know nothing of each other.
const APART: [(&str, &str, &str); 1] = [("http-server", "files", "serve")];

/// A module: the names on the way to it; none for the top of its crate.
type Path = Vec<String>;

type Sources = BTreeMap<Path, String>;

pub fn check(ladder: &Ladder, files: &[String]) -> Result<Vec<String>, Failure> {
    let mut broken = Vec::new();
    for package in &ladder.packages {
        let folder = package.folder().join("src");
        let start = ladder.within(&folder) + "/";
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
        broken.extend(wrong_arrows(&package.name, &sources));
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

fn wrong_arrows(package: &str, sources: &Sources) -> Vec<String> {
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
    for (_, a, b) in APART.iter().filter(|(name, ..)| *name == package) {
        let is_one = |module: &Path| module.len() == 1 && [*a, *b].contains(&module[0].as_str());
        if arrows.iter().any(|(from, to)| is_one(from) && is_one(to)) {
            broken.push(format!(
                "{package}: {a} and {b}: they know nothing of each other; move what both need beside them"
            ));
        }
    }
    let circles = in_circles(arrows);
    let names: BTreeSet<String> = circles.iter().map(|(_, to)| to.join("::")).collect();
    if !names.is_empty() {
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        broken.push(format!(
            "{package}: {names}: they import each other in a circle; move what both need into a third"
        ));
    }
    broken
}

/// The arrows without those that begin or end where no other goes on: circles are left, and
/// what leads from one to another.
fn in_circles(mut arrows: BTreeSet<(Path, Path)>) -> BTreeSet<(Path, Path)> {
    loop {
        let before = arrows.len();
        let (from, to): (BTreeSet<Path>, BTreeSet<Path>) = arrows.iter().cloned().unzip();
        arrows.retain(|(start, end)| to.contains(start) && from.contains(end));
        if arrows.len() == before {
            return arrows;
        }
    }
}

/// What a module names of its own crate: whole paths from the top.
fn imports(module: &Path, source: &str) -> Vec<Path> {
    let code: Vec<&str> =
        source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (start, top) in [("crate::", Path::new()), ("super::", parent(module))] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            // The second `super` of two belongs to the first, and `$crate` to nobody here.
            if before.is_some_and(|c| c.is_alphanumeric() || "_:$".contains(c)) {
                continue;
            }
            let (mut top, mut rest) = (top.clone(), &code[at + start.len()..]);
            while let Some(further) = rest.strip_prefix("super::") {
                (top, rest) = (parent(&top), further);
            }
            found.extend(paths(rest, &top));
        }
    }
    found
}

fn parent(module: &Path) -> Path {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// What `a::{b, c::d}` names, behind `top`.
fn paths(text: &str, top: &Path) -> Vec<Path> {
    let Some(group) = text.strip_prefix('{') else {
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        let (name, rest) = text.split_at(text.find(|c| !inside(c)).unwrap_or(text.len()));
        let own = Some(name.to_string()).filter(|name| !name.is_empty() && name != "self");
        let path: Path = top.iter().cloned().chain(own).collect();
        return rest.strip_prefix("::").map_or(vec![path.clone()], |rest| paths(rest, &path));
    };
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            ',' | '}' if depth == 0 => {
                found.extend(paths(group[start..at].trim(), top));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    found
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
        let found = paths(rest.trim_start_matches("self::"), module);
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
        let broken = wrong_arrows(package, &sources).into_iter();
        broken.filter_map(|it| Some(it.rsplit_once(": ")?.0.to_string())).collect()
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
