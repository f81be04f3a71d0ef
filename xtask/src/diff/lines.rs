//! The lines of a difference on a screen: unified, or the two versions beside each
//! other.

use similar::{ChangeTag, DiffOp, DiffTag, InlineChange, TextDiff};
use unicode_width::UnicodeWidthChar;

use ladder::Screen;
use ladder::screen::{Tone, fit};
use ladder::step::Change;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// A piece of a line and how it is painted.
type Piece = (Tone, String);

/// As `diff -u` has it.
pub fn unified(change: &Change, screen: &Screen) -> Vec<String> {
    let diff = TextDiff::from_lines(&change.old, &change.new);
    let mut lines = vec![
        screen.paint(Tone::Bold, &format!("--- {}", change.old_name)),
        screen.paint(Tone::Bold, &format!("+++ {}", change.new_name)),
    ];
    for group in diff.grouped_ops(CONTEXT) {
        lines.push(screen.paint(Tone::Client, &place(&group)));
        for change in group.iter().flat_map(|op| diff.iter_inline_changes(op)) {
            let (sign, tone, _) = look(change.tag());
            let text: String =
                pieces(&change).iter().map(|(tone, text)| screen.paint(*tone, text)).collect();
            lines.push(format!("{}{text}", screen.paint(tone, sign)));
        }
    }
    lines
}

/// As `diff -y` has it, with the lines around a change only: `|` is changed, `<` is
/// gone, `>` is new.
pub fn side_by_side(change: &Change, screen: &Screen) -> Vec<String> {
    let diff = TextDiff::from_lines(&change.old, &change.new);
    let half = screen.columns.saturating_sub(3) / 2;
    let names = [&change.old_name, &change.new_name].map(|name| fit(name, half));
    let mut lines = vec![screen.paint(Tone::Bold, &names.join("   "))];
    for group in diff.grouped_ops(CONTEXT) {
        lines.push(screen.paint(Tone::Client, &place(&group)));
        for op in &group {
            lines.extend(rows(&diff, op, half, screen));
        }
    }
    lines
}

fn rows(diff: &TextDiff<'_, '_, str>, op: &DiffOp, half: usize, screen: &Screen) -> Vec<String> {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for change in diff.iter_inline_changes(op) {
        match change.tag() {
            ChangeTag::Delete => old.push(pieces(&change)),
            ChangeTag::Insert => new.push(pieces(&change)),
            ChangeTag::Equal => {
                old.push(pieces(&change));
                new.push(pieces(&change));
            }
        }
    }
    let mut lines = Vec::new();
    for number in 0..old.len().max(new.len()) {
        let mark = match (op.tag(), old.get(number), new.get(number)) {
            (DiffTag::Equal, ..) => ' ',
            (_, Some(_), Some(_)) => '|',
            (_, Some(_), None) => '<',
            _ => '>',
        };
        let piece = |side: &[Vec<Piece>]| side.get(number).cloned().unwrap_or_default();
        lines.extend(beside(&piece(&old), mark, &piece(&new), half, screen));
    }
    lines
}

/// One line of each side, wrapped to its half.
fn beside(old: &[Piece], mark: char, new: &[Piece], half: usize, screen: &Screen) -> Vec<String> {
    let (old, new) = (wrapped(old, half, screen), wrapped(new, half, screen));
    let blank = (String::new(), 0);
    (0..old.len().max(new.len()).max(1))
        .map(|row| {
            let (left, width) = old.get(row).unwrap_or(&blank);
            let (right, _) = new.get(row).unwrap_or(&blank);
            let mark = if row == 0 { mark } else { ' ' };
            format!("{left}{} {mark} {right}", " ".repeat(half.saturating_sub(*width)))
        })
        .collect()
}

/// The painted pieces in rows of at most `width` columns, each row with the columns
/// that it takes.
fn wrapped(pieces: &[Piece], width: usize, screen: &Screen) -> Vec<(String, usize)> {
    let mut rows = vec![(String::new(), 0)];
    for (tone, text) in pieces {
        let mut part = String::new();
        for c in text.chars() {
            let columns = c.width().unwrap_or(0);
            let full = rows.last().is_some_and(|(_, taken)| taken + columns > width);
            if full {
                finish(&mut rows, *tone, &mut part, screen);
                rows.push((String::new(), 0));
            }
            part.push(c);
            if let Some((_, taken)) = rows.last_mut() {
                *taken += columns;
            }
        }
        finish(&mut rows, *tone, &mut part, screen);
    }
    rows
}

fn finish(rows: &mut [(String, usize)], tone: Tone, part: &mut String, screen: &Screen) {
    if let (Some((row, _)), false) = (rows.last_mut(), part.is_empty()) {
        row.push_str(&screen.paint(tone, part));
        part.clear();
    }
}

fn pieces(change: &InlineChange<'_, str>) -> Vec<Piece> {
    let (_, tone, words) = look(change.tag());
    let painted = change.values().iter().map(|(changed, text)| {
        let text = text.trim_end_matches('\n').to_string();
        (if *changed { words } else { tone }, text)
    });
    painted.filter(|(_, text)| !text.is_empty()).collect()
}

/// What stands before a line, its tone and that of the words in it that changed.
fn look(tag: ChangeTag) -> (&'static str, Tone, Tone) {
    match tag {
        ChangeTag::Delete => ("-", Tone::Removed, Tone::RemovedWords),
        ChangeTag::Insert => ("+", Tone::Added, Tone::AddedWords),
        ChangeTag::Equal => (" ", Tone::Plain, Tone::Plain),
    }
}

/// Where a group of changes is, as `diff -u` writes it.
fn place(group: &[DiffOp]) -> String {
    let ends = |range: fn(&DiffOp) -> std::ops::Range<usize>| {
        let start = group.first().map_or(0, |op| range(op).start);
        let end = group.last().map_or(0, |op| range(op).end);
        match end - start {
            1 => format!("{}", start + 1),
            0 => format!("{start},0"),
            length => format!("{},{length}", start + 1),
        }
    };
    format!("@@ -{} +{} @@", ends(DiffOp::old_range), ends(DiffOp::new_range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Change {
        Change {
            file: "src/server.rs".into(),
            old_name: "crates/one/src/server.rs".into(),
            old: "fn serve() {\n    let deadline = never();\n}\n".into(),
            new_name: "crates/two/src/server.rs".into(),
            new: "fn serve() {\n    let deadline = after(5);\n    wait();\n}\n".into(),
        }
    }

    #[test]
    fn without_colours_it_is_the_text_that_the_pages_show() {
        let screen = Screen::of_width(80);
        let lines = unified(&change(), &screen);
        assert_eq!(lines.join("\n") + "\n", change().unified());
    }

    #[test]
    fn the_words_that_changed_stand_out() {
        let screen = Screen { colours: true, ..Screen::of_width(80) };
        let lines = unified(&change(), &screen).join("\n");
        assert!(
            lines.contains("\x1b[31m    let deadline = \x1b[0m\x1b[31;7mnever();\x1b[0m"),
            "{lines:?}"
        );
        assert!(lines.contains("\x1b[32;7mafter(5);\x1b[0m"), "{lines:?}");
    }

    #[test]
    fn beside_each_other_no_line_is_wider_than_the_terminal_and_nothing_is_cut() {
        let screen = Screen::of_width(43);
        let lines = side_by_side(&change(), &screen);
        assert_eq!(
            lines[2..],
            [
                "fn serve() {           fn serve() {",
                "    let deadline = n |     let deadline = a",
                "ever();                fter(5);",
                "                     >     wait();",
                "}                      }",
            ]
        );
    }
}
