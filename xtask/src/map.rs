//! The ladder as a picture: every rung, and what it builds on.

use crate::ladder::{Carrier, Ladder, Rung};

/// A box and the room between two.
const BOX: (usize, usize) = (250, 62);
const GAP: (usize, usize) = (56, 18);
const MARGIN: usize = 14;

/// Letters of the title in a line of a box.
const LETTERS: usize = 38;

/// The colours of paper and of night: whoever looks has said which, to the system or the browser.
const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .name { font: 600 15px ui-monospace, monospace; fill: #111 }
  rect { fill: #f6f8fa; stroke: #57606a }
  .udp rect { stroke-dasharray: 5 3 }
  path { fill: none; stroke: #57606a; stroke-width: 1.5 }
  a:hover rect { fill: #ddf4ff }
  @media (prefers-color-scheme: dark) {
    text { fill: #c9d1d9 }
    .name { fill: #f0f6fc }
    rect { fill: #161b22; stroke: #8b949e }
    path { stroke: #8b949e }
    a:hover rect { fill: #1f2f45 }
  }
";

/// Where a rung stands: its column is how many steps lie below it; in a column, one under the other.
struct Place<'a> {
    rung: &'a Rung,
    column: usize,
    row: usize,
}

/// The picture.
pub fn svg(ladder: &Ladder) -> String {
    let places = places(ladder);
    let columns = places.iter().map(|place| place.column + 1).max().unwrap_or(0);
    let rows = places.iter().map(|place| place.row + 1).max().unwrap_or(0);
    let width = 2 * MARGIN + columns * (BOX.0 + GAP.0) - GAP.0;
    let height = 2 * MARGIN + rows * (BOX.1 + GAP.1) - GAP.1;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title\">\n<title id=\"title\">The rungs of the ladder, each with an arrow from the one that it builds on</title>\n<style>{STYLE}</style>\n"
    );
    for place in &places {
        let below = place.rung.about.builds_on.as_deref();
        let Some(below) = places.iter().find(|other| below == Some(&other.rung.name)) else { continue };
        svg.push_str(&arrow(below, place));
    }
    for place in &places {
        svg.push_str(&rung(place));
    }
    svg + "</svg>\n"
}

/// A rung goes beside the one that it builds on, or into the next row that is free from there to the right.
fn places(ladder: &Ladder) -> Vec<Place<'_>> {
    let mut places: Vec<Place> = Vec::new();
    let mut rows = 0;
    // Depth first, so that what builds on a rung stands near it and no arrow crosses a box.
    let mut waiting: Vec<&Rung> =
        ladder.rungs.iter().filter(|rung| rung.about.builds_on.is_none()).rev().collect();
    while let Some(rung) = waiting.pop() {
        let below = places.iter().find(|place| Some(&place.rung.name) == rung.about.builds_on.as_ref());
        let (column, level) = below.map_or((0, rows), |below| (below.column + 1, below.row));
        let beside = !places.iter().any(|place| place.column >= column && place.row == level);
        let row = if beside { level } else { rows };
        rows = rows.max(row + 1);
        places.push(Place { rung, column, row });
        let above = ladder.rungs.iter().filter(|above| above.about.builds_on.as_ref() == Some(&rung.name));
        let mut above: Vec<&Rung> = above.collect();
        above.reverse();
        waiting.extend(above);
    }
    places
}

fn corner(place: &Place) -> (usize, usize) {
    (MARGIN + place.column * (BOX.0 + GAP.0), MARGIN + place.row * (BOX.1 + GAP.1))
}

fn arrow(below: &Place, place: &Place) -> String {
    let ((x, y), (to_x, to_y)) = (corner(below), corner(place));
    let (x, y, to_y) = (x + BOX.0, y + BOX.1 / 2, to_y + BOX.1 / 2);
    let turn = x + GAP.0 / 2;
    format!("<path d=\"M{x} {y} H{turn} V{to_y} H{to_x} m-7 -4 l7 4 l-7 4\"/>\n")
}

fn rung(place: &Place) -> String {
    let (x, y) = corner(place);
    let Rung { name, about, .. } = place.rung;
    let class = match about.transport {
        Carrier::Udp => " class=\"udp\"",
        Carrier::Tcp => "",
    };
    let mut svg = format!(
        "<a href=\"{name}.html\"{class}><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n<text class=\"name\" x=\"{}\" y=\"{}\">{name}</text>\n",
        BOX.0,
        BOX.1,
        x + 12,
        y + 21
    );
    for (number, line) in crate::screen::wrap(&about.title, LETTERS).iter().enumerate() {
        let line = line.replace('&', "&amp;").replace('<', "&lt;");
        svg.push_str(&format!("<text x=\"{}\" y=\"{}\">{line}</text>\n", x + 12, y + 38 + 15 * number));
    }
    svg + "</a>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rung_has_a_place_of_its_own_right_of_the_one_that_it_builds_on() {
        let ladder = Ladder::load().unwrap();
        let places = places(&ladder);
        assert_eq!(places.len(), ladder.rungs.len());
        for place in &places {
            let same = places.iter().filter(|other| (other.column, other.row) == (place.column, place.row));
            assert_eq!(same.count(), 1, "{}", place.rung.name);
            if let Some(below) = &place.rung.about.builds_on {
                let below = places.iter().find(|other| other.rung.name == *below).unwrap();
                assert_eq!(below.column + 1, place.column, "{}", place.rung.name);
            }
            // Two lines fit into a box.
            assert!(crate::screen::wrap(&place.rung.about.title, LETTERS).len() <= 2, "{}", place.rung.name);
        }
    }

    #[test]
    fn the_picture_names_every_rung_once_and_draws_every_step() {
        let ladder = Ladder::load().unwrap();
        let svg = svg(&ladder);
        assert_eq!(svg.matches("<path ").count(), ladder.steps().count());
        for rung in &ladder.rungs {
            assert_eq!(svg.matches(&format!(">{}</text>", rung.name)).count(), 1, "{}", rung.name);
        }
    }
}
