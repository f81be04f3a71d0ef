//! Throughput and latency against the number of connections, one line a server, as SVG.

use std::error::Error;

use ladder::screen::thousands;
use ladder::{Failure, failure};
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

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

const SIZE: (u32, u32) = (880, 480);

/// Who looks at night sees the same on a dark ground.
const NIGHT: &str =
    "@media (prefers-color-scheme: dark) { svg { filter: invert(0.9) hue-rotate(180deg) } }";

/// Replies in a second. `sweep` has a table for each number of connections.
pub fn throughput(sweep: &[Table], machine: &Machine) -> Result<String, Failure> {
    let most = values(sweep, "rate").fold(1.0, f64::max);
    let title = "Replies a second";
    picture(title, |svg| draw(svg, title, machine, 0.0..most * 1.05, sweep, "rate"))
}

/// The latency that one reply in a hundred exceeds.
pub fn latency(sweep: &[Table], machine: &Machine) -> Result<String, Failure> {
    let least = values(sweep, "p99_us").fold(f64::MAX, f64::min).clamp(1.0, 1e6);
    let most = values(sweep, "p99_us").fold(least * 10.0, f64::max);
    let axis = (least..most).log_scale();
    let title = "Latency of 99 in 100 replies (µs; lower is better)";
    picture(title, |svg| draw(svg, title, machine, axis, sweep, "p99_us"))
}

fn values(sweep: &[Table], figure: &str) -> impl Iterator<Item = f64> {
    sweep.iter().flat_map(|table| &table.rows).filter_map(move |row| row.median(figure))
}

fn picture(
    title: &str,
    draw: impl FnOnce(&mut String) -> Result<(), Box<dyn Error>>,
) -> Result<String, Failure> {
    let mut svg = String::new();
    draw(&mut svg).map_err(|error| failure!("cannot draw {title}: {error}"))?;
    let title = format!("{title} against the number of connections");
    let head = format!(">\n<title>{title}</title>\n<style>{NIGHT}</style>");
    Ok(svg.replacen('>', &head, 1))
}

fn draw<Y>(
    svg: &mut String,
    title: &str,
    machine: &Machine,
    axis: Y,
    sweep: &[Table],
    figure: &str,
) -> Result<(), Box<dyn Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let text = |size: u32| ("sans-serif", size);
    area.draw(&Text::new(machine.to_string(), (16, SIZE.1 as i32 - 14), text(10)))?;
    let connections = (1.0..CONNECTIONS[CONNECTIONS.len() - 1] as f64).log_scale().base(4.0);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, text(18))
        .margin(16)
        .x_label_area_size(52)
        .y_label_area_size(76)
        .build_cartesian_2d(connections, axis)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(1)
        .x_desc("connections, each with one message of 64 bytes in flight")
        .x_label_formatter(&|connections| thousands(*connections))
        .y_label_formatter(&|value| thousands(*value))
        .label_style(text(13))
        .draw()?;
    let rows = sweep.first().map_or(&[][..], |table| &table.rows);
    for (number, Row { contender, .. }) in rows.iter().enumerate() {
        let points = sweep.iter().zip(CONNECTIONS).filter_map(|(table, connections)| {
            Some((connections as f64, table.rows[number].median(figure)?))
        });
        let line = Palette99::pick(number).stroke_width(2);
        // Ours are whole lines, peers dashed, so that colour is not all that tells them apart.
        let (drawn, dash) = match contender.ours {
            true => (chart.draw_series(LineSeries::new(points, line))?, 24),
            false => (chart.draw_series(DashedLineSeries::new(points, 8, 4, line))?, 8),
        };
        drawn
            .label(&contender.name)
            .legend(move |(x, y)| DashedPathElement::new([(x, y), (x + 24, y)], dash, 4, line));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(text(13))
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ladder::Ladder;

    use super::*;
    use crate::{contenders, scenarios};

    #[test]
    fn a_server_that_failed_somewhere_has_a_shorter_line_and_the_picture_is_whole() {
        let ladder = Ladder::load().unwrap();
        let all = contenders::load(&ladder).unwrap();
        let table = |(scenario, rate): (&Scenario, _)| {
            let sample = |rate: Option<f64>| match rate {
                Some(rate) => Ok([("rate", rate), ("p99_us", rate)].into()),
                None => Err("it fell over".into()),
            };
            Table::new(scenario, all[..2].to_vec(), vec![vec![sample(rate)], vec![sample(None)]])
        };
        let sweep: Vec<Table> = sweep(&scenarios::load(&ladder).unwrap())
            .iter()
            .zip([Some(10.0), None, Some(20.0)])
            .map(table)
            .collect();
        for draw in [throughput, latency] {
            let svg = draw(&sweep, &Machine::look(false)).unwrap();
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
            assert!(svg.contains(&all[0].name), "{svg}");
        }
    }
}
