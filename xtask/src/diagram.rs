//! A conversation as a sequence diagram in SVG: the client's line on the left, the
//! server's on the right. Light or dark as the reader has it, and the same for every
//! run that says the same.

use ladder::Rung;
use ladder::screen::cut;
use ladder::svg::Svg;
use netfault::Transport;
use netfault::proxy::{Fate, Passed, Way};
use trial::Faults;

const WIDTH: usize = 640;
const LEFT: usize = 90;
const RIGHT: usize = 550;

/// From one arrow to the next, and above the first.
const STEP: usize = 40;
const HEAD: usize = 64;

const TEXT: usize = 48;

/// Of what goes to the server, of what comes back, and of what does not arrive.
const COLOURS: [(&str, &str); 3] =
    [("#0969da", "#58a6ff"), ("#8250df", "#bc8cff"), ("#cf222e", "#ff7b72")];

const STYLE: &str = include_str!("diagram.css");

/// Draws what has passed between the client and the server of `rung`.
pub fn draw(rung: &Rung, passed: &[Passed]) -> String {
    let mut arrows: Vec<(Way, String, bool)> = Vec::new();
    let mut connection = None;
    for one in passed {
        if connection.replace(one.connection) != Some(one.connection)
            && rung.speaks().transport() == Transport::Tcp
        {
            arrows.push((Way::ToServer, "connects".into(), false));
        }
        let size = match one.bytes.len() {
            1 => "1 byte".to_string(),
            n => format!("{n} bytes"),
        };
        let said = format!("{size} {}", shown(&one.bytes));
        let (text, lost) = match one.fate {
            Fate::Delivered => (said, false),
            Fate::Repeated => (format!("{said}, once more"), false),
            Fate::Lost => (format!("{said}, lost"), true),
            Fate::Ended => ("end of stream".into(), false),
            Fate::Reset => ("the connection is reset".into(), true),
            Fate::Cut => ("the connection is cut".into(), true),
        };
        arrows.push((one.way, text, lost));
    }
    let height = HEAD + arrows.len() * STEP + STEP / 2;
    let title = format!("What passes between the client and the server of {}", rung.name);
    let mut svg = Svg::new((WIDTH, height), &title, &COLOURS, STYLE);
    for (x, name) in [(LEFT, "client"), (RIGHT, "server")] {
        svg.text("end", (x, 24), name);
        svg.path("line", &format!("M{x} 34 L{x} {}", height - STEP / 4));
    }
    for (row, (way, text, lost)) in arrows.iter().enumerate() {
        let y = HEAD + row * STEP + STEP / 4;
        let (class, line) = arrow(*way, y, *lost);
        svg.path(class, &line);
        svg.text("", (WIDTH / 2, y - 8), &cut(text, TEXT));
    }
    svg.finish()
}

fn arrow(way: Way, y: usize, lost: bool) -> (&'static str, String) {
    let (from, to, class) = match way {
        Way::ToServer => (LEFT, RIGHT, "there"),
        Way::ToClient => (RIGHT, LEFT, "back"),
    };
    let (above, below) = (y - 5, y + 5);
    if lost {
        // It gets half of the way.
        let to = usize::midpoint(from, to);
        let (left, right) = (to - 5, to + 5);
        let cross = format!("M{left} {above} L{right} {below} M{left} {below} L{right} {above}");
        return ("lost", format!("M{from} {y} L{to} {y} {cross}"));
    }
    let back = if from < to { to - 8 } else { to + 8 };
    (class, format!("M{from} {y} L{to} {y} M{back} {above} L{to} {y} L{back} {below}"))
}

/// Text as it is, and in numbers what is none: a length before it, say.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::from('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                c if c.is_control() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => text.push(c),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_text_and_a_length_in_numbers() {
        assert_eq!(shown("\0\0\0\x0dпривет".as_bytes()), "\"\\x00\\x00\\x00\\x0dпривет\"");
        assert_eq!(shown(b"\xff<"), "\"\\xff<\"");
    }

    #[test]
    fn what_is_lost_gets_half_of_the_way() {
        let (class, line) = arrow(Way::ToServer, 74, true);
        assert_eq!((class, line.starts_with("M90 74 L320 74 ")), ("lost", true), "{line}");
    }
}
