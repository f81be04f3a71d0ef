//! Rules that hold across all manifests. A rung is copied out on its own, so nothing
//! ties its manifest to the others; this check does.

use std::collections::BTreeMap;

use ladder::manifests::Package;
use ladder::{Failure, Ladder, files};

/// A package with the texts that the rules look at.
struct Member<'a> {
    package: &'a Package,
    /// Its folder within the workspace, with `/` on every system.
    folder: String,
    manifest: String,
    /// `None` where it has no library.
    library: Option<String>,
}

pub fn check(ladder: &Ladder) -> Result<Vec<String>, Failure> {
    let members: Vec<Member> =
        ladder.packages.iter().map(|package| read(ladder, package)).collect::<Result<_, _>>()?;
    Ok(broken(&members))
}

fn read<'a>(ladder: &Ladder, package: &'a Package) -> Result<Member<'a>, Failure> {
    let folder = package.folder();
    let library = folder.join("src/lib.rs");
    Ok(Member {
        manifest: files::read(&package.manifest_path)?,
        library: if library.is_file() { Some(files::read(&library)?) } else { None },
        folder: ladder.within(&folder),
        package,
    })
}

fn broken(members: &[Member]) -> Vec<String> {
    let mut complaints: Vec<String> = members.iter().flat_map(alone).collect();
    complaints.extend(together(members));
    complaints
}

fn alone(member: &Member) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |what: &str| complaints.push(format!("{}: {what}", member.folder));
    let name = member.package.name.as_str();
    let named_right = match member.folder.as_str() {
        // `tests` would be taken for a folder of tests, and is no name for a package.
        "tests" => name == "ladder-tests",
        folder => folder.rsplit('/').next() == Some(name),
    };
    if !named_right {
        complain(&format!("the package is called {name}; a package has the name of its folder"));
    }
    if member.package.publish.as_ref().is_none_or(|registries| !registries.is_empty()) {
        complain("add `publish = false`: nothing here goes to a registry");
    }
    if inherits(&member.manifest) {
        complain(
            "write out what `workspace = true` stands for: the crate must build where it is copied to",
        );
    }
    if let Some(library) = &member.library {
        let wanted: &[&str] = match member.folder.starts_with("crates/") {
            true => &["#![forbid(unsafe_code)]", "#![warn(missing_docs)]"],
            false => &["#![forbid(unsafe_code)]"],
        };
        for attribute in wanted {
            if !library.lines().any(|line| line == *attribute) {
                complain(&format!("add `{attribute}` to src/lib.rs"));
            }
        }
    }
    complaints
}

fn inherits(manifest: &str) -> bool {
    let without_spaces =
        |line: &str| line.split('#').next().unwrap_or_default().replace([' ', '\t'], "");
    manifest.lines().any(|line| without_spaces(line).contains("workspace=true"))
}

/// The rules that compare members: where they differ, all that is said is listed.
fn together(members: &[Member]) -> Vec<String> {
    let mut said: BTreeMap<String, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    let mut say = |what: String, value, folder| {
        said.entry(what).or_default().entry(value).or_default().push(folder)
    };
    for Member { package, folder, .. } in members {
        say("edition".into(), package.edition.as_str(), folder.as_str());
        say("rust-version".into(), package.rust_version.as_deref().unwrap_or("none"), folder);
        say("license".into(), package.license.as_deref().unwrap_or("none"), folder);
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_none())
        {
            say(format!("the version of {}", dependency.name), &dependency.req, folder);
        }
    }
    let differing = said.into_iter().filter(|(_, values)| values.len() > 1);
    differing
        .map(|(what, values)| {
            let values: Vec<String> = values
                .into_iter()
                .map(|(value, mut folders)| {
                    folders.dedup();
                    format!("{value} in {}", folders.join(", "))
                })
                .collect();
            format!("{what}: must be the same everywhere, but is {}", values.join("; "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = "//! A rung.\n#![forbid(unsafe_code)]\n#![warn(missing_docs)]\n";

    const MANIFEST: &str = "[package]\n# never `workspace = true`\n";

    /// What is said of a second package, which is changed like this.
    fn said(change: fn(&mut Package), manifest: &str, library: &str) -> Vec<String> {
        // netcore, under another name.
        let package = |name: &str| {
            let mut packages = Ladder::load().unwrap().packages;
            let mut package =
                packages.remove(packages.iter().position(|it| it.name == "netcore").unwrap());
            package.name = name.into();
            package
        };
        let (first, mut second) = (package("one-echo"), package("two-echo"));
        change(&mut second);
        let member = |package, folder: &str, manifest: &str, library: &str| Member {
            package,
            folder: format!("crates/{folder}"),
            manifest: manifest.into(),
            library: Some(library.into()),
        };
        broken(&[
            member(&first, "one-echo", MANIFEST, LIBRARY),
            member(&second, "two-echo", manifest, library),
        ])
    }

    #[test]
    fn each_rule_that_is_broken_is_told_with_what_mends_it_and_none_that_is_kept() {
        assert_eq!(said(|_| {}, MANIFEST, LIBRARY), [""; 0]);
        let inherits = |line: &str| said(|_| {}, &format!("{MANIFEST}{line}"), LIBRARY);
        let changed = |change| said(change, MANIFEST, LIBRARY);
        let unsafe_library = LIBRARY.replace("#![forbid(unsafe_code)]\n", "");
        for (said, wanted) in [
            (changed(|it| it.name = "echo".into()), "crates/two-echo: the package is called echo"),
            (changed(|it| it.publish = None), "crates/two-echo: add `publish = false`"),
            (changed(|it| it.publish = Some(vec!["a".into()])), "crates/two-echo: add `publish"),
            (inherits("edition.workspace = true"), "crates/two-echo: write out"),
            (inherits("log = { workspace=true }"), "crates/two-echo: write out"),
            (
                said(|_| {}, MANIFEST, &unsafe_library),
                "crates/two-echo: add `#![forbid(unsafe_code)]`",
            ),
            (
                changed(|it| it.edition = "2021".into()),
                "edition: must be the same everywhere, but is 2021 in crates/two-echo; 2024 in",
            ),
        ] {
            assert!(said.len() == 1 && said[0].starts_with(wanted), "{said:?}");
        }
    }
}
