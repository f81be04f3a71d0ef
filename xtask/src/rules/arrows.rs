//! Which package may need which: a rung needs blocks and no other rung, and no block
//! needs a rung, so that each can be taken away.

use ladder::Ladder;

/// Every dependency that points the wrong way.
pub fn check(ladder: &Ladder) -> Vec<String> {
    let is_rung = |name: &str| ladder.rungs.iter().any(|rung| rung.name == name);
    let crates = ladder.root.join("crates");
    let mut broken = Vec::new();
    for package in ladder.packages.iter().filter(|it| it.manifest_path.starts_with(&crates)) {
        for dependency in package.dependencies.iter().filter(|it| is_rung(&it.name)) {
            let kind = if is_rung(&package.name) { "a rung" } else { "a block" };
            broken.push(format!(
                "{} needs {}: {kind} needs no rung, so that it can be taken away; move what both need into a block",
                package.name, dependency.name
            ));
        }
    }
    broken
}
