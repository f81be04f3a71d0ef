//! Throughput and latency against the number of connections, one line a server, as SVG.

use ladder::screen::thousands;
use ladder::svg::Svg;

use crate::machine::Machine;
use crate::scenarios::Scenario;
use crate::table::{Row, Table};

/// Connections, from left to right.
const CONNECTIONS: [usize; 6] = [1, 4, 16, 64, 256, 1024];

/// The load of the pictures: that of `echo-64`, with other numbers of connections.
pub fn sweep(scenarios: &[Scenario]) -> Vec<Scenario> {
    let load = scenarios.iter().find(|scenario| scenario.name == "echo-64");
    let with = |(connections, load): (usize, &Scenario)| Scenario {
        name: "charts".into(),
        connections,
        ..load.clone()
    };
    CONNECTIONS.into_iter().zip(load.into_iter().cycle()).map(with).collect()
}

const SIZE: (usize, usize) = (880, 480);

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

/// Ours are whole lines, peers dashed, so that colour is not all that tells them apart.
const STYLE: &str = include_str!("chart.css");

enum Axis {
    /// From nothing to the largest.
    Linear(f64),
    /// From one power of ten to another.
    Logarithmic(i32, i32),
}

/// Replies in a second. `sweep` has a table for each number of connections.
pub fn throughput(sweep: &[Table], machine: &Machine) -> String {
    let value = |row: &Row| row.median(|figures| figures.rate);
    let most = values(sweep, value).fold(1.0, f64::max);
    let what = "64 bytes, one message in flight on each connection";
    picture("Replies a second", what, machine, &Axis::Linear(most), sweep, value)
}

/// The latency that one reply in a hundred exceeds.
pub fn latency(sweep: &[Table], machine: &Machine) -> String {
    let value = |row: &Row| row.median(|figures| figures.p99);
    let low = values(sweep, value).fold(f64::MAX, f64::min).clamp(1.0, 1e6).log10().floor() as i32;
    let high = values(sweep, value).fold(1.0, f64::max).log10().ceil() as i32;
    let axis = Axis::Logarithmic(low, high.max(low + 1));
    let what = "64 bytes, one message in flight on each connection; lower is better";
    picture("Latency, 99 of 100 replies (µs)", what, machine, &axis, sweep, value)
}

fn values(sweep: &[Table], value: fn(&Row) -> Option<f64>) -> impl Iterator<Item = f64> {
    sweep.iter().flat_map(|table| &table.rows).filter_map(value)
}

fn picture(
    title: &str,
    what: &str,
    machine: &Machine,
    axis: &Axis,
    sweep: &[Table],
    value: fn(&Row) -> Option<f64>,
) -> String {
    let (left, top, right, bottom) = AREA;
    let mut style = STYLE.to_string();
    for number in 0..COLOURS.len() {
        style.push_str(&format!(
            ".server.c{number} {{ stroke: var(--c{number}) }}\n.name.c{number}, circle.c{number} {{ fill: var(--c{number}) }}\n"
        ));
    }
    let whole = format!("{title} against the number of connections");
    let mut svg = Svg::new(SIZE, &whole, &COLOURS, &style);
    svg.text("title", (16, 28), title);
    svg.text("", (16, 48), what);
    for mark in axis.marks() {
        let y = axis.height(mark);
        svg.path("grid", &format!("M{left} {y:.1} L{right} {y:.1}"));
        svg.text("right", (left - 8.0, y + 4.0), &thousands(mark));
    }
    for (place, connections) in CONNECTIONS.into_iter().enumerate() {
        svg.text("middle", (column(place), bottom + 20.0), &thousands(connections as f64));
    }
    svg.text("middle", (f64::midpoint(left, right), bottom + 38.0), "connections");
    svg.text("small", (16, SIZE.1 - 6), &machine.to_string());

    let mut names = Vec::new();
    let rows = sweep.first().map_or(&[][..], |table| &table.rows);
    for (number, Row { contender, .. }) in rows.iter().enumerate() {
        let points = sweep.iter().enumerate().filter_map(|(place, table)| {
            Some((column(place), axis.height(value(&table.rows[number])?)))
        });
        let points: Vec<(f64, f64)> = points.collect();
        let Some(last) = points.last() else { continue };
        let dash = match (contender.ours, number / COLOURS.len()) {
            (true, 0) => "ours",
            (false, 0) => "peer",
            _ => "dots",
        };
        let class = format!("c{} {dash}", number % COLOURS.len());
        names.push((last.1, *last, (contender.name.as_str(), class.clone())));
        svg.path(&format!("server {class}"), &line(&points));
        for (x, y) in points {
            svg.element(&format!(
                "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
            ));
        }
    }
    spread_out(&mut names, top);
    for (y, (end_x, end_y), (name, class)) in names {
        // A piece of the line leads to its name: two lines may have one colour.
        let ends = [(end_x + 5.0, end_y), (right + 18.0, y), (right + 42.0, y)];
        svg.path(&format!("server {class}"), &line(&ends));
        svg.text(&format!("name {class}"), (right + 48.0, y + 4.0), name);
    }
    svg.finish()
}

fn line(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    format!("M{}", points.join(" L"))
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

#[cfg(test)]
mod tests {
    use ladder::Ladder;

    use super::*;
    use crate::measure::Figures;
    use crate::{contenders, scenarios};

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
        let ladder = Ladder::load().unwrap();
        let all = contenders::load(&ladder).unwrap();
        let table = |(scenario, rate): (&Scenario, _)| {
            let sample = |rate: Option<f64>| match rate {
                Some(_) => Ok(Figures { rate, p99: rate, ..Figures::default() }),
                None => Err("it fell over".into()),
            };
            Table::new(scenario, all[..2].to_vec(), vec![vec![sample(rate)], vec![sample(None)]])
        };
        let sweep: Vec<Table> = sweep(&scenarios::load(&ladder).unwrap())
            .iter()
            .zip([Some(10.0), None, Some(20.0)])
            .map(table)
            .collect();
        let svg = throughput(&sweep, &Machine::look(false));
        // The line, and the piece of it before its name.
        assert_eq!(svg.matches("class=\"server").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains(&format!(">{}</text>", all[0].name)), "{svg}");
    }
}
