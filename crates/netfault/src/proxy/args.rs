//! What the network does, on a command line.

use std::time::Duration;

use clap::Args;
use netcore::cli::{self, duration};

use super::Network;
use crate::SEED;

/// The options of `netfault proxy` that are about the network.
#[derive(Debug, Clone, Args)]
pub struct NetworkArgs {
    /// How many datagrams are lost, from 0 to 1; over TCP, how many segments are late
    /// by 200 ms
    #[arg(long, value_name = "PART", value_parser = part, default_value = "0")]
    pub loss: f64,
    /// Time from one end to the other, as in 50ms [default: none]
    #[arg(long, value_name = "DURATION", value_parser = pause)]
    pub delay: Option<Duration>,
    /// More or less delay by up to so much [default: none]
    #[arg(long, value_name = "DURATION", value_parser = pause)]
    pub jitter: Option<Duration>,
    /// How many datagrams are overtaken by later ones, from 0 to 1
    #[arg(long, value_name = "PART", value_parser = part, default_value = "0")]
    pub reorder: f64,
    /// How many datagrams come twice, from 0 to 1
    #[arg(long, value_name = "PART", value_parser = part, default_value = "0")]
    pub duplicate: f64,
    /// Bits a second each way, as in 64kbit, 10mbit [default: no bound]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub rate: Option<u64>,
    /// Bytes in a segment of TCP at most [default: no bound]
    #[arg(long, value_name = "BYTES", value_parser = some)]
    pub slice: Option<usize>,
    /// Cut each direction after so many bytes [default: never]
    #[arg(long, value_name = "BYTES", value_parser = some)]
    pub cut_after: Option<usize>,
    /// What chance is drawn from
    #[arg(long, value_name = "N", default_value_t = SEED)]
    pub seed: u64,
}

impl NetworkArgs {
    /// What the network is to do.
    pub fn network(&self) -> Network {
        Network {
            loss: self.loss,
            delay: self.delay.unwrap_or_default(),
            jitter: self.jitter.unwrap_or_default(),
            reorder: self.reorder,
            duplicate: self.duplicate,
            rate: self.rate,
            slice: self.slice,
            cut_after: self.cut_after.map(|bytes| bytes as u64),
            seed: self.seed,
        }
    }
}

fn part(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "a part is written as 0.3, from 0 to 1".into())
}

fn some(text: &str) -> Result<usize, String> {
    match cli::size(text)? {
        0 => Err("at least one byte has to pass".into()),
        size => Ok(size),
    }
}

fn rate(text: &str) -> Result<u64, String> {
    let wrong = || "a rate is written as 9600bit, 64kbit or 10mbit".to_string();
    let number = text.strip_suffix("bit").ok_or_else(wrong)?;
    let (number, unit) = match (number.strip_suffix('k'), number.strip_suffix('m')) {
        (Some(number), _) => (number, 1_000),
        (_, Some(number)) => (number, 1_000_000),
        _ => (number, 1),
    };
    let rate = number.parse().ok().and_then(|number: u64| number.checked_mul(unit));
    rate.filter(|rate| *rate > 0).ok_or_else(wrong)
}

/// A duration that is no limit: it may be none at all, as in `0s`.
///
/// # Errors
/// A sentence for clap to show.
pub fn pause(text: &str) -> Result<Duration, String> {
    match text {
        "0s" | "0ms" => Ok(Duration::ZERO),
        text => duration(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_may_be_none_at_all() {
        assert_eq!((pause("0s"), pause("0ms")), (Ok(Duration::ZERO), Ok(Duration::ZERO)));
        assert_eq!(pause("50ms"), Ok(Duration::from_millis(50)));
        assert!(pause("0").is_err());
    }

    #[test]
    fn rates_and_parts_are_read_as_they_are_written() {
        assert_eq!(
            (rate("9600bit"), rate("64kbit"), rate("10mbit")),
            (Ok(9600), Ok(64_000), Ok(10_000_000))
        );
        for wrong in ["", "64k", "0bit", "bit", "-1bit", "1.5mbit"] {
            assert!(rate(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!((part("0.3"), part("1")), (Ok(0.3), Ok(1.0)));
        for wrong in ["1.1", "-0.1", "NaN", "x"] {
            assert!(part(wrong).is_err(), "{wrong:?}");
        }
    }
}
