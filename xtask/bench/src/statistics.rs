//! Medians and spreads.

use serde::Serialize;

/// The middle of several measurements, with the lowest and the highest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub low: f64,
    /// The one in the middle; of an even number, the mean of the two there.
    pub median: f64,
    pub high: f64,
}

/// `None` without any measurement.
pub fn spread(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (*values.first()?, *values.last()?);
    let half = values.len() / 2;
    let median = match values.len() % 2 {
        0 => f64::midpoint(values[half - 1], values[half]),
        _ => values[half],
    };
    Some(Spread { low, median, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_does_not_move_the_middle() {
        let five = spread([3.0, 1.0, 2.0, 900.0, 2.5]).unwrap();
        assert_eq!(five, Spread { low: 1.0, median: 2.5, high: 900.0 });
        // An even number has two in the middle.
        assert_eq!(spread([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(spread([]), None);
    }
}
