//! Which files of a project git leaves as they are: the paths of the workspace's own rules
//! begin elsewhere.

/// The rules `top`, as they hold in a project of `rung` with these `blocks` inside.
pub fn of(top: &str, rung: &str, blocks: &[&str]) -> String {
    let mut rules = String::new();
    for line in top.lines() {
        let inside = line.strip_prefix("crates/").and_then(|path| path.split_once('/'));
        match inside {
            None => rules.push_str(&format!("{line}\n")),
            Some(("*", path)) => rules.push_str(&format!("{path}\n*/{path}\n")),
            Some((name, path)) if name == rung => rules.push_str(&format!("{path}\n")),
            Some((name, path)) if blocks.contains(&name) => {
                rules.push_str(&format!("{name}/{path}\n"));
            }
            Some(_) => {}
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_rule_holds_where_its_files_are_now() {
        let top = "* text=auto\ncrates/*/a/** -text\ncrates/one/b -text\ncrates/block/c x\ncrates/two/d x\n";
        let wanted = "* text=auto\na/** -text\n*/a/** -text\nb -text\nblock/c x\n";
        assert_eq!(super::of(top, "one", &["block"]), wanted);
    }
}
