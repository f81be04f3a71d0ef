//! The ladder as a picture: every rung, and what it builds on.

use std::iter;

use ladder::manifests::Carrier;
use ladder::svg::Svg;
use ladder::{Ladder, Rung};

/// A box, how far it is set in for each step below it, and the room between two.
const BOX: (usize, usize) = (440, 46);
const STEP: usize = 36;
const GAP: usize = 10;
const MARGIN: usize = 8;

const TITLE: &str = "The rungs of the ladder, each with an arrow from the one that it builds on";

const STYLE: &str = include_str!("map.css");

/// Where a rung stands: one under the other, set in by as many steps as lie below it.
type Place<'a> = (&'a Rung, usize);

pub fn svg(ladder: &Ladder) -> String {
    let places = places(ladder, None, 0);
    let depth = places.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
    let size = (2 * MARGIN + depth * STEP + BOX.0, 2 * MARGIN + places.len() * (BOX.1 + GAP) - GAP);
    let mut svg = Svg::new(size, TITLE, &[], STYLE);
    for (row, (rung, depth)) in places.iter().enumerate() {
        let is_below = |(other, _): &Place| rung.builds_on.as_ref() == Some(&other.name);
        if let Some(below) = places.iter().position(is_below) {
            let ((x, y), (to_x, to_y)) = (corner(below, places[below].1), corner(row, *depth));
            let (x, y, to_y) = (x + STEP / 2, y + BOX.1, to_y + BOX.1 / 2);
            svg.path("", &format!("M{x} {y} V{to_y} H{to_x} m-7 -4 l7 4 l-7 4"));
        }
    }
    for (row, (rung, depth)) in places.iter().enumerate() {
        let (x, y) = corner(row, *depth);
        let Rung { name, title, transport, .. } = rung;
        let class = if *transport == Carrier::Udp { "udp" } else { "tcp" };
        let (width, height) = BOX;
        svg.element(&format!(
            "<a href=\"{name}.html\" class=\"{class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>"
        ));
        svg.text("name", (x + 12, y + 20), name);
        svg.text("", (x + 12, y + 37), title);
        svg.element("</a>");
    }
    svg.finish()
}

/// What builds on `below`, each with all that builds on it after it, so that no arrow crosses
/// a box.
fn places<'a>(ladder: &'a Ladder, below: Option<&str>, depth: usize) -> Vec<Place<'a>> {
    let above = ladder.rungs.iter().filter(|rung| rung.builds_on.as_deref() == below);
    let branch = |rung: &'a Rung| {
        iter::once((rung, depth)).chain(places(ladder, Some(&rung.name), depth + 1))
    };
    above.flat_map(branch).collect()
}

fn corner(row: usize, depth: usize) -> (usize, usize) {
    (MARGIN + depth * STEP, MARGIN + row * (BOX.1 + GAP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rung_has_a_row_under_the_one_that_it_builds_on_and_every_step_an_arrow() {
        let ladder = Ladder::load().unwrap();
        let (places, svg) = (places(&ladder, None, 0), svg(&ladder));
        assert_eq!(svg.matches("<path ").count(), ladder.steps().count());
        assert_eq!(places.len(), ladder.rungs.len());
        for (row, (rung, depth)) in places.iter().enumerate() {
            assert_eq!(svg.matches(&format!(">{}</text>", rung.name)).count(), 1, "{}", rung.name);
            if let Some(below) = &rung.builds_on {
                let at = places.iter().position(|(other, _)| other.name == *below).unwrap();
                assert!(at < row && places[at].1 + 1 == *depth, "{}", rung.name);
            }
            // Seven columns of the screen for a letter are more than the picture's own take.
            assert!(rung.title.len() * 7 < BOX.0 + 40, "{}", rung.name);
        }
    }
}
