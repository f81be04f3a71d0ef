//! Pictures of who says what to whom: a line for each end, and from the top down what
//! happens. All chapters have theirs from here, so that they have one style.
//!
//! In a page, a picture is a comment, and what comes of it is in the block behind it:
//!
//! ```text
//! <!-- picture: what it shows, in a sentence
//! ann, bob, server
//! server: accept | bob: (waits)
//! ann -> server: hello
//! server x> ann: hello
//! bytes: 00 00 00 05 | h e l l o
//! -->
//! ```

use ladder::svg::Svg;
use ladder::{Failure, failure};

const WIDTH: usize = 640;

/// From the edge to the first line, and to the last one.
const EDGE: usize = 90;

/// From one row to the next, and above the first.
const STEP: usize = 40;
const HEAD: usize = 64;

/// Of a box, what two letters in it take, and beside them.
const BOX: usize = 26;
const TWO_LETTERS: usize = 17;
const BESIDE: usize = 16;

/// Of one byte, and between groups of them.
const BYTE: (usize, usize) = (34, 12);

/// Of what goes to the right, of what comes back, and of what does not arrive.
const COLOURS: [(&str, &str); 3] =
    [("#0969da", "#58a6ff"), ("#8250df", "#bc8cff"), ("#cf222e", "#ff7b72")];

const STYLE: &str = include_str!("picture.css");

/// Seconds from one row to the next in a picture that moves, and of the last one.
const PACE: f64 = 1.2;
const END: f64 = 4.0;

pub struct Picture {
    pub title: String,
    pub ends: Vec<String>,
    /// What is in one row stands side by side.
    pub rows: Vec<Vec<Part>>,
}

pub enum Part {
    Arrow {
        from: usize,
        to: usize,
        text: String,
        arrives: bool,
    },
    /// What an end does.
    Does {
        end: usize,
        text: String,
    },
    Bytes(Vec<Vec<String>>),
}

impl Picture {
    /// The picture in a page.
    pub fn find(page: &str) -> Result<Picture, Failure> {
        let source = page.split_once("<!-- picture: ").and_then(|(_, rest)| rest.split_once("-->"));
        let source = source.ok_or_else(|| Failure::new("there is no picture in this page"))?.0;
        let mut lines = source.lines().map(str::trim).filter(|line| !line.is_empty());
        let title = lines.next().unwrap_or_default().to_string();
        let ends: Vec<String> =
            lines.next().unwrap_or_default().split(',').map(|end| end.trim().into()).collect();
        let rows = lines.map(|line| row(line, &ends)).collect::<Result<_, _>>()?;
        Ok(Picture { title, ends, rows })
    }

    pub fn draw(&self, moves: bool) -> String {
        let height = HEAD + self.rows.len() * STEP + STEP / 2;
        let mut style = STYLE.to_string();
        if moves {
            style.push_str(&self.moves());
        }
        let mut svg = Svg::new((WIDTH, height), &self.title, &COLOURS, &style);
        for (number, name) in self.ends.iter().enumerate() {
            let x = self.x(number);
            svg.text("end", (x, 24), name);
            svg.path("line", &format!("M{x} 34 L{x} {}", height - STEP / 4));
        }
        for (number, row) in self.rows.iter().enumerate() {
            let y = HEAD + number * STEP + STEP / 4;
            svg.element(&format!("<g class=\"row r{number}\">"));
            row.iter().for_each(|part| self.part(&mut svg, y, part));
            svg.element("</g>");
        }
        svg.finish()
    }

    fn x(&self, end: usize) -> usize {
        EDGE + end * (WIDTH - 2 * EDGE) / (self.ends.len() - 1).max(1)
    }

    fn part(&self, svg: &mut Svg, y: usize, part: &Part) {
        match part {
            Part::Arrow { from, to, text, arrives } => {
                let (class, line) = arrow(self.x(*from), self.x(*to), y, *arrives);
                svg.element(&format!("<path class=\"{class}\" pathLength=\"1\" d=\"{line}\"/>"));
                svg.text("", (usize::midpoint(self.x(*from), self.x(*to)), y - 8), text);
            }
            Part::Does { end, text } => {
                let (inner, class) =
                    match text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
                        Some(inner) => (inner, "waits"),
                        None => (text.as_str(), "does"),
                    };
                let width = inner.chars().count() * TWO_LETTERS / 2 + BESIDE;
                let most = (WIDTH - BESIDE / 2).saturating_sub(width);
                let x = self.x(*end).saturating_sub(width / 2).min(most);
                cell(svg, class, (x, y), width, inner);
            }
            Part::Bytes(groups) => {
                let number: usize = groups.iter().map(Vec::len).sum();
                let mut x = (WIDTH - number * BYTE.0 - (groups.len() - 1) * BYTE.1) / 2;
                for (group, bytes) in groups.iter().enumerate() {
                    for byte in bytes {
                        cell(svg, ["length", "byte"][group % 2], (x, y), BYTE.0, byte);
                        x += BYTE.0;
                    }
                    x += BYTE.1;
                }
            }
        }
    }

    /// One row comes after the other, and then all begins anew.
    fn moves(&self) -> String {
        let all = self.rows.len() as f64 * PACE + END;
        let rows = 0..self.rows.len();
        let style = rows.map(|number| {
            let percent = |seconds: f64| format!("{:.1}%", seconds * 100.0 / all);
            let (from, to) = (number as f64 * PACE, (number as f64 + 0.7) * PACE);
            let (from, to) = (percent(from + 0.1), percent(to));
            format!(
                "@keyframes k{number} {{ 0%, {from} {{ opacity: 0; stroke-dashoffset: 1 }} \
                 {to}, 100% {{ opacity: 1; stroke-dashoffset: 0 }} }}\n\
                 .r{number}, .r{number} path {{ animation: k{number} {all}s infinite }}\n"
            )
        });
        style.collect::<String>()
            + ".row path { stroke-dasharray: 1 }\n\
               @media (prefers-reduced-motion: reduce) { .row, .row path { animation: none } }\n"
    }
}

