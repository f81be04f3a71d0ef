//! A conversation as a sequence diagram in SVG: the client's line on the left, the
//! server's on the right. Light or dark as the reader has it, and the same for every
//! run that says the same.

use ladder::Rung;
use ladder::screen::cut;
use netfault::Transport;
use netfault::proxy::{Fate, Passed, Way};
use trial::Faults;
use trial::wire::{end, quoted};

use crate::picture::{Part, Picture};

/// Columns of what is said in an arrow.
const TEXT: usize = 48;

/// Draws what has passed between the client and the server of `rung`.
pub fn draw(rung: &Rung, passed: &[Passed]) -> String {
    let mut rows = Vec::new();
    let mut connection = None;
    let arrow = |way, text: &str, arrives| {
        let (from, to) = if way == Way::ToServer { (0, 1) } else { (1, 0) };
        vec![Part::Arrow { from, to, text: cut(text, TEXT), arrives }]
    };
    for one in passed {
        if connection.replace(one.connection) != Some(one.connection)
            && rung.speaks().transport() == Transport::Tcp
        {
            rows.push(arrow(Way::ToServer, "connects", true));
        }
        let size = match one.bytes.len() {
            1 => "1 byte".to_string(),
            n => format!("{n} bytes"),
        };
        let said = format!("{size} {}", quoted(&one.bytes));
        let text = match (end(one.fate), one.fate) {
            (Some(text), _) => text.into(),
            (None, Fate::Repeated) => format!("{said}, once more"),
            (None, Fate::Lost) => format!("{said}, lost"),
            (None, _) => said,
        };
        let arrives = !matches!(one.fate, Fate::Lost | Fate::Reset | Fate::Cut);
        rows.push(arrow(one.way, &text, arrives));
    }
    let title = format!("What passes between the client and the server of {}", rung.name);
    Picture { title, ends: vec!["client".into(), "server".into()], rows }.draw(false)
}
