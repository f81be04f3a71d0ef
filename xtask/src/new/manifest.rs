//! The manifest of a project from that of a rung.

/// Why the project is a workspace.
const WORKSPACE: &str = "
# Stands alone wherever it is put, also inside another workspace. What lies inside belongs to it.
[workspace]
";

/// Where blocks are for a package that is not among them: one that a project begins with.
pub const TO_CRATES: &str = "../../../crates/";

/// The manifest `own` without what only the ladder reads, with these `blocks` inside, and
/// with the profiles of `top`.
pub fn standalone(own: &str, top: &str, blocks: &[&str]) -> String {
    let mut own = member(own).replace(TO_CRATES, "../");
    for block in blocks {
        own = own.replace(&format!("path = \"../{block}\""), &format!("path = \"{block}\""));
    }
    let profiles = tables(top, |header| header.starts_with("profile."));
    format!("{}\n{WORKSPACE}\n{}\n", own.trim(), profiles.trim())
}

/// The manifest `own` without what only the ladder reads, with the blocks beside it.
pub fn member(own: &str) -> String {
    tables(own, |header| !header.starts_with("package.metadata."))
}

/// The manifest of the project `name` that is built on a rung, which is in `crates` and whose own
/// manifest is `own`: it can use whatever the rung uses.
pub fn upon(rung: &str, crates: &str, name: &str, own: &str, top: &str) -> String {
    let kinds = ["dependencies", "dev-dependencies", "target."];
    let wanted = |header: &str| kinds.iter().any(|kind| header.starts_with(kind));
    let needs = tables(own, wanted).replace("path = \"../", &format!("path = \"{crates}/"));
    let needs = needs.replacen(
        "[dependencies]\n",
        &format!("[dependencies]\n{rung} = {{ path = \"{crates}/{rung}\" }}\n"),
        1,
    );
    let profiles = tables(top, |header| header.starts_with("profile."));
    // Somebody in the middle of an exercise has not used everything yet.
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
         {}\n\n[lints.rust]\nunused = \"allow\"\n{WORKSPACE}\n{}\n",
        needs.trim(),
        profiles.trim()
    )
}

/// The manifest with one more member in `folder`; `None` where it is of no workspace.
pub fn with_member(project: &str, folder: &str) -> Option<String> {
    let (before, after) = project.split_once("[workspace]\n")?;
    let rest = after.strip_prefix("members = [");
    Some(match rest.and_then(|rest| rest.split_once(']')) {
        Some((members, rest)) => {
            format!("{before}[workspace]\nmembers = [{members}, \"{folder}\"]{rest}")
        }
        None => format!("{before}[workspace]\nmembers = [\"{folder}\"]\n{after}"),
    })
}

/// The tables of a manifest whose names are `wanted`, as they are written. What stands
/// above the first has no name.
fn tables(manifest: &str, wanted: impl Fn(&str) -> bool) -> String {
    let lines: Vec<&str> = manifest.lines().collect();
    let tables = lines.chunk_by(|_, next| !next.starts_with('['));
    let is_wanted = |table: &&[&str]| match table[0].starts_with('[') {
        true => wanted(table[0].trim_start_matches('[')),
        false => wanted(""),
    };
    tables.filter(is_wanted).flatten().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_is_left_out_and_the_profiles_are_added() {
        let own =
            "[package]\nname = \"mine\"\n\n[dependencies]\nnetcore = { path = \"../netcore\" }\n";
        let metadata = "\n[package.metadata.ladder]\nalias = \"one\"\n# Of the metadata as well.\n
[[package.metadata.ladder.demo]]\nargs = [\"[a]\"]\n\n[package.metadata.bench]\nspeaks = \"tcp\"\n";
        let top = "[workspace]\nmembers = [\"crates/*\"]\n\n[profile.release]\nlto = \"thin\"\n";
        let inside = own.replace("../", "");
        let wanted = format!("{inside}{WORKSPACE}\n[profile.release]\nlto = \"thin\"\n");
        assert_eq!(standalone(&format!("{own}{metadata}"), top, &["netcore"]), wanted);
    }

    #[test]
    fn members_are_added_one_after_the_other() {
        let project = |members: &str| format!("[workspace]\n{members}\n[profile.release]\n");
        let one = with_member(&project(""), "udp").unwrap();
        assert_eq!(one, project("members = [\"udp\"]\n"));
        assert_eq!(with_member(&one, "b").unwrap(), project("members = [\"udp\", \"b\"]\n"));
        assert_eq!(with_member("[package]\n", "b"), None);
    }
}
