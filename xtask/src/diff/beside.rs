//! The two versions of a file beside each other, which git does not show.

use ladder::screen::{fit, wrap_code};
use ladder::step::Change;
use ladder::{Failure, Screen, Tone};

/// The lines around each change: `|` is changed, `<` is gone, `>` is new.
pub fn lines(change: &Change, screen: &Screen) -> Result<Vec<String>, Failure> {
    let half = screen.columns.saturating_sub(3) / 2;
    let names = [&change.old_name, &change.new_name].map(|name| fit(name, half));
    let mut lines = vec![String::new(), screen.paint(Tone::Bold, &names.join("   "))];
    let unified = change.unified()?;
    let found: Vec<&str> = unified.lines().skip(2).collect();
    let differs = |line: &str| line.starts_with(['-', '+']);
    for block in found.chunk_by(|line, next| differs(line) && differs(next)) {
        let side = |mark| block.iter().filter_map(move |line| line.strip_prefix(mark));
        let (old, new): (Vec<&str>, Vec<&str>) = (side('-').collect(), side('+').collect());
        for number in 0..old.len().max(new.len()) {
            let (left, right) = (old.get(number), new.get(number));
            let mark = match (left, right) {
                (Some(_), Some(_)) => '|',
                (Some(_), None) => '<',
                _ => '>',
            };
            let [left, right] = [left, right].map(|side| side.copied().unwrap_or_default());
            lines.extend(row(left, mark, right, half, screen));
        }
        for line in block.iter().filter(|line| !differs(line)) {
            match line.strip_prefix(' ') {
                Some(same) => lines.extend(row(same, ' ', same, half, screen)),
                None => lines.push(screen.paint(Tone::Client, line)),
            }
        }
    }
    Ok(lines)
}

/// One line of each side, wrapped to its half.
fn row(old: &str, mark: char, new: &str, half: usize, screen: &Screen) -> Vec<String> {
    let (left, right) = (wrap_code(old, half), wrap_code(new, half));
    let tones = if mark == ' ' { [Tone::Plain; 2] } else { [Tone::Bad, Tone::Good] };
    let part = |side: &[String], row: usize| side.get(row).cloned().unwrap_or_default();
    (0..left.len().max(right.len()))
        .map(|row| {
            let mark = if row == 0 { mark } else { ' ' };
            let left = screen.paint(tones[0], &fit(&part(&left, row), half));
            format!("{left} {mark} {}", screen.paint(tones[1], &part(&right, row)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_cut() {
        let change = Change {
            file: "src/server.rs".into(),
            old_name: "one/server.rs".into(),
            old: "fn serve() {\n    let deadline = never();\n}\n".into(),
            new_name: "two/server.rs".into(),
            new: "fn serve() {\n    let deadline = after(5);\n    wait();\n}\n".into(),
        };
        let lines = lines(&change, &Screen::of_width(43)).unwrap();
        assert_eq!(
            lines[3..],
            [
                "fn serve() {           fn serve() {",
                "    let deadline =   |     let deadline =",
                "    never();               after(5);",
                "                     >     wait();",
                "}                      }",
            ]
        );
    }
}
