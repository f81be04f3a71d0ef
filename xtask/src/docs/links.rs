//! Checks that relative links point at files and headings that exist.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use ladder::blocks::fence_after;

/// One sentence for every relative link of the page at `path` that leads nowhere.
pub fn broken(path: &Path, page: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for target in targets(page) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
        let linked = match file {
            "" => path.to_path_buf(),
            file => path.parent().unwrap_or(Path::new("")).join(file),
        };
        if !linked.exists() {
            complaints.push(format!("the link {target} leads to no file"));
        } else if !heading.is_empty() {
            let text = fs::read_to_string(&linked).unwrap_or_default();
            if !anchors(&text).iter().any(|anchor| anchor == heading) {
                complaints.push(format!("the link {target} leads to no heading"));
            }
        }
    }
    complaints
}

/// The targets of `[text](target)` outside code.
pub(super) fn targets(page: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in prose(page) {
        // Inside backticks, brackets are code.
        let outside: String = line.split('`').step_by(2).collect();
        for (start, _) in outside.match_indices("](") {
            let rest = &outside[start + 2..];
            if let Some(end) = rest.find(')') {
                // Behind a space is its title.
                let target = rest[..end].split(' ').next().unwrap_or_default();
                targets.push(target.to_string());
            }
        }
    }
    targets
}

/// The anchors of the headings, as repository pages and mdBook make them.
fn anchors(page: &str) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = Vec::new();
    for line in prose(page) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor: String = title
            .trim()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
            .collect();
        let before = seen.entry(anchor.clone()).or_default();
        anchors.push(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
        *before += 1;
    }
    anchors
}

/// The lines of a page that are not in a code block.
pub fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut fence = None;
    page.lines().filter(move |line| {
        let before = fence;
        fence = fence_after(fence, line);
        before.is_none() && fence.is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_outside_code_that_leads_nowhere_is_told() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let page =
            "[a](Cargo.toml \"a title\") [b](missing.md) [c](#bottom) [d](https://example.org/x)
```\n[f](g.md)\n```
`[h](i.md)` [`j`](src/)\n";
        let said = ["the link missing.md leads to no file", "the link #bottom leads to no heading"];
        assert_eq!(broken(&manifest, page), said);
        let page =
            "# Why `SO_REUSEADDR`?\n## What is still wrong\n## What is still wrong\n#no heading\n";
        let wanted = ["why-so_reuseaddr", "what-is-still-wrong", "what-is-still-wrong-1"];
        assert_eq!(anchors(page), wanted);
    }
}
