//! Checks that each word of the glossary is explained where the glossary says, and not
//! used before that without a link.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::links::{prose, targets};

/// The page itself.
const GLOSSARY: &str = "glossary.md";

/// The heading behind which nobody reads from top to bottom any more.
const END_OF_PATH: &str = "# The ladder, measured";

/// What may follow a word for it to be the same.
const ENDINGS: [&str; 5] = ["", "s", "es", "ed", "ing"];

/// One sentence for every word that is not explained, or used before it is.
pub fn complaints(docs: &Path) -> Vec<String> {
    let read = |page: &str| fs::read_to_string(docs.join(page)).unwrap_or_default();
    let summary = read("SUMMARY.md");
    let path = targets(summary.split(END_OF_PATH).next().unwrap_or_default());
    let mut pages: HashMap<String, String> =
        path.iter().map(|page| (page.clone(), read(page))).collect();
    let mut complaints = Vec::new();
    for (word, links) in entries(&read(GLOSSARY)) {
        for page in &links {
            let text = pages.entry(page.clone()).or_insert_with(|| read(page));
            if !says(text, &word) {
                complaints
                    .push(format!("{GLOSSARY}: {word} leads to {page}, which does not say it"));
            }
        }
        let Some(explained) = path.iter().position(|page| links.contains(page)) else {
            complaints.push(format!("{GLOSSARY}: {word} leads to no page that is read in order"));
            continue;
        };
        for page in &path[..explained] {
            let linked = targets(&pages[page]);
            let leads = linked.iter().any(|to| to == GLOSSARY || links.contains(to));
            if says(&without_code(&pages[page]), &word) && !leads {
                complaints.push(format!(
                    "{page} says {word} before {} explains it; link it there, or to {GLOSSARY}",
                    path[explained]
                ));
            }
        }
    }
    complaints
}

/// Each word with the pages that its row leads to.
fn entries(glossary: &str) -> impl Iterator<Item = (String, Vec<String>)> {
    let rows = glossary.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.skip(1).map(|(word, row)| (word.to_string(), targets(row)))
}

/// The prose of a page, where what stands in backticks is not said.
fn without_code(page: &str) -> String {
    let outside = |line: &str| line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    prose(page).map(outside).collect::<Vec<_>>().join("\n")
}

/// Whether the prose of a page has this word, alone or with an ending, outside the targets
/// of its links.
fn says(page: &str, word: &str) -> bool {
    let text = prose(page).collect::<Vec<_>>().join(" ").to_lowercase();
    let text: String = text
        .split("](")
        .enumerate()
        .map(|(number, part)| match (number, part.split_once(')')) {
            (1.., Some((_, rest))) => format!("] {rest}"),
            _ => part.to_string(),
        })
        .collect();
    let word = word.to_lowercase();
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    text.match_indices(&word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let ending = after.split(|c| !inside(c)).next().unwrap_or_default();
        !before.ends_with(inside) && ENDINGS.contains(&ending)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_said_with_its_endings_and_not_inside_another_or_a_link() {
        for page in ["A frame.", "Two Frames, each", "`frame` it"] {
            assert!(says(page, "frame"), "{page}");
        }
        for page in ["framework", "a-frame", "[x](frame.md)", "```\nframe\n```"] {
            assert!(!says(page, "frame"), "{page}");
        }
        assert!(!says(&without_code("`frame` it"), "frame"));
    }

    #[test]
    fn a_word_that_is_used_before_it_is_explained_and_one_that_never_is_are_told() {
        let docs = tempfile::tempdir().unwrap();
        let write = |page: &str, text: &str| fs::write(docs.path().join(page), text).unwrap();
        write("SUMMARY.md", "- [a](a.md)\n- [b](b.md)\n# The ladder, measured\n- [c](c.md)\n");
        write("a.md", "A segment and a reset.\n");
        write("b.md", "A **segment** is a piece.\n");
        write("c.md", "");
        write(
            "glossary.md",
            "| word | what it is |\n|---|---|\n| segment | a piece ([b](b.md)) |\n| reset | an end ([b](b.md)) |\n\
             | peer | the other end |\n",
        );
        assert_eq!(
            complaints(docs.path()),
            [
                "a.md says segment before b.md explains it; link it there, or to glossary.md",
                "glossary.md: reset leads to b.md, which does not say it",
                "a.md says reset before b.md explains it; link it there, or to glossary.md",
                "glossary.md: peer leads to no page that is read in order",
            ]
        );
    }
}
