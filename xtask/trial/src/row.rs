//! A line of a timeline, cell by cell: an arrow in it can be shown as it flies.

use std::ops::Range;

use ladder::screen::display_width;
use ladder::{Screen, Tone};
use netfault::proxy::Way;

/// Pictures of an arrow that flies, at most.
const PICTURES: usize = 12;

#[derive(Debug, Default)]
pub struct Row {
    /// What a column shows; nothing behind a wide letter.
    cells: Vec<(String, Tone)>,
    /// The columns of the arrow, and where it flies.
    flight: Option<(Range<usize>, Way)>,
}

impl Row {
    /// Puts text there, in place of what was there.
    pub fn put(&mut self, at: usize, tone: Tone, text: &str) {
        let mut at = at;
        for letter in text.chars() {
            let letter = letter.to_string();
            let width = display_width(&letter);
            let end = at + width.max(1);
            if self.cells.len() < end {
                self.cells.resize(end, (" ".into(), Tone::Plain));
            }
            if width == 0 {
                // An accent stands on the letter before it.
                self.cells[at.saturating_sub(1)].0.push_str(&letter);
                continue;
            }
            self.cells[at] = (letter, tone);
            self.cells[at + 1..end].fill((String::new(), tone));
            at = end;
        }
    }

    /// Draws an arrow over these columns, with a cross for its head where it does not
    /// arrive.
    pub fn fly(&mut self, over: Range<usize>, way: Way, tone: Tone, arrives: bool) {
        let line = "─".repeat(over.len().saturating_sub(1));
        let arrow = match (way, arrives) {
            (Way::ToServer, true) => line + ">",
            (Way::ToServer, false) => line + "✗",
            (Way::ToClient, true) => format!("<{line}"),
            (Way::ToClient, false) => format!("✗{line}"),
        };
        self.put(over.start, tone, &arrow);
        self.flight = Some((over, way));
    }

    pub fn flies(&self) -> bool {
        self.flight.is_some()
    }

    /// Shows it; on a terminal, the arrow as it flies.
    pub fn show(&self, screen: &Screen) -> Result<(), ladder::Failure> {
        let length = self.flight.as_ref().map_or(0, |(over, _)| over.len());
        let flown = (0..PICTURES).map(|number| length * number / PICTURES);
        let pictures =
            if length > 0 { flown.map(|n| self.text(screen, n)).collect() } else { vec![] };
        screen.grow(&pictures, &self.text(screen, length))
    }

    /// The line with so many columns of its arrow.
    pub fn text(&self, screen: &Screen, flown: usize) -> String {
        let hidden = match &self.flight {
            Some((over, Way::ToServer)) => over.start.saturating_add(flown).min(over.end)..over.end,
            Some((over, Way::ToClient)) => {
                over.start..over.end.saturating_sub(flown).max(over.start)
            }
            None => 0..0,
        };
        let shown = |at: usize| if hidden.contains(&at) { " " } else { &*self.cells[at].0 };
        let columns: Vec<usize> = (0..self.cells.len()).collect();
        let runs = columns.chunk_by(|one, next| self.cells[*one].1 == self.cells[*next].1);
        let paint = |run: &[usize]| {
            let text: String = run.iter().map(|at| shown(*at)).collect();
            if text.trim().is_empty() { text } else { screen.paint(self.cells[run[0]].1, &text) }
        };
        runs.map(paint).collect::<String>().trim_end().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_flies_from_where_it_begins_to_where_it_arrives_and_moves_nothing_else() {
        let plain = Screen::of_width(60);
        let mut there = Row::default();
        there.put(0, Tone::Plain, "日本");
        there.put(12, Tone::Plain, "server");
        there.fly(5..11, Way::ToServer, Tone::Client, true);
        let shown = [0, 3, 6].map(|flown| there.text(&plain, flown));
        assert_eq!(shown, ["日本        server", "日本 ───    server", "日本 ─────> server"]);
        let mut back = Row::default();
        back.put(12, Tone::Plain, "e\u{301}");
        back.fly(5..11, Way::ToClient, Tone::Server, false);
        let shown = [2, 6].map(|flown| back.text(&plain, flown));
        assert_eq!(shown, ["         ── e\u{301}", "     ✗───── e\u{301}"]);
    }
}
