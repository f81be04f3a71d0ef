//! The manifest of a project from that of a rung.

/// Why the project is a workspace.
const WORKSPACE: &str = "
# Stands alone wherever it is put, also inside another workspace. netcore, which lies inside, belongs to it.
[workspace]
";

/// The manifest `own` without what only the ladder reads, with netcore inside, and with
/// the profiles of `top`.
pub fn standalone(own: &str, top: &str) -> String {
    let own = own.replace("path = \"../netcore\"", "path = \"netcore\"");
    let own = tables(&own, |header| !header.starts_with("package.metadata."));
    let profiles = tables(top, |header| header.starts_with("profile."));
    format!("{}\n{WORKSPACE}\n{}\n", own.trim(), profiles.trim())
}

/// The tables of a manifest whose names are `wanted`, as they are written. What stands
/// above the first has no name.
fn tables(manifest: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut kept = String::new();
    let mut keep = wanted("");
    for line in manifest.lines() {
        if line.starts_with('[') {
            keep = wanted(line.trim_start_matches('['));
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_is_left_out_and_the_profiles_are_added() {
        let own = r#"[package]
name = "mine"

[dependencies]
netcore = { path = "../netcore", features = ["codec"] }

[package.metadata.ladder]
alias = "one"
# Of the metadata as well.

[[package.metadata.ladder.demo]]
args = ["[a]"]

[package.metadata.bench]
speaks = "tcp"
"#;
        let top = "[workspace]\nmembers = [\"crates/*\"]\n\n[profile.release]\nlto = \"thin\"\n";
        let wanted = format!(
            "[package]\nname = \"mine\"\n\n[dependencies]\nnetcore = {{ path = \"netcore\", features = [\"codec\"] }}\n{WORKSPACE}\n[profile.release]\nlto = \"thin\"\n"
        );
        assert_eq!(standalone(own, top), wanted);
    }
}
