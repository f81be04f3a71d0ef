//! Throughput and latency against the number of connections, one line a server, as SVG.

use std::fmt::Write as _;

use ladder::Failure;
use ladder::screen::thousands;

use crate::machine::Machine;
use crate::measure::{Bench, Sample};
use crate::progress::progress;
use crate::scenarios::SWEEP;
use crate::statistics::spread;

/// Connections, from left to right.
const CONNECTIONS: [usize; 6] = [1, 4, 16, 64, 256, 1024];

/// The size of a picture.
const SIZE: (f64, f64) = (880.0, 480.0);

/// The chart in it: left, top, right, bottom. Names stand to the right of it.
const AREA: (f64, f64, f64, f64) = (76.0, 70.0, 700.0, 420.0);

/// Between the names of two lines.
const LEADING: f64 = 16.0;

/// Colours for light pages and for dark ones. More lines than these begin again, with
/// another dash.
const COLOURS: [(&str, &str); 6] = [
    ("#0b62a8", "#6cb6ff"),
    ("#b3420a", "#ff9f5a"),
    ("#117a4a", "#57d195"),
    ("#8a3ea8", "#d79bf0"),
    ("#8c6a00", "#e6c229"),
    ("#a8234f", "#ff85a8"),
];

/// What one server did with each number of connections.
pub struct Line {
    name: String,
    ours: bool,
    points: Vec<Point>,
    /// The first reason for which a measurement failed.
    failure: Option<String>,
}

impl Line {
    /// What went wrong, where the server is our own. Its line is shorter, or has fewer
    /// rounds behind it.
    pub fn failure_of_ours(&self) -> Option<String> {
        let failure = self.failure.as_ref().filter(|_| self.ours)?;
        Some(format!("charts: {}: {failure}", self.name))
    }
}

/// Medians; `None` where the server failed in every round.
#[derive(Debug, Clone, Copy)]
struct Point {
    rate: Option<f64>,
    p99: Option<f64>,
}

/// How values become heights.
enum Axis {
    /// From nothing to the largest.
    Linear(f64),
    /// From one power of ten to another.
    Logarithmic(i32, i32),
}

/// How many measurements a round has.
pub fn measurements(bench: &Bench) -> usize {
    bench.contenders(&SWEEP).len() * CONNECTIONS.len()
}

/// Measures every server of many clients with each number of connections, in rounds.
pub fn measure(bench: &Bench, rounds: u16) -> Result<Vec<Line>, Failure> {
    let contenders = bench.contenders(&SWEEP);
    let mut samples: Vec<Vec<Vec<Sample>>> =
        contenders.iter().map(|_| CONNECTIONS.map(|_| Vec::new()).into()).collect();
    for round in 1..=rounds {
        for (place, connections) in CONNECTIONS.into_iter().enumerate() {
            for (contender, samples) in contenders.iter().zip(&mut samples) {
                let name = &contender.name;
                progress(&format!(
                    "charts: round {round} of {rounds}, {connections} connections, {name}"
                ));
                samples[place].push(bench.sample(contender, &SWEEP, connections)?);
            }
        }
    }
    progress("");
    let lines = contenders.into_iter().zip(samples).map(|(contender, samples)| {
        let points = samples.iter().map(|samples| Point {
            rate: spread(samples.iter().flatten().filter_map(|figures| figures.rate))
                .map(|spread| spread.median),
            p99: spread(samples.iter().flatten().filter_map(|figures| figures.p99))
                .map(|spread| spread.median),
        });
        let failure = samples.iter().flatten().find_map(|sample| sample.as_ref().err()).cloned();
        Line { points: points.collect(), name: contender.name, ours: contender.ours, failure }
    });
    Ok(lines.collect())
}

/// Replies in a second.
pub fn throughput(lines: &[Line], machine: &Machine) -> String {
    let most = lines
        .iter()
        .flat_map(|line| &line.points)
        .filter_map(|point| point.rate)
        .fold(1.0, f64::max);
    picture(
        "Replies a second",
        "64 bytes, one message in flight on each connection",
        machine,
        &Axis::Linear(most),
        lines,
        |point| point.rate,
    )
}

