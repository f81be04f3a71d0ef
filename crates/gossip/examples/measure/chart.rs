//! The table as a picture.

use std::fmt::Write;

use super::Rounds;

const TITLE: &str = "Rounds until all know, against the number of nodes";
const SIZE: (f64, f64) = (880.0, 480.0);

/// Where the lines are drawn, from its upper left to its lower right.
const FIELD: [f64; 4] = [76.0, 60.0, 690.0, 410.0];

const MOST_ROUNDS: u64 = 15;

const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #3b3f45; }
.page { fill: #ffffff; }
.title { font-size: 18px; font-weight: 600; fill: #16181c; }
.small { font-size: 10px; }
.right { text-anchor: end; }
.middle { text-anchor: middle; }
.name { font-weight: 600; }
.grid { stroke: #d9dce1; }
polyline { fill: none; stroke-width: 2.2; }
.broad { stroke-width: 7; opacity: 0.4; }
.dashes { stroke-dasharray: 7 4; }
.dots { stroke-dasharray: 2 4; }
.c0 { stroke: #0b62a8; }
.d0 { fill: #0b62a8; }
.c1 { stroke: #b3420a; }
.d1 { fill: #b3420a; }
.c2 { stroke: #117a4a; }
.d2 { fill: #117a4a; }
@media (prefers-color-scheme: dark) {
text { fill: #c4c9d1; }
.page { fill: #15181d; }
.title { fill: #f2f4f7; }
.grid { stroke: #363b44; }
.c0 { stroke: #6cb6ff; }
.d0 { fill: #6cb6ff; }
.c1 { stroke: #ff9f5a; }
.d1 { fill: #ff9f5a; }
.c2 { stroke: #57d195; }
.d2 { fill: #57d195; }
}
";

/// The whole picture, light or dark as whoever looks has told the browser.
pub fn drawn(all: &[Rounds]) -> String {
    let (width, height) = SIZE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{TITLE}\">\n<title>{TITLE}</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"16\" y=\"32\">{TITLE}</text>\n"
    );
    let most = all.iter().map(|it| it.nodes).max().unwrap_or(2) as f64;
    let least = all.iter().map(|it| it.nodes).min().unwrap_or(1) as f64;
    let [left, top, right, bottom] = FIELD;
    let x = |nodes: f64| left + (nodes / least).ln() / (most / least).ln() * (right - left);
    let y = |rounds: f64| bottom - rounds / MOST_ROUNDS as f64 * (bottom - top);
    for rounds in (0..=MOST_ROUNDS).step_by(5) {
        let at = y(rounds as f64);
        line(
            &mut svg,
            &format!(
                "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"right\" x=\"{:.1}\" y=\"{:.1}\">{rounds}</text>",
                left - 8.0,
                at + 4.0
            ),
        );
    }
    for it in all {
        let (at, below) = (x(it.nodes as f64), bottom + 20.0);
        line(
            &mut svg,
            &format!("<text class=\"middle\" x=\"{at:.1}\" y=\"{below}\">{}</text>", it.nodes),
        );
    }
    let (middle, below) = ((left + right) / 2.0, bottom + 40.0);
    line(&mut svg, &format!("<text class=\"middle\" x=\"{middle}\" y=\"{below}\">nodes</text>"));
    let median = |rounds: &[u64]| rounds[rounds.len() / 2] as f64;
    let worst = |rounds: &[u64]| rounds[rounds.len() - 1] as f64;
    let drawn: [(&str, &str, Vec<f64>); 4] = [
        ("c2 dashes", "log2(nodes)", all.iter().map(|it| (it.nodes as f64).log2()).collect()),
        ("c1 broad", "the rule alone", all.iter().map(|it| median(&it.rule)).collect()),
        ("c0", "replicas", all.iter().map(|it| median(&it.replica)).collect()),
        ("c0 dots", "replicas, the worst run", all.iter().map(|it| worst(&it.replica)).collect()),
    ];
    let mut names: Vec<f64> = Vec::new();
    for (class, name, rounds) in drawn {
        let points = all.iter().zip(&rounds);
        let points: Vec<String> = points
            .map(|(it, rounds)| format!("{:.1},{:.1}", x(it.nodes as f64), y(*rounds)))
            .collect();
        line(&mut svg, &format!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" ")));
        // Beside its end, and below whatever stands there already.
        let mut at = y(rounds.last().copied().unwrap_or_default()) + 4.0;
        while names.iter().any(|taken| (taken - at).abs() < 17.0) {
            at += 1.0;
        }
        names.push(at);
        let fill = class.split(' ').next().unwrap_or_default().replace('c', "d");
        line(
            &mut svg,
            &format!(
                "<text class=\"name {fill}\" x=\"{:.1}\" y=\"{at:.1}\">{name}</text>",
                right + 10.0
            ),
        );
    }
    let note = "Replicas of the real protocol on a virtual clock; medians. \
        Each has room for 1,000 others: of more, it knows a part.";
    line(&mut svg, &format!("<text class=\"small\" x=\"16\" y=\"{}\">{note}</text>", height - 8.0));
    svg + "</svg>\n"
}

fn line(svg: &mut String, element: &str) {
    // Never fails: it is a text.
    let _ = writeln!(svg, "{element}");
}
