//! The ladder as a picture: every rung, and what it builds on.

use ladder::manifests::Carrier;
use ladder::{Ladder, Rung};

/// A box, how far it is set in for each step below it, and the room between two.
const BOX: (usize, usize) = (440, 46);
const STEP: usize = 36;
const GAP: usize = 10;
const MARGIN: usize = 8;

/// The colours of paper and of night: whoever looks has said which, to the system or
/// the browser.
const STYLE: &str = "
  svg { background: #fff }
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .name { font: 600 15px ui-monospace, monospace; fill: #111 }
  rect { fill: #f6f8fa; stroke: #57606a }
  .udp rect { stroke-dasharray: 5 3 }
  path { fill: none; stroke: #57606a; stroke-width: 1.5 }
  a:hover rect { fill: #ddf4ff }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #c9d1d9 }
    .name { fill: #f0f6fc }
    rect { fill: #161b22; stroke: #8b949e }
    path { stroke: #8b949e }
    a:hover rect { fill: #1f2f45 }
  }
";

/// Where a rung stands: one under the other, set in by as many steps as lie below it.
struct Place<'a> {
    rung: &'a Rung,
    depth: usize,
    row: usize,
}

/// The picture.
pub fn svg(ladder: &Ladder) -> String {
    let places = places(ladder);
    let depth = places.iter().map(|place| place.depth).max().unwrap_or(0);
    let (width, height) =
        (2 * MARGIN + depth * STEP + BOX.0, 2 * MARGIN + places.len() * (BOX.1 + GAP) - GAP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title\">\n<title id=\"title\">The rungs of the ladder, each with an arrow from the one that it builds on</title>\n<style>{STYLE}</style>\n"
    );
    for place in &places {
        let below = place.rung.builds_on.as_deref();
        if let Some(below) = places.iter().find(|other| below == Some(&other.rung.name)) {
            svg.push_str(&arrow(below, place));
        }
    }
    for place in &places {
        svg.push_str(&rung(place));
    }
    svg + "</svg>\n"
}

/// Every rung with all that builds on it after it, so that no arrow crosses a box.
fn places(ladder: &Ladder) -> Vec<Place<'_>> {
    let mut places: Vec<Place> = Vec::new();
    let mut waiting: Vec<(&Rung, usize)> = Vec::new();
    let first = ladder.rungs.iter().filter(|rung| rung.builds_on.is_none());
    waiting.extend(first.rev().map(|rung| (rung, 0)));
    while let Some((rung, depth)) = waiting.pop() {
        places.push(Place { rung, depth, row: places.len() });
        let above =
            ladder.rungs.iter().filter(|above| above.builds_on.as_ref() == Some(&rung.name));
        waiting.extend(above.rev().map(|rung| (rung, depth + 1)));
    }
    places
}

fn corner(place: &Place) -> (usize, usize) {
    (MARGIN + place.depth * STEP, MARGIN + place.row * (BOX.1 + GAP))
}

fn arrow(below: &Place, place: &Place) -> String {
    let ((x, y), (to_x, to_y)) = (corner(below), corner(place));
    let (x, y, to_y) = (x + STEP / 2, y + BOX.1, to_y + BOX.1 / 2);
    format!("<path d=\"M{x} {y} V{to_y} H{to_x} m-7 -4 l7 4 l-7 4\"/>\n")
}

fn rung(place: &Place) -> String {
    let (x, y) = corner(place);
    let Rung { name, title, transport, .. } = place.rung;
    let class = match transport {
        Carrier::Udp => " class=\"udp\"",
        Carrier::Tcp | Carrier::Unix => "",
    };
    let mut svg = format!(
        "<a href=\"{name}.html\"{class}><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n<text class=\"name\" x=\"{}\" y=\"{}\">{name}</text>\n",
        BOX.0,
        BOX.1,
        x + 12,
        y + 20
    );
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    svg.push_str(&format!("<text x=\"{}\" y=\"{}\">{title}</text>\n", x + 12, y + 37));
    svg + "</a>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rung_has_a_row_of_its_own_under_the_one_that_it_builds_on() {
        let ladder = Ladder::load().unwrap();
        let places = places(&ladder);
        assert_eq!(places.len(), ladder.rungs.len());
        for (row, place) in places.iter().enumerate() {
            assert_eq!(place.row, row);
            if let Some(below) = &place.rung.builds_on {
                let below = places.iter().find(|other| other.rung.name == *below).unwrap();
                assert!(
                    below.row < place.row && below.depth + 1 == place.depth,
                    "{}",
                    place.rung.name
                );
            }
            // Seven columns of the screen for a letter are more than the picture's own letters
            // take.
            assert!(place.rung.title.len() * 7 < BOX.0 + 40, "{}", place.rung.name);
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
