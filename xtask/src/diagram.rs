//! A conversation as a sequence diagram in SVG: the client's line on the left, the
//! server's on the right. Light or dark as the reader has it, and the same for every
//! run that says the same.

use std::fmt::Write;

use ladder::Rung;
use ladder::screen::cut;
use netfault::Transport;
use netfault::proxy::{Fate, Passed, Way};
use trial::Faults;

/// Of the drawing, in pixels.
const WIDTH: usize = 640;
const LEFT: usize = 90;
const RIGHT: usize = 550;

/// From one arrow to the next, and above the first.
const STEP: usize = 40;
const HEAD: usize = 64;

/// Characters of a text above an arrow.
const TEXT: usize = 48;

/// Colours for white and for black, with a ground of their own: the page around may not
/// follow the system.
const STYLE: &str = "\
    svg{background:#fff}text{font:14px ui-monospace,monospace;fill:#1f2328}\
    .end{font-weight:bold}.line{stroke:#8c959f}.there{stroke:#0969da}.back{stroke:#8250df}.lost{stroke:#cf222e}\
    path,line{stroke-width:1.5;fill:none}\
    @media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.line{stroke:#6e7681}.there{stroke:#58a6ff}\
    .back{stroke:#bc8cff}.lost{stroke:#ff7b72}}";

/// Draws what has passed between the client and the server of `rung`.
pub fn draw(rung: &Rung, passed: &[Passed]) -> String {
    let mut arrows = String::new();
    let mut rows = 0;
    let mut connection = None;
    for one in passed {
        if connection.replace(one.connection) != Some(one.connection)
            && rung.speaks().transport() == Transport::Tcp
        {
            arrow(&mut arrows, rows, Way::ToServer, "connects", false);
            rows += 1;
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
        arrow(&mut arrows, rows, one.way, &text, lost);
        rows += 1;
    }
    let height = HEAD + rows * STEP + STEP / 2;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>What passes between the client and the server of {}</title>\n<style>{STYLE}</style>\n",
        rung.name
    );
    for (x, name) in [(LEFT, "client"), (RIGHT, "server")] {
        let bottom = height - STEP / 4;
        let _ = writeln!(
            svg,
            "<text class=\"end\" x=\"{x}\" y=\"24\" text-anchor=\"middle\">{name}</text>"
        );
        let _ =
            writeln!(svg, "<line class=\"line\" x1=\"{x}\" y1=\"34\" x2=\"{x}\" y2=\"{bottom}\"/>");
    }
    svg.push_str(&arrows);
    svg.push_str("</svg>\n");
    svg
}

fn arrow(svg: &mut String, row: usize, way: Way, text: &str, lost: bool) {
    let y = HEAD + row * STEP + STEP / 4;
    let (from, to, class) = match way {
        Way::ToServer => (LEFT, RIGHT, "there"),
        Way::ToClient => (RIGHT, LEFT, "back"),
    };
    // What is lost gets half of the way.
    let to = if lost { usize::midpoint(from, to) } else { to };
    let class = if lost { "lost" } else { class };
    let back = if from < to { to - 8 } else { to + 8 };
    let (above, below) = (y - 5, y + 5);
    let tip = match lost {
        true => format!(
            "M{} {above} L{} {below} M{} {below} L{} {above}",
            to - 5,
            to + 5,
            to - 5,
            to + 5
        ),
        false => format!("M{back} {above} L{to} {y} L{back} {below}"),
    };
    let middle = WIDTH / 2;
    let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{from} {y} L{to} {y} {tip}\"/>");
    let (x, over) = (middle, y - 8);
    let text = escaped(&cut(text, TEXT));
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{over}\" text-anchor=\"middle\">{text}</text>");
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_text_and_a_length_in_numbers() {
        assert_eq!(shown("\0\0\0\x0dпривет".as_bytes()), "\"\\x00\\x00\\x00\\x0dпривет\"");
        assert_eq!(shown(b"\xff<"), "\"\\xff<\"");
        assert_eq!(escaped("\"<&>\""), "\"&lt;&amp;&gt;\"");
    }

    #[test]
    fn what_is_lost_gets_half_of_the_way() {
        let mut svg = String::new();
        arrow(&mut svg, 0, Way::ToServer, "5 bytes", true);
        assert!(
            svg.contains("class=\"lost\" d=\"M90 74 L320 74 ") && svg.contains(">5 bytes<"),
            "{svg}"
        );
    }
}