/// The latency that one reply in a hundred exceeds.
pub fn latency(lines: &[Line], machine: &Machine) -> String {
    let all = || lines.iter().flat_map(|line| &line.points).filter_map(|point| point.p99);
    let low = all().fold(f64::MAX, f64::min).clamp(1.0, 1e6).log10().floor() as i32;
    let high = all().fold(1.0, f64::max).log10().ceil() as i32;
    picture(
        "Latency, 99 of 100 replies (µs)",
        "64 bytes, one message in flight on each connection; lower is better",
        machine,
        &Axis::Logarithmic(low, high.max(low + 1)),
        lines,
        |point| point.p99,
    )
}

fn picture(
    title: &str,
    what: &str,
    machine: &Machine,
    axis: &Axis,
    lines: &[Line],
    value: fn(&Point) -> Option<f64>,
) -> String {
    let ((width, height), (left, top, right, bottom)) = (SIZE, AREA);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{title} against the number of connections\">\n<title>{title} against the number of \
         connections</title>\n<style>\n{}</style>\n<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"16\" y=\"28\">{title}</text>\n<text x=\"16\" y=\"48\">{what}</text>\n",
        style()
    );
    for mark in axis.marks() {
        let y = axis.height(mark);
        let label = thousands(mark);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
        );
        let (x, y) = (left - 8.0, y + 4.0);
        let _ = writeln!(svg, "<text class=\"right\" x=\"{x}\" y=\"{y:.1}\">{label}</text>");
    }
    for (place, connections) in CONNECTIONS.into_iter().enumerate() {
        let (x, y) = (column(place), bottom + 20.0);
        let label = thousands(connections as f64);
        let _ = writeln!(svg, "<text class=\"middle\" x=\"{x:.1}\" y=\"{y}\">{label}</text>");
    }
    let (middle, below) = (f64::midpoint(left, right), bottom + 38.0);
    let _ = writeln!(svg, "<text class=\"middle\" x=\"{middle}\" y=\"{below}\">connections</text>");
    let (x, y, machine) = (16.0, height - 6.0, escaped(&machine.to_string()));
    let _ = writeln!(svg, "<text class=\"small\" x=\"{x}\" y=\"{y}\">{machine}</text>");

    let mut names = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let points: Vec<(f64, f64)> = line
            .points
            .iter()
            .enumerate()
            .filter_map(|(place, point)| Some((column(place), axis.height(value(point)?))))
            .collect();
        let Some(last) = points.last() else { continue };
        names.push((last.1, *last, number));
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let class = class(number, line.ours);
        let _ = writeln!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", path.join(" "));
        for (x, y) in points {
            let _ = writeln!(
                svg,
                "<circle class=\"d{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>",
                number % COLOURS.len()
            );
        }
    }
    spread_out(&mut names, top);
    for (y, (end_x, end_y), number) in names {
        let colour = number % COLOURS.len();
        let (name, class) = (escaped(&lines[number].name), class(number, lines[number].ours));
        // A piece of the line stands before its name: two lines may have one colour.
        let (from, to) = (end_x + 5.0, right + 18.0);
        let (swatch, x) = (to + 24.0, to + 30.0);
        let _ = writeln!(
            svg,
            "<line class=\"lead d{colour}\" x1=\"{from:.1}\" y1=\"{end_y:.1}\" x2=\"{to}\" y2=\"{y:.1}\"/>\n\
             <polyline class=\"{class}\" points=\"{to},{y:.1} {swatch},{y:.1}\"/>\n\
             <text class=\"name d{colour}\" x=\"{x}\" y=\"{:.1}\">{name}</text>",
            y + 4.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Ours are whole lines, peers dashed, so that colour is not all that tells them apart.
fn class(number: usize, ours: bool) -> String {
    let colour = number % COLOURS.len();
    match (ours, number / COLOURS.len()) {
        (true, 0) => format!("c{colour}"),
        (true, _) => format!("c{colour} dots"),
        (false, 0) => format!("c{colour} dashes"),
        (false, _) => format!("c{colour} dots"),
    }
}

fn style() -> String {
    let mut style = String::from(
        "text { font: 13px system-ui, sans-serif; fill: #3b3f45; }\n.page { fill: #ffffff; }\n\
         .title { font-size: 18px; font-weight: 600; fill: #16181c; }\n.small { font-size: 10px; }\n\
         .right { text-anchor: end; }\n.middle { text-anchor: middle; }\n.name { font-weight: 600; }\n\
         .grid { stroke: #d9dce1; }\npolyline { fill: none; stroke-width: 2.2; }\n.lead { stroke-width: 1; opacity: 0.6; }\n\
         .dashes { stroke-dasharray: 7 4; }\n.dots { stroke-dasharray: 2 4; }\n",
    );
    let mut dark = String::from(
        "text { fill: #c4c9d1; }\n.page { fill: #15181d; }\n.title { fill: #f2f4f7; }\n.grid { stroke: #363b44; }\n",
    );
    for (number, (light_colour, dark_colour)) in COLOURS.iter().enumerate() {
        for (sheet, colour) in [(&mut style, light_colour), (&mut dark, dark_colour)] {
            let _ = writeln!(sheet, ".c{number} {{ stroke: {colour}; }}");
            let _ = writeln!(
                sheet,
                ".d{number} {{ fill: {colour}; }}\nline.d{number} {{ stroke: {colour}; }}"
            );
        }
    }
    format!("{style}@media (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

/// Moves names apart that would stand on each other, and keeps their order.
fn spread_out<T>(names: &mut [(f64, (f64, f64), T)], top: f64) {
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    for i in 1..names.len() {
        names[i].0 = names[i].0.max(names[i - 1].0 + LEADING);
    }
    // What went over the lower edge moves up again, and pushes the others before it.
    let mut limit = AREA.3;
    for name in names.iter_mut().rev() {
        name.0 = name.0.min(limit).max(top);
        limit = name.0 - LEADING;
    }
}

fn column(place: usize) -> f64 {
    let step = (AREA.2 - AREA.0) / (CONNECTIONS.len() - 1) as f64;
    AREA.0 + step * place as f64
}

impl Axis {
    /// Where a value is.
    fn height(&self, value: f64) -> f64 {
        let share = match *self {
            Axis::Linear(most) => value / round_up(most),
            Axis::Logarithmic(low, high) => {
                (value.max(1e-9).log10() - f64::from(low)) / f64::from(high - low)
            }
        };
        AREA.3 - share.clamp(0.0, 1.0) * (AREA.3 - AREA.1)
    }

    /// The values that have a line and a label.
    fn marks(&self) -> Vec<f64> {
        match *self {
            Axis::Linear(most) => {
                (0..=5).map(|fifth| round_up(most) * f64::from(fifth) / 5.0).collect()
            }
            Axis::Logarithmic(low, high) => (low..=high).map(|power| 10_f64.powi(power)).collect(),
        }
    }
}

/// The next power of ten, or what is told apart easily between two of them.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.map(|step| step * power).into_iter().find(|step| *step >= value).unwrap_or(value)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_stand_on_each_other() {
        let mut names = [
            (100.0, (0.0, 0.0), 'a'),
            (101.0, (0.0, 0.0), 'b'),
            (415.0, (0.0, 0.0), 'c'),
            (419.0, (0.0, 0.0), 'd'),
        ];
        spread_out(&mut names, AREA.1);
        let heights: Vec<f64> = names.iter().map(|name| name.0).collect();
        assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= LEADING), "{heights:?}");
        assert!(heights.iter().all(|y| (AREA.1..=AREA.3).contains(y)), "{heights:?}");
    }

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!(round_up(187_000.0), 200_000.0);
        assert_eq!(round_up(280_000.0), 300_000.0);
        assert_eq!(Axis::Linear(280_000.0).height(0.0), AREA.3);
        assert_eq!(Axis::Linear(300_000.0).height(300_000.0), AREA.1);
        assert_eq!(Axis::Logarithmic(1, 3).marks(), [10.0, 100.0, 1000.0]);
        assert_eq!(Axis::Logarithmic(1, 3).height(10.0), AREA.3);
    }

    #[test]
    fn a_server_that_failed_somewhere_has_a_shorter_line_and_the_picture_is_whole() {
        let point = |rate| Point { rate, p99: rate };
        let line =
            |name: &str, points| Line { name: name.into(), ours: true, points, failure: None };
        let lines = [
            line("a<b", vec![point(Some(10.0)), point(None), point(Some(20.0))]),
            line("none", vec![point(None)]),
        ];
        let svg = throughput(&lines, &Machine::look(false));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        // The line, and the piece of it before its name.
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("a&lt;b") && svg.contains("prefers-color-scheme: dark"));
    }
}
