//! What one who does not listen costs the others, from slices of a run that are neighbours.

use std::fmt;

use serde::Serialize;

/// What one who does not listen costs the others: slices with it beside those without.
#[derive(Debug, Clone, Serialize)]
pub struct Deafness {
    /// Slices of each kind.
    pub slices: usize,
    /// 99 of 100 deliveries took so many microseconds at most without it, in the median
    /// slice.
    pub p99_without: f64,
    /// The same with it.
    pub p99_with: f64,
    /// The second divided by the first, of neighbouring slices, in the median.
    pub ratio: f64,
}

impl fmt::Display for Deafness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Deafness { slices, p99_without, p99_with, ratio } = self;
        write!(
            f,
            "p99 {p99_without:.0} µs without the deaf one and {p99_with:.0} µs with it, {ratio:.2} times, in {slices} slices of each"
        )
    }
}

impl Deafness {
    /// Of the percentiles of neighbouring slices, without and with it. `None` where there are
    /// none that can be compared: nothing is so many times what took no time, by a coarse clock.
    pub fn of(pairs: &[(f64, f64)]) -> Option<Deafness> {
        let pairs: Vec<_> = pairs.iter().filter(|(without, _)| *without > 0.0).collect();
        let ratio = median(pairs.iter().map(|(without, with)| with / without))?;
        let p99_without = median(pairs.iter().map(|(without, _)| *without))?;
        let p99_with = median(pairs.iter().map(|(_, with)| *with))?;
        Some(Deafness { slices: pairs.len(), p99_without, p99_with, ratio })
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (middle, upper) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values[middle] + values[upper]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_compared_and_the_median_of_that_is_told() {
        // The machine is three times as slow in the second pair, which is no fault of anybody.
        let deaf = Deafness::of(&[(100.0, 110.0), (300.0, 315.0), (100.0, 100.0)]).unwrap();
        assert_eq!((deaf.slices, deaf.p99_without, deaf.p99_with), (3, 100.0, 110.0));
        assert!((deaf.ratio - 1.05).abs() < 1e-9, "{}", deaf.ratio);
        assert!(Deafness::of(&[]).is_none());
        assert!(Deafness::of(&[(0.0, 5.0), (0.0, 0.0)]).is_none());
        assert_eq!(Deafness::of(&[(0.0, 5.0), (2.0, 3.0)]).unwrap().ratio, 1.5);
        assert_eq!(median([1.0, 2.0].into_iter()), Some(1.5));
    }
}
