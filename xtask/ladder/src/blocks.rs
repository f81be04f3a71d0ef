//! Finds the generated blocks of a page and puts new contents into them.
//!
//! A block starts with a line `<!-- gen:KIND ARGUMENTS -->` and ends with a line `<!--
//! end -->`. Markers in a fenced code block are text, so that a page can show what a
//! block looks like.

use crate::{Failure, failure};

const START: &str = "<!-- gen:";
const END: &str = "<!-- end -->";

#[derive(Debug, PartialEq, Eq)]
pub struct Order<'a> {
    pub kind: &'a str,
    pub rest: &'a str,
    /// What the block holds now.
    pub held: String,
}

impl<'a> Order<'a> {
    pub fn words(&self) -> Vec<&'a str> {
        self.rest.split_whitespace().collect()
    }
}

/// The page with the contents of each block replaced by what `generate` returns for it.
///
/// # Errors
/// A block that is not closed or not ordered in one line, and what `generate` says,
/// each with the line number.
pub fn fill(
    page: &str,
    mut generate: impl FnMut(&Order) -> Result<String, Failure>,
) -> Result<String, Failure> {
    let mut filled = String::with_capacity(page.len());
    let mut fence = None;
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let at = |message: String| failure!("line {}: {message}", index + 1);
        filled += &format!("{line}\n");
        fence = fence_after(fence, line);
        if fence.is_some() {
            continue;
        }
        if line.trim_end() == END {
            return Err(at("the end of a block that was never opened".into()));
        }
        let Some(rest) = line.strip_prefix(START) else { continue };
        let Some(rest) = rest.trim_end().strip_suffix("-->") else {
            return Err(at("a block starts with one line, from <!-- to -->".into()));
        };
        let (kind, rest) = rest.trim_end().split_once(' ').unwrap_or((rest.trim_end(), ""));
        let mut order = Order { kind, rest, held: String::new() };
        loop {
            match lines.next() {
                Some((_, line)) if line.trim_end() == END => break,
                Some((_, line)) if !line.starts_with(START) => {
                    order.held += &format!("{line}\n");
                }
                _ => return Err(at(format!("this block has no {END}"))),
            }
        }
        let contents = generate(&order).map_err(|failure| at(failure.to_string()))?;
        filled += &format!("{}\n{END}\n", contents.trim_end());
    }
    Ok(filled)
}

/// The fence that is open after this line: its run of backticks or tildes.
pub fn fence_after<'a>(open: Option<&'a str>, line: &'a str) -> Option<&'a str> {
    let text = line.trim_start();
    let run = text.len() - text.trim_start_matches(['`', '~']).len();
    let (marks, rest) = text.split_at(run);
    match open {
        None if run >= 3 => Some(marks),
        Some(fence) if marks.starts_with(fence) && rest.trim().is_empty() => None,
        open => open,
    }
}

/// A table, its head first.
pub fn table<T: AsRef<str>>(head: &[T], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|cell| cell.as_ref().into()).collect();
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    format!("{}{rule}{rows}", line(&head))
}

/// Puts text into a fenced code block, with more backticks than the text has itself.
pub fn fenced(language: &str, text: &str) -> String {
    let mut fence = "```".to_string();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(page: &str) -> Result<String, String> {
        let echo = |order: &Order| match order.kind {
            "wrong" => Err(Failure::new("no such item")),
            kind => Ok(format!("{kind}: {}", order.words().join(","))),
        };
        fill(page, echo).map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_a_block_held_is_replaced_and_the_prose_around_it_is_not() {
        let page = |held: &str| {
            format!("# Title\n\n<!-- gen:item src/a.rs fn b -->\n{held}\n<!-- end -->\n\nProse.\n")
        };
        let wanted = page("item: src/a.rs,fn,b");
        assert_eq!(filled(&page("old\nolder")).unwrap(), wanted);
        assert_eq!(filled(&wanted).unwrap(), wanted);
    }

    #[test]
    fn markers_in_a_code_block_are_text_and_so_is_a_fence_inside_a_longer_one() {
        for fence in ["```", "~~~~", "````markdown", "````\n```"] {
            let close = fence.trim_end_matches("markdown").split('\n').rev();
            let close: Vec<&str> = close.collect();
            let page = format!("{fence}\n<!-- gen:a -->\n<!-- end -->\n{}\n", close.join("\n"));
            assert_eq!(filled(&page).unwrap(), page);
        }
    }

    #[test]
    fn what_is_wrong_with_a_block_is_told_with_its_line() {
        let open = "this block has no <!-- end -->";
        for (page, line, said) in [
            ("Prose.\n<!-- gen:ladder -->\nrow\n", 2, open),
            ("<!-- gen:a -->\n<!-- gen:b -->\n<!-- end -->\n", 1, open),
            ("<!-- end -->\n", 1, "the end of a block that was never opened"),
            (
                "<!-- gen:a\n-->\n<!-- end -->\n",
                1,
                "a block starts with one line, from <!-- to -->",
            ),
            ("\n\n<!-- gen:wrong -->\n<!-- end -->\n", 3, "no such item"),
        ] {
            assert_eq!(filled(page).unwrap_err(), format!("line {line}: {said}"));
        }
    }

    #[test]
    fn a_text_with_a_fence_of_its_own_gets_a_longer_one() {
        assert_eq!(fenced("rust", "fn a() {}\n"), "```rust\nfn a() {}\n```\n");
        assert_eq!(fenced("rust", "/// ```\n/// ```"), "````rust\n/// ```\n/// ```\n````\n");
    }
}