fn row(line: &str, ends: &[String]) -> Result<Vec<Part>, Failure> {
    if let Some(groups) = line.strip_prefix("bytes: ") {
        let bytes = |group: &str| group.split_whitespace().map(String::from).collect();
        return Ok(vec![Part::Bytes(groups.split(" | ").map(bytes).collect())]);
    }
    line.split(" | ").map(|text| part(text, ends)).collect()
}

fn part(text: &str, ends: &[String]) -> Result<Part, Failure> {
    let wrong = || failure!("a picture has a line that nobody can draw: {text:?}");
    let (who, what) = text.split_once(": ").ok_or_else(wrong)?;
    let end = |name: &str| ends.iter().position(|end| end == name.trim()).ok_or_else(wrong);
    let what = what.trim().to_string();
    for (sign, arrives) in [(" -> ", true), (" x> ", false)] {
        if let Some((from, to)) = who.split_once(sign) {
            return Ok(Part::Arrow { from: end(from)?, to: end(to)?, text: what, arrives });
        }
    }
    Ok(Part::Does { end: end(who)?, text: what })
}

fn cell(svg: &mut Svg, class: &str, (x, y): (usize, usize), width: usize, text: &str) {
    let top = y.saturating_sub(BOX / 2 + 4);
    svg.element(&format!(
        "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{BOX}\" rx=\"4\"/>"
    ));
    svg.text(class, (x + width / 2, top + BOX / 2 + 5), text);
}

fn arrow(from: usize, to: usize, y: usize, arrives: bool) -> (&'static str, String) {
    let class = if from < to { "there" } else { "back" };
    let (above, below) = (y - 5, y + 5);
    if !arrives {
        // It gets half of the way.
        let to = usize::midpoint(from, to);
        let (left, right) = (to - 5, to + 5);
        let cross = format!("M{left} {above} L{right} {below} M{left} {below} L{right} {above}");
        return ("lost", format!("M{from} {y} L{to} {y} {cross}"));
    }
    let back = if from < to { to - 8 } else { to + 8 };
    (class, format!("M{from} {y} L{to} {y} M{back} {above} L{to} {y} L{back} {below}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A page\n\n<!-- picture: two at one door\nann, bob, server\n\
        server: accept | bob: (waits)\nann -> server: hello\nserver x> ann: hello\n\
        bytes: 00 05 | h i\n-->\n";

    #[test]
    fn a_picture_is_drawn_as_its_page_has_it() {
        let svg = Picture::find(PAGE).unwrap().draw(false);
        assert!(svg.contains(">two at one door</title>"), "{svg}");
        assert_eq!(svg.matches("class=\"end\"").count(), 3);
        for (class, number) in [("there", 1), ("lost", 1), ("back", 0), ("line", 3)] {
            assert_eq!(svg.matches(&format!("<path class=\"{class}\"")).count(), number, "{class}");
        }
        for (class, number) in [("does", 1), ("waits", 1), ("length", 2), ("byte", 2)] {
            assert_eq!(svg.matches(&format!("<rect class=\"{class}\"")).count(), number, "{class}");
        }
        assert!(!svg.contains("animation"));
        assert!(Picture::find(PAGE).unwrap().draw(true).contains(".r3 path { animation: k3 "));
    }

    #[test]
    fn a_line_that_cannot_be_drawn_is_told() {
        let wrong = PAGE.replace("ann -> server", "dave -> server");
        let told = Picture::find(&wrong).err().map(|failure| failure.to_string());
        assert!(told.is_some_and(|told| told.contains("dave -> server: hello")));
        assert!(Picture::find("# A page").is_err());
    }

    #[test]
    fn what_is_lost_gets_half_of_the_way() {
        let (class, line) = arrow(90, 550, 74, false);
        assert_eq!((class, line.starts_with("M90 74 L320 74 ")), ("lost", true), "{line}");
    }
}
