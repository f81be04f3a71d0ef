//! Rules that hold across all manifests. A rung is copied out on its own, so nothing
//! ties its manifest to the others; this check does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use ladder::Failure;
use ladder::Ladder;
use ladder::manifests::cargo;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// What `cargo metadata` says of a package.
#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    edition: String,
    rust_version: Option<String>,
    license: Option<String>,
    /// The registries that it may go to: none of them.
    publish: Option<Vec<String>>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    /// Set for a package of this workspace.
    path: Option<PathBuf>,
}

/// A package with the texts that the rules look at.
struct Member {
    package: Package,
    /// Its folder within the workspace, with `/` on every system.
    folder: String,
    manifest: String,
    /// `None` where it has no library.
    library: Option<String>,
}

/// Every rule that is broken, in a sentence that says how to mend it.
pub fn check(ladder: &Ladder) -> Result<Vec<String>, Failure> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .map_err(|error| Failure::new(format!("cannot run cargo metadata: {error}")))?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).map_err(|error| {
        Failure::new(format!("cannot read what cargo metadata prints: {error}"))
    })?;
    let members: Vec<Member> = metadata
        .packages
        .into_iter()
        .map(|package| read(ladder, package))
        .collect::<Result<_, _>>()?;
    Ok(broken(&members))
}

fn read(ladder: &Ladder, package: Package) -> Result<Member, Failure> {
    let text = |path: &Path| {
        fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
    };
    let folder = package.manifest_path.parent().unwrap_or(Path::new("")).to_path_buf();
    let library = folder.join("src/lib.rs");
    Ok(Member {
        manifest: text(&package.manifest_path)?,
        library: if library.is_file() { Some(text(&library)?) } else { None },
        folder: folder
            .strip_prefix(&ladder.root)
            .unwrap_or(&folder)
            .display()
            .to_string()
            .replace('\\', "/"),
        package,
    })
}

fn broken(members: &[Member]) -> Vec<String> {
    let mut complaints: Vec<String> = members.iter().flat_map(alone).collect();
    complaints.extend(together(members));
    complaints
}

/// The rules for each member by itself.
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
            format!("{what} must be the same everywhere, but is {}", values.join("; "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = "//! A rung.\n#![forbid(unsafe_code)]\n#![warn(missing_docs)]\n";

    fn member(name: &str) -> Member {
        Member {
            package: Package {
                name: name.into(),
                manifest_path: PathBuf::new(),
                edition: "2024".into(),
                rust_version: Some("1.88".into()),
                license: Some("MIT OR Apache-2.0".into()),
                publish: Some(Vec::new()),
                dependencies: vec![Dependency {
                    name: "log".into(),
                    req: "^0.4".into(),
                    path: None,
                }],
            },
            folder: format!("crates/{name}"),
            manifest: "[package]\n# never `workspace = true`\n".into(),
            library: Some(LIBRARY.into()),
        }
    }

    #[track_caller]
    fn assert_broken(change: fn(&mut Member), complaint: &str) {
        let mut members = [member("one-echo"), member("two-echo")];
        change(&mut members[1]);
        assert_eq!(broken(&members), [complaint]);
    }

    #[test]
    fn members_that_keep_the_rules_are_not_complained_of() {
        assert_eq!(broken(&[member("one-echo"), member("two-echo")]), Vec::<String>::new());
    }

    #[test]
    fn each_rule_that_is_broken_is_told_with_what_mends_it() {
        assert_broken(
            |member| member.package.name = "echo".into(),
            "crates/two-echo: the package is called echo; a package has the name of its folder",
        );
        for publish in [None, Some(vec!["crates-io".to_string()])] {
            let mut member = member("one-echo");
            member.package.publish = publish;
            let complaint =
                "crates/one-echo: add `publish = false`: nothing here goes to a registry";
            assert_eq!(broken(&[member]), [complaint]);
        }
        for line in ["edition.workspace = true", "log = { workspace=true }"] {
            let mut member = member("one-echo");
            member.manifest.push_str(line);
            assert!(broken(&[member])[0].starts_with("crates/one-echo: write out"), "{line}");
        }
        assert_broken(
            |member| member.library = Some(LIBRARY.replace("#![forbid(unsafe_code)]\n", "")),
            "crates/two-echo: add `#![forbid(unsafe_code)]` to src/lib.rs",
        );
        assert_broken(
            |member| member.package.dependencies[0].req = "^0.5".into(),
            "the version of log must be the same everywhere, but is ^0.4 in crates/one-echo; ^0.5 in crates/two-echo",
        );
        assert_broken(
            |member| member.package.rust_version = None,
            "rust-version must be the same everywhere, but is 1.88 in crates/one-echo; none in crates/two-echo",
        );
    }

    #[test]
    fn another_crate_of_the_workspace_has_no_version_to_compare() {
        let mut member = member("one-echo");
        let path = Some(PathBuf::from("../netcore"));
        member.package.dependencies.push(Dependency { name: "log".into(), req: "*".into(), path });
        assert_eq!(broken(&[member]), Vec::<String>::new());
    }
}
